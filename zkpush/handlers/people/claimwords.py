"""Sentences on which punches a claim is about."""

from __future__ import annotations

from ...manage.times import instant
from ...phrases import Phrase, sentences
from .model import ARRIVAL, PunchClaim

NO_NAME = Phrase("somebody else")
ERASED_PERSON = Phrase("the erased person")


def span_phrase(claim: PunchClaim, name: str | Phrase) -> Phrase:
    """Say which punches a claim is about; `name` is the person's."""
    found = [_beginning(claim, name)]
    if claim.until_at is not None:
        found.append(
            Phrase(
                "Punches received or made after %(until)s are not among them.",
                until=instant(claim.until_at),
            )
        )
    return sentences(found)


def _beginning(claim: PunchClaim, name: str | Phrase) -> Phrase:
    since, stated = claim.since_at, claim.stated_at
    if since is None:
        return Phrase(
            "Earlier punches from there are among them: nothing shows that the terminal ever had "
            "%(name)s.",
            name=name,
        )
    values: dict[str, object] = {
        "since": instant(since),
        "name": name,
        "other": claim.name or NO_NAME,
    }
    if since == stated:
        return Phrase.made(_SINCE_STATED, values)
    is_before = claim.named_at is not None and since == claim.named_at - ARRIVAL
    if stated is None:
        return Phrase.made(_SINCE_BEFORE if is_before else _SINCE, values)
    values["stated"] = instant(stated)
    return Phrase.made(_MADE_BEFORE if is_before else _MADE, values)


_SINCE = Phrase("They were received since %(since)s.")
_SINCE_STATED = Phrase(
    "They were received and made since %(since)s, when the terminal was last known to have "
    "%(name)s."
)
_SINCE_BEFORE = Phrase(
    "They were received since %(since)s, one hour before the terminal named %(other)s."
)
_MADE_BEFORE = Phrase(
    "They were received since %(since)s, one hour before the terminal named %(other)s, and made "
    "since %(stated)s, when it was last known to have %(name)s."
)
_MADE = Phrase(
    "They were received since %(since)s, and made since %(stated)s, when the terminal was last "
    "known to have %(name)s."
)
