"""Texts without case and accents."""

from __future__ import annotations

import pytest

from zkpush.folding import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("María PRIETO", "maria prieto"),
        ("Mari\u0301a", "maria"),
        ("Straße", "strasse"),
        ("İpek", "ipek"),
        ("أحمد", "احمد"),
        ("\uff21\uff11", "a1"),
        ("周芳", "周芳"),
    ],
)
def test_letters_are_compared_without_case_accents_and_width(text: str, folded: str) -> None:
    """As people write them when they search."""
    assert fold(text) == folded
