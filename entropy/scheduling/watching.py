"""A close look at one repository: what changed there, by questions that are free while nothing did."""

import json
from datetime import UTC, datetime, timedelta

from entropy.github.watch import OpenPull
from entropy.scheduling.identity import SCHEDULER
from entropy.wiring import Toolbox

OURS = "entropy/"
"""How the branches begin that agents push."""
LOOKBACK = timedelta(days=1)
"""How far back changes count in a repository of which nothing is remembered."""
OVERLAP = timedelta(minutes=5)
"""A list may show a change later than a younger one."""
LONG = 50
"""Changes that one answer may list before the question begins at a later time."""
TIME = "%Y-%m-%dT%H:%M:%SZ"


def watch(repository: str, tools: Toolbox, *, few: bool = True) -> None:
    """Have every item looked at that changed, and every pull request of ours whose checks or mergeability did."""
    facts = tools.sightings.facts(repository)
    if "since" not in facts:
        facts = _begin(repository, tools, few=few)
    _changes(repository, facts, tools)
    for pull in _watched(repository, facts, tools):
        _state(repository, pull, facts, tools)


def find_all(repository: str, tools: Toolbox) -> None:
    """Whatever carries one of our labels waits, however long it has carried it."""
    triggers = tools.agents.triggers()
    for candidate in tools.github(SCHEDULER).discovery.labelled(repository, triggers):
        tools.waiting.save(candidate.item, [label for label in candidate.labels if label in triggers])


def _begin(repository: str, tools: Toolbox, *, few: bool) -> dict[str, str]:
    """Nothing is known of the repository: what labels ask for waits there, unless batches have shown it already."""
    if few:
        find_all(repository, tools)
    now = datetime.fromtimestamp(tools.connection.now(), UTC)
    facts = {"since": _text(now - LOOKBACK)}
    tools.sightings.save(repository, {}, facts=facts, anew=True)
    return facts


def _changes(repository: str, facts: dict[str, str], tools: Toolbox) -> None:
    since = facts["since"]
    news = tools.github(SCHEDULER).watch.changes(repository, since=since, etag=facts.get("issues"))
    if news.found is None:
        return
    tools.sightings.save(repository, news.found, facts={"issues": news.etag or ""})
    if len(news.found) > LONG:
        later = _text(datetime.fromisoformat(max(news.found.values()).partition(" ")[0]) - OVERLAP)
        tools.sightings.save(repository, {}, facts={"since": later, "issues": ""})


def _watched(repository: str, facts: dict[str, str], tools: Toolbox) -> list[OpenPull]:
    """The open pull requests that agents work on."""
    news = tools.github(SCHEDULER).watch.open_pulls(repository, etag=facts.get("pulls"))
    if news.found is None:
        return [OpenPull(**known) for known in json.loads(facts.get("ours", "[]"))]
    triggers = tools.agents.triggers()
    ours = [
        pull
        for pull in news.found
        if (pull.branch or "").startswith(OURS) or any(label in triggers for label in pull.labels)
    ]
    known = json.dumps([pull.model_dump() for pull in ours])
    tools.sightings.save(repository, {}, facts={"pulls": news.etag or "", "ours": known})
    return ours


def _state(repository: str, pull: OpenPull, facts: dict[str, str], tools: Toolbox) -> None:
    # An ETag belongs to the commit that it was given for.
    etags = facts if facts.get(f"{pull.number}/head") == pull.head else {}
    news = tools.github(SCHEDULER).watch.state(repository, pull, etags)
    changes = {question: answer.found for question, answer in news.items() if answer.found is not None}
    noted = {question: answer.etag or "" for question, answer in news.items() if answer.etag}
    if changes or not etags:
        tools.sightings.save(repository, changes, facts={**noted, f"{pull.number}/head": pull.head})


def _text(time: datetime) -> str:
    return f"{time.astimezone(UTC):{TIME}}"
