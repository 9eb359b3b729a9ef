"""The API of attendance: the records as events."""

from __future__ import annotations

from collections.abc import Sequence

from ...manage.feed import RecordSource
from ...manage.recordviews import attendance_view
from ...model import Page
from ...persist.attendance import AttendanceStore
from ...persist.transaction import Transaction
from ...values.attendance import Punch


def _last_thd(tx: Transaction) -> int:
    return tx[AttendanceStore].last()


def _read_thd(tx: Transaction, part: Page) -> Sequence[Punch]:
    return tx[AttendanceStore].page(part, None, None, None, None)


def _view(record: Punch) -> object:
    return attendance_view(record, ())


RECORDS = RecordSource(_last_thd, _read_thd, _view)
