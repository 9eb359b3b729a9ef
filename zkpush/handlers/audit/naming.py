"""People and callers in records of the audit log, as the page names them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from ...device.refusals import Refusal
from ...pathparts import path_part
from ...persist.areas import known_areas_thd
from ...persist.targets import TargetStore
from ...persist.transaction import Transaction
from ...persist.vault import PERSON
from ...phrases import Phrase
from ...values.audit import AuditRecord
from .wording import LISTS, SUBJECTS

_PSEUDONYM = re.compile(rf"{re.escape(PERSON)}[0-9a-f]{{20}}")
_ACCOUNT = "account "
_TERMINAL, _AREA, _JOB = "terminal ", "area ", "job "
_LIST = "list "
_FORGOTTEN = "…"


def readable(text: str, pins: Mapping[str, str]) -> str:
    """Replace pseudonyms by user IDs, and by an ellipsis if the person is known no longer."""
    return _PSEUDONYM.sub(lambda found: pins.get(found[0], _FORGOTTEN), text)


def subject_pages_thd(tx: Transaction, subjects: Collection[str]) -> dict[str, str]:
    """Return the paths of the pages of terminals, areas and jobs that records are about.

    Terminals and areas that are gone have none.
    """

    def named(kind: str) -> dict[str, str]:
        return {one: one.removeprefix(kind) for one in subjects if one.startswith(kind)}

    terminals, areas, jobs = named(_TERMINAL), named(_AREA), named(_JOB)
    there = tx[TargetStore].named({*terminals.values()})
    known = {*known_areas_thd(tx)} if areas else set()
    return {
        **{one: f"/terminals/{path_part(sn)}" for one, sn in terminals.items() if sn in there},
        **{one: f"/areas/{path_part(name)}" for one, name in areas.items() if name in known},
        **{one: f"/jobs/{path_part(job)}" for one, job in jobs.items()},
    }


def subject_phrase(record: AuditRecord, pins: Mapping[str, str], most: int) -> str:
    """Return what a record is about, of up to `most` characters."""
    text = record.subject[:most]
    if text == Refusal.NO_SCOPE.words and record.actor.startswith(_ACCOUNT):
        return Phrase("the account may not do this")
    if _PSEUDONYM.fullmatch(text):
        known = pins.get(text)
        if known is None:
            return Phrase("a person who is not stored any more")
        return Phrase("user %(pin)s", pin=known)
    if text.startswith(_LIST) and text.removeprefix(_LIST) in LISTS:
        return LISTS[text.removeprefix(_LIST)]
    return SUBJECTS.phrase(readable(text, pins))
