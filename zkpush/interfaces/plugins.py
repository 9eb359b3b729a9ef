"""What plugins implement, ours and everyone else's: found in the `twisted.plugins` folder."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING

from zope.interface import Attribute, Interface

from ..model import Device, DeviceState
from ..protocol.envelope import Direction, Exchanged, Opened, Place
from ..protocol.fields import Table
from ..protocol.handshake import Hello
from ..protocol.records import Batch
from ..values.people import Verdict, VerifyRequest

if TYPE_CHECKING:
    from ..persist.transaction import Transaction


class IRecordHandler(Interface):
    """A plugin that takes the records of some tables."""

    name: str = Attribute("A name for logs and errors")
    tables: Sequence[Table] = Attribute("The tables it takes; nobody else may take them")
    changes_device: bool = Attribute("Whether what it writes shows on the terminal itself")

    def persist(tx: Transaction, device: Device, batch: Batch, now: int) -> None:
        """Write rows of one upload; `now` is when they came (ms).

        On the handler's own thread, in a transaction of its own, after the terminal was told `OK`:
        the lines are on disk. If it raises, they are handed to it again later. A handler that the
        configuration names in `plugins.inline`, as those of zkpush itself, is called in the unit of
        work of the upload, on the writer's thread; if it raises, its lines become rejects. In both
        cases the same rows may come again, and must change nothing then.
        """

    def stored(device: Device, batch: Batch) -> None:
        """Called when the rows are committed: on the handler's thread, or on the reactor where it
        runs inline. It cannot delay or fail the reply."""


class IAdmissionPolicy(Interface):
    """A plugin that decides about terminals that nobody has decided about."""

    name: str = Attribute("The value of --admission that chooses it")

    def admit(sn: str, hello: Hello | None, address: str | None) -> DeviceState | None:
        """The state to record an unknown terminal in; None to refuse and not record it.

        `hello` is what the terminal says of itself in the initialization exchange (5), or None if
        its first request is another one; `address` is where the request came from, or None for a
        socket file. Nothing of this is proved. On the reactor, so it must not block. While it
        raises, unknown terminals are told to try again.
        """


class IVerifier(Interface):
    """A plugin that decides whether a user whom a terminal has recognised is let in (12.8.3)."""

    name: str = Attribute("The value of `verifier` in the configuration that chooses it")

    def verify(device: Device, request: VerifyRequest) -> Verdict | Awaitable[Verdict]:
        """Decide at once, or by a Deferred of its own for each request, or by a coroutine.

        On the reactor, so it must not block: everything of this process would wait for it, and no
        deadline can help. Who is slow otherwise, raises, or gives anything but a `Verdict` is
        replaced by the configured fallback; a Deferred that is late is cancelled.
        """


class ICipherSuite(Interface):
    """A plugin that encrypts what a terminal and the server say to each other (6, 7, Appendix 8).

    It keeps nothing. What there is between two steps is bytes, which the caller keeps: they are
    secret, they are sealed at rest, and any process can go on with them. Whatever is wrong with
    what a terminal sent, `NotOpened` is raised, and says nothing of it. Public keys and factors are
    as on the wire, behind `PublicKey=` and `Factors=`: visible ASCII. Nothing blocks.
    """

    name: str = Attribute("The name by which a configuration chooses it")
    weakness: str = Attribute("What operators must know who choose it; empty if there is nothing")
    exchanges: bool = Attribute("Whether its keys come from the exchange, or the secret is the key")

    def check_secret(secret: bytes) -> None:
        """Check what is configured for a terminal, or nothing; `ValueError` says what is needed."""

    def covers(place: Place, direction: Direction) -> bool:
        """Whether what goes that way is sealed; a request without a body, in its arguments."""

    def begin(sn: str, secret: bytes, public_key: bytes) -> Exchanged:
        """Take the terminal's public key P1; gives a state, and P2.

        With keys that are made for this one exchange. A suite that does not exchange is given no
        public key, and is ready.
        """

    def agree(state: bytes, factor: bytes) -> Exchanged:
        """Take the terminal's factor R1, encrypted under P2; gives the session, and R2 under P1.

        The state before it is to be dropped: it is good for one factor.
        """

    def open(state: bytes, place: Place, sealed: bytes) -> Opened:
        """Open what is sealed of a request (`envelope.sealed_of`), by the state of its session.

        What was sealed for another terminal, session, request line or direction does not open. What
        was opened before does, with the same number. So whoever does what a request asks for writes
        its number beside the session, in the same unit of work, if it is higher than the one there
        (compare-and-set), or gives up the unit.
        """

    def seal(state: bytes, place: Place, number: int | None, body: bytes) -> bytes:
        """Seal the reply to an opened request of that number; no other request can be given it."""
