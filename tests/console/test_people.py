"""Pages of people: search, changes, conflicts, removal, import and enrolment."""

from __future__ import annotations

import base64
import re

import pytest
import pytest_twisted

from zkpush.handlers.areas.reconciler import Reconciler

from ..rig import Response, Rig
from .browser import Browser, document, forms_of, location, signed_in, text_of
from .test_attendance import JPEG, line, person, punch, rows

TEMPLATE = "QUJDRA=="
ENCODED = base64.b64encode(JPEG).decode()


async def operate(rig: Rig, *lines: str, sn: str = "T1") -> None:
    """Upload what a terminal says about people."""
    sent = await rig.post(f"cdata?SN={sn}&table=OPERLOG&Stamp=1", "".join(lines).encode())
    assert sent.body.startswith(b"OK"), sent.raw


async def contradicted(rig: Rig) -> str:
    """A person whose name is another one at a terminal; returns the id of the conflict."""
    await rig.exchange("T1")
    await person(rig, "1", "Ann Ash")
    await operate(rig, "USER PIN=1\tName=Bob Birch\tPri=0\tPasswd=246813\n")
    (found,) = await rig.items("/conflicts")
    return str(found["id"])


@pytest_twisted.ensureDeferred
async def test_people_are_listed_and_found(rig: Rig) -> None:
    """The list shows everybody, and finds by name, user ID and area, page by page."""
    for number in range(60):
        await person(rig, str(100 + number), f"Person {number}")
    await rig.api("PUT", "/users/100", {"areas": ["North"]})
    browser = await signed_in(rig)
    first = await browser.get("/people")
    assert len(rows(first)) == 40
    link = re.search(r'href="/console(/people\?after=[0-9]+)"', first.body.decode())
    assert link is not None
    assert len(rows(await browser.get(link[1]))) == 20
    assert [one.split()[:3] for one in rows(await browser.get("/people?q=person+59"))] == [
        ["Person", "59", "159"]
    ]
    assert len(rows(await browser.get("/people?area=North"))) == 1
    assert "Nobody is found." in text_of(await browser.get("/people?q=zoe"))


@pytest_twisted.ensureDeferred
async def test_a_person_has_fields_with_authors_and_history_but_no_secrets(rig: Rig) -> None:
    """Each value has its author; passwords and templates are never on the page."""
    await rig.exchange("T1")
    await operate(
        rig,
        "USER PIN=1\tName=Ann\tPri=14\tPasswd=246813\tCard=77\n",
        f"FP PIN=1\tFID=6\tSize=8\tValid=1\tTMP={TEMPLATE}\n",
    )
    await person(rig, "1", "Ann Ash")
    browser = await signed_in(rig)
    shown = await browser.get("/people/1")
    text = text_of(shown)
    assert "Card number 77 terminal T1" in text
    assert "Rights at terminals Super administrator terminal T1" in text
    assert "Fingerprint 1 template" in text
    assert "Ann Ash a program, with the API token admin" in text
    assert rows(shown)[0].startswith("Sun 1 Mar 2026 12:00 Name Ann Ann Ash")
    for path in ("/people/1", "/people/1/edit"):
        body = (await browser.get(path)).body
        assert b"246813" not in body
        assert TEMPLATE.encode() not in body
    assert (await browser.get("/people/2")).status == 404


@pytest_twisted.ensureDeferred
async def test_a_person_is_added_and_changed(rig: Rig) -> None:
    """Only changed fields get the account as author; mistakes are shown beside what was entered."""
    browser = await signed_in(rig)
    for area in ("North", "South"):
        await rig.api("PUT", f"/areas/{area}", {})
    both = ["North", "South"]
    fields = {"pin": "7", "name": "Gus Grey", "card": "1234", "areas": both}
    added = await browser.send("/people/new", "/people/new", fields)
    assert location(added) == "/people/7"
    stored = (await rig.api("GET", "/users/7")).json
    assert (stored["name"], stored["card"]) == ("Gus Grey", "1234")
    assert stored["areas"] == ["North", "South"]
    again = await browser.send("/people/new", "/people/new", fields)
    assert again.status == 422
    assert "Another person has this user ID." in text_of(again)
    await rig.api("PUT", "/users/7", {"group": 3})
    shown = {"name": "Gus Green", "card": "1234", "group": "3", "areas": both}
    done = await browser.send("/people/7/edit", "/people/7/edit", shown)
    assert location(done) == "/people/7"
    authors = (await rig.api("GET", "/users/7")).json["authors"]
    assert authors == {"name": "account ann", "card": "account ann", "group": "token admin"}
    wrong = await browser.send("/people/7/edit", "/people/7/edit", {**shown, "group": "x"})
    assert wrong.status == 422
    assert "This is not a number." in text_of(wrong)
    assert 'value="Gus Green"' in wrong.body.decode()


@pytest_twisted.ensureDeferred
async def test_areas_of_a_person_are_chosen_among_the_known_ones(rig: Rig) -> None:
    """Described areas are offered without terminals and people; another name changes nothing."""
    browser = await signed_in(rig)
    await rig.api("PUT", "/areas/North", {})
    assert 'value="North"' in (await browser.get("/people/new")).body.decode()
    for name in ("areas", "typed_areas"):
        fields = {"pin": "8", "name": "Hal", name: "north"}
        wrong = await browser.send("/people/new", "/people/new", fields)
        assert wrong.status == 422
        assert "There is no area north; did you mean North?" in text_of(wrong)
    assert (await rig.api("GET", "/users/8")).status == 404
    await browser.send("/people/new", "/people/new", {"pin": "8", "typed_areas": "North"})
    assert (await rig.api("GET", "/users/8")).json["areas"] == ["North"]
    await browser.send("/people/8/edit", "/people/8/edit", {"name": "Hal"})
    assert (await rig.api("GET", "/users/8")).json["areas"] == []


@pytest.mark.parametrize(("keep", "name"), [("stored", "Ann Ash"), ("terminal", "Bob Birch")])
@pytest_twisted.ensureDeferred
async def test_a_conflict_is_settled_by_choosing_a_side(rig: Rig, keep: str, name: str) -> None:
    """Both sides are shown; the chosen one is stored, and the conflict is closed."""
    conflict = await contradicted(rig)
    browser = await signed_in(rig)
    shown = await browser.get("/people/conflicts")
    assert "Name Ann Ash a program, with the API token admin Bob Birch T1" in rows(shown)
    action = f"/people/conflicts/{conflict}"
    send = browser.confirm if keep == "terminal" else browser.send  # another name is asked about
    done = await send("/people/1", action, {"keep": keep})
    assert location(done) == "/people/conflicts"
    assert (await rig.api("GET", "/users/1")).json["name"] == name
    assert await rig.items("/conflicts") == []
    gone = await browser.post(action, {"keep": keep, "csrf": await token(browser)})
    assert gone.status == 422
    assert "no open conflict" in text_of(gone)


@pytest_twisted.ensureDeferred
async def test_a_right_that_a_terminal_gives_is_asked_about(rig: Rig) -> None:
    """Time periods are in words; what is stored is kept without a question."""
    await rig.exchange("T1")
    stored = {"name": "Ann Ash", "privilege": 0, "timezones": "0001000100020000"}
    assert (await rig.api("PUT", "/users/1", stored)).status < 300
    await operate(rig, "USER PIN=1\tName=Ann Ash\tPri=14\tTZ=0000000100000000\n")
    (conflict,) = await rig.items("/conflicts")
    browser = await signed_in(rig)
    shown = text_of(await browser.get("/people/conflicts"))
    assert "Own periods: 1, 2" in shown
    assert "As the access group" in shown
    action = f"/people/conflicts/{conflict['id']}"
    asked = await browser.send("/people/1", action, {"keep": "terminal"})
    assert "user 1 is: Super administrator" in text_of(asked)
    assert (await rig.api("GET", "/users/1")).json["privilege"] == 0
    await browser.confirm("/people/1", action, {"keep": "terminal"})
    assert (await rig.api("GET", "/users/1")).json["privilege"] == 14


@pytest_twisted.ensureDeferred
async def test_the_user_of_a_conflict_is_deleted_at_the_terminal_after_a_question(
    rig: Rig,
) -> None:
    """Nothing is deleted here, and the conflict stays open."""
    conflict = await contradicted(rig)
    browser = await signed_in(rig)
    page, action = "/people/conflicts", f"/people/conflicts/{conflict}"
    asked = text_of(await browser.send(page, action, {"keep": "delete"}))
    assert "deletes user 1, which is Bob Birch there" in asked
    assert "Nothing is deleted here: Ann Ash stays." in asked
    assert await rig.items("/commands") == []
    assert location(await browser.confirm(page, action, {"keep": "delete"})) == page
    (command,) = await rig.items("/commands")
    assert (command["device"], command["command"]) == ("T1", "DATA DELETE USERINFO")
    assert (await rig.api("GET", "/users/1")).json["name"] == "Ann Ash"
    assert len(await rig.items("/conflicts")) == 1
    shown = await browser.get(page)
    assert "The terminal is told to delete its user" in text_of(shown)
    assert 'value="delete"' not in shown.body.decode()
    await rig.get("getrequest?SN=T1")
    answer = f"ID={command['id']}&Return=0&CMD=DATA"
    await rig.post("devicecmd?SN=T1", answer.encode())
    assert "has no user under this user ID any more" in text_of(await browser.get(page))


async def token(browser: Browser) -> str:
    """The token of the session."""
    found = re.search(r'name="csrf" value="(\w+)"', (await browser.get("/account")).body.decode())
    assert found is not None
    return found[1]


@pytest_twisted.ensureDeferred
async def test_removal_keeps_punches_and_erasure_is_confirmed(rig: Rig) -> None:
    """Erasure needs the user ID and the scope for dangerous acts; it deletes punches if asked."""
    await rig.exchange("T1")
    for pin in ("1", "2"):
        await person(rig, pin, f"Person {pin}")
        await punch(rig, line(pin, "2026-03-01 08:00:00"))
    browser = await signed_in(rig)
    page = "/people/1/remove"
    assert location(await browser.confirm(page, page, {})) == "/people/1"
    assert (await rig.api("GET", "/users/1")).status == 404
    assert len(await rig.items("/attendance?pin=1")) == 1
    page, action = "/people/2/remove", "/people/2/erase"
    assert (await browser.send(page, action, {"confirm": "1"})).status == 422
    assert (await rig.api("GET", "/users/2")).status == 200
    other = await signed_in(rig, "read", "write", name="bob")
    assert "/people/2/erase" not in (await other.get(page)).body.decode()
    sent = await other.post(action, {"confirm": "2", "csrf": await token(other)})
    assert sent.status == 403
    done = await browser.send(page, action, {"confirm": "2", "attendance": "true"})
    assert location(done) == page
    assert await rig.items("/attendance?pin=2") == []


async def preview(browser: Browser, content: str, **fields: str) -> Response:
    """Upload a file to the import page."""
    given = {"csrf": await token(browser), **fields}
    return await browser.upload("/people/import", given, "file", content.encode())


@pytest_twisted.ensureDeferred
async def test_an_import_shows_each_mistake_first_and_stores_nothing(rig: Rig) -> None:
    """The preview names each wrong line with its mistake, and offers no import."""
    await person(rig, "1", "Ann Ash")
    browser = await signed_in(rig)
    shown = await preview(browser, "pin,name,card\n1,Ann Oak,\n2,Bob,no card\n1,Twin,\n")
    found = rows(shown)
    assert [one.split()[:4] for one in found] == [
        ["3", "2", "Bob", "mistake"],
        ["4", "1", "Twin", "mistake"],
        ["2", "1", "Ann", "Oak"],
    ]
    assert "1 is in line 2 already" in found[1]
    assert "/people/import/run" not in shown.body.decode()
    assert (await rig.api("GET", "/users/1")).json["name"] == "Ann Ash"
    assert (await rig.api("GET", "/users/2")).status == 404
    strange = await preview(browser, "who,name\n1,Ann\n")
    assert strange.status == 422
    assert "User ID ( pin ) must be one" in text_of(strange)


@pytest_twisted.ensureDeferred
async def test_an_import_stores_what_the_preview_showed(rig: Rig) -> None:
    """The second step needs no file again; removing many people needs a confirmation."""
    for number in range(1, 31):
        await person(rig, str(number), f"Person {number}")
    browser = await signed_in(rig)
    content = "pin,name\n1,Ann Ash\n50,Zoe Zander\n"
    shown = await preview(browser, content, remove_absent="true")
    assert "1 to add 1 to change 0 unchanged 29 to remove" in text_of(shown)
    (form,) = [one for one in forms_of(shown) if one[0].endswith("/import/run")]
    refused = await browser.post("/people/import/run", form[1])
    assert refused.status == 409
    assert (await rig.api("GET", "/users/50")).status == 404
    done = await browser.post("/people/import/run", {**form[1], "confirm": "29"})
    assert location(done) == "/people"
    assert [one["name"] for one in await rig.items("/users")] == ["Ann Ash", "Zoe Zander"]
    damaged = await browser.post("/people/import/run", {**form[1], "packed": "eJw="})
    assert damaged.status == 422
    assert "did not arrive completely" in text_of(damaged)


@pytest_twisted.ensureDeferred
async def test_an_enrolment_is_ordered_and_watched(rig: Rig) -> None:
    """The order goes to the terminal, and the page shows how far it is."""
    await rig.exchange("T1")
    await person(rig, "1", "Ann Ash")
    browser = await signed_in(rig)
    page = "/people/1/enrol"
    sent = await browser.send(page, page, {"device": "T1", "what": "right index"})
    watched = location(sent)
    assert watched.startswith(f"{page}?watch=")
    shown = await browser.get(watched)
    assert "The terminal has not fetched the order yet." in text_of(shown)
    live = re.search(r'sse-connect="(/console/live[^"]*)"', shown.body.decode())
    assert live is not None
    name = watched.partition("=")[2].partition("&")[0]
    assert f'sse-swap="people-enrolment:{name}/1"' in shown.body.decode()
    await rig.get("getrequest?SN=T1")
    assert "The terminal asks the person now." in text_of(await browser.get(watched))
    nothing = await browser.get(f"{page}?watch=999")
    assert nothing.status == 404
    wrong = await browser.send(page, page, {"device": "T9", "what": "card"})
    assert wrong.status == 422


@pytest_twisted.ensureDeferred
async def test_the_photo_of_a_person_needs_its_scope(rig: Rig) -> None:
    """Accounts that may see secrets see it, which is recorded; others have no link to it."""
    await rig.exchange("T1")
    await person(rig, "1", "Ann Ash")
    head = f"USERPIC PIN=1\tFileName=1.jpg\tSize={len(ENCODED)}\tContent={ENCODED}\n"
    await operate(rig, "USER PIN=1\tName=Ann Ash\tPri=0\n", head)
    browser = await signed_in(rig)
    assert '/people/1/photo"' in (await browser.get("/people/1")).body.decode()
    assert (await browser.get("/people/1/photo")).body == JPEG
    items = await rig.items("/audit")
    assert ("account ann", "read photos") in [(one["actor"], one["action"]) for one in items]
    other = await signed_in(rig, "read", "write", name="bob")
    assert '/people/1/photo"' not in (await other.get("/people/1")).body.decode()
    assert (await other.get("/people/1/photo")).status == 403


@pytest_twisted.ensureDeferred
async def test_the_places_of_a_person_have_states_and_reasons(rig: Rig) -> None:
    """A terminal that is to get the person is shown as such, beside one that has the person."""
    for sn, area in (("T1", "North"), ("T2", "South")):
        await rig.exchange(sn)
        await rig.api("PATCH", f"/devices/{sn}", {"area": area})
    await operate(rig, "USER PIN=1\tName=Ann\tPri=0\n")
    browser = await signed_in(rig)
    assert rows(await browser.get("/people/1/places")) == ["T1 is there"]
    made = await rig.api("PUT", "/areas/South", {"distributes": True})
    assert made.status == 200, made.raw
    await rig.api("PUT", "/users/1", {"areas": ["North", "South"]})
    (reconciler,) = (job for job in rig.daemon.jobs if isinstance(job, Reconciler))
    rig.clock.advance(3)
    await reconciler.work()
    found = sorted(rows(await browser.get("/people/1/places")))
    assert len(found) == 2
    assert found[1].startswith("T2 on its way")
    assert (await browser.get("/people/9/places")).status == 404


@pytest.mark.parametrize("language", ["en", "es"])
@pytest_twisted.ensureDeferred
async def test_mistakes_in_a_person_are_marked_at_their_fields(rig: Rig, language: str) -> None:
    """Each mistake stands at its field, in the language of the visit, in an open section."""
    browser = await signed_in(rig)
    browser.language = language
    fields = {
        "pin": "abc def",
        "name": "n" * 500,
        "card": "xyz",
        "vice_card": "-1",
        "start_datetime": "yesterday",
        "end_datetime": "2026-02-30",
        "group": "999999",
        "password": "1" * 17,
    }
    shown = await browser.send("/people/new", "/people/new", fields)
    assert shown.status == 422
    tree = document(shown)
    marked = {one.attrib["name"] for one in tree.iter() if one.get("aria-invalid") == "true"}
    assert marked == fields.keys()
    (section,) = (one for one in tree.iter("details") if one.get("id") != "menu")
    assert "open" in section.attrib
    words = [
        " ".join(" ".join(one.itertext()).split())
        for one in tree.iter("p")
        if one.get("class") == "wrong"
    ]
    assert len(words) == len(fields)
    assert ("digits" in " ".join(words)) is (language == "en")


@pytest_twisted.ensureDeferred
async def test_an_empty_file_is_told_as_such(rig: Rig) -> None:
    """The browser sends the same for no file, so both are named."""
    shown = await preview(await signed_in(rig), "")
    assert shown.status == 422
    assert "No file was chosen, or it is empty." in text_of(shown)


@pytest_twisted.ensureDeferred
async def test_a_password_is_asked_for_again_where_it_was_typed(rig: Rig) -> None:
    """It is never sent back; the folded fields stay open after a mistake elsewhere."""
    browser = await signed_in(rig)
    assert "<details open" not in (await browser.get("/people/new")).body.decode()
    given = {"pin": "é", "password": "246813"}
    wrong = await browser.send("/people/new", "/people/new", given)
    assert wrong.status == 422
    assert b"246813" not in wrong.body
    assert "Type the password again." in text_of(wrong)
    assert "<details open" in wrong.body.decode()
    without = await browser.send("/people/new", "/people/new", {"pin": "é"})
    assert "Type the password again." not in text_of(without)
    assert "<details open" not in without.body.decode()


@pytest_twisted.ensureDeferred
async def test_only_a_present_password_can_be_kept(rig: Rig) -> None:
    """The form says so where there is one."""
    await person(rig, "1", "Ann Ash")
    browser = await signed_in(rig)
    for page in ("/people/new", "/people/1/edit"):
        assert "keep the present one" not in text_of(await browser.get(page))
    await rig.api("PUT", "/users/1", {"password": "246813"})
    assert "keep the present one" in text_of(await browser.get("/people/1/edit"))


@pytest_twisted.ensureDeferred
async def test_a_validity_is_picked(rig: Rig) -> None:
    """The form has pickers of browsers; what they send, and what is typed, is stored alike."""
    browser = await signed_in(rig)
    fields = {"pin": "7", "name": "Ann", "start_datetime": "2026-03-01T08:00"}
    end = {"end_datetime": "2026-12-31 23:59:59"}
    await browser.send("/people/new", "/people/new", {**fields, **end})
    stored = (await rig.api("GET", "/users/7")).json
    assert stored["start_datetime"] == "2026-03-01 08:00:00"
    assert stored["end_datetime"] == "2026-12-31 23:59:59"
    shown = await browser.get("/people/7/edit")
    found = re.findall(r'type="datetime-local" value="([^"]*)"', shown.body.decode())
    assert found == ["2026-03-01T08:00:00", "2026-12-31T23:59:59"]
    assert "By the clock of each terminal." in text_of(shown)
    wrong = await browser.send(
        "/people/7/edit", "/people/7/edit", {"name": "Ann", "start_datetime": "2026-02-30T08:00"}
    )
    assert wrong.status == 422
    assert 'id="wrong-start_datetime"' in wrong.body.decode()


@pytest_twisted.ensureDeferred
async def test_a_validity_in_a_form_of_firmware_stays(rig: Rig) -> None:
    """A picker would empty what it cannot show: that is a text, and saved as it was."""
    await rig.exchange("T1")
    await operate(rig, "USER PIN=7\tName=Ann\tPri=0\tStartDatetime=20260301\n")
    browser = await signed_in(rig)
    shown = (await browser.get("/people/7/edit")).body.decode()
    assert re.search(r'name="start_datetime" type="text" value="20260301"', shown)


@pytest_twisted.ensureDeferred
async def test_people_are_listed_by_number(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the pages of the list, in its export, and on the page of the area."""
    monkeypatch.setattr("zkpush.handlers.people.pages.PER_PAGE", 2)
    for pin in ("11", "2", "10", "1"):
        await rig.api("PUT", f"/users/{pin}", {"name": f"Person {pin}", "areas": ["North"]})
    browser = await signed_in(rig)
    first = await browser.get("/people")
    link = re.search(r'href="/console(/people\?after=[^"]*)"', first.body.decode())
    assert link is not None
    both = text_of(first) + text_of(await browser.get(link[1]))
    assert re.findall(r"Person ([0-9]+)", both) == ["1", "2", "10", "11"]
    csv = (await browser.get("/people/export.csv")).body.decode()
    assert re.findall(r"Person ([0-9]+)", csv) == ["1", "2", "10", "11"]
    area = await browser.get("/areas/North")
    assert re.findall(r">Person ([0-9]+)</a>", area.body.decode()) == ["1", "2", "10", "11"]


async def ordered(rig: Rig, browser: Browser, reply: int) -> str:
    """Order an enrolment, which the terminal answers; returns the path that shows it."""
    page = "/people/1/enrol"
    sent = await browser.send(page, page, {"device": "T1", "what": "right index"})
    for line_ in (await rig.get("getrequest?SN=T1")).body.decode().splitlines():
        number = line_.split(":")[1]
        code = reply if "ENROLL" in line_ else 0
        command = "ENROLL_FP" if "ENROLL" in line_ else "DATA"
        answer = f"ID={number}&Return={code}&CMD={command}\n".encode()
        await rig.post("devicecmd?SN=T1", answer)
    return location(sent)


@pytest_twisted.ensureDeferred
async def test_an_enrolment_that_does_not_come_says_what_to_do(rig: Rig) -> None:
    """After minutes, with a link to the page that lets the terminal send its people."""
    await rig.exchange("T1")
    await operate(rig, "USER PIN=1\tName=Ann Ash\tPri=0\n")
    browser = await signed_in(rig)
    watched = await ordered(rig, browser, 0)
    assert "the terminal sends it next" in text_of(await browser.get(watched))
    rig.clock.advance(301)
    late = await browser.get(watched)
    assert "has not sent it for minutes" in text_of(late)
    assert 'href="/console/terminals/T1/people"' in late.body.decode()


@pytest_twisted.ensureDeferred
async def test_fingers_that_only_the_terminal_knows_are_explained(rig: Rig) -> None:
    """They are unknown here, or those of the person who is there by a conflict."""
    await rig.exchange("T1")
    await operate(rig, "USER PIN=1\tName=Ann Ash\tPri=0\n")
    browser = await signed_in(rig)
    watched = await ordered(rig, browser, 2)
    assert "that the server does not know" in text_of(await browser.get(watched))
    await rig.api("PUT", "/users/1", {"name": "Bob Birch"})
    await operate(rig, "USER PIN=1\tName=Cat Cedar\tPri=0\n")
    shown = await browser.get(watched)
    assert "Settle the conflict first." in text_of(shown)
    assert 'href="/console/people/conflicts"' in shown.body.decode()
