"""`zkpush devices`."""

from __future__ import annotations

import hashlib
import json
import pathlib

import click
import pytest

from zkpush.cli import main
from zkpush.handlers.terminals.cli import presence

from .program import Daemon, cells, failed, misused, said

UNKNOWN = (
    "Invalid value for 'KEY=VALUE...': There is no key 'Dely' (did you mean Delay?). "
    "The keys are alias, "
)


def row(daemon: Daemon, sn: str) -> list[str]:
    """The words of a terminal's line in the list."""
    lines = cells(said(daemon.zkpush("devices", "list")))
    return next(line for line in lines if line[0] == sn)


def shown(daemon: Daemon, sn: str) -> dict[str, object]:
    """What the API says of a terminal."""
    return json.loads(said(daemon.zkpush("devices", "show", sn, "--json")))


def test_list(daemon: Daemon) -> None:
    """The list has a line for each terminal; as JSON, it is the items of the API."""
    daemon.terminal("LIST1", approved=False)
    listing = said(daemon.zkpush("devices", "list"))
    assert listing.splitlines()[0].split("  ")[0] == "SN"
    assert cells(listing)[0] == (
        ["SN", "Alias", "Area", "State", "Online", "Last", "seen", "(UTC)", "Queued", "Problems"]
    )
    sn, state, online, *seen, queued = row(daemon, "LIST1")
    assert (sn, state, online, queued) == ("LIST1", "pending", "refused", "0")
    items = json.loads(said(daemon.zkpush("devices", "list", "--json")))
    (item,) = [item for item in items if item["sn"] == "LIST1"]
    assert item["last_seen_at"].startswith("T".join(seen))


def test_approve_and_block(daemon: Daemon) -> None:
    """An operator lets a terminal in, and shuts it out."""
    terminal = daemon.terminal("ADMIT1", approved=False)
    assert said(daemon.zkpush("devices", "approve", "ADMIT1")) == "ADMIT1 is approved.\n"
    assert terminal.exchange().startswith(b"GET OPTION FROM: ADMIT1\n")
    assert said(daemon.zkpush("devices", "block", "ADMIT1")) == "ADMIT1 is blocked.\n"
    assert terminal.exchange() == b"This terminal is blocked by an operator.\n"


def test_approve_before(daemon: Daemon) -> None:
    """A terminal can be approved before it connects, if that is meant."""
    message = failed(daemon.zkpush("devices", "approve", "EARLY1"))
    assert message.endswith(". To approve it before it connects, give --add.")
    assert said(daemon.zkpush("devices", "approve", "EARLY1", "--add")) == "EARLY1 is approved.\n"
    assert shown(daemon, "EARLY1")["state"] == "approved"


def test_approve_with_a_zone(daemon: Daemon) -> None:
    """The zone is set with the approval; one that does not exist approves nothing."""
    daemon.terminal("ZONE1", approved=False)
    wrong = failed(daemon.zkpush("devices", "approve", "ZONE1", "--timezone", "Mars/Olympus"))
    assert "Mars/Olympus" in wrong
    assert shown(daemon, "ZONE1")["state"] == "pending"
    args = ("--timezone", "Asia/Kolkata")
    assert said(daemon.zkpush("devices", "approve", "ZONE1", *args)) == "ZONE1 is approved.\n"
    terminal = shown(daemon, "ZONE1")
    assert (terminal["state"], terminal["timezone"]) == ("approved", "Asia/Kolkata")


def test_recompute(daemon: Daemon) -> None:
    """Instants follow the present zone: of all records, or of those between two instants."""
    terminal = daemon.terminal("ZONE2")
    said(daemon.zkpush("devices", "set", "ZONE2", "timezone=UTC"))
    terminal.punch([f"7\t2026-02-0{day} 08:00:00\t0\t1" for day in (1, 2, 3)])

    def instants() -> list[str]:
        found = daemon.zkpush("attendance", "list", "--device", "ZONE2", "--json")
        return [item["utc"] for item in json.loads(said(found))]

    def recompute(*args: str) -> str:
        return said(daemon.zkpush("devices", "recompute", "ZONE2", *args))

    words = "records of ZONE2 have another UTC time now"
    assert recompute() == f"0 of 3 {words} (UTC).\n"
    said(daemon.zkpush("devices", "set", "ZONE2", "timezone=Asia/Kolkata"))
    assert instants() == [f"2026-02-0{day}T08:00:00Z" for day in (1, 2, 3)]
    bounds = ("--since", "2026-02-02T00:00:00Z", "--until", "2026-02-03T02:30:00Z")
    assert recompute(*bounds) == f"1 of 3 {words.replace('have', 'has')} (Asia/Kolkata).\n"
    assert [one[11:16] for one in instants()] == ["08:00", "02:30", "08:00"]
    assert recompute() == f"2 of 3 {words} (Asia/Kolkata).\n"
    assert [one[11:16] for one in instants()] == ["02:30"] * 3
    message = failed(daemon.zkpush("devices", "recompute", "NOPE"))
    assert (
        message == "Error: There is no terminal NOPE. See: zkpush devices list, zkpush doctor NOPE"
    )


def test_show(daemon: Daemon) -> None:
    """All that is known of a terminal is shown, a line each."""
    daemon.terminal("SHOW1")
    daemon.api("PATCH", "devices/SHOW1", {"settings": {"Delay": 5, "TransFlag": "digits"}})
    lines = said(daemon.zkpush("devices", "show", "SHOW1")).splitlines()
    assert lines[:3] == [
        "sn                  SHOW1",
        "alias               -",
        "state               approved (its data is accepted)",
    ]
    assert "push version        2.4.1" in lines
    settings = lines.index("settings            Delay=5")
    assert lines[settings + 1] == "                    TransFlag=digits"


def test_problems(daemon: Daemon) -> None:
    """What a person should look at is named in the list, and told where one terminal is shown."""
    terminal = daemon.terminal("PROBLEM1")
    pinned = hashlib.sha256(b"a").hexdigest()
    said(daemon.zkpush("devices", "approve", "PROBLEM1", "--key", pinned))
    for key in ("a", "b"):
        terminal.ask("GET", "cdata", f"&options=all&pushver=2.4.1&pushcommkey={key}")
    assert row(daemon, "PROBLEM1")[-2:] == ["pushcommkey", "changed"]
    text = said(daemon.zkpush("devices", "show", "PROBLEM1"))
    assert text.splitlines()[-1].startswith("problems            pushcommkey changed (since")
    listed = said(daemon.zkpush("problems", "list", "--device", "PROBLEM1"))
    head, detail, advice = listed.splitlines()
    assert head.startswith("terminal PROBLEM1: pushcommkey changed, since 20")
    assert detail == "  The terminal's pushcommkey is not the pinned one."
    assert "-> If" in advice
    assert "zkpush devices approve PROBLEM1 --key FINGERPRINT" in advice
    words = ("problems", "list", "--code", "pushcommkey changed", "--csv")
    assert "PROBLEM1,terminal PROBLEM1,pushcommkey changed," in said(daemon.zkpush(*words))
    items = json.loads(said(daemon.zkpush("problems", "list", "--device", "PROBLEM1", "--json")))
    assert [(item["device"], item["code"]) for item in items] == [
        ("PROBLEM1", "pushcommkey changed")
    ]
    message = failed(daemon.zkpush("problems", "list", "--device", "NOBODY"))
    assert (
        message
        == "Error: There is no terminal 'NOBODY'. See: zkpush devices list, zkpush doctor NOBODY"
    )


def test_keys(daemon: Daemon) -> None:
    """Offered pushcommkeys are shown; approval names the right one, and `set` clears it."""
    terminal = daemon.terminal("KEYS1")
    ours, theirs = (hashlib.sha256(key.encode()).hexdigest() for key in "ab")
    for key in "ab":
        terminal.ask("GET", "cdata", f"&options=all&pushver=2.4.1&pushcommkey={key}")
    text = said(daemon.zkpush("devices", "approve", "KEYS1"))
    lines = text.splitlines()
    assert lines[:2] == [
        "KEYS1 is approved.",
        "No pushcommkey is pinned. To pin an offered one, give its fingerprint with --key:",
    ]
    assert {line.split()[0] for line in lines[2:]} == {ours, theirs, "no"}
    assert lines[-1].startswith("  no key, from 127.0.0.1, 20")
    lines = said(daemon.zkpush("devices", "approve", "KEYS1", "--key", ours)).splitlines()
    assert lines[:2] == [
        "KEYS1 is approved.",
        "Its pushcommkey is pinned. Check that the address is that of the terminal:",
    ]
    assert f"{ours} pinned, from 127.0.0.1, 20" in lines[2]
    shown = said(daemon.zkpush("devices", "show", "KEYS1"))
    assert f"comm key            {ours} pinned, from 127.0.0.1, 20" in shown
    assert theirs not in shown
    said(daemon.zkpush("devices", "set", "KEYS1", "comm_key="))
    assert "comm key            -\n" in said(daemon.zkpush("devices", "show", "KEYS1"))
    said(daemon.zkpush("devices", "set", "KEYS1", f"comm_key={theirs}"))
    assert f"{theirs} pinned, not offered yet" in said(daemon.zkpush("devices", "show", "KEYS1"))
    assert "fingerprint" in failed(daemon.zkpush("devices", "set", "KEYS1", "comm_key=a"))


def test_unknown(daemon: Daemon) -> None:
    """What the API says of a mistake is shown as it is."""
    assert failed(daemon.zkpush("devices", "show", "NOBODY")) == (
        "Error: There is no terminal NOBODY. See: zkpush devices list, zkpush doctor NOBODY"
    )


@pytest.mark.parametrize(
    ("online", "state", "codes", "shown"),
    [
        (True, "approved", [], True),
        (True, "approved", ["no session"], "no session"),
        (True, "blocked", ["no session"], "refused"),
        (False, "approved", ["no session"], False),
        (True, "approved", ["storage full"], True),
    ],
)
def test_online_says_whether_a_terminal_is_served(
    online: bool, state: str, codes: list[str], shown: object
) -> None:
    """One that makes requests may be refused by its state, or may have begun no session."""
    problems = [{"code": code} for code in codes]
    assert presence({"online": online, "state": state, "problems": problems}) == shown


def test_no_serial_number() -> None:
    """What cannot be a serial number is a mistake of usage."""
    assert failed(misused("devices", "show", ".."), 2) == (
        "Error: Invalid value for 'SN': SN must be 1 to 32 letters, digits, - or _."
    )


def test_set(daemon: Daemon) -> None:
    """An operator names, places and configures a terminal, a little at a time."""
    daemon.terminal("SET1")
    named = ["alias=Büro = 1", "area=HQ", "timezone=Europe/Berlin"]
    assert said(daemon.zkpush("devices", "set", "SET1", *named)) == "SET1 is changed.\n"
    said(daemon.zkpush("devices", "set", "SET1", "Delay=5", "TransFlag=digits"))
    device = shown(daemon, "SET1")
    assert (device["alias"], device["area"]) == ("Büro = 1", "HQ")
    assert device["timezone"] == "Europe/Berlin"
    assert device["settings"] == {"Delay": 5, "TransFlag": "digits"}

    said(daemon.zkpush("devices", "set", "SET1", "delay=", "Realtime=0", "alias="))
    device = shown(daemon, "SET1")
    assert (device["alias"], device["area"]) == (None, "HQ")
    assert device["settings"] == {"TransFlag": "digits", "Realtime": 0}


def test_set_networks(daemon: Daemon) -> None:
    """An operator says where a terminal may be; it is refused from elsewhere until that goes."""
    terminal = daemon.terminal("NET1")
    networks = "networks=10.1.0.0/16, 10.2.0.5"
    assert said(daemon.zkpush("devices", "set", "NET1", networks)) == "NET1 is changed.\n"
    assert shown(daemon, "NET1")["networks"] == ["10.1.0.0/16", "10.2.0.5"]
    assert ["networks", "10.1.0.0/16"] in cells(said(daemon.zkpush("devices", "show", "NET1")))
    assert b"may not come from this address" in terminal.exchange()
    assert row(daemon, "NET1")[-2:] == ["other", "address"]
    message = failed(daemon.zkpush("devices", "set", "NET1", "networks=10.1.2.3/16"))
    assert "the network is 10.1.0.0/16" in message
    said(daemon.zkpush("devices", "set", "NET1", "networks="))
    assert shown(daemon, "NET1")["networks"] == []
    assert shown(daemon, "NET1")["problems"] == []
    assert terminal.exchange().startswith(b"GET OPTION FROM: NET1\n")


@pytest.mark.parametrize(
    ("pair", "status", "message"),
    [
        ("Dely=5", 2, UNKNOWN),
        ("Dely=", 2, UNKNOWN),
        ("token=", 2, "token cannot be removed; set it to check, require or ignore."),
        ("secret=x", 2, "Put the secret into a file, and give secret=@FILE."),
        ("secret=@/nowhere", 2, "/nowhere cannot be read: No such file or directory."),
    ],
)
def test_set_mistakes(daemon: Daemon, pair: str, status: int, message: str) -> None:
    """A mistake changes nothing, and the message says what there is."""
    daemon.terminal("SET2")
    mistake = failed(daemon.zkpush("devices", "set", "SET2", "area=HQ", pair), status)
    assert mistake.startswith(f"Error: {message}")
    device = daemon.api("GET", "devices/SET2")
    assert (device["area"], device["settings"]) == (None, {})


def test_set_encryption(daemon: Daemon, tmp_path: pathlib.Path) -> None:
    """How the sessions of one terminal are encrypted is set by key, the secret from a file."""
    daemon.terminal("SET3")
    file = tmp_path / "secret"
    file.write_bytes(b"\0\xff a secret of the site")
    pairs = ["encryption=require", "cipher=x25519-aes256gcm", f"secret=@{file}", "token=require"]
    assert said(daemon.zkpush("devices", "set", "SET3", *pairs)) == "SET3 is changed.\n"
    device = shown(daemon, "SET3")
    names = ("encryption", "cipher", "token", "exchange")
    assert [device[name] for name in names] == ["require", "x25519-aes256gcm", "require", "stale"]
    said(daemon.zkpush("devices", "set", "SET3", "encryption=", "cipher=", "secret="))
    device = shown(daemon, "SET3")
    assert [device[name] for name in names] == [None, None, "require", "stale"]
    file.write_bytes(b"short")
    message = failed(daemon.zkpush("devices", "set", "SET3", f"secret=@{file}"))
    assert message == "Error: a secret has 16 bytes or more, or there is none"


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("=5", "'=5' is not KEY=VALUE."),
        ("Delay", "'Delay' is not KEY=VALUE."),
        ("area=x", "area is given twice."),
    ],
)
def test_no_pairs(pair: str, message: str) -> None:
    """What is not a key and a value, once, is a mistake of usage."""
    assert failed(misused("devices", "set", "SET2", "area=HQ", pair), 2) == (
        f"Error: Invalid value for 'KEY=VALUE...': {message}"
    )


def test_resend(daemon: Daemon) -> None:
    """A terminal can be made to send all it has of a kind of data again."""
    terminal = daemon.terminal("RESEND1")
    terminal.punch(["7\t2026-01-05 08:00:00\t0\t1\t0\t0\t0"])
    assert b"\nATTLOGStamp=1\n" in terminal.exchange()
    text = said(daemon.zkpush("devices", "resend", "RESEND1", "attendance"))
    command_id, command = terminal.command()
    assert command == "CHECK"
    assert text == (
        f"RESEND1 will upload attendance again after its next poll (command {command_id}).\n"
    )
    assert b"\nATTLOGStamp=0\n" in terminal.exchange()


def test_resend_names(daemon: Daemon) -> None:
    """The data can be named as on the wire; what there is not is a mistake of usage."""
    daemon.terminal("RESEND2")
    said(daemon.zkpush("devices", "resend", "RESEND2", "operlog"))
    assert "'foo' is not one of 'attendance'," in (
        failed(misused("devices", "resend", "RESEND2", "foo"), 2)
    )


def test_keys_are_completed_with_their_choices() -> None:
    """A key with its meaning; after `=`, its choices, if it has some."""

    def completed(word: str) -> list[str]:
        command = main.get_command(click.Context(main), "devices").get_command(None, "set")
        values = next(one for one in command.params if one.name == "values")
        return [one.value for one in values.shell_complete(click.Context(command), word)]

    assert completed("ti") == ["timezone="]
    assert completed("trans") == ["TransTimes=", "TransInterval=", "TransFlag="]
    assert completed("token=") == ["token=check", "token=require", "token=ignore"]
    assert completed("nothing") == []
