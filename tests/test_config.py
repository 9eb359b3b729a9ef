"""The configuration: one object from a file and flags, or all that is wrong with them."""

from __future__ import annotations

import pathlib
from typing import Annotated

import msgspec
import pytest
from twisted.internet import reactor
from twisted.internet.endpoints import serverFromString

from zkpush.config import Config, ConfigError, load, meaning
from zkpush.settings.features import Commands, PrivacySettings, RemoteAttendance, Verification
from zkpush.settings.network import Limits, Tls

EVERYTHING = """\
data = "/srv/zkpush"
listen = ["tcp:8081", "tcp:8083:interface=127.0.0.1"]
manage = "tcp:9000"
database = "postgresql://db/zkpush"
admission = "closed"
timezone = "Europe/Madrid"

[options]
ErrorDelay = 60
Delay = 5
TransTimes = "06:00;18:30"
TransInterval = 0
TransFlag = "digits"
Realtime = 0
PushOptionsFlag = 0

[tls]
minimum = "1.0"
client_certificates = "required"
client_ca = "/srv/ca.pem"

[limits]
body_bytes = 2048

[commands]
batch_count = 7
batch_bytes = 512
lease_seconds = 20
attempts = 3

[remote_attendance]
enabled = true
per_minute = 5

[verification]
verifier = "theirs"
deadline_seconds = 1.5
fallback = "admit"

[privacy]
templates = false
"""
NOT_ENDPOINT = "not an endpoint"


def check_endpoint(text: str) -> object:
    """Take everything but what calls itself wrong."""
    if text.startswith("wrong"):
        raise ValueError(NOT_ENDPOINT)
    return text


def mistakes(file: pathlib.Path | None = None, **flags: object) -> list[str]:
    """What is wrong with a configuration."""
    with pytest.raises(ConfigError) as refused:
        load(file, flags, check_endpoint)
    assert str(refused.value) == "\n".join(refused.value.mistakes)
    return refused.value.mistakes


def written(folder: pathlib.Path, text: str) -> pathlib.Path:
    """A file with that text."""
    file = folder / "zkpush.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_only_the_directory_has_no_default() -> None:
    """With `--data` alone, everything has the value that the manual says."""
    config = load(None, {"data": "/srv/zkpush"}, check_endpoint)
    assert config == Config(
        data=pathlib.Path("/srv/zkpush"),
        listen=("tcp:8081",),
        manage="tcp:8082:interface=127.0.0.1",
        database=None,
        admission="approve",
        timezone=None,
        options={},
        tls=Tls(minimum="1.2", client_certificates="off", client_ca=None),
        limits=Limits(body_bytes=67_108_864),
        commands=Commands(batch_count=100, batch_bytes=65_536, lease_seconds=300, attempts=10),
        remote_attendance=RemoteAttendance(enabled=False, per_minute=10),
        verification=Verification(verifier="known", deadline_seconds=3, fallback="refuse"),
    )


def test_the_database_is_in_the_directory_unless_named() -> None:
    """Without a URL, SQLite in the data directory is used."""
    data = pathlib.Path("/srv/zkpush")
    assert Config(data=data).database_url == "sqlite:////srv/zkpush/zkpush.sqlite"
    named = Config(data=data, database="postgresql://db/zkpush")
    assert named.database_url == "postgresql://db/zkpush"


def test_every_key_can_stand_in_the_file(tmp_path: pathlib.Path) -> None:
    """All keys of all sections are read from TOML."""
    assert load(written(tmp_path, EVERYTHING), {}, check_endpoint) == Config(
        data=pathlib.Path("/srv/zkpush"),
        listen=("tcp:8081", "tcp:8083:interface=127.0.0.1"),
        manage="tcp:9000",
        database="postgresql://db/zkpush",
        admission="closed",
        timezone="Europe/Madrid",
        options={
            "ErrorDelay": 60,
            "Delay": 5,
            "TransTimes": "06:00;18:30",
            "TransInterval": 0,
            "TransFlag": "digits",
            "Realtime": 0,
            "PushOptionsFlag": 0,
        },
        tls=Tls(
            minimum="1.0",
            client_certificates="required",
            client_ca=pathlib.Path("/srv/ca.pem"),
        ),
        limits=Limits(body_bytes=2048),
        commands=Commands(batch_count=7, batch_bytes=512, lease_seconds=20, attempts=3),
        remote_attendance=RemoteAttendance(enabled=True, per_minute=5),
        verification=Verification(verifier="theirs", deadline_seconds=1.5, fallback="admit"),
        privacy=PrivacySettings(templates=False),
    )


def test_a_flag_wins_over_the_file(tmp_path: pathlib.Path) -> None:
    """What the command line says is used, and the rest of the file still counts."""
    flags = {"data": "/elsewhere", "listen": ["tcp:1"], "admission": "open"}
    config = load(written(tmp_path, EVERYTHING), flags, check_endpoint)
    assert (config.data, config.listen) == (pathlib.Path("/elsewhere"), ("tcp:1",))
    assert (config.admission, config.manage) == ("open", "tcp:9000")


def test_the_right_flag_makes_up_for_a_wrong_key(tmp_path: pathlib.Path) -> None:
    """A key that a flag replaces is not looked at."""
    file = written(tmp_path, 'data = "/srv"\nadmission = "maybe"\n')
    assert load(file, {"admission": "open"}, check_endpoint).admission == "open"


def test_option_names_become_those_of_the_protocol() -> None:
    """Options are written in any case, and numbers as text; they are told in the spec's way."""
    options = {"delay": "5", "TRANSFLAG": "0000000001", "errordelay": 40}
    config = load(None, {"data": "d", "options": options}, check_endpoint)
    assert config.options == {"Delay": 5, "TransFlag": "0000000001", "ErrorDelay": 40}


def test_all_mistakes_are_told_together(tmp_path: pathlib.Path) -> None:
    """Unknown keys, wrong types, and values that cannot be used: a line for each, none hides."""
    text = """\
    data = 5
    listen = ["wrong:1", "tcp:8081", "wrong:2"]
    manage = "wrong:3"
    database = ["sqlite://"]
    admission = ""
    timezone = "Mars/Olympus"
    colour = "blue"
    [options]
    Delay = 0
    Realtime = true
    Volume = 11
    [limits]
    body_bytes = 1023
    patience = 3
    [commands]
    attempts = "often"
    batch_count = 10001
    retries = 1
    [remote_attendance]
    enabled = "sometimes"
    per_minute = 0
    [proxies]
    trusted = ["127.0.0.1", "10.0.0.1/8", "unix", "nginx"]
    [verification]
    deadline_seconds = 0
    fallback = "guess"
    """
    lines = [line.partition(" (")[0] for line in mistakes(written(tmp_path, text))]
    assert lines[1].startswith("data: ")  # the rest is Python's, and other in each version
    del lines[1]
    assert lines == [
        "colour: unknown key; the keys are data, listen, manage, database, new, admission, "
        "workers, timezone, options, tls, limits, proxies, commands, encryption, "
        "remote_attendance, verification, events, audit, privacy, health, watch, plugins",
        "database: Expected `str | null`, got `array`",
        "admission: Expected `str` of length >= 1",
        "limits.patience: unknown key; the keys are body_bytes, bodies_bytes, "
        "body_wait_seconds, head_bytes, "
        "idle_seconds, request_seconds, stalled_seconds, drain_seconds, connections, "
        "connections_per_address, "
        "requests_per_minute, unknown_per_minute, pending_terminals, terminals, packet_bytes, "
        "packet_ratio, packet_members, manage_connections, manage_connections_per_address, "
        "manage_bodies_bytes, event_streams, console_streams, command_bytes, file_bytes",
        "limits.body_bytes: '1023' is not an integer of at least 1024",
        "commands.retries: unknown key; the keys are batch_count, batch_bytes, "
        "lease_seconds, attempts, lifetime_days, "
        "public_url, site, site_parameters, package_format, keep_days, keep_bodies_days",
        "commands.batch_count: '10001' is not an integer from 1 to 10000",
        "commands.attempts: 'often' is not an integer of at least 1",
        "remote_attendance.enabled: 'sometimes' is not true or false",
        "remote_attendance.per_minute: '0' is not an integer from 1 to 10000",
        "verification.deadline_seconds: '0' is not a number above 0, of at most 30",
        "verification.fallback: 'guess' is not one of admit, refuse",
        "timezone: 'Mars/Olympus' is not an IANA time zone such as Europe/Madrid",
        "options: Delay: 0 is less than 1",
        "options: Realtime takes integer",
        "options: Volume is not an option that can be set; there are ErrorDelay, Delay, "
        "TransTimes, TransInterval, TransFlag, Realtime, PushOptionsFlag, ATTPHOTOBase64, "
        "MultiBioDataSupport, MultiBioPhotoSupport",
        "proxies.trusted: '10.0.0.1/8' is an address within a network; the network is 10.0.0.0/8",
        "proxies.trusted: 'nginx' is not a network such as 10.1.0.0/16 or fd00::/8, nor an address",
        "listen: not an endpoint",
        "listen: not an endpoint",
        "manage: not an endpoint",
    ]


def test_a_mistake_says_what_the_key_means() -> None:
    """Next to what is wrong with a value stands what it is for."""
    assert mistakes(data="d", admission="", options={"Delay": "soon"}) == [
        "admission: Expected `str` of length >= 1 "
        "(Treatment of unknown terminals: `approve` (an operator approves each), `open` (admit "
        "all), `closed` (refuse), or a policy of another package)",
        "options: Delay: 'soon' is not an integer "
        "(Seconds between two polls for commands; 2 to 60 recommended)",
    ]


@pytest.mark.parametrize(
    ("key", "value", "mistake"),
    [
        ("options", 3, "options: must be a table, [options]"),
        ("options", ["Delay"], "options: must be a table, [options]"),
        ("limits", "large", "limits: must be a table, [limits]"),
        ("commands", [], "commands: must be a table, [commands]"),
        (
            "listen",
            "tcp:8081",
            "listen: Expected `array`, got `str` (Twisted endpoint for terminals; repeatable)",
        ),
        (
            "listen",
            [],
            "listen: Expected `array` of length >= 1 (Twisted endpoint for terminals; repeatable)",
        ),
        ("options", {"delay": 5, "Delay": 6}, "options: Delay is there twice"),
        ("timezone", "", "timezone: '' is not an IANA time zone such as Europe/Madrid"),
        (
            "timezone",
            "../UTC",
            "timezone: '../UTC' is not an IANA time zone such as Europe/Madrid; did you mean "
            "Etc/UTC or UTC?",
        ),
        (
            "timezone",
            "Berlin",
            "timezone: 'Berlin' is not an IANA time zone such as Europe/Madrid; did you mean "
            "Europe/Berlin?",
        ),
        (
            "timezone",
            1,
            "timezone: Expected `str | null`, got `int` (IANA time zone of terminals that have "
            "none of their own; unset: the machine's, unless that is UTC)",
        ),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(key: str, value: object, mistake: str) -> None:
    """A section given as a value, a value given as a list, and the like are named."""
    assert mistakes(data="d", **{key: value}) == [mistake]


def test_the_directory_has_to_be_given() -> None:
    """Without `--data`, what is missing is said."""
    assert mistakes() == [
        "data: missing (Directory for the database, the key and the admin token; created "
        "with mode 0700)"
    ]


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: pathlib.Path) -> None:
    """A file that cannot be read is named, with the reason and the mistakes in the flags."""
    missing = tmp_path / "none.toml"
    assert mistakes(missing, timezone="Mars") == [
        f"config: cannot read {missing}: No such file or directory",
        "timezone: 'Mars' is not an IANA time zone such as Europe/Madrid",
    ]
    assert mistakes(tmp_path) == [f"config: cannot read {tmp_path}: Is a directory"]


@pytest.mark.parametrize("content", [b"data = ", b"\xff\xfe", b"a = 1\na = 2"])
def test_a_file_that_is_not_toml_is_a_mistake(tmp_path: pathlib.Path, content: bytes) -> None:
    """What is not TOML, or not UTF-8, is one mistake, on one line."""
    file = tmp_path / "zkpush.toml"
    file.write_bytes(content)
    (mistake,) = mistakes(file)
    assert mistake.startswith(f"config: {file} is not TOML: ")
    assert "\n" not in mistake


def test_endpoints_are_those_of_twisted() -> None:
    """The check that is passed in sees every endpoint, in its order."""
    seen: list[str] = []
    flags = {"data": "d", "listen": ["tcp:1", "tcp:2"], "manage": "tcp:3"}
    load(None, flags, seen.append)
    assert seen == ["tcp:1", "tcp:2", "tcp:3"]
    for endpoint in (*Config(data=pathlib.Path()).listen, Config(data=pathlib.Path()).manage):
        serverFromString(reactor, endpoint)


@pytest.mark.parametrize(
    ("section", "key"),
    [
        (section, key)
        for section in (Config, Limits, Commands, RemoteAttendance, Verification)
        for key in section.__struct_fields__
    ],
)
def test_every_key_has_a_meaning(section: type[msgspec.Struct], key: str) -> None:
    """Help texts and the manual have a line for every key."""
    assert len(meaning(section, key)) > 10


def test_the_meaning_of_a_section_is_that_of_its_type() -> None:
    """A section is explained by the words that declare it; what says nothing means nothing."""

    class Silent(msgspec.Struct):
        key: int
        bounded: Annotated[int, msgspec.Meta(ge=1)]

    assert meaning(Config, "limits") == "Limits on requests and connections"
    assert (
        meaning(Commands, "attempts") == "Most times that a command is sent before it is given up"
    )
    assert meaning(Silent, "key") == meaning(Silent, "bounded") == ""
