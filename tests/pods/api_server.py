"""A stand-in for a Kubernetes API server: it takes what the real schemas allow and runs Pods on the Docker daemon.

It knows one namespace with Pod Security ``restricted``, one account with the rights that the chart gives, and, where it
is asked to, kubernetes-sigs/agent-sandbox. A real server checks more; that the schemas, the rights and the exec
protocol (``v5.channel.k8s.io``) are met, that and what becomes of a Pod is what it shows.
"""

import contextlib
import json
import threading
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from docker.errors import APIError

from entropy.sandbox.backends.pods import RIGHTS
from tests.pods import admission, streams
from tests.pods.admission import Body
from tests.pods.kubelet import Kubelet, now
from tests.pods.websockets import ServerSocket, acceptance

TOKEN = "the-token-of-the-sandbox-worker"
NAMESPACE = "entropy-sandboxes"
GROUP = "agents.x-k8s.io"
SANDBOXES = {"podTemplate", "shutdownTime", "shutdownPolicy"}


class Refusal(Exception):
    """A Status object with a code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}


class Store:
    """What the server holds, and what a test may change about it."""

    def __init__(self, kubelet: Kubelet) -> None:
        self.kubelet = kubelet
        self.pods: dict[str, Body] = {}
        self.sandboxes: dict[str, Body] = {}
        self.rights = dict(RIGHTS)
        self.quota = 100
        self.offers_sandboxes = False
        self.failing = False
        self.held = False
        """Whether streams outlive commands."""
        self.created: list[Body] = []
        """Every Pod that was ever asked for."""
        self._lock = threading.Lock()

    def check(self, group: str, resource: str, *verbs: str) -> None:
        if not set(verbs) <= set(self.rights.get((group, resource), ())):
            raise Refusal(403, f'{resource} is forbidden: User "worker" cannot {verbs[-1]} resource "{resource}"')

    def create_pod(self, pod: Body, owner: Body | None = None) -> Body:
        name = pod["metadata"]["name"]
        if problem := admission.complaint(pod):
            raise Refusal(422, f'Pod "{name}" is invalid: {problem}')
        if found := admission.violations(pod):
            raise Refusal(
                403, f'pods "{name}" is forbidden: violates PodSecurity "restricted:latest": {"; ".join(found)}'
            )
        with self._lock:
            if len(self.pods) >= self.quota:
                raise Refusal(403, f'pods "{name}" is forbidden: exceeded quota: sandboxes, requested: pods=1')
            if name in self.pods:
                raise Refusal(409, f'pods "{name}" already exists')
            self.created.append(json.loads(json.dumps(pod)))
            pod["metadata"] |= {"creationTimestamp": now(), "uid": str(uuid.uuid4()), "namespace": NAMESPACE}
            if owner:
                reference = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "controller": True}
                named = {"name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]}
                pod["metadata"]["ownerReferences"] = [reference | named]
            self.pods[name] = pod
            self.kubelet.run(pod, self._gone)
        return pod

    def delete_pod(self, name: str) -> Body:
        pod = self._get("pods", self.pods, name)
        pod["metadata"].setdefault("deletionTimestamp", now())
        running = self.kubelet.pods.get(name)
        if running:
            threading.Thread(target=running.end, daemon=True).start()
        return pod

    def create_sandbox(self, sandbox: Body) -> Body:
        """As its controller does: a Pod of the same name, from the template."""
        spec = sandbox["spec"]
        if unknown := set(spec) - SANDBOXES:
            raise Refusal(422, f"unknown fields {unknown}")
        sandbox["metadata"] |= {"creationTimestamp": now(), "uid": str(uuid.uuid4()), "namespace": NAMESPACE}
        template = spec["podTemplate"]
        metadata = {"name": sandbox["metadata"]["name"], **template["metadata"]}
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}
        self.sandboxes[metadata["name"]] = sandbox
        self.create_pod(json.loads(json.dumps(body)), sandbox)
        return sandbox

    def delete_sandbox(self, name: str) -> Body:
        sandbox = self._get("sandboxes", self.sandboxes, name)
        del self.sandboxes[name]
        with contextlib.suppress(Refusal):
            self.delete_pod(name)
        return sandbox

    def get_pod(self, name: str) -> Body:
        return self._get("pods", self.pods, name)

    def _get(self, kind: str, things: dict[str, Body], name: str) -> Body:
        if name not in things:
            raise Refusal(404, f'{kind} "{name}" not found')
        return things[name]

    def _gone(self, name: str) -> None:
        pod = self.pods.pop(name, None)
        owners = pod["metadata"].get("ownerReferences", ()) if pod else ()
        for owner in owners:
            if sandbox := self.sandboxes.get(owner["name"]):  # its controller makes it anew
                with contextlib.suppress(Refusal):
                    self.create_sandbox(sandbox)


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        try:
            found = self._route(body)
        except Refusal as refusal:
            self._say(refusal.code, refusal.body)
        else:
            if found is not None:
                self._say(201 if self.command == "POST" else 200, found)

    def _say(self, code: int, body: Body) -> None:
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _route(self, body: Body) -> Body | None:
        store, parts, query = self.server.store, urlsplit(self.path), parse_qs(urlsplit(self.path).query)
        if store.failing:
            raise Refusal(503, "etcdserver: leader changed")
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise Refusal(401, "Unauthorized")
        words = parts.path.strip("/").split("/")
        if words == ["apis"]:
            return _groups(store.offers_sandboxes)
        if words[0] == "apis":
            return self._sandboxes(store, words, body)
        place, name = words[3], words[5] if len(words) > 5 else ""
        if len(words) > 6:
            return self._stream(store, name, words[6], query)
        verb = {"POST": "create", "DELETE": "delete"}.get(self.command, "get" if name else "list")
        store.check("", "pods", verb)
        if verb == "list":
            return _list(store.pods if place == NAMESPACE else {}, query)
        if place != NAMESPACE:
            raise Refusal(404, f'namespaces "{place}" not found')
        if verb == "create":
            return store.create_pod(body)
        return store.delete_pod(name) if verb == "delete" else store.get_pod(name)

    def _sandboxes(self, store: Store, words: list[str], body: Body) -> Body:
        if not store.offers_sandboxes:
            raise Refusal(404, "the server could not find the requested resource")
        store.check(GROUP, "sandboxes", "create" if self.command == "POST" else "delete")
        return store.create_sandbox(body) if self.command == "POST" else store.delete_sandbox(words[6])

    def _stream(self, store: Store, name: str, kind: str, query: dict[str, list[str]]) -> None:
        store.check("", f"pods/{kind}", "get", "create")
        store.get_pod(name)
        running = store.kubelet.pods.get(name)
        part = query["container"][0]
        if running is None or part not in running.containers:
            raise Refusal(400, f"container {part} is not valid for pod {name}")
        container, client = running.containers[part], store.kubelet.client
        try:
            prepared = streams.prepare(client, container, query["command"]) if kind == "exec" else ""
            if kind == "attach":
                container.reload()
                if container.status != "running":
                    raise Refusal(500, f"container {part} is not running")
        except APIError as error:
            raise Refusal(500, f"container not found ({part}): {error.explanation}") from error
        talk = self._upgraded()
        if kind == "exec":
            streams.execute(client, prepared, talk, held=store.held)
        else:
            streams.attach(container, talk)

    def _upgraded(self) -> ServerSocket:
        offered = self.headers["Sec-WebSocket-Protocol"].split(",")
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", acceptance(self.headers["Sec-WebSocket-Key"]))
        self.send_header("Sec-WebSocket-Protocol", offered[0].strip())
        self.end_headers()
        self.close_connection = True
        return ServerSocket(self.rfile, self.wfile)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, store: Store) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.store = store


def _groups(offers: bool) -> Body:
    version = {"groupVersion": f"{GROUP}/v1beta1", "version": "v1beta1"}
    found = [{"name": GROUP, "versions": [version], "preferredVersion": version}] if offers else []
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": found}


def _list(pods: dict[str, Body], query: dict[str, list[str]]) -> Body:
    wanted = dict(part.split("=") for part in query.get("labelSelector", [""])[0].split(",") if part)
    found = [pod for pod in list(pods.values()) if wanted.items() <= pod["metadata"]["labels"].items()]
    return {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": json.loads(json.dumps(found))}


@contextlib.contextmanager
def api_server(docker_host: str, folder: Path) -> Iterator[tuple[Store, Path]]:
    """The server's store, and a kubeconfig for the sandbox worker."""
    profiles = folder / "seccomp"
    profiles.mkdir()
    kubelet = Kubelet(docker_host, profiles)
    store = Store(kubelet)
    server = _Server(store)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield store, kubeconfig(folder / "kubeconfig", server.server_address[1])
    finally:
        store.sandboxes.clear()
        kubelet.close()
        server.shutdown()
        thread.join()
        server.server_close()


def kubeconfig(path: Path, port: Any, token: str = TOKEN) -> Path:
    cluster = {"name": "stand-in", "cluster": {"server": f"http://127.0.0.1:{port}"}}
    user = {"name": "worker", "user": {"token": token}}
    context = {"name": "stand-in", "context": {"cluster": "stand-in", "user": "worker"}}
    head = {"apiVersion": "v1", "kind": "Config", "current-context": "stand-in"}
    path.write_text(json.dumps(head | {"clusters": [cluster], "users": [user], "contexts": [context]}))
    return path
