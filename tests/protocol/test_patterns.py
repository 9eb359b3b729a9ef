"""Regular expressions: each takes time in proportion to its input, whatever that is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest

from .. import cost, patterns

FOUND = patterns.uses()
IN_FUNCTIONS = {
    # Of words that the program itself makes, or that its configuration has.
    ("zkpush.endpoints._read", "sub"),
    ("zkpush.manage.openapi._operation", "findall"),
    ("zkpush.manage.openapi.describe", "sub"),
    ("zkpush.manage.routes.claim", "sub"),
    ("zkpush.persist.databases.without_quotes", "split"),
    # Found elsewhere: in `LineDecoder`, in `TemplateRules`, in `UploadDecoder`, in
    # `plain.lines_of`, and in the patterns of fields.
    ("zkpush.protocol.scalars.compiled", "compile"),
    ("zkpush.protocol.fields.applies", "search"),
    ("zkpush.protocol.lines.__init__", "compile"),
    ("zkpush.protocol.omission.__init__", "compile"),
    ("zkpush.protocol.uploads.__init__", "compile"),
    ("zkpush.handlers.attendance.plain.lines_of", "compile"),
    # Texts of ours, of at most 500 characters.
    ("zkpush.sentences.__init__", "compile"),
    # Checks of patterns that an administrator or a plugin declares; nothing is matched there.
    ("zkpush.device.sitecommands._with_parameter", "compile"),
    ("zkpush.tablecheck._declaration_faults", "compile"),
}
"""Uses of `re` inside functions, each with the reason why it is one."""


def check(pattern: re.Pattern[Any], method: str, lengths: Sequence[int] = cost.LENGTHS) -> None:
    """Use a pattern on all pumped inputs; `Growth` if one is not linear."""
    call: Any = getattr(pattern, "finditer" if method in ("split", "sub", "findall") else method)

    def run(text: object) -> None:
        if method in ("match", "search", "fullmatch"):
            call(text)
        else:
            for _ in call(text):
                pass

    inputs = {length: list(patterns.pumped(pattern, length)) for length in lengths}
    for place in range(len(inputs[lengths[-1]])):
        cost.check_linear(lambda length: inputs[length][place], run, lengths)  # noqa: B023


@pytest.mark.long
@pytest.mark.parametrize("name", FOUND)
def test_every_expression_is_linear(name: str) -> None:
    """No expression takes more than linear time on repetitions of what it is made of."""
    check(*FOUND[name])


AMBIGUOUS = [
    (re.compile(" +(?=(?:PIN|Name|Pri)=)", re.IGNORECASE), "split"),
    (re.compile(r" +(?=[0-9]{4}-[0-9]{2}-[0-9]{2} )", re.ASCII), "split"),
    (re.compile(r"\s+\Z"), "search"),
    (re.compile(r"[a-z]+[a-z0-9]+;"), "match"),
    (re.compile(rb"(?:[A-Za-z]+=)?[^\n]*,[^\n]*,ID="), "search"),
]


@pytest.mark.long
@pytest.mark.parametrize("use", AMBIGUOUS, ids=lambda use: str(use[0].pattern))
def test_an_ambiguous_expression_is_found(use: patterns.Use) -> None:
    """The measure tells an expression that is quadratic from one that is not."""
    with pytest.raises(cost.Growth):
        check(*use, lengths=(375, 1500, 6000))


@pytest.mark.long
def test_no_expression_is_hidden_in_a_function() -> None:
    """Expressions stand where the test finds them, or are known not to see what comes in."""
    assert set(patterns.calls()) <= IN_FUNCTIONS, set(patterns.calls()) - IN_FUNCTIONS
