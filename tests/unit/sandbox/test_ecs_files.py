"""What ops/ecs hands to AWS: requests that its services know, and rights that are counted one by one."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from entropy.errors import ConfigurationError
from entropy.sandbox.backends.fargate_tasks import DROPPED_CAPABILITIES, faults, size
from entropy.sandbox.policy import SandboxPolicy
from entropy.settings import SandboxSettings

FOLDER = Path(__file__).parents[3] / "ops" / "ecs"
POLICIES = ("worker-policy.json", "execution-policy.json", "endpoint-policy.json")
WITHOUT_AN_OPERATION = {"iam:PassRole", "s3:ListBucket"}
OF_EVERY_RESOURCE = {"ecr:GetAuthorizationToken", "ecs:ListTasks", "ecs:DescribeTaskDefinition"}
"""Those that AWS gives for all resources or for none."""


def read(name: str) -> Any:
    return json.loads((FOLDER / name).read_text())


def complaints(service: str, operation: str, request: Any) -> str:
    model = botocore.session.Session().get_service_model(service)
    shape = model.operation_model(operation).input_shape
    return str(ParamValidator().validate(request, shape).generate_report())


def statements(name: str) -> Iterator[tuple[dict[str, Any], list[str]]]:
    for statement in read(name)["Statement"]:
        actions = statement["Action"]
        yield statement, [actions] if isinstance(actions, str) else actions


def test_the_task_definition_is_one_and_gives_a_sandbox_no_more_than_it_may_have() -> None:
    definition = read("task-definition.json")
    assert complaints("ecs", "RegisterTaskDefinition", definition) == ""
    assert list(faults(definition)) == []
    linux = definition["containerDefinitions"][0]["linuxParameters"]
    assert set(linux["capabilities"]["drop"]) == DROPPED_CAPABILITIES
    settings = SandboxSettings()
    assert [mount["size"] for mount in linux["tmpfs"]] == [settings.workspace_mib, settings.tmp_mib]
    assert all(f"nr_inodes={settings.inodes}" in mount["mountOptions"] for mount in linux["tmpfs"])


def test_a_request_that_ecs_does_not_know_is_found() -> None:
    definition = read("task-definition.json")
    definition["containerDefinitions"][0]["linuxParameters"]["tmpfs"][0]["sizeInMib"] = 1
    assert "sizeInMib" in complaints("ecs", "RegisterTaskDefinition", definition)


def test_the_lifecycle_rule_is_one() -> None:
    request = {"Bucket": "bucket", "LifecycleConfiguration": read("lifecycle.json")}
    assert complaints("s3", "PutBucketLifecycleConfiguration", request) == ""


@pytest.mark.parametrize("name", POLICIES)
def test_each_right_is_named_and_exists(name: str) -> None:
    session = botocore.session.Session()
    for statement, actions in statements(name):
        assert statement["Effect"] == "Allow"
        for action in actions:
            service, operation = action.split(":")
            known = session.get_service_model(service).operation_names
            assert operation in known or action in WITHOUT_AN_OPERATION, action
        if statement["Resource"] == "*":
            assert set(actions) <= OF_EVERY_RESOURCE


def test_the_worker_may_pass_one_role_only() -> None:
    (passing,) = [statement for statement, actions in statements("worker-policy.json") if "iam:PassRole" in actions]
    assert passing["Resource"] == read("task-definition.json")["executionRoleArn"]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}


@pytest.mark.parametrize(
    ("cpus", "memory", "expected"),
    [(1, 2048, (1024, 2048)), (0.1, 64, (256, 512)), (1, 8193, (2048, 9216)), (3, 20000, (4096, 20480))],
)
def test_the_smallest_task_that_holds_a_policy(cpus: float, memory: int, expected: tuple[int, int]) -> None:
    policy = SandboxPolicy.of(SandboxSettings(cpus=cpus, memory_mib=memory, workspace_mib=16, tmp_mib=16))
    assert size(policy) == expected


def test_a_task_that_fargate_does_not_sell_is_refused() -> None:
    policy = SandboxPolicy.of(SandboxSettings(cpus=32))
    with pytest.raises(ConfigurationError, match="ENTROPY_SANDBOX__CPUS"):
        size(policy)
