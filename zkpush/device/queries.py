"""QUERY (12.1.3): the records that it asks for come as uploads, before its answer or after it.

It ends with its answer if records have come by then, else at the terminal's next poll: what it had
to send was sent before it asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ..model import CommandState, QueuedCommand
from ..persist.transaction import Transaction
from ..protocol.codes import BiometricType
from ..protocol.fields import Table
from ..protocol.photos import Photo, parse_name
from ..protocol.records import Batch, Row
from ..protocol.tables import ATTLOG, ATTPHOTO, BIODATA, FP, USER

QUERY = "DATA QUERY "


def is_query(command: str) -> bool:
    """Whether a command asks for records."""
    return command.startswith(QUERY)


def count_arrived(tx: Transaction, device_id: int, batches: Iterable[Batch]) -> None:
    """Count what arrives for the queries of a terminal; of two for the same, for the older one."""
    queries = [query for query in tx.commands.sent(device_id) if is_query(query.command)]
    if not queries:
        return
    for batch in batches:
        for query in queries:
            matches = _MATCHERS.get((query.command, batch.table.name))
            records = 0 if matches is None else _count(batch, query.params, matches)
            if records:
                tx.commands.arrived(query, records)
                break


def end_query(
    tx: Transaction, device_id: int, query: QueuedCommand, records: int, now: int
) -> QueuedCommand | None:
    """End a query that is answered, with how many of its records have arrived."""
    result = {"records": str(records)}
    return tx.commands.finish(
        device_id, query.id, CommandState.DONE, query.return_code, result, now
    )


Matcher = Callable[[Table, Row, Mapping[str, str]], bool]


def _count(batch: Batch, params: Mapping[str, str], matches: Matcher) -> int:
    return sum(matches(batch.table, row, params) for row in batch.rows)


def _value(table: Table, row: Row, name: str) -> object:
    return row[table.names.index(name)]


def _in_period(table: Table, row: Row, params: Mapping[str, str]) -> bool:
    if table is ATTPHOTO:
        photo = row[0]
        time = parse_name(photo.name).time if isinstance(photo, Photo) else None
    else:
        time = str(_value(table, row, "time"))
    return time is not None and params["StartTime"] <= time <= params["EndTime"]


def _of_user(table: Table, row: Row, params: Mapping[str, str]) -> bool:
    return params.get("PIN") in (None, _value(table, row, "pin"))


def _of_finger(table: Table, row: Row, params: Mapping[str, str]) -> bool:
    finger = params.get("FingerID")
    if table is BIODATA and _value(table, row, "type") != BiometricType.FINGERPRINT:
        return False
    return _of_user(table, row, params) and finger in (None, str(_value(table, row, "number")))


def _of_type(table: Table, row: Row, params: Mapping[str, str]) -> bool:
    number = params.get("No")
    return (
        str(_value(table, row, "type")) == params["Type"]
        and _of_user(table, row, params)
        and number in (None, str(_value(table, row, "number")))
    )


_MATCHERS: Mapping[tuple[str, str], Matcher] = {
    (f"{QUERY}ATTLOG", ATTLOG.name): _in_period,
    (f"{QUERY}ATTPHOTO", ATTPHOTO.name): _in_period,
    (f"{QUERY}USERINFO", USER.name): _of_user,
    (f"{QUERY}FINGERTMP", FP.name): _of_finger,
    (f"{QUERY}FINGERTMP", BIODATA.name): _of_finger,
    (f"{QUERY}BIODATA", BIODATA.name): _of_type,
}
"""What a row has to be for each query, by the table it comes in."""
