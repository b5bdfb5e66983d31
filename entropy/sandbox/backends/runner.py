"""Inside a Fargate task: asks for one command after the other at presigned addresses, and runs each as somebody else.

It is sent into tasks and leans on nothing but the image's Python. It is the container's root, with no capabilities but
those to become the owner of the workspace and to end that user's processes: so untrusted work can neither end it nor
read the addresses it holds, and a command that takes too long ends without the task, with whom the workspace would go.
Nothing leans on that: what a runner could do that work has taken over, `entropy.sandbox.backends.mailbox` describes.
"""

import base64
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterable, Iterator
from typing import IO, Any

CHUNK = 65536
TICK = 0.05
SILENCE = 0.5
"""Seconds without output after which a command that has ended has said everything."""
GRACE = 10.0
TIMEOUT = 60.0
ATTEMPTS = 5
NOT_YET = (403, 404)


class KeptOutput:
    """The head and the tail of a stream, and how long it was."""

    def __init__(self, head: int, tail: int) -> None:
        self.head, self.tail, self.total = bytearray(), bytearray(), 0
        self._limits = head, tail

    def feed(self, data: bytes) -> None:
        head, tail = self._limits
        self.total += len(data)
        room = head - len(self.head)
        self.head += data[:room]
        self.tail += data[room:]
        if len(self.tail) > 2 * tail:
            self._trim()

    def told(self) -> dict[str, Any]:
        self._trim()
        head, tail = (base64.b64encode(part).decode() for part in (self.head, self.tail))
        return {"head": head, "tail": tail, "total": self.total}

    def _trim(self) -> None:
        del self.tail[: max(0, len(self.tail) - self._limits[1])]


class InputFeed(threading.Thread):
    """Carries what lies at an address to a command, which need not read it all."""

    def __init__(self, address: str, size: int, stdin: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self.trouble = ""
        self._address, self._size, self._stdin = address, size, stdin

    def run(self) -> None:
        try:
            for data in _read(self._address, self._size):
                if not self._write(data):
                    return
        except (OSError, EOFError) as error:
            self.trouble = f"the input did not arrive: {error}"
        finally:
            self._stdin.close()

    def _write(self, data: bytes) -> bool:
        try:
            while data:
                data = data[self._stdin.write(data) :]
        except OSError:
            return False
        return True


def _open(address: str, data: Iterable[bytes] | None = None, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(address, data=data, headers=named)  # noqa: S310 - of the worker
    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=TIMEOUT)


def _read(address: str, size: int) -> Iterator[bytes]:
    with _open(address) as answer:
        while size > 0:
            data = answer.read(min(size, CHUNK))
            if not data:
                raise EOFError("it ends too early")
            size -= len(data)
            yield data


def fetch(address: str) -> Any:
    """What is said at an address; None when that is nothing yet, or the way there is disturbed."""
    try:
        with _open(address) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        error.close()
        if error.code not in NOT_YET:
            sys.stderr.write(f"the mailbox answers {error.code}\n")
    except OSError as error:
        sys.stderr.write(f"the mailbox does not answer: {error}\n")
    return None


def post(form: dict[str, Any], content: Iterable[bytes], size: int) -> None:
    """Send one file of this size by a presigned form."""
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in form["fields"].items()
    ]
    parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="file"\r\n\r\n')
    head, tail = "".join(parts).encode(), f"\r\n--{boundary}--\r\n".encode()

    def body() -> Iterator[bytes]:
        yield head
        yield from content
        yield tail

    length = str(len(head) + size + len(tail))
    kind = f"multipart/form-data; boundary={boundary}"
    with _open(form["url"], body(), content_type=kind, content_length=length) as answer:
        answer.read()


def deliver(form: dict[str, Any], told: dict[str, Any]) -> None:
    """Send a report, again and again if need be; without it the task is of no use."""
    data = json.dumps(told).encode()
    for attempt in range(ATTEMPTS):
        try:
            post(form, [data], len(data))
        except OSError as error:
            sys.stderr.write(f"a report does not arrive: {error}\n")
            time.sleep(2**attempt / 4)
        else:
            return
    sys.exit("no report arrives")


class Runner:
    """Runs commands as the owner of the workspace."""

    def __init__(self, charter: dict[str, Any]) -> None:
        owner = os.stat(charter["workspace"])
        if owner.st_uid == 0:
            sys.exit("the workspace belongs to root: nobody is there to do the work")
        self._launcher = charter["launcher"]
        self._terms = {**charter["terms"], "uid": owner.st_uid, "gid": owner.st_gid, "workspace": charter["workspace"]}

    def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        """Carry out an order; gives the report."""
        if order["export"] is None:
            return self.run(order)
        self.end_all()
        report = self.run(order)
        report["exported"] = report["stdout"]["total"]
        if report["status"] == 0 and report["exported"] <= order["export"]["limit"]:
            try:
                self._export(order, report["exported"])
            except (OSError, EOFError) as error:
                report["trouble"] = f"the workspace did not leave: {error}"
        return report

    def run(self, order: dict[str, Any]) -> dict[str, Any]:
        started = time.monotonic()
        streams = subprocess.PIPE
        process = self._start(order["argv"], stdin=streams, stdout=streams, stderr=streams)
        assert process.stdin and process.stdout and process.stderr  # noqa: PT018, S101 - for the type checker
        feed = InputFeed(order["input"], order["size"], process.stdin)
        if order["size"]:
            feed.start()
        else:
            process.stdin.close()
        keep = order["keep"]
        kept = {process.stdout: KeptOutput(*keep["stdout"]), process.stderr: KeptOutput(*keep["stderr"])}
        ended = _drain(process, kept, started + order["seconds"])
        if not ended:
            self.end_all(process)
        for stream in kept:
            stream.close()
        status = process.wait() if ended else None
        return {
            "status": status if status is None or status >= 0 else 128 - status,
            "seconds": time.monotonic() - started,
            "stdout": kept[process.stdout].told(),
            "stderr": kept[process.stderr].told(),
            "exported": None,
            "trouble": feed.trouble,
        }

    def end_all(self, process: "subprocess.Popen[bytes] | None" = None) -> None:
        """End every process of the workspace's owner, whatever it forks meanwhile; the task ends if that fails."""
        deadline = time.monotonic() + GRACE
        self._signal_all()
        while any(self._is_work(name) for name in os.listdir("/proc") if name.isdigit()):
            if process is not None:
                process.poll()
            if time.monotonic() > deadline:
                sys.exit("work does not end")
            time.sleep(TICK / 5)
            self._signal_all()

    def _signal_all(self) -> None:
        child = os.fork()
        if child == 0:
            try:
                os.setgroups([])
                os.setgid(self._terms["gid"])
                os.setuid(self._terms["uid"])
                os.kill(-1, signal.SIGKILL)  # all that this user may signal, at once: not the runner
            finally:
                os._exit(0)
        os.waitpid(child, 0)

    def _is_work(self, process: str) -> bool:
        try:
            with open(f"/proc/{process}/status") as file:
                status = file.read()
        except OSError:
            return False
        return f"\nUid:\t{self._terms['uid']}\t" in status and "\nState:\tZ" not in status

    def _export(self, order: dict[str, Any], size: int) -> None:
        """Send what the command prints; it has been run once to learn how long that is, and nothing else is running."""
        process = self._start(
            order["argv"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert process.stdout  # noqa: S101 - for the type checker
        try:
            post(order["export"]["form"], _exactly(process.stdout, size), size)
        finally:
            process.stdout.close()
            self.end_all(process)

    def _start(self, argv: list[str], **streams: Any) -> "subprocess.Popen[bytes]":
        launch = [sys.executable, "-I", "-c", self._launcher, json.dumps(self._terms), *argv]
        return subprocess.Popen(launch, env={}, cwd="/", bufsize=0, start_new_session=True, **streams)


def _drain(process: "subprocess.Popen[bytes]", kept: dict[IO[bytes], KeptOutput], deadline: float) -> bool:
    """Read until the command has ended and said everything; False when it has not at the deadline."""
    heard, over = time.monotonic(), 0.0
    with selectors.DefaultSelector() as selector:
        for stream in kept:
            selector.register(stream, selectors.EVENT_READ, stream)
        while process.poll() is None or selector.get_map():
            now = time.monotonic()
            if process.returncode is None and now > deadline:
                return False
            if process.returncode is not None:
                over = over or now
                # What a command leaves behind may hold its streams open: in silence, or for ever.
                if now - over > GRACE or now - max(heard, over) > SILENCE:
                    break
            for key, _ in selector.select(TICK):
                heard = time.monotonic()
                data = os.read(key.fd, CHUNK)
                kept[key.data].feed(data)
                if not data:
                    selector.unregister(key.fileobj)
    return True


def _exactly(stream: IO[bytes], size: int) -> Iterator[bytes]:
    while size > 0:
        data = stream.read(min(size, CHUNK))
        if not data:
            raise EOFError("it has become smaller")
        size -= len(data)
        yield data


def serve(charter: dict[str, Any]) -> None:
    """Obey until the end of the sandbox's life, whoever has forgotten it."""
    signal.signal(signal.SIGALRM, lambda *_: os._exit(0))
    signal.setitimer(signal.ITIMER_REAL, charter["lifetime"])
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    runner = Runner(charter)
    deliver(charter["hello"], {})
    address, pause = charter["next"], TICK
    while True:
        order = fetch(address)
        if order is None:
            time.sleep(pause)
            pause = min(2 * pause, charter["poll"])
        else:
            deliver(order["report"], runner.obey(order))
            address, pause = order["next"], TICK
