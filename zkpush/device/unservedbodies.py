"""Bodies of unserved requests of approved terminals, stored as rejects.

The reply says that the request is not served, so the terminal keeps its data. The stored bodies are
for people, and for a later version that serves the request and reads rejects again.
"""

from __future__ import annotations

import functools

from ..causes import ACCESS_CONTROL_REQUEST, OTHER_METHOD, OTHER_PLACE, UNKNOWN_PATH, Cause
from ..interfaces import IStore
from ..model import Problem
from ..persist.rejects import RejectStore
from ..persist.transaction import Transaction
from ..phrases import Phrase
from ..problems import ProblemCode
from ..protocol.errors import ProtocolError, WrongMethod
from ..protocol.rejects import NOT_SERVED, REQUEST, Reject
from ..protocol.requests import is_access_control_path
from ..protocol.text import word
from .acknowledging import rejects_kept
from .intake import LONG_BODY, Intake
from .privacy import Privacy
from .registry import Registry
from .request import Request, origin_of
from .terminal import Terminal
from .unserved import UnservedRequests

MOST_KEPT = 200
"""Maximum number of bodies stored for one terminal. They are not acknowledged, so the terminal
keeps the others."""

NOT_THIS_PATH = Phrase("this server does not serve this path, and it has to begin a session")
NOT_BELOW = Phrase(
    "its path does not begin with /iclock/: see the server address in its menu, or the proxy in "
    "front"
)
_TERMINALS = b"/iclock/"


@functools.lru_cache(256)
def asked_in_words(method: str, path: bytes) -> str:
    """The method and the first two parts of a path, for the log.

    Parts that are no words are not shown.
    """
    parts = path.decode("utf-8", "replace").split("/")
    shown = [word(part) if part else "" for part in parts[:3]]
    return f"{word(method)} {'/'.join([*shown, *(['…'] if len(parts) > 3 else [])])}"


def _cause_of(path: bytes) -> Cause:
    """Return why a path is not served."""
    if not path.lower().startswith(_TERMINALS):
        return OTHER_PLACE
    return ACCESS_CONTROL_REQUEST if _names_other_mode(path) else UNKNOWN_PATH


def _names_other_mode(path: bytes) -> bool:
    return is_access_control_path(path.decode("ascii", "replace"))


class UnservedBodies:
    """Stores the bodies of unserved requests."""

    def __init__(
        self,
        store: IStore,
        registry: Registry,
        intake: Intake,
        privacy: Privacy,
        unserved: UnservedRequests,
    ) -> None:
        self._store = store
        self._registry = registry
        self._intake = intake
        self._privacy = privacy
        self._unserved = unserved

    def report(self, request: Request, terminal: Terminal) -> Phrase:
        """Report a request, also one before a session; returns why it is not served."""
        head = request.head
        cause = _cause_of(head.path)
        self._note(request, terminal, cause)
        return NOT_BELOW if cause is OTHER_PLACE else NOT_THIS_PATH

    def _note(self, request: Request, terminal: Terminal, cause: Cause) -> None:
        what = asked_in_words(request.head.method, request.head.path)
        self._unserved.note(terminal, cause.said(request=what))

    async def keep(
        self,
        error: ProtocolError,
        request: Request,
        terminal: Terminal,
        body: bytes,
        is_proved: bool,
    ) -> bytes:
        """Store the body of a request, report the request, and raise the error.

        Only a proved session (`is_proved`) shows the mode of the terminal.
        """
        head = request.head
        what = asked_in_words(head.method, head.path)
        if isinstance(error, WrongMethod):
            self._note(request, terminal, OTHER_METHOD)
        elif not (_names_other_mode(head.path) and is_proved):
            self.report(request, terminal)
        else:
            detail = Phrase(
                "It asks for %(request)s, as terminals in access-control mode do.", request=what
            )
            problem = Problem(ProblemCode.ACCESS_CONTROL, detail, self._registry.now())
            self._registry.report(terminal, problem)
        if body:
            reason = f"{NOT_SERVED}{what}"
            reject = Reject(REQUEST, reason, body, origin=origin_of(head))
            if await self._store_reject(terminal, reject):
                error.remark = rejects_kept(1)
        raise error

    async def _store_reject(self, terminal: Terminal, reject: Reject) -> bool:
        """Store a body, unless there are too many of the terminal; returns whether it was."""
        key, now = terminal.device.id, self._registry.now()
        rejects = self._privacy.kept_rejects([reject])
        seal = self._store.seal_rejects
        if len(reject.raw) > LONG_BODY:
            sealed = await self._intake.on_thread(seal, key, rejects, now, 0, terminal.address)
        else:
            sealed = seal(key, rejects, now, address=terminal.address)

        def unit(tx: Transaction) -> bool:
            if sealed is None or tx[RejectStore].count(key, REQUEST) >= MOST_KEPT:
                return False
            tx[RejectStore].add_sealed(sealed)
            return True

        return await self._store.write(unit)
