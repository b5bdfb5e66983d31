"""Which lines of a comment are commands."""

import pytest

from entropy.scheduling.commands import COMMANDS, LIST, commands_in


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("/entropy code", [("code", "")]),
        ("/entropy budget 5", [("budget", "5")]),
        ("/ENTROPY Stop", [("stop", "")]),
        ("Looks fine.\n\n/entropy review\nThanks!", [("review", "")]),
        ("/entropy rework the naming, please", [("rework", "the naming, please")]),
        ("/entropy stop\r\n/entropy explain\r\n", [("stop", ""), ("explain", "")]),
        ("/entropy stop\n/entropy stop", [("stop", "")]),
        ("/entropy", [("", "")]),
        ("/entropy dance", [("dance", "")]),
        pytest.param("> /entropy stop", [], id="quoted"),
        pytest.param("Say /entropy stop to stop.", [], id="spoken of"),
        pytest.param("/entropyx stop", [], id="another word"),
        pytest.param(" /entropy stop", [], id="not at the start of the line"),
        pytest.param("```\n/entropy stop\n```", [], id="in a block of code"),
        pytest.param("~~~~sh\n```\n/entropy stop\n~~~~\n/entropy code", [("code", "")], id="after a block of code"),
        pytest.param("```\n/entropy stop", [], id="in a block that does not end"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_commands_are_read_from_lines(body: str, found: list[tuple[str, str]]) -> None:
    assert [tuple(command) for command in commands_in(body)] == found


def test_one_comment_does_not_command_without_end() -> None:
    body = "\n".join(f"/entropy budget {number}" for number in range(1000))
    assert len(commands_in(body)) == 10


def test_the_list_names_every_command() -> None:
    assert all(f"`/entropy {word}" in LIST for word in COMMANDS)
