"""The commit of a run: the patch under the rules that apply to it, with a message that says where it comes from."""

from entropy.errors import IllegalStep, PolicyViolation
from entropy.items import Assignment
from entropy.lifecycle.publish.inert import inert, inert_line, inert_message, word
from entropy.lifecycle.scanning import cleansed, scan
from entropy.models import Identity, Outcome, Run
from entropy.repository.additions import Addition
from entropy.repository.mirror import Mirror
from entropy.repository.patch import PatchRules
from entropy.settings import ReportSettings
from entropy.wiring import Toolbox


def commit_patch(run: Run, outcome: Outcome, assignment: Assignment, mirror: Mirror, tools: Toolbox) -> str:
    """The commit, known to the mirror only; the same run makes the same commit. Raises `PolicyViolation`."""
    if outcome.patch is None:
        raise IllegalStep(f"Run {run.id} says that it changed something and has no patch.")
    recipe = assignment.config.recipe_for(assignment.labels)
    identity = tools.github(run.role).identity()
    try:
        commit = mirror.commit_patch(
            assignment.base_commit,
            tools.artifacts.get(run.id, outcome.patch),
            message=message_of(run, outcome, assignment.item.subject, identity, tools.settings.reports),
            identity=identity,
            when=run.created,
            rules=PatchRules(
                paths=recipe.paths if recipe else ("**",),
                max_files=tools.settings.repository.max_files,
            ),
        )
        _refuse_secrets(mirror.changed(assignment.base_commit, commit), mirror.additions(commit))
    except PolicyViolation as refusal:  # it names paths, and whoever made the patch chose these
        raise PolicyViolation(inert(cleansed(str(refusal))[0])) from refusal
    return commit


def _refuse_secrets(paths: frozenset[str], added: list[Addition]) -> None:
    if scan(sorted(paths)):
        raise PolicyViolation("A file of this change has a secret in its name, so nothing of it is published.")
    hits = scan([line.text for line in added])
    if not hits:
        return
    where = added[hits[0].line]
    more = f" (and {len(hits) - 1} more lines do)" if len(hits) > 1 else ""
    raise PolicyViolation(
        f"`{word(where.path, 300)}` line {where.number} holds what looks like {hits[0].kind}{more}, so nothing of this "
        "change is published. Make the change without it, and revoke it if it is real."
    )


def message_of(run: Run, outcome: Outcome, title: str, identity: Identity, reports: ReportSettings) -> str:
    """Title, what was done, and the trailers, which git wants in one last block."""
    trailers = [f"Entropy-Run: {run.id}"]
    if reports.co_author:
        trailers.append(f"Co-authored-by: {reports.co_author}")
    if reports.sign_off:
        trailers.append(f"Signed-off-by: {identity.name or identity.login} <{identity.email}>")
    return f"{inert_line(title)}\n\n{inert_message(outcome.summary)}\n\n" + "\n".join(trailers) + "\n"
