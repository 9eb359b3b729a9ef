"""Background verification (12.8.3): a verifier decides, within a deadline, whom to admit."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.plugin import IPlugin
from twisted.python.failure import Failure
from zope.interface import implementer

from ...device.privacy import Privacy
from ...device.registry import Registry
from ...device.terminal import Terminal
from ...interfaces import IStore, IVerifier
from ...model import Device, Page
from ...persist.rejects import RejectStore
from ...persist.transaction import Transaction
from ...protocol.errors import refusal
from ...protocol.rejects import Reject
from ...protocol.text import shown
from ...protocol.times import local_time
from ...protocol.validity import not_valid
from ...protocol.verification import POST_VERIFY_DATA, find_pin
from ...settings.features import Verification
from ...values.people import Person, Verdict, VerifyRequest
from .removals import RemovalStore
from .schema import users
from .store import PeopleStore
from .tables import USER

ADMITTED = b"OK"
LONGEST_REASON = 200
"""Most characters of the description sent to a terminal."""
UNDECIDED = "This could not be verified now; try again."
_REFUSED = "This user is not let in."


@implementer(IPlugin, IVerifier)
@attrs.frozen
class KnownUsers:
    """Admits stored users during their validity period, by the terminal's own clock."""

    name = "known"

    def verify(self, device: Device, request: VerifyRequest) -> Verdict:
        """Check the stored user; `zkpush.protocol.validity` defines validity."""
        user = request.user
        if request.pin is None:
            return Verdict(False, "There is no user ID in this request.")
        if user is None:
            return Verdict(False, "This user is not known.")
        reason = not_valid(user.start_datetime, user.end_datetime, user.expires, request.time)
        return Verdict(reason is None, reason or "")


class BackgroundVerification:
    """Asks the verifier, and uses the fallback if it fails or is late."""

    _log = Logger()

    def __init__(
        self,
        store: IStore,
        registry: Registry,
        verifier: IVerifier,
        settings: Verification,
        clock: IReactorTime,
        privacy: Privacy,
    ) -> None:
        self._privacy = privacy
        self._store = store
        self._registry = registry
        self._verifier = verifier
        self._settings = settings
        self._clock = clock

    def answer(self, terminal: Terminal, body: bytes) -> Deferred[bytes]:
        """Return the reply to PostVerifyData of an approved terminal; the Deferred never fails.

        `OK` admits. A refusal is sent with status 200 too, as a description: section 12.8.3 shows
        it in the place of `OK`. Firmware takes any other status for an absent server, and then
        retries or decides by itself.
        """
        answer: Deferred[bytes] = Deferred()
        seconds = self._settings.deadline_seconds

        def decided(verdict: Verdict) -> None:
            reply = _reply(terminal, verdict)
            # A verifier that blocked the reactor past the deadline is late too.
            if late.active() and self._clock.seconds() < late.getTime():
                late.cancel()
                answer.callback(reply)

        def failed(failure: Failure) -> None:
            if late.active():
                late.cancel()
                answer.callback(self._instead(terminal, f"failed ({_what_failed(failure)})"))

        def too_late() -> None:
            answer.callback(self._instead(terminal, f"has not decided within {seconds:g} seconds"))
            deciding.cancel()  # a later result or failure is ignored

        late = self._clock.callLater(seconds, too_late)
        deciding = Deferred.fromCoroutine(self._decide(terminal, body))
        deciding.addCallback(decided).addErrback(failed)
        return answer

    async def _decide(self, terminal: Terminal, body: bytes) -> Verdict:
        """Ask the verifier, and check the type of its answer.

        A body without a user ID is first stored as a reject.
        """
        device, now = terminal.device, self._registry.now()
        pin = find_pin(body, terminal.dialect.encoding_of(body), USER.field("pin"))
        user = None
        if pin is not None:
            found = await self._store.read(lambda tx: _known(tx, device, pin))
            user = found[0] if found else None
        elif body.strip():
            reject = Reject(POST_VERIFY_DATA, "there is not one user ID in it", body)
            rejects = self._privacy.kept_rejects([reject])
            await self._store.write(lambda tx: tx[RejectStore].add(device.id, rejects, now))
        request = VerifyRequest(
            pin=pin, user=user, time=local_time(device.timezone, now / 1000), at=now, body=body
        )
        said: object = self._verifier.verify(device, request)
        if isinstance(said, Awaitable):
            said = await said
        verdict = _checked(said)
        self._log.info(
            "Terminal {sn}: {user} is {decision} by the verifier {name}",
            sn=device.sn,
            # Anything else may be in the place of the user ID.
            user="somebody unknown" if user is None else f"user {shown(str(pin))}",
            decision="admitted" if verdict.admitted else "refused",
            name=self._verifier.name,
        )
        return verdict

    def _instead(self, terminal: Terminal, problem: str) -> bytes:
        """Return the reply of the configured fallback."""
        verdict = Verdict(self._settings.fallback == "admit", UNDECIDED)
        self._log.error(
            "Terminal {sn}: the verifier {name} {problem}; the fallback is to {fallback}",
            sn=terminal.device.sn,
            name=self._verifier.name,
            problem=problem,
            fallback=self._settings.fallback,
        )
        return _reply(terminal, verdict)


def _known(tx: Transaction, device: Device, pin: str) -> list[Person]:
    """Return the user with an ID, if stored and not removed from the terminal."""
    if tx[RemovalStore].removed(device.id, users, [(pin,)]):
        return []
    return tx[PeopleStore].users(Page(1), pin)


def _checked(said: object) -> Verdict:
    """Check the types of a verdict; raises `TypeError` for anything else."""
    if (
        isinstance(said, Verdict)
        and isinstance(said.admitted, bool)
        and isinstance(said.reason, str)
    ):
        return said
    raise TypeError("this is no verdict")


def _reply(terminal: Terminal, verdict: Verdict) -> bytes:
    if verdict.admitted:
        return ADMITTED
    reason = verdict.reason[:LONGEST_REASON]
    return refusal(reason if reason.strip() else _REFUSED, terminal.dialect.encoding)


def _what_failed(failure: Failure) -> str:
    """Describe an exception and its place without its message, which may contain terminal data."""
    kind = failure.type
    name = "an unknown error" if kind is None else kind.__qualname__
    frames = traceback.extract_tb(failure.getTracebackObject())
    return f"{name} in {frames[-1].filename}:{frames[-1].lineno}" if frames else name
