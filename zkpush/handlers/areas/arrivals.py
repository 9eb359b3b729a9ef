"""What it means that a terminal comes into an area, in words."""

from __future__ import annotations

from ...manage.console.pages import ConfirmationQuestion
from ...manage.console.phrases import Phrase, counted_phrase
from ...model import DEFAULT_AREA, Device, DeviceState
from ...persist.transaction import Transaction
from ...phrases import sentences
from ..people.store import PersonSurvey
from .model import Area
from .store import AreaStore

_UNKNOWN_PEOPLE = (
    Phrase("The terminal has not reported yet whom it holds, so the people cannot be counted."),
    Phrase(
        "The people of the area are put on it, and those who are on it and not in the area are "
        "deleted from it."
    ),
)


def arrival_question_thd(
    tx: Transaction, device: Device, area: Area, back: str
) -> ConfirmationQuestion | None:
    """Return the question before a terminal comes into an area; None if it is there already.

    It names both areas, and counts the people who are deleted from the terminal and those who are
    put on it, as far as it is known whom it holds. `back` is the page with the form.
    """
    former = device.area or DEFAULT_AREA
    if former == area.name:
        return None
    return ConfirmationQuestion(
        title=Phrase("Put this terminal into the area?"),
        text=sentences(
            [
                Phrase(
                    "%(name)s leaves the area %(former)s and comes into the area %(area)s: a "
                    "terminal is in one area only.",
                    name=device.alias or device.sn,
                    former=former,
                    area=area.name,
                ),
                *_of_former(former in tx[AreaStore].distributing()),
                *_of_people_thd(tx, device, area),
            ]
        ),
        button=Phrase("Put it there"),
        back=back,
    )


def _of_former(distributes: bool) -> list[Phrase]:
    if not distributes:
        return []
    return [Phrase("Changes of people of that area are not sent to it any more.")]


def _of_people_thd(tx: Transaction, device: Device, area: Area) -> list[Phrase]:
    if not area.distributes:
        return [
            Phrase(
                "The people who are on it stay on it, and nobody is put on it: this area does not "
                "keep its people on its terminals."
            )
        ]
    survey = tx[PersonSurvey]
    there = survey.people_on([device.id]).get(device.id, 0)
    counted = device.counts.get("users")
    if there < (1 if counted is None else counted):
        said = [*_UNKNOWN_PEOPLE]
    else:
        said = _of_known_people(area, there, survey.strangers(device.id, area.name))
    if device.state is not DeviceState.APPROVED:
        said.append(Phrase("This begins when the terminal is approved."))
    return said


def _of_known_people(area: Area, there: int, leaving: int) -> list[Phrase]:
    arriving = max(0, area.users - (there - leaving))
    return [
        counted_phrase(
            "%(num)s person of this area is put on it.",
            "%(num)s people of this area are put on it.",
            arriving,
        ),
        counted_phrase(
            "%(num)s person who is on it and not in this area is deleted from it.",
            "%(num)s people who are on it and not in this area are deleted from it.",
            leaving,
        ),
    ]
