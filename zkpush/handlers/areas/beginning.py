"""What happens to people when an area begins to distribute: who spreads, and who is deleted."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ...manage.console.pages import ConfirmationQuestion, QuestionPeople, QuestionPerson
from ...manage.console.phrases import Phrase, counted_phrase
from ...pathparts import path_part
from ...persist.devices import DeviceStore
from ...persist.targets import TargetStore
from ...persist.transaction import Transaction
from ...phrases import in_series, sentences
from ...protocol.codes import Privilege
from ..people.store import PeopleStore, PersonSurvey, UnconfirmedPeople
from .model import Area, DistributionEffect

MOST_NAMED = 10
"""People of each kind who are named."""
RIGHTS_STAY = Phrase("Rights that only a terminal has given stay at that terminal.")
LATER_PEOPLE = Phrase(
    "Everybody whom a terminal of this area states later comes to all its terminals, too, until "
    "you remove the person or switch this off."
)


@attrs.frozen
class AffectedPeople:
    """Some of the people to whom something happens."""

    unconfirmed: Sequence[tuple[str, str | None, int | None, bool]]
    """User IDs and names of people of whom only terminals have stated something, with the rights
    that a terminal has given, and whether one has stated a password."""
    deleted: Sequence[tuple[str, str | None, str]]
    """User IDs and names of people who are deleted from terminals, with the serial numbers."""


def affected_thd(tx: Transaction, area: Area, areas: frozenset[str] | None) -> AffectedPeople:
    """Name people to whom something happens if an area begins to distribute.

    `areas` are those of a limited caller, who sees no people of other areas.
    """
    spread = tx[UnconfirmedPeople].some(area.name, MOST_NAMED)
    keys = [one.id for one in tx[TargetStore].approved(area.name)]
    leaving = tx[PersonSurvey].strangers_among(keys, area.name, MOST_NAMED, areas)
    names = tx[PeopleStore].names({*(one[0] for one in spread), *(one[0] for one in leaving)})
    serials = {one.id: one.sn for one in tx[DeviceStore].with_keys({key for _, key in leaving})}
    return AffectedPeople(
        [(one[0], names.get(one[0]), one[1], one[2]) for one in spread],
        [(pin, names.get(pin), serials[key]) for pin, key in leaving],
    )


def effect_phrases(effect: DistributionEffect) -> list[Phrase]:
    """Say what spreads that only terminals have stated, and who is not fetched yet."""
    said: list[Phrase] = []
    if effect.unconfirmed:
        said.append(
            counted_phrase(
                "%(num)s person of the area was stated by a terminal only, and comes to all its "
                "terminals.",
                "%(num)s people of the area were stated by terminals only, and come to all its "
                "terminals.",
                effect.unconfirmed,
            )
        )
    if effect.privileged:
        said.append(
            counted_phrase(
                "%(num)s person has rights that only a terminal has given.",
                "%(num)s people have rights that only terminals have given.",
                effect.privileged,
            )
        )
        said.append(RIGHTS_STAY)
    if effect.with_passwords:
        said.append(
            counted_phrase(
                "%(num)s person has a password that only a terminal has stated, and that opens at "
                "all these terminals.",
                "%(num)s people have a password that only a terminal has stated, and that opens at "
                "all these terminals.",
                effect.with_passwords,
            )
        )
    said.append(LATER_PEOPLE)
    if effect.unfetched:
        said.append(
            counted_phrase(
                "The terminals count %(num)s more person than is fetched: known people of other "
                "areas are deleted there, and unknown people come into the area. Fetch them first.",
                "The terminals count %(num)s more people than are fetched: known people of other "
                "areas are deleted there, and unknown people come into the area. Fetch them first.",
                effect.unfetched,
            )
        )
    return said


def beginning_question(
    name: str, effect: DistributionEffect, affected: AffectedPeople
) -> ConfirmationQuestion:
    """Return the question before an area begins to distribute."""
    text = Phrase(
        "People: %(people)s. Approved terminals: %(terminals)s. Commands, at most: "
        "%(commands)s. People who are not in the area and are deleted from its "
        "terminals: %(deletions)s.",
        people=effect.people,
        terminals=effect.devices,
        commands=effect.commands,
        deletions=effect.deletions,
    )
    return ConfirmationQuestion(
        title=Phrase("Keep the people of this area on all its terminals?"),
        text=sentences([text, *effect_phrases(effect)]),
        button=Phrase("Switch it on"),
        back="/areas/<area>",
        people=[
            QuestionPeople(
                Phrase("People who are not fetched"),
                [],
                effect.unfetched,
                f"/areas/{path_part(name)}#unfetched",
                Phrase("Fetch them first"),
            ),
            QuestionPeople(
                Phrase("People, rights and passwords that only terminals have stated"),
                [
                    QuestionPerson(pin, person, _marks(privilege, has_password))
                    for pin, person, privilege, has_password in affected.unconfirmed
                ],
                effect.of_terminals - len(affected.unconfirmed),
                f"/people?area={path_part(name)}",
                Phrase("All people of the area"),
            ),
            QuestionPeople(
                Phrase("People who are deleted from terminals"),
                [QuestionPerson(pin, person, None, sn) for pin, person, sn in affected.deleted],
                effect.deletions - len(affected.deleted),
                f"/areas/{path_part(name)}#terminals",
                Phrase("All terminals of the area, with their people"),
            ),
        ],
    )


def _marks(privilege: int | None, has_password: bool) -> Phrase | None:
    """Return what there is to look at before a person spreads."""
    marks = [Phrase(Privilege(privilege).meaning)] if privilege else []
    if has_password:
        marks.append(Phrase("has a password"))
    return in_series(marks) if marks else None
