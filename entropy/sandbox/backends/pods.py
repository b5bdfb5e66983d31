"""What one sandbox asks a cluster for: a Pod of containers that idle until they are told, and that may do nothing.

One container is the collector; it sees the workspace read-only and no untrusted process ever runs in it. The others are
lives of the worker. Only one is used at a time, and when it has ended it is never started again: ``restartPolicy`` is
``Never``. So the cluster's word that this container has terminated says that all untrusted work in it is over, since
the kernel ends all processes of a PID namespace with its first. The next command gets the next life.
"""

from collections.abc import Mapping
from typing import Any

from entropy.sandbox.policy import KIB, MIB, UID, WORKSPACE, SandboxPolicy
from entropy.sections import KubernetesSettings

Body = dict[str, Any]

OWNER, RUN, NAME = "entropy/owner", "entropy/run", "entropy/sandbox"
COLLECTOR = "collector"
LIVES = tuple(f"worker-{number}" for number in range(4))
"""Each costs a process of about a megabyte; a life ends with a time limit, or where memory or processes run out."""
TMP = "/tmp"  # noqa: S108 - inside
RIGHTS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("", "pods"): ("create", "list", "delete"),
    ("", "pods/exec"): ("create", "get"),
    ("", "pods/attach"): ("create", "get"),
    ("agents.x-k8s.io", "sandboxes"): ("create", "delete"),
}
"""All that a sandbox worker does in the namespace, by API group and resource.

A websocket is opened by a GET: before Kubernetes 1.35 that takes ``get`` alone, since then both.
"""

WORK = 'trap "exit 0" TERM; exec 3<&0; read -r end <&3 & wait $!'
"""PID 1 of a life. It ends with a line on its standard input, which takes no process to say, for there may be no room
for one; and it waits for whatever is left behind by others, so that there are no zombies."""
IDLE = 'trap "exit 0" TERM; sleep "$1" & wait $!'
STOP_SECONDS = 2
"""Between the polite end of a container and the other one; PID 1 ends politely unless untrusted work got hold of it."""
NOWHERE = "127.0.0.1"
"""The server of names: a Pod has to have one, where it is not to get the node's."""
SCRATCH = 64 * MIB
"""Of a node's disk: for the runtime's own files, since every volume is in memory."""
API = "agents.x-k8s.io"


def pod(
    name: str, policy: SandboxPolicy, settings: KubernetesSettings, *, labels: Mapping[str, str], node: str = ""
) -> Body:
    """The Pod, on `node` if it has to be a certain one."""
    lives = [_container(life, policy, settings) for life in LIVES]
    collector = _container(COLLECTOR, policy, settings)
    spec: Body = {
        "activeDeadlineSeconds": int(policy.lifetime),
        "automountServiceAccountToken": False,
        "containers": [*lives, collector],
        "dnsConfig": {"nameservers": [NOWHERE]},
        "dnsPolicy": "None",
        "enableServiceLinks": False,
        "hostname": "sandbox",
        "nodeSelector": dict(settings.node_selector),
        "restartPolicy": "Never",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": UID,
            "runAsGroup": UID,
            "seccompProfile": _filter(settings.seccomp),
        },
        "serviceAccountName": settings.service_account,
        "shareProcessNamespace": False,
        "terminationGracePeriodSeconds": STOP_SECONDS,
        "volumes": [
            _memory("workspace", policy.workspace),
            *(_memory(f"tmp-{life}", policy.tmp) for life in LIVES),
            _memory(f"tmp-{COLLECTOR}", policy.memory // 2),
        ],
    }
    if settings.runtime_class:
        spec["runtimeClassName"] = settings.runtime_class
    if settings.user_namespaces:
        spec["hostUsers"] = False
    if node:
        spec["affinity"] = _only_on(node)
    metadata = {"name": name, "labels": {**labels, NAME: name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def agent_sandbox(body: Body, version: str, *, ends: str) -> Body:
    """The same Pod as the template of a Sandbox, which its controller ends at the time `ends`."""
    metadata = body["metadata"]
    template = {"metadata": {"labels": metadata["labels"]}, "spec": body["spec"]}
    spec = {"podTemplate": template, "shutdownTime": ends, "shutdownPolicy": "Delete"}
    return {"apiVersion": f"{API}/{version}", "kind": "Sandbox", "metadata": metadata, "spec": spec}


def environment(policy: SandboxPolicy) -> dict[str, str]:
    """What a command finds in its environment; the root of a volume belongs to root, which git has to put up with."""
    trusting = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": WORKSPACE}
    return {**policy.environment, **trusting}


def process_limits(policy: SandboxPolicy) -> str:
    """What a Pod has no fields for, in the shell's words; soft and hard, so nobody inside gets behind it."""
    return f"ulimit -c 0; ulimit -n {policy.open_files}; ulimit -f {policy.workspace // 512}"


def _container(name: str, policy: SandboxPolicy, settings: KubernetesSettings) -> Body:
    trusted = name == COLLECTOR
    container: Body = {
        "name": name,
        "image": policy.image,
        "imagePullPolicy": settings.image_pull_policy,
        "command": ["/bin/sh", "-c", IDLE if trusted else WORK, "sh", str(int(policy.lifetime))],
        "env": [{"name": key, "value": value} for key, value in policy.environment.items()],
        "resources": _resources(policy, asks=name == LIVES[0]),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "privileged": False,
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [
            {"name": "workspace", "mountPath": WORKSPACE, "readOnly": trusted},
            {"name": f"tmp-{name}", "mountPath": TMP},
        ],
        "workingDir": WORKSPACE,
    }
    return container if trusted else {**container, "stdin": True}


def _resources(policy: SandboxPolicy, *, asks: bool) -> Body:
    """Every container is bound; the first life alone asks for the room, since only one of them is ever busy."""
    limits = {"memory": str(policy.memory), "cpu": f"{int(policy.cpus * 1000)}m", "ephemeral-storage": str(SCRATCH)}
    idle = {"memory": str(16 * MIB), "cpu": "1m", "ephemeral-storage": str(64 * KIB)}
    return {"limits": limits, "requests": limits if asks else idle}


def _memory(name: str, size: int) -> Body:
    return {"name": name, "emptyDir": {"medium": "Memory", "sizeLimit": str(size)}}


def _filter(profile: str) -> Body:
    return {"type": "Localhost", "localhostProfile": profile} if profile else {"type": "RuntimeDefault"}


def _only_on(node: str) -> Body:
    by_name = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [by_name]}}}
