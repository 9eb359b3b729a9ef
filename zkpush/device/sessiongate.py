"""Session gate: checks requests of admitted terminals against their sessions.

Theory of operation. Most requests come from terminals in a plain session, and the admission gate
passes them at once (`AdmissionGate.passes`). This gate checks all others by one rule for all
routes. The terminal must be admitted. Its token must be valid where that is required
(`zkpush.device.tokens`). A sealed request must decrypt, and must not have been accepted before
(`zkpush.device.sealedrequests`). A plain request is served if the session and the policy allow it.
Otherwise the reply demands new exchanges; if that could repeat for ever, it is a problem of the
terminal. Memory is enough to serve a terminal, but not to refuse it: before a refusal the store is
read, at most once a second. The admission gate then paces further requests from the refused
address, as those of strangers (`zkpush.device.gate`).

A session is *proved* if its request is sealed with a shared secret. Without one, the request has to
be sealed if the terminal has encrypted before, and to return a trusted token if the terminal
returns tokens. Commands that hold secrets go to proved sessions only.
"""

from __future__ import annotations

from twisted.internet.interfaces import IReactorThreads

from ..causes import ANOTHER_TOKEN, MISSING_TOKEN
from ..interfaces import IStore
from ..model import Problem
from ..phrases import A_SOCKET_FILE, Phrase
from ..problems import ProblemCode
from ..protocol.envelope import place_of
from ..values.sessions import ENCRYPTED_STATES, REPEATED_STATES
from . import tokens
from .refusals import Refusal, RefusalLog
from .registry import Registry
from .request import AdmittedRequest, Request
from .sealedrequests import Replayed, SealedRequests
from .session import (
    BEGINS,
    DOES_NOT_OPEN,
    NOT_ENCRYPTED,
    OTHER_TOKEN,
    TAKEN_BEFORE,
    WITHOUT_TOKEN,
    AskForExchange,
    SessionReply,
)
from .terminal import Terminal
from .tokenproofs import TokenProofs


class SessionGate:
    """Admits requests of admitted terminals as their sessions allow."""

    def __init__(
        self, store: IStore, registry: Registry, log: RefusalLog, reactor: IReactorThreads
    ) -> None:
        """`log` counts refusals."""
        self._registry = registry
        self._log = log
        self._proofs = TokenProofs(store, registry)
        self._sealed = SealedRequests(store, registry, reactor)

    async def enter(self, request: Request, body: bytes) -> AdmittedRequest:
        """Admit a request and decrypt it if it is sealed.

        Raises `Refused` if the terminal is not admitted, and `AskForExchange`.
        """
        head = request.head
        terminal = await self._registry.admit(request.sn, head.address)
        reason = None
        entry = None
        # After a refusal, memory counts as current for a second, so that a flood costs no queries.
        knows = terminal.is_refusing(self._registry.now())
        for is_fresh in (True,) if knows else (False, True):
            if is_fresh:
                await self._registry.look(terminal)
            token = tokens.find(terminal.device, head.cookie)
            if token is None and terminal.is_judged:
                reason = Refusal.WRONG_TOKEN
                continue
            place = place_of(request.sn, head.method, head.path, request.arguments)
            known = await self._sealed.keys(terminal) if terminal.device.generation else ()
            try:
                entry = await self._sealed.open(terminal, known, place, request, body)
            except Replayed:
                self._refuse(terminal, request, Refusal.REPLAYED)
                raise AskForExchange(TAKEN_BEFORE) from None
            if entry is None:
                entry = self._sealed.uncovered(terminal, known, place, request, body)
            if entry is not None:
                break
            if self._sealed.is_sealed(terminal, request, body, known, is_fresh=is_fresh):
                reason = Refusal.NOT_OPENED
                continue
            reason = None if terminal.session.state not in ENCRYPTED_STATES else Refusal.NOT_SEALED
            session = terminal.session
            reply = session.poll if request.route.polls else session.upload
            if reply is SessionReply.SERVE:
                entry = await self._sealed.plain(terminal, place, body)
                break
        if entry is None:
            self._refuse(terminal, request, reason)
            raise AskForExchange(_words(request, reason))
        return await self._proofs.learn(entry, token, head.address)

    def _refuse(self, terminal: Terminal, request: Request, reason: Refusal | None) -> None:
        """Count a refusal, and report its cause if the terminal may not recover from it.

        A token that is no longer valid is no problem of a terminal that has to begin again anyway.
        """
        now = self._registry.now()
        terminal.refuse(request.head.address, now)
        if reason is None:
            return
        self._log.refuse(reason, request.sn, request.head.address)
        place = request.head.address or A_SOCKET_FILE
        is_served = request.route.report is None
        if reason == Refusal.WRONG_TOKEN and not is_served:
            return  # the problem is the path, to which terminals may return no cookie
        if reason == Refusal.WRONG_TOKEN and terminal.device.session not in REPEATED_STATES:
            is_bare = _words(request, reason) is WITHOUT_TOKEN
            cause = MISSING_TOKEN if is_bare else ANOTHER_TOKEN
            problem = Problem(ProblemCode.TOKEN_MISSING, cause.said(address=place), now)
            self._registry.report(terminal, problem, tokens.is_judged)
        elif reason == Refusal.NOT_OPENED:
            detail = Phrase(
                "A sealed request from %(address)s does not open under the keys of its session.",
                address=place,
            )
            self._registry.report(terminal, Problem(ProblemCode.NOT_OPENED, detail, now))


def _words(request: Request, reason: Refusal | None) -> Phrase:
    """Return the reason why a request is refused, of the request."""
    if reason is Refusal.WRONG_TOKEN:
        cookie = request.head.cookie
        has_token = cookie is not None and tokens.token_of(cookie) is not None
        return OTHER_TOKEN if has_token else WITHOUT_TOKEN
    if reason is Refusal.NOT_OPENED:
        return DOES_NOT_OPEN
    return NOT_ENCRYPTED if reason is Refusal.NOT_SEALED else BEGINS
