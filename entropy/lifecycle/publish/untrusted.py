"""Publishing that agents keep away: nobody who may has asked, or a person has the branch now."""

from entropy.lifecycle.handover import handover, tell
from entropy.lifecycle.progress import status_of
from entropy.lifecycle.publish.prose import details
from entropy.lifecycle.publish.status import say
from entropy.models import Outcome, Published, Run
from entropy.wiring import Toolbox


def publish_untrusted(run: Run, outcome: Outcome, tools: Toolbox) -> Published:
    """Say why nothing is done; the trigger goes, so that this is said once and not at every discovery."""
    forge = tools.github(run.role)
    known = status_of(forge.issues.get(run.item), run.role, login=forge.identity().login)
    text = f"**The {run.role} does not begin.**\n\n{outcome.summary}\n\n{details(run, outcome)}"
    say(run, tools, text, intent="notice", progress=known[0] if known else None)
    return Published(refusal=outcome.summary)


def publish_handover(run: Run, outcome: Outcome, tools: Toolbox) -> Published:
    """Label the pull request and say whose it is; the trigger stays, for the time when it is given back."""
    item = tools.github(run.role).issues.get(run.item)
    found = handover(item, run.role, tools)
    if found is not None:

        def leave() -> str:
            tell(item, found, run.role, tools)
            return found.head

        tools.intents.once(run, "handover", leave)
    return Published(refusal=outcome.summary, keeps_trigger=True)
