"""The command behind ``ops/bench``: one JSON line a row on standard output, progress on standard error."""

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

from tests.bench.cost import Plan, measure
from tests.bench.latency import polled, told
from tests.bench.limits import held
from tests.bench.sandboxes import Plan as SandboxPlan
from tests.bench.sandboxes import measured, table
from tests.bench.snapshots import Repository, moved

SPEEDS = ((1, 60.0), (200, 10.0), (1_000, 20.0), (10_000, 4.0))
"""As fast as the time may go by for so many repositories, on two cores that the forge shares."""


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    for row in ROWS[options.what](options):
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()
    return 0


def _costs(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    for text in options.repositories.split(","):
        count = int(text)
        speed = options.speed or next((speed for most, speed in SPEEDS if count <= most), SPEEDS[-1][1])
        yield measure(Plan(count, options.minutes, speed, options.change))


def _latencies(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    yield told(options.labels)
    yield polled(options.labels, options.interval)


def _limits(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    yield held(options.seconds)


def _sandboxes(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    for backend in options.backend.split(","):
        row = measured(backend, SandboxPlan(options.samples, options.crowd))
        sys.stderr.write(table(row) + "\n")
        yield row


def _snapshots(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    yield moved(Repository(options.files, options.mib))


ROWS = {
    "discovery": _costs,
    "latency": _latencies,
    "limits": _limits,
    "sandbox": _sandboxes,
    "snapshot": _snapshots,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ops/bench", description=__doc__)
    parser.add_argument("what", choices=list(ROWS))
    parser.add_argument("--repositories", default="1,100,1000,10000", help="discovery: a row for each")
    parser.add_argument("--minutes", type=float, default=18, help="discovery: of the forge's time, twice a row")
    parser.add_argument("--speed", type=float, help="discovery: how many times faster the time goes by")
    parser.add_argument("--change", type=float, default=0.01, help="discovery: share that changes in one sweep")
    parser.add_argument("--labels", type=int, default=40, help="latency: how many are set")
    parser.add_argument("--interval", type=float, default=30, help="latency: seconds between two beats")
    parser.add_argument("--seconds", type=float, default=150, help="limits: for how long the workers write")
    parser.add_argument("--backend", default="docker,bubblewrap", help="sandbox: a row for each")
    parser.add_argument("--samples", type=int, default=30, help="sandbox: how many are started, one by one")
    parser.add_argument("--crowd", type=int, default=40, help="sandbox: how many are started at once")
    parser.add_argument("--files", type=int, default=20_000, help="snapshot: of the repository")
    parser.add_argument("--mib", type=int, default=400, help="snapshot: of all its files")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
