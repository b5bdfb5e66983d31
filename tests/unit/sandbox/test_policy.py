"""Settings become bounds, and bounds that cannot hold are refused."""

import pytest

from entropy.errors import ConfigurationError
from entropy.sandbox.factory import make_backend
from entropy.sandbox.policy import SandboxPolicy
from entropy.settings import SandboxSettings


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
