"""The tables and commands of the family, as data."""

from __future__ import annotations

from zkpush.plugin.tables import Command, Field, Kind, Layout, Scope, Table, Writing

FAMILY = "gates"
RTLOG = Table(
    name="rtlog",
    family=FAMILY,
    section="events",
    meaning="Events at the door",
    layout=Layout.KEYED,
    holds_templates=False,
    key=("time", "pin", "index"),
    fields=(
        Field(wire="time", name="time", kind=Kind.TIME, required=True, meaning="Wall clock"),
        Field(wire="pin", name="pin", required=True, meaning="User ID; 0 for the door itself"),
        Field(wire="cardno", name="card", secret=Scope.BIOMETRICS, meaning="Card number"),
        Field(wire="eventaddr", name="door", kind=Kind.INTEGER, meaning="Door"),
        Field(wire="event", name="event", kind=Kind.INTEGER, required=True, meaning="What it is"),
        Field(wire="inoutstatus", name="status", kind=Kind.INTEGER, meaning="0 in, 1 out"),
        Field(wire="verifytype", name="verify", kind=Kind.INTEGER, meaning="How it was verified"),
        Field(wire="index", name="index", kind=Kind.INTEGER, meaning="Number of the event"),
    ),
    examples=(
        "time=2026-01-05 08:00:00\tpin=7\tcardno=0\teventaddr=1\tevent=0\tinoutstatus=0\t"
        "verifytype=1\tindex=21",
    ),
)
USER = Table(
    name="user",
    family=FAMILY,
    section="tables",
    meaning="Users",
    layout=Layout.KEYED,
    keyword="user",
    holds_templates=False,
    key=("pin",),
    fields=(
        Field(wire="uid", name="uid", kind=Kind.INTEGER, meaning="Number of the row"),
        Field(wire="cardno", name="card", secret=Scope.BIOMETRICS, meaning="Card number"),
        Field(wire="pin", name="pin", required=True, meaning="User ID"),
        Field(wire="password", name="password", secret=Scope.BIOMETRICS, meaning="Password"),
        Field(wire="group", name="group", kind=Kind.INTEGER, meaning="Group"),
        Field(wire="name", name="name", meaning="Name"),
        Field(wire="privilege", name="privilege", kind=Kind.INTEGER, meaning="14 for an admin"),
    ),
    examples=("user uid=1\tcardno=123\tpin=7\tpassword=\tgroup=1\tname=Ann\tprivilege=0",),
)
TABLES = (RTLOG, USER)

UPDATE_USER = Command(
    name="DATA UPDATE user",
    family=FAMILY,
    section="commands",
    meaning="Add or change a user",
    reply="DATA UPDATE",
    parameters=(
        Field(wire="CardNo", name="card", secret=Scope.BIOMETRICS, meaning="Card number"),
        Field(wire="Pin", name="pin", required=True, meaning="User ID"),
        Field(wire="Name", name="name", meaning="Name"),
        Field(wire="Privilege", name="privilege", kind=Kind.INTEGER, meaning="14 for an admin"),
    ),
    key=("Pin",),
)
CONTROL = Command(
    name="CONTROL DEVICE",
    family=FAMILY,
    section="commands",
    meaning="Open a door, or restart the terminal",
    reply="CONTROL DEVICE",
    writing=Writing.VALUES,
    bare=("code",),
    parameters=(
        Field(
            wire="code",
            name="code",
            required=True,
            pattern="[0-9A-F]{8}",
            meaning="What to do, in hexadecimal digits",
        ),
    ),
    scope=Scope.DANGEROUS,
    is_repeatable=False,
)
COMMANDS = (UPDATE_USER, CONTROL)
