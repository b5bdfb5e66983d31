"""A worker that holds many sandboxes at once, until somebody kills it: ``python -m tests.bench.holder``."""

import json
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from entropy.sandbox.factory import make_backend
from entropy.settings import SandboxSettings

SECONDS = 300.0
"""After which one who is forgotten lets go."""


def hold(settings: SandboxSettings, count: int, tree: bytes) -> None:
    """Open them all at the same moment; prints when each had its first result, then nothing more."""
    backend = make_backend(settings)
    backend.preflight()
    start, over = threading.Barrier(count + 1), threading.Event()
    results: list[float] = []

    def one() -> None:
        start.wait()
        with backend.open(f"bench-{uuid.uuid4().hex}") as sandbox:
            sandbox.put(tree)
            if sandbox.exec(["true"]).exit_status == 0:
                results.append(time.monotonic())
            held.wait()
            over.wait(SECONDS)

    held = threading.Barrier(count + 1)
    with ThreadPoolExecutor(count) as pool:
        made = [pool.submit(one) for _ in range(count)]
        start.wait()
        begin = time.monotonic()
        held.wait()
        sys.stdout.write(json.dumps([result - begin for result in results]) + "\n")
        sys.stdout.flush()
        for each in made:
            each.result()


if __name__ == "__main__":
    hold(SandboxSettings.model_validate_json(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]).read_bytes())
