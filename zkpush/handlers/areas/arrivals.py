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


def arrival_question_thd(
    tx: Transaction, device: Device, area: Area
) -> ConfirmationQuestion | None:
    """Return the question before a terminal comes into an area; None if it is there already.

    It names the area that the terminal leaves, and counts the people who are deleted from it and
    those who are put on it.
    """
    former = device.area or DEFAULT_AREA
    if former == area.name:
        return None
    return ConfirmationQuestion(
        title=Phrase("Put this terminal into the area?"),
        text=sentences(
            [
                Phrase(
                    "%(name)s leaves the area %(former)s: a terminal is in one area only.",
                    name=device.alias or device.sn,
                    former=former,
                ),
                *_of_former(former in tx[AreaStore].distributing()),
                *_of_people_thd(tx, device, area),
            ]
        ),
        button=Phrase("Put it here"),
        back="/areas/<area>",
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
    there, leaving = survey.people_on([device.id]), survey.strangers(device.id, area.name)
    arriving = max(0, area.users - (there.get(device.id, 0) - leaving))
    said = [
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
    if device.state is not DeviceState.APPROVED:
        said.append(Phrase("This begins when the terminal is approved."))
    return said
