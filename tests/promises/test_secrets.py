"""Whoever may not see a secret finds it nowhere: needles in every field, sought on every way out.

A new field, option, parameter, answer or route that nobody classified fails here.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import pathlib
import re
import select
import socket
from collections.abc import Iterable, Iterator
from typing import Any

import attrs
import click
import psycopg
import pytest

from zkpush.cli import main

from ..cli.program import zkpush
from ..daemon.process import Daemon
from .needles import SN, Needles, forms, plant

TOKENS = {
    "read": ["read"],
    "biometrics": ["read", "biometrics"],
    "write": ["read", "write"],
    "dangerous": ["read", "dangerous"],
    "admin": ["read", "admin"],
    "all": ["read", "biometrics", "write", "dangerous", "admin"],
}
FORMATS = ("application/json", "text/csv", "application/x-ndjson")
PREFIX = "/api/v1/"
MOST_OF_A_KIND = 20
"""Items of a list that are asked for one by one."""
CHANGES: dict[str, tuple[str, object] | None] = {
    "PUT devices/{sn}": (f"devices/{SN}", {"alias": "Gate"}),
    "PATCH devices/{sn}": (f"devices/{SN}", {"alias": "Gate"}),
    "DELETE devices/{sn}": (f"devices/{SN}", None),
    "POST rejects/retry": ("rejects/retry", {"table": "NONE"}),
    "DELETE rejects/{id}": ("rejects/99999", None),
    "POST devices/{sn}/recompute": (f"devices/{SN}/recompute", {}),
    "POST devices/{sn}/resend": (f"devices/{SN}/resend", {"table": "ATTLOG"}),
    "POST devices/{sn}/door": (f"devices/{SN}/door", {}),
    "POST devices/{sn}/reboot": (f"devices/{SN}/reboot", None),
    "POST devices/{sn}/replace": ("devices/NONE/replace", {"by": "NONE2"}),
    "POST devices/{sn}/retire": ("devices/NONE/retire", {}),
    "PUT devices/{sn}/users/{pin}": (f"devices/{SN}/users/1", None),
    "DELETE devices/{sn}/users/{pin}": (f"devices/{SN}/users/99999", None),
    "PUT users/{pin}": ("users/1", {"name": "Gate"}),
    "DELETE users/{pin}": ("users/99999", None),
    "DELETE users/{pin}/earlier/{id}": ("users/1/earlier/99999", None),
    "PUT users/{pin}/photo": ("users/1/photo", {"no": "JPEG"}),
    "DELETE users/{pin}/photo": ("users/99999/photo", None),
    "POST users/{pin}/enrol": ("users/1/enrol", {"device": SN, "what": "card"}),
    "POST users/{pin}/send": ("users/1/send", {"all": True, "dry_run": True}),
    "POST users/import": ("users/import?dry_run=true", None),
    "POST conflicts/{id}": ("conflicts/99999", {"keep": "stored"}),
    "POST conflicts/punches/{id}": ("conflicts/punches/99999", {"owner": "other"}),
    "POST devices/{sn}/commands": (f"devices/{SN}/commands", {"command": "LOG"}),
    "DELETE commands/{id}": ("commands/nothing", None),
    "POST commands": ("commands", {"command": "LOG", "devices": [SN]}),
    "POST attendance/verify": ("attendance/verify", {"devices": [SN]}),
    "PUT areas/{name}": ("areas/made", {"description": "Made"}),
    "DELETE areas/{name}": ("areas/nowhere", None),
    "PUT areas/{name}/{table}/{key}": ("areas/default/work-codes/10", {"name": "Assembly"}),
    "DELETE areas/{name}/{table}/{key}": ("areas/default/work-codes/11", None),
    "POST areas/{name}/repair": ("areas/default/repair", None),
    "POST devices/{sn}/repair": ("devices/T1/repair", None),
    "POST devices/{sn}/copy": (f"devices/{SN}/copy", {"from": "NONE"}),
    "POST devices/{sn}/adopt": (f"devices/{SN}/adopt", {"dry_run": True}),
    "DELETE jobs/{id}": ("jobs/nothing", None),
    "POST jobs/{id}/retry": ("jobs/nothing/retry", {}),
    "POST files": None,
    "DELETE files/{id}": ("files/99999", None),
    "POST tokens": ("tokens", {"name": "made", "scopes": ["read"]}),
    "DELETE tokens/{name}": ("tokens/made", None),
    "POST accounts": ("accounts", {"name": "reader", "scopes": ["read"]}),
    "PATCH accounts/{name}": ("accounts/nobody", {"scopes": ["read"]}),
    "DELETE accounts/{name}": ("accounts/nobody", None),
    "POST accounts/{name}/link": ("accounts/nobody/link", None),
    "POST console/link": ("console/link", None),
    "POST forwarders": ("forwarders", {"name": "made", "url": "https://payroll.example.com"}),
    "PATCH forwarders/{id}": ("forwarders/1", {"events": ["user"]}),
    "DELETE forwarders/{id}": ("forwarders/99999", None),
    "POST forwarders/{id}/pause": ("forwarders/1/pause", None),
    "POST forwarders/{id}/resume": ("forwarders/1/resume", None),
    "POST forwarders/{id}/test": ("forwarders/99999/test", None),
    "POST forwarders/{id}/rotate": ("forwarders/1/rotate", None),
    "POST forwarders/{id}/replay": ("forwarders/1/replay", {"ids": []}),
    "POST forwarders/{id}/discard": ("forwarders/1/discard", {"ids": []}),
}
"""How each route that changes something is asked; None where it answers with what it was given."""


@attrs.frozen
class Planted:
    """A daemon in which needles are, and tokens of all kinds for it."""

    daemon: Daemon
    needles: Needles
    tokens: dict[str, str]

    def ask(
        self, token: str, method: str, path: str, accept: str = FORMATS[0], body: object = None
    ) -> tuple[int, bytes]:
        """Status, and head and body of a reply of the API."""
        where = self.daemon.manage
        connection = http.client.HTTPConnection(where.hostname, where.port, timeout=30)
        headers = {"Authorization": f"Bearer {self.tokens[token]}", "Accept": accept}
        content = None if body is None else json.dumps(body)
        connection.request(method, path, content, headers)
        response = connection.getresponse()
        head = str(response.headers).encode()
        reply = head + b"\n" + response.read()
        connection.close()
        return response.status, reply

    def check(self, token: str, text: bytes, where: str) -> set[str]:
        """Assert that no needle is there that these scopes do not show; returns those that are."""
        scopes = set(TOKENS[token])
        there = found_in(self.needles.where, text)
        bad = {
            f"{self.needles.where[needle]} (needs {self.needles.needed[needle]})"
            for needle in there
            if scopes.isdisjoint(self.needles.needed.get(needle, "read").split())
        }
        assert not bad, f"{where} shows a caller with {sorted(scopes)}: {sorted(bad)}"
        return there


def is_in(needle: str, text: bytes) -> bool:
    """Whether a needle is in a text, in any form."""
    return any(form in text for form in forms(needle))


def found_in(needles: Iterable[str], text: bytes) -> set[str]:
    """Those of the needles that are in a text, in any form.

    All forms are of these characters, and most words of a list are there many times.
    """
    words = b" ".join({*re.findall(rb"[A-Za-z0-9+/]+", text)})
    return {needle for needle in needles if is_in(needle, words)}


def kept(needles: Needles, text: bytes) -> list[str]:
    """The secret needles that are in a text."""
    return sorted(needles.where[one] for one in found_in(needles.needed, text))


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    """A daemon with needles, on SQLite."""
    with Daemon(tmp_path_factory.mktemp("needles") / "data") as daemon:
        needles = plant(daemon)
        tokens = {
            name: daemon.api("POST", "tokens", {"name": f"see-{name}", "scopes": scopes})["token"]
            for name, scopes in TOKENS.items()
        }
        yield Planted(daemon, needles, tokens)


def paths_of(planted: Planted) -> dict[str, list[str]]:
    """The methods of each path that OpenAPI describes."""
    _, reply = planted.ask("all", "GET", PREFIX + "openapi.json")
    described = json.loads(reply.partition(b"\n\n")[2] or reply[reply.index(b"{") :])
    return {
        path: [method.upper() for method in methods] for path, methods in described["paths"].items()
    }


def ids(planted: Planted, path: str, key: str) -> list[str]:
    """The ids of the items of a list, all of them."""
    _, reply = planted.ask("all", "GET", f"{PREFIX}{path}?limit=1000")
    return [str(item[key]) for item in json.loads(reply[reply.index(b'{"items"') :])["items"]]


def filled(planted: Planted, path: str) -> list[str]:
    """All that a path with names in it stands for."""
    if "{" not in path:
        return [path]
    known = {
        "devices/{sn}": ("devices", "sn"),
        "users/{pin}": ("users", "pin"),
        "areas/{name}": ("areas", "name"),
        "photos/{id}": ("photos", "id"),
        "rejects/{id}": ("rejects", "id"),
        "commands/{id}": (f"devices/{SN}/commands", "id"),
        "files/{id}": ("files", "id"),
        "jobs/{id}": ("jobs", "id"),
        "attendance/verify/{id}": ("attendance/verify", "run"),
        "forwarders/{id}": ("forwarders", "id"),
    }
    for start, (listed, key) in known.items():
        if path.startswith(PREFIX + start):
            name = start[start.index("{") :]
            found = [path.replace(name, each) for each in ids(planted, listed, key)]
            return [one.replace("{table}", "work-codes").replace("{key}", "10") for one in found]
    raise AssertionError(f"nobody said how {path} is asked for: say so in this test")


def events(planted: Planted) -> dict[str, bytes]:
    """All events there have been, as they are sent to each token."""
    where = planted.daemon.manage
    told = dict.fromkeys(TOKENS, b"")
    with contextlib.ExitStack() as stack:
        tokens = {}
        for token in TOKENS:
            connection = socket.create_connection((where.hostname, where.port), timeout=5)
            tokens[stack.enter_context(connection)] = token
            connection.sendall(
                f"GET {PREFIX}events HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 0.0\r\n"
                f"Authorization: Bearer {planted.tokens[token]}\r\n\r\n".encode()
            )
        while readable := select.select([*tokens], [], [], 3)[0]:
            for connection in readable:
                piece = connection.recv(65536)
                told[tokens[connection]] += piece
                if not piece:
                    del tokens[connection]
    return told


SHOWN_BEFORE = {
    "values of SET OPTION": ("SET ComPwd", "dangerous"),
    "text of SHELL": ("SHELL command", "dangerous"),
    "output of SHELL, whose MD5 is a form of it": ("content of SHELL", "dangerous"),
    "passwords in options": ("option ComPwd2", "biometrics"),
    "passwords in INFO": ("answer to INFO: AdminPwd", "biometrics"),
    "unknown columns of users": ("USER unknown Password", "biometrics"),
    "unknown columns of work codes": ("WORKCODE unknown Password", "biometrics"),
    "bytes of rejects": ("reject: line", "biometrics"),
    "reasons of rejects": ("reject: status", "biometrics"),
    "MD5 of files": ("content of GetFile", "dangerous"),
}


@pytest.mark.parametrize("what", SHOWN_BEFORE)
def test_needles_are_where_secrets_were_shown(planted: Planted, what: str) -> None:
    """A needle stands in each place whose secret the scope `read` alone has shown once."""
    place, scope = SHOWN_BEFORE[what]
    there = {needle for needle, where in planted.needles.where.items() if where.startswith(place)}
    assert there
    assert all(scope in planted.needles.needed[needle] for needle in there)
    assert all(is_in(one, hashlib.md5(one.encode()).hexdigest().encode()) for one in there)  # noqa: S324 - a form of needles


@pytest.mark.long
@pytest.mark.usefixtures("no_cover")
def test_no_route_shows_what_a_caller_may_not_see(planted: Planted) -> None:
    """Every route that reads, in every form, for callers of every scope; and all can be seen."""
    found: set[str] = set()
    paths = [path for path, methods in paths_of(planted).items() if "GET" in methods]
    assert len(paths) > 20
    for path in paths:
        if path.endswith("/events"):
            continue
        for place, each in enumerate(filled(planted, path)[:MOST_OF_A_KIND]):
            query = "" if "{" in path else "?limit=1000"
            for token in TOKENS:
                for accept in FORMATS if place == 0 else FORMATS[:1]:
                    status, reply = planted.ask(token, "GET", each + query, accept)
                    if status == 400 and query:  # it takes no limit
                        status, reply = planted.ask(token, "GET", each, accept)
                    assert status in (200, 403, 404), (each, reply)
                    found |= planted.check(token, reply, f"GET {each} as {accept}")
    for token, told in events(planted).items():
        assert b"event: attendance" in told
        assert b"event: command" in told
        found |= planted.check(token, told, "GET events")
    lost = [
        where
        for needle, where in planted.needles.where.items()
        if needle not in found and planted.needles.needed.get(needle) != "nobody"
    ]
    assert lost == [], "a needle that nobody can see shows nothing"


SHOWN_BY = {
    "attendance",
    "commands",
    "commands/{id}",
    "devices/{sn}",
    "devices/{sn}/commands",
    "entries",
    "files",
    "files/{id}",
    "files/{id}/content",
    "photos/{id}/content",
    "rejects",
    "rejects/{id}",
    "users/{pin}",
    "users/{pin}/photos",
    "users/{pin}/templates",
}
"""Some of the routes that show secrets: of every kind, and to lists as well as to items."""


def reader(planted: Planted) -> str:
    """Another token with all scopes: the same access of one token is recorded once a minute."""
    name = f"reader-{len(planted.tokens)}"
    asked = {"name": name, "scopes": TOKENS["all"]}
    planted.tokens[name] = planted.daemon.api("POST", "tokens", asked)["token"]
    return name


def is_recorded(planted: Planted, name: str) -> bool:
    """Whether the audit log says that a token was shown secrets."""
    _, reply = planted.ask("admin", "GET", f"{PREFIX}audit?actor=token%20{name}&limit=1000")
    items = json.loads(reply[reply.index(b'{"items"') :])["items"]
    return any(item["action"].startswith("read ") for item in items)


@pytest.mark.long
def test_a_caller_who_is_shown_secrets_is_in_the_audit_log(planted: Planted) -> None:
    """By every route that reads and in every form: a reply with a secret leaves a record."""
    shown, unrecorded = set(), []
    for path, methods in paths_of(planted).items():
        if "GET" not in methods or path.endswith("/events"):
            continue
        for place, each in enumerate(filled(planted, path)[:MOST_OF_A_KIND]):
            for accept in FORMATS if place == 0 else FORMATS[:1]:
                name = reader(planted)
                _, reply = planted.ask(name, "GET", each, accept)
                there = kept(planted.needles, reply)
                if there:
                    shown.add(path.removeprefix(PREFIX))
                    if not is_recorded(planted, name):
                        unrecorded.append((each, accept, there))
    assert unrecorded == []
    assert shown >= SHOWN_BY, SHOWN_BY - shown


@pytest.mark.long
def test_no_change_is_answered_with_what_a_caller_may_not_see(planted: Planted) -> None:
    """Every route that changes something answers with no more than a caller may see."""
    asked = 0
    for path, methods in paths_of(planted).items():
        for method in set(methods) - {"GET"}:
            name = f"{method} {path.removeprefix(PREFIX)}"
            assert name in CHANGES, f"nobody said how {name} is asked for: say so in this test"
            change = CHANGES[name]
            if change is None:
                continue
            target, body = change
            for token in TOKENS:
                caller = reader(planted) if token == "all" else token
                _, reply = planted.ask(caller, method, PREFIX + target, body=body)
                planted.check(token, reply, name)
                is_shown = token == "all" and kept(planted.needles, reply)
                assert not is_shown or is_recorded(planted, caller), name
                asked += 1
    assert asked >= len(TOKENS) * (len(CHANGES) - 1)


def test_metrics_and_health_hold_no_needle(planted: Planted) -> None:
    """They are for everybody."""
    for path in ("/metrics", "/health"):
        status, reply = planted.ask("read", "GET", path)
        assert status == 200
        assert [n for n in planted.needles.where if is_in(n, reply)] == []


def words_of(group: click.Group, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """All commands of the command line."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from words_of(command, (*before, name))
        else:
            yield (*before, name)


def arguments_of(planted: Planted, words: tuple[str, ...]) -> list[tuple[str, ...]]:
    """What the commands that show something are to be told; none for the others."""
    if words[-1] not in ("list", "show", "catalogue", "export", "check", "trace", "doctor"):
        return []
    match words:
        case ("commands", "list"):
            return [(*words, SN)]
        case ("devices", "show" | "trace"):
            return [(*words, SN)]
        case ("doctor",):
            return [words, (*words, SN)]
        case ("commands", "show"):
            return [(*words, id) for id in ids(planted, f"devices/{SN}/commands", "id")[:12]]
        case ("jobs", "show"):
            return [(*words, id) for id in ids(planted, "jobs", "id")]
        case ("rejects", "show"):
            return [(*words, id) for id in ids(planted, "rejects", "id")[:12]]
        case ("areas", "show"):
            return [(*words, "default")]
        case ("users", "show"):
            return [(*words, "900")]
        case ("users", "export"):
            return [(*words, "-")]
        case ("database", _) | ("plugins", _) | ("forwarders", "show"):
            return []  # `tests/forward/test_secrecy.py` looks at forwarders
        case (_, "list" | "catalogue"):
            return [words]
    raise AssertionError(f"nobody said what zkpush {' '.join(words)} shows: say so in this test")


@pytest.mark.long
@pytest.mark.usefixtures("no_cover")
@pytest.mark.parametrize("token", ["read", "dangerous"])
def test_the_command_line_shows_no_more_than_the_token(planted: Planted, token: str) -> None:
    """Every command that shows something, as tables and as JSON."""
    url = f"http://{planted.daemon.manage.hostname}:{planted.daemon.manage.port}"
    ran = 0
    for words in words_of(main):
        for each in arguments_of(planted, words):
            for flags in ((), ("--json",)):
                if flags and words[-1] == "export":
                    continue
                shown = zkpush("--url", url, "--token", planted.tokens[token], *each, *flags)
                text = (shown.stdout + shown.stderr).encode()
                planted.check(token, text, f"zkpush {' '.join(each)}")
                ran += shown.returncode == 0
    assert ran > 20


def test_logs_and_files_hold_no_secret(planted: Planted) -> None:
    """Neither the log nor any file of the data directory has a secret needle in it, in any form."""
    assert kept(planted.needles, planted.daemon.printed().encode()) == []
    folder = pathlib.Path(planted.daemon.data)
    files = [file for file in folder.rglob("*") if file.is_file()]
    content = {file: file.read_bytes() for file in files}
    names = [text for text, where in planted.needles.where.items() if where == "USER.Name"]
    assert any(is_in(name, each) for name in names for each in content.values())
    for file, each in content.items():
        assert kept(planted.needles, str(file).encode() + each) == [], file.name


def rows_of(url: str) -> Iterator[tuple[str, bytes]]:
    """All values of all tables of a PostgreSQL database."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchall()
        for (table,) in tables:
            rows: Iterable[tuple[Any, ...]] = connection.execute(f'SELECT * FROM "{table}"')  # type: ignore[arg-type]  # noqa: S608
            for row in rows:
                for value in row:
                    yield table, value if isinstance(value, bytes) else str(value).encode()


@pytest.mark.long
def test_a_postgresql_database_holds_no_secret(
    tmp_path: pathlib.Path, empty_postgres_url: str
) -> None:
    """No row of any table has a secret needle in it, in any form."""
    with Daemon(tmp_path / "data", "--database", empty_postgres_url) as daemon:
        needles = plant(daemon)
        daemon.terminate()
        daemon.process.wait(30)
    values = [*rows_of(empty_postgres_url)]
    assert len({table for table, _ in values}) > 15
    whole = {table: b"\0".join(v for t, v in values if t == table) for table, _ in values}
    for table, text in whole.items():
        assert kept(needles, text) == [], table
