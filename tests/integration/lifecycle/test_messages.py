"""What lies in the broker: read from Redis while no worker runs."""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import redis

from tests.integration.lifecycle.shell import environment, python

SHELL = """
from entropy.lifecycle import start
from entropy.scheduling import discover
print(start("acme/widgets#12", role="coder"))
print(start("acme/gadgets#7", role="reviewer"))
discover.delay()
"""

TASK_NAME = re.compile(r"entropy\.(lifecycle|scheduling)\.\w+")
BOOKKEEPING = {
    # What Celery itself writes: identifiers, routing and retry settings; nothing of ours can be in them.
    "id", "root_id", "parent_id", "group", "correlation_id", "reply_to", "delivery_tag", "origin", "lang", "task",
    "stamps", "stamped_headers", "delivery_info", "delivery_mode", "body_encoding", "priority", "content-type",
    "content-encoding", "shadow", "eta", "expires", "group_index", "retries", "timelimit", "argsrepr", "kwargsrepr",
    "ignore_result", "replaced_task_nesting", "options", "subtask_type", "immutable", "queue", "task_id",
}  # fmt: skip


def queued(url: str) -> Iterator[dict[str, Any]]:
    with redis.Redis.from_url(url) as client:
        for queue in ("scheduling", "coder.control", "reviewer.control"):
            for message in client.lrange(f"entropy:celery:{queue}", 0, -1):
                yield json.loads(message)


def payloads(args: list[Any], kwargs: dict[str, Any], embed: dict[str, Any]) -> Iterator[Any]:
    """The arguments of a message and of every message that is folded into it."""
    yield args, kwargs
    assert {name for name, value in embed.items() if value} <= {"chain"}
    for link in embed.get("chain") or []:
        assert TASK_NAME.fullmatch(link["task"])
        assert set(link) - BOOKKEEPING <= {"args", "kwargs"}
        yield from payloads(link["args"], link["kwargs"], {"chain": link["options"].get("chain")})


def test_messages_hold_run_ids_and_generations_and_nothing_else(redis_url: str, tmp_path: Path) -> None:
    told = python(SHELL, env=environment(ENTROPY_REDIS__URL=redis_url), cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    run_ids = told.stdout.split()
    messages = list(queued(redis_url))
    assert len(messages) == 3
    seen = []
    for message in messages:
        args, kwargs, embed = json.loads(base64.b64decode(message["body"]))
        for found, named in payloads(args, kwargs, embed):
            assert named == {}
            seen.append(found)
        assert set(message["headers"]) | set(message["properties"]) <= BOOKKEEPING
        assert not re.search("acme|widgets|gadgets", json.dumps(message) + json.dumps([args, kwargs, embed]))
    assert sorted(seen) == sorted([[], *[[run_id, 1] for run_id in run_ids for _ in range(5)]])
