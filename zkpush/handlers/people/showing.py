"""People as the console shows them."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Sequence
from typing import Any, Literal

import attrs

from ...manage.console.phrases import Phrase
from ...model import Caller, Page
from ...persist.areas import idle_areas_thd
from ...persist.devices import DeviceStore
from ...persist.limits import AreaLimitStore
from ...persist.targets import TargetStore
from ...persist.transaction import Transaction
from ...phrases import listed_phrases
from ...protocol.codes import BiometricType, Privilege, VerificationMode
from ...protocol.scalars import decode_time
from ...protocol.secrecy import secrets_of
from ...values.personwords import PERSON_LABELS
from .authorship import PRIVILEGE, is_terminal
from .bounds import author_for, change_for, own_terminals_thd
from .contested import Outcome, outcome_of
from .contradictions import ConflictStore
from .deletions import queued_deletions_thd
from .erased import ErasedPeople
from .former import Departure, FormerPeople
from .model import Conflict
from .persons import PersonStore
from .store import PeopleStore
from .strangers import StrangerStore
from .tables import USER
from .views import user_for

NO_PERSON = Phrase("There is no such person.")
TEXT_FIELDS = (
    "name",
    "card",
    "vice_card",
    "privilege",
    "group",
    "start_datetime",
    "end_datetime",
)
"""Fields of the form, without those that are shown to nobody."""
MOMENTS = ("start_datetime", "end_datetime")
"""Fields that are times of the wall clock of terminals."""
_SECRETS = secrets_of(USER)
_PERIODS = 16
"""Digits of the time periods of a user (11.5): own ones or those of the group, three numbers."""
HISTORY = 20
"""Changes on the page of a person."""
MOST_CONFLICTS = 50


@attrs.frozen
class ShownConflict:
    """A conflict with both sides."""

    conflict: Conflict
    name: str | None
    """Name of the person."""
    rows: Sequence[
        tuple[Phrase | str, str | datetime.datetime, str | datetime.datetime, str | None]
    ]
    """Field, stored value, value of the terminal, and author of the stored one."""
    deletion: Literal["queued", "done"] | None
    """Whether the terminal is to delete its user, or has none any more."""
    asks_who: bool
    """Whether it may be about two people."""


def conflicts_thd(
    tx: Transaction, part: Page, caller: Caller, pin: str | None = None
) -> list[ShownConflict]:
    """Return open conflicts with the stored values beside those of terminals, without secrets."""
    people, found = tx[PersonStore], tx[ConflictStore].page(part, pin)
    names = tx[PeopleStore].names({one.pin for one in found})
    terminals = tx[TargetStore].named({one.device for one in found})
    queued = queued_deletions_thd(tx, {(terminals[one.device].id, one.pin) for one in found})
    shown = []
    for one in found:
        stored, authors, said = people.values(one.pin), people.authors(one.pin), one.said or {}
        rows = [
            (
                PERSON_LABELS.get(field, field),
                *_told_apart(field, stored.get(field), said.get(field)),
                author_for(caller, authors[field]) if field in authors else None,
            )
            for field in one.fields
        ]
        deletion: Literal["queued", "done"] | None = None
        if (terminals[one.device].id, one.pin) in queued:
            deletion = "queued"
        elif one.device not in people.holders(one.pin):
            deletion = "done"
        is_asking = outcome_of(one, stored) is not Outcome.BOTH
        shown.append(ShownConflict(one, names.get(one.pin), rows, deletion, is_asking))
    return shown


def _told_apart(
    field: str, stored: object, said: object
) -> tuple[str | datetime.datetime, str | datetime.datetime]:
    """Return two values in words, with the values themselves where the words are the same."""
    ours, theirs = value_text(field, stored), value_text(field, said)
    if ours != theirs or field in _SECRETS:
        return ours, theirs
    return (
        Phrase("%(words)s (%(value)s)", words=ours, value=str(stored)),
        Phrase("%(words)s (%(value)s)", words=theirs, value=str(said)),
    )


def value_text(field: str, value: object) -> str | datetime.datetime:
    """Return a value in words, a time as such; a secret as dots."""
    if value is None or value == "":
        return "\N{EN DASH}"
    if field in _SECRETS:
        return "\N{BULLET}" * 4
    if field == "privilege" and str(value).isdecimal():
        return Phrase(Privilege(int(str(value))).meaning)
    if field == "group":
        return Phrase("access group %(number)s", number=str(value))
    if field == "verify":
        mode = int(str(value))
        return (
            Phrase(VerificationMode(mode).meaning) if mode >= 0 else Phrase("As the access group")
        )
    if field == "timezones" and len(text := str(value)) == _PERIODS and text.isdecimal():
        own, *periods = (int(text[start : start + 4]) for start in range(0, _PERIODS, 4))
        if not own:
            return Phrase("As the access group")
        return Phrase(
            "Own periods: %(periods)s", periods=listed_phrases([*map(str, filter(None, periods))])
        )
    if field in MOMENTS:
        with contextlib.suppress(ValueError):  # firmware has other forms of times
            return datetime.datetime.fromisoformat(decode_time(str(value)))
    return str(value)


def departed_thd(tx: Transaction, pin: str, caller: Caller) -> Departure | None:
    """Return how a person left; None for one who is there.

    Raises `LookupError` if there is no such person, or none whom a limited caller may see.
    """
    is_known = bool(tx[PeopleStore].known([pin]))
    if is_known and (caller.areas is None or tx[AreaLimitStore].people([pin], caller.areas)):
        return None
    found = None if is_known else tx[FormerPeople].departure(pin, caller.areas)
    if found is None:
        raise LookupError(NO_PERSON)
    return found._replace(author=author_for(caller, found.author))


def strange_terminals_thd(tx: Transaction, pin: str) -> list[str]:
    """Return the terminals that may still have somebody else under the user ID of a person.

    They have not confirmed that they have deleted who had the user ID before, or have another
    person by a decision.
    """
    others = tx[StrangerStore].places([pin]).get(pin, ())
    named = {one.sn for one in tx[DeviceStore].with_keys(others)}
    return sorted({*named, *tx[ErasedPeople].holders(pin)})


def person_thd(tx: Transaction, pin: str, caller: Caller) -> dict[str, Any]:
    """Return what the page of a person shows a caller; `LookupError` if there is none."""
    found = tx[PeopleStore].users(Page(1), pin)
    if not found:
        raise LookupError(NO_PERSON)
    person, people = user_for(caller, found[0]), tx[PersonStore]
    authors = people.authors(pin)
    facts = [
        (
            label,
            value_text(name, getattr(person, name)),
            author_for(caller, authors[name]) if name in authors else None,
        )
        for name, label in PERSON_LABELS.items()
        if name in authors or name in ("name", "card", "privilege")
        if hasattr(person, name)
    ]
    changes = [
        change_for(caller, one) for one in people.changes(pin, Page(HISTORY, newest_first=True))
    ]
    history = [
        (
            one,
            PERSON_LABELS.get(one.field, one.field),
            value_text(one.field, one.old),
            value_text(one.field, one.new),
            author_for(caller, one.author),
        )
        for one in changes
    ]
    idle = idle_areas_thd(tx, person.areas, caller.areas)
    first = own_terminals_thd(tx, caller, [person.device] if person.device else [])
    holders = own_terminals_thd(tx, caller, people.holders(pin))
    others = own_terminals_thd(tx, caller, strange_terminals_thd(tx, pin))
    return {
        "pin": pin,
        "person": person,
        "facts": facts,
        "templates": [
            (Phrase(BiometricType(kind).meaning), count)
            for kind, count in sorted(person.templates.items())
        ],
        "history": history,
        "idle_areas": idle,
        "local_rights": (is_terminal(authors.get(PRIVILEGE)) and person.privilege) or None,
        "first_by": [one.sn for one in tx[DeviceStore].find_all(first)],
        "holders": tx[DeviceStore].find_all(holders),
        "others_at": others,
        "conflicts": conflicts_thd(tx, Page(MOST_CONFLICTS, areas=caller.areas), caller, pin),
    }
