"""What a sandbox is allowed, in bytes and seconds."""

from typing import Self

from entropy.errors import ConfigurationError
from entropy.models import Noun
from entropy.settings import SandboxSettings

KIB = 1024
MIB = 1024 * KIB

UID = 10001
"""Who works inside; nobody on the host, and never root."""
WORKSPACE = "/workspace"
COLLECT_SECONDS = 120.0
"""What the collector may take, after the stage's own time."""


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
    path: str
    open_files: int = 4096
    shared_memory: int = 64 * MIB

    @classmethod
    def of(cls, settings: SandboxSettings) -> Self:
        if settings.workspace_mib + settings.tmp_mib >= settings.memory_mib:
            raise ConfigurationError(
                "The sandbox's files live in its memory: set ENTROPY_SANDBOX__MEMORY_MIB above the sum of"
                " ENTROPY_SANDBOX__WORKSPACE_MIB and ENTROPY_SANDBOX__TMP_MIB."
            )
        return cls(
            stage_seconds=settings.timeout,
            command_seconds=settings.command_timeout,
            memory=settings.memory_mib * MIB,
            cpus=settings.cpus,
            pids=settings.pids,
            workspace=settings.workspace_mib * MIB,
            inodes=settings.workspace_mib * 256,
            tmp=settings.tmp_mib * MIB,
            output=settings.output_kib * KIB,
            patch=settings.patch_mib * MIB,
            path=settings.path,
        )

    @property
    def lifetime(self) -> float:
        """Seconds after which nothing of the sandbox may run, whoever has forgotten it."""
        return self.stage_seconds + COLLECT_SECONDS + 60

    @property
    def environment(self) -> dict[str, str]:
        """All that a command finds in its environment."""
        return {
            "PATH": self.path,
            "HOME": "/tmp",  # noqa: S108 - inside
            "LANG": "C.UTF-8",
            "CI": "true",
            # Compiled modules would enter the patch of a repository that does not ignore them.
            "PYTHONDONTWRITEBYTECODE": "1",
        }
