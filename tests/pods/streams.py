"""Between a websocket and a process in a container: exec and attach, as kubelet and runtime do them."""

import contextlib
import json
import struct
import threading
from collections.abc import Iterator
from typing import Any

from tests.pods.admission import Body
from tests.pods.websockets import ServerSocket

STDIN, STDERR, VERDICT, CLOSED = 0, 2, 3, 255
HEADER = struct.Struct(">BxxxL")
UNABLE = b"OCI runtime exec failed"


def prepare(client: Any, container: Any, argv: list[str]) -> str:
    """Raises Docker's `APIError` when the container does not run."""
    return str(client.api.exec_create(container.id, argv, stdin=True)["Id"])


def execute(client: Any, prepared: str, talk: ServerSocket, *, held: bool) -> None:
    """Until the command has ended, or, where its streams are `held` by what it left behind, until the client goes.

    containerd and CRI-O wait for them, which Docker does not.
    """
    stream = client.api.exec_start(prepared, socket=True)
    with _raw(stream) as connection:
        feeder = threading.Thread(target=_feed, args=(talk, connection), daemon=True)
        feeder.start()
        failure = _pass_on(connection, talk)
        if held:
            feeder.join()
        status = client.api.exec_inspect(prepared)["ExitCode"]
        with contextlib.suppress(OSError, ValueError):
            talk.send(VERDICT, json.dumps(failure or _verdict(137 if status is None else status)).encode())
            talk.close()


def attach(container: Any, talk: ServerSocket) -> None:
    """To the standard input of the container's first process, until the client goes."""
    stream = container.attach_socket(params={"stdin": 1, "stream": 1})
    with _raw(stream) as connection:
        _feed(talk, connection)


@contextlib.contextmanager
def _raw(stream: Any) -> Iterator[Any]:
    connection = getattr(stream, "_sock", stream)
    connection.settimeout(None)
    try:
        yield connection
    finally:
        with contextlib.suppress(OSError):
            connection.shutdown(2)
        stream._response.close()
        stream.close()


def _feed(talk: ServerSocket, connection: Any) -> None:
    with contextlib.suppress(OSError):
        while (message := talk.receive()) is not None:
            if message[0] == STDIN:
                connection.sendall(message[1:])


def _pass_on(connection: Any, talk: ServerSocket) -> Body | None:
    """What the runtime says instead of beginning, if it does."""
    first = True
    with contextlib.suppress(OSError), connection.makefile("rb") as reading:
        while head := reading.read(HEADER.size):
            channel, size = HEADER.unpack(head)
            data = reading.read(size)
            if first and data.startswith(UNABLE):
                return {"status": "Failure", "reason": "InternalError", "message": data.decode().strip()}
            first = False
            talk.send(STDERR if channel == STDERR else 1, data)
    return None


def _verdict(status: int) -> Body:
    if status == 0:
        return {"metadata": {}, "status": "Success"}
    causes = [{"reason": "ExitCode", "message": str(status)}]
    message = f"command terminated with non-zero exit code: {status}"
    return {"status": "Failure", "reason": "NonZeroExitCode", "message": message, "details": {"causes": causes}}
