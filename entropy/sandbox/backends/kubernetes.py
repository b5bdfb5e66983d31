"""Sandboxes as Pods: in a namespace of their own, without rights or a way out, on nodes that are proven to bound them.

A Pod's volumes are nobody else's, so the way out of other backends, a socket in a folder of the worker's machine, leads
into no Pod: a policy that has one is refused.
"""

import contextlib
import logging
import threading
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import ClassVar

from entropy.errors import ConfigurationError
from entropy.sandbox import canaries
from entropy.sandbox.backends import pod_canaries
from entropy.sandbox.backends.cluster import Cluster, translated
from entropy.sandbox.backends.pod_cell import PodCell, gone
from entropy.sandbox.backends.pods import NAME, OWNER, RUN, Body
from entropy.sandbox.belongings import Belonging, Kind
from entropy.sandbox.canaries import Guarantee
from entropy.sandbox.egress.outlet import Egress
from entropy.sandbox.policy import SandboxPolicy
from entropy.sandbox.session import Session
from entropy.sections import SandboxSettings

logger = logging.getLogger(__name__)

OVERTIME = 60.0
"""Seconds after its deadline in which a node ends a Pod by itself."""


class KubernetesBackend:
    """Makes sandboxes in one namespace of one cluster."""

    name = "kubernetes"
    _proven: ClassVar[dict[tuple[str, ...], tuple[Guarantee, ...]]] = {}
    """What nodes lack that passed, by cluster, settings, node and image, for the life of this process."""
    _proving: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, settings: SandboxSettings, _: Egress | None = None) -> None:
        self._settings = settings
        self._cluster_settings = settings.kubernetes
        self._owner = settings.owner
        self._policy = SandboxPolicy.of(settings)

    def preflight(self) -> tuple[str, ...]:
        self._refuse_ways_out(self._policy)
        with self._cluster() as cluster:
            known = self._way(cluster, self._policy)
            for verdict, lacked in self._proven.items():
                if verdict[: len(known)] == known:
                    return lacked
            return self._prove(cluster, self._policy, canaries.preflight_name())

    @contextlib.contextmanager
    def open(self, run_id: str, policy: SandboxPolicy | None = None) -> Iterator[Session]:
        policy = policy or self._policy
        self._refuse_ways_out(policy)
        with self._cluster() as cluster:
            for pod in self._pods(cluster, **{RUN: run_id})[0]:  # of an earlier attempt, whose worker has lost the run
                self._remove(cluster, pod)
            with self._cell(cluster, run_id, policy) as cell:
                self._ready(cluster, cell, policy, run_id)
                session = Session(cell, policy)
                yield session
                cell.kept = session.kept

    def reap(self, live: AbstractSet[str]) -> list[str]:
        with self._cluster() as cluster:
            pods, now = self._pods(cluster)
            late = now - self._cluster_settings.start_timeout - OVERTIME
            dead = [pod for pod in pods if _ends(pod) < late or not _is_at_work(pod, live)]
            for pod in dead:
                self._remove(cluster, pod)
            return [str(pod["metadata"]["name"]) for pod in dead]

    def clear(self) -> None:
        with self._cluster() as cluster:
            for pod in self._pods(cluster)[0]:
                self._remove(cluster, pod)

    def belongings(self) -> list[Belonging]:
        with self._cluster() as cluster:
            return [_belonging(pod) for pod in self._pods(cluster)[0]]

    @contextlib.contextmanager
    def _cluster(self) -> Iterator[Cluster]:
        with contextlib.closing(Cluster(self._cluster_settings)) as cluster:
            yield cluster

    @contextlib.contextmanager
    def _cell(self, cluster: Cluster, run_id: str, policy: SandboxPolicy, node: str = "") -> Iterator[PodCell]:
        cell = PodCell(cluster, policy, self._cluster_settings, owner=self._owner, run=run_id)
        try:
            cell.make(node)
            yield cell
        finally:
            if not cell.kept:
                cell.remove()

    def _pods(self, cluster: Cluster, **labels: str) -> tuple[list[Body], float]:
        """Those of this installation, and the time there."""
        with translated():
            return cluster.pods(**{OWNER: self._owner}, **labels)

    def _remove(self, cluster: Cluster, pod: Body) -> None:
        with translated():
            gone(cluster, pod["metadata"]["labels"][NAME], _sandbox_version(pod))

    def _ready(self, cluster: Cluster, cell: PodCell, policy: SandboxPolicy, run_id: str) -> None:
        """Return once the node that the cluster has chosen is proven with that image.

        It is proven in sandboxes of the run, or the reaper would take those for left over.
        """
        with self._proving:
            if self._verdict(cluster, policy, cell) not in self._proven:
                self._prove(cluster, policy, run_id, node=cell.node)

    def _prove(self, cluster: Cluster, policy: SandboxPolicy, run_id: str, node: str = "") -> tuple[Guarantee, ...]:
        """What `node`, or one that the cluster chooses, lacks and may lack; raises when it lacks more."""
        policy = self._policy.model_copy(update={"image": policy.image})
        small = canaries.bounds(policy)
        with self._cell(cluster, run_id, small, node) as cell:
            missing = pod_canaries.bounded(Session(cell, small))
            verdict, node = self._verdict(cluster, policy, cell), cell.node
        with self._cell(cluster, run_id, policy, node) as cell:
            missing |= pod_canaries.unbounded(Session(cell, policy), policy, cluster.address)
            cell.kill()  # as it is to be killed later: by its node's word
        allowed = pod_canaries.LACKED | (frozenset() if self._cluster_settings.seccomp else pod_canaries.BY_FILTER)
        if missing - allowed:
            raise ConfigurationError(_refusal(node, [one for one in Guarantee if one in missing - allowed]))
        lacked = tuple(one for one in Guarantee if one in missing)
        if lacked:
            logger.warning("Sandboxes on the node %s lack %s.", node, "; ".join(lacked))
        self._proven[verdict] = lacked
        return lacked

    def _way(self, cluster: Cluster, policy: SandboxPolicy) -> tuple[str, ...]:
        settings = self._cluster_settings
        by = (settings.namespace, settings.runtime_class, settings.seccomp, str(settings.user_namespaces))
        return (cluster.address, *by, str(sorted(settings.node_selector.items())), policy.image)

    def _verdict(self, cluster: Cluster, policy: SandboxPolicy, cell: PodCell) -> tuple[str, ...]:
        return (*self._way(cluster, policy), cell.node, cell.image)

    def _refuse_ways_out(self, policy: SandboxPolicy) -> None:
        egress = self._settings.egress
        ways = {"setup": egress.indexes or egress.setup_hosts, "agent": egress.agent_hosts or egress.models}
        if any(ways[phase] for phase in policy.network):
            raise ConfigurationError(
                "A sandbox that is a Pod has no way out: leave ENTROPY_SANDBOX__EGRESS__… empty or set"
                " ENTROPY_SANDBOX__NETWORK to nothing, or take the docker backend for roles that need one."
            )


def _refusal(node: str, missing: list[Guarantee]) -> str:
    advice = {
        Guarantee.NETWORK: "a network plugin that puts NetworkPolicies into effect, and the chart's policies",
        Guarantee.PROCESSES: "podPidsLimit in the kubelet's configuration, at most ENTROPY_SANDBOX__PIDS",
    }
    steps = [advice[one] for one in missing if one in advice]
    rest = [] if len(steps) == len(missing) else ["a kubelet and a runtime that enforce what they accept"]
    return (
        f"A sandbox on the node {node} does not have {'; '.join(missing)}. It takes {'; and '.join([*steps, *rest])}."
    )


def _is_at_work(pod: Body, live: AbstractSet[str]) -> bool:
    run = pod["metadata"]["labels"][RUN]
    return run in live or run.startswith(canaries.PREFLIGHT)


def _since(pod: Body) -> float:
    return datetime.fromisoformat(pod["metadata"]["creationTimestamp"].replace("Z", "+00:00")).timestamp()


def _ends(pod: Body) -> float:
    """Once it runs; by the API server's clock, from its own entry."""
    return _since(pod) + float(pod["spec"].get("activeDeadlineSeconds", 0))


def _sandbox_version(pod: Body) -> str:
    """That of the Sandbox which would make the Pod anew; empty where there is none."""
    owners = pod["metadata"].get("ownerReferences") or ()
    return next((str(one["apiVersion"]).rpartition("/")[2] for one in owners if one["kind"] == "Sandbox"), "")


def _belonging(pod: Body) -> Belonging:
    metadata = pod["metadata"]
    return Belonging(kind=Kind.POD, name=metadata["name"], run=metadata["labels"][RUN], since=_since(pod))
