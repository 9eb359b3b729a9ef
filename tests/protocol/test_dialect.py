"""How one terminal writes, from what it said of itself."""

from __future__ import annotations

import pytest

from zkpush.protocol.dialect import Dialect, dialect_of

DIALECTS = [
    (("2.4.1", "83", "att"), ((2, 4, 1), (2, 4, 1), "gb18030", "att")),
    (("2.4.2", "69", "pid"), ((2, 4, 1), (2, 4, 2), "utf-8", "pid")),
    (("3.1.6S", None, None), ((2, 4, 1), (3, 1, 6), "utf-8", None)),
    (("Ver 2.0.33S-20220623", "83", "ins"), ((2, 2, 14), (2, 2, 14), "gb18030", "ins")),
    ((None, None, None), ((2, 2, 14), (2, 2, 14), "utf-8", None)),
    (("", "", ""), ((2, 2, 14), (2, 2, 14), "utf-8", "")),
    (("rubbish", None, None), ((2, 2, 14), (2, 2, 14), "utf-8", None)),
]


@pytest.mark.parametrize(("said", "understood"), DIALECTS)
def test_a_terminal_writes_as_its_exchange_said(
    said: tuple[str | None, str | None, str | None], understood: tuple[object, ...]
) -> None:
    """Version, encoding and kind follow from the exchange; the terminal's own version is kept."""
    dialect = dialect_of(*said)
    assert (
        dialect.version,
        dialect.own_version,
        dialect.encoding,
        dialect.device_type,
    ) == understood


def test_an_unknown_terminal_is_read_as_the_oldest() -> None:
    """A terminal of which nothing is known is of 2.2.14 and writes UTF-8."""
    assert Dialect() == dialect_of(None, None, None)
