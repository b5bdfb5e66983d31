"""Stage 3: the agent turns the assignment into an outcome, inside a sandbox; nothing else of the world is touched."""

import tempfile

from celery.exceptions import SoftTimeLimitExceeded

from entropy.agents.base import BaseAgent, NoSandbox
from entropy.errors import PolicyViolation
from entropy.items import Assignment
from entropy.lifecycle.assignment import assignment_of
from entropy.lifecycle.departure import examine, masked
from entropy.lifecycle.dependencies import provided
from entropy.lifecycle.renewal import Draining
from entropy.lifecycle.transport import receive
from entropy.models import Envelope, Outcome, Run, Verdict
from entropy.sandbox.interface import Sandbox
from entropy.sandbox.policy import SandboxPolicy
from entropy.wiring import Toolbox

LATE = "The stage execute did not end within its time limit."
NOT_KEPT = "What was done so far is not kept."


def execute(run: Run, tools: Toolbox) -> Run:
    """Let the agent of the run's role perform."""
    agent = tools.agents.agent(run.role)
    assignment = assignment_of(run, tools)
    if not agent.uses_sandbox:
        return run.evolve(outcome=masked(agent.perform(assignment, NoSandbox())))
    policy, remark = _policy(run, tools, assignment)
    given = provided(run, assignment, policy, tools)
    if isinstance(given, Outcome):
        return run.evolve(outcome=masked(given))
    with (
        tools.sandboxes.open(str(Envelope(run.id, run.generation)), given) as sandbox,
        tempfile.TemporaryFile() as tree,
    ):
        try:
            receive(run, tools, into=tree, policy=policy)
            sandbox.put(tree)
            outcome = _perform(run, tools, agent, assignment, sandbox)
            summary = f"{outcome.summary} {remark}" if remark else outcome.summary
            return run.evolve(outcome=masked(outcome.model_copy(update={"summary": summary})))
        except SoftTimeLimitExceeded:
            if not Draining.begun():
                unfinished = Outcome(verdict=Verdict.FAILED, summary=LATE)
                return run.evolve(outcome=masked(_cut_off(run, tools, agent, unfinished, sandbox)))
            partial = _collected(run, tools, sandbox)
            if tools.settings.sandbox.on_shutdown == "keep":
                sandbox.keep()
            return run.evolve(partial=partial)


def _policy(run: Run, tools: Toolbox, assignment: Assignment) -> tuple[SandboxPolicy, str]:
    """The bounds of the role, tightened by the repository, and a sentence for its people if that asks for more."""
    settings = tools.settings.sandbox
    return SandboxPolicy.of(settings, run.role).tightened(assignment.config.sandbox, images=settings.images)


def _perform(run: Run, tools: Toolbox, agent: BaseAgent, assignment: Assignment, sandbox: Sandbox) -> Outcome:
    outcome = agent.perform(assignment, sandbox)
    if outcome.verdict is Verdict.GAVE_UP and any(piece.exit_status is None for piece in outcome.evidence):
        return _cut_off(run, tools, agent, outcome, sandbox)
    if outcome.verdict is not Verdict.CHANGED:
        return outcome
    try:
        patch = _collected(run, tools, sandbox)
    except PolicyViolation as violation:
        return outcome.model_copy(update={"verdict": Verdict.REFUSED, "summary": str(violation)})
    if patch is None:
        return outcome.model_copy(update={"verdict": Verdict.UNCHANGED})
    return outcome.model_copy(update={"patch": patch})


def _cut_off(run: Run, tools: Toolbox, agent: BaseAgent, outcome: Outcome, sandbox: Sandbox) -> Outcome:
    """The outcome of an agent whose time is over: with what it has done so far, if that may be shown."""
    if Verdict.CHANGED not in agent.handoffs:
        return outcome
    try:
        patch = _collected(run, tools, sandbox)
    except PolicyViolation as violation:
        return outcome.model_copy(update={"summary": f"{outcome.summary} {NOT_KEPT} {violation}"})
    return outcome.model_copy(update={"verdict": Verdict.INCOMPLETE, "patch": patch}) if patch else outcome


def _collected(run: Run, tools: Toolbox, sandbox: Sandbox) -> str | None:
    patch = sandbox.collect()
    examine(patch)
    return tools.artifacts.put(run.id, patch) if patch else None
