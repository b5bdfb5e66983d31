"""What is asked of a cluster, whatever the settings, and what is made of what comes back over its streams."""

import pytest

from entropy.sandbox.backends import pods
from entropy.sandbox.backends.cluster import meaning
from entropy.sandbox.backends.pod_exec import SCRIPT, _Errors, exit_status
from entropy.sandbox.backends.pods import LIVES
from entropy.sandbox.output import Output
from entropy.sandbox.policy import SandboxPolicy
from entropy.settings import SandboxSettings

SECRET = "5e" * 16
LINE = f"\0{SECRET} 137\n".encode()


def made(**cluster: object) -> pods.Body:
    settings = SandboxSettings.model_validate({"backend": "kubernetes", "kubernetes": cluster})
    return pods.pod("name", SandboxPolicy.of(settings), settings.kubernetes, labels={"a": "b"}, node="node-7")


def test_settings_come_into_the_pod() -> None:
    spec = made(runtime_class="gvisor", seccomp="entropy.json", node_selector="pool=x, arch=arm", user_namespaces=True)[
        "spec"
    ]
    assert (spec["runtimeClassName"], spec["hostUsers"]) == ("gvisor", False)
    assert spec["nodeSelector"] == {"pool": "x", "arch": "arm"}
    assert spec["securityContext"]["seccompProfile"] == {"type": "Localhost", "localhostProfile": "entropy.json"}
    assert "node-7" in str(spec["affinity"])
    usual = made()["spec"]
    assert usual["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"runtimeClassName", "hostUsers"} & set(usual)


def test_only_one_life_asks_for_room_and_each_has_a_bound() -> None:
    resources = {one["name"]: one["resources"] for one in made()["spec"]["containers"]}
    assert len({str(one["limits"]) for one in resources.values()}) == 1
    assert resources[LIVES[0]]["requests"] == resources[LIVES[0]]["limits"]
    others = [one["requests"]["cpu"] for name, one in resources.items() if name != LIVES[0]]
    assert set(others) == {"1m"}


@pytest.mark.parametrize("cut", range(1, len(LINE)))
def test_the_last_line_is_found_wherever_the_stream_is_cut(cut: int) -> None:
    output = Output(head=10_000, tail=10_000)
    errors = _Errors(output, SECRET)
    for part in (b"\0", b"before", LINE[:cut], LINE[cut:], b"after"):
        errors.feed(part)
    errors.finish()
    assert errors.status == 137
    assert output.content() == b"beforeafter"


def test_what_looks_like_the_last_line_is_part_of_the_output() -> None:
    output = Output(head=100_000, tail=100_000)
    errors = _Errors(output, SECRET)
    forged = b"\0" + b"0" * 32 + b" 0\n" + b"x" * 70_000
    said = b"\0" + forged
    for start in range(0, len(said), 1000):
        errors.feed(said[start : start + 1000])
    errors.finish()
    assert errors.status is None
    assert output.content() == forged


def test_the_runtimes_verdict() -> None:
    causes = {"causes": [{"reason": "ExitCode", "message": "3"}]}
    assert exit_status({"status": "Success"}) == 0
    assert exit_status({"status": "Failure", "reason": "NonZeroExitCode", "details": causes}) == 3
    assert exit_status({"status": "Failure", "reason": "InternalError", "message": "container not found"}) is None
    other = {"causes": [{"reason": "FieldValueInvalid", "message": "the container is gone"}]}
    assert exit_status({"status": "Failure", "details": other}) is None
    assert exit_status({}) is None


def test_the_shell_around_a_command_keeps_its_secret_to_itself() -> None:
    assert "export" not in SCRIPT
    assert SCRIPT.index("read -r go") < SCRIPT.index('"$@"') < SCRIPT.index('"$go"')


@pytest.mark.parametrize(
    ("status", "words", "wanted"),
    [
        (403, 'pods "x" is forbidden: exceeded quota: sandboxes', "SandboxUnavailable"),
        (403, 'pods "x" is forbidden: violates PodSecurity "restricted:latest"', "ConfigurationError"),
        (404, 'namespaces "x" not found', "ConfigurationError"),
        (409, "the object has been modified", "SandboxUnavailable"),
        (422, 'Pod "x" is invalid', "ConfigurationError"),
        (429, "too many requests", "SandboxUnavailable"),
        (500, "etcdserver: request timed out", "SandboxUnavailable"),
    ],
)
def test_each_refusal_says_whether_to_try_again(status: int, words: str, wanted: str) -> None:
    error = meaning(status, words)
    assert type(error).__name__ == wanted
    assert words in str(error)
