from entropy.github.markers import LIMIT, bears, marked, same


def test_a_marked_body_bears_its_marker_and_no_other() -> None:
    body = marked("entropy:report:coder", "Done.")
    assert body == "<!-- entropy:report:coder -->\nDone."
    assert bears("entropy:report:coder", body)
    assert not bears("entropy:report", body)


def test_a_marker_counts_in_the_first_line_only() -> None:
    quoted = marked("entropy:report", "An agent wrote <!-- entropy:parked -->\n<!-- entropy:parked -->")
    assert not bears("entropy:parked", quoted)
    assert not bears("entropy:parked", None)


def test_line_endings_of_a_browser_are_no_difference() -> None:
    assert bears("entropy:report", "<!-- entropy:report -->\r\nDone.")
    assert same("<!-- entropy:report -->\r\nDone.\r\n", marked("entropy:report", "Done."))


def test_a_body_is_cut_to_what_the_forge_takes() -> None:
    body = marked("entropy:report", "x" * 100_000)
    assert LIMIT < len(body) < 65_536
    assert body.endswith("*(cut: longer than the forge takes)*")
