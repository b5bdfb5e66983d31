"""The pages for people over real HTTP: they say what happened, lead everywhere, and let nobody's text act."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
import requests
from github.PullRequest import PullRequest
from github.Repository import Repository

from tests.integration.forge.conftest import NAME, Git, Village

ACTIVE = {"script", "img", "iframe", "object", "embed", "form", "input", "button", "style", "base", "svg", "video"}
PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "</title></details></article></main><form action=/x><input name=q></form>",
    "[click](javascript:alert(1))",
    "[click](JaVaScRiPt:alert(1)) <javascript:alert(1)>",
    "[click](data:text/html;base64,PHNjcmlwdD4=)",
    "[click](//evil.example/x)",
    "![pixel](https://evil.example/p.png)",
    "<a href='javascript:alert(1)' onclick=alert(1)>x</a>",
    "<details open ontoggle=alert(1)><summary>x</summary>y</details>",
    "<sub onmouseover=alert(1)>x</sub>",
    "<style>body { display: none }</style>",
    "<meta http-equiv=refresh content=0;url=https://evil.example>",
    "[x]: javascript:alert(1)\n\n[x]",
    "{{ 7 * 7 }} {% include '/etc/passwd' %}",
    '" onmouseover="alert(1)" x="',
]


class Reading(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.pieces: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "br", "hr"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, f"</{tag}> closes {self.open[-1]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.pieces).split())

    @property
    def links(self) -> list[str]:
        return [str(attrs["href"]) for _, attrs in self.tags if "href" in attrs]

    @property
    def ids(self) -> set[str | None]:
        return {attrs["id"] for _, attrs in self.tags if "id" in attrs}

    def classed(self, name: str) -> list[dict[str, str | None]]:
        return [attrs for _, attrs in self.tags if name in (attrs.get("class") or "").split()]


@dataclass(frozen=True)
class Browser:
    url: str

    def get(self, path: str, status: int = 200, token: str = "") -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = requests.get(self.url + path, headers=headers, timeout=30, allow_redirects=False)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:500])
        return answer

    def read(self, path: str, status: int = 200) -> Reading:
        answer = self.get(path, status)
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        reading = Reading(answer.text)
        assert reading.open == [], path
        return reading


@pytest.fixture
def browser(village: Village) -> Browser:
    return Browser(village.server.url)


@pytest.fixture
def merged(village: Village, writer: Repository, change: Callable[..., str]) -> PullRequest:
    """Issue 1, and pull request 2: refused with a remark on a line, reworked, approved, merged."""
    writer.create_label("bug", "d73a4a")
    writer.create_issue("Too little thrust", body="It does **not** fly.", labels=["bug"])
    change("topic")
    pull = writer.create_pull(base="main", head="topic", title="More thrust", body="Closes #1\n\n<!-- entropy:pull -->")
    pull.create_issue_comment("First comment")
    pull.create_issue_comment("Second comment\n\n<details><summary>Log</summary>\n\nall *green*\n\n</details>")
    _review(village, pull.number, "REQUEST_CHANGES", "Not yet.", remark="Why two?")
    head = change("topic", content="def thrust():\n    return 2\n\n\ndef stop():\n    return -1\n")
    writer.get_commit(head).create_status("success", "https://ci.example/7", "All 12 pass", "entropy/tests")
    _review(village, pull.number, "APPROVE", "Now it is good.")
    writer.get_pull(pull.number).merge(commit_title="Merge thrust", sha=head)
    return writer.get_pull(pull.number)


def _review(village: Village, number: int, event: str, body: str, *, remark: str = "") -> None:
    comments = [{"path": "engine.py", "line": 2, "side": "RIGHT", "body": remark}] if remark else []
    with village.client("admin") as client:
        pull = client.get_repo(NAME).get_pull(number)
        pull.create_review(body=body, event=event, comments=comments)  # type: ignore[arg-type]


def test_a_merged_pull_request_tells_its_story_in_order(browser: Browser, merged: PullRequest) -> None:
    page = browser.read(f"/{NAME}/pull/2")
    story = [
        "More thrust #2", "Merged", "write", "merged 1 commit into", "main", "from", "topic", "Closes", "Closed",
        "Too little thrust", "#1", "Reviews", "admin approved these changes", "Checks", "entropy/tests success",
        "All 12 pass", "write wrote", "First comment", "Second comment", "Log", "all green", "admin asked for changes",
        "Not yet.", "engine.py line 2", "return 2", "Why two?", "admin approved these changes", "Now it is good.",
        "merged this with", "Commits", "Change engine.py", "Changes",
    ]  # fmt: skip
    at = 0
    for fact in story:
        found = page.text.find(fact, at)
        assert found >= 0, f"{fact!r} does not come after {page.text[max(0, at - 80) : at]!r}"
        at = found + len(fact)
    assert f"/{NAME}/issues/1" in page.links
    assert "https://ci.example/7" in page.links
    assert "entropy:pull" not in page.text
    assert [attrs for attrs in page.classed("state") if "merged" in str(attrs["class"])]


def test_a_remark_stands_at_its_line_of_the_diff(browser: Browser, merged: PullRequest) -> None:
    text = browser.get(f"/{NAME}/pull/2").text
    changes = text[text.index('id="changes"') :]
    marks = ['<tr class="added" id="file-1R2">', "return 2", "admin", "remarked", "Why two?", 'id="file-1R3"']
    places = [changes.index(mark) for mark in marks]
    assert places == sorted(places)


def test_a_remark_on_a_line_that_reads_otherwise_now_stays_in_the_conversation(
    village: Village, browser: Browser, writer: Repository, change: Callable[..., str]
) -> None:
    change("topic")
    pull = writer.create_pull(base="main", head="topic", title="T", body="")
    _review(village, pull.number, "COMMENT", "Hm", remark="Why two?")
    change("topic", content="def thrust():\n    return 3\n")
    text = browser.get(f"/{NAME}/pull/1").text
    conversation, changes = text.split('id="changes"')
    assert "Why two?" in conversation
    assert "Why two?" not in changes


def test_an_issue_shows_its_facts(browser: Browser, merged: PullRequest) -> None:
    page = browser.read(f"/{NAME}/issues/1")
    for fact in ("Too little thrust #1", "Closed", "as completed", "bug", "It does not fly.", "More thrust #2"):
        assert fact in page.text
    assert f"/{NAME}/pull/2" in page.links
    label = next(attrs for attrs in page.classed("label"))
    rule = f".{str(label['class']).split()[1]} {{ background: #d73a4a; color: #fff; }}"
    assert rule in browser.get(f"/{NAME}/labels.css").text


def test_comments_come_in_their_order(browser: Browser, writer: Repository) -> None:
    issue = writer.create_issue("A", body="first of all", labels=["at the opening"])
    for number in range(5):
        issue.create_comment(f"comment number {number}")
    said = re.findall(r"comment number \d|first of all|added at the opening", browser.read(f"/{NAME}/issues/1").text)
    assert said == ["first of all", "added at the opening", *(f"comment number {number}" for number in range(5))]


def test_the_repository_at_a_glance(browser: Browser, writer: Repository, change: Callable[..., str]) -> None:
    change("topic/one")
    writer.create_issue("An issue")
    writer.create_pull(base="main", head="topic/one", title="A pull request", body="")
    page = browser.read(f"/{NAME}")
    for fact in ("An issue", "A pull request", "topic/one", "Begin", "Goes up.", f"git clone {browser.url}/{NAME}.git"):
        assert fact in page.text
    home = browser.read("/")
    assert f"/{NAME}" in home.links
    assert "1 open issue · 1 open pull request · Begin" in home.text


def test_lists_are_by_state_label_and_page(browser: Browser, writer: Repository) -> None:
    for number in range(1, 34):
        issue = writer.create_issue(f"Thing {number}.", labels=["odd"] if number % 2 else [])
        if number <= 2:
            issue.edit(state="closed")
    first = browser.read(f"/{NAME}/issues")
    assert ("Thing 33." in first.text, "Thing 3." in first.text, "Thing 1." in first.text) == (True, False, False)
    assert "Open 31 Closed 2 All 33" in first.text
    assert "?page=2" in first.links
    assert "Thing 3." in browser.read(f"/{NAME}/issues?page=2").text
    assert "Thing 1." in browser.read(f"/{NAME}/issues?state=closed").text
    assert "Open 16 Closed 1 All 17" in browser.read(f"/{NAME}/issues?state=all&label=odd").text
    assert "Not possible 422" in browser.read(f"/{NAME}/issues?state=odd", 422).text


def test_lists_of_pull_requests_show_checks_and_ends(browser: Browser, merged: PullRequest) -> None:
    assert "There are no open pull requests" in browser.read(f"/{NAME}/pulls").text
    closed = browser.read(f"/{NAME}/pulls?state=closed").text
    assert re.search(r"Merged More thrust ✓entropy/tests: success #2 opened .* topic into main, merged", closed)


def test_commits_and_files(browser: Browser, merged: PullRequest) -> None:
    commit = browser.read(f"/{NAME}/commit/{merged.merge_commit_sha}")
    assert "Merge thrust" in commit.text
    assert "+ return 2" in commit.text
    assert "- return 1" in commit.text
    first = next(one.sha for one in merged.base.repo.get_commits() if not one.parents)
    assert "README.md" in browser.read(f"/{NAME}/commit/{first[:10]}").text
    assert "Merge thrust" in browser.read(f"/{NAME}/commits/main").text
    assert f"/{NAME}/blob/topic/engine.py" in browser.read(f"/{NAME}/tree/topic").links
    assert "def thrust():" in browser.read(f"/{NAME}/blob/main/engine.py").text


def test_branches_with_slashes_and_folders(browser: Browser, clone: Path, git: Git) -> None:
    (clone / "a" / "b").mkdir(parents=True)
    (clone / "a" / "b" / "c.txt").write_text("deep\n")
    (clone / "bits.bin").write_bytes(b"\0\1")
    git("checkout", "--quiet", "-b", "x/y", cwd=clone)
    git("add", ".", cwd=clone)
    git("commit", "--quiet", "-m", "Dig", cwd=clone)
    git("push", "--quiet", "origin", "x/y", "HEAD~1:refs/tags/x", cwd=clone)
    assert f"/{NAME}/blob/x/y/a/b/c.txt" in browser.read(f"/{NAME}/tree/x/y/a/b").links
    assert "deep" in browser.read(f"/{NAME}/blob/x/y/a/b/c.txt").text
    assert "not text" in browser.read(f"/{NAME}/blob/x/y/bits.bin").text
    assert browser.get(f"/{NAME}/blob/x/y/a/b", 302).headers["Location"] == f"/{NAME}/tree/x/y/a/b"
    assert browser.get(f"/{NAME}/tree/x/y/a/b/c.txt", 302).headers["Location"] == f"/{NAME}/blob/x/y/a/b/c.txt"
    raw = browser.get(f"/{NAME}/blob/x/y/bits.bin?raw=true")
    assert (raw.content, raw.headers["Content-Type"]) == (b"\0\1", "application/octet-stream")


def test_a_long_diff_is_folded_and_a_short_one_is_not(
    browser: Browser, writer: Repository, clone: Path, change: Callable[..., str]
) -> None:
    (clone / "short.txt").write_text("one line\n")
    change("long", path="long.txt", content="\n".join(f"line {number}" for number in range(5000)))
    writer.create_pull(base="main", head="long", title="Long", body="")
    page = browser.read(f"/{NAME}/pull/1")
    files = page.classed("file")
    assert [("open" in attrs) for attrs in files] == [False, True]
    assert "line 2998" in page.text
    assert "line 2999" not in page.text
    assert "2002 more lines are not shown" in page.text
    assert "line 4999" in browser.get(f"/{NAME}/pull/1.diff").text


def test_every_link_leads_somewhere(browser: Browser, merged: PullRequest) -> None:
    seen, waiting = dict[str, Reading | None](), ["/"]
    fragments = []
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        answer = browser.get(path)
        is_page = answer.headers["Content-Type"].startswith("text/html")
        seen[path] = reading = Reading(answer.text) if is_page else None
        for link in reading.links if reading else []:
            target, fragment = urldefrag(urljoin(f"{browser.url}{path}", link))
            parts = urlsplit(target)
            if f"{parts.scheme}://{parts.netloc}" != browser.url:
                continue
            inner = parts.path + (f"?{parts.query}" if parts.query else "")
            inner = inner.replace(f"/{NAME}/issues/2", f"/{NAME}/pull/2")
            waiting.append(inner)
            fragments.append((inner, fragment))
    assert len(seen) > 20
    missing = {
        (path, fragment) for path, fragment in fragments if fragment and fragment not in getattr(seen[path], "ids", ())
    }
    assert missing == set()


def _inert(page: Reading) -> None:
    assert ACTIVE.isdisjoint(tag for tag, _ in page.tags)
    for tag, attrs in page.tags:
        assert not [name for name in attrs if name.startswith("on") or name in {"style", "src", "srcset"}], (tag, attrs)
        assert "http-equiv" not in attrs
    for link in page.links:
        assert re.match(r"(/[^/]|/$|[?#]|https?://)", link), link


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_text_is_only_text(browser: Browser, writer: Repository, payload: str) -> None:
    line = " ".join(payload.split())
    issue = writer.create_issue(line, body=payload, labels=[line[:45]])
    issue.create_comment(payload)
    issue.create_comment(f"<details><summary>{line}</summary>\n\n> {line}\n\n</details>")
    for path in (f"/{NAME}", f"/{NAME}/issues", f"/{NAME}/issues/1"):
        page = browser.read(path)
        _inert(page)
        assert line in page.text


@pytest.mark.parametrize("payload", [one for one in PAYLOADS if "\n" not in one])
def test_hostile_names_commits_and_diffs_are_only_text(
    browser: Browser, writer: Repository, clone: Path, git: Git, payload: str
) -> None:
    name = payload.replace("/", "_")
    git("checkout", "--quiet", "-b", "topic", cwd=clone)
    (clone / name).write_text(f"{payload}\n")
    (clone / "README.md").write_text(f"{payload}\n")
    git("add", ".", cwd=clone)
    git(
        "commit",
        "--quiet",
        "-m",
        payload,
        "--author",
        f"{payload.translate(str.maketrans('', '', '<>'))} <a@b>",
        cwd=clone,
    )
    git("push", "--quiet", "origin", "topic:topic", "topic:main", cwd=clone)
    sha = git("rev-parse", "HEAD", cwd=clone)
    for path in (f"/{NAME}", "/", f"/{NAME}/commits/topic", f"/{NAME}/commit/{sha}", f"/{NAME}/tree/topic"):
        page = browser.read(path)
        _inert(page)
        assert (name if "tree" in path else payload) in page.text
    blob = next(
        link for link in browser.read(f"/{NAME}/tree/topic").links if "/blob/topic/" in link and "engine" not in link
    )
    _inert(browser.read(blob))


@pytest.mark.parametrize("character", ["\u202e", "\u2066", "\u200f", "\u200b", "\x1b", "\x07", "\x9b", "\U000e0041"])
def test_characters_that_steer_the_display_are_spelled_out(
    browser: Browser, writer: Repository, change: Callable[..., str], character: str
) -> None:
    change("topic", content=f"a{character}b\n")
    writer.create_pull(
        base="main", head="topic", title=f"t{character}t", body=f"`c{character}d` &#x{ord(character):x};"
    )
    for path in (f"/{NAME}/pull/1", f"/{NAME}/pulls", f"/{NAME}/blob/topic/engine.py"):
        text = browser.get(path).text
        assert character not in text
        assert f"⟨U+{ord(character):04X}⟩" in text


def test_what_the_browser_is_told(browser: Browser, writer: Repository) -> None:
    writer.create_issue("A")
    for path in ("/", f"/{NAME}", f"/{NAME}/issues/1", f"/{NAME}/labels.css", "/style.css", "/icon.svg"):
        told = browser.get(path).headers
        assert "default-src 'none'" in told["Content-Security-Policy"]
        assert "unsafe" not in told["Content-Security-Policy"]
        assert (told["X-Content-Type-Options"], told["X-Frame-Options"]) == ("nosniff", "DENY")
        assert told["Referrer-Policy"] == "no-referrer"
    raw = browser.get(f"/{NAME}/blob/main/README.md?raw=true").headers
    assert raw["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert raw["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    "path",
    [
        "/nobody", "/a/b/c/d/e", "/acme/none", "/favicon.ico", "/%2e%2e/%2e%2e/etc/passwd",
        "/acme/rocket/issues/99", "/acme/rocket/pull/x", "/acme/rocket/tree/none", "/acme/rocket/blob/main/none",
        "/acme/rocket/blob/main/..%2Fengine.py", "/acme/rocket/tree/main/%00", "/acme/rocket/commits/main..topic",
        "/acme/rocket/commit/dead", "/acme/rocket/commit/--all", "/acme/rocket/commit/HEAD%0a",
    ],
)  # fmt: skip
def test_what_is_not_here_is_a_page_that_helps(browser: Browser, path: str) -> None:
    page = browser.read(path, 404)
    _inert(page)
    assert "Not found 404" in page.text
    assert f"/{NAME}" in page.links


def test_the_api_still_answers_as_github_does(browser: Browser) -> None:
    for path in ("/api/v3/none", "/api/v3", "/api/none"):
        assert browser.get(path, 404).json()["message"] == "Not Found"
    refused = requests.post(f"{browser.url}/{NAME}/issues", json={"title": "x"}, timeout=30)
    assert (refused.status_code, refused.json()["message"]) == (404, "Not Found")


def test_head_is_get_without_the_body(browser: Browser, merged: PullRequest) -> None:
    for path in ("/", f"/{NAME}", f"/{NAME}/pull/2", f"/{NAME}/issues/1", "/style.css", "/none"):
        seen, told = requests.get(browser.url + path, timeout=30), requests.head(browser.url + path, timeout=30)
        assert (told.status_code, told.content) == (seen.status_code, b"")
        assert told.headers["Content-Length"] == str(len(seen.content))


def test_a_number_finds_its_page_whichever_kind_it_is(browser: Browser, merged: PullRequest) -> None:
    assert browser.get(f"/{NAME}/issues/2", 302).headers["Location"] == f"/{NAME}/pull/2"
    assert browser.get(f"/{NAME}/pull/1", 302).headers["Location"] == f"/{NAME}/issues/1"
    assert browser.get(f"/{NAME}.git", 302).headers["Location"] == f"/{NAME}"


def test_a_private_repository_is_not_shown_to_strangers(village: Village, browser: Browser, source: Path) -> None:
    village.server.store.import_repository(source, "acme/secret", private=True)
    village.server.store.add_collaborator("acme/secret", "read", "read")
    for path in ("/acme/secret", "/acme/secret/issues", "/acme/secret/labels.css", "/acme/secret/blob/main/README.md"):
        assert "secret" not in browser.read(path, 404).text
        browser.get(path, 404, token=village.tokens["stranger"])
        browser.get(path, token=village.tokens["read"])
    assert "secret" not in browser.get("/").text
    assert "secret" in browser.get("/", token=village.tokens["read"]).text
    browser.get("/", 401, token="ghp_wrong")
