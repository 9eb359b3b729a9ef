"""Pages of rejects."""

from __future__ import annotations

import re

import pytest_twisted

from zkpush.protocol.text import visible

from ..rig import Rig
from .browser import document, location, signed_in, text_of
from .test_attendance import rows
from .walk import english_left

SENT = "17\tno time of any <day>\t0\t1"


async def set_aside(rig: Rig) -> None:
    """Let a terminal send a punch that cannot be read."""
    await rig.exchange("T1")
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", f"{SENT}\n".encode())


@pytest_twisted.ensureDeferred
async def test_a_reject_is_listed_and_found_by_terminal_and_table(rig: Rig) -> None:
    """The list names terminal, table and reason; other terminals and tables have none."""
    await set_aside(rig)
    browser = await signed_in(rig, "read")
    for query in ("", "?device=T1", "?table=ATTLOG", "?device=T1&table=ATTLOG"):
        shown = text_of(await browser.get(f"/rejects{query}"))
        assert "ATTLOG" in shown
        assert "T1" in shown
        assert "<day>" not in shown
    for query in ("?device=T2", "?table=OPERLOG", "?before=1"):
        assert (
            'href="/console/rejects/1"' not in (await browser.get(f"/rejects{query}")).body.decode()
        )


@pytest_twisted.ensureDeferred
async def test_bytes_are_shown_as_the_api_shows_them(rig: Rig) -> None:
    """Bytes need the scope of secrets, and showing them is audited; others see no quote."""
    await set_aside(rig)
    reader = await signed_in(rig, "read", name="reader")
    assert "<day>" not in text_of(await reader.get("/rejects/1"))
    assert await actions(rig) == []
    seer = await signed_in(rig, "read", "biometrics", name="seer")
    shown = text_of(await seer.get("/rejects/1"))
    assert " ".join(visible(SENT, "\t").split()) in shown
    assert await actions(rig) == [("account seer", "reject 1")]
    assert (await seer.get("/rejects/2")).status == 404


@pytest_twisted.ensureDeferred
async def test_how_often_and_from_where_data_came_is_shown(rig: Rig) -> None:
    """Not for what came once; the address is there in any case."""
    await set_aside(rig)
    browser = await signed_in(rig, "read")
    shown = text_of(await browser.get("/rejects/1"))
    assert "Times sent" not in shown
    assert "Address 192.0.2.7" in shown
    await set_aside(rig)
    assert "Times sent 2 ·" in text_of(await browser.get("/rejects/1"))


async def actions(rig: Rig) -> list[tuple[str, str]]:
    """Who was shown bytes of what."""
    found = await rig.api("GET", "/audit?action=read+what+was+not+understood")
    return [(one["actor"], one["subject"]) for one in found.json["items"]]


@pytest_twisted.ensureDeferred
async def test_rejects_are_read_again(rig: Rig) -> None:
    """One button reads all again, one those of a table of a terminal; both tell the result."""
    await set_aside(rig)
    browser = await signed_in(rig, "read", "write")
    sent = await browser.send("/rejects", "/rejects/retry", {})
    assert location(sent) == "/rejects"
    assert "Still not understood: 1." in text_of(await browser.get("/rejects"))
    sent = await browser.send("/rejects/1", "/rejects/retry", {})
    assert location(sent) == "/rejects?device=T1&table=ATTLOG"
    found = await rig.api("GET", "/audit?action=retry+rejects")
    assert [one["subject"] for one in found.json["items"]] == ["all terminals", "terminal T1"]
    shown = text_of(await browser.get("/rejects/1"))
    assert "Read again without success 2" in shown
    assert (await browser.post("/rejects/retry", {"csrf": "x"})).status == 403


@pytest_twisted.ensureDeferred
async def test_a_reject_is_deleted_only_on_purpose(rig: Rig) -> None:
    """Without the tick nothing is deleted; with it, data and problem are gone."""
    await set_aside(rig)
    browser = await signed_in(rig)
    refused = await browser.send("/rejects/1", "/rejects/1/delete", {})
    assert refused.status == 422
    assert "Tick the box" in text_of(refused)
    sent = await browser.send("/rejects/1", "/rejects/1/delete", {"sure": "true"})
    assert location(sent) == "/rejects"
    assert (await browser.get("/rejects/1")).status == 404
    assert (await rig.api("GET", "/rejects")).json["items"] == []


@pytest_twisted.ensureDeferred
async def test_lines_of_punches_have_their_person_and_fault(rig: Rig) -> None:
    """Two different faults are two lines and two reasons, and no number; the bytes are below."""
    await rig.exchange("T1")
    await rig.api("PUT", "/users/104", {"name": "Dolores"})
    lines = b"104\t2026-11-26 25:61:00\t0\t15\n104\t2026-11-25\n9\t2026-11-25\t1\t1\n"
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", lines)
    browser = await signed_in(rig, "read", "write", "biometrics", "dangerous")
    listed = text_of(await browser.get("/rejects"))
    assert "'2026-11-26 25:61:00'" in listed
    assert "'2026-11-25'" in listed
    shown = await browser.get("/rejects/1")
    found = rows(shown)
    said = "Dolores 104 2026-11-26 25:61:00 Check in Face There is no such time: 25:61:00"
    assert found[0].startswith(said)
    date_only = "It has a date, but no time of day."
    assert found[1] == f"Dolores 104 2026-11-25 \u2013 \u2013 {date_only}"
    assert found[2].startswith("9 nobody here has this user ID 2026-11-25 Check out Only fingerpr")
    assert found[2].endswith(date_only)
    for day in ("2026-11-26", "2026-11-25"):
        path = f"/attendance/people/104/{day}"
        assert f'href="/console{path}"'.encode() in shown.body
        assert (await browser.get(path)).status == 200
    assert b"/attendance/people/9/" not in shown.body
    assert "This finishes all 3 lines at once: they are deleted here." in text_of(shown)
    assert "Done: what counts of all these lines is entered in payroll" in text_of(shown)
    assert "Delete these 3 lines" in text_of(shown)
    await browser.get("/?lang=en-XA")
    assert english_left(document(await browser.get("/rejects/1"))) == []
    reader = await signed_in(rig, "read", name="reader")
    assert "Dolores" not in text_of(await reader.get("/rejects/1"))


@pytest_twisted.ensureDeferred
async def test_each_kind_of_time_that_cannot_be_read_has_its_own_words(rig: Rig) -> None:
    """One that is missing, a day that is none, and what is in no form of a time."""
    await rig.exchange("T1")
    lines = b"1\t2026-02-30 08:00:00\t0\t1\n2\t\t0\t1\n3\tsoon\t0\t1\n"
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", lines)
    first, second, third = rows(await (await signed_in(rig)).get("/rejects/1"))
    assert "There is no such day: 2026-02-30" in first
    assert second.endswith("It has no time.")
    assert "'soon' is not a time of the form" in third


@pytest_twisted.ensureDeferred
async def test_words_of_the_protocol_are_under_a_fold(rig: Rig) -> None:
    """The request, its address and its size are there for technicians."""
    await set_aside(rig)
    shown = document(await (await signed_in(rig)).get("/rejects/1"))
    (fold,) = (one for one in shown.iter("details") if "For technicians" in "".join(one.itertext()))
    folded = "".join(fold.itertext())
    assert "POST /iclock/cdata" in folded
    whole = "".join("".join(one.itertext()) for one in shown.iter("main"))
    assert whole.count("POST /iclock/cdata") == 1


@pytest_twisted.ensureDeferred
async def test_lines_have_who_had_the_user_id_on_their_day(rig: Rig) -> None:
    """The day of an earlier holder is a link to it, as in days to check; an erased one has none."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"timezone": "UTC"})
    for pin in ("112", "7"):
        await rig.api("PUT", f"/users/{pin}", {"name": f"First {pin}"})
    await rig.api("DELETE", "/users/112")
    await rig.api("DELETE", "/users/7?erase=true")
    rig.clock.advance(48 * 3600)
    await rig.api("PUT", "/users/112", {"name": "Second 112"})
    lines = "112\t2026-03-01 25:00:00\n7\t2026-03-01 25:00:00\n112\t2026-03-03 25:00:00\n"
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", f"{lines}112\t9999-12-31 25:00".encode())
    shown = await (await signed_in(rig)).get("/rejects/1")
    first, erased, second, last = rows(shown)
    assert first.startswith("First 112 112 left 2026-03-01")
    assert erased.startswith("7 erased person 2026-03-01")
    assert second.startswith("Second 112 112 2026-03-03")
    assert last.startswith("Second 112 112 9999-12-31")
    assert re.findall(r"/attendance/people/112/2026[^\"]*", shown.body.decode()) == [
        "/attendance/people/112/2026-03-01?holder=1",
        "/attendance/people/112/2026-03-03",
    ]
