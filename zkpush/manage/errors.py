"""Errors of the API, as `application/problem+json` (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import datetimeToString

from ..interfaces import StoreError
from ..phrases import Phrase, counted_phrase, words_of
from ..protocol.errors import ProtocolError

CONTENT_TYPE = "application/problem+json"
SAFE_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
"""Headers of every response."""
_log = Logger()


class ProblemDetails(msgspec.Struct, frozen=True):
    """The body of an error."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"


class ApiError(Exception):
    """An error that is sent to the client unchanged; `detail` says what to do."""

    content_type = CONTENT_TYPE
    """Content type of the body."""

    def __init__(
        self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}

    def body(self) -> bytes:
        """The body, as JSON."""
        return msgspec.json.encode(
            ProblemDetails(self.status.phrase, self.status.value, str(self.detail))
        )


class NotConfirmed(ApiError):
    """The effect of a request needs a confirmation that names its number."""

    def __init__(self, effect: str, number: int) -> None:
        super().__init__(
            HTTPStatus.CONFLICT,
            Phrase(
                "%(effect)s, and nothing was changed. If that is meant, repeat the request with "
                "confirm=%(number)s.",
                effect=effect,
                number=number,
            ),
        )
        self.effect = effect
        self.number = number


def explain(error: Exception) -> ApiError:
    """Translate an exception into an answer; exceptions that no client caused are logged."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, StoreError):
        _log.error("A request was not served: {error}", error=str(error))
        return ApiError(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
    _log.failure("A request was not served", Failure(error))
    return ApiError(
        HTTPStatus.INTERNAL_SERVER_ERROR, Phrase("The server failed; its log says why.")
    )


def refused(error: Exception, status: HTTPStatus) -> ApiError:
    """Translate an error of a page into an answer.

    One without declared words may be a defect of the page, and not of the request: it is logged.
    """
    words = words_of(error)
    if not isinstance(words, Phrase) and not isinstance(error, ProtocolError):
        _log.failure("A page was not shown", Failure(error))
    return ApiError(status, words)


def refusal(error: ApiError, now: float, *, without_body: bool = False) -> bytes:
    """Write a complete HTTP response to a request that is not read; the connection then closes."""
    body = error.body()
    lines = [
        f"HTTP/1.1 {error.status.value} {error.status.phrase}",
        f"Date: {datetimeToString(now).decode()}",
        *(f"{name}: {value}" for name, value in {**SAFE_HEADERS, **headers_of(error)}.items()),
        f"Content-Type: {error.content_type}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    head = "".join(f"{line}\r\n" for line in lines) + "\r\n"
    return head.encode() + (b"" if without_body else body)


def headers_of(error: ApiError) -> Mapping[str, str]:
    """Headers that belong to the status of an error."""
    if error.status is HTTPStatus.UNAUTHORIZED:
        return {**error.headers, "WWW-Authenticate": "Bearer"}
    return error.headers


def not_found(detail: str) -> ApiError:
    """Make a 404 error."""
    return ApiError(HTTPStatus.NOT_FOUND, detail)


def bad_request(detail: str) -> ApiError:
    """Make a 400 error."""
    return ApiError(HTTPStatus.BAD_REQUEST, detail)


def too_large(most: int) -> ApiError:
    """Make a 413 error; `most` is the maximum number of bytes."""
    return ApiError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        counted_phrase(
            "This path takes a body of at most %(num)s byte.",
            "This path takes a body of at most %(num)s bytes.",
            most,
        ),
    )
