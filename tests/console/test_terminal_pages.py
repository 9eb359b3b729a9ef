"""The pages of one terminal: requests, people, completeness, settings, actions and its end."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.handlers.terminals.entering import server_entries
from zkpush.handlers.trace.pages import REQUESTS
from zkpush.resources.attendance.family import AttendancePush
from zkpush.testing.wire import everything

from ..rig import Rig
from ..server.test_unknown_requests import HELLO
from ..server.test_zones import punch
from .browser import document, forms_of, location, signed_in, text_of
from .test_attendance import line, person, rows
from .test_attendance import punch as punches
from .test_people import operate
from .walk import console_of


@pytest_twisted.ensureDeferred
async def test_the_last_requests_are_listed_with_their_answers(rig: Rig) -> None:
    """The newest request is on top, with its meaning and the answer."""
    await rig.exchange("T1")
    await rig.get("getrequest?SN=T1")
    browser = await signed_in(rig, "read")
    first, *_ = rows(await browser.get("/terminals/T1/requests"))
    assert "GET /iclock/getrequest" in first
    assert "OK" in first
    await rig.api("PATCH", "/devices/T1", {"state": "blocked"})
    await rig.get("getrequest?SN=T1")
    first, *_ = rows(await browser.get("/terminals/T1/requests"))
    assert "refused" in first
    assert (await browser.get("/terminals/T2/requests")).status == 404


@pytest_twisted.ensureDeferred
async def test_the_meaning_of_a_request_is_translated(rig: Rig) -> None:
    """Every request that terminals send has a phrase; a path that is not served is unknown."""
    assert {one.meaning for one in AttendancePush.routes if one.meaning} <= REQUESTS.keys()
    await rig.exchange("T1")
    await rig.get("getrequest?SN=T1")
    browser = await signed_in(rig, "read")
    await browser.get("/?lang=es")
    first, *_ = rows(await browser.get("/terminals/T1/requests"))
    assert "consulta de órdenes" in first
    assert "poll for commands" not in first
    await rig.get("accounting?SN=T1")
    first, *_ = rows(await browser.get("/terminals/T1/requests"))
    assert "petición desconocida" in first
    await rig.api("PATCH", "/devices/T1", {"networks": ["10.0.0.0/8"]})
    await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", b"")
    first, *_ = rows(await browser.get("/terminals/T1/requests"))
    assert "rechazada antes de leerse" in first


@pytest_twisted.ensureDeferred
async def test_a_serial_number_that_was_refused_is_found_by_the_search(rig: Rig) -> None:
    """The page that connects a terminal asks for it; the page of the reason is one step away."""
    browser = await signed_in(rig)
    assert 'name="q"' in (await browser.get("/first-terminal")).body.decode()
    await rig.get("zdata?SN=NEVER9")
    shown = await browser.get("/terminals?q=NEVER9")
    assert b"/console/terminals/NEVER9/doctor" in shown.body
    found = text_of(await browser.get("/terminals/NEVER9/doctor"))
    assert "path is not served" in found


@pytest_twisted.ensureDeferred
async def test_the_people_of_a_terminal_have_states_and_names(rig: Rig) -> None:
    """Those that the terminal has stated are there, page by page."""
    await rig.exchange("T1")
    await operate(rig, *(f"USER PIN={number}\tName=\tPri=0\n" for number in range(1, 61)))
    await person(rig, "1", "Ann Ash")
    browser = await signed_in(rig, "read")
    shown = await browser.get("/terminals/T1/people")
    assert len(rows(shown)) == 50
    assert rows(shown)[0].startswith("Ann Ash 1 is there")
    assert b"/console/terminals/T1/people?after=" in shown.body
    assert "does not keep people of this area" in text_of(shown)


@pytest_twisted.ensureDeferred
async def test_each_compared_day_of_a_terminal_is_shown(rig: Rig) -> None:
    """A day that is compared appears with its state."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"timezone": "UTC"})
    browser = await signed_in(rig, "read")
    assert "No day has been compared yet." in text_of(
        await browser.get("/terminals/T1/completeness")
    )
    page = "/terminals/T1/completeness"
    assert f"/console{page}" not in [path for path, _ in forms_of(await browser.get(page))]
    writer = await signed_in(rig, "read", "write", name="bob")
    assert location(await writer.send(page, page, {})) == page
    days = rows(await browser.get(page))
    assert len(days) == 7
    assert days[0].startswith("Sat 28 Feb 2026")


@pytest_twisted.ensureDeferred
async def test_options_have_meanings_and_only_changes_are_stored(rig: Rig) -> None:
    """An empty option is that of all terminals; a wrong one is shown beside its mistake."""
    await rig.exchange("T1")
    browser = await signed_in(rig)
    page = "/terminals/T1/settings"
    assert "Seconds between two polls for commands" in text_of(await browser.get(page))
    wrong = await browser.send(page, page, {"Delay": "soon"})
    assert wrong.status == 422
    assert "This value does not fit the option." in text_of(wrong)
    assert 'value="soon"' in wrong.body.decode()
    assert location(await browser.send(page, page, {"Delay": "25"})) == page
    device = (await rig.api("GET", "/devices/T1")).json
    assert device["settings"] == {"Delay": 25}
    await browser.send(page, page, {"Delay": ""})
    assert (await rig.api("GET", "/devices/T1")).json["settings"] == {}


@pytest_twisted.ensureDeferred
async def test_protection_needs_the_scope_of_an_administrator(rig: Rig) -> None:
    """Others read the policies in words, and have no form for them."""
    await rig.exchange("T1")
    browser = await signed_in(rig)
    page, action = "/terminals/T1/settings", "/terminals/T1/settings/protection"
    wrong = await browser.send(page, action, {"token": "check", "networks": "everywhere"})
    assert wrong.status == 422
    fields = {"encryption": "never", "token": "require", "networks": "10.0.0.0/8, 192.0.2.7"}
    assert location(await browser.send(page, action, fields)) == page
    device = (await rig.api("GET", "/devices/T1")).json
    assert (device["encryption"], device["token"]) == ("never", "require")
    assert device["networks"] == ["10.0.0.0/8", "192.0.2.7"]
    other = await signed_in(rig, "read", "write", name="bob")
    shown = await other.get(page)
    assert "required from the first request on" in text_of(shown)
    assert f"/console{action}" not in [path for path, _ in forms_of(shown)]


@pytest.mark.parametrize(("action", "command"), [("reboot", "REBOOT"), ("door", "AC_UNLOCK")])
@pytest_twisted.ensureDeferred
async def test_a_button_queues_its_command(rig: Rig, action: str, command: str) -> None:
    """Restarting and unlocking are commands of the account."""
    await rig.exchange("T1")
    browser = await signed_in(rig)
    path = f"/terminals/T1/{action}"
    assert location(await browser.confirm("/terminals/T1", path, {})) == "/terminals/T1"
    commands = await rig.items("/devices/T1/commands")
    assert command in [one["command"] for one in commands]


@pytest_twisted.ensureDeferred
async def test_buttons_are_hidden_from_those_who_may_not(rig: Rig) -> None:
    """Reading accounts see no action; the door needs a scope of its own."""
    await rig.exchange("T1")
    reader = await (await signed_in(rig, "read")).get("/terminals/T1")
    assert "Actions" not in text_of(reader)
    writer = await (await signed_in(rig, "read", "write", name="bob")).get("/terminals/T1")
    paths = [path for path, _ in forms_of(writer)]
    assert "/console/terminals/T1/reboot" in paths
    assert "/console/terminals/T1/door" not in paths


@pytest_twisted.ensureDeferred
async def test_a_terminal_is_replaced_and_retired_with_its_records_kept(rig: Rig) -> None:
    """The new terminal takes the name; one with records of its own needs the box."""
    await rig.exchange("T1")
    await rig.exchange("T2")
    await rig.api("PATCH", "/devices/T1", {"alias": "Front door"})
    line = b"1\t2026-03-01 08:00:00\t0\t1\t0\t0\t0\t0\t0\t0\t\n"
    await rig.post("cdata?SN=T2&table=ATTLOG&Stamp=1", line)
    browser = await signed_in(rig)
    page, action = "/terminals/T1/end", "/terminals/T1/replace"
    refused = await browser.send(page, action, {"by": "T2"})
    assert refused.status == 409
    assert "has records of its own" in text_of(refused)
    assert (await browser.send(page, action, {"by": "a b"})).status == 422
    done = await browser.send(page, action, {"by": "T2", "has_records": "true"})
    assert location(done) == "/terminals/T2"
    assert "Front door" in text_of(await browser.get("/terminals/T2"))
    assert "out of use" in text_of(await browser.get("/terminals/T1"))
    ended = await browser.confirm("/terminals/T2/end", "/terminals/T2/retire", {})
    assert location(ended) == "/terminals/T2"
    assert (await rig.api("GET", "/devices/T2")).json["state"] == "retired"
    assert len(await rig.items("/attendance")) == 1


@pytest_twisted.ensureDeferred
async def test_the_page_that_connects_a_terminal_waits_and_helps(rig: Rig) -> None:
    """It waits for another terminal beside approved ones, and names HTTPS on the plain port."""
    await rig.exchange("T1")
    browser = await signed_in(rig)
    shown = text_of(await browser.get("/first-terminal"))
    assert "waiting for another terminal" in shown
    assert "Nothing comes?" in shown
    assert "turn HTTPS off" not in shown
    await everything(rig.terminals, HELLO, "192.0.2.9")
    assert "turn HTTPS off" in text_of(await browser.get("/first-terminal"))


@pytest_twisted.ensureDeferred
async def test_a_one_time_link_of_the_server_itself_says_so(rig: Rig) -> None:
    """A link to 127.0.0.1 opens on the machine of the server only."""
    browser = await signed_in(rig)
    made = await browser.send("/accounts", "/accounts", {"name": "ben", "scopes": ["read"]})
    is_local = "//127.0.0.1" in text_of(made) or "//localhost" in text_of(made)
    assert ("on the machine of the server only" in text_of(made)) == is_local


@pytest_twisted.ensureDeferred
async def test_the_list_names_the_default_area_and_finds_it(rig: Rig) -> None:
    """A terminal without an area of its own is in `default`, in the list and in its search."""
    await rig.exchange("T1")
    await rig.exchange("T2")
    await rig.api("PATCH", "/devices/T2", {"area": "North"})
    browser = await signed_in(rig, "read")
    first, second = rows(await browser.get("/terminals"))
    assert "default" in first.split()
    assert "North" in second.split()
    (found,) = rows(await browser.get("/terminals?q=defau"))
    assert found.startswith("T1")
    assert b'href="/console/areas/default"' in (await browser.get("/terminals/T1")).body


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_waits_has_no_buttons_for_commands(make_rig) -> None:
    """It executes nothing; after the approval the buttons are there."""
    rig: Rig = await make_rig(admission="approve")
    await rig.get("cdata?SN=T1&options=all")
    browser = await signed_in(rig)
    words = ("reboot", "resend", "door")

    async def buttons() -> list[str]:
        paths = [path for path, _ in forms_of(await browser.get("/terminals/T1"))]
        return [word for word in words if f"/console/terminals/T1/{word}" in paths]

    assert await buttons() == []
    assert "until it is approved" in text_of(await browser.get("/terminals/T1"))
    await rig.api("PATCH", "/devices/T1", {"state": "approved"})
    assert await buttons() == [*words]


@pytest_twisted.ensureDeferred
async def test_a_wrong_clock_is_said_with_what_to_do(rig: Rig) -> None:
    """The page says by how much, and leads to its zone and a restart; then it is right."""
    await rig.exchange("T1")
    await punch(rig, 3, 9000)
    browser = await signed_in(rig)
    shown = await browser.get("/terminals/T1")
    words = text_of(shown)
    assert "Its clock is 2 hours, 30 minutes ahead of the server's" in words
    assert "If the display is right, its time zone here is wrong." in words
    assert b'href="/console/terminals/T1#change"' in shown.body
    assert b'href="/console/terminals/T1#state"' in (await browser.get("/")).body
    await punch(rig, 3, 0, first=4)
    words = text_of(await browser.get("/terminals/T1"))
    assert "Its clock is" not in words
    assert "Clock right" in words


@pytest_twisted.ensureDeferred
async def test_stored_punches_are_dated_anew_after_their_zone_was_wrong(rig: Rig) -> None:
    """The time on the clock stays; the instant is that of the corrected zone."""
    await rig.exchange("T1")
    await punches(rig, line("1", "2026-03-01 08:00:00"))
    before = (await rig.items("/attendance"))[0]
    browser = await signed_in(rig)
    fields = {"timezone": "Asia/Tokyo"}
    assert location(await browser.send("/terminals/T1", "/terminals/T1", fields)) == "/terminals/T1"
    assert (await rig.items("/attendance"))[0]["utc"] == before["utc"]
    action = "/terminals/T1/recompute"
    assert location(await browser.confirm("/terminals/T1", action, {})) == "/terminals/T1"
    assert "Records with another instant now: 1." in text_of(await browser.get("/terminals/T1"))
    after = (await rig.items("/attendance"))[0]
    assert (after["time"], after["utc"]) == (before["time"], "2026-02-28T23:00:00Z")


@pytest_twisted.ensureDeferred
async def test_an_approval_chooses_the_area_and_the_name(make_rig) -> None:
    """Areas that keep their people on their terminals are named; the default one comes first."""
    rig: Rig = await make_rig(admission="approve")
    await rig.get("cdata?SN=T1&options=all")
    await rig.api("PUT", "/areas/North", {"distributes": True})
    await rig.api("PUT", "/areas/South", {})
    browser = await signed_in(rig)
    page = "/terminals/T1/approve"
    shown = await browser.get(page)
    (choice,) = (one for one in document(shown).iter("select") if one.get("name") == "area")
    assert [one.text for one in choice.iter("option")] == ["default", "North", "South"]
    told = text_of(shown)
    assert "on their terminals, and delete others from them: North" in told
    wrong = await browser.send(page, page, {"timezone": "UTC", "area": "Zoo"})
    assert wrong.status == 422
    assert "There is no area Zoo." in text_of(wrong)
    fields = {"timezone": "UTC", "area": "South", "alias": "Gate"}
    assert location(await browser.send(page, page, fields)) == "/terminals/T1"
    found = (await rig.api("GET", "/devices/T1")).json
    assert (found["state"], found["area"], found["alias"]) == ("approved", "South", "Gate")


@pytest_twisted.ensureDeferred
async def test_limited_accounts_approve_into_their_areas_only(make_rig) -> None:
    """Other areas are neither offered nor taken."""
    rig: Rig = await make_rig(admission="approve")
    await rig.get("cdata?SN=T1&options=all")
    for area in ("North", "South", "Zoo"):
        await rig.api("PUT", f"/areas/{area}", {})
    await rig.api("PATCH", "/devices/T1", {"area": "North"})
    browser = await signed_in(rig, "read", "write", areas=["North", "South"])
    page = "/terminals/T1/approve"
    shown = await browser.get(page)
    assert "Zoo" not in shown.body.decode()
    wrong = await browser.send(page, page, {"timezone": "UTC", "area": "Zoo"})
    assert "There is no area Zoo." in text_of(wrong)
    assert location(await browser.send(page, page, {"timezone": "UTC"})) == "/terminals/T1"
    assert (await rig.api("GET", "/devices/T1")).json["area"] == "North"


@pytest_twisted.ensureDeferred
async def test_people_that_a_terminal_reports_are_fetched_by_a_button(rig: Rig) -> None:
    """The page says how many are not known here, and shows how far the fetching is."""
    page = "/terminals/T1/people"
    await rig.exchange("T1")
    browser = await signed_in(rig)
    assert "Nobody is known on this terminal." in text_of(await browser.get(page))
    await rig.post("cdata?SN=T1&table=options", b"UserCount=3")
    told = text_of(await browser.get(page))
    assert "It reports 3 people; the server has not fetched them yet." in told
    assert "Nobody is known" not in told
    await operate(rig, "USER PIN=1\tName=Ann\n")
    told = text_of(await browser.get(page))
    assert "It reports 3 people; the server knows fewer of them: 1." in told
    watched = location(await browser.send(page, f"{page}/fetch", {}))
    shown = await browser.get(watched)
    assert "The terminal has not fetched the order yet." in text_of(shown)
    name = watched.partition("=")[2]
    assert f'sse-swap="areas-fetch:{name}"' in shown.body.decode()
    order = (await rig.get("getrequest?SN=T1")).body.decode()
    assert order.strip() == f"C:{name}:DATA QUERY USERINFO"
    assert "The terminal sends its people now." in text_of(await browser.get(watched))
    await operate(rig, "USER PIN=2\tName=Bo\n", "USER PIN=3\tName=Cy\n")
    await rig.post("devicecmd?SN=T1", f"ID={name}&Return=0&CMD=DATA\n".encode())
    told = text_of(await browser.get(watched))
    assert "The terminal has sent its people." in told
    assert "3 of 3 people are known here" in told
    assert f"/console{page}/fetch" not in dict(forms_of(await browser.get(page)))
    await rig.exchange("T2")
    assert (await browser.get(f"/terminals/T2/people?fetch={name}")).status == 404


@pytest_twisted.ensureDeferred
async def test_who_may_not_write_sees_what_is_not_fetched_without_a_button(rig: Rig) -> None:
    """It is a fact, and the form is refused."""
    page = "/terminals/T1/people"
    await rig.exchange("T1")
    await rig.post("cdata?SN=T1&table=options", b"UserCount=1")
    browser = await signed_in(rig, "read")
    shown = await browser.get(page)
    assert "has not fetched that person yet" in text_of(shown)
    assert f"/console{page}/fetch" not in dict(forms_of(shown))


@pytest.mark.parametrize(
    ("url", "is_local"),
    [
        ("http://127.0.0.1:8081", True),
        ("http://localhost:8081", True),
        ("http://[::1]:8081", True),
        ("http://192.0.2.7:8081", False),
        ("https://push.example.com", False),
    ],
)
def test_an_address_of_this_machine_only_is_known_as_such(url: str, is_local: bool) -> None:
    """The page that connects a terminal warns of it."""
    assert [one.is_local for one in server_entries([url], None)] == [is_local]


@pytest_twisted.ensureDeferred
async def test_the_facts_of_a_new_terminal_come_by_themselves(make_rig) -> None:
    """They are a live part; until the terminal states them, the page says what it waits for."""
    rig: Rig = await make_rig(admission="approve")
    await rig.get("cdata?SN=T1&options=all")
    browser = await signed_in(rig)
    assert "after it is approved" in text_of(await browser.get("/terminals/T1"))
    await rig.api("PATCH", "/devices/T1", {"state": "approved"})
    shown = await browser.get("/terminals/T1")
    assert "It states its model and firmware when it connects next" in text_of(shown)
    assert b"part=terminals-facts%3AT1" in shown.body
    assert "terminals-facts" in console_of(rig).parts
    assert b"/console/attendance?device=T1" in shown.body
    await rig.exchange("T1")
    await rig.post("cdata?SN=T1&table=options", b"~DeviceName=X100,FWVersion=Ver 8.0")
    now = text_of(await browser.get("/terminals/T1"))
    assert "Ver 8.0" in now
    assert "when it connects next" not in now


@pytest_twisted.ensureDeferred
async def test_the_page_has_the_first_and_the_last_punch(rig: Rig) -> None:
    """In the zone of the account, with the time of the terminal where it differs, and doubts."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"timezone": "America/New_York"})
    browser = await signed_in(rig)
    assert "First punch" not in text_of(await browser.get("/terminals/T1"))
    times = ("2026-02-28 07:00:00", "2026-02-27 20:00:00", "2026-01-05 08:00:00")
    await punches(rig, *(line("1", time) for time in times))
    shown = await browser.get("/terminals/T1")
    text = text_of(shown)
    first = "Mon 5 Jan 2026 13:00 Terminal's clock: Mon 5 Jan 2026 08:00:00"
    last = "Sat 28 Feb 2026 12:00 Terminal's clock: Sat 28 Feb 2026 07:00:00"
    assert f"First punch {first} Last punch {last} Area" in text
    link = '"/console/attendance?device=T1&amp;since=2026-01-05&amp;until=2026-01-05"'
    assert link in shown.body.decode()
    await browser.send("/account", "/account", {"zone": "America/New_York"})
    text = text_of(await browser.get("/terminals/T1"))
    assert "First punch Mon 5 Jan 2026 08:00 Last punch Sat 28 Feb 2026 07:00 Area" in text
    await punches(rig, line("1", "2030-01-01 08:00:00"))
    assert "Last punch Tue 1 Jan 2030 08:00 time in doubt" in text_of(
        await browser.get("/terminals/T1")
    )
