"""Settings become bounds, and bounds that cannot hold are refused."""

import pytest
from pydantic import ValidationError

from entropy.errors import ConfigurationError
from entropy.sandbox.factory import make_backend
from entropy.sandbox.policy import SandboxPolicy
from entropy.settings import SandboxBounds, SandboxSettings, load


def test_settings_become_bytes_and_seconds() -> None:
    policy = SandboxPolicy.of(
        SandboxSettings(memory_mib=1024, workspace_mib=512, tmp_mib=128, output_kib=64, patch_mib=2)
    )
    assert (policy.memory, policy.workspace, policy.tmp) == (1 << 30, 1 << 29, 1 << 27)
    assert (policy.output, policy.patch) == (65536, 2 << 20)
    assert policy.lifetime > policy.stage_seconds


def test_files_that_do_not_fit_into_memory_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="MEMORY_MIB"):
        SandboxPolicy.of(SandboxSettings(memory_mib=1024, workspace_mib=900, tmp_mib=124))


def test_the_environment_inside_is_four_names() -> None:
    assert set(SandboxPolicy.of(SandboxSettings()).environment) == {
        "PATH",
        "HOME",
        "LANG",
        "CI",
        "PYTHONDONTWRITEBYTECODE",
    }


def test_a_worker_without_a_backend_says_so() -> None:
    with pytest.raises(ConfigurationError, match="ENTROPY_SANDBOX__BACKEND"):
        make_backend(SandboxSettings())


def test_a_role_has_bounds_of_its_own() -> None:
    settings = SandboxSettings(roles={"coder": SandboxBounds(memory_mib=4096, pids=1000, image="big:1", network=())})
    coder, reviewer = SandboxPolicy.of(settings, "coder"), SandboxPolicy.of(settings, "reviewer")
    assert (coder.memory, coder.pids, coder.image, coder.network) == (4 << 30, 1000, "big:1", ())
    assert reviewer == SandboxPolicy.of(settings)
    assert (reviewer.memory, reviewer.cpus, reviewer.stage_seconds) == (2 << 30, 1.0, 1800)


def test_bounds_of_roles_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENTROPY_SANDBOX__ROLES", '{"coder": {"memory_mib": 4096}}')
    assert load().sandbox.roles["coder"].memory_mib == 4096
    for wrong, hint in (("{", "not JSON"), ('{"coder": {"memory": 1}}', "xtra"), ('{"coder": {"pids": 1}}', "16")):
        monkeypatch.setenv("ENTROPY_SANDBOX__ROLES", wrong)
        with pytest.raises(ConfigurationError, match=f"ENTROPY_SANDBOX__ROLES.*{hint}"):
            load()


@pytest.mark.parametrize(
    ("bounds", "named"), [({"workspace_mib": 4000}, "MEMORY_MIB"), ({"timeout": 4000}, "coder.*TIMEOUT to 4000")]
)
def test_bounds_of_a_role_that_cannot_hold_are_refused_at_the_start(bounds: dict[str, int], named: str) -> None:
    settings = SandboxSettings(backend="docker", roles={"coder": SandboxBounds.model_validate(bounds)})
    with pytest.raises(ConfigurationError, match=named):
        make_backend(settings)


def test_a_repository_tightens_each_bound() -> None:
    wish = SandboxBounds(
        timeout=600, command_timeout=60, memory_mib=512, cpus=0.5, pids=64, workspace_mib=128, tmp_mib=64, inodes=1000,
        output_kib=8, patch_mib=1, history=0, network=("setup",), image="small:1",
    )  # fmt: skip
    policy, remark = SandboxPolicy.of(SandboxSettings()).tightened(wish, images=("small:1",))
    assert remark == ""
    assert (policy.stage_seconds, policy.command_seconds) == (600, 60)
    assert (policy.memory, policy.workspace, policy.tmp) == (512 << 20, 128 << 20, 64 << 20)
    assert (policy.cpus, policy.pids, policy.inodes) == (0.5, 64, 1000)
    assert (policy.output, policy.patch) == (8192, 1 << 20)
    assert (policy.network, policy.image) == (("setup",), "small:1")


@pytest.mark.parametrize("key", [name for name in SandboxBounds.model_fields if name not in ("network", "image")])
def test_a_repository_never_loosens_a_bound(key: str) -> None:
    policy = SandboxPolicy.of(SandboxSettings())
    wish = SandboxBounds.model_validate({key: 10**6})
    same, remark = policy.tightened(wish)
    assert same == policy
    assert remark == (
        f"The [sandbox] table of .entropy.toml asks for more than this installation gives, which it may not: {key}."
    )


def test_a_repository_opens_no_way_out() -> None:
    policy, remark = SandboxPolicy.of(SandboxSettings(network=())).tightened(SandboxBounds(network=("agent",)))
    assert policy.network == ()
    assert remark.endswith("network.")
    closed, remark = SandboxPolicy.of(SandboxSettings()).tightened(SandboxBounds(network=()))
    assert (closed.network, remark) == ((), "")


def test_an_image_is_one_of_the_operators() -> None:
    policy = SandboxPolicy.of(SandboxSettings(image="own:1"))
    assert policy.tightened(SandboxBounds(image="own:1"))[0].image == "own:1"
    with pytest.raises(ConfigurationError, match=r"'evil:1'.*ENTROPY_SANDBOX__IMAGES"):
        policy.tightened(SandboxBounds(image="evil:1"), images=("other:1",))


def test_files_fit_into_a_memory_that_was_made_smaller() -> None:
    policy, _ = SandboxPolicy.of(SandboxSettings()).tightened(SandboxBounds(memory_mib=256))
    assert policy.workspace + policy.tmp < policy.memory == 256 << 20


@pytest.mark.parametrize("uids", ["0-10", "10001", "20-10", "a-b", "1-4294967295", "-1-5"])
def test_users_that_nobody_should_be_are_refused(uids: str) -> None:
    assert SandboxSettings(uids="70000-70001").users == range(70000, 70002)
    with pytest.raises(ValidationError, match="60706-61183"):
        SandboxSettings(uids=uids)
