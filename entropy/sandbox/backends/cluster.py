"""The door to a Kubernetes cluster: what is asked of its API server, and what its refusals mean."""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException, ApiValueError
from kubernetes.config.config_exception import ConfigException
from kubernetes.stream import ws_client
from urllib3.exceptions import HTTPError
from websocket import WebSocket, WebSocketBadStatusException, WebSocketException

from entropy.errors import ConfigurationError, EntropyError, SandboxUnavailable
from entropy.sandbox.backends.pod_exec import NotBegun
from entropy.sandbox.backends.pods import API, Body
from entropy.sections import KubernetesSettings

PATIENCE = (10.0, 60.0)
"""Seconds to connect, and to wait for an answer."""
WRONG = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
DENIED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class Cluster:
    """One namespace of one cluster."""

    def __init__(self, settings: KubernetesSettings) -> None:
        self._namespace = settings.namespace
        self._wanted = settings.agent_sandbox
        self._client = _connected(settings)
        self.address = str(self._client.configuration.host)
        self._core = client.CoreV1Api(self._client)
        self._custom = client.CustomObjectsApi(self._client)

    def close(self) -> None:
        self._client.close()

    def agent_sandboxes(self) -> str:
        """The version in which the cluster offers ``Sandbox`` objects; empty without any, or where none are wanted."""
        if self._wanted == "never":
            return ""
        groups = client.ApisApi(self._client).get_api_versions(_request_timeout=PATIENCE).groups
        found = [str(group.preferred_version.version) for group in groups if group.name == API]
        if not found and self._wanted == "always":
            raise ConfigurationError(
                f"The cluster has no {API}; install kubernetes-sigs/agent-sandbox there, or set"
                " ENTROPY_SANDBOX__KUBERNETES__AGENT_SANDBOX to auto."
            )
        return found[0] if found else ""

    def create(self, body: Body) -> None:
        if body["kind"] == "Pod":
            self._core.create_namespaced_pod(self._namespace, body, _request_timeout=PATIENCE)
            return
        place = (API, body["apiVersion"].rpartition("/")[2], self._namespace, "sandboxes")
        self._custom.create_namespaced_custom_object(*place, body, _request_timeout=PATIENCE)

    def pods(self, **labels: str) -> tuple[list[Body], float]:
        """Those with these labels, and the time on the API server's clock: workers' clocks differ."""
        found, _, headers = self._core.list_namespaced_pod_with_http_info(
            self._namespace, label_selector=_selector(labels), _request_timeout=PATIENCE
        )
        return self._client.sanitize_for_serialization(found)["items"], _moment(headers["Date"])

    def delete(self, name: str, version: str = "") -> None:
        """A Pod or, where there is a version of them, a Sandbox; one that is gone already is no error."""
        try:
            if version:
                place = (API, version, self._namespace, "sandboxes", name)
                self._custom.delete_namespaced_custom_object(*place, _request_timeout=PATIENCE)
            else:
                self._core.delete_namespaced_pod(name, self._namespace, _request_timeout=PATIENCE)
        except ApiException as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise

    def execute(self, pod: str, container: str, argv: Sequence[str]) -> WebSocket:
        """The streams of a command that begins now."""
        asked = [("container", container), *_streams("stdin", "stdout", "stderr"), ("command", list(argv))]
        return self._stream(f"{pod}/exec", asked)

    def attach(self, pod: str, container: str) -> WebSocket:
        """The standard input of a container's first process."""
        return self._stream(f"{pod}/attach", [("container", container), *_streams("stdin")])

    def _stream(self, path: str, query: list[tuple[str, Any]]) -> WebSocket:
        headers: dict[str, str] = {}
        self._client.update_params_for_auth(headers, [], ["BearerToken"])
        place = f"{self.address}/api/v1/namespaces/{self._namespace}/pods/{path}"
        url = ws_client.get_websocket_url(place, query)
        try:
            opened: WebSocket = ws_client.create_websocket(self._client.configuration, url, headers)
        except WebSocketBadStatusException as error:
            if error.status_code in DENIED:
                raise
            raise NotBegun(_words(error.resp_body) or str(error)) from error
        return opened


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Around each conversation with the cluster."""
    try:
        yield
    except ApiException as error:
        raise meaning(error.status, _words(error.body) or str(error.reason)) from error
    except WebSocketBadStatusException as error:
        raise meaning(error.status_code, _words(error.resp_body) or str(error)) from error
    except (HTTPError, WebSocketException, NotBegun, OSError, ApiValueError) as error:
        raise SandboxUnavailable(f"The Kubernetes API server does not serve: {error}") from error


def meaning(status: int | None, words: str) -> EntropyError:
    """What a refusal asks people to do."""
    if status in DENIED and "exceeded quota" in words:
        return SandboxUnavailable(
            f"The namespace of sandboxes is full ({words}); wait, or raise its ResourceQuota:"
            " sandbox.kubernetes.quota in the chart's values."
        )
    if status in DENIED:
        return ConfigurationError(
            f"The cluster refuses the sandbox worker ({words}); give its service account the Role, and the"
            " namespace the rules, of k8s/entropy/templates/sandboxes.yaml."
        )
    if status == HTTPStatus.NOT_FOUND:
        return ConfigurationError(
            f"The cluster does not have what sandboxes need ({words}); install the chart with"
            " sandbox.kubernetes.enabled, and set ENTROPY_SANDBOX__KUBERNETES__NAMESPACE to the namespace it makes."
        )
    if status in WRONG:
        return ConfigurationError(
            f"The cluster does not accept the Pod of a sandbox ({words}); check ENTROPY_SANDBOX__IMAGE and"
            " ENTROPY_SANDBOX__KUBERNETES__…, and whether the cluster is Kubernetes 1.25 or later."
        )
    return SandboxUnavailable(f"The Kubernetes API server does not serve: {status} {words}")


def _connected(settings: KubernetesSettings) -> Any:
    configuration = client.Configuration()
    try:
        if settings.kubeconfig or settings.context:
            path = str(settings.kubeconfig) if settings.kubeconfig else None
            config.load_kube_config(path, settings.context or None, configuration, persist_config=False)
        else:
            config.load_incluster_config(configuration)
    except ConfigException as error:
        raise ConfigurationError(
            f"There is no way to the cluster ({error}): run the worker in a Pod with a token of its service account, or"
            " set ENTROPY_SANDBOX__KUBERNETES__KUBECONFIG or ENTROPY_SANDBOX__KUBERNETES__CONTEXT."
        ) from error
    configuration.retries = False  # what is asked for twice may be made twice
    configuration.client_side_validation = False  # a newer cluster may say what this client does not know
    return client.ApiClient(configuration)


def _selector(labels: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in labels.items())


def _moment(told: str) -> float:
    return parsedate_to_datetime(told).timestamp()


def _streams(*names: str) -> list[tuple[str, str]]:
    return [(name, "true") for name in names]


def _words(body: bytes | str | None) -> str:
    """The message in a Status object, which is what every refusal should be."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else body or ""
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text.strip()[:500]
