"""Every example of a webhook that the community has collected, sent to the receiver."""

import json
import lzma
from pathlib import Path
from typing import Any

from entropy.github.webhooks import ON_ITEMS
from tests.integration.scheduling.receiving import receiving

EXAMPLES: dict[str, list[dict[str, Any]]] = json.loads(
    lzma.decompress((Path(__file__).parent / "webhooks-examples.json.xz").read_bytes())
)


def test_all_examples_are_taken_in_and_each_is_one_line(tmp_path: Path, redis_url: str) -> None:
    with receiving(tmp_path, redis_url) as receiver:
        receiver.tools.rounds.serve({_repository(each) for examples in EXAMPLES.values() for each in examples} - {""})
        sent = [(event, receiver.send(each, event)) for event, examples in EXAMPLES.items() for each in examples]
        assert len(sent) > 300
        assert {answer for _, (answer, _) in sent} == {202}
        assert len(receiver.lines) == len(sent)
        assert receiver.hinted() == sorted({*_items()})


def _items() -> list[str]:
    """What the examples are about, told in another way than the receiver finds it out."""
    found = []
    for event in ON_ITEMS & EXAMPLES.keys():
        for each in EXAMPLES[event]:
            named = [each[name] for name in ("issue", "pull_request") if name in each]
            named += each.get(event, {}).get("pull_requests", []) if event.startswith("check") else []
            found += [f"{_repository(each)}#{item['number']}" for item in named]
    return found


def _repository(example: dict[str, Any]) -> str:
    return str((example.get("repository") or {}).get("full_name", ""))
