"""Causes of problems of which one kind has several, each with advice of its own.

Theory of operation. A problem keeps what was observed as a phrase, which may hold further phrases.
The templates of some of these are causes. The advice on a problem is that of its causes, in the
order in which the detail names them, each once. The advice of its code is for what has no cause
with advice of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import attrs

from .phrases import Phrase


@attrs.frozen
class Cause:
    """What was observed, and what to do about it."""

    observed: Phrase
    """Template of the sentence, or of the part of it, that names the cause."""
    advice: Phrase | None
    """All that is to be done; None if that is the advice of the code."""

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
        "attendance push in its menu. If that is done already, update zkpush, or report the path: "
        "if something was sent there, `zkpush rejects show ID` has it in full (all that was not "
        "understood: `zkpush rejects list --device SN`)."
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
    Phrase("It uploads the table %(table)s, which zkpush does not know."),
    Phrase(
        "Install the plugin for the table, or update zkpush. What it uploaded is kept, unless "
        "somebody deleted it, and is then read again by itself. If nobody needs the table, there "
        "is nothing to do."
    ),
)
_NOT_OURS = Phrase(
    "It is that of the server that the terminal used before, or of a proxy or load balancer in "
    "front. Nothing is lost: it has no effect here. If the terminal came from another server, "
    "restart it when that disturbs nobody: it then begins a session with this one. The problem "
    "ends by itself a day after the token or cookie last came."
)
FOREIGN_TOKEN = Cause(
    Phrase("It sends a foreign token, which this server did not issue; it is served all the same."),
    _NOT_OURS,
)
FOREIGN_COOKIE = Cause(
    Phrase("It sends a cookie that is no token; it is served all the same."), _NOT_OURS
)
_TOKEN_STEPS = Phrase(
    "1. Restart the terminal: it may have lost the token. 2. See that it sends to this server "
    "alone, and that no proxy or load balancer in front adds, changes or removes a cookie named "
    "token. 3. If it is still refused, begin anew: `zkpush devices set SN token=check`. 4. If the "
    "problem comes back after that, switch the check off: `zkpush devices set SN token=ignore`. 5. "
    "If the terminal works all the time, something else uses its serial number: restrict it to its "
    "networks, `zkpush devices set SN networks=NETWORK,…`."
)
ANOTHER_TOKEN = Cause(
    Phrase("A request from %(address)s did not return the token of its session, but another one."),
    _TOKEN_STEPS,
)
MISSING_TOKEN = Cause(
    Phrase("A request from %(address)s did not return the token of its session, nor another one."),
    _TOKEN_STEPS,
)
BEGUN_ANEW = Phrase(
    "Its tokens were begun anew already (`token=check`), and the problem came back: something "
    "still replaces or removes its cookie. Find the other server or the proxy; or switch the check "
    "off: `zkpush devices set SN token=ignore`. If the terminal works all the time, something else "
    "uses its serial number: restrict it to its networks, `zkpush devices set SN "
    "networks=NETWORK,…`."
)
"""Advice on a token that is missing again."""
NO_KEY = Cause(
    Phrase("It came without a pushcommkey, and one is pinned."),
    Phrase(
        "If its firmware no longer sends one, remove the pin: `zkpush devices set SN comm_key=`. "
        "If it still does, something else uses its serial number."
    ),
)
OTHER_KEY = Cause(Phrase("The terminal's pushcommkey is not the pinned one."), None)
ACCESS_CONTROL_PATH = Cause(
    Phrase("%(request)s, which is of the access-control protocol"),
    Phrase(
        "What is of the access-control protocol is from the time when the terminal was in that "
        "mode, and never becomes records of attendance. It can be read (`zkpush rejects list "
        "--device SN`) or deleted (`zkpush rejects delete ID`)."
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
_SET_CLOCK = Phrase(
    "Set its clock in its menu, or restart it: it takes the server's time when it connects. What "
    "it has recorded so far keeps the wrong time, here too, and payroll has to correct it by that "
    "difference: `zkpush attendance list --device SN --received-since TIME`."
)
CLOCK_AHEAD = Cause(Phrase("Its clock is %(by)s ahead of the server's."), _SET_CLOCK)
CLOCK_BEHIND = Cause(Phrase("Its clock is %(by)s behind the server's."), _SET_CLOCK)
CLOCK_FAR_AHEAD = Cause(
    Phrase("Its clock is %(by)s ahead of the server's: the times of its records are doubtful."),
    Phrase(
        "Set its clock in its menu, or restart it: it takes the server's time when it connects. "
        "What it has recorded so far keeps the wrong time, here too, and payroll has to correct it "
        "by that difference: `zkpush attendance list --device SN --doubt future`."
    ),
)
CLOCK_FAR_BEHIND = Cause(
    Phrase("Its clock is %(by)s behind the server's: the times of its records are doubtful."),
    Phrase(
        "Set its clock in its menu, or restart it: it takes the server's time when it connects. "
        "What it has recorded so far keeps the wrong time, here too, and payroll has to correct it "
        "by that difference: `zkpush attendance list --device SN --doubt past`."
    ),
)
TIME_OF_ANOTHER_ZONE = Cause(
    Phrase(
        "%(problem)s That is the difference of two time zones: its clock has the time of "
        "%(offset)s, and its zone here is %(zone)s."
    ),
    Phrase(
        "Look at its display. If it shows the right time of the place where it stands, its zone "
        "here is wrong: correct that, `zkpush devices set SN timezone=ZONE`, with a name such as "
        "Europe/Berlin or UTC, then the times of its records, `zkpush devices recompute SN`. If "
        "not, its clock is wrong: set it in its menu, or restart it. What it has recorded so far "
        "then keeps the wrong time, and payroll has to correct it by that difference: `zkpush "
        "attendance list --device SN --received-since TIME`."
    ),
)
NOT_FETCHED = Cause(
    Phrase("It has not asked for commands (no getrequest) since %(command)s was queued at %(at)s."),
    Phrase(
        "Restart it, and see that a proxy in front passes /iclock/getrequest on. Its commands: "
        "`zkpush commands list SN`."
    ),
)
NOT_FETCHED_LATELY = Cause(
    Phrase("It has not asked for commands since %(at)s (no getrequest)."), NOT_FETCHED.advice
)
NOT_ANSWERED = Cause(
    Phrase("It fetched %(command)s, queued at %(at)s, and has not answered."),
    Phrase(
        "Restart it, and see that a proxy in front passes POST /iclock/devicecmd on. Cancel what "
        "it never answers: `zkpush commands cancel ID`. Its commands, with their IDs: `zkpush "
        "commands list SN`."
    ),
)
UNREADABLE_TIME = Cause(
    Phrase("%(table)s: its time cannot be read"),
    Phrase(
        "Look at the terminal's menu: at the date and time, and at the date format, which should "
        "be YYYY-MM-DD. If its clock shows an impossible date, set it; its battery may be empty. "
        "If all is right there, update its firmware. `zkpush rejects show ID` shows a line, and "
        "`zkpush rejects list --device SN` lists all: enter those that count in your payroll "
        "program, then delete them with `zkpush rejects delete ID`."
    ),
)
NO_RECORD = Cause(
    Phrase("%(table)s: a line that is no record (%(reason)s)"),
    Phrase(
        "Look at such a line: `zkpush rejects show ID` (all of them: `zkpush rejects list --device "
        "SN`). It is no record of a terminal: "
        "something in front may change what the terminal sends, or a person or program sends in "
        "its name. If nothing in it is needed, delete it: `zkpush rejects delete ID`."
    ),
)
NOT_SERVED = Cause(
    Phrase("%(request)s, which is not served"),
    Phrase(
        "What came to a path that is not served is read again by itself by a version that serves "
        "it. Look at it: `zkpush rejects show ID` (all that was not understood: `zkpush "
        "rejects list --device SN`). If it is not needed, delete it: `zkpush rejects delete ID`."
    ),
)
OF_UNKNOWN_TABLE = Cause(
    Phrase("the table %(table)s, which zkpush does not know"),
    Phrase(
        "Install the plugin for the table, or update zkpush: what is kept of it is then read "
        "again by itself. If nobody needs the table, delete that: `zkpush rejects delete ID`, with "
        "the IDs from `zkpush rejects list --device SN`."
    ),
)
OF_UNKNOWN_LINES = Cause(
    Phrase("%(table)s: lines of a kind that zkpush does not know"),
    Phrase(
        "Install the plugin for these lines, or update zkpush: they are then read again by "
        "themselves. If nobody needs them, delete them: `zkpush rejects delete ID`, with the IDs "
        "from `zkpush rejects list --device SN`."
    ),
)
OTHERWISE_REJECTED = Cause(Phrase("%(table)s: %(cause)s"), None)
MORE_CAUSES = Cause(Phrase("and others"), None)

CAUSES = (
    OTHER_PLACE,
    UNKNOWN_PATH,
    OTHER_METHOD,
    UNKNOWN_TABLE,
    FOREIGN_TOKEN,
    FOREIGN_COOKIE,
    ANOTHER_TOKEN,
    MISSING_TOKEN,
    NO_KEY,
    OTHER_KEY,
    ACCESS_CONTROL_PATH,
    ACCESS_CONTROL_REQUEST,
    ACCESS_CONTROL_TABLE,
    CLOCK_AHEAD,
    CLOCK_BEHIND,
    CLOCK_FAR_AHEAD,
    CLOCK_FAR_BEHIND,
    TIME_OF_ANOTHER_ZONE,
    NOT_FETCHED,
    NOT_FETCHED_LATELY,
    NOT_ANSWERED,
    UNREADABLE_TIME,
    NO_RECORD,
    NOT_SERVED,
    OF_UNKNOWN_TABLE,
    OF_UNKNOWN_LINES,
    OTHERWISE_REJECTED,
    MORE_CAUSES,
)
_BY_TEMPLATE = {one.observed.text: one for one in CAUSES}


def advice_on_causes(
    detail: str, of_code: str, explained: Collection[Cause] = frozenset()
) -> list[str]:
    """Return the advice for the causes that a detail names, each once, and then that of the code
    if there is no cause, or one without advice.

    `explained` causes are left out: another problem has the advice.
    """
    found = [one for one in causes_in(detail) if one not in explained]
    advice = [one.advice or of_code for one in found] or [of_code]
    own = [one for one in advice if one != of_code]
    return [*dict.fromkeys([*own, *advice])]


def causes_in(detail: object) -> list[Cause]:
    """Return the causes that a detail names, in its order; not what is part of another one."""
    return [*_causes_in(detail)]


def _causes_in(detail: object) -> Iterator[Cause]:
    if not isinstance(detail, Phrase):
        return
    found = _BY_TEMPLATE.get(detail.text)
    if found is not None:
        yield found
        return
    for value in detail.values.values():
        yield from _causes_in(value)
