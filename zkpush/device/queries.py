"""QUERY commands (spec 12.1.3), whose records arrive as uploads around the answer.

A query ends with its answer if records have arrived by then. Otherwise it ends at the terminal's
next poll, because the terminal sends all records before it polls again. A query for which fewer
records have arrived than the terminal announced then ends as failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..model import Device
from ..persist.commands import CommandStore
from ..persist.transaction import Transaction
from ..protocol.records import Batch
from ..values.commands import QueuedCommand
from .functions import CommandFunctions, Matcher
from .life import LifeEvent, step_of


def count_arrived(
    tx: Transaction,
    device: Device,
    batches: Iterable[Batch],
    functions: CommandFunctions,
) -> None:
    """Count stored records for a terminal's queries.

    A record that two queries ask for counts for the older one.
    """
    matchers = functions.matchers
    queries = open_queries(tx, device.id, matchers)
    if not queries:
        return
    for batch in batches:
        table = batch.table
        for query in queries:
            matches = matchers[query.command].get(table.name)
            if matches is None:
                continue
            rows = [row for row in batch.rows if matches(table, row, query.params)]
            if rows:
                tx[CommandStore].arrived(query, len(rows))
                break


def open_queries(
    tx: Transaction, device_id: int, matchers: Mapping[str, Mapping[str, Matcher]]
) -> list[QueuedCommand]:
    """The sent, unfinished queries of a terminal."""
    return [query for query in tx[CommandStore].sent(device_id) if query.command in matchers]


def end_query(
    tx: Transaction, query: QueuedCommand, return_code: int | None, records: int, now: int
) -> QueuedCommand | None:
    """Finish an answered QUERY with the number of its records.

    A positive return code is the number of records that the terminal announced.
    """
    result = {"records": str(records)}
    is_short = return_code is not None and records < return_code
    if is_short:
        result["announced"] = str(return_code)
    step = step_of(LifeEvent.SHORT if is_short else LifeEvent.SUCCEEDED, query.state)
    if step is None:
        return None
    return tx[CommandStore].answer(query, step.state, step.reason, return_code, result, now)
