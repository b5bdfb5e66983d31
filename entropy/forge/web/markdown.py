"""Markdown as safe HTML: a few tags pass in well nested pairs, comments vanish, other HTML is shown as text."""

import html
import re
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup

from entropy.forge.web.inert import web_address

BLOCKS = frozenset({"details", "summary", "sub"})
FOREIGN = "noopener noreferrer nofollow"
INLINES = frozenset({"sub"})
_HTML = re.compile(r"<!--|</?([a-z]+)>", re.IGNORECASE)
_MENTION = re.compile(
    r"(?P<address>https?://[^\s<>\"'`]*[^\s<>\"'`.,;:!?)\]])"
    r"|(?<![\w/#&.-])(?P<home>[\w.-]{1,40}/[\w.-]{1,100})?#(?P<number>\d{1,9})\b"
    r"|\b(?P<sha>[0-9a-f]{40})\b",
    re.ASCII,
)
_RELATIVE = re.compile(r"[\w.][\w./-]*(#[\w.-]*)?", re.ASCII)


def markdown(text: str | None, home: str, branch: str = "HEAD") -> Markup:
    """`home` is the repository in which ``#12`` and relative links have their meaning."""
    source = (text or "").replace("\r\n", "\n")
    return Markup(_parser().render(source, {"home": home, "branch": branch}))  # noqa: S704 - made by us


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    # HTML is parsed so that comments and our few tags are found; `_tame` leaves no token that is printed as HTML.
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parser.core.ruler.push("tame", _tame)
    parser.validateLink = _is_allowed  # type: ignore[method-assign]
    for kind in ("html_block", "html_inline"):
        parser.add_render_rule(kind, _escaped)
    parser.add_render_rule("image", _image)
    return parser


def _is_allowed(url: str) -> bool:
    return bool(web_address(url) or _RELATIVE.fullmatch(url))


def _escaped(_: RendererHTML, tokens: Sequence[Token], at: int, *__: OptionsDict | MutableMapping[str, Any]) -> str:
    return html.escape(tokens[at].content)


def _image(_: RendererHTML, tokens: Sequence[Token], at: int, *__: OptionsDict | MutableMapping[str, Any]) -> str:
    """Pictures from elsewhere would tell elsewhere who reads; their text stands for them."""
    return f'<span class="picture">{html.escape(tokens[at].content or "picture")}</span>'


def _tame(state: StateCore) -> None:
    state.tokens = _paired(_split(state.tokens, BLOCKS))
    for token in state.tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
        if token.children is not None:
            children = _paired(_split(token.children, INLINES))
            token.children = list(_mentions(children, str(state.env["home"])))
            for child in token.children:
                if child.type == "link_open":
                    _aim(child, state.env)


def _split(tokens: Iterable[Token], allowed: frozenset[str]) -> Iterator[Token]:
    """HTML becomes allowed tags and text."""
    for token in tokens:
        if token.type in {"html_block", "html_inline"}:
            yield from _pieces(token.content, allowed)
        else:
            yield token


def _pieces(content: str, allowed: frozenset[str]) -> Iterator[Token]:
    at, ending = 0, content.rfind("-->")
    for found in _HTML.finditer(content):
        name = (found[1] or "").lower()
        if found.start() < at or (name not in allowed if name else ending < found.end()):
            continue
        yield _text(content[at : found.start()])
        at = found.end() if name else content.index("-->", found.end()) + 3
        if name and found[0][1] == "/":
            yield Token("tag_close", name, -1, content=found[0])
        elif name:
            yield Token("tag_open", name, 1, content=found[0])
    yield _text(content[at:])


def _text(content: str) -> Token:
    return Token("text", "", 0, content=html.unescape(content))


def _paired(tokens: Iterable[Token]) -> list[Token]:
    """A tag without its partner on the same level is text."""
    found, waiting = list(tokens), list[Token]()
    lonely = set[int]()
    for token in found:
        if token.nesting == 1:
            waiting.append(token)
        elif token.type == "tag_close":
            if waiting and waiting[-1].type == "tag_open" and waiting[-1].tag == token.tag:
                waiting.pop()
            else:
                lonely.add(id(token))
        elif token.nesting == -1:
            while waiting and waiting[-1].type == "tag_open":
                lonely.add(id(waiting.pop()))
            waiting.pop()
    lonely |= {id(token) for token in waiting}
    return [_text(token.content) if id(token) in lonely else token for token in found]


def _mentions(tokens: Iterable[Token], home: str) -> Iterator[Token]:
    """Issue numbers and bare addresses become links, except inside a link."""
    inside = 0
    for token in tokens:
        inside += token.nesting if token.type in {"link_open", "link_close"} else 0
        if token.type == "text" and not inside:
            yield from _linked(token.content, home)
        else:
            yield token


def _linked(text: str, home: str) -> Iterator[Token]:
    at = 0
    for found in _MENTION.finditer(text):
        yield Token("text", "", 0, content=text[at : found.start()])
        yield Token("mention_open", "a", 1, attrs={"href": _target(found, home), "rel": FOREIGN})
        yield Token("text", "", 0, content=found[0][:8] if found["sha"] else found[0])
        yield Token("mention_close", "a", -1)
        at = found.end()
    yield Token("text", "", 0, content=text[at:])


def _target(found: re.Match[str], home: str) -> str:
    if found["sha"]:
        return f"/{home}/commit/{found['sha']}"
    return found["address"] or f"/{found['home'] or home}/issues/{found['number']}"


def _aim(link: Token, env: MutableMapping[str, Any]) -> None:
    target = str(link.attrs.get("href", ""))
    if not web_address(target):
        link.attrs["href"] = f"/{env['home']}/blob/{env['branch']}/{target}"
    link.attrs["rel"] = FOREIGN
