"""Markdown from strangers: what is let through, what is hidden, and what stays text."""

import pytest

from entropy.forge.web.markdown import markdown

HOME = "acme/rocket"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a **b**", "<p>a <strong>b</strong></p>\n"),
        ("# Big", "<h3>Big</h3>\n"),
        ("<sub>small `x`</sub>", "<p><sub>small <code>x</code></sub></p>\n"),
        (
            "<details><summary>1 &lt; 2</summary>\n\n*x*\n\n</details>",
            "<details><summary>1 &lt; 2</summary>\n<p><em>x</em></p>\n</details>",
        ),
        ("a <!-- hidden --> b", "<p>a  b</p>\n"),
        ("<!-- entropy:run\nmore -->\n\nb", "\n<p>b</p>\n"),
        ("`<!-- shown -->`", "<p><code>&lt;!-- shown --&gt;</code></p>\n"),
        ("a <!-- not closed", "<p>a &lt;!-- not closed</p>\n"),
        ("see #7", '<p>see <a href="/acme/rocket/issues/7" rel="noopener noreferrer nofollow">#7</a></p>\n'),
        ("`#7` and a&#35;7", "<p><code>#7</code> and a#7</p>\n"),
        ("[#7](https://x.example)", '<p><a href="https://x.example" rel="noopener noreferrer nofollow">#7</a></p>\n'),
        ("[a](b/c.md)", '<p><a href="/acme/rocket/blob/HEAD/b/c.md" rel="noopener noreferrer nofollow">a</a></p>\n'),
        ("[a](ftp://x)", "<p>[a](ftp://x)</p>\n"),
        ("![alt](https://x.example/p.png)", '<p><span class="picture">alt</span></p>\n'),
    ],
)
def test_what_becomes_of_it(source: str, expected: str) -> None:
    assert markdown(source, HOME).replace("\n\n", "\n") == expected.replace("\n\n", "\n")


@pytest.mark.parametrize(
    "source",
    [
        "</details>",
        "<details>\n\nnever closed",
        "> <details>\n\n</details>",
        "- <details>\n- </details>",
        "*<sub>a*</sub>",
        "<sub>*a</sub>*",
        "<sub>a\n\nb</sub>",
        "</sub>",
        "| <sub> | b |\n|---|---|\n| </sub> | d |",
    ],
)
def test_a_tag_without_its_partner_is_text(source: str) -> None:
    shown = markdown(source, HOME)
    assert not any(f"<{slash}{tag}>" in shown for slash in ("", "/") for tag in ("details", "sub", "summary")), shown


def test_tags_that_cross_are_not_both_tags() -> None:
    assert (
        markdown("<summary><details></summary></details>", HOME) == "&lt;summary&gt;<details>&lt;/summary&gt;</details>"
    )


def test_other_repositories_commits_and_addresses_become_links() -> None:
    sha = "0123456789abcdef0123456789abcdef01234567"
    shown = markdown(f"a/b#3, {sha} and (https://x.example/y?z=1&w=2).", HOME)
    assert '<a href="/a/b/issues/3" ' in shown
    assert f'<a href="/acme/rocket/commit/{sha}" rel="noopener noreferrer nofollow">01234567</a>' in shown
    assert '<a href="https://x.example/y?z=1&amp;w=2" ' in shown
    assert "</a>)." in shown


@pytest.mark.parametrize(
    "source",
    ["[" * 30000, "<details>" * 5000, "> " * 20000, "*_" * 20000, "#1 " * 20000, "<!--" * 15000, "https://" * 8000],
)
@pytest.mark.timeout(10)
def test_the_largest_text_is_rendered_in_time(source: str) -> None:
    assert markdown(source, HOME)
