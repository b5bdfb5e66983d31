"""Runs Pods as containers on a real Docker daemon, with the limits that their specification asks for.

What it does not show: a network plugin (a Pod has no network where the namespace's policies are in effect, else the
machine's), bounds of a Pod as a whole (each container is bound by itself), user namespaces, a scheduler, restarts.
"""

import contextlib
import json
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError, ImageNotFound, NotFound
from docker.types import LogConfig, Mount

from tests.pods.admission import Body

NODE = "node-1"
LABELS = {"kubernetes.io/hostname": NODE, "kubernetes.io/os": "linux", "pool": "sandboxes"}
LAG = 0.3
"""Seconds until the API server hears of what has happened, as in a real cluster."""


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


class Kubelet:
    """One node."""

    def __init__(self, host: str, profiles: Path) -> None:
        self.client = docker.DockerClient(base_url=host)
        self.profiles = profiles
        self.pids = 64
        """``podPidsLimit``"""
        self.isolates = True
        """Whether a network plugin puts the default-deny policy into effect."""
        self.mark = f"pods-{uuid.uuid4().hex[:8]}"
        self.pods: dict[str, RunningPod] = {}
        self._events = self.client.events(decode=True, filters={"label": f"pods={self.mark}", "event": "die"})
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def run(self, pod: Body, gone: Callable[[str], None]) -> None:
        name = pod["metadata"]["name"]
        self.pods[name] = RunningPod(self, pod, gone)
        self.pods[name].start()

    def close(self) -> None:
        for pod in list(self.pods.values()):
            pod.end(grace=0)
        self._events.close()
        self._listener.join(5)
        self.client.close()

    def _listen(self) -> None:
        with contextlib.suppress(Exception):
            for event in self._events:
                attributes = event["Actor"]["Attributes"]
                if (pod := self.pods.get(attributes["pod"])) and attributes["part"] in pod.containers:
                    threading.Timer(LAG, pod.died, (attributes["part"], int(attributes["exitCode"]))).start()


class RunningPod:
    """A Pod from its start to its end."""

    def __init__(self, kubelet: Kubelet, body: Body, gone: Callable[[str], None]) -> None:
        self._kubelet = kubelet
        self._body = body
        self._gone = gone
        self._spec = body["spec"]
        self.name = body["metadata"]["name"]
        self.containers: dict[str, Any] = {}
        self._volumes: list[Any] = []
        self._pause: Any = None
        self._ending = threading.Lock()
        self._ended = False
        self._thread = threading.Thread(target=self._start, daemon=True)
        self._deadline = threading.Timer(self._spec.get("activeDeadlineSeconds", 10**6), self._overdue)
        self._deadline.daemon = True

    def start(self) -> None:
        self._body["status"] = {"phase": "Pending", "conditions": [], "containerStatuses": []}
        if problem := self._unschedulable():
            self._body["status"]["conditions"] = [
                {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": problem}
            ]
            return
        self._spec["nodeName"] = NODE
        self._thread.start()
        self._deadline.start()

    def end(self, grace: int | None = None) -> None:
        """Politely, then not, and then the object goes."""
        with self._ending:
            if self._ended:
                return
            self._ended = True
        self._deadline.cancel()
        if self._thread.is_alive():
            self._thread.join()
        self._stop(self._spec.get("terminationGracePeriodSeconds", 30) if grace is None else grace)
        for thing in [*self.containers.values(), self._pause, *self._volumes]:
            if thing is not None:
                with contextlib.suppress(NotFound):
                    thing.remove(force=True)
        self._kubelet.pods.pop(self.name, None)
        self._gone(self.name)

    def died(self, part: str, status: int) -> None:
        said = {"exitCode": status, "reason": "Completed" if status == 0 else "Error", "finishedAt": now()}
        self._tell(part, {"terminated": said})

    def _stop(self, grace: int) -> None:
        def stop(container: Any) -> None:
            with contextlib.suppress(NotFound, APIError):
                container.stop(timeout=grace)

        threads = [threading.Thread(target=stop, args=(one,)) for one in self.containers.values()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _overdue(self) -> None:
        self._stop(0)
        self._body["status"] |= {"phase": "Failed", "reason": "DeadlineExceeded"}

    def _unschedulable(self) -> str:
        wanted = self._spec.get("nodeSelector", {}).items() <= LABELS.items()
        terms = json.dumps(self._spec.get("affinity", {}))
        return "" if wanted and (terms == "{}" or NODE in terms) else "0/1 nodes are available: 1 node(s) didn't match"

    def _start(self) -> None:
        try:
            self._make()
        except ImageNotFound as error:
            never = self._spec["containers"][0]["imagePullPolicy"] == "Never"
            self._wait("ErrImageNeverPull" if never else "ImagePullBackOff", str(error.explanation))
        except (APIError, OSError) as error:
            self._wait("CreateContainerError", str(error))
        else:
            self._body["status"]["phase"] = "Running"

    def _wait(self, reason: str, message: str) -> None:
        for container in self._spec["containers"]:
            self._tell(container["name"], {"waiting": {"reason": reason, "message": message}})

    def _tell(self, part: str, state: Body) -> None:
        statuses = self._body["status"]["containerStatuses"]
        held = self.containers.get(part)
        new = {
            "name": part,
            "state": state,
            "ready": "running" in state,
            "restartCount": 0,
            "image": self._spec["containers"][0]["image"],
            "imageID": f"docker://{held.image.id}" if held is not None else "",
            "containerID": f"docker://{held.id}" if held is not None else "",
        }
        statuses[:] = [*(one for one in statuses if one["name"] != part), new]

    def _make(self) -> None:
        client = self._kubelet.client
        client.images.get(self._spec["containers"][0]["image"])
        for volume in self._spec["volumes"]:
            memory = volume["emptyDir"]
            assert memory["medium"] == "Memory"
            options = {"type": "tmpfs", "device": "tmpfs", "o": f"size={memory['sizeLimit']},mode=0777"}
            name = f"{self._kubelet.mark}-{self.name}-{volume['name']}"
            self._volumes.append(client.volumes.create(name, driver="local", driver_opts=options))
        self._pause = self._created(
            "pause",
            self._spec["containers"][0]["image"],
            entrypoint=["sleep", "infinity"],
            network_mode="none" if self._kubelet.isolates else "host",
            ipc_mode="shareable",
            hostname=None if not self._kubelet.isolates else self._spec["hostname"],
            mounts=[self._mount(volume["name"], f"/volumes/{volume['name']}") for volume in self._spec["volumes"]],
        )
        with ThreadPoolExecutor() as starting:
            for part, container in starting.map(self._contained, self._spec["containers"]):
                self.containers[part] = container
                self._tell(part, {"running": {"startedAt": now()}})

    def _contained(self, container: Body) -> tuple[str, Any]:
        own, limits = container["securityContext"], container["resources"]["limits"]
        of_pod = self._spec["securityContext"]
        variables = {one["name"]: one["value"] for one in container["env"]}
        options = ["no-new-privileges"] if own["allowPrivilegeEscalation"] is False else []
        if of_pod["seccompProfile"]["type"] == "Localhost":
            profile = self._kubelet.profiles / of_pod["seccompProfile"]["localhostProfile"]
            options.append(f"seccomp={profile.read_text()}")
        return container["name"], self._created(
            container["name"],
            container["image"],
            entrypoint=container["command"],
            command=[],
            environment={**variables, "KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "1"},
            user=f"{of_pod['runAsUser']}:{of_pod['runAsGroup']}",
            read_only=own["readOnlyRootFilesystem"],
            cap_drop=own["capabilities"]["drop"],
            privileged=own["privileged"],
            security_opt=options,
            mem_limit=limits["memory"],
            memswap_limit=limits["memory"],
            nano_cpus=int(limits["cpu"].removesuffix("m")) * 10**6,
            pids_limit=self._kubelet.pids,
            stdin_open=container.get("stdin", False),
            working_dir=container["workingDir"],
            network_mode=f"container:{self._pause.id}",
            ipc_mode=f"container:{self._pause.id}",
            mounts=[
                self._mount(one["name"], one["mountPath"], one.get("readOnly")) for one in container["volumeMounts"]
            ],
        )

    def _created(self, part: str, image: str, **options: Any) -> Any:
        labels = {"pods": self._kubelet.mark, "pod": self.name, "part": part}
        container = self._kubelet.client.containers.create(
            image, labels=labels, log_config=LogConfig(type="none"), **options
        )
        container.start()
        return container

    def _mount(self, volume: str, path: str, read_only: bool | None = False) -> Mount:
        name = f"{self._kubelet.mark}-{self.name}-{volume}"
        return Mount(path, name, type="volume", read_only=bool(read_only), no_copy=True)
