"""What our pull requests, reviews and comments have in common when people read them."""

from collections.abc import Iterable

from entropy.lifecycle.publish.inert import inert_line
from entropy.lifecycle.publish.stages import duration
from entropy.models import Evidence, Outcome, Run

LONGEST_OUTPUT = 3000
LONGEST_LINE = 1000
NONE = "\N{EN DASH}"


def evidence_block(evidence: Iterable[Evidence]) -> str:
    """Each command with its exit status, its output folded away."""
    return "\n\n".join(_one(piece) for piece in evidence)


def _one(piece: Evidence) -> str:
    status = "was stopped at its time limit" if piece.exit_status is None else f"exited with {piece.exit_status}"
    line = f"`{' '.join(piece.command)}` {status} after {piece.seconds:.1f} s."
    output = piece.output.strip()[-LONGEST_OUTPUT:]
    if not output:
        return line
    fence = "`" * max(3, _longest_run_of_backticks(output) + 1)
    return f"<details><summary>{_inline(line)}</summary>\n\n{fence}text\n{output}\n{fence}\n\n</details>"


def _inline(line: str) -> str:
    return inert_line(line.replace("`", ""), LONGEST_LINE).replace("<", "&lt;").replace(">", "&gt;")


def _longest_run_of_backticks(text: str) -> int:
    longest = current = 0
    for character in text:
        current = current + 1 if character == "`" else 0
        longest = max(longest, current)
    return longest


def history_block(run: Run) -> str:
    """What the run went through, a line a stage."""
    lines = [f"* {step.stage}: {_inline(step.note)}" for step in run.history]
    tries = ", ".join(f"{stage} {count}" for stage, count in run.tries.items())
    return "\n".join(["<details><summary>History</summary>\n", *lines, f"* begun: {tries}", "\n</details>"])


def details(run: Run, outcome: Outcome) -> str:
    """The small print: which run, how long, with which engine, at what cost, and where to look."""
    facts = [f"Entropy run `{run.id}`", f"role {run.role}"]
    if outcome.engine:
        facts.append(f"engine `{outcome.engine}`" + (f", model `{outcome.model}`" if outcome.model else ""))
    if run.history:
        facts.append(f"took {duration(run.history[-1].ended - run.created)}")
    facts.append(f"cost {NONE if outcome.cost is None else f'{outcome.cost:.2f} $'}")
    return f"<sub>{', '.join(facts)}. `celery -A entropy runs show {run.id}` tells more.</sub>"
