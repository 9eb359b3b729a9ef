"""How commands wait, are sent and end, through HTTP: deadlines, doubles, priority, and reasons."""

from __future__ import annotations

import base64

import pytest
import pytest_twisted
from sqlalchemy import event

from zkpush.persist.commands import CommandStore

from ..rig import Rig
from .test_queue import LEASE, POLL, answer, queue, shown

ONCE = [
    ("AC_UNLOCK", {}),
    ("AC_UNALARM", {}),
    ("REBOOT", {}),
    ("ENROLL_FP", {"PIN": "7", "FID": "1"}),
    ("SHELL", {"command": "ls"}),
    ("CLEAR LOG", {}),
    ("CLEAR DATA", {}),
]
PERSON = {"command": "DATA UPDATE USERINFO", "params": {"PIN": "7", "Name": "Ann", "Card": "5"}}


def named(name: str, params: dict[str, str] | None = None, **delivery: object) -> dict:
    """The body that queues a command."""
    return {"command": name, "params": params or {}, **delivery}


async def polled(rig: Rig, sn: str = "T1") -> list[str]:
    """The IDs of the commands in the reply to a poll."""
    body = (await rig.get(f"getrequest?SN={sn}")).body
    return [] if body == b"OK" else [line.split(b":")[1].decode() for line in body.splitlines()]


@pytest.mark.parametrize("name", ["AC_UNLOCK", "AC_UNALARM", "ENROLL_MF"])
@pytest_twisted.ensureDeferred
async def test_a_door_does_not_open_late(rig: Rig, name: str) -> None:
    """A command whose moment passes is not sent to a terminal that polls after a minute."""
    await rig.exchange()
    params = {"PIN": "7"} if name == "ENROLL_MF" else {}
    command = await queue(rig, named(name, params))
    rig.clock.advance(61)
    assert await polled(rig) == []
    ended = await shown(rig, command["id"])
    assert (ended["state"], ended["attempts"], ended["sent_at"]) == ("expired", 0, None)
    assert ended["reason"] == "The terminal did not fetch it in time; it was never sent."
    fresh = await queue(rig, named(name, params))
    rig.clock.advance(60)
    assert await polled(rig) == [fresh["id"]]


@pytest_twisted.ensureDeferred
async def test_a_caller_says_how_long_a_command_waits(rig: Rig) -> None:
    """`expires_in` counts from `not_before`, before which nothing is sent."""
    await rig.exchange()
    door = await queue(rig, named("AC_UNLOCK", expires_in=3600))
    short = await queue(rig, named("LOG", expires_in=10))
    later = await queue(rig, named("INFO", not_before="2026-03-01T12:01:00Z", expires_in=30))
    assert later["expires_at"] == "2026-03-01T12:01:30.000Z"
    rig.clock.advance(59)
    assert await polled(rig) == [door["id"]]
    assert (await shown(rig, short["id"]))["state"] == "expired"
    rig.clock.advance(1)
    assert await polled(rig) == [later["id"]]
    for bad in ({"expires_in": 0}, {"priority": 10}, {"not_before": "soon"}):
        await queue(rig, named("LOG", **bad), status=400)


@pytest.mark.parametrize(("name", "params"), ONCE)
@pytest_twisted.ensureDeferred
async def test_what_must_not_happen_twice_is_sent_once(
    rig: Rig, name: str, params: dict[str, str]
) -> None:
    """Without an answer it ends as unknown, in words; a late answer settles it."""
    await rig.exchange()
    command = await queue(rig, named(name, params))
    assert await polled(rig) == [command["id"]]
    for _ in range(3):
        rig.clock.advance(LEASE)
        assert await polled(rig) == []
    ended = await shown(rig, command["id"])
    assert (ended["state"], ended["attempts"], ended["return_code"]) == ("unknown", 1, None)
    assert "must not be executed twice" in ended["reason"]
    await answer(rig, command["id"], -1)
    settled = await shown(rig, command["id"])
    assert (settled["state"], settled["return_code"]) == ("failed", -1)
    assert settled["reason"] == "The terminal answered that it failed."


@pytest_twisted.ensureDeferred
async def test_a_terminal_that_never_polls_again_is_no_reason_to_wait(rig: Rig) -> None:
    """The server ends what is over by itself, and every listener hears why."""
    await rig.exchange()
    sent = await queue(rig, named("REBOOT"))
    assert await polled(rig) == [sent["id"]]
    waits = await queue(rig, named("AC_UNLOCK"))
    rig.clock.advance(LEASE)
    assert await rig.daemon.queue.end_overdue() == 2
    states = [(await shown(rig, one["id"]))["state"] for one in (sent, waits)]
    assert states == ["unknown", "expired"]
    assert await rig.daemon.queue.end_overdue() == 0


@pytest_twisted.ensureDeferred
async def test_each_end_has_its_own_words(make_rig) -> None:
    """Never fetched, sent and never answered, and too old are three different things."""
    rig = await make_rig(commands={"attempts": 2, "lease_seconds": 10})
    await rig.exchange()
    unanswered = await queue(rig, named("LOG"))
    old = await queue(rig, named("INFO", expires_in=5))
    await polled(rig)
    rig.clock.advance(10)
    assert await polled(rig) == [unanswered["id"]]
    unfetched = await queue(rig, named("RELOAD OPTIONS", expires_in=5))
    rig.clock.advance(10)
    assert await polled(rig) == []
    reasons = [(await shown(rig, one["id"]))["reason"] for one in (unanswered, old, unfetched)]
    assert reasons == [
        "It was sent as often as allowed (2 times) without an answer.",
        "It was sent (once) and not answered, and its time is over; it is not sent again.",
        "The terminal did not fetch it in time; it was never sent.",
    ]


@pytest.mark.parametrize("name", ["REBOOT", "UPGRADE"])
@pytest_twisted.ensureDeferred
async def test_a_restart_is_the_answer(rig: Rig, name: str) -> None:
    """A new session that nobody asked for ends it as done, once it was sent."""
    await rig.exchange()
    params: dict[str, str] = {}
    if name == "UPGRADE":
        headers = ("Authorization: Bearer rig-token",)
        made = await rig.api("POST", "/files?name=fw.bin", b"firmware", headers=headers)
        params = {"file": str(made.json["id"]), "form": "2"}
    command = await queue(rig, named(name, params))
    await rig.exchange()
    assert (await shown(rig, command["id"]))["state"] == "queued"
    assert await polled(rig) == [command["id"]]
    await rig.exchange()
    ended = await shown(rig, command["id"])
    assert (ended["state"], ended["return_code"]) == ("done", None)
    assert ended["reason"].startswith("The terminal began a new session")


@pytest.mark.parametrize(("code", "state"), [(0, "done"), (-3, "failed")])
@pytest_twisted.ensureDeferred
async def test_an_answer_after_a_restart_has_the_last_word(rig: Rig, code: int, state: str) -> None:
    """The restart is a guess, and the answer is none; the first answer counts."""
    await rig.exchange()
    command = await queue(rig, named("REBOOT"))
    await polled(rig)
    await rig.exchange()
    for one in (code, -1):
        await answer(rig, command["id"], one)
        ended = await shown(rig, command["id"])
        assert (ended["state"], ended["return_code"]) == (state, code)


@pytest_twisted.ensureDeferred
async def test_an_exchange_that_was_asked_for_is_no_restart(rig: Rig) -> None:
    """Neither one after CHECK, nor one that the server demands, says that a terminal restarted."""
    await rig.exchange()
    check, reboot = await queue(rig, named("CHECK")), await queue(rig, named("REBOOT"))
    assert await polled(rig) == [check["id"]]
    assert await polled(rig) == [reboot["id"]]
    await rig.exchange()
    assert (await shown(rig, reboot["id"]))["state"] == "sent"
    await answer(rig, check["id"])
    await rig.api("PATCH", "/devices/T1", {"settings": {"Delay": 20}})
    assert (await rig.get(POLL)).body == b"UNKNOWN DEVICE"
    await rig.exchange()
    assert (await shown(rig, reboot["id"]))["state"] == "sent"
    await rig.exchange()
    assert (await shown(rig, reboot["id"]))["state"] == "done"


@pytest_twisted.ensureDeferred
async def test_a_cancelled_command_is_not_sent_again_and_says_what_was_done(rig: Rig) -> None:
    """An answer to it sets its code, its meaning and its effects."""
    await rig.exchange()
    command = await queue(rig, named("SET OPTION", {"key": "Volume", "value": "30"}))
    assert await polled(rig) == [command["id"]]
    assert (await rig.api("DELETE", f"/commands/{command['id']}")).status == 204
    rig.clock.advance(LEASE)
    assert await polled(rig) == []
    await answer(rig, command["id"])
    ended = await shown(rig, command["id"])
    assert (ended["state"], ended["return_code"], ended["meaning"]) == (
        "cancelled",
        0,
        "Successful",
    )
    assert ended["answered_at"] == "2026-03-01T12:05:00.000Z"
    assert (await rig.api("GET", "/devices/T1")).json["options"] == {"Volume": "30"}
    assert (await rig.api("DELETE", f"/commands/{command['id']}")).status == 409


@pytest_twisted.ensureDeferred
async def test_urgent_commands_overtake(make_rig) -> None:
    """A door does not wait behind updates, and any command can be made urgent."""
    rig = await make_rig(commands={"batch_count": 1})
    await rig.exchange()
    people = [
        await queue(rig, named("DATA UPDATE USERINFO", {"PIN": str(pin)})) for pin in (1, 2, 3)
    ]
    door = await queue(rig, named("AC_UNLOCK"))
    log = await queue(rig, named("LOG", priority=9))
    order = [(await polled(rig))[0] for _ in range(5)]
    assert order == [log["id"], door["id"], *(one["id"] for one in people)]


@pytest_twisted.ensureDeferred
async def test_a_later_update_replaces_one_that_was_not_sent(rig: Rig) -> None:
    """The terminal gets the newest state once; what was replaced says by what."""
    await rig.exchange()
    first = await queue(rig, PERSON)
    other = await queue(rig, named("DATA UPDATE USERINFO", {"PIN": "8", "Name": "Bob"}))
    option = await queue(rig, named("SET OPTION", {"key": "Volume", "value": "1"}))
    second = await queue(rig, PERSON)
    louder = await queue(rig, named("SET OPTION", {"key": "Volume", "value": "2"}))
    assert await polled(rig) == [other["id"], second["id"], louder["id"]]
    replaced = await shown(rig, first["id"])
    assert (replaced["state"], replaced["replaced_by"]) == ("cancelled", second["id"])
    assert replaced["reason"] == f"It was replaced by {second['id']} before it was sent."
    assert (await shown(rig, option["id"]))["replaced_by"] == louder["id"]
    details = [one["detail"] for one in await rig.items("/audit?limit=1000")]
    assert any(f"replaces {first['id']}" in (detail or "") for detail in details)


@pytest.mark.parametrize(
    "between",
    [
        named("DATA DELETE USERINFO", {"PIN": "7"}),
        named("DATA UPDATE FINGERTMP", {"PIN": "7", "FID": "1", "TMP": "AAAA"}),
        named("DATA UPDATE USERINFO", {"PIN": "7", "Pri": "14"}),
    ],
)
@pytest_twisted.ensureDeferred
async def test_an_update_stays_that_another_command_needs(rig: Rig, between: dict) -> None:
    """A command of the same person in between may need what the earlier one sets."""
    await rig.exchange()
    ids = [(await queue(rig, body))["id"] for body in (PERSON, between, PERSON)]
    assert await polled(rig) == ids


@pytest_twisted.ensureDeferred
async def test_an_update_stays_if_something_of_it_would_be_lost(rig: Rig) -> None:
    """The later one has to set all that the earlier one sets, as soon and for as long."""
    await rig.exchange()
    name = named("DATA UPDATE USERINFO", {"PIN": "7", "Name": "Ann"})
    ids = [(await queue(rig, body))["id"] for body in (PERSON, name, {**name, "expires_in": 60})]
    assert await polled(rig) == ids


@pytest_twisted.ensureDeferred
async def test_commands_of_one_person_keep_their_order(rig: Rig) -> None:
    """An urgent one takes the earlier ones with it."""
    await rig.exchange()
    log = await queue(rig, named("LOG"))
    user = await queue(rig, named("DATA UPDATE USERINFO", {"PIN": "7"}))
    finger = {"PIN": "7", "FID": "1", "TMP": "AAAA"}
    urgent = await queue(rig, named("DATA UPDATE FINGERTMP", finger, priority=9))
    assert await polled(rig) == [user["id"], urgent["id"], log["id"]]


@pytest_twisted.ensureDeferred
async def test_a_sent_update_is_not_repeated_after_a_later_one(rig: Rig) -> None:
    """Repeated, it would undo the later one; its own answer still counts."""
    await rig.exchange()
    first = await queue(rig, PERSON)
    assert await polled(rig) == [first["id"]]
    second = await queue(rig, PERSON)
    assert (await shown(rig, first["id"]))["state"] == "sent"
    assert await polled(rig) == [second["id"]]
    await answer(rig, second["id"])
    rig.clock.advance(LEASE)
    assert await polled(rig) == []
    ended = await shown(rig, first["id"])
    assert (ended["state"], ended["replaced_by"]) == ("cancelled", second["id"])


@pytest_twisted.ensureDeferred
async def test_a_deleted_person_does_not_come_back(rig: Rig) -> None:
    """A deletion waits while an update of the same person may be sent again; others do not wait."""
    await rig.exchange()
    update = await queue(rig, PERSON)
    assert await polled(rig) == [update["id"]]  # the reply is lost
    delete = await queue(rig, named("DATA DELETE USERINFO", {"PIN": "7"}))
    other = await queue(rig, named("DATA DELETE USERINFO", {"PIN": "8"}))
    assert await polled(rig) == [other["id"]]
    rig.clock.advance(LEASE)
    await answer(rig, other["id"])
    assert await polled(rig) == [update["id"], delete["id"]]


@pytest.mark.parametrize("end", ["answer", "cancel", "lease"])
@pytest_twisted.ensureDeferred
async def test_a_command_that_waits_for_an_earlier_one_goes_on(make_rig, end: str) -> None:
    """However the earlier one ends, the later one is in the next poll."""
    rig = await make_rig(commands={"attempts": 1})
    await rig.exchange()
    update = await queue(rig, PERSON)
    assert await polled(rig) == [update["id"]]
    delete = await queue(rig, named("DATA DELETE USERINFO", {"PIN": "7"}))
    assert await polled(rig) == []
    if end == "answer":
        await answer(rig, update["id"], -1)
    elif end == "cancel":
        await rig.api("DELETE", f"/commands/{update['id']}")
    else:
        rig.clock.advance(LEASE)
    assert await polled(rig) == [delete["id"]]


@pytest.mark.parametrize("code", [0, -1])
@pytest_twisted.ensureDeferred
async def test_an_update_is_not_repeated_after_a_deletion_that_came_with_it(
    rig: Rig, code: int
) -> None:
    """Both were in one reply, and only the second one was answered."""
    await rig.exchange()
    update = await queue(rig, PERSON)
    delete = await queue(rig, named("DATA DELETE USERINFO", {"PIN": "7"}))
    assert await polled(rig) == [update["id"], delete["id"]]
    await answer(rig, delete["id"], code)
    rig.clock.advance(LEASE)
    if code:  # nothing was deleted, and nothing is undone
        assert await polled(rig) == [update["id"]]
        return
    assert await polled(rig) == []
    ended = await shown(rig, update["id"])
    assert ended["state"] == "unknown"
    assert "executed a later command" in ended["reason"]
    await answer(rig, update["id"])
    assert (await shown(rig, update["id"]))["state"] == "done"


QUERY_FORMS = [
    ("POST", "&ID={id}&Return=0&CMD=INFO", ""),
    ("GET", "&ID={id}&Return=0&CMD=INFO", ""),
    ("GET", "&id={id}&return=0", ""),
    ("POST", "&ID={id}", ""),
    ("POST", "", "ID={id}"),
    ("POST", "", "id={id}\treturn=0\tcmd=INFO"),
    ("POST", "", "ID={id}\r\nReturn=0\r\n"),
    ("POST", "", "CMD=INFO&ID={id}"),
]


@pytest.mark.parametrize(("method", "arguments", "body"), QUERY_FORMS)
@pytest_twisted.ensureDeferred
async def test_an_answer_counts_in_every_form(
    rig: Rig, method: str, arguments: str, body: str
) -> None:
    """In the query string or the body, with any separator; the ID is enough."""
    await rig.exchange()
    command = await queue(rig, named("LOG"))
    await polled(rig)
    path = f"devicecmd?SN=T1{arguments.format(id=command['id'])}"
    text = body.format(id=command["id"]).encode()
    reply = await (rig.get(path) if method == "GET" else rig.post(path, text))
    assert (reply.status, reply.body) == (200, b"OK")
    assert (await shown(rig, command["id"]))["state"] == "done"
    assert await rig.items("/rejects") == []


@pytest_twisted.ensureDeferred
async def test_an_answer_in_the_query_goes_on_in_the_body(rig: Rig) -> None:
    """INFO by the query string, with its options in the body."""
    await rig.exchange()
    command = await queue(rig, named("INFO"))
    await polled(rig)
    path = f"devicecmd?SN=T1&ID={command['id']}&Return=0&CMD=INFO"
    await rig.post(path, b"~DeviceName=X9\nVolume=3\n")
    ended = await shown(rig, command["id"])
    assert (ended["state"], ended["result"]) == ("done", {"~DeviceName": "X9", "Volume": "3"})


@pytest_twisted.ensureDeferred
async def test_the_sweep_stops_at_commands_that_are_not_over(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the database finds a command that the rules do not end, the sweep does not go on."""
    await rig.exchange()
    command = await queue(rig, named("LOG"))
    looks = 0

    def always(*_: object) -> bool:
        nonlocal looks
        looks += 1
        assert looks < 5, "the sweep goes on without ending anything"
        return True

    monkeypatch.setattr(CommandStore, "is_overdue", always)
    monkeypatch.setattr(CommandStore, "overdue", lambda tx, *_: [tx.get(command["id"])])
    assert await rig.daemon.queue.end_overdue() == 0
    assert (await shown(rig, command["id"]))["state"] == "queued"


@pytest_twisted.ensureDeferred
async def test_an_answer_that_names_no_command_is_kept_and_shown(rig: Rig) -> None:
    """Its bytes are a reject, and the terminal has a problem; answers beside it count."""
    await rig.exchange()
    command = await queue(rig, named("LOG"))
    await polled(rig)
    body = f"ID={command['id']}&Return=0\nID=strange&Return=0&CMD=DATA\n".encode()
    assert (await rig.post("devicecmd?SN=T1", body)).body == b"OK"
    assert (await rig.get("devicecmd?SN=T1&ID=other&Return=-1")).body == b"OK"
    assert (await shown(rig, command["id"]))["state"] == "done"
    rejects = await rig.items("/rejects")
    assert [(one["table"], one["reason"]) for one in rejects] == [
        ("devicecmd", "1 answer names no command of this terminal")
    ] * 2
    problems = (await rig.api("GET", "/devices/T1")).json["problems"]
    assert "answers to unknown commands" in [one["code"] for one in problems]
    # The ID may be anything, and problems are logged: it is in the reject alone.
    assert not any("strange" in one["detail"] for one in problems)
    assert any(b"ID=strange" in base64.b64decode(one["raw"]) for one in rejects)


@pytest_twisted.ensureDeferred
async def test_old_commands_are_deleted_as_configured(make_rig) -> None:
    """First their parameters and results, then all of them; open ones stay."""
    rig = await make_rig(commands={"keep_bodies_days": 1, "keep_days": 2})
    await rig.exchange()
    ended = await queue(rig, named("SET OPTION", {"key": "Volume", "value": "30"}))
    await polled(rig)
    await answer(rig, ended["id"])
    waits = await queue(rig, named("LOG"))
    rig.clock.advance(86_400)
    assert (await rig.retention.drop_bodies(), await rig.retention.drop_commands()) == (0, 0)
    rig.clock.advance(1)
    assert (await rig.retention.drop_bodies(), await rig.retention.drop_commands()) == (1, 0)
    bare = await shown(rig, ended["id"])
    assert (bare["params"], bare["state"], bare["return_code"]) == ({}, "done", 0)
    assert bare["body_removed_at"] == "2026-03-02T12:00:01.000Z"
    rig.clock.advance(86_400)
    assert (await rig.retention.drop_bodies(), await rig.retention.drop_commands()) == (0, 1)
    assert [one["id"] for one in await rig.items("/devices/T1/commands")] == [waits["id"]]


@pytest_twisted.ensureDeferred
async def test_nothing_is_deleted_unless_configured(rig: Rig) -> None:
    """Ended commands stay for ever by default."""
    await rig.exchange()
    await queue(rig, named("AC_UNLOCK"))
    rig.clock.advance(61)
    assert await polled(rig) == []
    rig.clock.advance(86_400 * 1000)
    assert (await rig.retention.drop_bodies(), await rig.retention.drop_commands()) == (0, 0)


@pytest_twisted.ensureDeferred
async def test_past_commands_do_not_slow_a_poll(rig: Rig) -> None:
    """Every statement of a poll and of an answer finds its rows by an index of open commands."""
    await rig.exchange()
    command = await queue(rig, named("LOG"))
    seen: list[tuple[str, object]] = []

    def note(_connection, _cursor, statement, parameters, *_others) -> None:
        if "commands" in statement:
            seen.append((statement, parameters))

    def listen(tx) -> None:
        event.listen(tx.connection, "before_cursor_execute", note)

    await rig.store.write(listen)
    assert await polled(rig) == [command["id"]]
    await answer(rig, command["id"])

    def plans(tx) -> list[str]:
        found = []
        for statement, parameters in [*seen]:
            rows = tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            found.append(" / ".join(row[3] for row in rows))
        return found

    assert len(seen) == 6
    for plan in await rig.store.write(plans):
        assert "SCAN" not in plan
        assert "TEMP B-TREE" not in plan or "(id=?)" in plan
        # Both indexes hold open commands only; an ID finds one command.
        assert any(one in plan for one in ("commands_open", "commands_subject", "(id=?)")), plan


@pytest_twisted.ensureDeferred
async def test_a_command_is_in_the_very_next_poll(rig: Rig, monkeypatch) -> None:
    """A look of the registry that began before a command was queued does not hide it."""
    await rig.exchange()
    queued: list[dict] = []
    looked: list[object] = []
    read = rig.store.read

    async def slow(query):
        found = await read(query)
        if not looked:
            looked.append(found)
            queued.append(await queue(rig, named("LOG")))
        return found

    monkeypatch.setattr(rig.store, "read", slow)
    await rig.registry.follow()
    assert await polled(rig) == [queued[0]["id"]]
