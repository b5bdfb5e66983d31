"""Sandboxes as Fargate tasks, on moto's ECS and S3 and a small Fargate of these tests; see `tests.fargate`."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from entropy.errors import ConfigurationError, PolicyViolation, SandboxUnavailable
from entropy.sandbox.backends.aws import AwsAccount
from entropy.sandbox.backends.ecs import EcsBackend
from entropy.sandbox.backends.fargate_tasks import FargateTasks
from entropy.sandbox.backends.mailbox import Mailbox
from entropy.sandbox.belongings import Kind
from entropy.sandbox.canaries import Guarantee
from entropy.sandbox.command import Command
from entropy.sandbox.factory import make_backend
from entropy.sandbox.interface import Backend, Sandbox
from entropy.sandbox.policy import SandboxPolicy
from entropy.settings import SandboxBounds, SandboxSettings
from tests.fargate import CLUSTER, CREDENTIALS, REGION, Fargate, client, moto_server
from tests.integration.sandbox.places import MARK, SMALL, DockerPlace, until
from tests.integration.sandbox.test_contract import BASE, BINARY, CHANGE, CHANGED
from tests.integration.sandbox.trees import patched, tar

pytestmark = pytest.mark.docker
BUCKET = "mailboxes"


@pytest.fixture(scope="module")
def fargate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fargate]:
    place = DockerPlace(tmp_path_factory.mktemp("docker"))
    place.close()
    with pytest.MonkeyPatch.context() as environment, moto_server() as address:
        for name, value in CREDENTIALS.items():
            environment.setenv(name, value)
        with Fargate(address, place.settings.docker_host, place.settings.image) as fargate:
            yield fargate


@pytest.fixture(scope="module")
def settings(fargate: Fargate) -> SandboxSettings:
    s3, ec2 = (client(name, fargate.address) for name in ("s3", "ec2"))
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    (subnet, *_) = ec2.describe_subnets()["Subnets"]
    (group, *_) = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [subnet["VpcId"]]}])[
        "SecurityGroups"
    ]
    for opened in (s3, ec2):
        opened.close()
    place = {
        "cluster": CLUSTER,
        "task_definition": fargate.register(),
        "subnets": (subnet["SubnetId"],),
        "security_groups": (group["GroupId"],),
        "bucket": BUCKET,
        "region": REGION,
        "endpoint": fargate.address,
        "poll": 0.1,
        "start_timeout": 60,
    }
    settings = SandboxSettings.model_validate({**SMALL, "backend": "ecs", "owner": MARK, "ecs": place})
    make_backend(settings).preflight()  # whose task is not one to tamper with
    return settings


def changed(settings: SandboxSettings, **changes: object) -> Backend:
    asked = {"ecs": {**settings.ecs.model_dump(), **changes}}
    return make_backend(SandboxSettings.model_validate({**settings.model_dump(), **asked}))


@pytest.fixture(scope="module")
def backend(settings: SandboxSettings) -> Backend:
    return make_backend(settings)


@pytest.fixture
def run_id(fargate: Fargate) -> Iterator[str]:
    yield f"{MARK}-{uuid.uuid4().hex}"
    fargate.tamper = ""


def shell(sandbox: Sandbox, script: str, timeout: float | None = None) -> str:
    result = sandbox.exec(["sh", "-c", script], timeout=timeout)
    assert result.exit_status == 0, result
    return result.stdout


def leaves_nothing(backend: Backend, fargate: Fargate) -> None:
    assert backend.belongings() == []
    until(lambda: not fargate.containers())


def test_preflight_finds_every_bound(backend: Backend, fargate: Fargate) -> None:
    assert backend.preflight() == ()
    assert backend.preflight() == ()
    leaves_nothing(backend, fargate)


def test_a_tree_goes_in_commands_run_and_a_patch_comes_out(
    backend: Backend, fargate: Fargate, run_id: str, tmp_path: Path
) -> None:
    with backend.open(run_id) as sandbox:
        sandbox.put(tar(BASE))
        shout = sandbox.exec(["sh", "-c", "cat; echo err >&2; exit 3"], stdin=b"in")
        assert (shout.exit_status, shout.stdout, shout.stderr, shout.timed_out) == (3, "in", "err\n", False)
        assert sandbox.exec(["no-such-program"]).exit_status == 127
        assert sandbox.exec(["sh", "-c", "kill -9 $$"]).exit_status == 137
        assert sandbox.exec(["wc", "-c"], stdin=BINARY * 700).stdout.strip() == str(len(BINARY) * 700)
        assert sandbox.exec(["true"], stdin=BINARY * 700).exit_status == 0
        assert sandbox.exec(["sh", "-c", "sleep 50 & echo done"]).stdout == "done\n"
        shell(sandbox, CHANGE)
        patch = sandbox.collect()
        kinds = {thing.kind: thing.run for thing in backend.belongings()}
    assert patched(tmp_path, BASE, patch) == CHANGED
    assert kinds == {Kind.TASK: run_id, Kind.OBJECTS: run_id}
    leaves_nothing(backend, fargate)


LOOK = """
id -u; grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status; env | cut -d= -f1 | sort | tr '\\n' ' '; echo
cat /proc/1/environ /proc/[0-9]*/environ 2> /dev/null | tr '\\0' '\\n' | grep -c -e http -e AWS -e ENTROPY
tr '\\0' '\\n' < /proc/1/cmdline | grep -c http
python3 -c 'import socket; socket.create_connection(("127.0.0.1", int("{port}")))' 2>&1 | tail -1
touch /usr/x /etc/x / 2>&1 | grep -c -i 'read-only'
kill -9 1 2>&1; exit 0
"""


def sees_nothing(sandbox: Sandbox, fargate: Fargate) -> None:
    port = str(urlsplit(fargate.address).port)
    seen = sandbox.exec(["sh", "-c", LOOK.replace("{port}", port)]).stdout.splitlines()
    assert seen[0] == str(fargate.uid)
    assert seen[1:4] == ["CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"]
    assert set(seen[4].split()) <= {"PATH", "HOME", "LANG", "CI", "PYTHONDONTWRITEBYTECODE", "PWD"}
    assert seen[5:7] == ["0", "0"]  # no address in any environment, nor on a command line
    assert "not supported" in seen[7]
    assert seen[8] != "0"


def test_untrusted_work_has_no_rights_and_its_bounds_spare_the_workspace(
    backend: Backend, fargate: Fargate, run_id: str
) -> None:
    with backend.open(run_id) as sandbox:
        sandbox.put(tar({"kept": b"1\n"}))
        sees_nothing(sandbox, fargate)
        daemon = "setsid sh -c 'trap \"\" TERM HUP; while :; do date >> alive; sleep 0.05; done' & sleep 60"
        late = sandbox.exec(["sh", "-c", daemon], timeout=1)
        assert (late.exit_status, late.timed_out) == (None, True)
        first, second, kept = shell(sandbox, "wc -c < alive; sleep 0.3; wc -c < alive; cat kept").split()
        assert (first, kept) == (second, "1")
        flood = sandbox.exec(["sh", "-c", "echo first; yes | head -c 5000000; echo last; echo problem >&2"])
        assert (flood.exit_status, flood.truncated, flood.stderr) == (0, True, "problem\n")
        assert flood.stdout.startswith("first\n")
        assert flood.stdout.endswith("last\n")
        assert len(flood.stdout) < 16 * 1024 + 100
        assert sandbox.exec(["yes"], timeout=0.5).timed_out
        sandbox.exec(["sh", "-c", "bomb() { bomb | bomb & }; bomb; sleep 5"], timeout=1)
        hoard = "hoard = []\nwhile True: hoard.append(bytearray(b'x') * 10_000_000)"
        assert sandbox.exec(["python3", "-c", hoard]).exit_status == 137
        assert sandbox.exec(["sh", "-c", "kill -9 -1; kill -9 1; exit 5"]).exit_status in (5, 137)
        assert shell(sandbox, "cat kept") == "1\n"
        assert b"+++ b/alive" in sandbox.collect()


def test_two_sandboxes_have_each_their_own_mailbox(backend: Backend, settings: SandboxSettings, run_id: str) -> None:
    with backend.open(f"{run_id}-one") as one, backend.open(f"{run_id}-two") as two:
        for sandbox, name in ((one, "one"), (two, "two")):
            sandbox.put(tar({"a": b"1\n"}))
            shell(sandbox, f"echo {name} > a; echo {name} > /tmp/{name}")
        assert shell(two, "cat a; ls /tmp").split() == ["two", "two"]
        assert b"+one\n" in one.collect()
        folders = addresses(settings)
    workers = [folder for folder in folders if "/worker-" in folder]
    assert len(workers) == 2
    for folder in workers:
        assert {address.rpartition("/")[0] for address in folders[folder]} == {folder}
    (collector,) = folders.keys() - set(workers)
    (work,) = (folder for folder in workers if f"{run_id}-one/" in folder)
    of_others = {address for address in folders[collector] if not address.startswith(collector)}
    assert of_others == {f"{work}/workspace.tar"}


def addresses(settings: SandboxSettings) -> dict[str, set[str]]:
    """The keys that each task's folder tells of: in its runner, and in its orders."""
    s3 = client("s3", settings.ecs.endpoint)
    found: dict[str, set[str]] = {}
    for thing in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ()):
        folder, _, name = thing["Key"].rpartition("/")
        if name == "runner" or name.endswith(".order"):
            text = s3.get_object(Bucket=BUCKET, Key=thing["Key"])["Body"].read().decode()
            told = [*re.findall(rf'/{BUCKET}/([^"?]+)\?', text), *re.findall(r'"key": "([^"]+)"', text)]
            found.setdefault(folder, set()).update(told)
    s3.close()
    return found


def test_a_report_that_no_runner_writes_ends_the_sandbox(backend: Backend, fargate: Fargate, run_id: str) -> None:
    fargate.tamper = "Runner.run = lambda self, order: {'status': 'fine'}"
    with backend.open(run_id) as sandbox:
        with pytest.raises(PolicyViolation, match="no runner writes"):
            sandbox.exec(["true"])
        until(lambda: not fargate.containers())


KEPT = {"head": "eA==", "tail": "", "total": 1}
HONEST = {"status": 0, "seconds": 0.5, "stdout": KEPT, "stderr": KEPT, "exported": None, "trouble": ""}
FORGED = {
    "another shape": {**HONEST, "status": "0"},
    "more than was asked": {**HONEST, "more": "x"},
    "longer than it may be": {**HONEST, "trouble": "x" * 100_000},
    "not base64": {**HONEST, "stdout": {**KEPT, "head": "?"}},
    "more than was to be kept": {**HONEST, "stdout": {"head": "eHh4" * 9, "tail": "", "total": 27}},
    "more than there was": {**HONEST, "stdout": {**KEPT, "total": 0}},
    "no exit status": {**HONEST, "status": 256},
    "no time": {**HONEST, "seconds": float("nan")},
    "no length": {**HONEST, "stdout": {**KEPT, "total": 10**4000}},
    "a gap where none can be": {**HONEST, "stdout": {**KEPT, "total": 2}},
}


@pytest.mark.parametrize("lie", ["none", *FORGED])
def test_what_a_runner_can_have_written_is_told_from_what_it_cannot(settings: SandboxSettings, lie: str) -> None:
    command = Command(["true"], seconds=1, keep=(16, 8))
    with AwsAccount(settings.ecs).clients() as clients:
        mailbox = Mailbox(clients.s3, settings.ecs, "forged", SandboxPolicy.of(settings))
        mailbox.send(command)
        assert mailbox.report(command) is None
        told = json.dumps(FORGED.get(lie, HONEST)).encode()
        clients.s3.put_object(Bucket=BUCKET, Key="forged/1.report", Body=told)
        if lie == "none":
            assert mailbox.report(command)
            assert command.stdout.content() == b"x"
        else:
            with pytest.raises(PolicyViolation, match="no runner writes"):
                mailbox.report(command)
        for name in ("1.order", "1.report"):
            clients.s3.delete_object(Bucket=BUCKET, Key=f"forged/{name}")


EXPORTED = """
import io, tarfile
packed = io.BytesIO()
with tarfile.open(fileobj=packed, mode="w") as archive:
    def add(name, kind=tarfile.REGTYPE, link="", content=b""):
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.size = kind, link, len(content)
        archive.addfile(info, io.BytesIO(content))
    CONTENT
def hostile(self, order, size):
    post(order["export"]["form"], [packed.getvalue()], len(packed.getvalue()))
Runner._export = hostile
"""


def exported(content: str) -> str:
    return EXPORTED.replace("CONTENT", content)


def test_a_forged_workspace_is_a_patch_like_any_other(backend: Backend, fargate: Fargate, run_id: str) -> None:
    fargate.tamper = exported(
        'add("a", content=b"2\\n"); add("disk", tarfile.BLKTYPE); add("b", tarfile.SYMTYPE, "/etc")'
    )
    with backend.open(run_id) as sandbox:
        sandbox.put(tar({"a": b"1\n"}))
        patch = sandbox.collect()
    assert patch.count(b"diff --git") == 2
    assert b"-1\n+2\n" in patch
    assert b"+/etc\n" in patch


UNFIT = {
    'add("../x", content=b"x")': "lies outside",
    "archive.fileobj.write(bytes(17 << 20))": "holds more than it may",
}


@pytest.mark.parametrize("content", UNFIT)
def test_a_forged_workspace_that_is_none_is_refused(
    backend: Backend, settings: SandboxSettings, fargate: Fargate, run_id: str, content: str
) -> None:
    fargate.tamper = exported(content)
    small, _ = SandboxPolicy.of(settings).tightened(SandboxBounds(workspace_mib=16, inodes=256))
    with backend.open(run_id, small) as sandbox:
        sandbox.put(tar({"a": b"1\n"}))
        with pytest.raises(PolicyViolation, match=f"No patch could be made: .*{UNFIT[content]}"):
            sandbox.collect()
    # moto calls a task stopped at once, and its container has a moment left, in which a collector may say hello.
    until(lambda: not fargate.containers())
    backend.reap(set())
    leaves_nothing(backend, fargate)


def test_a_workspace_that_cannot_be_packed_is_refused(backend: Backend, run_id: str) -> None:
    with backend.open(run_id) as sandbox:
        sandbox.exec(["sh", "-c", "mkdir closed; echo x > closed/x; chmod 000 closed"])
        with pytest.raises(PolicyViolation, match=r"No patch could be made: .*Permission denied"):
            sandbox.collect()


def test_a_task_that_stops_takes_its_workspace_with_it(backend: Backend, fargate: Fargate, run_id: str) -> None:
    with backend.open(run_id) as sandbox:
        (container,) = fargate.containers()
        container.kill()
        lost = sandbox.exec(["sleep", "20"])
        assert lost.exit_status == 137
        assert "Essential container in task exited" in lost.stderr
        with pytest.raises(SandboxUnavailable, match="its workspace is gone"):
            sandbox.exec(["true"])
        with pytest.raises(SandboxUnavailable, match="its workspace is gone"):
            sandbox.collect()


def test_a_task_that_says_nothing_is_stopped(settings: SandboxSettings, fargate: Fargate, run_id: str) -> None:
    fargate.tamper = "Runner.obey = lambda self, order: time.sleep(600)"
    with changed(settings, grace=0.5).open(run_id) as sandbox:
        assert sandbox.exec(["true"], timeout=0.1).timed_out
        until(lambda: not fargate.containers())
        with pytest.raises(SandboxUnavailable, match="its workspace is gone"):
            sandbox.exec(["true"])


WORKER = """
import sys
from entropy.sandbox.factory import make_backend
from entropy.settings import SandboxBounds, SandboxSettings
with make_backend(SandboxSettings.model_validate_json(sys.argv[1])).open(sys.argv[2]) as sandbox:
    print("ready", flush=True)
    sandbox.exec(["sleep", "60"])
"""


def test_the_reaper_stops_what_a_killed_worker_left_and_nothing_else(
    backend: Backend, settings: SandboxSettings, fargate: Fargate, run_id: str
) -> None:
    argv = [sys.executable, "-c", WORKER, settings.model_dump_json(), run_id]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env=dict(os.environ)) as worker:
        assert worker.stdout
        removed = []
        while not select.select([worker.stdout], [], [], 0.3)[0]:  # it proves its definition anew, undisturbed
            removed += backend.reap({run_id})
        assert (removed, worker.stdout.readline()) == ([], b"ready\n")
        worker.send_signal(signal.SIGKILL)
    assert backend.reap({run_id, "another"}) == []
    assert [container.status for container in fargate.containers()] == ["running"]
    assert [name.split("/")[0] for name in backend.reap({"another"})] == [run_id, run_id]
    leaves_nothing(backend, fargate)
    assert backend.reap(set()) == []


def test_a_task_past_its_time_goes_even_when_its_run_is_alive(
    backend: Backend, settings: SandboxSettings, fargate: Fargate, run_id: str
) -> None:
    with AwsAccount(settings.ecs).clients() as clients:
        tasks = FargateTasks(clients.ecs, settings.ecs, settings.owner)
        definition = tasks.definition(settings.ecs.task_definition)
        tasks.run(definition, SandboxPolicy.of(settings), run_id=run_id, now=0, runner="http://127.0.0.1:9/")
        assert len(backend.reap({run_id})) == 1
        assert tasks.all() == []
    leaves_nothing(backend, fargate)


def test_what_is_kept_stays_until_its_run_is_over(
    backend: Backend, settings: SandboxSettings, fargate: Fargate, run_id: str
) -> None:
    short, _ = SandboxPolicy.of(settings).tightened(SandboxBounds(timeout=0.2))
    with backend.open(run_id, short) as sandbox:
        assert sandbox.exec(["true"]).timed_out  # it has taken longer to begin
        sandbox.keep()
    assert backend.reap({run_id}) == []
    assert {thing.run for thing in backend.belongings()} == {run_id}
    backend.clear()
    leaves_nothing(backend, fargate)


EXCESSIVE = {
    "a task role": ({"taskRoleArn": "arn:aws:iam::123456789012:role/rights"}, "has a task role"),
    "capabilities": ({"linuxParameters": {"initProcessEnabled": True}}, "leaves all capabilities"),
    "a writable root": ({"readonlyRootFilesystem": False}, "not read-only"),
    "an environment": ({"environment": [{"name": "TOKEN", "value": "x"}]}, "hands an environment"),
    "another beginning": ({"entryPoint": ["sh", "-c"]}, "does not begin"),
}


@pytest.mark.parametrize("what", EXCESSIVE)
def test_a_definition_that_gives_too_much_is_refused(settings: SandboxSettings, fargate: Fargate, what: str) -> None:
    changes, complaint = EXCESSIVE[what]
    unfit = changed(settings, task_definition=fargate.register(family="unfit", **changes))
    with pytest.raises(ConfigurationError, match=complaint):
        unfit.preflight()


def test_preflight_says_what_a_definition_and_a_setting_leave_unbounded(
    settings: SandboxSettings, fargate: Fargate
) -> None:
    wide = settings.model_copy(
        update={"workspace_mib": 32, "inodes": 4096, "ecs": settings.ecs.model_copy(update={"sockets": True})}
    )
    backend = EcsBackend(wide)
    assert set(backend.preflight()) == {Guarantee.SIZE, Guarantee.FILES, Guarantee.NETWORK}


@pytest.mark.parametrize(
    ("changes", "error", "complaint"),
    [
        ({"cluster": "none"}, ConfigurationError, "ENTROPY_SANDBOX__ECS__CLUSTER"),
        ({"task_definition": "none:1"}, ConfigurationError, "ENTROPY_SANDBOX__ECS__TASK_DEFINITION"),
        ({"bucket": "no-such-bucket"}, ConfigurationError, "ENTROPY_SANDBOX__ECS__BUCKET"),
        ({"subnets": ()}, ConfigurationError, "ENTROPY_SANDBOX__ECS__SUBNETS"),
        ({"endpoint": "http://127.0.0.1:9"}, SandboxUnavailable, "AWS does not answer"),
    ],
)
def test_what_is_missing_is_said_with_the_next_step(
    settings: SandboxSettings, run_id: str, changes: dict[str, object], error: type[Exception], complaint: str
) -> None:
    with pytest.raises(error, match=complaint), changed(settings, **changes).open(run_id):
        pytest.fail("a sandbox was opened")


def test_a_policy_with_a_way_out_is_refused(settings: SandboxSettings, run_id: str) -> None:
    asked = {**settings.model_dump(), "egress": {"agent_hosts": ("example.org",)}}
    with pytest.raises(ConfigurationError, match="no way out, and agent would have one"):
        make_backend(SandboxSettings.model_validate(asked)).preflight()
