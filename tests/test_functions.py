"""The functions of commands: each entry has those that it promises."""

from __future__ import annotations

import msgspec
import pytest

from tests.declared import CATALOGUE
from zkpush.device.functions import CommandFunctions

COMMANDS = [
    msgspec.structs.replace(CATALOGUE.find("REBOOT"), has_effect=True),
    msgspec.structs.replace(CATALOGUE.find("CHECK"), is_prepared=True),
    msgspec.structs.replace(CATALOGUE.find("LOG"), counts_records=True),
]
EFFECTS = CommandFunctions(effects={"REBOOT": lambda *_: {}})
OTHERS = CommandFunctions(prepares={"CHECK": lambda *_: {}}, matchers={"LOG": {}})


def test_the_functions_of_all_nouns_are_joined() -> None:
    """Each is found by the name of its command."""
    joined = CommandFunctions.join([EFFECTS, OTHERS], COMMANDS)
    assert joined.effects == EFFECTS.effects
    assert joined.prepares == OTHERS.prepares
    assert joined.matchers == OTHERS.matchers


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([EFFECTS], "CHECK has no function in prepares"),
        ([OTHERS], "REBOOT has no function in effects"),
        ([EFFECTS, OTHERS, EFFECTS], "REBOOT has two functions in effects"),
        (
            [EFFECTS, OTHERS, CommandFunctions(effects={"LOG": lambda *_: {}})],
            "LOG does not promise its function in effects",
        ),
    ],
)
def test_a_function_too_few_or_too_many_is_an_error(parts, message) -> None:
    """The daemon does not start with a command that cannot do what it promises."""
    with pytest.raises(ValueError, match=message):
        CommandFunctions.join(parts, COMMANDS)
