"""Every setting, typed, with its default; the only reader of the environment.

``ENTROPY_<SECTION>__<NAME>`` sets a value, for example ``ENTROPY_REDIS__URL``. Secrets are not settings: settings say
where secrets are, `entropy.secrets` reads them when they are used.
"""

import difflib
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote, urlsplit

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from entropy.errors import ConfigurationError
from entropy.sections import (
    ArtifactSettings,
    CacheSettings,
    EgressSettings,
    Names,
    Phase,
    SandboxBounds,
    SandboxSettings,
    Section,
)

__all__ = ["CacheSettings", "EgressSettings", "Phase", "SandboxBounds", "SandboxSettings"]

PREFIX = "ENTROPY_"
SECRET_PREFIX = "ENTROPY_SECRET_"  # noqa: S105 - the start of a name, not a secret


class RedisSettings(Section):
    url: str = "redis://127.0.0.1:6379/0"
    """Broker, state and pub/sub. ``rediss://`` for TLS."""
    password_file: Path | None = None
    """Holds the password, so that the environment need not; it becomes a part of ``url`` when the settings are read."""
    prefix: str = "entropy"
    """First part of every key, so that two installations can share one server."""

    @model_validator(mode="before")
    @classmethod
    def _with_password(cls, values: object) -> object:
        if not isinstance(values, dict) or not values.get("password_file"):
            return values
        try:
            password = quote(Path(values["password_file"]).read_text().strip(), safe="")
        except OSError as error:
            raise ValueError(f"the password file cannot be read: {error}") from None
        parts = urlsplit(values.get("url", cls.model_fields["url"].default))
        place = f"{parts.username or ''}:{password}@{parts.netloc.rpartition('@')[2]}"
        return values | {"url": parts._replace(netloc=place).geturl()}


def _numbered(value: object) -> object:
    parts = value.replace(" ", "").split(",") if isinstance(value, str) else ()
    return {role: number for role, _, number in (part.partition("=") for part in parts if part)} or value


class LimitSettings(Section):
    writes_per_minute: int = Field(default=80, ge=1)
    content_per_hour: int = Field(default=500, ge=1)
    """Issues, pull requests, comments, reviews and reactions; edits, labels and merges count for the minute only."""
    budget: bool = True
    """Whether to keep to the hourly budget of which the forge tells; a forge may tell and not enforce it."""
    reserve: float = Field(default=0.1, ge=0, lt=1)
    """Which share of the hourly budget reads leave to writes."""
    patience: float = Field(default=5, ge=0)
    """Seconds for which a request waits for its turn; after that its stage is tried again later."""


class GitHubSettings(Section):
    api: str = "https://api.github.com"
    """REST root; for GitHub Enterprise Server ``https://HOST/api/v3``."""
    repositories: Names = ()
    """The repositories to serve, as ``owner/name``; none mean all that the App is installed on."""
    allow: Names = ("*",)
    """Patterns such as ``acme/*``: of these repositories only those that one of them matches."""
    deny: Names = ()
    """Patterns: of these repositories none that one of them matches."""
    timeout: float = Field(default=15, gt=0)
    """Seconds per socket operation."""
    apps: Annotated[dict[str, int], NoDecode, BeforeValidator(_numbered)] = {}  # noqa: RUF012 - pydantic copies it
    """Roles that are GitHub Apps, by id, as ``coder=12``; ``*=12`` is all. Their secret is ``github-app-key``."""
    limits: LimitSettings = LimitSettings()
    """How much all workers together ask of the forge, per installation of an App or per user."""
    installation: str = Field(default="", pattern=r"^[\w.-]{0,40}$")
    """A name, needed where several installations with the same accounts serve one repository and have to take turns."""


class VaultSettings(Section):
    address: str = "http://127.0.0.1:8200"
    mount: str = "secret"
    """The KV v2 engine."""
    approle_directory: Path = Path("/run/secrets")
    """Holds ``<role>_role_id`` and ``<role>_secret_id`` for each role this process may act as."""


class SecretSettings(Section):
    provider: Literal["files", "vault", "environment"] = "files"
    directory: Path = Path("/run/secrets")
    """For ``files``: holds ``<role>_<name>``, for example ``coder_github_token``."""
    vault: VaultSettings = VaultSettings()


class SchedulingSettings(Section):
    interval: float = Field(default=30, gt=0)
    """Seconds between two discoveries, and between two looks at a repository where something happens."""
    watched: int = Field(default=200, ge=0, le=900)
    """Up to so many repositories are asked one by one, which is free while nothing changes; more in batches."""
    sweep_interval: float = Field(default=180, gt=0)
    """Seconds within which each repository is looked at when there are more than ``watched``, however quiet it is."""
    quiet_interval: float = Field(default=1800, gt=0)
    """The same for all repositories while webhooks of an App arrive, which tell of every change anyway."""
    search_interval: float = Field(default=600, ge=0)
    """Seconds between two searches for what was missed; 0 means never."""
    roster_interval: float = Field(default=3600, gt=0)
    """Seconds between two looks at which repositories the App is installed on."""
    redelivery_interval: float = Field(default=600, ge=0)
    """Seconds between two looks for webhooks of the App that did not arrive; 0 means never."""
    capacity: int = Field(default=8, ge=1)
    """Runs in flight at once, over all repositories."""
    capacity_per_repository: int = Field(default=4, ge=1)
    lease: float = Field(default=8, gt=0)
    """Seconds a stage stays with a worker that no longer renews it."""
    dispatch_grace: float = Field(default=10, gt=0)
    """Seconds a dispatched message may wait for a worker before it is sent again; twice as long each further time."""
    reaper_interval: float = Field(default=2, gt=0)
    max_attempts: int = Field(default=5, ge=1)
    """How often a stage may be begun before its run is given up."""
    retention: float = Field(default=7 * 86400, gt=0)
    """Seconds the record of a finished run is kept."""
    max_tries: int = Field(default=2, ge=1)
    """How often a role works on an item that does not change in between."""
    max_reworks: int = Field(default=3, ge=0)
    """How often a reviewer may send a pull request back before a person is asked."""
    max_rounds: int = Field(default=10, ge=1)
    """In how many different states a role works on one item before a person is asked."""
    rerun_wait: float = Field(default=300, gt=0)
    """Seconds that a failed check has to come out differently once it was asked to run again."""


# Who owns what, what Entropy may do, and what the agents of any maker read as their instructions.
PROTECTED = (
    *(".entropy.toml", "CODEOWNERS", ".github/CODEOWNERS", "docs/CODEOWNERS", ".github/copilot-instructions.md"),
    *(".github/instructions/**", ".github/prompts/**", ".github/agents/**", "**/AGENTS.md", "**/AGENTS.override.md"),
    *("**/CLAUDE.md", "**/CLAUDE.local.md", "**/.claude/**", "**/GEMINI.md", "**/.cursorrules", "**/.cursor/**"),
    *("**/.windsurfrules", "**/.clinerules", "**/.mcp.json"),
)


class RepositorySettings(Section):
    cache: Path = Path("/var/lib/entropy/mirrors")
    """Bare mirrors, on the control side only."""
    max_files: int = Field(default=300, ge=1)
    """A patch that touches more files is refused."""
    snapshot_mib: int = Field(default=64, ge=1)
    """A repository whose tracked files pack to more is refused."""
    protected: Names = PROTECTED
    """Patterns: what an agent changes there is marked, and merged only after a person approved of it."""


class EngineSettings(Section):
    recordings: Path | None = None
    """Folder of recordings for the replay engine."""


class TrustSettings(Section):
    """Whom agents obey and hear: people who may write to the repository, and these."""

    bots: Names = ()
    """Logins of bots that may set triggers and write commands, such as ``renovate[bot]``."""
    comments: Literal["withhold", "mark"] = "withhold"
    """What becomes of comments and reviews of people without write permission on their way to an agent."""
    review_forks: bool = False
    """Whether pull requests from forks may be reviewed. They are never worked on or merged."""
    memory: float = Field(default=60, gt=0)
    """Seconds for which it is remembered what somebody may do. Whoever asks for a run is looked up anew each time."""
    watch: float = Field(default=3, gt=0)
    """Seconds between two looks at the items that agents are at work on, for a person may have stopped them."""


class ReportSettings(Section):
    draft: bool = True
    """Whether pull requests begin as drafts, and become ready when the tests of their review are green."""
    sign_off: bool = False
    """Whether commits carry a ``Signed-off-by`` line of their author."""
    co_author: str = Field(default="", pattern=r"^([^<>\n]+ <[^<>\s]+@[^<>\s]+>)?$")
    """Written into commits as ``Co-authored-by``: ``Name <address>``."""
    commits: Literal["push", "api"] = "push"
    """How commits reach the forge. ``api`` has the forge make them, which shows them as verified."""
    partial: Literal["draft", "artifact"] = "draft"
    """What becomes of a change that a time limit cut off: a draft pull request, or a patch kept with the run."""


class LogSettings(Section):
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    format: Literal["json", "text"] = "json"


class Settings(BaseSettings):
    """All sections. Read once per process; handed down as slices."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", frozen=True, extra="forbid", env_ignore_empty=True
    )

    redis: RedisSettings = RedisSettings()
    github: GitHubSettings = GitHubSettings()
    secrets: SecretSettings = SecretSettings()
    sandbox: SandboxSettings = SandboxSettings()
    scheduling: SchedulingSettings = SchedulingSettings()
    repository: RepositorySettings = RepositorySettings()
    artifacts: ArtifactSettings = ArtifactSettings()
    engines: EngineSettings = EngineSettings()
    trust: TrustSettings = TrustSettings()
    reports: ReportSettings = ReportSettings()
    log: LogSettings = LogSettings()


def variables() -> list[str]:
    """The names of all environment variables that are settings."""
    return [
        f"{PREFIX}{name}__{inner}".upper()
        for name, field in Settings.model_fields.items()
        for inner in _leaves(field.annotation)
    ]


def _leaves(section: object) -> list[str]:
    """The dotted names below a section, or nothing where `section` is a plain value."""
    if not (isinstance(section, type) and issubclass(section, Section)):
        return []
    return [
        leaf
        for name, field in section.model_fields.items()
        for leaf in ([f"{name}__{inner}" for inner in _leaves(field.annotation)] or [name])
    ]


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; a misspelt or malformed variable raises `ConfigurationError` with the next step."""
    _refuse_unknown(os.environ if environment is None else environment)
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        variable = PREFIX + "__".join(str(part) for part in first["loc"]).upper()
        raise ConfigurationError(f"{variable} is not usable: {first['msg']}.") from None


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    known = variables()
    for name in environment:
        if name.startswith(PREFIX) and not name.startswith(SECRET_PREFIX) and name.upper() not in known:
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
            hint = f"did you mean {close[0]}?" if close else "remove it or see the README's list."
            raise ConfigurationError(f"{name} is not a setting of Entropy; {hint}")


@cache
def settings() -> Settings:
    """This process's settings, read at the first call."""
    return load()


def secret_variable(role: str, name: str) -> str | None:
    """The value of ``ENTROPY_SECRET_<ROLE>_<NAME>``, for the ``environment`` provider only."""
    return os.environ.get(f"{SECRET_PREFIX}{role}_{name}".upper().replace("-", "_"))


def inherited(*names: str) -> dict[str, str]:
    """The few variables that a child process of ours is given, such as ``PATH``."""
    return {name: os.environ[name] for name in names if name in os.environ}
