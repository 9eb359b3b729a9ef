"""What can be wrong with a request, and whose fault it was.

The class of an error says who has to act, and carries the HTTP status that tells the terminal so.
No message ever contains the two letters that terminals take for success (wire facts, section 2):
an upload counts as delivered if the reply *contains* them, so `refusal` takes them out of a text
that was not written here.
"""

from __future__ import annotations

_SUCCESS = "OK"


def refusal(message: str, encoding: str = "utf-8") -> bytes:
    """Encode the body of a refusal: one line of text, without the mark of success.

    Surrogates, which the message of an operating system error may hold, are sent as `?`. So is all
    that is not ASCII, where a character that ends in the byte of an O would meet a K (GB18030).
    """
    text = " ".join(message.split()).replace(_SUCCESS, "O.K")
    line = text.encode(encoding, "replace")
    if _SUCCESS.encode() in line:
        line = text.encode("ascii", "replace")
    return line + b"\n"


class ProtocolError(Exception):
    """A request that is not served; `status` is the HTTP status to answer with."""

    status = 400


class TerminalError(ProtocolError):
    """The terminal sent what the protocol does not allow; sending it again will not help."""

    status = 400


class UnknownPath(TerminalError):
    """There is nothing under the path that was asked for."""

    status = 404


class UnknownUser(TerminalError):
    """There is no user with the ID that was asked for."""

    status = 404


class WrongMethod(TerminalError):
    """The path is known, and takes another HTTP method."""

    status = 405


class TooLarge(TerminalError):
    """The body is larger than the server is configured to take."""

    status = 413


class TooSlow(TerminalError):
    """The request did not come whole in time."""

    status = 408


class Refused(ProtocolError):
    """The terminal is not admitted (now); it keeps its data and tries again."""

    status = 403


class TooManyRequests(ProtocolError):
    """The terminal asks more often than the server is configured to answer."""

    status = 429


class Unavailable(ProtocolError):
    """The server cannot store at the moment; the terminal keeps its data and tries again."""

    status = 503


class ServerFailed(ProtocolError):
    """The server has a fault; the terminal keeps its data and tries again."""

    status = 500


class CommandError(ValueError):
    """A command that must not be sent; the message names the parameter and what to do."""
