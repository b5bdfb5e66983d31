"""Fixtures of the egress tests: a proxy as a sandbox finds it, and a world of our own outside."""

import contextlib
import logging
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from entropy.errors import SecretNotFound
from entropy.models import Secret
from entropy.sandbox.egress.proxy import EgressProxy
from entropy.sandbox.egress.rules import Rules
from entropy.sandbox.egress.verdicts import Phase
from entropy.settings import EgressSettings
from tests.integration.egress.authority import Authority
from tests.integration.egress.world import OUTSIDE, Names

HOST = "index.example.com"
KEY = "sk-test-0123456789-Abcdefghij"
Open = Callable[..., AbstractContextManager[Path]]


class Trail(logging.Handler):
    """The audit trail, to look at."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(dict(vars(record)))

    @property
    def verdicts(self) -> list[str]:
        return [line["verdict"] for line in self.lines]


@pytest.fixture
def trail() -> Iterator[Trail]:
    logger, trail = logging.getLogger("entropy.audit.egress"), Trail()
    level = logger.level
    logger.addHandler(trail)
    logger.setLevel(logging.INFO)
    yield trail
    logger.removeHandler(trail)
    logger.setLevel(level)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def names() -> Names:
    names = Names()
    names.lead(HOST, [OUTSIDE])
    return names


def key_of(name: str) -> Secret:
    if name != "openai-key":
        raise SecretNotFound
    return Secret(KEY)


def make_proxy(
    path: Path, authority: Authority, names: Names, *, bounds: Mapping[str, float] | None = None, **settings: Any
) -> EgressProxy:
    rules = Rules.of(EgressSettings(**{"setup_hosts": (HOST,), "networks": (f"{OUTSIDE}/32",), **settings}))
    rules = rules.model_copy(update={"bounds": rules.bounds.model_copy(update=bounds)})
    tls = authority.client()
    return EgressProxy(path, run_id="run-1", rules=rules, resolve=names.resolve, keys=key_of, tls=tls)


@pytest.fixture
def open_proxy(tmp_path: Path, authority: Authority, names: Names) -> Open:
    """A proxy with these settings in this phase; gives the path of its socket."""

    @contextlib.contextmanager
    def opened(phase: Phase = Phase.SETUP, **settings: Any) -> Iterator[Path]:
        path = tmp_path / f"{uuid.uuid4().hex[:8]}.sock"
        proxy = make_proxy(path, authority, names, **settings)
        with proxy.running(), proxy.phase(phase):
            yield path

    return opened
