"""Words made inert, whatever they are put together of, and wherever we put them."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from entropy.lifecycle.publish.inert import BREAK, inert, inert_line, inert_message, inert_title
from tests.integration.compromised.judge import alive, alive_in_commit

SIGNS = [*"@#/:[]()!<>`~*_|&;$\\=+- \t\n1a", "```", "````", "~~~", "\n\n", "\r\n", "    ", "> ", "- ", "1. ", "---"]
WORDS = [
    *("@ada", "@acme/team", "\\@ada", "&#64;ada", "&commat;", "#1", "GH-1", "acme/w#1", "\\#1", "&#35;1", "ada", "GH-"),
    *("Fixes ", "closes: ", "https://", "http://evil.example/issues/1", "www.evil.example", "www.", "//evil", "issues"),
    *("[a](b)", "![a](b)", "[a]: ", "[a][a]", "<b>", "<!--", "-->", "<img src=x>", "~~~~x", "```suggestion", "<a@b.c>"),
    *("/entropy stop", "/a", "Signed-off-by: ", "[skip ci]", "[ci skip]", "***NO_CI***", "skip-checks: true"),
    *("</details>", "<details>", "<summary>"),
]
UNSEEN = list("\u202e\u200b\u2028\x0b\x85\0\ud800\U000e0041\u3164\ufe01")
TEXTS = st.lists(st.sampled_from(SIGNS + WORDS + UNSEEN), max_size=14).map("".join)
HONEST = (
    "The total of `Basket` was wrong, since 3 < 4:\n\n* first\n* second\n\n```\n@property\ndef total(): ...\n```\n\nSo."
)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_nothing_in_it_is_alive(text: str) -> None:
    assert alive(inert(text)) == []
    assert alive_in_commit(inert_message(text)) == []
    assert alive_in_commit(inert_line(text)) == []
    assert not re.search(r"#\d|\bGH-\d|://|\[skip ci\]", inert_title(text), re.IGNORECASE)


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS)
def test_it_spoils_nothing_of_ours_before_and_behind(text: str, other: str) -> None:
    body = f"We say: {inert(text)} And again.\n\n{inert(other)} {inert(text)}\n\nEnd."
    assert alive(body) == []
    assert "<p>End.</p>" in MarkdownIt("commonmark").render(body)


@given(TEXTS)
def test_twice_is_the_same_as_once(text: str) -> None:
    assert inert(inert(text)).strip() == inert(text).strip()


def test_honest_words_read_as_before() -> None:
    assert inert(HONEST) == HONEST
    assert inert("See #12.").replace(BREAK, "") == "See #12."
