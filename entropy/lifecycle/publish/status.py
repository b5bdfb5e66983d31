"""The role's one comment on an item: what it is doing, or what came of it. Edited, never repeated."""

from entropy.lifecycle.progress import status_marker, with_progress
from entropy.lifecycle.publish.stages import stage_list
from entropy.models import Progress, Run, Stage
from entropy.wiring import Toolbox


def say(run: Run, tools: Toolbox, text: str, *, intent: str, progress: Progress | None) -> None:
    """Write the list of stages and `text` into the comment, with the count that the next run will read."""
    stages = stage_list(run, now=Stage.EXECUTE)
    marker, body = status_marker(run.role), with_progress(progress, f"{stages}\n\n{text}")

    def comment() -> str:
        known = tools.intents.of(run.id).get("status")
        issues = tools.github(run.role).issues
        return str(issues.ensure_comment(run.item, marker=marker, body=body, known=int(known) if known else None))

    tools.intents.once(run, intent, comment)
