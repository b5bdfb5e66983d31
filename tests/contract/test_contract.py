"""The judge itself: it lets a right exchange pass and catches each kind of wrong one."""

import ast
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contract.contract import Exchange, Violation, github, webhooks
from tests.contract.deviations import Deviation
from tests.contract.validator import outdated, unexcused

FILE = {
    "sha": "bbcd538c8e72b8c175046e27cc8f907076331401",
    "filename": "file1.txt",
    "status": "added",
    "additions": 103,
    "deletions": 21,
    "changes": 124,
    "blob_url": "https://github.com/octocat/Hello-World/blob/6dcb09b5b57875f334f61aebed695e2e4193db5e/file1.txt",
    "raw_url": "https://github.com/octocat/Hello-World/raw/6dcb09b5b57875f334f61aebed695e2e4193db5e/file1.txt",
    "contents_url": "https://api.github.com/repos/octocat/Hello-World/contents/file1.txt?ref=6dcb09b5",
    "patch": "@@ -132,7 +132,7 @@ module Test",
}
LABEL = {
    "id": 208045946,
    "node_id": "MDU6TGFiZWwyMDgwNDU5NDY=",
    "url": "https://api.github.com/repos/octocat/Hello-World/labels/bug",
    "name": "bug",
    "description": None,
    "color": "f29513",
    "default": True,
}


def files(body: Any, query: str = "per_page=100") -> Exchange:
    path = "/repos/octocat/Hello-World/pulls/1/files"
    return Exchange("GET", path, query, b"", 200, "application/json; charset=utf-8", json.dumps(body).encode())


def labels(sent: Any, received: Any) -> Exchange:
    path = "/repos/octocat/Hello-World/issues/1/labels"
    return Exchange("POST", path, "", json.dumps(sent).encode(), 200, "application/json", json.dumps(received).encode())


def said(exchange: Exchange) -> list[str]:
    return [str(violation) for violation in github().violations(exchange)]


def test_right_exchanges_pass() -> None:
    assert said(files([FILE])) == []
    assert said(labels({"labels": ["bug"]}, [LABEL])) == []


@pytest.mark.parametrize("field", ["sha", "filename", "status", "additions", "blob_url"])
def test_a_missing_field_is_caught(field: str) -> None:
    rest = {name: value for name, value in FILE.items() if name != field}
    assert said(files([rest])) == [f'pulls/list-files response 200: 0: "{field}" is a required property']


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "deleted"),  # no value of the enumeration
        ("additions", "103"),
        ("filename", None),
        ("blob_url", "not an address"),
        ("changes", 1.5),
    ],
)
def test_a_wrong_value_is_caught(field: str, value: object) -> None:
    (wrong,) = said(files([{**FILE, field: value}]))
    assert wrong.startswith(f"pulls/list-files response 200: 0.{field}: ")


def test_null_passes_only_where_the_description_allows_it() -> None:
    assert said(labels({"labels": ["bug"]}, [{**LABEL, "description": None}])) == []
    assert said(labels({"labels": ["bug"]}, [{**LABEL, "color": None}])) != []


@pytest.mark.parametrize(
    ("exchange", "message"),
    [
        (replace(files([FILE]), path="/repos/octocat/Hello-World/pulls/1/fils"), "no such operation"),
        (replace(files([FILE]), method="DELETE"), "no such operation"),
        (replace(files([FILE]), status=418), "does not know this status"),
        (replace(files([FILE]), content_type="text/html"), "content type 'text/html'"),
        (replace(files([FILE]), path="/repos/octocat/Hello-World/pulls/one/files"), "parameter pull_number"),
        (files([FILE], "per_page=many"), "parameter per_page"),
        (files([FILE], "labels=bug"), "unknown parameter labels"),
        (labels(["bug"], [LABEL]), "is not valid under"),
        (labels({"labels": []}, [LABEL]), "is not valid under"),
        (replace(labels({}, [LABEL]), path="/repos/octocat/Hello-World/issues/1/comments", status=404), "required"),
    ],
)
def test_a_wrong_request_or_answer_is_caught(exchange: Exchange, message: str) -> None:
    assert any(message in each for each in said(exchange))


def test_a_misspelt_field_of_a_request_is_caught() -> None:
    comment = replace(
        labels({"body": "hello", "boddy": "x"}, {"message": "Not Found"}),
        path="/repos/octocat/Hello-World/issues/1/comments",
        status=404,
    )
    assert said(comment) == ["issues/create-comment request: unknown field boddy"]


def test_the_list_of_deviations_excuses_what_it_names_and_nothing_else() -> None:
    listed = [Deviation("issues/get", "response 200", '"title"', "for this test")]
    named = Violation("issues/get", "response 200", '"title" is a required property')
    other = replace(named, message='"body" is a required property')
    assert unexcused([named, other], listed) == [str(other)]
    assert outdated([named], listed) == []
    assert outdated([other], listed) == listed


def test_the_slice_holds_what_its_script_lists() -> None:
    script = Path(__file__).parents[2] / "ops" / "contract"
    names = "('OURS', 'THEIRS', 'WEBHOOKS')"
    code = (
        f"import runpy, sys; found = runpy.run_path(sys.argv[1]); print(*(found[name] for name in {names}), sep='\\n')"
    )
    listed = subprocess.run([sys.executable, "-c", code, script], capture_output=True, text=True, check=True).stdout
    ours, theirs, events = (frozenset(ast.literal_eval(line)) for line in listed.splitlines())
    assert (github().operations(), github().ours(), webhooks().names()) == (ours | theirs, ours, events)


def test_a_repository_is_known_by_its_id_too() -> None:
    assert said(replace(files([FILE]), path="/repositories/7/pulls/1/files")) == []
    assert said(replace(files([FILE]), path="/repositories/7/pulls/1/fils")) != []


@pytest.mark.parametrize(
    ("path", "operation"),
    [
        ("/repos/o/r/commits/topic/one", "repos/get-commit"),
        ("/repos/o/r/commits/topic/one/status", "repos/get-combined-status-for-ref"),
        ("/repos/o/r/branches/topic/one/protection", "repos/get-branch-protection"),
        ("/repos/o/r/compare/main...topic/one", "repos/compare-commits-with-basehead"),
    ],
)
def test_names_with_slashes_are_parts_of_paths(path: str, operation: str) -> None:
    found = github().operation(Exchange("GET", path, "", b"", 200, "application/json", b"{}"))
    assert found is not None
    assert found.id == operation


def test_a_payload_is_judged_by_its_event_and_action() -> None:
    ping = {"hook_id": 1, "zen": "Keep it logically awesome."}
    assert webhooks().errors("ping", ping) == []
    assert webhooks().errors("ping", {"hook_id": "one"}) != []
    assert webhooks().errors("issues", {"action": "opened"}) != []
    assert webhooks().errors("issues", {"action": "exploded"}) == [
        "issues-exploded: no such webhook in the description"
    ]
