"""The doors to AWS: clients whose waits are bounded, its clock, and what its errors ask of people."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

import boto3.session  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import (  # type: ignore[import-untyped]
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
)

from entropy.errors import ConfigurationError, EntropyError, SandboxUnavailable
from entropy.sections import EcsSettings

CONDUCT = {
    "connect_timeout": 5,
    "read_timeout": 60,
    "retries": {"mode": "standard", "total_max_attempts": 3},
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}
UNSET = (NoCredentialsError, NoRegionError, ParamValidationError, PartialCredentialsError, ProfileNotFound)
RIGHTS = "give the role of this worker what ops/ecs/worker-policy.json lists"
NEXT_STEPS = {
    "AccessDenied": RIGHTS,
    "AccessDeniedException": RIGHTS,
    "AllAccessDisabled": RIGHTS,
    "UnauthorizedException": RIGHTS,
    "IncompleteSignature": "check the worker's AWS credentials",
    "InvalidAccessKeyId": "check the worker's AWS credentials",
    "InvalidClientTokenId": "check the worker's AWS credentials",
    "InvalidSignatureException": "check the worker's AWS credentials and clock",
    "SignatureDoesNotMatch": "check the worker's AWS credentials and clock",
    "RequestTimeTooSkewed": "set the worker's clock",
    "UnrecognizedClientException": "check the worker's AWS credentials",
    "ClusterNotFoundException": "create the cluster, or set ENTROPY_SANDBOX__ECS__CLUSTER",
    "NoSuchBucket": "create the bucket, or set ENTROPY_SANDBOX__ECS__BUCKET",
    "PermanentRedirect": "set ENTROPY_SANDBOX__ECS__REGION to the region of the bucket",
    "ClientException": "see ops/ecs/README.rst, and set ENTROPY_SANDBOX__ECS__TASK_DEFINITION",
    "InvalidParameterException": "check ENTROPY_SANDBOX__ECS__SUBNETS, __SECURITY_GROUPS and __TASK_DEFINITION",
    "PlatformUnknownException": "set ENTROPY_SANDBOX__ECS__PLATFORM_VERSION",
    "PlatformTaskDefinitionIncompatibilityException": "register ops/ecs/task-definition.json anew",
    "UnsupportedFeatureException": "use a region where Fargate has it",
    "BlockedException": "ask AWS why this account is blocked",
}
"""By what AWS answers when trying again is of no use; everything else passes."""


class AwsClients(NamedTuple):
    """Of one account and region."""

    ecs: Any
    s3: Any


class AwsAccount:
    """What one worker knows of AWS: credentials, from wherever the SDK looks for them, and where to ask."""

    def __init__(self, settings: EcsSettings) -> None:
        self._place = {"region_name": settings.region or None, "endpoint_url": settings.endpoint or None}
        # With an endpoint of its own, buckets are paths: their names would have to be resolved.
        style = "path" if settings.endpoint else "virtual"
        self._of_s3 = Config(signature_version="s3v4", s3={"addressing_style": style}, **CONDUCT)
        self._opening = threading.Lock()  # a session is not for several threads, what it gives is
        self._session: Any = None

    @contextlib.contextmanager
    def clients(self) -> Iterator[AwsClients]:
        with contextlib.ExitStack() as opened:
            with translated(), self._opening:
                self._session = self._session or boto3.session.Session()
                ecs = self._session.client("ecs", config=Config(**CONDUCT), **self._place)
                opened.enter_context(contextlib.closing(ecs))
                s3 = self._session.client("s3", config=self._of_s3, **self._place)
                opened.enter_context(contextlib.closing(s3))
            yield AwsClients(ecs, s3)


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Around each conversation with AWS."""
    try:
        yield
    except ClientError as error:
        raise _meaning(error) from error
    except UNSET as error:
        raise ConfigurationError(
            f"AWS cannot be asked: {' '.join(str(error).split())} See ENTROPY_SANDBOX__ECS__REGION, and the"
            " worker's AWS credentials."
        ) from error
    except BotoCoreError as error:
        raise SandboxUnavailable(f"AWS does not answer: {error}") from error


def moment(answer: Mapping[str, Any]) -> float:
    """The time on AWS's clock, in seconds since 1970: workers' clocks differ."""
    return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"]).timestamp()


def _meaning(error: ClientError) -> EntropyError:
    told = error.response.get("Error", {})
    code, message = str(told.get("Code", "")), str(told.get("Message", ""))
    if code in NEXT_STEPS:
        return ConfigurationError(f"AWS refuses {error.operation_name} ({code}: {message}); {NEXT_STEPS[code]}.")
    return SandboxUnavailable(f"AWS does not serve {error.operation_name} now ({code}: {message}).")
