"""Code numbers and their meanings (the appendices)."""

from __future__ import annotations

import pytest

from zkpush.protocol.codes import RETURN_CODES

MEANINGS = [
    (0, "Successful"),
    (-1, "parameter is incorrect"),
    (-2, "photo data does not match the given size"),
    (-3, "Reading or writing is incorrect"),
    (-9, "template data does not match the given size"),
    (-10, "PIN does not exist"),
    (-11, "format is illegal"),
    (-12, "template is illegal"),
    (-1001, "Limited capacity"),
    (-1002, "Not supported"),
    (-1003, "timeout"),
    (-1004, "inconsistent"),
    (-1005, "busy"),
    (-1006, "too long"),
    (-1007, "Memory error"),
    (-1008, "Failed to get server data"),
]


@pytest.mark.parametrize(("code", "meaning"), MEANINGS)
def test_a_return_code_has_the_meaning_of_the_specification(code: int, meaning: str) -> None:
    """What a terminal returns for a command is explained as Appendix 1 does."""
    assert meaning in RETURN_CODES[code]


@pytest.mark.parametrize("code", [1, 7, -4, -13, 812])
def test_an_unknown_return_code_has_no_meaning(code: int) -> None:
    """Sizes and counts, and codes that are not in Appendix 1, are not explained."""
    assert code not in RETURN_CODES
