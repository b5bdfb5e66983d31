"""What the kernel does not do for work in a sandbox, whichever way it is asked; and what it still does."""

import io
import platform
import tarfile
from contextlib import closing
from pathlib import Path

import docker
import pytest

from entropy.sandbox.backends.bubblewrap import NamespaceCell
from entropy.sandbox.canaries import REFUSED, programs
from entropy.sandbox.command import Command
from entropy.sandbox.factory import make_backend
from entropy.sandbox.interface import Sandbox
from entropy.sandbox.policy import SandboxPolicy
from tests.integration.sandbox.places import BubblewrapPlace, DockerPlace

CALL = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
buffer = ctypes.create_string_buffer(4096)
result = libc.syscall(*(ctypes.c_long(eval(word, {"buffer": ctypes.addressof(buffer)})) for word in sys.argv[1:]))
print(os.strerror(ctypes.get_errno()) if result < 0 else "succeeded")
"""
BY_NUMBER = {
    "add_key": ("248", "buffer", "buffer", "buffer", "1", "-3"),
    "bpf": ("321", "0", "buffer", "72"),
    "chroot": ("161", "buffer"),
    "clone3": ("435", "buffer", "88"),
    "fsopen": ("430", "buffer", "0"),
    "io_uring_enter": ("426", "0", "0", "0", "0", "0"),
    "io_uring_register": ("427", "0", "0", "0", "0"),
    "kcmp": ("312", "1", "1", "0", "0", "0"),
    "kexec_load": ("246", "0", "0", "0", "0"),
    "mount": ("165", "buffer", "buffer", "buffer", "0", "0"),
    "mount_setattr": ("442", "-100", "buffer", "0", "buffer", "32"),
    "open_by_handle_at": ("304", "-100", "buffer", "0"),
    "open_tree": ("428", "-100", "buffer", "1"),
    "perf_event_open": ("298", "buffer", "0", "-1", "-1", "0"),
    "pidfd_getfd": ("438", "0", "0", "0"),
    "pivot_root": ("155", "buffer", "buffer"),
    "process_vm_writev": ("311", "1", "0", "0", "0", "0", "0"),
    "request_key": ("249", "buffer", "buffer", "0", "-3"),
    "setns": ("308", "0", "0"),
    "umount2": ("166", "buffer", "0"),
}
"""On x86_64; the arguments are such that an unfiltered kernel has another complaint, or none."""
FAMILIES = {"vsock": 40, "alg": 38, "packet": 17, "bluetooth": 31, "tipc": 30, "can": 29, "rds": 21, "xdp": 44}
NEEDED = """
import asyncio, concurrent.futures, multiprocessing, os, pty, signal, socket, sqlite3, subprocess, tempfile, threading
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname()).close()
assert socket.getaddrinfo("localhost", 80)
left, right = socket.socketpair()
left.send(b"x"); assert right.recv(1) == b"x"
asyncio.run(asyncio.create_subprocess_exec("true"))
with multiprocessing.Pool(2) as pool: assert pool.map(abs, [-1, -2]) == [1, 2]
with concurrent.futures.ThreadPoolExecutor(4) as threads: assert list(threads.map(abs, [-1])) == [1]
with tempfile.TemporaryDirectory() as folder:
    database = sqlite3.connect(f"{folder}/x"); database.execute("create table t (a)"); database.close()
os.memfd_create("x"); os.pidfd_open(os.getpid()); signal.alarm(0); os.nice(1)
assert subprocess.run(["git", "init", "-q", "/tmp/repository"]).returncode == 0
"""

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers are those of x86_64")


def packed(files: dict[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as writing:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.mode, info.size = 0o755, len(content)
            writing.addfile(info, io.BytesIO(content))
    return archive.getvalue()


@pytest.mark.parametrize("name", programs("x86_64"))
def test_an_unwanted_call_is_refused(peephole: Sandbox, name: str) -> None:
    _, content = programs("x86_64")[name]
    script = "cd $(mktemp -d) && tar -xf - && ./*; exit $?"
    assert peephole.exec(["sh", "-c", script], stdin=packed({name: content})).exit_status in REFUSED


@pytest.mark.parametrize("name", BY_NUMBER)
def test_a_call_that_needs_no_success_to_do_harm_is_refused_before_it_looks(peephole: Sandbox, name: str) -> None:
    said = peephole.exec(["python3", "-c", CALL, *BY_NUMBER[name]]).stdout.strip()
    assert said in ("Operation not permitted", "Function not implemented"), said


@pytest.mark.parametrize("family", FAMILIES)
def test_no_socket_but_ip_and_the_sandboxs_own(peephole: Sandbox, family: str) -> None:
    said = peephole.exec(["python3", "-c", CALL, "41", str(FAMILIES[family]), "2", "0"]).stdout.strip()
    assert said in ("Operation not permitted", "Address family not supported by protocol"), said


def test_netlink_tells_of_addresses_only(peephole: Sandbox) -> None:
    answers = [peephole.exec(["python3", "-c", CALL, "41", "16", "3", number]).stdout.strip() for number in ("0", "12")]
    assert answers[0] == "succeeded"
    assert answers[1] in ("Operation not permitted", "Address family not supported by protocol")


def test_every_process_is_filtered_from_its_beginning(peephole: Sandbox) -> None:
    seen = peephole.exec(["sh", "-c", "sleep 5 & grep -h '^Seccomp:' /proc/[0-9]*/status"]).stdout
    assert set(seen.split("\n")) == {"Seccomp:\t2", ""}
    assert seen.count("\n") >= 3


def test_what_programs_need_still_works(peephole: Sandbox) -> None:
    result = peephole.exec(["python3", "-c", NEEDED])
    assert result.exit_status == 0, result.stderr


@pytest.mark.bubblewrap
def test_bubblewraps_collector_is_filtered_too(tmp_path: Path, run_id: str) -> None:
    place = BubblewrapPlace(tmp_path)
    cell = NamespaceCell(place.settings.directory / f"{run_id}.x", SandboxPolicy.of(place.settings))
    try:
        cell.make()
        looked = Command(["grep", "^Seccomp:", "/proc/self/status", "/proc/1/status"], seconds=10, keep=(1000, 0))
        cell.inspect(looked)
    finally:
        cell.remove()
    assert looked.stdout.text().count("Seccomp:\t2") == 2


@pytest.mark.docker
def test_every_container_is_made_with_every_restriction(tmp_path: Path, run_id: str) -> None:
    with closing(DockerPlace(tmp_path)) as place, make_backend(place.settings).open(run_id) as sandbox:
        for _ in range(2):  # by the second command everything is there
            sandbox.exec(["true"])
        client = docker.DockerClient(base_url=place.settings.docker_host)
        with closing(client):
            found = client.containers.list(filters={"label": f"entropy.run={run_id}"})
    hosts = [container.attrs["HostConfig"] for container in found]
    parts = {container.labels["entropy.part"] for container in found}
    assert parts == {"worker", "collector"}
    # The image of ops/images/build knows localhost by itself, which is what the daemon's network would be for.
    assert all(container.attrs["Config"]["NetworkDisabled"] for container in found)
    for host in hosts:
        assert host["CapDrop"] == ["ALL"]
        assert not host["CapAdd"]
        assert host["ReadonlyRootfs"] is True
        assert host["Privileged"] is False
        assert "no-new-privileges" in host["SecurityOpt"]
        assert any(option.startswith('seccomp={"defaultAction": "SCMP_ACT_ERRNO"') for option in host["SecurityOpt"])
        assert (host["IpcMode"], host["NetworkMode"], host["LogConfig"]["Type"]) == ("private", "none", "none")
        assert (host["OomScoreAdj"], host["AutoRemove"], host["Init"]) == (500, True, True)
        assert host["Memory"] == host["MemorySwap"] > 0
        assert {limit["Name"] for limit in host["Ulimits"]} >= {"nofile", "fsize", "core"}
        assert not host["Binds"]
        assert all(option in host["Tmpfs"]["/tmp"] for option in ("exec", "nosuid", "nodev", "size=", "nr_inodes="))
        assert [mount["VolumeOptions"]["NoCopy"] for mount in host["Mounts"]] == [True]
