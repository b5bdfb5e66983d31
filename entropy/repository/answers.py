"""What git says about the forge, as errors that say what to do."""

import re

from entropy.errors import EntropyError, ForgeConflict, ForgeRefused, ForgeUnavailable
from entropy.repository.git import Answer

_STATUS = re.compile(r"The requested URL returned (?:error: )?(\d{3})")
_DENIED = ("Authentication failed", "could not read Username")
_ABSENT = ("not found", "does not appear to be a git repository", "does not exist")
_FINAL = ("fsck", "not allowed", "not supported", "remote rejected", "invalid", "does not match any")
_MOVED = ("stale info", "fetch first", "non-fast-forward", "already exists", "cannot lock ref", "failed to update ref")


def fetch_error(url: str, reason: str) -> EntropyError:
    """For a fetch; also for a push that did not come as far as the branch."""
    found = _STATUS.search(reason)
    status = found[1] if found else ""
    if status in {"401", "403"} or any(sign in reason for sign in _DENIED):
        return ForgeRefused(f"{url} does not let this role in ({reason}); see the role's token and its permissions.")
    if status == "404" or any(sign in reason for sign in _ABSENT):
        return ForgeRefused(f"{url} is not there, or this role may not see it ({reason}); see the role's permissions.")
    if status.startswith("3"):
        return ForgeRefused(f"{url} has moved ({reason}); use its new address.")
    if any(sign in reason for sign in _FINAL):
        return ForgeRefused(f"{url} cannot be used: {reason}.")
    return ForgeUnavailable(f"{url} does not answer as it should: {reason}.")


def push_error(url: str, branch: str, answer: Answer) -> EntropyError:
    """For a push; git tells about the branch on its output, in a line that begins with ``!``."""
    lines = answer.output.decode("utf-8", "replace").splitlines()
    verdict = next((line.rpartition("\t")[2] for line in lines if line.startswith("!")), None)
    if verdict is None:
        return fetch_error(url, answer.error)
    if any(sign in verdict for sign in _MOVED):
        return ForgeConflict(f"The branch {branch} of {url} has moved: {verdict}.")
    return ForgeRefused(
        f"{url} refused the branch {branch}: {verdict}; see its branch rules and the role's permissions."
    )
