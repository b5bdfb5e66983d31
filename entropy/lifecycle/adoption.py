"""Adoption: an issue whose change is proposed already is not worked on twice, whoever forgot that it was."""

from entropy.items import Item, PullRequest
from entropy.lifecycle.conclude import conclude
from entropy.models import Published, Run, Verdict
from entropy.wiring import Toolbox


def branch_stem(number: int) -> str:
    """The branch of an issue's first proposal; later ones, after it was closed, add a number."""
    return f"entropy/issue-{number}"


def adopt(run: Run, item: Item, tools: Toolbox) -> Run | None:
    """The run concluded with the open pull request that earlier work left for this issue, if there is one."""
    proposes = Verdict.CHANGED in tools.agents.agent(run.role).handoffs
    if item.pull_request is not None or not proposes:
        return None
    standing = _standing(run, tools)
    if standing is None:
        return None
    found = conclude(run, Verdict.ADOPTED, f"Pull request #{standing.number} is already open for this issue.")
    return found.evolve(published=Published(branch=standing.head_branch, pull_request=standing.number))


def _standing(run: Run, tools: Toolbox) -> PullRequest | None:
    forge = tools.github(run.role)
    stem, attempt = branch_stem(run.item.number), 1
    while True:
        pulls = forge.pulls.find(run.item.repository, branch=stem if attempt == 1 else f"{stem}-{attempt}")
        if not pulls:
            return None
        mine = (pull for pull in pulls if pull.open and pull.author == forge.identity().login)
        if (standing := next(mine, None)) is not None:
            return standing
        attempt += 1
