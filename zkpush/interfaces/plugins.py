"""Interfaces of plugins, of zkpush and of other packages, in the `twisted.plugins` folder."""

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
    """A plugin that stores the records of some tables."""

    name: str = Attribute("A name for logs and errors")
    tables: Sequence[Table] = Attribute("The tables it takes; no other handler may take them")
    changes_device: bool = Attribute(
        "Whether it changes the stored `Device`, which the server then reads again"
    )

    def persist(tx: Transaction, device: Device, batch: Batch, now: int) -> None:
        """Write the rows of one upload; `now` is its time of arrival (ms).

        Called on a thread of the handler, in a transaction of its own, after the reply `OK` to the
        terminal: the lines are on disk. If it raises, the lines are passed to it again later. A
        handler listed in the setting `plugins.inline`, or one of zkpush itself, is called in the
        unit of work of the upload, on the writer's thread; if it raises, its lines become rejects.
        In both cases it may be called again with the same rows, which must then change nothing.
        """

    def stored(device: Device, batch: Batch) -> None:
        """Called after the rows are committed. It cannot delay or fail the reply.

        Runs on the thread of the handler, or on the reactor if the handler runs inline.
        """


class IAdmissionPolicy(Interface):
    """A plugin that decides whether to admit unknown terminals."""

    name: str = Attribute("The value of --admission that chooses it")

    def admit(sn: str, hello: Hello | None, address: str | None) -> DeviceState | None:
        """Return the state to record an unknown terminal in; None to refuse and not record it.

        `hello` is the information that the terminal sends in the initialization exchange (5), or
        None if its first request is another one; `address` is the source of the request, or None
        for a Unix socket. None of this is authenticated. Runs on the reactor and must not block.
        While it raises, unknown terminals are told to try again.
        """


class IVerifier(Interface):
    """A plugin that decides whether a user whom a terminal has recognised is admitted (12.8.3)."""

    name: str = Attribute("The value of `verifier` in the configuration that chooses it")

    def verify(device: Device, request: VerifyRequest) -> Verdict | Awaitable[Verdict]:
        """Return a decision, a Deferred of one (a new one for each request), or a coroutine.

        Runs on the reactor and must not block: all requests of this process would wait, without a
        deadline. If it is late, raises, or returns anything but a `Verdict`, the configured
        fallback answers; a late Deferred is cancelled.
        """


class ICipherSuite(Interface):
    """A plugin that encrypts the traffic between a terminal and the server (6, 7, Appendix 8).

    It is stateless. The state between two steps is bytes, which the caller stores encrypted: they
    are secret, and any process can continue with them. Invalid data of a terminal raises
    `NotOpened`, whose message does not quote the data. Public keys and factors are as on the wire,
    after `PublicKey=` and `Factors=`: visible ASCII. No method blocks.
    """

    name: str = Attribute("The name by which a configuration chooses it")
    weakness: str = Attribute("What operators who choose it must know; may be empty")
    exchanges: bool = Attribute(
        "Whether its keys come from the exchange; otherwise the secret is the key"
    )

    def check_secret(secret: bytes) -> None:
        """Check the secret configured for a terminal, if any; `ValueError` says what is needed."""

    def covers(place: Place, direction: Direction) -> bool:
        """Whether data in this direction is encrypted.

        Of a request without a body, the data is in its arguments.
        """

    def begin(sn: str, secret: bytes, public_key: bytes) -> Exchanged:
        """Process the public key P1 of the terminal; return a state, and P2.

        P2 is generated for this exchange only. A suite without a key exchange gets no public key,
        and is ready.
        """

    def agree(state: bytes, factor: bytes) -> Exchanged:
        """Process the terminal's factor R1, encrypted under P2; return the session and R2 under P1.

        Discard the previous state afterwards: it is valid for one factor.
        """

    def open(state: bytes, place: Place, sealed: bytes) -> Opened:
        """Decrypt the sealed part of a request (`envelope.sealed_of`) by the state of a session.

        Data that was encrypted for another terminal, session, request line or direction raises
        `NotOpened`. A replayed request decrypts, and returns the same number. So the caller that
        executes a request stores its number with the session, in the same unit of work, if it is
        higher than the stored one (compare-and-set), or else aborts the unit.
        """

    def seal(state: bytes, place: Place, number: int | None, body: bytes) -> bytes:
        """Encrypt the reply to the request that `open` has returned this number for.

        The reply is valid for no other request.
        """
