"""What every section of the settings is made of, and the sections about sandboxes."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import NoDecode


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""A list of names; in the environment separated by commas."""

Paths = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_split)]


LAST_USER = 2**31


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _addressed(value: object) -> object:
    parts = value.split(",") if isinstance(value, str) else ()
    return {
        name.strip(): url.strip() for name, _, url in (part.partition("=") for part in parts if part.strip())
    } or value


class EgressSettings(Section):
    """What sandboxes may reach. Without hosts and models there is no way out of any of them."""

    directory: Path = Path("/run/entropy/egress")
    """Where the sockets of sandboxes are made; with Docker, at the same path on the daemon's machine."""
    indexes: bool = False
    """Whether the setup phase may reach the package indexes that this worker's own pip and npm use."""
    setup_hosts: Names = ()
    """Further hosts for the setup phase, where an index keeps its files elsewhere."""
    agent_hosts: Names = ()
    """Hosts that the agent phase may open TLS connections to, without a key."""
    models: Annotated[dict[str, str], NoDecode, BeforeValidator(_addressed)] = {}
    """Endpoints of models for the agent phase, as ``anthropic=https://HOST,openai=https://HOST/v1``. Their keys are the
    secrets ``anthropic-key`` and ``openai-key`` of the role ``sandbox``, and stay outside."""
    ports: Annotated[tuple[int, ...], NoDecode, BeforeValidator(_split)] = (443,)
    """The ports of those hosts."""
    networks: Names = ()
    """Networks that are not public and that allowed hosts may be in, such as ``10.1.0.0/16``."""
    certificates: Path | None = None
    """Authorities that models and indexes are checked against; without it those of pip's configuration, else the
    system's."""
    connections: int = Field(default=32, ge=1)
    """At once, per sandbox."""
    requests: int = Field(default=10000, ge=1)
    """In all, per sandbox."""
    download_mib: int = Field(default=2048, ge=1)
    """What a sandbox may receive in all."""
    upload_mib: int = Field(default=256, ge=1)
    """What a sandbox may send in all."""
    idle: float = Field(default=300, gt=0)
    """Seconds that a connection may be silent."""
    timeout: float = Field(default=1800, gt=0)
    """Seconds that a connection may last."""


class CacheSettings(Section):
    days: float = Field(default=14, gt=0)
    """Days after which a dependency cache goes that nobody has used."""
    total_mib: int = Field(default=10240, ge=1)
    """What the dependency caches of a node may hold in all; the one that was used longest ago goes first."""


Phase = Literal["setup", "agent"]
"""What of a stage may have a way out; the tests have none."""


Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class SandboxBounds(Section):
    """Bounds of a sandbox that somebody sets anew; None leaves one as it is."""

    timeout: Positive | None = None
    command_timeout: Positive | None = None
    memory_mib: int | None = Field(default=None, ge=64)
    cpus: Positive | None = None
    pids: int | None = Field(default=None, ge=16)
    workspace_mib: int | None = Field(default=None, ge=16)
    tmp_mib: int | None = Field(default=None, ge=16)
    inodes: int | None = Field(default=None, ge=256)
    output_kib: int | None = Field(default=None, ge=1)
    patch_mib: int | None = Field(default=None, ge=1)
    history: int | None = Field(default=None, ge=0)
    network: tuple[Phase, ...] | None = None
    image: str | None = None

    @property
    def chosen(self) -> dict[str, Any]:
        """What is set, by name."""
        return self.model_dump(exclude_none=True)


def _parsed(value: object) -> object:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError as error:
        raise ValueError(f"it is not JSON ({error})") from None


class KubernetesSettings(Section):
    """For ``kubernetes``: where sandboxes are Pods, and which."""

    namespace: str = Field(default="entropy-sandboxes", pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")
    """For ``kubernetes``: a namespace for sandboxes and nothing else, as the chart makes it."""
    kubeconfig: Path | None = None
    """How to reach the cluster; without it and a ``context``, as the Pod that this worker runs in may."""
    context: str = ""
    """Of the kubeconfig file; without one its current context."""
    runtime_class: str = ""
    """Such as ``gvisor`` or ``kata``; else the nodes' own choice."""
    seccomp: str = ""
    """A profile in the nodes' own folder of them, made from k8s/entropy/files/seccomp.json; else the runtime's default,
    which lets more through: preflight says what."""
    image_pull_policy: Literal["IfNotPresent", "Always", "Never"] = "IfNotPresent"
    node_selector: Annotated[dict[str, str], NoDecode, BeforeValidator(_addressed)] = {}
    """Labels of the nodes to use, as ``pool=sandboxes,arch=arm``."""
    service_account: str = "sandbox"
    """Whose Pods are; it needs no rights, and none of its tokens is mounted."""
    user_namespaces: bool = False
    """Whether a sandbox's users are nobody on its node, which takes Linux 6.3 and a runtime that can do it there."""
    agent_sandbox: Literal["auto", "always", "never"] = "auto"
    """Whether kubernetes-sigs/agent-sandbox makes the Pods; with ``auto`` where the cluster has its ``Sandbox``."""
    start_timeout: float = Field(default=300, gt=0)
    """Seconds within which a Pod has to run: a node may have to be added, or an image to be pulled."""


def _of_users(value: str) -> str:
    first, _, last = value.partition("-")
    if not (first.isdecimal() and last.isdecimal() and 0 < int(first) <= int(last) < LAST_USER):
        raise ValueError("it is two numbers of users, the first and the last, such as 60706-61183")
    return value


class EcsSettings(Section):
    """For ``ecs``: where sandboxes are Fargate tasks, and which. ops/ecs has what AWS needs to know."""

    cluster: str = "entropy"
    """For ``ecs``: the cluster, for sandboxes and nothing else."""
    task_definition: str = Field(default="", pattern=r"^$|:\d+$")
    """Of each sandbox, with its revision: ``entropy-sandbox:1``. It has the image."""
    collector_task_definition: str = Field(default="", pattern=r"^$|:\d+$")
    """Of the task that makes the patch; else the same."""
    subnets: Names = ()
    """Of the tasks; without a route to anywhere but the registry and the bucket."""
    security_groups: Names = ()
    """Of the tasks; without a way in."""
    bucket: str = ""
    """Through which worker and tasks speak; private, and for nothing else."""
    prefix: str = Field(default="sandboxes", pattern=r"^[\w-]+(/[\w-]+)*$")
    """The folder of the bucket to use."""
    region: str = ""
    """Of all these; else the one that the AWS SDK finds."""
    endpoint: str = ""
    """Of ECS and S3 together, where it is not AWS that answers."""
    platform_version: str = "1.4.0"
    """Of Fargate."""
    poll: float = Field(default=1.0, gt=0)
    """Seconds between two looks of worker and task for each other's words, at most."""
    start_timeout: float = Field(default=300, gt=0)
    """Seconds within which a task has to be at work."""
    grace: float = Field(default=30, gt=0)
    """Seconds that a task has beside a command's own time to say what came of it; then it is stopped."""
    sockets: bool = False
    """Whether untrusted work has internet sockets, for tests with servers of their own. Then only the security groups
    and the endpoint's policy keep it from a network, and preflight says so."""


class ArtifactSettings(Section):
    """Where snapshots and patches lie between the stages of a run."""

    url: str = ""
    """A folder that all workers share (``/path`` or ``file:///path``) or a bucket (``s3://bucket/prefix``); empty means
    Redis."""
    endpoint: str = ""
    """For a bucket that is not Amazon's: the address of what speaks like S3. Credentials and region come from AWS's own
    variables, files or roles."""
    small_kib: int = Field(default=1024, ge=1, le=65536)
    """What is no larger stays in Redis."""
    redis_mib: int = Field(default=64, ge=1, le=256)
    """Without ``url``: a larger artifact is refused."""
    keep: float = Field(default=86400, ge=60)
    """Seconds for which the snapshot of a commit that no run uses is kept for the next one."""


class SandboxSettings(Section):
    backend: Literal["none", "docker", "bubblewrap", "kubernetes", "ecs"] = "none"
    """Where untrusted work happens. ``none`` means that this worker may not: it is for the control side."""
    image: str = "entropy-sandbox:local"
    """For ``docker``: the image, which has to exist on the daemon's machine; nothing is pulled."""
    images: Names = ()
    """Further images, of which a repository may name one in its ``.entropy.toml``; for ``ecs`` task definitions."""
    docker_host: str = "unix:///var/run/docker.sock"
    runtime: str = Field(default="", pattern=r"^[\w.-]{0,40}$")
    """For ``docker``: the daemon's runtime for sandboxes, such as ``runsc`` (gVisor); else the daemon's own choice."""
    owner: str = "entropy"
    """Marks this installation's sandboxes, so that two can share one daemon, namespace or cluster."""
    ecs: EcsSettings = EcsSettings()
    """The tasks."""
    kubernetes: KubernetesSettings = KubernetesSettings()
    """The cluster."""
    uids: Annotated[str, AfterValidator(_of_users)] = "60706-61183"
    """For ``docker``, and ``bubblewrap`` as root: the users that sandboxes are, each one of its own, since the kernel
    counts some things per user. Nobody else on the machine may be one; more sandboxes than these there cannot be at
    once."""
    directory: Path = Path("/var/lib/entropy/sandboxes")
    """For ``bubblewrap``: where workspaces are made."""
    binds: Paths = ()
    """For ``bubblewrap``: further folders to show read-only at their own path, for example a tool environment."""
    path: str = "/usr/local/bin:/usr/bin:/bin"
    """``PATH`` inside the sandbox."""
    timeout: float = Field(default=1800, gt=0)
    """Seconds one execute stage may take; task limits and leases are computed from it."""
    on_shutdown: Literal["kill", "keep"] = "kill"
    """What becomes of the sandbox of a stage that a worker hands back because it is to end. ``keep`` leaves its
    workspace to look at until the run is over; the work done is saved either way."""
    command_timeout: float = Field(default=600, gt=0)
    """Seconds one command in the sandbox may take."""
    memory_mib: int = Field(default=2048, ge=64)
    """Memory and swap together."""
    cpus: float = Field(default=1.0, gt=0)
    pids: int = Field(default=512, ge=16)
    workspace_mib: int = Field(default=768, ge=16)
    tmp_mib: int = Field(default=256, ge=16)
    inodes: int = Field(default=200_000, ge=256)
    """How many files and folders a workspace holds."""
    output_kib: int = Field(default=256, ge=1)
    """How much of a command's output is kept, half from its head and half from its tail."""
    patch_mib: int = Field(default=4, ge=1)
    """A larger patch is refused, never cut."""
    history: int = Field(default=0, ge=0, le=100_000)
    """How many commits of its history a repository may ask for in its ``.entropy.toml``, for agents that read it; read
    by control workers."""
    network: Annotated[tuple[Phase, ...], NoDecode, BeforeValidator(_split)] = ("setup", "agent")
    """The phases that may use the ways out; there are none without the settings that follow."""
    egress: EgressSettings = EgressSettings()
    """Ways out of sandboxes."""
    caches: CacheSettings = CacheSettings()
    """What repositories' setups have made, for later runs to use."""
    roles: Annotated[dict[str, SandboxBounds], NoDecode, BeforeValidator(_parsed)] = {}
    """What is different for a role, as JSON: ``{"coder": {"memory_mib": 4096, "image": "name:tag"}}``."""

    @property
    def users(self) -> range:
        """What `uids` names."""
        first, _, last = self.uids.partition("-")
        return range(int(first), int(last) + 1)
