"""People and callers in records of the audit log, as the page names them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...device.refusals import Refusal
from ...persist.vault import PERSON
from ...phrases import Phrase
from ...values.audit import AuditRecord
from .wording import SUBJECTS

_PSEUDONYM = re.compile(rf"{re.escape(PERSON)}[0-9a-f]{{20}}")
_ACCOUNT = "account "
_FORGOTTEN = "…"


def readable(text: str, pins: Mapping[str, str]) -> str:
    """Replace pseudonyms by user IDs, and by an ellipsis if the person is known no longer."""
    return _PSEUDONYM.sub(lambda found: pins.get(found[0], _FORGOTTEN), text)


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
    return SUBJECTS.phrase(readable(text, pins))
