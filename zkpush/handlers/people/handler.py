"""People: users (11.5), their templates (11.9 to 11.12) and photos (11.13, 11.15)."""

from __future__ import annotations

import attrs
from zope.interface import implementer

from ...device.functions import CommandFunctions, Params
from ...interfaces import IRecordHandler
from ...model import Device
from ...persist.transaction import Transaction
from ...protocol.codes import BiometricType
from ...protocol.fields import Row, Table
from ...protocol.hybrid import negotiate_types
from ...protocol.records import Batch, value_of
from .effects import EFFECTS
from .packages import completed, counted, make
from .persons import PersonStore
from .statements import photos_of, templates_of, users_of
from .stating import StatedParts
from .tables import BIODATA, BIOPHOTO, FP, TEMPLATE_TABLES, USER, USERPIC
from .wording import INTENTS


@implementer(IRecordHandler)
@attrs.frozen
class PeopleHandler:
    """Stores the newest of each user, template and photo, from any terminal."""

    name = "people"
    tables = (USER, *TEMPLATE_TABLES, USERPIC, BIOPHOTO)
    changes_device = False

    def persist(self, tx: Transaction, device: Device, batch: Batch, now: int) -> None:
        """Write the rows of one upload."""
        table = batch.table
        if table is USER:
            said = users_of(batch.rows)
            heard = tx[PersonStore].keep(device.id, said, now)
            pins = [*dict.fromkeys(str(one.key[0]) for one in said)]
            tx[StatedParts].identify(device.id, pins, heard.adopted, now)
        elif table in (USERPIC, BIOPHOTO):
            tx[StatedParts].keep_photos(device.id, photos_of(table, batch.rows), now)
        else:
            hybrid = negotiate_types(device.options, device.attributes)
            templates = templates_of(table, batch.rows, hybrid)
            tx[StatedParts].keep_templates(device.id, templates, now)

    def stored(self, device: Device, batch: Batch) -> None:
        """Do nothing: the data is visible with the person."""


def _of_user(table: Table, row: Row, params: Params) -> bool:
    return params.get("PIN") in (None, value_of(table, row, "pin"))


def _of_finger(table: Table, row: Row, params: Params) -> bool:
    finger = params.get("FingerID")
    if table is BIODATA and value_of(table, row, "type") != BiometricType.FINGERPRINT:
        return False
    return _of_user(table, row, params) and finger in (None, str(value_of(table, row, "number")))


def _of_type(table: Table, row: Row, params: Params) -> bool:
    number = params.get("No")
    return (
        str(value_of(table, row, "type")) == params["Type"]
        and _of_user(table, row, params)
        and number in (None, str(value_of(table, row, "number")))
    )


FUNCTIONS = CommandFunctions(
    prepares={"PutFile": completed},
    effects=EFFECTS,
    makers={"PutFile": make},
    counters={"PutFile": counted},
    matchers={
        "DATA QUERY USERINFO": {USER.name: _of_user},
        "DATA QUERY FINGERTMP": {FP.name: _of_finger, BIODATA.name: _of_finger},
        "DATA QUERY BIODATA": {BIODATA.name: _of_type},
    },
)

EVENTS = {"user": "A user, template or photo was stored"}

HANDLERS = (PeopleHandler(),)

__all__ = ["FUNCTIONS", "HANDLERS", "INTENTS"]
