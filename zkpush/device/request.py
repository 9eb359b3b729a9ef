"""One request of a terminal, as a frozen value, and the row of the routing table that it matches.

A request is parsed once, when its head has arrived: path, serial number, arguments and route. Its
body follows by itself, because it is read only after the gate has accepted the request.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

import attrs
import msgspec

from ..http.messages import Accepted, RequestHead
from ..interfaces import ITerminalFamily
from ..protocol.rejects import Origin
from ..protocol.requests import Arguments
from .terminal import Terminal


class Gate(Enum):
    """What a request has to pass before its action runs, and the arguments of the action."""

    NONE = "none"
    """Nothing: `action(request, body)`. No terminal is known; the request carries a secret."""
    HELLO = "hello"
    """Admission, which terminals that await approval pass as well: `action(request, body)`."""
    ADMISSION = "admission"
    """Admission of an approved terminal, in whatever session: `action(request, body)`."""
    SESSION = "session"
    """Admission and the rules of the terminal's session (`zkpush.device.sessiongate`):
    `action(request, terminal, body, is_proved)`, with the opened body of a sealed request."""


class Request(msgspec.Struct, frozen=True, gc=False):
    """One request of a terminal, without its body."""

    head: RequestHead
    route: TerminalRoute
    sn: str
    """The serial number; empty only under `Gate.NONE`."""
    arguments: Arguments


class AcceptedRequest(Accepted, frozen=True, gc=False, kw_only=True):
    """A request whose body is read. Its reply has a `Date` if the zone of the terminal is known."""

    request: Request
    terminal: Terminal | None
    """None under `Gate.NONE`."""

    @property
    def makes_way_last(self) -> bool:
        """Whether it comes from the usual address of its terminal, or with its trusted token."""
        terminal, head = self.terminal, self.request.head
        return terminal is not None and terminal.is_itself(head.address, head.cookie)


def origin_of(head: RequestHead) -> Origin:
    """What is kept of a request with a body that is kept whole."""
    return Origin(
        head.method,
        head.path.decode("utf-8", "replace"),
        head.query.decode("utf-8", "replace"),
        None if head.content_type is None else head.content_type.decode("latin-1"),
        None if head.content_encoding is None else head.content_encoding.decode("latin-1"),
    )


def always(request: Request, terminal: Terminal) -> bool:
    """The `changes` of a route whose requests all change something."""
    return True


def never(request: Request, terminal: Terminal) -> bool:
    """The `changes` of a route whose requests change nothing."""
    return False


class TerminalRoute(msgspec.Struct, frozen=True):
    """A row of the routing table of a terminal family, with what the server does."""

    family: ITerminalFamily
    methods: str
    """HTTP methods, in capitals, separated by spaces."""
    path: str
    """The name under /iclock in its canonical form. One that ends with `/` includes all paths
    below it."""
    selector: str
    """`name=value` matches that argument in any case; `name=` matches if the argument is there.
    Empty matches everything. The first row that matches counts."""
    gate: Gate
    action: Callable[..., Any]
    """Returns the body of a reply with status 200 or a `FileReply`, at once or as an awaitable. A
    `ProtocolError` carries another status. `Gate` lists its arguments."""
    meaning: str = ""
    """What a terminal does with such a request, in words, for the trace."""
    is_long: bool = False
    """Whether bodies may have the configured length; otherwise they are short."""
    polls: bool = False
    """Whether terminals ask for commands here."""
    sends_files: bool = False
    """Whether replies are files, so that none with status 200 may be a message."""
    changes: Callable[[Request, Terminal], bool] = always
    """Whether a request that was let in would change anything."""


@attrs.frozen(eq=False)
class AdmittedRequest:
    """A request that the gate of sessions has let in."""

    terminal: Terminal
    body: bytes
    """What was sealed is opened."""
    seal: Callable[[bytes], bytes] | None = None
    """Seals the reply; None where it is plain."""
    is_proved: bool = True
    """Whether the session may have what is secret."""
