"""The gate of sessions: which requests of an admitted terminal are served, and as what.

Theory of operation. Most requests are of terminals in a plain session, and the gate of admission
passes them at once (`AdmissionGate.passes`). All others are looked at here, by one rule for all
routes: the terminal is admitted; its token, where that counts, is one of ours
(`zkpush.device.tokens`); a sealed request opens and was not taken before
(`zkpush.device.sealedrequests`); a plain one is served where the session and the policy for the
terminal allow it. A request that its session does not allow is answered with a demand for new
exchanges; where that may go on for ever, it is a problem of the terminal. What this process
remembers is enough to serve a terminal, but not to turn it away: then the store is asked, once a
second at most. The gate of admission paces further requests from an address that was refused, as
those of strangers (`zkpush.device.gate`).

A session is *proved* if its request is sealed, or returns a trusted token, or if the terminal has
never shown that it can do either. Commands that hold secrets go to proved sessions only.
"""

from __future__ import annotations

from twisted.internet.interfaces import IReactorThreads

from ..interfaces import IStore
from ..model import ENCRYPTED_STATES, Problem
from ..problems import ProblemCode
from ..protocol.envelope import place_of
from . import tokens
from .refusals import Refusal, RefusalLog
from .registry import Registry
from .request import AdmittedRequest, Request
from .sealedrequests import Replayed, SealedRequests
from .session import AskForExchange, SessionReply
from .terminal import Terminal
from .tokenproofs import TokenProofs


class SessionGate:
    """Lets requests of admitted terminals in, as their sessions allow."""

    def __init__(
        self, store: IStore, registry: Registry, log: RefusalLog, reactor: IReactorThreads
    ) -> None:
        """`log` counts refusals."""
        self._registry = registry
        self._log = log
        self._proofs = TokenProofs(store, registry)
        self._sealed = SealedRequests(store, registry, reactor)

    async def enter(self, request: Request, body: bytes) -> AdmittedRequest:
        """Let a request in, and open what is sealed of it.

        `Refused` if the terminal is not admitted, `AskForExchange`.
        """
        head = request.head
        terminal = await self._registry.admit(request.sn, head.address)
        reason = None
        entry = None
        # After a refusal, memory counts as fresh for a second: a flood costs one look in it.
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
                raise AskForExchange from None
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
            raise AskForExchange
        return await self._proofs.learn(entry, token, head.address)

    def _refuse(self, terminal: Terminal, request: Request, reason: Refusal | None) -> None:
        """Note that a request is refused, and why, where the terminal may not get over it."""
        now = self._registry.now()
        terminal.refuse(request.head.address, now)
        if reason is None:
            return
        self._log.refuse(reason, request.sn, request.head.address)
        place = request.head.address or "a socket file"
        if reason == Refusal.WRONG_TOKEN:
            detail = f"A request from {place} did not return the token of its session."
            problem = Problem(ProblemCode.TOKEN_MISSING, detail, now)
            self._registry.report(terminal, problem, tokens.is_judged)
        elif reason == Refusal.NOT_OPENED:
            detail = f"A sealed request from {place} does not open under the keys of its session."
            self._registry.report(terminal, Problem(ProblemCode.NOT_OPENED, detail, now))
