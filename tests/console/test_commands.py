"""Pages of commands and jobs, and the form to send a command."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import pytest_twisted

from ..rig import Rig
from ..server.test_jobs import answer_all, poll, runner
from .browser import Browser, document, forms_of, location, signed_in, text_of
from .walk import english_left


async def send(rig: Rig, browser: Browser, command: str, **fields: object) -> str:
    """Send a command with the form, and return the path of its job."""
    page = f"/jobs/new?command={command.replace(' ', '+')}"
    ask = browser.confirm if command == "REBOOT" else browser.send
    path = location(await ask(page, "/jobs/new", fields))
    assert path.startswith("/jobs/")
    await runner(rig).work()
    return path


@pytest_twisted.ensureDeferred
async def test_a_command_is_sent_by_a_form_and_its_result_is_shown(rig: Rig) -> None:
    """The job counts its commands, and the command says when it was sent and what came back."""
    await rig.exchange("T1")
    browser = await signed_in(rig, "read", "write")
    assert "Restart the terminal" in text_of(await browser.get("/jobs/new"))
    job = await send(rig, browser, "REBOOT", device="T1", hours="2", priority="7")
    waiting = await browser.get(job)
    assert "0 of 1 command has ended" in text_of(waiting)
    live_part = waiting.body.decode().partition('sse-swap="jobs-progress')[2]
    assert f'action="/console{job}/cancel"' in live_part
    (command,) = await rig.items("/commands")
    assert command["priority"] == 7
    path = f"/commands/{command['id']}"
    assert "waits for the terminal" in text_of(await browser.get(path))
    assert path in (await browser.get("/commands?device=T1&state=queued")).body.decode()
    assert path not in (await browser.get("/commands?state=done")).body.decode()
    assert path not in (await browser.get("/commands?device=T2")).body.decode()
    await answer_all(rig, "T1")
    shown = text_of(await browser.get(path))
    assert "done" in shown
    assert "The terminal answered that it succeeded." in shown
    ended = await browser.get(job)
    assert "1 of 1 command has ended" in text_of(ended)
    assert f"{job}/cancel" not in ended.body.decode()
    actors = {one["actor"] for one in await rig.items("/audit?action=create+job")}
    assert actors == {"account ann"}


@pytest_twisted.ensureDeferred
async def test_a_command_goes_to_several_an_area_or_all(rig: Rig) -> None:
    """Terminals are chosen, typed in, or named by their area."""
    for sn, area in (("T1", "North"), ("T2", "South"), ("T3", "South")):
        await rig.exchange(sn)
        await rig.api("PATCH", f"/devices/{sn}", {"area": area})
    browser = await signed_in(rig, "read", "write")
    page = "/jobs/new?command=LOG"
    refused = await browser.send(page, "/jobs/new", {"target": "area"})
    assert refused.status == 422
    assert "This is needed." in text_of(refused)
    for number, fields in (
        (2, {"device": "T1", "devices": "T2, T1"}),
        (2, {"target": "area", "area": "South"}),
        (3, {"target": "all", "wave": "1"}),
    ):
        job = await send(rig, browser, "LOG", **fields)
        assert (await rig.api("GET", job)).json["devices"] == number


@pytest.mark.parametrize("page", ["/terminals", "/areas/North"])
@pytest_twisted.ensureDeferred
async def test_several_terminals_of_a_list_get_a_command(rig: Rig, page: str) -> None:
    """Boxes and buttons of lists need no script; a question comes before several restart."""
    for sn in ("T1", "T2", "T3"):
        await rig.exchange(sn)
        await rig.api("PATCH", f"/devices/{sn}", {"area": "North"})
    browser = await signed_in(rig, "read", "write", areas=["North"])
    shown = (await browser.get(page)).body.decode()
    assert shown.count('form="chosen-terminals" name="device"') == 3
    assert 'name="shown" value="T1 T2 T3"' in shown
    nothing = await browser.send(page, "/jobs/chosen", {})
    assert "Choose a terminal" in text_of(nothing)
    every = location(await browser.send(page, "/jobs/chosen", {"shown": "T1 T2 T3"}))
    assert parse_qs(urlsplit(every).query)["device"] == ["T1 T2 T3"]
    there = location(await browser.send(page, "/jobs/chosen", {"device": ["T1", "T3"]}))
    form = re.search(
        r'href="/console(/jobs/new\?command=REBOOT[^"]*)"', await _body(browser, there)
    )
    assert form is not None
    form_page = unescape(form[1])
    assert 'name="devices" type="text" value="T1, T3"' in await _body(browser, form_page)
    sent = await browser.confirm(form_page, "/jobs/new", {"devices": "T1 T3"})
    assert (await rig.api("GET", location(sent))).json["devices"] == 2
    await runner(rig).work()
    assert {one["device"] for one in await rig.items("/commands")} == {"T1", "T3"}


@pytest.mark.parametrize("page", ["/terminals", "/areas/North"])
@pytest_twisted.ensureDeferred
async def test_several_terminals_of_a_list_get_firmware(rig: Rig, page: str) -> None:
    """The choice is kept while a file is stored, and fills the form of its waves."""
    for sn in ("T1", "T2", "T3"):
        await rig.exchange(sn)
        await rig.api("PATCH", f"/devices/{sn}", {"area": "North"})
    browser = await signed_in(rig)
    chosen = await browser.send(page, "/jobs/chosen", {"device": ["T1", "T3"], "what": "file"})
    files = location(chosen)
    shown = await browser.get(files)
    assert "For 2 terminals: T1, T3" in text_of(shown)
    fields = dict(forms_of(shown))["/console/files"]
    refused = await browser.upload("/files", {**fields, "name": "a.bin"}, "file", b"")
    assert "For 2 terminals: T1, T3" in text_of(refused)
    stored = await browser.upload("/files", {**fields, "name": "a.bin"}, "file", b"firmware")
    file_page = location(stored)
    for listed in (file_page, _link(await _body(browser, files), "/files/1?")):
        firmware = _link(await _body(browser, listed), "/files/1/send?way=firmware")
        assert 'name="devices" type="text" value="T1, T3"' in await _body(browser, firmware)
    given = {"devices": "T1 T3", "form": "2", "wave": "1", "sure": "true"}
    sent = location(await browser.send(firmware, "/files/1/send", given))
    job = (await rig.api("GET", sent)).json
    assert (job["command"], job["devices"], job["wave"]) == ("UPGRADE", 2, 1)


@pytest_twisted.ensureDeferred
async def test_files_are_offered_to_those_who_may_send_them(rig: Rig) -> None:
    """Neither an account without the scope nor one of some areas sees the button."""
    await rig.exchange("T1")
    button = 'name="what" value="file"'
    assert button in await _body(await signed_in(rig), "/terminals")
    writer = await signed_in(rig, "read", "write", name="writer")
    assert button not in await _body(writer, "/terminals")
    local = await signed_in(rig, "read", "write", "dangerous", name="local", areas=["default"])
    assert button not in await _body(local, "/terminals")


def _link(body: str, begin: str) -> str:
    """The address of the link that begins like this."""
    return next(
        unescape(one)
        for one in re.findall(r'href="/console([^"]*)"', body)
        if unescape(one).startswith(begin)
    )


@pytest_twisted.ensureDeferred
async def test_who_may_not_write_chooses_no_terminals(rig: Rig) -> None:
    """An account that only reads sees neither boxes nor buttons, and is refused."""
    await rig.exchange("T1")
    browser = await signed_in(rig, "read")
    for page in ("/terminals", "/areas/default"):
        assert "chosen-terminals" not in await _body(browser, page)
    assert (await browser.post("/jobs/chosen", {"device": "T1"})).status == 403


async def _body(browser: Browser, path: str) -> str:
    return (await browser.get(path)).body.decode()


@pytest.mark.parametrize(
    ("command", "fields", "words"),
    [
        ("LOG", {}, "Choose a terminal"),
        ("LOG", {"devices": "NONE"}, "No terminal has the name or serial number NONE"),
        ("LOG", {"device": "T1", "hours": "many"}, "This is not a possible value."),
        ("DATA DELETE USERINFO", {"device": "T1"}, "This is needed."),
        ("SET OPTION", {"device": "T1", "params.key": "a b", "params.value": "1"}, "a b"),
        ("CLEAR DATA", {"device": "T1"}, "Tick the box"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_mistakes_send_nothing(
    rig: Rig, command: str, fields: dict[str, str], words: str
) -> None:
    """The form is shown again with the mistake and what was entered."""
    await rig.exchange("T1")
    browser = await signed_in(rig)
    page = f"/jobs/new?command={command.replace(' ', '+')}"
    refused = await browser.send(page, "/jobs/new", fields)
    assert 400 <= refused.status < 500
    assert words in text_of(refused)
    assert "Nothing was changed yet." in text_of(refused)
    assert await rig.items("/jobs") == []


@pytest_twisted.ensureDeferred
async def test_an_unknown_serial_number_is_marked_where_it_was_typed(rig: Rig) -> None:
    """With its value, and without the name of the attribute."""
    await rig.exchange("T1")
    browser = await signed_in(rig)
    fields = {"device": "T1", "devices": "NONE"}
    refused = await browser.send("/jobs/new?command=LOG", "/jobs/new", fields)
    (typed,) = [one for one in document(refused).iter("input") if one.get("name") == "devices"]
    assert (typed.get("value"), typed.get("aria-invalid")) == ("NONE", "true")
    assert "devices:" not in text_of(refused)


@pytest_twisted.ensureDeferred
async def test_parameters_are_sent_and_secrets_are_not_shown_again(rig: Rig) -> None:
    """Values of the form reach the terminal; a password is left out when the form comes back."""
    await rig.exchange("T1")
    browser = await signed_in(rig, "read", "write")
    fields = {"device": "T1", "params.PIN": "7", "params.Name": "Zoe", "params.Passwd": "8642"}
    page = "/jobs/new?command=DATA+UPDATE+USERINFO"
    refused = await browser.send(page, "/jobs/new", {**fields, "hours": "x"})
    assert b"<details open><summary>Delivery" in refused.body
    assert 'value="Zoe"' in refused.body.decode()
    assert "8642" not in refused.body.decode()
    job = await send(rig, browser, "DATA UPDATE USERINFO", **fields)
    (command,) = await rig.items(f"/commands?job={job.removeprefix('/jobs/')}")
    shown = await browser.get(f"/commands/{command['id']}")
    assert "Zoe" in text_of(shown)
    assert "8642" not in shown.body.decode()
    reads = "/audit?action=read+parameters+of+commands&actor=account"
    assert await rig.items(f"{reads}+ann") == []
    seer = await signed_in(rig, "read", "biometrics", name="seer")
    assert "8642" in (await seer.get(f"/commands/{command['id']}")).body.decode()
    assert len(await rig.items(f"{reads}+seer")) == 1
    (line,) = await poll(rig, "T1")
    assert "Name=Zoe" in line
    assert "Passwd=8642" in line


@pytest_twisted.ensureDeferred
async def test_dangerous_commands_need_their_scope_and_a_tick(rig: Rig) -> None:
    """Without the scope they are neither offered nor taken; with it, only after a warning."""
    await rig.exchange("T1")
    writer = await signed_in(rig, "read", "write", name="writer")
    assert "CLEAR DATA" not in text_of(await writer.get("/jobs/new"))
    assert (await writer.get("/jobs/new?command=CLEAR+DATA")).status == 404
    hidden = forms_of(await writer.get("/jobs/new?command=LOG"))
    token = next(fields["csrf"] for action, fields in hidden if action == "/console/jobs/new")
    forged = {"csrf": token, "command": "CLEAR DATA", "device": "T1", "sure": "true"}
    assert (await writer.post("/jobs/new", forged)).status == 404
    assert await rig.items("/jobs") == []
    browser = await signed_in(rig)
    assert "This command is dangerous." in text_of(await browser.get("/jobs/new?command=AC_UNLOCK"))
    await send(rig, browser, "AC_UNLOCK", device="T1", sure="true")
    assert [one["command"] for one in await rig.items("/commands")] == ["AC_UNLOCK"]


@pytest_twisted.ensureDeferred
async def test_a_job_is_cancelled_and_one_that_failed_is_sent_again(rig: Rig) -> None:
    """Failures are listed with a form to send them again; the rest of a job can be cancelled."""
    await rig.exchange("T1")
    browser = await signed_in(rig, "read", "write")
    job = await send(rig, browser, "LOG", device="T1")
    await answer_all(rig, "T1", -1)
    shown = text_of(await browser.get(job))
    assert "What did not succeed" in shown
    refused = await browser.send(job, f"{job}/retry", {"states": []})
    assert refused.status == 422
    assert location(await browser.send(job, f"{job}/retry", {"states": ["failed"]})) == job
    await runner(rig).work()
    assert (await rig.api("GET", job)).json["counts"]["queued"] == 1
    assert location(await browser.confirm(job, f"{job}/cancel", {})) == job
    await runner(rig).work()
    assert (await rig.api("GET", job)).json["state"] == "cancelled"
    assert f"{job}/cancel" not in (await browser.get(job)).body.decode()
    reader = await signed_in(rig, "read", name="reader")
    assert 'method="post" action="/console/jobs' not in (await reader.get(job)).body.decode()


@pytest_twisted.ensureDeferred
async def test_one_command_is_cancelled(rig: Rig) -> None:
    """An open command has a button to cancel it; one that has ended says so."""
    await rig.exchange("T1")
    browser = await signed_in(rig, "read", "write")
    await send(rig, browser, "LOG", device="T1")
    (command,) = await rig.items("/commands")
    path = f"/commands/{command['id']}"
    page = await browser.get(path)
    assert location(await browser.confirm(path, f"{path}/cancel", {})) == path
    assert (await rig.items("/commands"))[0]["state"] == "cancelled"
    fields = next(fields for action, fields in forms_of(page) if action.endswith("/cancel"))
    late = await browser.post(f"{path}/cancel", {**fields, "confirmed": "true"})
    assert late.status == 422
    assert "has ended already" in text_of(late)
    assert (await browser.get("/commands/none")).status == 404
    assert (await browser.get("/jobs/none")).status == 404


@pytest_twisted.ensureDeferred
async def test_long_lists_have_pages(rig: Rig) -> None:
    """The newest come first; the next page begins where the last one ends."""
    await rig.exchange("T1")
    browser = await signed_in(rig, "read", "write")
    for key in range(41):
        await rig.api(
            "POST",
            "/devices/T1/commands",
            {"command": "SET OPTION", "params": {"key": f"K{key}", "value": "1"}},
        )
    first = (await browser.get("/commands?device=T1")).body.decode()
    assert first.count('href="/console/commands/') == 40
    link = first.split("&amp;before=")[1].split('"')[0]
    second = (await browser.get(f"/commands?device=T1&before={link}")).body.decode()
    assert second.count('href="/console/commands/') == 1


@pytest_twisted.ensureDeferred
async def test_a_command_that_deletes_many_people_asks_for_their_number(rig: Rig) -> None:
    """The form says how many they are, and takes the number."""
    await rig.exchange("A1")
    await rig.api("PATCH", "/devices/A1", {"state": "approved"})
    await rig.post(
        "cdata?SN=A1&table=OPERLOG&Stamp=1",
        b"\n".join(b"USER PIN=%d\tName=Ann" % pin for pin in (1, 2, 3)),
    )
    browser = await signed_in(rig)
    page = "/jobs/new?command=CLEAR+DATA"
    fields = {"device": "A1", "sure": "true"}
    refused = await browser.send(page, "/jobs/new", fields)
    assert "would delete 3 people" in text_of(refused)
    assert "Number of people to delete" in text_of(refused)
    assert await rig.items("/jobs") == []
    await browser.send(page, "/jobs/new", {**fields, "confirm": "3"})
    assert len(await rig.items("/jobs")) == 1


@pytest_twisted.ensureDeferred
async def test_every_form_of_a_command_is_translated(rig: Rig) -> None:
    """Commands, their values and the meanings of these have no English words in other languages."""
    await rig.exchange("T1")
    browser = await signed_in(rig)
    await browser.get("/?lang=en-XA")
    names = [one.name for one in rig.daemon.queue.catalogue]
    assert len(names) > 50
    for path in ("/jobs/new", *(f"/jobs/new?command={quote(name)}" for name in names)):
        assert english_left(document(await browser.get(path))) == [], path


@pytest_twisted.ensureDeferred
async def test_the_end_of_a_command_is_translated(rig: Rig) -> None:
    """Why a command ended is said in the language of the visit, and in English by the API."""
    await rig.exchange("T1")
    browser = await signed_in(rig, "read", "write")
    made = await rig.api("POST", "/devices/T1/commands", {"command": "LOG"})
    path = f"/commands/{made.json['id']}"
    assert (await rig.api("DELETE", path)).status == 204
    await browser.get("/?lang=es")
    shown = await browser.get(path)
    assert "Se canceló antes de enviarse." in text_of(shown)
    assert "Buscar datos nuevos y enviarlos ahora" in text_of(shown)
    (command,) = await rig.items("/commands")
    assert command["reason"] == "It was cancelled before it was sent."


@pytest_twisted.ensureDeferred
async def test_the_commands_that_have_not_ended_are_listed(rig: Rig) -> None:
    """Where the tile of the overview leads; another word than a state is no filter."""
    await rig.exchange("T1")
    browser = await signed_in(rig)
    assert 'href="/console/commands?state=open"' in (await browser.get("/")).body.decode()
    made = [
        (await rig.api("POST", "/devices/T1/commands", {"command": "REBOOT"})).json["id"]
        for _ in range(2)
    ]
    await rig.api("DELETE", f"/commands/{made[0]}")
    shown = (await browser.get("/commands?state=open")).body.decode()
    assert [f"/commands/{one}" in shown for one in made] == [False, True]
    assert (await browser.get("/commands?state=nonsense")).status == 400


@pytest_twisted.ensureDeferred
async def test_the_list_says_whom_a_command_is_about(rig: Rig) -> None:
    """By name, with a link; not to an account that may not know the person."""
    await rig.exchange("T1")
    await rig.api("PATCH", "/devices/T1", {"area": "North"})
    for pin, name, area in (("17", "Ann", "North"), ("18", "Bo", "South")):
        await rig.api("PUT", f"/users/{pin}", {"name": name, "areas": [area]})
        order = {"command": "DATA DELETE USERINFO", "params": {"PIN": pin}}
        assert (await rig.api("POST", "/devices/T1/commands", order)).status == 202
    shown = await (await signed_in(rig, "read")).get("/commands")
    assert b'href="/console/people/17"' in shown.body
    assert "Bo" in text_of(shown)
    north = await signed_in(rig, "read", name="nora", areas=["North"])
    shown = await north.get("/commands")
    assert b'href="/console/people/17"' in shown.body
    assert b"/console/people/18" not in shown.body
