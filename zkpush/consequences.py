"""Problems that follow from another problem of the same terminal.

A cause says of which problems it is a consequence. A problem *follows* from another one if that is
true of each of its causes: then only the other one needs somebody, and this one refers to it.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping

from . import causes
from .model import Device
from .phrases import A_SOCKET_FILE, Phrase
from .problems import ProblemCode, advice_phrase

_EXPLAINED_BY: Mapping[causes.Cause, ProblemCode] = {
    causes.ACCESS_CONTROL_PATH: ProblemCode.ACCESS_CONTROL,
    causes.ACCESS_CONTROL_TABLE: ProblemCode.ACCESS_CONTROL,
    causes.ACCESS_CONTROL_REQUEST: ProblemCode.ACCESS_CONTROL,
    causes.NOT_SERVED: ProblemCode.UNKNOWN_REQUESTS,
    causes.OF_UNKNOWN_TABLE: ProblemCode.UNKNOWN_REQUESTS,
    causes.FOREIGN_TOKEN: ProblemCode.TOKEN_MISSING,
    causes.FOREIGN_COOKIE: ProblemCode.TOKEN_MISSING,
}
_OVER = frozenset({causes.ACCESS_CONTROL_PATH, causes.ACCESS_CONTROL_TABLE})
"""Causes of which only traces are left once no problem explains them."""
_NAMES: Mapping[str, Phrase] = {
    ProblemCode.ACCESS_CONTROL: Phrase("the access-control mode"),
    ProblemCode.UNKNOWN_REQUESTS: Phrase("its requests"),
    ProblemCode.REJECTS: Phrase("its uploads that were not understood"),
    ProblemCode.TOKEN_MISSING: Phrase("the secret that it does not return, the token"),
    ProblemCode.TLS_ON_PLAIN: Phrase("HTTPS on a plain port"),
    ProblemCode.OTHER_ADDRESS: Phrase("the address that it came from"),
    ProblemCode.KEY_CHANGED: Phrase("its pushcommkey"),
    ProblemCode.NO_TOKEN: Phrase("the secret that it cannot return, the token"),
    ProblemCode.CANNOT_ENCRYPT: Phrase("the encryption that it lacks"),
}
"""What problems are called where a consequence refers to them."""


def values_of(device: Device, code: str, reject: int | None = None) -> Mapping[str, object]:
    """Return what advice on a problem says of a terminal.

    `reject` is the ID of its newest reject, for the problem of rejects.
    """
    found = next((one for one in device.problems if one.code == code), None)
    values: dict[str, object] = {}
    if code == ProblemCode.REJECTS and reject is not None:
        values["reject"] = reject
    if found is None:
        return values
    since = datetime.datetime.fromtimestamp(found.since_at // 1000, datetime.UTC)
    values["since"] = f"{since:%Y-%m-%dT%H:%M:%SZ}"
    addresses = [one for one in _addresses(found.detail) if one != A_SOCKET_FILE]
    if addresses:
        values["address"] = addresses[-1]
        values["networks"] = ",".join(dict.fromkeys([*device.networks, *addresses[-1:]]))
    return values


def _addresses(detail: object) -> Iterator[str]:
    """Iterate over the addresses that a detail names, the newest last."""
    if isinstance(detail, Phrase):
        for name, value in detail.values.items():
            if name == "address":
                yield str(value)
            else:
                yield from _addresses(value)


def followed(code: str, details: Mapping[str, str]) -> str | None:
    """Return the code of the problem from which another one follows; None if it stands alone.

    `details` are those of the problems of one terminal, by code.
    """
    explaining = [_EXPLAINED_BY.get(one) for one in causes.causes_in(details.get(code))]
    if not explaining or not all(one in details and one != code for one in explaining):
        return None
    first = str(explaining[0])
    return followed(first, details) or first


def is_over(detail: str) -> bool:
    """Whether each cause that a detail names is over."""
    found = causes.causes_in(detail)
    return bool(found) and _OVER.issuperset(found)


def follows_from(code: str) -> Phrase:
    """Return the clause that refers from a consequence to the problem with this code."""
    return Phrase("It follows from %(cause)s: see to that first.", cause=_NAMES.get(code, code))


def advice_among(
    code: str, device: Device, details: Mapping[str, str], reject: int | None = None
) -> Phrase:
    """Return the advice on one of the problems of a terminal; `details` are those of all.

    `reject` is the ID of its newest reject, if known.
    """
    cause = followed(code, details)
    if cause is not None:
        return follows_from(cause)
    explained = {one for one, by in _EXPLAINED_BY.items() if by in details and by != code}
    values = values_of(device, code, reject)
    return advice_phrase(code, device.sn, details[code], explained, values)
