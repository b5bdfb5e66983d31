"""A repository's dependencies: its lock files on their way to the sandbox's node, and the cache that a run is given."""

import time

from entropy.agents.evidence import clean, ending, tail
from entropy.errors import ConfigurationError, IllegalStep
from entropy.items import Assignment, Setup
from entropy.models import Envelope, Evidence, Outcome, Run, Verdict
from entropy.repository.config import FILE
from entropy.repository.mirror import Mirror
from entropy.sandbox.caches import NO_CACHES, Provision, locks_of
from entropy.sandbox.factory import caches_of
from entropy.sandbox.policy import SandboxPolicy
from entropy.wiring import Toolbox

SHORTEST = 1.0
"""Seconds that a stage is left when its setup has taken them all: enough to be told so by its first command."""
FAILED = "The setup of .entropy.toml does not work here: {ending}. {remedy}"
NO_WAY_OUT = (
    "It has no way out to package indexes; if it needs one, have the operator set"
    " ENTROPY_SANDBOX__EGRESS__INDEXES=true for the sandbox workers."
)
NOT_NAMED = (
    "It has no way out to package indexes, since `network` in .entropy.toml's [sandbox], ENTROPY_SANDBOX__NETWORK or"
    " ENTROPY_SANDBOX__ROLES leaves `setup` out."
)
LOOK = "Correct it there, or see whether what it asks for can be had."


def save_locks(run: Run, assignment: Assignment, mirror: Mirror, tools: Toolbox) -> Assignment:
    """The assignment with the lock files that its setup works from, as they are in the tree that the run works on."""
    setup = assignment.config.setup
    if setup is None:
        return assignment
    found = {path: mirror.file(assignment.base_commit, path) for path in setup.files}
    missing = [path for path, content in found.items() if content is None]
    if missing:
        raise ConfigurationError(
            f"{FILE}: setup: files names {missing[0]}, which is no file at {assignment.base_commit[:12]}; add it, or"
            " take it out there."
        )
    locks = locks_of({path: content for path, content in found.items() if content is not None})
    return assignment.model_copy(update={"locks": tools.artifacts.put(run.id, locks)})


def provided(run: Run, assignment: Assignment, policy: SandboxPolicy, tools: Toolbox) -> SandboxPolicy | Outcome:
    """The policy with the run's cache and with what is left of the stage's time; or what the run comes to without."""
    setup = assignment.config.setup
    if setup is None:
        return policy
    caches = caches_of(tools.sandboxes)
    if caches is None:
        return Outcome(verdict=Verdict.GAVE_UP, summary=NO_CACHES)
    if assignment.locks is None:
        raise IllegalStep(f"Run {run.id} has no lock files.")
    started, name = time.monotonic(), str(Envelope(run.id, run.generation))
    locks = tools.artifacts.get(run.id, assignment.locks)
    provision = caches.provide(setup, locks, policy, run_id=name, repository=run.item.repository)
    if not provision.name:
        return _unprovided(setup, provision, policy, tools)
    left = policy.stage_seconds - (time.monotonic() - started)
    return policy.model_copy(update={"cache": provision.name, "stage_seconds": max(left, SHORTEST)})


def _unprovided(setup: Setup, provision: Provision, policy: SandboxPolicy, tools: Toolbox) -> Outcome:
    result = provision.result
    if result is None:
        return Outcome(verdict=Verdict.GAVE_UP, summary=provision.complaint)
    evidence = Evidence(
        command=setup.command,
        exit_status=None if result.timed_out else result.exit_status,
        output=tail(clean("\n".join(part for part in (result.stdout, result.stderr) if part))),
        seconds=result.seconds,
    )
    remedy = _remedy(policy, tools)
    # Where it could ask somebody, the next time may come out differently.
    verdict = Verdict.FAILED if remedy is LOOK else Verdict.GAVE_UP
    summary = FAILED.format(ending=ending(evidence), remedy=remedy)
    return Outcome(verdict=verdict, summary=summary, evidence=(evidence,))


def _remedy(policy: SandboxPolicy, tools: Toolbox) -> str:
    egress = tools.settings.sandbox.egress
    if not egress.indexes and not egress.setup_hosts:
        return NO_WAY_OUT
    return LOOK if "setup" in policy.network else NOT_NAMED
