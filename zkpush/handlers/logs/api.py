"""API of logs: `GET operations`, `errors` and `idcards`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta

from ...manage.recordlists import RecordList
from ...manage.recordviews import OWN, TIMED, record_view
from ...manage.routes import Route
from ...manage.services import Services
from ...protocol.codes import ErrorCode, Operation
from .model import ErrorRecord, OperationRecord
from .store import ErrorStore, IdCardStore, OperationStore
from .tables import ERRORLOG, IDCARD, OPLOG

_VALUES = Annotated[
    dict[str, str], Meta(description="Operation objects by what they are, spec Appendix 4")
]
OperationView = record_view(
    "Operation",
    OPLOG,
    *TIMED,
    ("meaning", Annotated[str, Meta(description="The code in words, spec Appendix 3")]),
    ("values", _VALUES),
    ("values_meaning", Annotated[dict[str, str], Meta(description="Coded ones of them in words")]),
    without=[f"value_{number}" for number in range(1, 5)],
)
ErrorView = record_view(
    "ErrorRecord",
    ERRORLOG,
    *OWN,
    ("meaning", Annotated[str, Meta(description="The code in words, spec Appendix 9")]),
    ("words", Annotated[dict[str, str], Meta(description="Each part of the code in words")]),
)
IdCardView = record_view("IdentityCard", IDCARD, *OWN)


def _of_operation(record: OperationRecord) -> Mapping[str, object]:
    operation = Operation(record.code)
    objects = [
        value or "" for value in (record.value_1, record.value_2, record.value_3, record.value_4)
    ]
    return {
        "meaning": operation.meaning,
        "values": operation.named(objects),
        "values_meaning": operation.words(objects),
    }


def _of_error(record: ErrorRecord) -> Mapping[str, object]:
    code = ErrorCode(record.code)
    return {"meaning": code.meaning, "words": code.words}


LISTS = (
    RecordList(
        "/operations",
        "What was done on terminals",
        OperationStore,
        OperationView,
        "unknown columns of operations",
        _of_operation,
    ),
    RecordList(
        "/errors",
        "Errors that terminals report",
        ErrorStore,
        ErrorView,
        "unknown columns of errors",
        _of_error,
    ),
    RecordList(
        "/idcards",
        "Identity cards that terminals read",
        IdCardStore,
        IdCardView,
        "identity cards",
    ),
)


def routes(services: Services) -> list[Route]:
    """Return the routes of logs."""
    return [one.route(services) for one in LISTS]
