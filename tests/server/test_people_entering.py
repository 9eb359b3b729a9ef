"""What somebody may enter about a person, and what only a terminal may have said."""

from __future__ import annotations

from urllib.parse import quote

import pytest
import pytest_twisted

from ..rig import Rig


@pytest.mark.parametrize(
    ("pin", "body", "field"),
    [
        ("4" * 25, {}, "pin"),
        ("a b", {}, "pin"),
        ("a/b?c", {}, "pin"),
        ("\u0661", {}, "pin"),
        ("7", {"name": "n" * 65}, "name"),
        ("7", {"password": "1" * 17}, "password"),
        ("7", {"group": 999999}, "group"),
        ("7", {"group": 0}, "group"),
        ("7", {"card": "xyz"}, "card"),
        ("7", {"vice_card": "-1"}, "vice_card"),
        ("7", {"end_datetime": "tomorrow"}, "end_datetime"),
        (
            "7",
            {"start_datetime": "2026-12-31 00:00:00", "end_datetime": "2026-01-01 00:00:00"},
            "end_datetime",
        ),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_nobody_can_mean_is_refused_by_api_and_import(
    rig: Rig, pin: str, body: dict[str, object], field: str
) -> None:
    """Both name the field, and nothing is stored."""
    put = await rig.api("PUT", f"/users/{quote(pin, safe='')}", body)
    assert put.status == 400, put.raw
    assert put.json["detail"].startswith(f"{field}: ")
    cells = ["pin", *body], [pin, *map(str, body.values())]
    table = "\n".join(",".join(row) for row in cells)
    imported = await rig.api("POST", "/users/import", table.encode())
    assert imported.json["lines"][0]["detail"] == put.json["detail"]
    assert await rig.items("/users") == []


@pytest_twisted.ensureDeferred
async def test_odd_values_of_terminals_stay_and_can_be_edited_around(rig: Rig) -> None:
    """An ID and a group that nobody would enter stay, and other fields change beside them."""
    await rig.exchange("T1")
    sent = b"USER PIN=a b\tName=Ann\tPri=0\tGrp=999\n"
    await rig.post("cdata?SN=T1&table=OPERLOG&Stamp=1", sent)
    changed = await rig.api("PUT", "/users/a%20b", {"name": "Ann Ash", "group": 999})
    assert changed.status == 200, changed.raw
    assert (changed.json["name"], changed.json["group"]) == ("Ann Ash", 999)
