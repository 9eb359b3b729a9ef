"""Unserved requests of terminals, which are always reported.

Theory of operation. An approved terminal may request an unknown path, use another method, upload a
table without a handler, send the token of another server, or speak TLS on a plain port. Each kind
is logged once, and named in the problem `unknown requests` or `foreign token` of the terminal,
which is cleared a day after the last occurrence. A TLS connection carries no serial number. It is a
problem of the terminal that was last seen at its address and is silent, if there is only one, and
no approved terminal has never connected. Otherwise it is a problem of the server, which names all
candidates: terminals that have spoken no HTTP since, not even to be refused, and do not have the
problem themselves. It is none if that leaves no silent terminal. Workers report the latter to their
parent, which lists the problems of the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from twisted.logger import Logger

from ..causes import FOREIGN_COOKIE, FOREIGN_TOKEN, UNKNOWN_TABLE
from ..model import DeviceState, Problem
from ..phrases import Phrase, listed_phrases, terminal_phrase, with_more
from ..problems import ProblemCode, ServerProblem
from ..protocol.requests import ACCESS_CONTROL_TABLES
from ..protocol.text import shown
from . import tokens
from .refusals import Refusal, RefusalLog
from .registry import Registry
from .terminal import Terminal

MOST_KINDS = 20
"""Maximum number of kinds logged for one terminal, each once."""
MOST_TERMINALS = 1000
"""Maximum number of terminals whose kinds are remembered."""
MOST_ADDRESSES = 100
"""Maximum number of remembered addresses of TLS connections."""
SHOWN_FOR = 24 * 60 * 60 * 1000
"""Milliseconds for which an unexplained TLS connection is a problem."""
LOOKED_EVERY = 60 * 1000
"""Milliseconds between searches for the terminals at one address."""
AGAIN_AFTER = 60 * 60 * 1000
"""Milliseconds without TLS connections from an address after which they count as new."""
_MOST_SHOWN = 60
_MOST_NAMED = 5
"""Candidates named in one problem."""


class UnservedRequests:
    """Reports requests that no one serves."""

    _log = Logger()

    def __init__(self, registry: Registry, refusals: RefusalLog) -> None:
        self._registry = registry
        self._refusals = refusals
        self._kinds: dict[str, set[str]] = {}
        """Logged kinds, by serial number."""
        self._tls: dict[str, tuple[int, int]] = {}
        """Time (ms) of the first TLS connection and of the last terminal search, by address."""
        self._strangers: dict[str, int] = {}
        """Time (ms) of the last unexplained TLS connection, by address."""

    def note(
        self, terminal: Terminal, detail: Phrase, code: ProblemCode = ProblemCode.UNKNOWN_REQUESTS
    ) -> None:
        """Report an act of a terminal, such as `It uploads the table X.`; equal texts are one."""
        problem = Problem(code, detail, self._registry.now())
        sn = terminal.device.sn
        kinds = self._kinds.get(sn, set())
        if detail not in kinds and len(kinds) < MOST_KINDS:
            self._log.warn("Terminal {sn}: {detail}", sn=sn, code=code, detail=detail)
        self._remember(sn, detail)
        self._registry.report(terminal, problem, is_logged=False)

    def sends_cookie(self, terminal: Terminal, cookie: bytes) -> None:
        """Report a foreign cookie, which has no effect."""
        terminal.foreign = hash(cookie)
        is_token = tokens.token_of(cookie) is not None
        self.note(
            terminal,
            (FOREIGN_TOKEN if is_token else FOREIGN_COOKIE).said(),
            ProblemCode.FOREIGN_TOKEN,
        )

    def uploads(self, terminal: Terminal, table: str, title: str) -> None:
        """Report an upload to a table without a handler; `title` is its name for people.

        Some tables are uploaded by terminals in access-control mode only. If the terminal returns
        tokens, its requests and exchanges show its mode, because anybody may upload in its name.
        """
        name = table.lower()
        if name not in ACCESS_CONTROL_TABLES or terminal.is_judged:
            what = shown(title, most=2 * _MOST_SHOWN)
            self.note(terminal, UNKNOWN_TABLE.said(table=what))
            return
        detail = Phrase(
            "It uploads the table %(table)s, as terminals in access-control mode do.", table=name
        )
        problem = Problem(ProblemCode.ACCESS_CONTROL, detail, self._registry.now())
        self._registry.report(terminal, problem)

    @property
    def strangers(self) -> Mapping[str, int]:
        """Time (ms) of the last unexplained TLS connection, by address."""
        return self._strangers

    def heard(self, address: str) -> None:
        """Note an unexplained TLS connection that a worker of this process has logged."""
        now = self._registry.now()
        self._remember_tls(address, self._tls.get(address, (now, now))[0], now)
        self._strangers[address] = now

    def struck(self, reason: str, sn: str | None, address: str | None) -> None:
        """Count a refusal; called by the site, which knows no terminals."""
        self._refusals.refuse(reason, sn, address)
        if reason == Refusal.TLS and address is not None:
            self._speaks_tls(address)

    def problems(self) -> Iterable[ServerProblem]:
        """Problems for unexplained TLS connections of the last day."""
        now = self._registry.now()
        recent = [one for one, at in self._strangers.items() if now - at < SHOWN_FOR]
        never = self._never_heard() if recent else []
        for address in recent:
            last = self._strangers[address]
            at = self._tls.get(address, (last, 0))[0]
            found = self._silent_at(address, last)
            silent = [one.device.sn for one in found if not _has_said(one)]
            if len(silent) < len(found) and not silent:
                continue  # the problem of a terminal says it already
            yield ServerProblem(
                code=ProblemCode.TLS_ON_PLAIN,
                subject=Phrase("address %(address)s", address=address),
                detail=_suspicion(address, never, silent),
                since_at=at,
                candidates=(*never, *silent),
            )

    def _speaks_tls(self, address: str) -> None:
        now = self._registry.now()
        first, sought = self._tls.get(address, (now, 0))
        if 0 <= now - sought < LOOKED_EVERY:
            return
        if now - sought >= AGAIN_AFTER:
            first = now
        self._remember_tls(address, first, now)
        found = self._silent_at(address)
        if len(found) == 1 and not self._never_heard():
            detail = Phrase(
                "TLS connections come from %(address)s, where it was last heard of.",
                address=address,
            )
            self._registry.report(found[0], Problem(ProblemCode.TLS_ON_PLAIN, detail, now))
            self._strangers.pop(address, None)
            return
        self._strangers[address] = now
        if first == now:
            self._log.warn(
                "TLS connections come from {address} to a port that speaks HTTP", address=address
            )

    def _never_heard(self) -> list[str]:
        """Serial numbers of approved terminals that have never connected, from any address.

        One that is refused speaks HTTP.
        """
        refused = self._refusals.last_by_number()
        return [
            one.device.sn
            for one in self._registry.terminals.values()
            if one.device.state is DeviceState.APPROVED
            and one.device.address is None  # known at once, also if another process serves it
            and self._registry.last_seen(one.device)[0] is None
            and one.device.sn not in refused
        ]

    def _silent_at(self, address: str, since: int | None = None) -> list[Terminal]:
        """Approved terminals last seen at an address that are silent, also without refusals.

        They are offline; or they have missed polls, and were not heard `since` an instant (ms).
        """
        found = []
        refused = self._refusals.last_by_number()
        for terminal in self._registry.at_address(address):
            device = terminal.device
            last = max(self._registry.last_seen(device)[0] or 0, refused.get(device.sn, 0))
            if since is None:
                is_silent = last < self._registry.online_since(device)
            else:
                is_silent = last < since and last < self._registry.polled_since(device)
            if device.state is DeviceState.APPROVED and is_silent:
                found.append(terminal)
        return found

    def _remember_tls(self, address: str, first: int, now: int) -> None:
        self._tls.pop(address, None)
        if len(self._tls) >= MOST_ADDRESSES:
            oldest = next(iter(self._tls))
            del self._tls[oldest]
            self._strangers.pop(oldest, None)
        self._tls[address] = (first, now)

    def _remember(self, sn: str, what: str) -> None:
        if len(self._kinds) >= MOST_TERMINALS and sn not in self._kinds:
            self._kinds.clear()
        kinds = self._kinds.setdefault(sn, set())
        if len(kinds) < MOST_KINDS:
            kinds.add(what)


def _has_said(terminal: Terminal) -> bool:
    """Whether TLS connections from its address are a problem of a terminal already."""
    return any(one.code == ProblemCode.TLS_ON_PLAIN for one in terminal.device.problems)


def _suspicion(address: str, never: Sequence[str], silent: Sequence[str]) -> Phrase:
    """Return what is known of TLS connections from an address, with the candidates."""
    if never and silent:
        return Phrase(
            "TLS connections come from %(address)s to a port that speaks HTTP. They may be "
            "those of a terminal that has never connected: %(never)s. These were last heard of "
            "at that address, and are silent: %(silent)s.",
            address=address,
            never=_named(never),
            silent=_named(silent),
        )
    if never:
        return Phrase(
            "TLS connections come from %(address)s to a port that speaks HTTP. They may be those "
            "of a terminal that has never connected: %(never)s.",
            address=address,
            never=_named(never),
        )
    if silent:
        return Phrase(
            "TLS connections come from %(address)s to a port that speaks HTTP. They may be those "
            "of a new terminal, or of one that was last heard of at that address and is silent: "
            "%(silent)s.",
            address=address,
            silent=_named(silent),
        )
    return Phrase(
        "TLS connections come from %(address)s to a port that speaks HTTP.", address=address
    )


def _named(sns: Sequence[str]) -> Phrase:
    named = listed_phrases([terminal_phrase(sn) for sn in sns[:_MOST_NAMED]])
    more = len(sns) - _MOST_NAMED
    return named if more < 1 else with_more(named, more)
