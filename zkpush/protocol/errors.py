"""Errors of requests, by who is at fault.

The class of an error tells who has to act, and carries the HTTP status of the reply. No message
ever contains the two letters that terminals take for success (wire facts, section 2): an upload
counts as delivered if the reply *contains* them, so `refusal` removes them from foreign text.
"""

from __future__ import annotations

_SUCCESS = "OK"


def refusal(message: str, encoding: str = "utf-8") -> bytes:
    """Encode the body of a refusal: one line of text, without the mark of success.

    Surrogates, which operating system errors may contain, become `?`. So do all non-ASCII
    characters if the encoded bytes contain the mark, as where a GB18030 character ending in the
    byte of an O precedes a K.
    """
    text = " ".join(message.split()).replace(_SUCCESS, "O.K")
    line = text.encode(encoding, "replace")
    if _SUCCESS.encode() in line:
        line = text.encode("ascii", "replace")
    return line + b"\n"


class ProtocolError(Exception):
    """A request is not served; `status` is the HTTP status of the reply."""

    status = 400
    remark: str | None = None
    """What the trace says beside the reply."""


class TerminalError(ProtocolError):
    """The terminal violated the protocol; sending the request again will not help."""

    status = 400


class UnknownPath(TerminalError):
    """The requested path does not exist."""

    status = 404


class UnknownUser(TerminalError):
    """No user has the requested ID."""

    status = 404


class WrongMethod(TerminalError):
    """The path exists, but requires another HTTP method."""

    status = 405


class TooLarge(TerminalError):
    """The body exceeds the configured size."""

    status = 413


class TooSlow(TerminalError):
    """The request did not arrive completely in time."""

    status = 408


class Refused(ProtocolError):
    """The terminal is not admitted now; it keeps its data and tries again."""

    status = 403


class TooManyRequests(ProtocolError):
    """The terminal exceeds the configured request rate."""

    status = 429


class Unavailable(ProtocolError):
    """The server cannot store data now; the terminal keeps its data and tries again."""

    status = 503


class ServerFailed(ProtocolError):
    """The server failed; the terminal keeps its data and tries again."""

    status = 500


class CommandError(ValueError):
    """A command must not be sent; the message names the parameter and the remedy."""
