"""Inside a sandbox: carries what comes to 127.0.0.1:3128 to the socket beside this file, then becomes the command.

It is copied into sandboxes and runs there with whatever Python the image has, so it leans on nothing of the house.
"""

import asyncio
import os
import socket
import sys

PORT = 3128
CHUNK = 65536
NOT_FOUND = 127


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        data = await reader.read(CHUNK)
        if not data:
            break
        writer.write(data)
        await writer.drain()
    writer.write_eof()


async def _serve(listener: socket.socket, path: str) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(path)
        except OSError:  # there is no way out in this phase
            writer.close()
            return
        ways = _carry(reader, far_writer), _carry(far_reader, writer)
        await asyncio.gather(*ways, return_exceptions=True)
        far_writer.close()
        writer.close()

    server = await asyncio.start_server(connected, sock=listener)
    await server.serve_forever()


def _in_background(listener: socket.socket, path: str) -> None:
    """Serve in a process that is not the command's child, and holds nothing of it open."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nothing, descriptor)
    asyncio.run(_serve(listener, path))


def main(argv: list[str]) -> None:
    """Listen, leave somebody to serve, and run the command of these words."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", PORT))
        listener.listen(64)
    except OSError:  # an earlier command left somebody who serves
        pass
    else:
        _in_background(listener, os.path.join(os.path.dirname(os.path.abspath(__file__)), "proxy.sock"))
    listener.close()
    try:
        os.execvp(argv[0], argv)  # noqa: S606 - the sandbox's own command
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: {error.strerror}\n")
        sys.exit(NOT_FOUND)


if __name__ == "__main__":
    main(sys.argv[1:])
