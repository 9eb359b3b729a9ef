"""What a payroll clerk has to look at in a person's day: the rule for pages, files and the API."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import attrs

from ...manage.console.phrases import Phrase
from ..people.store import NOBODY_HERE


class DayMark(Enum):
    """Something to check; the values are those of the API."""

    ONE_PUNCH = "one punch"
    ODD_NUMBER = "odd number"
    NO_CHECK_OUT = "no check-out"
    DOUBTFUL_TIME = "doubtful time"
    OTHER_PERSON = "other person"
    UNREADABLE = "unreadable"
    EARLIER_PERSON = "earlier person"
    NOBODY = "nobody"

    @property
    def words(self) -> MarkWords:
        """The mark in words, and what to do about it."""
        return _WORDS[self]


@attrs.frozen
class MarkWords:
    """A mark in words."""

    mark: Phrase
    todo: Phrase
    """What to do about it."""


_WORDS: Mapping[DayMark, MarkWords] = {
    DayMark.ONE_PUNCH: MarkWords(
        Phrase("one punch only"),
        Phrase("Ask when the person came and left: a punch may be missing."),
    ),
    DayMark.ODD_NUMBER: MarkWords(
        Phrase("odd number of punches"),
        Phrase("Compare the times with the person's: a punch may be missing, or one too many."),
    ),
    DayMark.NO_CHECK_OUT: MarkWords(
        Phrase("no check-out"),
        Phrase("Ask when the person left: no punch of the day checks out."),
    ),
    DayMark.DOUBTFUL_TIME: MarkWords(
        Phrase("doubtful time"),
        Phrase("Ask for the right time; the day says what is wrong with it."),
    ),
    DayMark.OTHER_PERSON: MarkWords(
        Phrase("may be another person's"),
        Phrase("Decide whose punches they are."),
    ),
    DayMark.UNREADABLE: MarkWords(
        Phrase("unreadable punch"),
        Phrase("Look at the line that the terminal sent: its punch is missing here."),
    ),
    DayMark.EARLIER_PERSON: MarkWords(
        Phrase("of an earlier person"),
        Phrase("Do not count the day for the person who has the user ID now."),
    ),
    DayMark.NOBODY: MarkWords(
        NOBODY_HERE,
        Phrase("Add the person, or look who has this user ID at the terminal."),
    ),
}
ONE_PUNCH_TODO: Mapping[str, Phrase] = {
    "in": Phrase("The punch says when the person came. Ask for the time of leaving."),
    "out": Phrase("The punch says when the person left. Ask for the time of coming."),
}
"""What to do about one punch only, by its direction."""


def marks_of(
    *,
    punches: int,
    ins: int,
    outs: int,
    doubtful: int,
    others: int = 0,
    unread: int = 0,
    is_earlier: bool = False,
    is_unknown: bool = False,
) -> list[DayMark]:
    """Return the marks of a day by the numbers of its punches that count for the person.

    Those that repeat another one (`repeats`) are in none of `punches`, `ins` and `outs`.

    `ins` and `outs` are those that go in and out by their states, `doubtful` those with a doubtful
    time, `others` those that may be another person's, and `unread` is a number of lines of the
    person and day that could not be read. `is_earlier` is whether an earlier holder of the user ID
    has the punches, whose name is not shown, and `is_unknown` whether nobody has the user ID.
    """
    found = {
        DayMark.ONE_PUNCH: punches == 1,
        DayMark.ODD_NUMBER: punches > 1 and punches % 2 == 1,
        DayMark.NO_CHECK_OUT: punches > 1 and ins > 0 and outs == 0,
        DayMark.DOUBTFUL_TIME: doubtful > 0,
        DayMark.OTHER_PERSON: others > 0,
        DayMark.UNREADABLE: unread > 0,
        DayMark.EARLIER_PERSON: is_earlier,
        DayMark.NOBODY: is_unknown,
    }
    return [mark for mark, is_there in found.items() if is_there]
