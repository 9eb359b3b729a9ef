"""Whose rejects are: what decides whether limited callers may reach them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ...manage.limits import Belongs, Owner, id_of, of_device
from ...persist.rejects import RejectStore
from ...persist.transaction import Transaction

NO_REJECT = "There is no upload {id} that was not understood. One that was read again is gone."


def _owner_thd(tx: Transaction, names: Mapping[str, Any]) -> Collection[Owner]:
    found = tx[RejectStore].get(int(id_of(names)))
    return () if found is None else (of_device(found),)


REJECT = Belongs(_owner_thd, NO_REJECT)
"""The reject that the variable `id` names."""
