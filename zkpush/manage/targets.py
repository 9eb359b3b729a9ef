"""The terminals of a request for many terminals: by serial number, by area, or all."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ..counting import counted
from ..model import Caller
from ..persist.areas import check_areas_thd
from ..persist.targets import NamedTerminal, TargetStore
from ..persist.transaction import Transaction
from ..phrases import Phrase
from .limits import check_areas

MOST_TERMINALS = 10_000
"""Maximum number of terminals that a request names."""
_SHOWN = 10


class TargetRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request that names terminals in exactly one of three ways."""

    devices: Annotated[
        Annotated[list[str], Meta(min_length=1, max_length=MOST_TERMINALS)] | None,
        Meta(description="Serial numbers of terminals; or `area`, or `all`"),
    ] = None
    area: Annotated[str | None, Meta(description="All approved terminals of this area")] = None
    all: Annotated[bool, Meta(description="All approved terminals")] = False


def targets_thd(tx: Transaction, request: TargetRequest, caller: Caller) -> list[NamedTerminal]:
    """Find the terminals of a request, each once; `all` of a limited caller are those of its areas.

    Raises `ValueError` if it names them in no way or in two, or if a terminal is unknown.
    """
    ways = (request.devices is not None, request.area is not None, request.all)
    if sum(ways) != 1:
        raise ValueError(Phrase("devices: give either `devices`, or `area`, or `all`."))
    if request.devices is None:
        if request.area is not None:
            check_areas(caller, [request.area], "area")
        found = tx[TargetStore].approved(request.area, caller.areas)
        if not found:
            if request.area is not None and caller.areas is None:
                check_areas_thd(tx, [request.area], name="area")
            where = "" if request.area is None else f" in the area {request.area[:80]!r}"
            raise ValueError(Phrase("area: there is no approved terminal%(where)s.", where=where))
        return found
    serials = [*dict.fromkeys(request.devices)]
    known = tx[TargetStore].named(serials, caller.areas)
    strange = [sn for sn in serials if sn not in known]
    if strange:
        named = ", ".join(repr(sn[:40]) for sn in strange[:_SHOWN])
        more = f" and {len(strange) - _SHOWN} more" if len(strange) > _SHOWN else ""
        raise ValueError(
            Phrase("devices: There is no terminal %(named)s%(more)s.", named=named, more=more)
        )
    return [known[sn] for sn in serials]


def targets_words(request: TargetRequest, number: int) -> str:
    """Describe the terminals of a request, for the audit log."""
    words = counted(number, "terminal")
    if request.devices is not None:
        more = " …" if len(request.devices) > 2 * _SHOWN else ""
        return f"{words}: {', '.join(request.devices[: 2 * _SHOWN])}{more}"
    return words if request.area is None else f"{words} of the area {request.area[:80]}"
