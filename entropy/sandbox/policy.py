"""What a sandbox is allowed, in bytes and seconds."""

from collections.abc import Collection
from typing import Self

from entropy.errors import ConfigurationError
from entropy.models import Noun
from entropy.settings import Phase, SandboxBounds, SandboxSettings

KIB = 1024
MIB = 1024 * KIB

UID = 10001
"""Who works inside; nobody on the host, and never root."""
WORKSPACE = "/workspace"
CACHE = "/cache"
"""Where what a repository's setup has made is shown, in every phase."""
COLLECT_SECONDS = 120.0
"""What the collector may take, after the stage's own time."""


UNITS = {
    "timeout": ("stage_seconds", 1),
    "command_timeout": ("command_seconds", 1),
    "memory_mib": ("memory", MIB),
    "cpus": ("cpus", 1),
    "pids": ("pids", 1),
    "workspace_mib": ("workspace", MIB),
    "tmp_mib": ("tmp", MIB),
    "inodes": ("inodes", 1),
    "output_kib": ("output", KIB),
    "patch_mib": ("patch", MIB),
    "history": ("history", 1),
}
"""Which setting is which bound, and in what unit."""
LOOSE = "The [sandbox] table of .entropy.toml asks for more than this installation gives, which it may not: {keys}."


class SandboxPolicy(Noun):
    """The bounds of one sandbox; sizes in bytes, times in seconds."""

    stage_seconds: float
    command_seconds: float
    memory: int
    """Memory and swap together; the files in the workspace and in ``/tmp`` count too."""
    cpus: float
    pids: int
    workspace: int
    inodes: int
    tmp: int
    output: int
    patch: int
    history: int
    """Commits that a repository may have in its workspace, if it asks for them."""
    path: str
    image: str
    network: tuple[Phase, ...]
    """The phases that may use the ways out, if there are any."""
    cache: str = ""
    """The name of the dependency cache that is shown inside; empty for none."""
    builds_cache: bool = False
    """Whether the workspace is one to be: then it lies at its place, writable."""
    open_files: int = 4096
    shared_memory: int = 64 * MIB

    @classmethod
    def of(cls, settings: SandboxSettings, role: str = "") -> Self:
        """The operator's bounds, for a role that may have its own."""
        chosen = settings.model_copy(update=settings.roles[role].chosen if role in settings.roles else {})
        if chosen.workspace_mib + chosen.tmp_mib >= chosen.memory_mib:
            raise ConfigurationError(
                "The sandbox's files live in its memory: set ENTROPY_SANDBOX__MEMORY_MIB above the sum of"
                " ENTROPY_SANDBOX__WORKSPACE_MIB and ENTROPY_SANDBOX__TMP_MIB; the same in ENTROPY_SANDBOX__ROLES."
            )
        if chosen.timeout > settings.timeout:
            raise ConfigurationError(
                f"A stage of the role {role} may not take longer than all others: raise ENTROPY_SANDBOX__TIMEOUT"
                f" to {chosen.timeout:g}, or lower the role's timeout in ENTROPY_SANDBOX__ROLES."
            )
        sizes = {field: getattr(chosen, key) * unit for key, (field, unit) in UNITS.items()}
        return cls(**sizes, path=settings.path, image=chosen.image, network=chosen.network)

    def tightened(self, wish: SandboxBounds, *, images: Collection[str] = ()) -> tuple[Self, str]:
        """The smaller of each bound and the wish of a repository, and a sentence where that was for more.

        Raises `ConfigurationError` for an image that is neither this one nor among `images`.
        """
        if wish.image not in (None, self.image, *images):
            raise ConfigurationError(
                f".entropy.toml: sandbox: image {wish.image!r} is not one of this installation's;"
                " leave the key out, or have the operator add it to ENTROPY_SANDBOX__IMAGES."
            )
        wanted = {key: wish.chosen[key] * unit for key, (_, unit) in UNITS.items() if key in wish.chosen}
        loose = [key for key, value in wanted.items() if value > getattr(self, UNITS[key][0])]
        kept = {UNITS[key][0]: value for key, value in wanted.items() if key not in loose}
        phases = self.network if wish.network is None else tuple(p for p in self.network if p in wish.network)
        if set(wish.network or ()) - set(phases):
            loose.append("network")
        policy = self.model_copy(update={**kept, "network": phases, "image": wish.image or self.image})
        return policy._fitted(), LOOSE.format(keys=", ".join(loose)) if loose else ""

    def _fitted(self) -> Self:
        """With room for programs beside the files, in a memory that was made smaller."""
        if self.workspace + self.tmp < self.memory:
            return self
        workspace, tmp = min(self.workspace, self.memory // 2), min(self.tmp, self.memory // 4)
        return self.model_copy(update={"workspace": workspace, "tmp": tmp})

    @property
    def lifetime(self) -> float:
        """Seconds after which nothing of the sandbox may run, whoever has forgotten it."""
        return self.stage_seconds + COLLECT_SECONDS + 60

    @property
    def environment(self) -> dict[str, str]:
        """All that a command finds in its environment."""
        has_cache = bool(self.cache) or self.builds_cache
        return {
            "PATH": f"{CACHE}/bin:{self.path}" if has_cache else self.path,
            "HOME": "/tmp",  # noqa: S108 - inside
            "LANG": "C.UTF-8",
            "CI": "true",
            # Compiled modules would enter the patch of a repository that does not ignore them.
            "PYTHONDONTWRITEBYTECODE": "1",
            **({"ENTROPY_CACHE": CACHE} if has_cache else {}),
        }
