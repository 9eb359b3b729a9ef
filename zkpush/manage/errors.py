"""Errors of the API, as `application/problem+json` (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus

import msgspec


class ProblemDetails(msgspec.Struct, frozen=True):
    """The body of an error."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"


class ApiError(Exception):
    """An error that is answered as it is; `detail` says what to do."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail

    def body(self) -> bytes:
        """The problem, as JSON."""
        return msgspec.json.encode(
            ProblemDetails(self.status.phrase, self.status.value, self.detail)
        )


def not_found(detail: str) -> ApiError:
    """There is no such thing."""
    return ApiError(HTTPStatus.NOT_FOUND, detail)


def bad_request(detail: str) -> ApiError:
    """The request is not right."""
    return ApiError(HTTPStatus.BAD_REQUEST, detail)
