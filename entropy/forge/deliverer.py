"""Sends what is in the outbox, in the background and after the transaction; each message once, as GitHub does."""

import hashlib
import hmac
import sqlite3
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from typing import Literal
from urllib.parse import urlencode

from entropy.forge import queueing
from entropy.forge.outbox import fill
from entropy.forge.records import deliveries, hooks
from entropy.forge.records.deliveries import Receipt
from entropy.forge.store import Store

Mishap = Literal["lose", "double"]
TIMEOUT = 10
"""Seconds that GitHub waits for an answer."""
PAUSE = 1.0
"""Seconds until the outbox is looked at again without anybody's having written to it."""
AT_ONCE = 8
KEPT = 65536
"""Characters of an answer that are kept."""
LOST = Receipt("timed out", 504, float(TIMEOUT))


class Deliverer:
    """One thread that looks, and some that send; `close` ends them and leaves what waits for the next start."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ended = threading.Event()
        self._sending: set[int] = set()
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="webhooks")
        self._thread = threading.Thread(target=self._run, name="deliverer")
        self.mishap: Callable[[str], Mishap | None] = lambda _: None
        """What goes wrong with an event, named as ``issues.labeled``."""
        store.finishing.append(lambda db: fill(store, db))

    def start(self) -> None:
        with self._store.write() as db:
            deliveries.forget(db)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._store.written.set()
        self._thread.join()
        self._pool.shutdown(cancel_futures=True)

    def _run(self) -> None:
        while not self._ended.is_set():
            self._store.written.clear()
            self._look()
            if not self._ended.is_set():
                self._store.written.wait(PAUSE)

    def _look(self) -> None:
        try:
            queueing.advance(self._store)
            sending = frozenset(self._sending)  # before the look: what has been sent since is still waiting in it
            with self._store.read() as db:
                late = db.execute("SELECT 1 FROM activity WHERE NOT told LIMIT 1").fetchone()
                found = [row for row in deliveries.waiting(db) if row["id"] not in sending]
            if late:
                self._tell()
        except sqlite3.OperationalError:
            return  # another process writes for long; the next look finds the same
        for row in found:
            self._sending.add(row["id"])
            self._pool.submit(self._send, row)

    def _tell(self) -> None:
        """What another process wrote: every change ends with telling what is not told yet."""
        with self._store.write():
            pass

    def _send(self, row: sqlite3.Row) -> None:
        with self._store.read() as db:
            hook = hooks.numbered(db, row["hook_id"])
        if hook is not None:
            name = f"{row['event']}.{row['action']}" if row["action"] else str(row["event"])
            mishap = self.mishap(name)
            receipt = LOST if mishap == "lose" else deliver(hook, row)
            if mishap == "double":
                receipt = deliver(hook, row)
            with self._store.write() as db:
                deliveries.record(db, row["id"], receipt)
        self._sending.discard(row["id"])


def deliver(hook: sqlite3.Row, row: sqlite3.Row) -> Receipt:
    """Send it once; whatever comes of it is in the receipt."""
    body = row["payload"].encode()
    if hook["content_type"] == "form":
        body = urlencode({"payload": row["payload"]}).encode()
    headers = _headers(hook, row, body)
    request = urllib.request.Request(hook["url"], body, headers, method="POST")  # noqa: S310 - http or https, as checked
    began = time.monotonic()
    status, code, answered, text = _exchange(request, insecure=hook["insecure_ssl"] == "1")
    return Receipt(status, code, round(time.monotonic() - began, 3), headers, answered, text[:KEPT])


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like any other: GitHub follows none."""

    def redirect_request(self, *_: object) -> None:
        return None


def _exchange(request: urllib.request.Request, *, insecure: bool) -> tuple[str, int, dict[str, str], str]:
    """What to call it, the status, and what was answered."""
    opener = urllib.request.build_opener(_NoRedirects, *_secured(request, insecure=insecure))
    try:
        with opener.open(request, timeout=TIMEOUT) as answer:
            return "OK", answer.status, dict(answer.headers), answer.read(KEPT).decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        with error:
            text = error.read(KEPT).decode("utf-8", "replace")
            return f"Invalid HTTP Response: {error.code}", error.code, dict(error.headers), text
    except TimeoutError:
        return "timed out", 504, {}, ""
    except (OSError, HTTPException) as error:
        late = isinstance(getattr(error, "reason", None), TimeoutError)
        return ("timed out", 504, {}, "") if late else ("failed to connect to host", 502, {}, "")


def _secured(request: urllib.request.Request, *, insecure: bool) -> list[urllib.request.BaseHandler]:
    """To know all authorities takes long, so only who needs them asks."""
    if request.type != "https":
        return []
    context = ssl.create_default_context()
    if insecure:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return [urllib.request.HTTPSHandler(context=context)]


def _headers(hook: sqlite3.Row, row: sqlite3.Row, body: bytes) -> dict[str, str]:
    form = hook["content_type"] == "form"
    headers = {
        "Content-Type": "application/x-www-form-urlencoded" if form else "application/json",
        "User-Agent": "GitHub-Hookshot/embedded",
        "Accept": "*/*",
        "X-GitHub-Event": str(row["event"]),
        "X-GitHub-Delivery": str(row["guid"]),
        "X-GitHub-Hook-ID": str(hook["id"]),
        "X-GitHub-Hook-Installation-Target-Type": "integration" if hook["app_id"] else "repository",
        "X-GitHub-Hook-Installation-Target-ID": str(hook["app_id"] or hook["repository_id"]),
    }
    if hook["secret"]:
        key = hook["secret"].encode()
        headers["X-Hub-Signature"] = f"sha1={hmac.new(key, body, hashlib.sha1).hexdigest()}"
        headers["X-Hub-Signature-256"] = f"sha256={hmac.new(key, body, hashlib.sha256).hexdigest()}"
    return headers
