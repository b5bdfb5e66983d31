"""What our pull requests, reviews and comments have in common when people read them."""

from collections.abc import Iterable

from entropy.models import Evidence, Outcome, Run

LONGEST_OUTPUT = 3000


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
    return line.replace("`", "").replace("<", "&lt;").replace(">", "&gt;")


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
    """The small print: which run and which engine."""
    engine = f", engine `{outcome.engine}`" if outcome.engine else ""
    return f"<sub>Entropy run `{run.id}`, role {run.role}{engine}.</sub>"
