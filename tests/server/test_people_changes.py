"""People by the API: add, change, remove, erase, import, history and conflicts."""

from __future__ import annotations

import pytest
import pytest_twisted
from sqlalchemy import update

from zkpush.manage.problemnews import ProblemAnnouncer
from zkpush.persist.events import EventStore
from zkpush.persist.schema import metadata
from zkpush.persist.sealed import opened
from zkpush.testing.rig import TOKEN

from ..rig import Rig

AUTHORIZED = f"Authorization: Bearer {TOKEN}"

USERS = b"USER PIN=5\tName=Ann\tCard=77\tPri=0\nUSER PIN=6\tName=Bob\tPri=14\n"


async def said(rig: Rig, body: bytes, sn: str = "T1") -> None:
    """Let an approved terminal upload people."""
    await rig.api("PATCH", f"/devices/{sn}", {"state": "approved"})
    await rig.exchange(sn)
    assert (await rig.post(f"cdata?SN={sn}&table=OPERLOG&Stamp=1", body)).status == 200


async def import_(rig: Rig, text: str, query: str = ""):
    """Import people from CSV."""
    return await rig.api("POST", f"/users/import{query}", text.encode())


@pytest_twisted.ensureDeferred
async def test_a_person_is_added_and_changed(rig: Rig) -> None:
    """A caller becomes the author of what it sets; what it leaves out stays."""
    added = await rig.api("PUT", "/users/9", {"name": "Cid", "areas": ["North"], "password": "12"})
    assert (added.status, added.json["name"], added.json["areas"]) == (200, "Cid", ["North"])
    changed = await rig.api("PUT", "/users/9", {"card": "4711", "name": "Cyd"})
    assert (changed.json["name"], changed.json["card"]) == ("Cyd", "4711")
    history = await rig.items("/users/9/history")
    assert [(one["field"], one["old"], one["new"]) for one in history] == [
        ("card", None, "4711"),
        ("name", "Cid", "Cyd"),
        ("areas", None, "North"),
        ("password", None, "12"),
        ("name", None, "Cid"),
    ]
    assert {one["author"] for one in history} == {"token admin"}


@pytest.mark.parametrize(
    ("pin", "body", "mistakes"),
    [
        ("5", {"privilege": 3}, ["privilege: 3 is none of"]),
        (
            "5",
            {"name": "a\tb", "timezones": "1"},
            ["name: A tab or a line break can be no part of it", "timezones: '1'"],
        ),
        ("5%09", {"name": "a"}, ["pin: A user ID is 1 to 24 digits or letters"]),
        ("5", {"areas": [" North"]}, ["areas: ' North' is no name"]),
        ("5", {"nome": "a"}, ["nome", "did you mean name?"]),
        ("5", {"privilege": 15}, ["15 is none of 0 (User), 2 (Registrar), 6 (Administrator)"]),
        ("5", {"verify": "face"}, ["verify: it is an integer or null", "15: Face", "-1: As the"]),
        (
            "5",
            {"expires": "maybe", "end_datetime": "tomorrow", "start_datetime": "2027-02-30 00:00"},
            [
                "expires: 'maybe' is not 0 (validity does not end) or 1",
                "end_datetime: 'tomorrow' is not a time of the form YYYY-MM-DD HH:MM:SS",
                "start_datetime: '2027-02-30 00:00' is not a time",
            ],
        ),
        ("5", {"timezones": "1"}, ["timezones: '1' is not 16 digits: four numbers of 4 digits"]),
        ("a%3Db", {"name": "a"}, ["pin: A user ID is 1 to 24 digits or letters"]),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_wrong_change_stores_nothing(rig: Rig, pin, body, mistakes) -> None:
    """All mistakes are named, by the fields of the API."""
    refused = await rig.api("PUT", f"/users/{pin}", body)
    assert refused.status == 400
    for mistake in mistakes:
        assert mistake in refused.json["detail"]
    assert await rig.items("/users") == []


@pytest_twisted.ensureDeferred
async def test_the_validity_of_a_person_is_a_time_in_each_of_its_forms(rig: Rig) -> None:
    """A wall clock time, or the packed integer of firmware."""
    body = {"start_datetime": "2027-01-01 00:00:00", "end_datetime": "874108800", "expires": "1"}
    stored = await rig.api("PUT", "/users/5", body)
    assert {name: stored.json[name] for name in body} == body


@pytest_twisted.ensureDeferred
async def test_what_firmware_says_stays_although_nobody_could_enter_it(rig: Rig) -> None:
    """A word of a terminal is kept, exported and imported again, and may be chosen."""
    await said(rig, b"USER PIN=5\tName=Ann\tEndDatetime=never\n")
    found = await import_(rig, "pin,card,end_datetime\n5,77,never\n")
    assert (found.status, found.json["changed"], found.json["errors"]) == (200, 1, 0)
    wrong = await import_(rig, "pin,end_datetime,verify\n5,x,card\n")
    (line,) = wrong.json["lines"]
    assert line["action"] == "error"
    assert "end_datetime: 'x' is not a time" in line["detail"]
    assert "verify: 'card' is not an integer, such as -1 (As the group of" in line["detail"]
    await said(rig, b"USER PIN=5\tName=Ann\tEndDatetime=ever\n", "T2")
    (conflict,) = await rig.items("/conflicts")
    chosen = await rig.api("POST", f"/conflicts/{conflict['id']}", {"keep": "terminal"})
    assert (chosen.status, chosen.json["end_datetime"]) == (200, "ever")


@pytest_twisted.ensureDeferred
async def test_two_people_under_one_pin_are_a_problem_until_somebody_chooses(rig: Rig) -> None:
    """With both sides; what is chosen is the operator's word from then on."""
    await said(rig, USERS)
    await said(rig, b"USER PIN=5\tName=Eve\tCard=78\n", "T2")
    (conflict,) = await rig.items("/conflicts")
    assert conflict["meaning"] == (
        "Terminal T2 has another name under the user ID 5, perhaps another person"
    )
    assert conflict["sides"] == [
        {"author": "device T1", "fields": {"name": "Ann", "card": "77"}},
        {"author": "device T2", "fields": {"name": "Eve", "card": "78"}},
    ]
    (problem,) = [one for one in await rig.items("/problems") if one["code"] == "conflict"]
    assert problem["subject"] == "people"
    assert problem["detail"] == (
        "1 conflict about 1 user: Terminal T2 has another name under the user ID 5, perhaps "
        f"another person (conflict {conflict['id']})."
    )
    chosen = await rig.api("POST", f"/conflicts/{conflict['id']}", {"keep": "terminal"})
    assert (chosen.json["name"], chosen.json["card"]) == ("Eve", "78")
    assert await rig.items("/conflicts") == []
    assert [one for one in await rig.items("/problems") if one["code"] == "conflict"] == []
    again = await rig.api("POST", f"/conflicts/{conflict['id']}", {"keep": "stored"})
    assert again.status == 404


@pytest_twisted.ensureDeferred
async def test_many_conflicts_are_one_problem_with_their_number(rig: Rig) -> None:
    """A terminal with another list of people does not bury what else is wrong."""
    people = [b"USER PIN=%d\tName=A%d\n" % (number, number) for number in range(1, 8)]
    await said(rig, b"".join(people))
    await said(rig, b"".join(people).replace(b"Name=A", b"Name=B"), "T2")
    await said(rig, b"USER PIN=1\tName=C1\n", "T3")
    problems = [one for one in await rig.items("/problems") if one["code"] == "conflict"]
    (detail,) = [one["detail"] for one in problems]
    assert detail == (
        "8 conflicts about 7 users: 1, 7, 6, 5, 4, 3, 2. The newest: Terminal T3 has another name "
        "under the user ID 1, perhaps another person (conflict 8)."
    )
    checks = (await rig.api("GET", "/doctor")).json["checks"]
    (check,) = [one for one in checks if one["name"] == "conflict"]
    assert "`zkpush conflicts list`" in check["advice"]


@pytest_twisted.ensureDeferred
async def test_each_conflict_is_noticed(rig: Rig) -> None:
    """Each is an event about its user, and the problem is announced again for a further one."""
    (announcer,) = (job for job in rig.daemon.jobs if isinstance(job, ProblemAnnouncer))

    async def announced() -> list[str]:
        await announcer.look()
        events = await rig.store.read(lambda tx: tx[EventStore].of_kind("problem", 0))
        ours = [one.data for one in events if one.data["code"] == "conflict"]
        return [f"{one['what']} {one['detail'].partition(':')[0]}" for one in ours]

    await said(rig, b"USER PIN=1\tName=A\nUSER PIN=2\tName=B\n")
    await said(rig, b"USER PIN=1\tName=C\n", "T2")
    assert await announced() == ["raised 1 conflict about 1 user"]
    assert len(await announced()) == 1
    await said(rig, b"USER PIN=2\tName=D\n", "T2")
    assert (await announced())[1:] == ["raised 2 conflicts about 2 users"]
    first, second = await rig.items("/conflicts?order=asc")
    for one, rest in ((first, []), (second, ["cleared 2 conflicts about 2 users"])):
        await rig.api("POST", f"/conflicts/{one['id']}", {"keep": "stored"})
        assert (await announced())[2:] == rest
    events = await rig.store.read(lambda tx: tx[EventStore].of_kind("user", 0))
    told = [
        (one.data["pin"], one.data["device"]) for one in events if one.data["what"] == "conflict"
    ]
    assert told == [("1", "T2"), ("2", "T2")]


@pytest_twisted.ensureDeferred
async def test_a_choice_may_be_neither_side(rig: Rig) -> None:
    """Or the stored one."""
    await said(rig, USERS)
    await said(rig, b"USER PIN=5\tName=Eve\n", "T2")
    (conflict,) = await rig.items("/conflicts")
    for wrong in ({}, {"keep": "stored", "fields": {}}, {"fields": {"nome": "x"}}):
        assert (await rig.api("POST", f"/conflicts/{conflict['id']}", wrong)).status == 400
    chosen = await rig.api("POST", f"/conflicts/{conflict['id']}", {"fields": {"name": "Ann Eve"}})
    assert (chosen.status, chosen.json["name"]) == (200, "Ann Eve")
    await said(rig, b"USER PIN=6\tName=Rob\n", "T2")
    (conflict,) = await rig.items("/conflicts")
    kept = await rig.api("POST", f"/conflicts/{conflict['id']}", {"keep": "stored"})
    assert kept.json["name"] == "Bob"


@pytest_twisted.ensureDeferred
async def test_a_removed_person_is_gone_here_and_told_where_not(rig: Rig) -> None:
    """The answer names the terminals that still have the person; one of them is a problem."""
    await said(rig, USERS)
    removed = await rig.api("DELETE", "/users/5")
    assert (removed.status, removed.json["devices"], removed.json["commands"]) == (200, ["T1"], [])
    assert [one["pin"] for one in await rig.items("/users")] == ["6"]
    rig.clock.advance(1)
    await said(rig, b"USER PIN=5\tName=Ann\tCard=77\tGrp=2\n")
    assert [one["pin"] for one in await rig.items("/users")] == ["6"]
    (problem,) = [one for one in await rig.items("/problems") if one["code"] == "removed person"]
    assert "5" in problem["detail"]
    assert (await rig.api("DELETE", "/users/5")).status == 404


@pytest_twisted.ensureDeferred
async def test_a_removed_person_is_a_problem_until_deleted_at_the_terminal(rig: Rig) -> None:
    """Also if the terminal uploads nothing meanwhile; then it holds nothing of the person."""

    async def problems() -> list[str]:
        found = await rig.items("/problems")
        return [one["subject"] for one in found if one["code"] == "removed person"]

    await said(rig, USERS + b"FP PIN=5\tFID=1\tTMP=AAAA\n")
    await rig.api("DELETE", "/users/5")
    assert await problems() == ["terminal T1"]
    (queued,) = (await rig.api("DELETE", "/devices/T1/users/5")).json["items"]
    assert b"DATA DELETE" in (await rig.get("getrequest?SN=T1")).body
    rig.clock.advance(1)
    await rig.post("devicecmd?SN=T1", f"ID={queued['id']}&Return=0&CMD=DATA".encode())
    assert await problems() == []
    await rig.api("PUT", "/users/5", {"name": "Ann"})
    assert (await rig.api("DELETE", "/users/5")).json["devices"] == []


@pytest_twisted.ensureDeferred
async def test_an_erased_person_is_deleted_from_terminals(rig: Rig) -> None:
    """Commands about the person lose what they hold; the audit log has no user ID."""
    await said(rig, USERS + b"FP PIN=5\tFID=1\tTMP=AAAA\n")
    (queued,) = (await rig.api("PUT", "/devices/T1/users/5")).json["items"]
    erased = await rig.api("DELETE", "/users/5?erase=true")
    assert erased.status == 200
    (command,) = erased.json["commands"]
    assert (command["device"], command["command"]) == ("T1", "DATA DELETE USERINFO")
    old = (await rig.api("GET", f"/commands/{queued['id']}")).json
    assert (old["state"], old["params"]) == ("cancelled", {})
    assert "erased" in old["reason"]
    acts = [one for one in await rig.items("/audit") if one["action"] == "erase person"]
    assert len(acts) == 1
    assert acts[0]["subject"].startswith("person:")
    poll = await rig.get("getrequest?SN=T1")
    assert b"DATA DELETE USERINFO PIN=5" in poll.body


@pytest_twisted.ensureDeferred
async def test_nothing_of_an_erased_person_is_left(make_rig, database: str) -> None:
    """Neither in a table, but for events and deletions, nor at a terminal that got the person."""
    rig = await make_rig(database=database)
    photo = "USERPIC PIN=50077\tFileName=50077.jpg\tContent=/9j/\n"
    await said(rig, f"USER PIN=50077\tName=Zaphod\nFP PIN=50077\tTMP=AAAA\n{photo}".encode())
    await said(rig, b"USER PIN=50077\tName=Zaphood\n", "T2")
    await rig.api("PATCH", "/devices/T3", {"state": "approved"})
    await rig.exchange("T3")
    assert (await rig.api("PUT", "/devices/T1/users/50077")).status == 202
    (sent,) = (await rig.api("PUT", "/devices/T3/users/50077")).json["items"]
    assert b"Zaphod" in (await rig.get("getrequest?SN=T3")).body
    await rig.api("PUT", "/users/50077", {"name": "Zaphod B"})

    erased = await rig.api("DELETE", "/users/50077?erase=true")
    assert erased.json["devices"] == ["T1", "T2", "T3"]
    assert {one["command"] for one in erased.json["commands"]} == {"DATA DELETE USERINFO"}
    assert await rig.store.read(mentions("Zaph")) == set()
    assert await rig.store.read(mentions("50077")) == {"commands", "events"}
    late = f"ID={sent['id']}&Return=0&CMD=DATA".encode()
    assert (await rig.post("devicecmd?SN=T3", late)).body == b"OK"
    assert (await rig.api("GET", f"/commands/{sent['id']}")).json["return_code"] == 0
    assert await rig.items("/users") == []
    assert b"DATA DELETE USERINFO PIN=50077" in (await rig.get("getrequest?SN=T3")).body


def mentions(word: str):
    """A query for the tables that have a word in a column, encrypted or not."""

    def query(tx) -> set[str]:
        found = set()
        for table in metadata.sorted_tables:
            for row in tx.connection.execute(table.select()):
                values = opened(tx.vault, table, row._mapping)
                if word in repr(values):
                    found.add(str(table.name))
        return found

    return query


@pytest_twisted.ensureDeferred
async def test_a_deletion_that_was_queued_before_an_erasure_is_queued_again(rig: Rig) -> None:
    """Also of a person whom nobody but the terminal knows."""
    await said(rig, USERS)
    assert (await rig.api("DELETE", "/devices/T1/users/88")).status == 202
    assert (await rig.api("DELETE", "/users/88?erase=true")).json["devices"] == ["T1"]
    assert b"DATA DELETE USERINFO PIN=88" in (await rig.get("getrequest?SN=T1")).body
    assert (await rig.api("DELETE", "/users/89?erase=true")).status == 404


@pytest_twisted.ensureDeferred
async def test_what_an_operator_empties_is_emptied_at_terminals(rig: Rig) -> None:
    """Fields that nobody has stated are left out; a privilege is taken away by that of a user."""
    await said(rig, b"USER PIN=5\tName=Ann\tPri=14\tPasswd=12\tCard=77\tTZ=0001000100000000\n")
    emptied = {"card": None, "password": "", "privilege": None, "verify": None, "timezones": None}
    assert (await rig.api("PUT", "/users/5", emptied)).status == 200
    (queued,) = (await rig.api("PUT", "/devices/T1/users/5")).json["items"]
    periods = "0000000000000000"
    expected = {"PIN": "5", "Name": "Ann", "Card": "", "Pri": "0", "TZ": periods, "Verify": "-1"}
    assert {**queued["params"], "Passwd": None} == {**expected, "Passwd": None}
    line = (await rig.get("getrequest?SN=T1")).body.strip()
    sent = b"PIN=5\tName=Ann\tPri=0\tPasswd=\tCard=\tTZ=%s\tVerify=-1" % periods.encode()
    assert line.endswith(b"DATA UPDATE USERINFO " + sent)
    answer = f"ID={queued['id']}&Return=0&CMD=DATA".encode()
    assert (await rig.post("devicecmd?SN=T1", answer)).body == b"OK"
    history = await rig.items("/users/5/history")
    assert len([one for one in history if one["author"] == "command"]) == 0


@pytest_twisted.ensureDeferred
async def test_a_user_is_shown_with_the_authors_of_the_fields(rig: Rig) -> None:
    """Fields without a value have none."""
    await said(rig, USERS)
    await rig.api("PUT", "/users/5", {"name": "Anne", "card": None})
    authors = (await rig.api("GET", "/users/5")).json["authors"]
    assert authors == {"name": "token admin", "privilege": "device T1", "verify": "device T1"}
    assert "authors" not in (await rig.items("/users"))[0]


@pytest_twisted.ensureDeferred
async def test_an_export_can_be_imported_unchanged(rig: Rig) -> None:
    """With and without a mark of the byte order, whatever a spreadsheet makes of the line ends."""
    await said(rig, b'USER PIN=5\tName==Ann, "A"\tCard=77\nUSER PIN=6\tName=Bob\n')
    await rig.api("PUT", "/users/5", {"areas": ["North", "South East"]})
    await rig.api("PUT", "/users/6", {"areas": ["North, really", "South"]})
    headers = (AUTHORIZED, "Accept: text/csv")
    export = (await rig.api("GET", "/users?secrets=true", headers=headers)).body
    for body in (export, b"\xef\xbb\xbf" + export, export.replace(b"\r\n", b"\n")):
        report = (await rig.api("POST", "/users/import", body)).json
        assert (report["stored"], report["unchanged"], report["lines"]) == (True, 2, [])
    moved = export.replace(b"\n5,", b"\n51,").replace(b"\n6,", b"\n61,").replace(b",77,", b",78,")
    assert (await rig.api("POST", "/users/import", moved)).json["added"] == 2
    people = {one["pin"]: (one["name"], one["areas"]) for one in await rig.items("/users")}
    assert people["51"] == people["5"] == ('=Ann, "A"', ["North", "South East"])
    assert people["61"] == people["6"] == ("Bob", ["North, really", "South"])


@pytest_twisted.ensureDeferred
async def test_a_choice_of_the_wrong_type_is_refused(rig: Rig) -> None:
    """The conflict stays open."""
    await said(rig, USERS)
    await said(rig, b"USER PIN=5\tName=Eve\n", "T2")
    (conflict,) = await rig.items("/conflicts")
    for fields, mistake in (
        ({"name": 5}, "name: '5' is not a text"),
        ({"privilege": "high"}, "privilege: 'high' is not an integer, such as 0 (User)"),
    ):
        refused = await rig.api("POST", f"/conflicts/{conflict['id']}", {"fields": fields})
        assert refused.status == 400
        assert refused.json["detail"].startswith(mistake)
    assert len(await rig.items("/conflicts")) == 1


@pytest_twisted.ensureDeferred
async def test_a_damaged_value_does_not_keep_a_conflict_open(rig: Rig) -> None:
    """The stored side is kept, and the damaged value stays as it is."""
    await said(rig, b"USER PIN=5\tName=Ann\tPasswd=12\n")
    await said(rig, b"USER PIN=5\tName=Eve\tPasswd=13\n", "T2")
    broken = update(metadata.tables["users"]).values(password=b"broken")
    await rig.store.write(lambda tx: tx.connection.execute(broken))
    (conflict,) = await rig.items("/conflicts")
    kept = await rig.api("POST", f"/conflicts/{conflict['id']}", {"keep": "stored"})
    assert (kept.status, kept.json["name"]) == (200, "Ann")
    assert (await rig.api("GET", "/users/5")).json["damaged"] == ["password"]


@pytest_twisted.ensureDeferred
async def test_a_file_is_imported_as_a_whole(rig: Rig) -> None:
    """With a dry run first; empty cells say nothing."""
    await said(rig, USERS)
    text = 'pin,name,card,areas\n5,Ann,,\n6,Robert,,North\n7,Cid,99,"North, South"\n'
    dry = await import_(rig, text, "?dry_run=true")
    assert dry.json == {
        "stored": False,
        "added": 1,
        "changed": 1,
        "unchanged": 1,
        "removed": 0,
        "errors": 0,
        "new_areas": ["North", "South"],
        "lines": [
            {
                "line": 3,
                "pin": "6",
                "name": "Robert",
                "action": "change",
                "detail": "name, areas",
            },
            {"line": 4, "pin": "7", "name": "Cid", "action": "add", "detail": ""},
        ],
    }
    assert len(await rig.items("/users")) == 2
    assert (await import_(rig, text)).json["stored"] is True
    people = {
        one["pin"]: (one["name"], one["card"], one["areas"]) for one in await rig.items("/users")
    }
    assert people == {
        "5": ("Ann", "77", ["default"]),
        "6": ("Robert", None, ["North"]),
        "7": ("Cid", "99", ["North", "South"]),
    }
    assert (await import_(rig, text)).json["unchanged"] == 3


@pytest_twisted.ensureDeferred
async def test_a_wrong_line_keeps_the_whole_file_out(rig: Rig) -> None:
    """Each has its number and all its mistakes."""
    text = "pin,name,privilege\n5,Ann,3\n5,Bob,0\n6,Cid,x\n7,Dee,0\n8,Eve\n"
    report = (await import_(rig, text)).json
    assert (report["stored"], report["errors"]) == (False, 4)
    assert [(one["line"], one["action"]) for one in report["lines"]] == [
        (2, "error"),
        (3, "error"),
        (4, "error"),
        (5, "add"),
        (6, "error"),
    ]
    assert report["lines"][1]["detail"] == "pin: 5 is in line 2 already"
    assert await rig.items("/users") == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("name\nAnn\n", "User ID (`pin`) must be one"),
        ("pin,salary\n1,2\n", "Unknown columns: salary"),
        ("pin,pin\n1,2\n", "exist twice: pin"),
        ('pin,name\n1,Ann\n2,"Bo', "line 3: unexpected end of data"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_is_no_table_of_people_is_refused(rig: Rig, text: str, words: str) -> None:
    """With what is wrong."""
    refused = await import_(rig, text)
    assert refused.status == 400
    assert words in refused.json["detail"]


@pytest_twisted.ensureDeferred
async def test_one_slip_removes_no_company(rig: Rig) -> None:
    """Three people and 5 % of all need the count as confirmation; an export can be imported."""
    everybody = "".join(f"USER PIN={pin}\tName=N{pin}\n" for pin in range(1, 31)).encode()
    await said(rig, everybody)
    export = (
        await rig.api("GET", "/users", headers=(AUTHORIZED, "Accept: text/csv"))
    ).body.decode()
    lines = export.splitlines()
    less = "\n".join([*lines[:1], *lines[4:]]) + "\n"
    refused = await import_(rig, less, "?remove_absent=true")
    assert refused.status == 409
    assert "3 of 30 people" in refused.json["detail"]
    assert len(await rig.items("/users")) == 30
    done = await import_(rig, less, "?remove_absent=true&confirm=3")
    assert (done.json["stored"], done.json["removed"]) == (True, 3)
    assert len(await rig.items("/users")) == 27


PUNCHES = (
    b"5\t2026-03-01 08:00:00\t0\t1\n6\t2026-03-01 08:01:00\t0\t1\n5\t2026-03-01 17:00:00\t1\t1\n"
)


@pytest.mark.parametrize(("query", "left"), [("", 3), ("&attendance=true", 1)])
@pytest_twisted.ensureDeferred
async def test_punches_of_an_erased_person_stay_unless_asked_for(rig: Rig, query, left) -> None:
    """Photos taken with them go; the records of others stay in every list."""
    await said(rig, USERS)
    assert (await rig.post("cdata?SN=T1&table=ATTLOG&Stamp=1", PUNCHES)).status == 200
    photo = b"PIN=20260301080000-5.jpg\nSN=T1\nsize=4\nCMD=uploadphoto\x00\xff\xd8\xff\xd9"
    assert (await rig.post("cdata?SN=T1&table=ATTPHOTO&Stamp=1", photo)).status == 200
    assert [one["pin"] for one in await rig.items("/photos")] == ["5"]
    assert (await rig.api("DELETE", f"/users/5?erase=true{query}")).status == 200
    assert await rig.items("/photos") == []
    assert len(await rig.items("/attendance")) == left
    assert len(await rig.items("/attendance?device=T1")) == left
    assert [one["pin"] for one in await rig.items("/attendance?pin=6")] == ["6"]
    names = (await rig.api("GET", "/names?pins=5")).json["names"]
    assert names == {}
