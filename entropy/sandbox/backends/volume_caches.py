"""Dependency caches as volumes of a Docker daemon, for sandboxes that are containers.

A volume can neither be renamed nor given other labels. So one counts as complete when there is a second, empty volume
that says so, its mark; each use leaves a newer mark, by which everybody who shares the daemon knows when that was. The
daemon itself keeps a volume that a container has.
"""

import contextlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, BinaryIO

from docker.errors import APIError, NotFound
from docker.types import Mount

from entropy.errors import SandboxUnavailable
from entropy.sandbox.backends.containers import EXPIRES, OWNER, PART, RUN, gone, isolation, moment, translated
from entropy.sandbox.backends.daemon import clock
from entropy.sandbox.caches import GONE, Cache, Made
from entropy.sandbox.policy import CACHE, SandboxPolicy
from entropy.settings import SandboxSettings

CACHES, KEY, REPOSITORY, SIZE = "entropy.caches", "entropy.cache.key", "entropy.cache.repository", "entropy.cache.size"
MARKS, USED = "entropy.cache.marks", "entropy.cache.used"
BETWEEN = 600.0
"""Seconds between two marks."""
FILLING = 900.0
CONFLICT = 409


class VolumeCaches:
    """Those of one installation on one daemon."""

    def __init__(self, settings: SandboxSettings, connect: Callable[[], AbstractContextManager[Any]]) -> None:
        self._settings = settings
        self._connect = connect

    def base(self, policy: SandboxPolicy) -> str:
        """The image, by what it is and not by its name."""
        with self._asked() as client:
            return f"docker:{self._settings.runtime}:{client.images.get(policy.image).id}"

    def find(self, key: str) -> str:
        """The first by name where there are several, so that the others are used no more, and go."""
        with self._asked() as client:
            name = min((cache.name for cache in self._of(client, key)), default="")
            if name:
                self._mark(client, name, now=clock(client))
            return name

    def publish(self, archive: BinaryIO, made: Made, run_id: str) -> str:
        labels = {CACHES: self._settings.owner, KEY: made.key, REPOSITORY: made.repository, SIZE: str(made.size)}
        with self._asked() as client:
            volume = client.volumes.create(f"{self._settings.owner}-cache-{secrets.token_hex(8)}", labels=labels)
            try:
                self._fill(client, volume.name, archive, run_id)
                self._mark(client, volume.name, now=clock(client))
            except BaseException:
                gone(volume)
                raise
            name = min(cache.name for cache in self._of(client, made.key))
        if name != volume.name:  # in an order that all share: of two that end at once not both go
            self.remove(volume.name)
        return name

    def kept(self) -> list[Cache]:
        with self._asked() as client:
            return self._kept(client)

    def remove(self, name: str) -> bool:
        """Whether it is gone; one that a container has stays."""
        with self._asked() as client:
            if not _removed(client, name):
                return False
            for mark in client.volumes.list(filters={"label": f"{MARKS}={name}"}):
                _removed(client, mark.name)
        return True

    def now(self) -> float:
        """On the daemon's clock."""
        with self._asked() as client:
            return clock(client)

    @contextlib.contextmanager
    def _asked(self) -> Iterator[Any]:
        with self._connect() as client, translated():
            yield client

    def _kept(self, client: Any) -> list[Cache]:
        volumes = client.volumes.list(filters={"label": f"{CACHES}={self._settings.owner}"})
        labels = {volume.name: volume.attrs.get("Labels") or {} for volume in volumes}
        marks: dict[str, float] = {}
        for each in labels.values():
            if MARKS in each:
                marks[each[MARKS]] = max(marks.get(each[MARKS], 0.0), float(each[USED]))
        found = []
        for volume in volumes:
            mine = labels[volume.name]
            if mine.get(MARKS) in labels:
                continue  # the mark of one that is there
            made = Made(key=mine.get(KEY, ""), repository=mine.get(REPOSITORY, ""), size=int(mine.get(SIZE, 0)))
            used = marks.get(volume.name) or moment(volume.attrs["CreatedAt"])
            found.append(Cache(name=volume.name, used=used, complete=KEY in mine and volume.name in marks, made=made))
        return found

    def _of(self, client: Any, key: str) -> list[Cache]:
        return [cache for cache in self._kept(client) if cache.complete and cache.made.key == key]

    def _mark(self, client: Any, name: str, *, now: float) -> None:
        """With a newer mark before the older ones go: it has one at every time."""
        mark = f"{name}.used.{int(now // BETWEEN)}"
        labels = {CACHES: self._settings.owner, MARKS: name, USED: str(now)}
        client.volumes.create(mark, labels=labels)
        for older in client.volumes.list(filters={"label": f"{MARKS}={name}"}):
            if older.name < mark:
                _removed(client, older.name)

    def _fill(self, client: Any, name: str, archive: BinaryIO, run_id: str) -> None:
        """The daemon unpacks it, into a container that is never started."""
        settings = self._settings
        labels = {OWNER: settings.owner, RUN: run_id, EXPIRES: str(int(clock(client) + FILLING)), PART: "cache"}
        container = client.containers.create(
            settings.image,
            entrypoint=["sleep"],
            command=["0"],
            name=f"{name}-filler",
            labels=labels,
            mounts=[Mount(CACHE, name, type="volume", no_copy=True)],
            **isolation(SandboxPolicy.of(settings), settings.runtime),
        )
        try:
            archive.seek(0)
            container.put_archive(CACHE, archive)
        finally:
            gone(container)


def shown(policy: SandboxPolicy, owner: str) -> list[Mount]:
    """The policy's cache for a container. The labels are for a volume that the daemon makes where there is none."""
    if not policy.cache:
        return []
    return [Mount(CACHE, policy.cache, type="volume", read_only=True, no_copy=True, labels={CACHES: owner})]


def confirm(client: Any, policy: SandboxPolicy) -> None:
    """Raise `SandboxUnavailable` if what a container was given in place of the policy's cache is another volume."""
    if policy.cache and KEY not in (client.volumes.get(policy.cache).attrs.get("Labels") or {}):
        raise SandboxUnavailable(GONE)


def _removed(client: Any, name: str) -> bool:
    try:
        client.volumes.get(name).remove()
    except NotFound:
        return True
    except APIError as error:
        if error.status_code != CONFLICT:
            raise
        return False
    return True
