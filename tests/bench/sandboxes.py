"""What a sandbox costs: until its first result, in a crowd, while idle, and what its killed worker leaves of it."""

import contextlib
import io
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import docker

from entropy.sandbox.belongings import Kind
from entropy.sandbox.factory import make_backend
from entropy.sandbox.interface import Backend
from entropy.settings import EgressSettings, SandboxSettings
from tests.bench.remains import Remains, idle_memory

FILES, SIZE = 800, 10 << 20
BARS = {"docker": 0.35, "bubblewrap": 0.05}
"""Seconds within which half of all sandboxes have given their first result, on two cores."""
WARM = 3
"""Starts that do not count."""


class Plan(NamedTuple):
    """How much is measured."""

    samples: int
    crowd: int


def repository() -> bytes:
    """A tar of 800 files of 10 MiB in all, which does not compress."""
    content, packed = random.Random(0), io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for number in range(FILES):
            info = tarfile.TarInfo(f"package{number % 40}/module{number}.py")
            info.size = SIZE // FILES
            archive.addfile(info, io.BytesIO(content.randbytes(info.size)))
    return packed.getvalue()


def measured(name: str, plan: Plan) -> dict[str, Any]:
    """One row, for one backend."""
    tree = repository()
    with tempfile.TemporaryDirectory(prefix="entropy-bench-") as folder, _settings(name, Path(folder)) as settings:
        backend = make_backend(settings)
        _say(f"{name}: preflight")
        preflight = _timed(backend.preflight)
        _say(f"{name}: {plan.samples} starts")
        load = os.getloadavg()[0]
        starts, references = _starts(backend, _reference(settings, tree), tree, plan.samples)
        _say(f"{name}: {plan.crowd} at once")
        crowd = _crowd(settings, plan.crowd, tree, Path(folder))
    seconds = [start.answered for start in starts]
    p50, reference = statistics.median(seconds), statistics.median(references)
    return {
        "backend": name,
        "cores": os.cpu_count(),
        "load": round(load, 2),
        "preflight_seconds": round(preflight, 3),
        "preflight": "once per process and image; not a part of any start below",
        "samples": len(starts),
        "fastest": round(min(seconds), 4),
        "p50": round(p50, 4),
        "p95": round(statistics.quantiles(seconds, n=20)[-1], 4),
        "of_it_open_and_fill": [round(statistics.median(part), 4) for part in list(zip(*starts, strict=True))[:2]],
        "bar": BARS[name],
        "reference_fastest": round(min(references), 4),
        "reference_p50": round(reference, 4),
        "ratio": round(p50 / reference, 2),
        **crowd,
    }


def table(row: dict[str, Any]) -> str:
    """The row for people."""
    lines = [f"{row['backend']}, {row['cores']} cores, 800 files of 10 MiB"]
    lines += [f"  {name:34} {value}" for name, value in row.items() if name not in ("backend", "cores", "preflight")]
    return "\n".join(lines)


@contextlib.contextmanager
def _settings(name: str, folder: Path) -> Iterator[SandboxSettings]:
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    owner, directory = f"bench-{uuid.uuid4().hex[:8]}", folder / "sandboxes"
    settings = SandboxSettings.model_validate(
        {"backend": name, "docker_host": host, "owner": owner, "directory": directory}
    )
    try:
        yield settings
    finally:
        make_backend(settings).clear()


class Start(NamedTuple):
    """Seconds until a sandbox was open, until it was filled, and until it gave a result."""

    opened: float
    filled: float
    answered: float


def _starts(
    backend: Backend, reference: Callable[[], float], tree: bytes, samples: int
) -> tuple[list[Start], list[float]]:
    """Ours and the other in turn, so that both see the same machine."""
    ours, others = [], []
    for _ in range(samples + WARM):
        begin = time.monotonic()
        with backend.open(f"bench-{uuid.uuid4().hex}") as sandbox:
            opened = time.monotonic() - begin
            sandbox.put(tree)
            filled = time.monotonic() - begin
            if sandbox.exec(["true"]).exit_status != 0:
                raise SystemExit("A sandbox gave no result.")
            ours.append(Start(opened, filled, time.monotonic() - begin))
        others.append(reference())
    return ours[WARM:], others[WARM:]


def _reference(settings: SandboxSettings, tree: bytes) -> Callable[[], float]:
    return (lambda: _container(settings, tree)) if settings.backend == "docker" else lambda: _subprocess(tree)


def _container(settings: SandboxSettings, tree: bytes) -> float:
    """One container as it comes, without a network: made, started, filled, asked."""
    with contextlib.closing(docker.DockerClient(base_url=settings.docker_host)) as client:
        begin = time.monotonic()
        container = client.containers.create(settings.image, ["sleep", "60"], network_mode="none", user="0:0")
        try:
            container.start()
            container.put_archive("/workspace", tree)
            if container.exec_run(["true"]).exit_code != 0:
                raise SystemExit("A container gave no result.")
            return time.monotonic() - begin
        finally:
            container.remove(force=True)


def _subprocess(tree: bytes) -> float:
    """Two processes without anything around them, and files in memory, too."""
    workspace = Path("/dev/shm", f"bench-{uuid.uuid4().hex}")
    begin = time.monotonic()
    workspace.mkdir()
    subprocess.run(["tar", "--extract", "--file=-"], input=tree, cwd=workspace, check=True)
    subprocess.run(["true"], cwd=workspace, check=True)
    seconds = time.monotonic() - begin
    shutil.rmtree(workspace)
    return seconds


def _crowd(settings: SandboxSettings, count: int, tree: bytes, folder: Path) -> dict[str, Any]:
    """Many at once, with ways out; what they take while they do nothing; what is left when their worker is killed."""
    (folder / "tree").write_bytes(tree)
    egress = EgressSettings(directory=folder / "egress", agent_hosts=("example.org",))
    settings = settings.model_copy(update={"egress": egress})
    backend, remains = make_backend(settings), Remains(settings)
    argv = [sys.executable, "-m", "tests.bench.holder", settings.model_dump_json(), str(count), str(folder / "tree")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as worker:
        try:
            assert worker.stdout
            results = sorted(json.loads(worker.stdout.readline() or b"[]"))
            if len(results) != count:
                raise SystemExit(f"{len(results)} of {count} sandboxes gave a result.")
            held, sockets = remains.counted(), [b for b in backend.belongings() if b.kind is Kind.SOCKET]
            memory = idle_memory(settings, count)
        finally:
            worker.send_signal(signal.SIGKILL)
    removing = _timed(lambda: backend.reap(frozenset()))
    return {
        "at_once": count,
        "at_once_all_seconds": round(results[-1], 2),
        "at_once_seconds_each": round(results[-1] / count, 4),
        **memory,
        "held": held | {"sockets": len(sockets)},
        "reaped_seconds": round(removing, 2),
        "left": remains.settled(),
    }


def _timed(act: Callable[[], object]) -> float:
    begin = time.monotonic()
    act()
    return time.monotonic() - begin


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
