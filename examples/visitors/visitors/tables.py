"""The record type on the wire.

A line is `VISITOR PIN=7<HT>Host=12<HT>Company=…<HT>Arrived=2026-03-01 08:00:00`; it may stand among
the others of an OPERLOG body, or in an upload of its own, `table=VISITOR`.
"""

from __future__ import annotations

from zkpush.plugin.tables import Field, Kind, Layout, Table

VISITOR = Table(
    name="VISITOR",
    section="-",
    meaning="Visitors who were let in",
    layout=Layout.KEYED,
    keyword="VISITOR",
    key=("pin", "arrived"),
    fields=(
        Field(wire="PIN", name="pin", required=True, pattern="[0-9]{1,9}", meaning="Number"),
        Field(wire="Host", name="host", meaning="User ID of the person who is visited"),
        Field(wire="Company", name="company", meaning="Where the visitor is from"),
        Field(
            wire="Arrived",
            name="arrived",
            kind=Kind.TIME,
            required=True,
            meaning="The terminal's wall clock at the arrival",
        ),
    ),
    examples=(
        "VISITOR PIN=7\tHost=12\tCompany=Example Ltd.\tArrived=2026-03-01 08:00:00",
        "VISITOR PIN=8\tHost=12\tArrived=2026-03-01 08:05:00",
    ),
)

TABLES = (VISITOR,)
