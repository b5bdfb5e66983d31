"""What people read in our comments: hostile output stays inside its fence."""

from entropy.lifecycle.publish.prose import evidence_block
from entropy.models import Evidence


def piece(output: str, status: int | None = 1) -> Evidence:
    return Evidence(command=("pytest", "-q"), exit_status=status, output=output, seconds=1.25)


def test_the_command_and_what_came_of_it() -> None:
    assert evidence_block([piece("", 0)]) == "`pytest -q` exited with 0 after 1.2 s."
    assert "was stopped at its time limit" in evidence_block([piece("", None)])


def test_output_cannot_leave_its_fence() -> None:
    block = evidence_block([piece("```\n</details> @everyone\n`````")])
    fence = "``````"
    assert block.count(fence) == 2
    assert block.index(fence) < block.index("@everyone") < block.rindex(fence)


def test_long_output_keeps_its_end() -> None:
    block = evidence_block([piece("a" * 10_000 + "the end")])
    assert "the end" in block
    assert len(block) < 3_300
