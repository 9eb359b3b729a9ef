"""Every coded value has its meaning beside it, in views, CSV, OpenAPI and events."""

from __future__ import annotations

import csv
import io
from typing import Any

import msgspec
import pytest
import pytest_twisted

from zkpush.handlers.attendance.claimed import ListedView
from zkpush.handlers.attendance.tables import ATTLOG
from zkpush.handlers.entries.api import entry_view
from zkpush.handlers.entries.model import Entry
from zkpush.handlers.entries.tables import TABLES as ENTRY_TABLES
from zkpush.handlers.logs.tables import ERRORLOG, IDCARD, OPLOG
from zkpush.handlers.people.records import BIODATA, BIOPHOTO, FACE, FP, FVEIN, USER, USERPIC
from zkpush.manage import lists
from zkpush.manage.cells import csv_items, csv_lines
from zkpush.protocol.fields import Table

from ..filled import fill
from ..rig import TOKEN, Rig
from .sse import Listening

RECORD_TABLES = (
    *(ATTLOG, OPLOG, ERRORLOG, IDCARD),
    *(USER, FP, FACE, FVEIN, BIODATA, USERPIC, BIOPHOTO),
)
VIEWS = {
    "AttendanceRecord": ATTLOG,
    "Operation": OPLOG,
    "ErrorRecord": ERRORLOG,
    "IdentityCard": IDCARD,
    "User": USER,
    "Template": BIODATA,
    "PersonPhoto": BIOPHOTO,
}
CSV = (f"Authorization: Bearer {TOKEN}", "Accept: text/csv")


def coded(table: Table) -> set[str]:
    """The names of the fields that have a code table."""
    return {field.name for field in table.fields if field.codes is not None}


def test_the_meaning_of_a_field_names_no_codes_without_a_code_table() -> None:
    """A field that is declared as `0 this, 1 that`, or by an appendix of codes, has a table."""
    for table in (*RECORD_TABLES, *ENTRY_TABLES):
        for field in table.fields:
            says = field.meaning
            if ("Appendix" in says and "object" not in says) or says[:2] in ("0 ", "1 "):
                assert field.codes is not None, (table.name, field.name)


WORDS = {
    "PersonPhoto": frozenset({"kind"}),
    "ProblemDetails": frozenset({"status", "type"}),
    "TraceView": frozenset({"status"}),
    "RejectView": frozenset({"origin"}),
    "DirectionCase": frozenset({"status", "verify"}),  # what an operator has chosen
    "ForwarderRequest": frozenset({"kind"}),
    "ForwarderView": frozenset({"kind"}),
    "NewForwarderView": frozenset({"kind"}),
}
"""Fields that have the name of a code, and are words."""


@pytest_twisted.ensureDeferred
async def test_every_view_has_the_words_of_its_coded_fields(rig: Rig) -> None:
    """In OpenAPI each coded field has `…_meaning` beside it, whatever schema it is in."""
    schemas = (await rig.api("GET", "/openapi.json")).json["components"]["schemas"]
    for name, table in VIEWS.items():
        shown = set(schemas[name]["properties"])
        assert coded(table)
        assert {f"{field}_meaning" for field in coded(table) & shown} <= shown, name
    names = {field for table in RECORD_TABLES for field in coded(table)} - {"code", "format"}
    names |= {"return_code", "language", "kind"}
    for name, schema in schemas.items():
        if name in (
            "HealthView",
            "PluginView",
            "DeviceChange",
            "ParameterView",
            "FileView",
            "SendRequest",
            "UserChange",
            "AccountChange",
            "AccountView",
            "NewAccountView",
        ):
            continue  # these are other things of the same names, or what callers send
        shown = set(schema.get("properties", ()))
        for field in names & shown - WORDS.get(name, frozenset()):
            assert f"{field}_meaning" in shown, (name, field)


@pytest_twisted.ensureDeferred
async def test_coded_values_are_in_words(rig: Rig) -> None:
    """What terminals sent in numbers is listed with its meaning."""
    await fill(rig)
    (first, second) = await rig.items("/attendance")
    assert (first["status_meaning"], first["verify_meaning"]) == ("Check in", "Only fingerprint")
    assert (second["status_meaning"], second["verify_meaning"]) == ("Check out", "Face")
    (menu, alarm) = await rig.items("/operations")
    assert (menu["code_meaning"], alarm["code_meaning"]) == ("Access menu", "Alarm")
    assert alarm["values"] == {"Alarm reason": "55"}
    assert alarm["values_meaning"] == {"Alarm reason": "Machine Been Broken"}
    (ann, bea) = await rig.items("/users")
    assert ann["privilege_meaning"] == "Super administrator"
    assert bea["verify_meaning"] == "As the group of the user"
    assert ann["templates_meaning"] == {"1": "Fingerprint"}
    (card, _) = await rig.items("/idcards")
    assert (card["gender_meaning"], card["nation_meaning"]) == ("Female", "Hui")
    (error, _) = await rig.items("/errors")
    assert error["origin_meaning"] == "Data that the server sent"
    (_, template) = await rig.items("/users/7/templates")
    assert template["type_meaning"] == "Fingerprint"
    assert template["format_meaning"] == "ZK"
    assert template["duress_meaning"] == "Under duress"
    device = (await rig.api("GET", "/devices/T1")).json
    assert device["language_meaning"] == "English"
    assert device["token_meaning"] == "required once the terminal has shown that it returns it"
    assert device["encryption_meaning"] == "as configured for all terminals"
    assert device["exchange_meaning"] == "made"


def test_the_status_of_a_verification_has_words_of_its_own() -> None:
    """Record type 1 has other codes of status and verification than attendance."""
    status, verify = ATTLOG.field("status"), ATTLOG.field("verify")
    assert status.words(1, {"record_type": 1}) == "Failure"
    assert status.words(1, {"record_type": 0}) == "Check out"
    assert verify.words(1, {"record_type": 1}) == "Face"
    assert verify.words(1, {"record_type": None}) == "Only fingerprint"


def test_entries_have_their_words_among_their_fields() -> None:
    """A coded field of an entry has its meaning beside it."""
    entry = Entry(id=1, device="T1", table="SMS", fields={"tag": 254, "number": "1"}, updated_at=0)
    assert entry_view(entry, ()).fields["tag_meaning"] == "For one user"


@pytest_twisted.ensureDeferred
async def test_verifications_are_events_only_for_those_who_ask(rig: Rig) -> None:
    """`attendance` has punches alone; `verification` has the others, with their words."""
    asked = {
        kinds: Listening(rig, f"?kinds={kinds}&last_event_id=0.0")
        for kinds in ("attendance", "verification", "attendance,verification")
    }
    default = Listening(rig, "?last_event_id=0.0")
    await rig.exchange("T1")
    lines = "".join(
        f"7\t2026-01-05 08:00:0{kind}\t1\t1\t0\t0\t0\t999999200001011239\t{kind}\n"
        for kind in (0, 1)
    )
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", lines.encode())
    both = asked["attendance,verification"]
    rig.clock.advance(2)
    for kinds, listening in asked.items():
        await listening.hear(kinds.count(",") + 1)
    told = {kinds: [kind for _, kind, _ in each.told] for kinds, each in asked.items()}
    assert told["attendance"] == ["attendance"]
    assert told["verification"] == ["verification"]
    assert told["attendance,verification"] == ["attendance", "verification"]
    assert "verification" not in default.kinds
    assert both.told[1][2]["status_meaning"] == "Failure"
    for each in (*asked.values(), default):
        each.hang_up()


ODD = (
    "7\t2026-01-05 08:00:00\t0\t1\n"
    "=1+1\t2026-03-29 02:30:00\t255\t15\ta,b\n"
    'x"y\t2026-07-05 23:59:59\t77\t200\t0\t-1\t@x\n'
    "8\t2031-01-01 00:00:00\t3\t1\t0\t0\t0\t1\t36.6\t97.9\t+28800\te30=\n"
    "9\t2026-01-05 08:00:00\t1\t1\t0\t0\t0\t999999200001011239\t1\n"
    "M\u00fcller \u674e\t1999-12-31 00:00:00\t0\t1\n"
)


MORE = "10\t2026-01-06 08:00:00\t0\t1\t0\t0\t0\tx\tx\tx\tx\tx\tmore\n"
"""A record with a column that the protocol does not declare."""


@pytest.mark.parametrize("zone", ["UTC", "Europe/Madrid", "Asia/Kathmandu", None])
@pytest.mark.parametrize(
    "extra", ["", "10\t2026-01-06 08:00:00\t0\t1\t0\t0\t0\tx\tx\tx\tx\tx\tmore\n"]
)
@pytest_twisted.ensureDeferred
async def test_csv_of_rows_is_csv_of_the_views(make_rig: Any, zone: str | None, extra: str) -> None:
    """The fast way to CSV writes what the views of the same records say, byte for byte."""
    rig: Rig = await make_rig(timezone=zone)
    await rig.exchange("T1")
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", (ODD + extra).encode())
    names = ListedView.__struct_fields__
    found = await rig.api("GET", "/attendance?record_type=all", headers=CSV)
    items = await rig.items("/attendance?record_type=all")
    assert len(items) >= 6
    views = [msgspec.convert(item, ListedView) for item in items]
    assert found.body == csv_lines([names]) + csv_items(names, views)
    assert len(items) <= lists.SLICE
    rows = list(csv.DictReader(io.StringIO(found.body.decode(), newline="")))
    assert (
        rows[0]["local_time"]
        == {
            "UTC": "2026-01-05T08:00:00+00:00",
            "Europe/Madrid": "2026-01-05T08:00:00+01:00",
            "Asia/Kathmandu": "2026-01-05T08:00:00+05:45",
            None: "",
        }[zone]
    )
