"""What leaves an execute worker: nothing of a secret that only this worker knows."""

import base64
import shutil
import uuid
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from entropy.errors import PolicyViolation
from entropy.lifecycle.departure import examine
from entropy.logging.redaction import Redaction
from entropy.models import Run, Verdict
from entropy.settings import Settings
from entropy.wiring import Toolbox
from tests.integration.lifecycle.test_execute import executed
from tests.services import require

pytestmark = [pytest.mark.redis, pytest.mark.bubblewrap]


@pytest.fixture
def key() -> str:
    """As the key of a model is registered when it is first used."""
    key = f"model-key-{uuid.uuid4().hex}"
    Redaction.register(key)
    return key


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all, so that it is proven once."""
    return tmp_path_factory.mktemp("sandboxes")


@pytest.fixture
def tools(directory: Path, redis_url: str) -> Iterator[Toolbox]:
    require(shutil.which("bwrap"), "bubblewrap is not installed")
    sandbox = {"backend": "bubblewrap", "directory": directory, "command_timeout": 5}
    tools = Toolbox(Settings.model_validate({"redis": {"url": redis_url}, "sandbox": sandbox}))
    yield tools
    tools.connection.close()


def told(run: Run) -> str:
    return run.model_dump_json()


@pytest.mark.parametrize("script", ["echo {key}", "echo {key} | rev >&2", "echo {key} | base64; exit 1"])
def test_words_lose_it(tools: Toolbox, key: str, script: str) -> None:
    run = executed(tools, f"echo x > x; {script.format(key=key)}")
    assert run.outcome is not None
    encoded = base64.b64encode(f"{key}\n".encode()).decode()
    assert not any(spelt in told(run) for spelt in (key, key[::-1], encoded))
    assert "a secret of this installation" in run.outcome.summary
    assert run.outcome.evidence


@pytest.mark.parametrize(
    ("script", "where"),
    [
        ("printf 'a\\n{key}\\n' > text", "line 2 of `a/text b/text`"),
        ("printf 'a\\n\\0{key}' > binary", "line 2 of `a/binary b/binary`"),
        ("echo {key} | rev > text", "line 1 of"),
        ("touch {key}", "the name of a file"),
    ],
)
def test_a_patch_with_it_is_not_kept(tools: Toolbox, key: str, script: str, where: str) -> None:
    run = executed(tools, script.format(key=key))
    assert run.outcome is not None
    assert (run.outcome.verdict, run.outcome.patch) == (Verdict.REFUSED, None)
    assert f"The change is not kept: {where}" in run.outcome.summary
    assert "holds what looks like a secret of this installation." in run.outcome.summary
    assert key not in told(run)
    assert len(tools.connection.redis.hkeys(f"{tools.settings.redis.prefix}:artifacts:{run.id}")) == 2


def test_what_was_there_before_is_nobodys_fault(key: str) -> None:
    patch = f"diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1,3 +1,2 @@\n {key}\n-{key}\n+--- a\n \n".encode()
    examine(patch)
    with pytest.raises(PolicyViolation, match="line 2 of"):
        examine(patch.replace(b"+--- a", b"+" + key.encode()))


def test_a_small_patch_that_would_be_a_large_file_is_refused() -> None:
    packed = zlib.compress(bytes(32 << 20), 9)
    lines = [packed[at : at + 52] for at in range(0, len(packed), 52)]
    coded = [_length(len(line)) + base64.b85encode(line.ljust(-(-len(line) // 4) * 4, b"\0")) for line in lines]
    patch = b"\n".join([b"diff --git a/a b/a", b"GIT binary patch", b"literal 33554432", *coded, b"", b""])
    with pytest.raises(PolicyViolation, match="16 MiB that are searched for secrets"):
        examine(patch)


def _length(size: int) -> bytes:
    return bytes([size + ord("A") - 1 if size <= 26 else size + ord("a") - 27])
