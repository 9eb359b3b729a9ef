"""Stored records: structs that follow the tables which declare their fields."""

from __future__ import annotations

import msgspec
import pytest

from zkpush.handlers.attendance.model import STORED_PUNCH
from zkpush.handlers.logs.model import STORED_ERROR, STORED_ID_CARD, STORED_OPERATION
from zkpush.handlers.people.model import STORED_PERSON, STORED_PERSON_PHOTO, STORED_TEMPLATE
from zkpush.protocol.fields import Field, Kind, Layout, Table
from zkpush.stored import TerminalRecord, stored_type

VISITOR = Table(
    name="VISITOR",
    section="-",
    meaning="Visitors",
    layout=Layout.KEYED,
    fields=(
        Field(wire="PIN", name="pin", required=True, meaning="Number"),
        Field(wire="Floor", name="floor", kind=Kind.INTEGER, meaning="Floor"),
        Field(wire="Sum", name="sum", stored=False, meaning="Checksum"),
    ),
)


class Visitor(TerminalRecord, frozen=True, kw_only=True):
    """A visitor."""

    pin: str


def test_a_struct_gets_the_fields_of_its_table() -> None:
    """Those that the code names keep their types; the others are optional, and all are frozen."""
    kind = stored_type(Visitor, VISITOR)
    visitor = kind(id=1, device="T1", received_at=5, pin="7")
    assert isinstance(visitor, Visitor)
    assert msgspec.structs.asdict(visitor) == {
        "id": 1,
        "device": "T1",
        "received_at": 5,
        "pin": "7",
        "floor": None,
        "extra": None,
        "damaged": (),
    }
    with pytest.raises(AttributeError):
        visitor.pin = "8"  # type: ignore[misc]


def test_a_field_of_another_type_than_its_table_declares_is_refused() -> None:
    """So a field that is written twice cannot say two things."""

    class Wrong(TerminalRecord, frozen=True, kw_only=True):
        floor: str

    with pytest.raises(TypeError, match=r"Wrong\.floor is not as VISITOR declares it"):
        stored_type(Wrong, VISITOR)


@pytest.mark.parametrize(
    "kind",
    [
        STORED_PUNCH,
        STORED_OPERATION,
        STORED_ERROR,
        STORED_ID_CARD,
        STORED_PERSON,
        STORED_TEMPLATE,
        STORED_PERSON_PHOTO,
    ],
)
def test_stored_values_are_frozen(kind: type[msgspec.Struct]) -> None:
    """A reader cannot change what other readers see."""
    assert kind.__struct_config__.frozen
