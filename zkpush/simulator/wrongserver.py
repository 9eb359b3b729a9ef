"""Servers that cannot be a port for terminals, by their first reply or the failure of TLS.

A real terminal goes on asking such a server; for a person at a command line, the URL is wrong.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from .errors import WrongServer

if TYPE_CHECKING:
    from twisted.web.iweb import IAgent

_PROBLEM = "application/problem+json"
"""Content type of errors of the API."""
_OF_TERMINALS = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)
"""Refusals that a port for terminals sends, too."""
_NO_TLS = ("wrong version number", "record layer failure", "packet length too long")
"""Errors of OpenSSL at a port that speaks HTTP."""
_NOT_TRUSTED = "certificate verify failed"
_OTHER_NAME = "Mismatch("
"""Part of the error for a certificate of another name."""
_HTTPS_NEEDED = b"HTTPS port"
"""Part of nginx's reply to HTTP at a port that speaks TLS."""
_MOST_QUOTED = 120


def check_reply(server: str, status: int, content_type: str, content: bytes) -> None:
    """Raise `WrongServer` if a first reply does not come from a port for terminals."""
    if content_type.startswith(_PROBLEM):
        raise WrongServer(
            f"{server} is the API of a zkpush daemon, and not its port for terminals. It says: "
            f"{_detail(content)}"
        )
    if status == HTTPStatus.BAD_REQUEST and _HTTPS_NEEDED in content:
        raise needs_tls(server)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.INTERNAL_SERVER_ERROR and (
        status not in _OF_TERMINALS
    ):
        raise WrongServer(
            f"No port for terminals answers at {server}: {status} {_quoted(content)} --server is "
            "the scheme, the address and the port, such as http://127.0.0.1:8081."
        )


def check_tls(server: str, why: str) -> None:
    """Raise `WrongServer` if TLS failed because of the server or its certificate.

    `why` is the text of the error.
    """
    if any(words in why for words in _NO_TLS):
        raise WrongServer(
            f"{server} speaks HTTP without TLS: use http://{server.removeprefix('https://')}."
        )
    if _OTHER_NAME in why:
        raise WrongServer(
            f"The certificate of {server} is for another name: give --server with the name in the "
            "certificate."
        )
    if _NOT_TRUSTED in why:
        raise WrongServer(
            f"The certificate of {server} is not trusted: give the CA that signed it, or the "
            "certificate itself if it is self-signed, as `zkpush --ca FILE simulate …`."
        )


def needs_tls(server: str) -> WrongServer:
    """Return the error for HTTP at a port that speaks TLS."""
    return WrongServer(
        f"{server} speaks TLS (HTTPS): use https://{server.removeprefix('http://')}."
    )


async def speaks_tls(agent: IAgent, server: str) -> bool:
    """Whether a server that does not answer HTTP speaks TLS."""
    url = f"https://{server.removeprefix('http://')}"
    try:
        await agent.request(b"HEAD", url.encode("ascii", "replace"))
    except Exception as error:
        from twisted.web.client import ResponseFailed

        reasons = error.reasons if isinstance(error, ResponseFailed) else []
        why = "; ".join(str(reason.value) for reason in reasons)
        return _NOT_TRUSTED in why or _OTHER_NAME in why
    return True


def _detail(content: bytes) -> str:
    try:
        return str(json.loads(content)["detail"])
    except (ValueError, LookupError, TypeError):
        return _quoted(content)


def _quoted(content: bytes) -> str:
    line = content.decode("utf-8", "replace").strip().partition("\n")[0]
    text = line if len(line) <= _MOST_QUOTED else f"{line[:_MOST_QUOTED]}…"
    return f"{text!r}." if text.isprintable() and text else "an empty reply."
