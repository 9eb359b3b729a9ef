"""User IDs of people who left, given to somebody else."""

from __future__ import annotations

import pytest_twisted

from ..rig import Rig
from ..server.test_jobs import answer_all
from .browser import Browser, hidden_of, location, signed_in, text_of
from .test_attendance import line, person, punch, rows
from .test_people import operate

MONTH = "/attendance/people/24?month=2026-03"


async def _reused(rig: Rig) -> Browser:
    """Give the user ID of somebody who left to a newcomer; both have punches. Sign in then."""
    await rig.exchange("T1")
    await person(rig, "24", "Andrés Sanz")
    await punch(rig, line("24", "2026-03-01 08:00:00"))
    assert (await rig.api("DELETE", "/users/24")).status == 200
    rig.clock.advance(7200)
    await person(rig, "24", "Nuevo Empleado")
    await punch(rig, line("24", "2026-03-01 14:30:00", 1))
    return await signed_in(rig)


@pytest_twisted.ensureDeferred
async def test_past_punches_stay_with_who_left(rig: Rig) -> None:
    """The list, the overview, searches by name and files have two people."""
    browser = await _reused(rig)
    mine = "14:30:00 Nuevo Empleado 24 Check out T1 Only fingerprint"
    earlier = "08:00:00 Andrés Sanz 24 left Check in T1 Only fingerprint"
    for query in ("", "?person=24"):
        assert rows(await browser.get(f"/attendance{query}")) == [mine, earlier]
    assert rows(await browser.get("/attendance?person=nuevo")) == [mine]
    assert rows(await browser.get("/attendance?person=andres")) == [earlier]
    sheet = (await browser.get("/attendance/export.csv?person=sanz")).body.decode()
    assert "24,Andrés Sanz," in sheet
    assert "Nuevo" not in sheet
    feed = text_of(await browser.get("/"))
    assert "Andrés Sanz" in feed
    assert "Nuevo Empleado" in feed


@pytest_twisted.ensureDeferred
async def test_each_has_a_month_and_days(rig: Rig) -> None:
    """The pages of each have the punches of one, and say whose the others are."""
    browser = await _reused(rig)
    present = await browser.get(MONTH)
    assert "Nuevo Empleado ID 24" in text_of(present)
    assert "14:30" in text_of(present)
    assert "08:00" not in text_of(present)
    assert "this user ID was that of Andrés Sanz" in text_of(present)
    listed = (await browser.get("/attendance?person=andres")).body.decode()
    (day,) = {part.split('"')[0] for part in listed.split('href="/console')[1:] if "/24/" in part}
    former = await browser.get(day)
    assert "Andrés Sanz ID 24 left" in text_of(former)
    assert "08:00:00" in text_of(former)
    assert "14:30:00" not in text_of(former)
    assert "Somebody else has this user ID now." in text_of(former)
    number = day.partition("holder=")[2]
    month = text_of(await browser.get(f"{MONTH}&holder={number}"))
    assert "Andrés Sanz ID 24 left" in month
    assert (await browser.get(f"{MONTH}&holder=99")).status == 404


@pytest_twisted.ensureDeferred
async def test_who_has_come_back_has_all_punches(rig: Rig) -> None:
    """Somebody of the same name is the same person, also after a wrong name was mended."""
    browser = await _reused(rig)
    await person(rig, "24", "andres sanz")
    assert [one[9:23] for one in rows(await browser.get("/attendance?person=andres"))] == [
        "andres sanz 24"
    ] * 2
    assert "this user ID was that of" not in text_of(await browser.get(MONTH))


@pytest_twisted.ensureDeferred
async def test_the_name_of_a_third_person_is_not_mixed_up(rig: Rig) -> None:
    """Of several people, one after the other, each has the punches of a time of their own."""
    await _reused(rig)
    assert (await rig.api("DELETE", "/users/24")).status == 200
    rig.clock.advance(7200)
    await person(rig, "24", "Andrés Sanz")
    await punch(rig, line("24", "2026-03-01 16:30:00"))
    browser = await signed_in(rig, name="eve")
    whose = [one.split(" 24")[0] for one in rows(await browser.get("/attendance"))]
    assert whose == ["16:30:00 Andrés Sanz", "14:30:00 Nuevo Empleado", "08:00:00 Andrés Sanz"]
    assert len(rows(await browser.get("/attendance?person=andres"))) == 2
    assert len(rows(await browser.get("/attendance?person=nuevo"))) == 1


@pytest_twisted.ensureDeferred
async def test_the_console_asks_before_a_user_id_is_given_to_somebody_else(rig: Rig) -> None:
    """The question says what happens, and which user ID is free."""
    await rig.exchange("T1")
    await person(rig, "24", "Andrés Sanz")
    assert (await rig.api("DELETE", "/users/24")).status == 200
    browser = await signed_in(rig)
    new = "/people/new"
    assert "The next free one is 25" in text_of(await browser.get(new))
    asked = await browser.send(new, new, {"pin": "24", "name": "Nuevo Empleado"})
    assert "was that of Andrés Sanz, who left" in text_of(asked)
    assert "The next free user ID is 25" in text_of(asked)
    assert (await rig.api("GET", "/users/24")).status == 404
    (_, hidden), _ = [one for one in hidden_of(asked) if one[0].endswith(new)]
    assert location(await browser.post(new, dict(hidden))) == "/people/24"
    assert (await rig.api("DELETE", "/users/24")).status == 200
    again = await browser.send(new, new, {"pin": "24", "name": "Nuevo Empleado"})
    assert location(again) == "/people/24", "the same person is not asked about"


@pytest_twisted.ensureDeferred
async def test_an_import_says_whose_user_ids_it_gives_away(rig: Rig) -> None:
    """The check of the file says it, as does the API."""
    await rig.exchange("T1")
    await person(rig, "24", "Andrés Sanz")
    assert (await rig.api("DELETE", "/users/24")).status == 200
    told = await rig.api("POST", "/users/import?dry_run=true", b"pin,name\n24,Nuevo\n25,Ann\n")
    first, second = told.json["lines"]
    assert "was that of Andrés Sanz, who left" in first["detail"]
    assert second["detail"] == ""
    done = await rig.api("POST", "/users/import", b"pin,name\n24,Nuevo\n25,Ann\n")
    assert done.json["stored"]
    named = (await rig.api("GET", "/names?pins=24")).json
    assert named["names"] == {"24": "Nuevo"}
    assert [one["name"] for one in named["earlier"]] == ["Andrés Sanz"]


@pytest_twisted.ensureDeferred
async def test_the_erasure_of_the_newcomer_spares_who_left(rig: Rig) -> None:
    """Only punches of the newcomer are erased; the name of who left stays with the others."""
    browser = await _reused(rig)
    done = await rig.api("DELETE", "/users/24?erase=true&attendance=true")
    assert done.status == 200
    assert rows(await browser.get("/attendance")) == [
        "08:00:00 Andrés Sanz 24 left Check in T1 Only fingerprint"
    ]


@pytest_twisted.ensureDeferred
async def test_who_left_can_be_erased_though_somebody_else_has_the_user_id(rig: Rig) -> None:
    """The name goes, and the punches do not become those of somebody else."""
    browser = await _reused(rig)
    (one,) = (await rig.api("GET", "/users/24/earlier")).json["items"]
    path = f"/attendance/people/24/earlier/{one['id']}"
    assert f"/console{path}" in (await browser.get(f"{MONTH}&holder={one['id']}")).body.decode()
    wrong = await browser.send(path, path, {"confirm": "7"})
    assert wrong.status == 422
    assert location(await browser.send(path, path, {"confirm": "24"})) == "/people"
    listed = rows(await browser.get("/attendance"))
    assert listed[1] == "08:00:00 24 erased person, not Nuevo Empleado Check in T1 Only fingerprint"
    assert "Andrés" not in text_of(await browser.get("/attendance?person=24"))
    assert (await rig.api("GET", "/users/24/earlier")).json["items"] == []


@pytest_twisted.ensureDeferred
async def test_the_punches_of_who_left_are_erased_alone(rig: Rig) -> None:
    """The API erases them with the name, and nothing of the newcomer."""
    browser = await _reused(rig)
    (one,) = (await rig.api("GET", "/users/24/earlier")).json["items"]
    gone = await rig.api("DELETE", f"/users/24/earlier/{one['id']}?attendance=true")
    assert gone.status == 204
    assert [each[:23] for each in rows(await browser.get("/attendance"))] == [
        "14:30:00 Nuevo Empleado"
    ]


@pytest_twisted.ensureDeferred
async def test_who_is_limited_does_not_see_the_name_of_another_area(rig: Rig) -> None:
    """The punches have no name then, neither that of who left nor that of the newcomer."""
    await _reused(rig)
    await rig.api("PUT", "/users/24", {"areas": ["South"]})
    await rig.api("PATCH", "/devices/T1", {"area": "South", "timezone": "UTC"})
    limited = await signed_in(rig, "read", name="bob", areas=["South"])
    assert [one[:20] for one in rows(await limited.get("/attendance"))] == [
        "14:30:00 Nuevo Emple",
        "08:00:00 24 earlier ",
    ]
    assert "Nobody has" in text_of(await limited.get("/attendance?person=andres"))


@pytest_twisted.ensureDeferred
async def test_punches_where_who_left_still_is_are_doubtful(rig: Rig) -> None:
    """A finger of who left works on at the terminal, until that has deleted the user."""
    for sn in ("T1", "T2"):
        await rig.exchange(sn)
    await operate(rig, "USER PIN=24\tName=Andrés Sanz\tPri=0\n", sn="T1")
    assert (await rig.api("DELETE", "/users/24")).status == 200
    rig.clock.advance(7200)
    await person(rig, "24", "Nuevo Empleado")
    for number, sn in enumerate(("T1", "T2")):
        await punch(rig, line("24", f"2026-03-01 1{4 + number}:30:00"), sn=sn)
    browser = await signed_in(rig)
    there, elsewhere = reversed(rows(await browser.get("/attendance?person=24")))
    assert "At T1 , this ID is Andrés Sanz ." in there
    assert "may be another person's" not in elsewhere
    places = text_of(await browser.get("/people/24/places"))
    assert "has somebody else" in places
    await rig.api(
        "POST", "/devices/T1/commands", {"command": "DATA DELETE USERINFO", "params": {"PIN": "24"}}
    )
    await answer_all(rig, "T1")
    await punch(rig, line("24", "2026-03-01 16:30:00"), sn="T1")
    latest = rows(await browser.get("/attendance?person=24"))[0]
    assert "16:30:00 Nuevo Empleado" in latest
    assert "another person's" not in latest


@pytest_twisted.ensureDeferred
async def test_who_comes_back_is_nobody_else(rig: Rig) -> None:
    """The same name is the same person, whom the terminal has."""
    await rig.exchange("T1")
    await operate(rig, "USER PIN=24\tName=Andrés Sanz\tPri=0\n", sn="T1")
    assert (await rig.api("DELETE", "/users/24")).status == 200
    await person(rig, "24", "andres sanz")
    await punch(rig, line("24", "2026-03-01 10:30:00"))
    (only,) = rows(await (await signed_in(rig)).get("/attendance?person=24"))
    assert "another person's" not in only


async def erased_with_doubts(rig: Rig) -> tuple[Browser, str]:
    """An erased person whose ID a newcomer has, where Fatima works; with the path of a decision."""
    await rig.exchange("T1")
    await person(rig, "24", "Luis Vega")
    await operate(rig, "USER PIN=24\tName=Fatima Brandt\tPri=0\n", sn="T1")
    await punch(rig, line("24", "2026-03-01 08:00:00"))
    assert (await rig.api("DELETE", "/users/24?erase=true")).status == 200
    shown = text_of(await (await signed_in(rig, name="before")).get(MONTH))
    assert "Punches of Fatima Brandt" in shown
    assert "Punches of 24 Punches of Fatima" not in shown
    rig.clock.advance(7200)
    await person(rig, "24", "Pau Nou")
    await punch(rig, line("24", "2026-03-01 14:30:00", 1))
    first = (await rig.items("/conflicts/punches"))[0]
    return await signed_in(rig), f"/conflicts/punches/{first['id']}"


@pytest_twisted.ensureDeferred
async def test_punches_from_before_a_newcomer_are_not_offered_to_the_newcomer(rig: Rig) -> None:
    """They cannot be given to who is erased either, and keep their mark; later ones are offered."""
    browser, path = await erased_with_doubts(rig)
    month = text_of(await browser.get(MONTH))
    assert "1 punch in all: whose is it?" in month
    assert "08:00" not in month
    assert [one["punches"] for one in await rig.items("/conflicts/punches")] == [1, 1]
    refused = await rig.api("POST", path, {"owner": "person"})
    assert refused.status == 409
    assert "is erased" in refused.body.decode()
    mark = "may be another person's"
    listed = rows(await browser.get("/attendance?order=oldest"))
    assert [mark in one for one in listed] == [True, True]
    assert (await rig.api("POST", path, {"owner": "other"})).status == 200
    listed = rows(await browser.get("/attendance?order=oldest"))
    assert "another person's" in listed[0]
    assert [mark in one for one in listed] == [False, True]


@pytest_twisted.ensureDeferred
async def test_the_user_id_of_an_erased_person_with_punches_is_asked_about(rig: Rig) -> None:
    """The search finds those punches by the exact ID, though other IDs begin alike."""
    await rig.exchange("T1")
    for pin, name in (("2", "Luis Vega"), ("20", "Ann Lee"), ("21", "Bob Ray")):
        await person(rig, pin, name)
    await punch(rig, line("2", "2026-03-01 08:00:00"))
    assert (await rig.api("DELETE", "/users/2?erase=true")).status == 200
    browser = await signed_in(rig)
    (found,) = rows(await browser.get("/attendance?person=2"))
    assert found.startswith("08:00:00 2 ")
    fields = {"pin": "2", "name": "Pau Nou"}
    asked = text_of(await browser.send("/people/new", "/people/new", fields))
    assert "was that of a person who is erased, and 1 punch is stored under it." in asked
    assert (await rig.api("GET", "/users/2")).status == 404
    await browser.confirm("/people/new", "/people/new", fields)
    assert (await rig.api("GET", "/users/2")).json["name"] == "Pau Nou"


@pytest_twisted.ensureDeferred
async def test_an_import_and_the_names_say_whose_user_id_was_erased(rig: Rig) -> None:
    """With the number of punches that are stored under it; without any, nothing is to be said."""
    await rig.exchange("T1")
    for pin in ("2", "3"):
        await person(rig, pin, "Luis Vega")
    await punch(rig, line("2", "2026-03-01 08:00:00"))
    for pin in ("2", "3"):
        assert (await rig.api("DELETE", f"/users/{pin}?erase=true")).status == 200
    assert (await rig.api("GET", "/names?pins=2,3,4")).json["erased"] == ["2", "3"]
    told = await rig.api("POST", "/users/import?dry_run=true", b"pin,name\n2,Pau\n3,Ann\n4,Bob\n")
    first, *others = [one["detail"] for one in told.json["lines"]]
    assert "was that of a person who is erased, and 1 punch is stored under it." in first
    assert others == ["", ""]


@pytest_twisted.ensureDeferred
async def test_punches_of_nobody_are_asked_about(rig: Rig) -> None:
    """A user ID that only punches have is given to a new person after a question, in all ways."""
    await rig.exchange("T1")
    await punch(rig, line("2", "2026-03-01 08:00:00"))
    browser = await signed_in(rig)
    fields = {"pin": "2", "name": "Pau Nou"}
    told = await rig.api("POST", "/users/import?dry_run=true", b"pin,name\n2,Pau\n3,Ann\n")
    imported, unused = [one["detail"] for one in told.json["lines"]]
    asked = text_of(await browser.send("/people/new", "/people/new", fields))
    for text in (asked, imported):
        assert "1 punch is stored under the user ID 2, which nobody has here." in text
    assert unused == ""
    await browser.confirm("/people/new", "/people/new", fields)
    (found,) = rows(await browser.get("/attendance?person=2"))
    assert found.startswith("08:00:00 Pau Nou 2 ")


@pytest_twisted.ensureDeferred
async def test_a_limited_account_is_asked_about_punches_of_its_terminals(rig: Rig) -> None:
    """Those of other areas are not mentioned."""
    for sn, area in (("T1", "North"), ("T2", "South")):
        await rig.exchange(sn)
        await rig.api("PATCH", f"/devices/{sn}", {"area": area})
    await punch(rig, line("2", "2026-03-01 08:00:00"))
    await punch(rig, line("3", "2026-03-01 08:00:00"), sn="T2")
    browser = await signed_in(rig, areas=["North"])
    fields = {"pin": "2", "name": "Pau Nou"}
    asked = text_of(await browser.send("/people/new", "/people/new", fields))
    assert "1 punch of your terminals is stored under the user ID 2 already." in asked
    added = await browser.send("/people/new", "/people/new", {"pin": "3", "name": "Eva"})
    assert location(added) == "/people/3"
