"""Work that wants out, or wants everything for itself, gets neither."""

import os
import socket
from pathlib import Path

import pytest

from entropy.sandbox.factory import make_backend
from entropy.sandbox.interface import Sandbox
from tests.integration.sandbox.places import Place, processes, until
from tests.services import require

FORK_BOMB = "bomb() { bomb | bomb & }; bomb; sleep 5"
STUBBORN_FORK_BOMB = """
import os, signal
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError): pass
while True:
    try: os.fork()
    except OSError: pass
"""
MEMORY_BOMB = "hoard = []\nwhile True: hoard.append(bytearray(b'x') * 10_000_000)"
CONNECT = """
import socket, sys
connection = socket.socket()
connection.settimeout(2)
connection.connect((sys.argv[1], int(sys.argv[2])))
"""


def python(sandbox: Sandbox, code: str, *arguments: object, timeout: float = 30) -> tuple[int | None, str]:
    result = sandbox.exec(["python3", "-c", code, *map(str, arguments)], timeout=timeout)
    return result.exit_status, result.stdout + result.stderr


def is_alive(sandbox: Sandbox) -> bool:
    return sandbox.exec(["echo", "alive"]).stdout == "alive\n"


def needs_limits_as_a_whole(place: Place) -> None:
    require(
        place.settings.backend == "docker" or os.geteuid() == 0, "bubblewrap limits a sandbox as a whole only as root"
    )


def test_a_fork_bomb_stays_inside(sandbox: Sandbox) -> None:
    sandbox.exec(["sh", "-c", FORK_BOMB], timeout=2)
    until(lambda: is_alive(sandbox))  # a shell that may not fork ends; all of them, in the end
    status, _ = python(sandbox, STUBBORN_FORK_BOMB, timeout=2)
    assert status != 0
    assert is_alive(sandbox)


def test_processes_are_counted_as_a_whole(place: Place, sandbox: Sandbox) -> None:
    needs_limits_as_a_whole(place)
    script = "i=0; while [ $i -lt 100 ]; do sleep 3 & i=$((i + 1)); done"
    assert "fork" in sandbox.exec(["sh", "-c", script], timeout=20).stderr.lower()


def test_a_memory_bomb_stays_inside(sandbox: Sandbox) -> None:
    status, output = python(sandbox, MEMORY_BOMB)
    assert status == 137 or "MemoryError" in output
    assert is_alive(sandbox)


def test_memory_is_counted_as_a_whole(place: Place, sandbox: Sandbox) -> None:
    needs_limits_as_a_whole(place)
    share = "head -c 120m /dev/zero | tail -c 119m | (sleep 1; wc -c)"
    result = sandbox.exec(["sh", "-c", f"({share}) & ({share}) & ({share}) & wait"], timeout=30)
    assert result.stdout.count(str(119 * 1024 * 1024)) < 3, result


def test_a_full_disk_stays_inside(place: Place, sandbox: Sandbox) -> None:
    needs_limits_as_a_whole(place)
    fill = "cd $0; for i in 1 2 3 4 5; do head -c 20m /dev/zero > part$i || s=9; done; rm part*; exit ${s:-0}"
    for folder in ("/workspace", "/tmp", "/dev/shm"):
        assert sandbox.exec(["sh", "-c", fill, folder]).exit_status == 9, folder
    many = "i=0; while [ $i -lt 40000 ]; do : > f$i || exit 9; i=$((i + 1)); done"
    assert sandbox.exec(["sh", "-c", many]).exit_status != 0
    assert is_alive(sandbox)


@pytest.mark.parametrize("address", ["1.1.1.1", "169.254.169.254", "169.254.170.2", "10.0.0.1"])
def test_no_address_is_reachable(peephole: Sandbox, address: str) -> None:
    status, output = python(peephole, CONNECT, address, 80)
    assert status == 1
    assert "unreachable" in output


def test_the_machines_own_ports_and_sockets_are_not_reachable(peephole: Sandbox) -> None:
    with socket.create_server(("0.0.0.0", 0)) as server, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind("\0entropy-test-abstract")
        abstract.listen()
        status, output = python(peephole, CONNECT, "127.0.0.1", server.getsockname()[1])
        assert (status, "refused" in output) == (1, True)
        reach = "import socket; socket.socket(socket.AF_UNIX).connect('\\0entropy-test-abstract')"
        assert python(peephole, reach)[0] == 1
    assert peephole.exec(["sh", "-c", "ls /sys/class/net 2> /dev/null || cat /proc/net/dev"]).stdout.count("eth") == 0


def test_the_workers_environment_is_not_visible(place: Place, run_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghs_of_the_worker")
    with make_backend(place.settings).open(run_id) as sandbox:
        seen = sandbox.exec(["sh", "-c", "env; cat /proc/*/environ /proc/*/cmdline; cat /proc/self/mountinfo"]).stdout
        environment = sandbox.exec(["env"]).stdout
    assert "ghs_of_the_worker" not in seen
    assert {line.split("=")[0] for line in environment.split()} <= {
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "LANG",
        "CI",
        "PYTHONDONTWRITEBYTECODE",
        "PWD",
        "HOSTNAME",
        "_",
    }


def test_the_machines_files_are_not_visible(place: Place, peephole: Sandbox, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of the machine")
    for path in (
        secret,
        "/etc/shadow",
        "/root/.bashrc",
        "/home",
        "/var/run/docker.sock",
        "/run/docker.sock",
        "/etc/machine-id",
    ):
        listed = peephole.exec(["sh", "-c", f"cat {path} || ls {path}/*"])
        assert listed.exit_status != 0, (path, listed.stdout)
    assert peephole.exec(["sh", "-c", "grep -q ':[$]' /etc/shadow"]).exit_status != 0


def test_nothing_but_its_own_folders_is_writable(peephole: Sandbox) -> None:
    search = "find / -xdev -type d -writable 2> /dev/null"
    found = peephole.exec(["sh", "-c", search])
    places = {path for path in found.stdout.split() if not path.startswith(("/proc", "/tmp", "/workspace", "/dev/shm"))}
    for path in places | {"/", "/usr", "/usr/bin", "/etc", "/dev"}:
        assert peephole.exec(["touch", f"{path}/x"]).exit_status != 0, path


def test_there_is_no_way_to_more_rights(peephole: Sandbox) -> None:
    status = peephole.exec(["cat", "/proc/self/status"]).stdout
    assert "CapEff:\t0000000000000000" in status
    assert "CapBnd:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert "0" not in peephole.exec(["sh", "-c", "id -u; id -g; id -G"]).stdout.split()
    for attempt in (
        "unshare --user --map-root-user true",
        "mount -t tmpfs tmpfs /tmp",
        "echo x > /proc/sys/kernel/core_pattern",
        "echo x > /proc/sysrq-trigger",
        "chroot / true",
        "mknod /tmp/disk b 254 0",
        "nsenter --target 1 --mount true",
        "kill -0 $(($(ls -d /proc/[0-9]* | wc -l) + 5000))",
    ):
        assert peephole.exec(["sh", "-c", attempt]).exit_status != 0, attempt


def test_two_sandboxes_do_not_see_each_other(place: Place, sandbox: Sandbox, peephole: Sandbox) -> None:
    assert (
        sandbox.exec(
            ["sh", "-c", "echo mine > /workspace/mine; echo mine > /tmp/mine; echo x > /dev/shm/mine"]
        ).exit_status
        == 0
    )
    look = "ls /workspace /tmp /dev/shm | grep mine; cat /proc/*/cmdline | tr '\\0' ' '"
    assert "mine\n" not in peephole.exec(["sh", "-c", look]).stdout


def test_killing_everything_inside_ends_the_sandbox_not_the_work(sandbox: Sandbox) -> None:
    sandbox.exec(["sh", "-c", "echo kept > file"])
    assert sandbox.exec(["sh", "-c", "kill -9 -1; kill -9 1; sleep 2; exit 5"], timeout=20).exit_status in (5, 137)
    assert sandbox.exec(["cat", "file"]).stdout == "kept\n"


def test_nothing_of_a_command_is_left_on_the_machine(sandbox: Sandbox, run_id: str) -> None:
    mark = f"4{int(run_id[-6:], 16)}"
    sandbox.exec(["sh", "-c", f"setsid sleep {mark} & sleep {mark}"], timeout=1)
    assert processes(f"sleep {mark}") == []
