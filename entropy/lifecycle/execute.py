"""Stage 3: the agent turns the assignment into an outcome, inside a sandbox; nothing else of the world is touched."""

from entropy.agents.base import BaseAgent, NoSandbox
from entropy.errors import IllegalStep, PolicyViolation
from entropy.lifecycle.assignment import assignment_of
from entropy.models import Assignment, Outcome, Run, Verdict
from entropy.sandbox.interface import Sandbox
from entropy.wiring import Toolbox


def execute(run: Run, tools: Toolbox) -> Run:
    """Let the agent of the run's role perform."""
    agent = tools.agents.agent(run.role)
    assignment = assignment_of(run, tools)
    if not agent.uses_sandbox:
        return run.evolve(outcome=agent.perform(assignment, NoSandbox()))
    tools.sandboxes.reap(tools.runs.live())
    with tools.sandboxes.open(run.id) as sandbox:
        return run.evolve(outcome=_perform(run, tools, agent, assignment, sandbox))


def _perform(run: Run, tools: Toolbox, agent: BaseAgent, assignment: Assignment, sandbox: Sandbox) -> Outcome:
    if run.snapshot is None:
        raise IllegalStep(f"Run {run.id} has no snapshot.")
    sandbox.put(tools.artifacts.get(run.id, run.snapshot))
    outcome = agent.perform(assignment, sandbox)
    if outcome.verdict is not Verdict.CHANGED:
        return outcome
    try:
        patch = sandbox.collect()
    except PolicyViolation as violation:
        return outcome.model_copy(update={"verdict": Verdict.REFUSED, "summary": str(violation)})
    if not patch:
        return outcome.model_copy(update={"verdict": Verdict.UNCHANGED})
    return outcome.model_copy(update={"patch": tools.artifacts.put(run.id, patch)})
