"""Terminal requests as frozen values, and the rows of the routing table.

A request is parsed once, when its head has arrived, into path, serial number, arguments and route.
The body is separate, because it is read only after the gate has accepted the request.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

import attrs
import msgspec

from ..http.messages import Accepted, Declined, RequestHead
from ..interfaces import ITerminalFamily
from ..phrases import Phrase
from ..protocol.rejects import Origin
from ..protocol.requests import Arguments
from .terminal import Terminal


class Gate(Enum):
    """The checks before an action, and the arguments of the action."""

    NONE = "none"
    """No checks: `action(request, body)`. The request carries a secret in place of an identity."""
    HELLO = "hello"
    """Admission, which pending terminals pass as well: `action(request, body)`."""
    ADMISSION = "admission"
    """Admission of an approved terminal, in any session state: `action(request, body)`."""
    SESSION = "session"
    """Admission and session rules (`zkpush.device.sessiongate`): `action(request, terminal, body,
    is_proved)`, with the decrypted body of a sealed request."""


class Request(msgspec.Struct, frozen=True):
    """One request of a terminal, without its body.

    Unlike its head, it may be a part of a reference cycle, through its route.
    """

    head: RequestHead
    route: TerminalRoute
    sn: str
    """The serial number; empty only under `Gate.NONE`."""
    arguments: Arguments


class AcceptedRequest(Accepted, frozen=True, gc=False, kw_only=True):
    """A request whose body is read; the reply has a `Date` if the time zone is known."""

    request: Request
    terminal: Terminal | None
    """None under `Gate.NONE`."""

    @property
    def makes_way_last(self) -> bool:
        """Whether it comes from the terminal's usual address or carries its trusted token."""
        terminal, head = self.terminal, self.request.head
        return terminal is not None and terminal.is_itself(head.address, head.cookie)


class RefusedRequest(Declined, frozen=True, gc=False, kw_only=True):
    """A request of a terminal that is refused by its head."""

    sn: str
    """The serial number; empty if the path requires none."""


def origin_of(head: RequestHead) -> Origin:
    """The parts of a request head that are stored with a whole body."""
    return Origin(
        head.method,
        head.path.decode("utf-8", "replace"),
        head.query.decode("utf-8", "replace"),
        None if head.content_type is None else head.content_type.decode("latin-1"),
        None if head.content_encoding is None else head.content_encoding.decode("latin-1"),
    )


def always(request: Request, terminal: Terminal) -> bool:
    """`changes` of a route whose requests always change something."""
    return True


def never(request: Request, terminal: Terminal) -> bool:
    """`changes` of a route whose requests never change anything."""
    return False


class TerminalRoute(msgspec.Struct, frozen=True):
    """A row of a terminal family's routing table, with its action."""

    family: ITerminalFamily
    methods: str
    """HTTP methods, in capitals, separated by spaces."""
    path: str
    """Canonical path below /iclock. A path that ends with `/` includes all paths below it."""
    selector: str
    """`name=value` matches that argument, ignoring case; `name=` matches if the argument is
    present. An empty selector matches everything. The first matching row counts."""
    gate: Gate
    action: Callable[..., Any]
    """Returns the body of a reply with status 200 or a `FileReply`, directly or as an awaitable. A
    `ProtocolError` carries another status. See `Gate` for the arguments."""
    meaning: str = ""
    """What such a request is for, in words, for the trace."""
    is_long: bool = False
    """Whether bodies may have the configured maximum length; otherwise they are short."""
    polls: bool = False
    """Whether this is a poll for commands."""
    sends_files: bool = False
    """Whether replies are files, so that no message may have status 200."""
    changes: Callable[[Request, Terminal], bool] = always
    """Whether an admitted request would change anything."""
    report: Callable[[Request, Terminal], Phrase] | None = None
    """Reports a request that the server does not serve, and returns why, for the trace. None if it
    serves such requests."""


@attrs.frozen(eq=False)
class AdmittedRequest:
    """A request that the session gate has admitted."""

    terminal: Terminal
    body: bytes
    """The body, decrypted if it was sealed."""
    seal: Callable[[bytes], bytes] | None = None
    """Encrypts the reply; None for a plain reply."""
    is_proved: bool = True
    """Whether the session may receive secrets."""
    has_secret: bool = False
    """Whether the request was sealed with a secret that only the terminal and the server have."""
