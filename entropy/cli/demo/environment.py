"""What each process of the demo is told: settings in its environment, and nothing that its part does not need."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from entropy.cli.demo.redis_server import RedisServer
from entropy.settings import inherited

Environment = Mapping[str, str]


def common(folder: Path, *, redis: RedisServer, api: str, repositories: Sequence[str]) -> Environment:
    """What all of them share: where Redis and the forge are. Passwords and tokens stay in files."""
    return inherited("PATH", "LANG", "LC_ALL", "TZ") | {
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "PYTHONUNBUFFERED": "1",
        "ENTROPY_REDIS__URL": redis.address,
        "ENTROPY_REDIS__PASSWORD_FILE": str(redis.password_file),
        "ENTROPY_GITHUB__API": api,
        # The forge of the demo bears more than GitHub.
        "ENTROPY_GITHUB__LIMITS__WRITES_PER_MINUTE": "100000",
        "ENTROPY_GITHUB__LIMITS__CONTENT_PER_HOUR": "100000",
        "ENTROPY_GITHUB__LIMITS__BUDGET": "false",
        "ENTROPY_GITHUB__REPOSITORIES": ",".join(repositories),
        "ENTROPY_ENGINES__RECORDINGS": str(data() / "recordings"),
        "ENTROPY_SCHEDULING__INTERVAL": "2",
    }


def control(shared: Environment, folder: Path, secrets: Environment) -> Environment:
    """The side that writes to the forge: it has the roles' tokens, and no sandbox."""
    return {**shared, **secrets, "ENTROPY_REPOSITORY__CACHE": str(folder / "mirrors")}


def token_files(folder: Path) -> Environment:
    """Where `secrets` finds the roles' tokens when they are files."""
    return {"ENTROPY_SECRETS__PROVIDER": "files", "ENTROPY_SECRETS__DIRECTORY": str(folder)}


def untrusted(shared: Environment, sandbox: Environment) -> Environment:
    """The side that runs agents: it has a sandbox, and no way to find a token."""
    return {**shared, **sandbox, "ENTROPY_SECRETS__DIRECTORY": "/nonexistent"}


def data() -> Path:
    """The seed repositories and recordings that come with the demo."""
    return Path(str(files("entropy.cli.demo") / "data"))
