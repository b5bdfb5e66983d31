"""The list of a run's stages as people read it: what is done, with its time, what goes on, and what is left."""

from entropy.models import Run, Stage

DONE, NOW, PASSED = "✓", "…", "\N{EN DASH}"


def stage_list(run: Run, *, now: Stage | None) -> str:
    """One line. The run's present stage counts as done, since saying so is the last of its work; `now` comes next."""
    known = {step.stage for step in run.history} | {run.stage}
    done = [stage for stage in Stage if stage.position <= run.stage.position]
    # A run that was concluded early passes stages that it never began.
    parts = [_done(stage, run) if stage in known else f"{PASSED} {stage}" for stage in done]
    left = [stage for stage in Stage if stage.position > run.stage.position and stage is not Stage.DONE]
    if now in left:
        parts.append(f"{NOW} {now}")
        left.remove(now)
    return " · ".join([*parts, f"then {', '.join(left)}"] if left else parts)


def _done(stage: Stage, run: Run) -> str:
    seconds = sum(step.ended - step.started for step in run.history if step.stage is stage)
    return f"{DONE} {stage}" if stage is run.stage else f"{DONE} {stage} {duration(seconds)}"


def duration(seconds: float) -> str:
    """For people: seconds with one decimal, from a minute on minutes and seconds."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
