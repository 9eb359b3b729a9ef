"""Recognisable texts, planted wherever a terminal or a person can put a secret.

Who may see which is written here from the contract, and not taken from the code that is tested.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote

import attrs

from zkpush.protocol.fields import Command, Field, Kind, Layout, Table

from ..daemon.process import Daemon
from ..declared import COMMANDS, RECORD_TABLES

SN = "T1"
BIOMETRICS, DANGEROUS, NOBODY = "biometrics", "dangerous", "nobody"
EITHER = f"{BIOMETRICS} {DANGEROUS}"
"""Of an option that was set: a parameter of the command, then a secret option of the terminal."""
SECRET_FIELDS = {
    "USER": {"Passwd"},
    "FP": {"TMP"},
    "FACE": {"TMP"},
    "FVEIN": {"Tmp"},
    "BIODATA": {"Tmp"},
    "USERPIC": {"Content"},
    "BIOPHOTO": {"Content"},
    "IDCARD": {"Photo", "FPTemplate1", "FPTemplate2"},
}
"""The passwords, templates and photos of section 11; all need `biometrics`."""
DANGEROUS_COMMANDS = re.compile(r"SHELL|PutFile|GetFile|UPGRADE|RAW|CLEAR .*|AC_UNLOCK|AC_UNALARM")
HARMLESS_OPTION = "~DeviceName"
SPELLINGS = ("PASSWD", "passwd", "PassWd")
UNKNOWN = ("Unknown", "Password", "pwd", "TMP2", "code", "extra", "raw", "index", "password 2")
"""Columns that no table has: of another dialect, or named as a column of the database is."""


@attrs.define
class Needles:
    """The texts that were planted, and what it takes to see each."""

    needed: dict[str, str] = attrs.field(factory=dict)
    where: dict[str, str] = attrs.field(factory=dict)
    count: int = 0

    def make(self, needed: str | None, where: str) -> str:
        """A new text; None for one that everybody may see."""
        self.count += 1
        text = hashlib.sha256(b"needle %d" % self.count).hexdigest()[:15]
        text = f"N{text}"  # no number, and base64 of itself
        self.where[text] = where
        if needed is not None:
            self.needed[text] = needed
        return text


@functools.cache
def forms(text: str) -> tuple[bytes, ...]:
    """How a needle may be written."""
    plain = text.encode()
    encoded = []
    for before in range(3):  # what is whole of it, wherever it stands in a longer text
        start, end = -(-before // 3) * 4, (before + len(plain)) // 3 * 4
        encoded.append(base64.b64encode(bytes(before) + plain)[start:end])
    digest = hashlib.md5(plain).hexdigest().encode()  # noqa: S324 - a short secret is guessed by it
    return (plain, *encoded, digest)


def value_of(needles: Needles, field: Field, needed: str | None, where: str) -> str:
    """A value that a field takes, with a needle in it if it can have one."""
    if field.kind is Kind.TEXT and (
        field.pattern is None or re.fullmatch(field.pattern, "N0123456789abcde")
    ):
        return needles.make(needed, where)
    if field.kind is Kind.BASE64:
        return base64.b64encode(needles.make(needed, where).encode()).decode()
    if field.kind in (Kind.TIME, Kind.MOMENT):
        return "2026-03-01 08:00:00"
    samples = ("0", "SyncData", "USERINFO", "0" * 16, "08:00", "0800", "0101", "1;1;0;0")
    least = () if field.minimum is None else (str(field.minimum),)
    for candidate in (*map(str, field.choices), *least, *samples):
        try:
            field.decode(candidate)
        except ValueError:
            continue
        return candidate
    raise AssertionError(f"no value for {where}")


def lines_of(needles: Needles, table: Table) -> Iterator[str]:
    """Lines of a table with needles in all their fields, and in columns that it does not have."""
    secret = SECRET_FIELDS.get(table.name, set())
    fields = [field for field in table.fields if field.stored and field.name != "size"]
    values = {
        field.wire: value_of(
            needles,
            field,
            BIOMETRICS if field.wire in secret else None,
            f"{table.name}.{field.wire}",
        )
        for field in fields
    }
    if table.layout is Layout.COLUMNS:
        more = [needles.make(BIOMETRICS, f"{table.name} column {n}") for n in range(1, 4)]
        yield "\t".join([*values.values(), *more])
        return
    known = {field.wire.lower() for field in table.fields}
    for name in UNKNOWN:
        if name.lower() not in known:
            values[name] = needles.make(BIOMETRICS, f"{table.name} unknown {name}")
    yield "\t".join(f"{name}={value}" for name, value in values.items())


def params_of(needles: Needles, command: Command) -> dict[str, str]:
    """Parameters of a command with needles in them."""
    table = command.name.rpartition(" ")[2]
    same = {"USERINFO": "USER", "FINGERTMP": "FP"}.get(table, table)
    secret = SECRET_FIELDS.get(same, set())
    params = {}
    for field in command.parameters:
        needed = BIOMETRICS if field.wire in secret and command.name.startswith("DATA") else None
        if command.name == "SHELL":
            needed = DANGEROUS
        if field.name in ("size", "url"):  # filled in; the name of a file of this server
            continue
        params[field.wire] = value_of(needles, field, needed, f"{command.name} {field.wire}")
    return params


def post(daemon: Daemon, path: str, body: bytes) -> bytes:
    """An upload that is taken."""
    status, reply = daemon.request("POST", path, body)
    assert status == 200, (path, reply)
    return reply


_RAW = next(command for command in COMMANDS if command.name == "RAW")


def queue(daemon: Daemon, name: str, params: Mapping[str, str]) -> str:
    """The id of a command that was queued."""
    path = f"devices/{SN}/commands"
    body = {"command": name, "params": params}
    answer = daemon.api("POST", path, body)
    confirm = re.search("confirm=[0-9]+", answer.get("detail", ""))
    if confirm:  # it deletes people
        answer = daemon.api("POST", f"{path}?{confirm[0]}", body)
    assert "id" in answer, (name, params, answer)
    command: str = answer["id"]
    return command


def plant(daemon: Daemon) -> Needles:
    """Put a needle into every field, option, parameter, answer, file, picture and reject."""
    needles = Needles()
    odd = needles.make(BIOMETRICS, "argument of the exchange")
    key = needles.make(NOBODY, "pushcommkey")
    path = f"cdata?SN={SN}&options=all&pushver=2.4.2&Odd={odd}&pushcommkey={key}"
    assert daemon.request("GET", path)[0] == 200
    _plant_records(daemon, needles)
    _plant_options(daemon, needles)
    _plant_rejects(daemon, needles)
    _plant_commands(daemon, needles)
    return needles


def _plant_records(daemon: Daemon, needles: Needles) -> None:
    for table in RECORD_TABLES:
        if table.layout is Layout.PHOTO:
            picture = b"\xff\xd8\xff" + needles.make(BIOMETRICS, "attendance photo").encode()
            head = f"PIN=20260301120000-7.jpg\nSN={SN}\nsize={len(picture)}\nCMD=uploadphoto\n"
            head += f"Odd={needles.make(NOBODY, 'ATTPHOTO unknown')}\0"
            post(daemon, f"cdata?SN={SN}&table=ATTPHOTO&Stamp=1", head.encode() + picture)
            continue
        upload = "ATTLOG" if table.name == "ATTLOG" else "OPERLOG"
        keyword = "" if table.name == "ATTLOG" else f"{table.keyword} "
        for line in lines_of(needles, table):
            reply = post(
                daemon, f"cdata?SN={SN}&table={upload}&Stamp=1", f"{keyword}{line}\n".encode()
            )
            assert reply in (b"OK: 1", b"OK"), (table.name, line, reply)
    for number, name in enumerate(SPELLINGS, 900):
        line = f"USER PIN={number}\t{name}={needles.make(BIOMETRICS, f'USER {name}')}\n"
        assert post(daemon, f"cdata?SN={SN}&table=OPERLOG&Stamp=1", line.encode()) == b"OK: 1"


def _plant_options(daemon: Daemon, needles: Needles) -> None:
    options = [f"~OEMVendor={needles.make(None, 'a harmless option')}"]
    options += [
        f"{name}={needles.make(BIOMETRICS, f'option {name}')}"
        for name in ("ComPwd2", "~Odd", "WebServerURL", "devicename2", "ComKey")
    ]
    post(daemon, f"cdata?SN={SN}&table=options", ",".join(options).encode())
    values = ["Ver 1", needles.make(BIOMETRICS, "INFO, a number that is none"), "1", "1"]
    values += ["192.0.2.9", "10", "7", "15", "2", "111"]
    values += [needles.make(BIOMETRICS, "INFO, a value too many")]
    assert daemon.request("GET", f"getrequest?SN={SN}&INFO={quote(','.join(values))}")[0] == 200


def _plant_rejects(daemon: Daemon, needles: Needles) -> None:
    def make(where: str) -> str:
        return needles.make(BIOMETRICS, f"reject: {where}")

    for table, body in (
        ("ATTLOG", f"7\t{make('time')}\t0\t1"),
        ("ATTLOG", f"7\t2026-03-01 08:00:00\t{make('status')}\t1"),
        ("ATTLOG", make("line")),
        ("OPERLOG", f"USER PIN=1\tPIN={make('PIN twice')}"),
        ("OPERLOG", f"USER PIN=1\tPasswd=1\tPasswd={make('password twice')}"),
        ("OPERLOG", f"FP PIN=1\tFID={make('FID')}\tTMP={make('template')}"),
        ("OPERLOG", f"OPLOG {make('code')}\t0\t2026-03-01 08:00:00"),
        ("OPERLOG", f"OPLOG {'9' * 12}\t0\t2026-03-01 08:00:00\t{make('too large')}"),
        ("OPERLOG", f"{make('keyword')} PIN=1"),
        ("OPERLOG", f"USER {make('no pair')}"),
        ("options", make("options")),
        ("NOBODY", make("unknown table")),
        ("ATTPHOTO", make("photo")),
    ):
        post(daemon, f"cdata?SN={SN}&table={table}&Stamp=1", body.encode())
    packed = f"cdata?SN={SN}&table=OPERLOG&ContentType=tgz"
    daemon.request("POST", packed, make("packet").encode())
    answer = needles.make(DANGEROUS, "reject: answer")
    daemon.request("POST", f"devicecmd?SN={SN}", f"ID=x&Return={answer}".encode())


def _plant_commands(daemon: Daemon, needles: Needles) -> None:
    for name, value in (("ComPwd", EITHER), ("Odd", EITHER), (HARMLESS_OPTION, None)):
        queue(daemon, "SET OPTION", {"key": name, "value": needles.make(value, f"SET {name}")})
    for command in COMMANDS:
        if command.name not in ("SET OPTION", "PutFile", "UPGRADE"):
            queue(daemon, command.name, params_of(needles, command))
    while (sent := daemon.request("GET", f"getrequest?SN={SN}")[1]) != b"OK":
        for line in sent.splitlines():
            _, command_id, text = line.decode("utf-8", "replace").split(":", 2)
            post(daemon, f"devicecmd?SN={SN}", _answer(needles, command_id, text))
    queue(
        daemon, "DATA UPDATE USERINFO", {"PIN": "1", "Passwd": needles.make(BIOMETRICS, "queued")}
    )


def _answer(needles: Needles, command_id: str, text: str) -> bytes:
    """What a terminal says of a command, and more than the protocol has."""
    command = _command_of(text)
    needed = DANGEROUS if DANGEROUS_COMMANDS.fullmatch(command.name) else BIOMETRICS
    if text.startswith("SET OPTION ComPwd="):
        needed = DANGEROUS
    name = command.name

    def odd(key: str) -> str:
        return f"{key}={needles.make(needed, f'answer to {name}: {key}')}"

    if name in ("SHELL", "GetFile"):
        content = needles.make(DANGEROUS, f"content of {name}")
        head = f"ID={command_id}\nReturn=0\nCMD={command.reply}\n{odd('Odd')}\n{odd('x')}\n"
        return f"{head}Content={content}".encode()
    if name == "INFO":
        harmless = f"{HARMLESS_OPTION}={needles.make(None, 'INFO')}"
        return (
            f"ID={command_id}&Return=0&CMD=INFO\n{harmless}\n{odd('AdminPwd')}\n{odd('x')}".encode()
        )
    # A QUERY ends with a result of the server's own, and VERIFY SUM has some values of it.
    names = ["Odd", "stored", "agrees", "records", "AttlogSum", "StartTime"]
    if name == "VERIFY SUM ATTLOG":
        names.remove("stored")
    if name.startswith("DATA QUERY"):
        needed = NOBODY
    keys = "&".join(map(odd, names))
    return f"ID={command_id}&Return=0&CMD={command.reply}&{keys}\n".encode()


def _command_of(text: str) -> Command:
    """The command of a line: the longest name counts, and a line without one is of RAW."""
    found = [each for each in COMMANDS if f"{text} ".startswith(f"{each.name} ")]
    return max(found, key=lambda each: len(each.name), default=_RAW)
