"""Runs inside the sandbox as a recipe: tries to reach what an agent must not reach, and writes down what it got."""

import json
import os
import pathlib
import socket

TARGETS = json.loads(pathlib.Path("targets.json").read_text()) if pathlib.Path("targets.json").exists() else {}


def connects(family: int, address: object) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(2)
        try:
            probe.connect(address)
        except OSError:
            return False
        return True


def readable(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            file.read(1)
    except OSError:
        return False
    return True


def environments() -> str:
    """Every environment of every process that is visible from here."""
    texts = [repr(dict(os.environ))]
    for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
        try:
            texts.append(path.read_bytes().decode("utf-8", "replace"))
        except OSError:
            continue
    return "\n".join(texts)


def main() -> None:
    found = environments()
    got = {
        "connected": [port for port in TARGETS.get("ports", []) if connects(socket.AF_INET, ("127.0.0.1", port))]
        + [address for address in ("1.1.1.1", "169.254.169.254") if connects(socket.AF_INET, (address, 80))],
        "sockets": [path for path in TARGETS.get("sockets", []) if connects(socket.AF_UNIX, path)],
        "files": [path for path in TARGETS.get("files", []) if readable(path)],
        "words": [word for word in TARGETS.get("words", []) if word in found],
        "own_environment": sorted(os.environ),
    }
    pathlib.Path("widgets/loot.json").write_text(json.dumps(got, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
