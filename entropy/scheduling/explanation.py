"""The answer to ``/entropy explain``: what agents are doing with an item, or what they wait for."""

from entropy.agents.evidence import quote
from entropy.items import Item
from entropy.lifecycle.intervention import live_on
from entropy.lifecycle.publish.notice import PARKED
from entropy.lifecycle.signs import HANDED_OVER, PAUSED, STOP
from entropy.models import Run, Stage
from entropy.scheduling.orders import Acknowledgement, Order
from entropy.wiring import Toolbox

REASONS = {
    STOP: "It was stopped: the label {label} is on it. `/entropy resume` takes it away.",
    PAUSED: "It is paused: the label {label} is on it. `/entropy resume` takes it away.",
    HANDED_OVER: "A person has its branch: the label {label} is on it. `/entropy resume` gives it back.",
}


def explain(order: Order, tools: Toolbox) -> Acknowledgement:
    """The stages of what is under way; otherwise what has to happen before something is."""
    runs = live_on(order.item.reference, tools)
    told = [_stages(run) for run in runs] or [_waits(order.item, tools)]
    return Acknowledgement("\n\n".join(told))


def _stages(run: Run) -> str:
    lines = [f"The {run.role} is at work: run `{run.id}`."]
    for stage in list(Stage)[:-1]:
        state = "done" if stage.position < run.stage.position else "to come"
        if stage is run.stage:
            state = (
                f"begun {run.attempts} times"
                if run.attempts > 1
                else "under way"
                if run.attempts
                else "waits for a worker"
            )
        lines.append(f"* {stage}: {state}")
    return "\n".join(lines)


def _waits(item: Item, tools: Toolbox) -> str:
    if not item.open:
        return "It is closed; agents work on what is open."
    if item.locked:
        return "It is locked; agents leave locked conversations alone."
    for label, reason in REASONS.items():
        if label in item.labels:
            return reason.format(label=quote(label))
    triggers = tools.agents.triggers()
    roles = [triggers[label] for label in item.labels if label in triggers]
    if roles:
        return "\n\n".join(_delay(item, role, tools) for role in roles)
    if PARKED in item.labels:
        return "It is parked: the last comment of an agent says why. `/entropy retry` has it tried again."
    return f"No label hands it to an agent; the labels are {', '.join(map(quote, triggers))}."


def _delay(item: Item, role: str, tools: Toolbox) -> str:
    left = tools.holds.left(item.reference, role)
    if left:
        return (
            f"The {role} has it next, in {left:.0f} s at the earliest: the last runs did not move it. "
            "`/entropy retry` has it begin now."
        )
    room = tools.settings.scheduling.capacity
    if len(tools.runs.live()) >= room:
        return f"The {role} has it next; {room} runs are under way, which is all there is room for."
    return (
        f"The {role} has it next; it begins with the next discovery, within {tools.settings.scheduling.interval:.0f} s."
    )
