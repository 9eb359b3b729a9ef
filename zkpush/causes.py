"""Causes of problems of which one kind has several, each with advice of its own.

Theory of operation. A problem keeps what was observed as a phrase, which may hold further phrases.
The templates of some of these are causes. The advice on a problem begins with that of its causes,
in the order in which the detail names them; the advice of its code follows, unless that of each
cause says all.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from .phrases import Phrase


@attrs.frozen
class Cause:
    """What was observed, and what to do about it."""

    observed: Phrase
    """Template of the sentence, or of the part of it, that names the cause."""
    advice: Phrase | None
    """None if the advice of the code is all."""
    is_whole: bool = False
    """Whether the advice says all, so that the advice of the code would not be true."""

    def said(self, **values: object) -> Phrase:
        """Return the sentence with these values."""
        return Phrase.made(self.observed.text, values)


OTHER_PLACE = Cause(
    Phrase("It asks for %(request)s, which is not below /iclock/."),
    Phrase(
        "Paths of terminals begin with /iclock/. Set the server address in the terminal's menu to "
        "the name or IP address of this server alone, without a path. If a proxy is in front, let "
        "it pass /iclock/ on unchanged, without a prefix (`zkpush docs deployment`)."
    ),
)
UNKNOWN_PATH = Cause(
    Phrase("It asks for %(request)s, which this server does not serve."),
    Phrase(
        "It may speak another protocol, such as access control: set its server mode to ADMS or "
        "attendance push in its menu."
    ),
)
OTHER_METHOD = Cause(
    Phrase("It asks for %(request)s, a path that is served for another method only."),
    Phrase(
        "No known terminal does that. If a proxy is in front, let it pass methods and "
        "bodies on unchanged. If a person or program tries the path, there is nothing to do."
    ),
)
UNKNOWN_TABLE = Cause(
    Phrase("It uploads the table %(table)s, which no handler takes."),
    Phrase(
        "Install the plugin for the table, or update zkpush. What it uploaded is among its "
        "rejects, unless somebody deleted them, and is then read again by itself."
    ),
)
FOREIGN_TOKEN = Cause(
    Phrase("It sends a foreign token, which this server did not issue; it is served all the same."),
    Phrase(
        "It is that of the server that the terminal used before. Restart the terminal when that "
        "disturbs nobody: it then begins a session with this server."
    ),
)
FOREIGN_COOKIE = Cause(
    Phrase("It sends a cookie that is no token; it is served all the same."),
    Phrase(
        "It is that of a proxy or load balancer in front, or of a server that the terminal used "
        "before. It has no effect here."
    ),
)
NO_KEY = Cause(
    Phrase("It came without a pushcommkey, and one is pinned."),
    Phrase(
        "If its firmware no longer sends one, remove the pin: `zkpush devices set SN comm_key=`. "
        "If it still does, something else uses its serial number."
    ),
    is_whole=True,
)
OTHER_KEY = Cause(Phrase("The terminal's pushcommkey is not the pinned one."), None)
ACCESS_CONTROL_PATH = Cause(
    Phrase("%(request)s, which is of the access-control protocol"),
    Phrase(
        "Its rejects of the access-control protocol are from the time when it was in that mode, "
        "and never become records of attendance. If it is in attendance mode by now, look at them "
        "once more and delete them."
    ),
)
ACCESS_CONTROL_TABLE = Cause(
    Phrase("%(table)s, a table of the access-control protocol"), ACCESS_CONTROL_PATH.advice
)
ACCESS_CONTROL_REQUEST = Cause(
    Phrase("It asks for %(request)s, which is of the access-control protocol."),
    Phrase(
        "Set it to attendance in its menu: System, Device Type Setting, T&A PUSH. If that is done "
        "already, there is nothing more to do."
    ),
)
TIME_OF_ANOTHER_ZONE = Cause(
    Phrase(
        "%(problem)s That is the difference of two time zones: its clock has the time of "
        "%(offset)s, and its zone here is %(zone)s."
    ),
    Phrase(
        "Correct its zone: `zkpush devices set SN timezone=ZONE`, with a name such as "
        "Europe/Berlin or UTC, then the times of its records: `zkpush devices recompute SN`. If "
        "its zone here is right, its clock is wrong."
    ),
)
NOT_FETCHED = Cause(
    Phrase("It has not asked for commands (no getrequest) since %(command)s was queued at %(at)s."),
    Phrase("Restart it, and see that a proxy in front passes /iclock/getrequest on."),
)
NOT_FETCHED_LATELY = Cause(
    Phrase("It has not asked for commands since %(at)s (no getrequest)."), NOT_FETCHED.advice
)
NOT_ANSWERED = Cause(
    Phrase("It fetched %(command)s, queued at %(at)s, and has not answered."),
    Phrase("Restart it, and cancel what it never answers: `zkpush commands cancel ID`."),
)
UNREADABLE_TIME = Cause(
    Phrase("%(table)s: its time cannot be read"),
    Phrase(
        "Look at the terminal's menu: at the date and time, and at the date format, which should "
        "be YYYY-MM-DD. If its clock shows an impossible date, set it; its battery may be empty. "
        "If all is right there, update its firmware."
    ),
)

CAUSES = (
    OTHER_PLACE,
    UNKNOWN_PATH,
    OTHER_METHOD,
    UNKNOWN_TABLE,
    FOREIGN_TOKEN,
    FOREIGN_COOKIE,
    NO_KEY,
    OTHER_KEY,
    ACCESS_CONTROL_PATH,
    ACCESS_CONTROL_REQUEST,
    ACCESS_CONTROL_TABLE,
    TIME_OF_ANOTHER_ZONE,
    NOT_FETCHED,
    NOT_FETCHED_LATELY,
    NOT_ANSWERED,
    UNREADABLE_TIME,
)
_BY_TEMPLATE = {one.observed.text: one for one in CAUSES}


def advice_on_causes(detail: str, of_code: str) -> list[str]:
    """Return the advice for the causes that a detail names, each once, and then that of the code,
    unless the causes leave nothing to say."""
    causes = [*_causes_in(detail)]
    is_all = bool(causes) and all(one.is_whole for one in causes)
    advice = [one.advice for one in causes if one.advice is not None]
    return [*dict.fromkeys(advice), *([] if is_all else [of_code])]


def _causes_in(detail: object) -> Iterator[Cause]:
    if not isinstance(detail, Phrase):
        return
    found = _BY_TEMPLATE.get(detail.text)
    if found is not None:
        yield found
    for value in detail.values.values():
        yield from _causes_in(value)
