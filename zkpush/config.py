"""The configuration of the daemon: one validated object from a TOML file and flags.

Every key is declared once, in `Config` and its sections, with its type, bounds, default and
meaning; the validation, the flags' help and the manual come from there. All mistakes are reported
together.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_type_hints

import msgspec
from msgspec import Meta

from .model import EncryptionPolicy
from .protocol.addresses import parse_proxies
from .protocol.handshake import check_settings
from .protocol.times import check_zone

T = TypeVar("T")


class ConfigError(Exception):
    """What is wrong with a configuration: one line for each mistake."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much a terminal may ask of the server."""

    # People are bound by head_bytes, idle_seconds, request_seconds and stalled_seconds as well.

    body_bytes: Annotated[
        int, Meta(ge=1024, description="Largest body of a request, in bytes (413 above it)")
    ] = 64 * 1024 * 1024
    bodies_bytes: Annotated[
        int,
        Meta(
            ge=1024,
            description="Memory for bodies that are coming or not answered yet, and for decoding "
            "them, of each process, in bytes. A quarter of it is for bodies of up to 64 KiB, which "
            "every punch is; one terminal and one address may take a share of each part. A short "
            "body that does not fit is refused (503), a longer one waits for `body_wait_seconds`",
        ),
    ] = 256 * 1024 * 1024
    body_wait_seconds: Annotated[
        int,
        Meta(
            ge=0,
            le=600,
            description="Seconds that a body above 64 KiB may wait for memory before it is refused "
            "(503); nothing is read from its connection meanwhile",
        ),
    ] = 30
    head_bytes: Annotated[
        int,
        Meta(ge=1024, le=1024 * 1024, description="Most bytes of a request before its body (400)"),
    ] = 16 * 1024
    idle_seconds: Annotated[
        int,
        Meta(
            ge=1,
            le=86_400,
            description="Seconds that a connection may be silent, and that the part of a request "
            "before its body may take",
        ),
    ] = 60
    request_seconds: Annotated[
        int,
        Meta(
            ge=1,
            le=86_400,
            description="Seconds in which a request has to come whole, however it trickles (408)",
        ),
    ] = 300
    stalled_seconds: Annotated[
        int,
        Meta(
            ge=1,
            le=86_400,
            description="Seconds for which a terminal may take nothing of a file, or of the end of "
            "what is written to it",
        ),
    ] = 300
    drain_seconds: Annotated[
        int,
        Meta(
            ge=1,
            le=3600,
            description="Seconds in which the daemon finishes what is in hand once it is told to "
            "stop; then it ends, and the log says what was given up",
        ),
    ] = 30
    connections: Annotated[
        int, Meta(ge=1, le=1_000_000, description="Most connections of terminals, of each process")
    ] = 8192
    connections_per_address: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description="Most connections from one address, of each process; this machine and "
            "trusted proxies may have more",
        ),
    ] = 1024
    requests_per_minute: Annotated[
        int,
        Meta(
            ge=1,
            description="Most requests of one terminal in a minute, of each process (429)",
        ),
    ] = 6000
    unknown_per_minute: Annotated[
        int,
        Meta(
            ge=1,
            description="Most unknown serial numbers that are looked up in a minute, of each "
            "process (429)",
        ),
    ] = 3000
    pending_terminals: Annotated[
        int,
        Meta(
            ge=1,
            description="Most terminals that may wait for approval; further ones are refused, and "
            "not recorded",
        ),
    ] = 5000
    terminals: Annotated[
        int,
        Meta(
            ge=1,
            description="Most terminals that are recorded because they came; operators may add "
            "more",
        ),
    ] = 50_000
    packet_bytes: Annotated[
        int, Meta(ge=1024, description="Most bytes that a packet (11.14) may expand to")
    ] = 64 * 1024 * 1024
    packet_ratio: Annotated[
        int, Meta(ge=1, description="Most bytes that each byte of a packet may expand to")
    ] = 100
    packet_members: Annotated[int, Meta(ge=1, description="Most members in a packet")] = 10_000
    manage_connections: Annotated[
        int,
        Meta(
            ge=4,
            le=100_000,
            description="Most connections to the management endpoint. Further ones take the place "
            "of the oldest idle one, at first of those that have shown no token",
        ),
    ] = 128
    manage_connections_per_address: Annotated[
        int,
        Meta(
            ge=1,
            le=100_000,
            description="Most connections to the management endpoint from one address; this "
            "machine and trusted proxies may have more",
        ),
    ] = 64
    event_streams: Annotated[
        int,
        Meta(
            ge=1,
            le=100_000,
            description="Most readers of `GET events` at the same time (503); never more than "
            "three quarters of `manage_connections`",
        ),
    ] = 96
    file_bytes: Annotated[
        int,
        Meta(ge=1024, description="Largest file that an operator may add for terminals, in bytes"),
    ] = 256 * 1024 * 1024


class Proxies(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which proxies are in front of the server."""

    trusted: Annotated[
        tuple[str, ...],
        Meta(
            description="Addresses and networks of proxies whose `X-Forwarded-For` and PROXY "
            "headers are believed; `unix` for a socket file"
        ),
    ] = ()


class Commands(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How commands are sent."""

    batch_count: Annotated[
        int, Meta(ge=1, le=10_000, description="Most commands in the reply to one poll")
    ] = 100
    batch_bytes: Annotated[
        int,
        Meta(ge=256, description="Most bytes in the reply to one poll; a larger one goes alone"),
    ] = 64 * 1024
    lease_seconds: Annotated[
        int, Meta(ge=1, description="Seconds to wait for an answer before a command is sent again")
    ] = 300
    attempts: Annotated[
        int, Meta(ge=1, description="How often a command is sent before it is given up")
    ] = 10
    lifetime_days: Annotated[
        int, Meta(ge=1, le=3650, description="Days after which an open command is given up")
    ] = 30


class Events(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept of what has happened."""

    days: Annotated[
        int, Meta(ge=1, le=3650, description="Days for which a listener can catch up on events")
    ] = 7


class AuditRetention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long the audit log is kept."""

    keep_days: Annotated[
        Annotated[int, Meta(ge=1, le=36_500)] | None,
        Meta(
            description="Days after which rows of the audit log are removed, behind a signed "
            "checkpoint; unset: never"
        ),
    ] = None


class RemoteAttendance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether terminals are given users who are not on them (spec 14)."""

    enabled: Annotated[
        bool,
        Meta(
            description="Whether an approved terminal gets the password, card and fingerprints of "
            "any user whose ID it asks for; each time is in the audit log"
        ),
    ] = False
    per_minute: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            description="Most users that one terminal may ask for within a minute, of each process",
        ),
    ] = 10


class Verification(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is let in when a terminal asks the server (spec 12.8.3)."""

    verifier: Annotated[
        str,
        Meta(
            min_length=1,
            description="The plugin that decides; `known` admits users that are known and valid",
        ),
    ] = "known"
    deadline_seconds: Annotated[
        float, Meta(gt=0, le=30, description="Seconds that the verifier has to decide")
    ] = 3.0
    fallback: Annotated[
        Literal["refuse", "admit"],
        Meta(description="What to answer when the verifier fails or is late"),
    ] = "refuse"


class Encryption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How sessions with terminals are encrypted (spec 6, 7, Appendix 8)."""

    policy: Annotated[
        EncryptionPolicy,
        Meta(
            description="`prefer`: where both sides can, if the terminal begins; `require`: "
            "nothing plain is served; `never`: terminals are told a version that has no "
            "encryption. A terminal can have another one"
        ),
    ] = EncryptionPolicy.PREFER
    suite: Annotated[
        str,
        Meta(
            min_length=1,
            description="The plugin with the algorithms (docs/encryption.md); a terminal can have "
            "another one",
        ),
    ] = "x25519-aes256gcm"


class Health(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When the health check fails, and when it warns."""

    least_free_bytes: Annotated[
        int,
        Meta(
            ge=0,
            description="With less free space in the database, the pictures, the data directory "
            "or temporary files, the health check fails",
        ),
    ] = 32 * 1024 * 1024
    low_free_bytes: Annotated[
        int, Meta(ge=0, description="With less free space than this, it warns")
    ] = 1024 * 1024 * 1024
    low_free_days: Annotated[
        int,
        Meta(
            ge=0,
            le=3650,
            description="It also warns of space that lasts for fewer days at the present rate",
        ),
    ] = 7


class Privacy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept of people."""

    templates: Annotated[
        bool,
        Meta(
            description="Whether templates, and the comparison photos that they are made of, are "
            "stored; if not, terminals are not asked for them, and those they send are "
            "acknowledged and dropped"
        ),
    ] = True


class Plugins(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the record handlers of other packages are run."""

    inline: Annotated[
        tuple[str, ...],
        Meta(
            description="Names of record handlers that store their lines in the same transaction "
            "as the rest of the upload; a slow one holds up all terminals"
        ),
    ] = ()
    time_limit_seconds: Annotated[
        float,
        Meta(
            gt=0,
            le=3600,
            description="Seconds after which a record handler that does not return is a problem",
        ),
    ] = 30.0
    log_messages: Annotated[
        bool,
        Meta(
            description="Whether the messages of exceptions that plugins raise are logged, with "
            "tracebacks; they may quote secrets, so only for development"
        ),
    ] = False


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `ssl:` endpoints ask of those who connect."""

    minimum: Annotated[
        Literal["1.0", "1.1", "1.2", "1.3"],
        Meta(
            description="Oldest version of TLS that terminals may speak; below 1.2 only for old "
            "firmware (the management endpoint never takes less than 1.2)"
        ),
    ] = "1.2"
    client_certificates: Annotated[
        Literal["off", "optional", "required"],
        Meta(
            description="Whether terminals show a certificate: `optional` checks those that are "
            "shown, `required` ends a handshake without one"
        ),
    ] = "off"
    client_ca: Annotated[
        Path | None,
        Meta(description="PEM file of the authorities that sign the certificates of terminals"),
    ] = None


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that can be configured; flags of the same name win over the file."""

    data: Annotated[
        Path,
        Meta(description="Directory for the database, the key and the token (made with mode 0700)"),
    ]
    listen: Annotated[
        tuple[str, ...],
        Meta(min_length=1, description="Twisted endpoint for terminals; repeatable"),
    ] = ("tcp:8081",)
    manage: Annotated[str, Meta(description="Twisted endpoint for the API, health and metrics")] = (
        "tcp:8082:interface=127.0.0.1"
    )
    database: Annotated[
        str | None,
        Meta(
            description="sqlite:///path or postgresql://…; default: SQLite in the data directory. "
            "`memory:` keeps nothing, and is for trials"
        ),
    ] = None
    new: Annotated[
        bool,
        Meta(
            description="Make a database where there was one before, or take over another one: for "
            "one start"
        ),
    ] = False
    admission: Annotated[
        str,
        Meta(
            min_length=1,
            description="What to do with a terminal nobody has decided about: `approve`, `open`, "
            "`closed`, or a policy of another package",
        ),
    ] = "approve"
    workers: Annotated[
        int, Meta(ge=1, le=64, description="Processes that share the terminals' port")
    ] = 1
    timezone: Annotated[str, Meta(description="IANA zone that new terminals get")] = "UTC"
    options: Annotated[
        dict[str, str | int],
        Meta(description="What all terminals are told, by the names of the protocol (spec 5)"),
    ] = {}
    tls: Tls = Tls()
    limits: Limits = Limits()
    proxies: Proxies = Proxies()
    commands: Commands = Commands()
    encryption: Encryption = Encryption()
    remote_attendance: RemoteAttendance = RemoteAttendance()
    verification: Verification = Verification()
    events: Events = Events()
    audit: AuditRetention = AuditRetention()
    privacy: Privacy = Privacy()
    health: Health = Health()
    plugins: Plugins = Plugins()

    @property
    def database_url(self) -> str:
        """The database to use."""
        return self.database or f"sqlite:///{self.data / 'zkpush.sqlite'}"


def meaning(section: type[msgspec.Struct], key: str) -> str:
    """What a key of a section means, for help texts and the manual."""
    hint = get_type_hints(section, include_extras=True)[key]
    if _is_section(hint):
        return (hint.__doc__ or "").rstrip(".")
    for meta in getattr(hint, "__metadata__", ()):
        if isinstance(meta, Meta) and meta.description:
            return meta.description
    return ""


def load(
    file: Path | None,
    flags: Mapping[str, object],
    check_endpoint: Callable[[str], object],
    check_admission: Callable[[str], object] = str,
) -> Config:
    """Read a configuration; `ConfigError` lists every mistake in it.

    `flags` win over the file; `check_endpoint` raises `ValueError` for an endpoint string that
    cannot be used, and `check_admission` for the name of a policy that is not there.
    """
    mistakes: list[str] = []
    values = {**_read(file, mistakes), **flags}
    if not mistakes:  # what is missing may stand in a file that cannot be read
        for field in msgspec.structs.fields(Config):
            if field.required and field.name not in values:
                mistakes.append(f"{field.name}: is missing ({meaning(Config, field.name)})")
    options = values.pop("options", {})
    good = _convert(Config, values, "", mistakes)
    if "timezone" in good:
        _try(mistakes, "timezone", lambda: check_zone(good["timezone"]))
    if isinstance(options, dict):
        # Not by msgspec, which stops at the first mistake and does not name the option.
        good["options"] = _try(mistakes, "options", lambda: check_settings(options))
    else:
        mistakes.append("options: must be a table, [options]")
    if "proxies" in good:
        _try(mistakes, "proxies.trusted", lambda: parse_proxies(good["proxies"].trusted))
    if "admission" in good:
        _try(mistakes, "admission", lambda: check_admission(good["admission"]))
    endpoints = [("listen", endpoint) for endpoint in good.get("listen", ())]
    if "manage" in good:
        endpoints.append(("manage", good["manage"]))
    for key, endpoint in endpoints:
        _try(mistakes, key, lambda endpoint=endpoint: check_endpoint(endpoint))  # type: ignore[misc]
    if mistakes:
        raise ConfigError(mistakes)
    return Config(**good)


def _read(file: Path | None, mistakes: list[str]) -> dict[str, object]:
    if file is None:
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        mistakes.append(f"config: cannot read {file}: {error.strerror}")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        mistakes.append(f"config: {file} is not TOML: {error}")
    return {}


def _convert(
    section: type[msgspec.Struct], values: Mapping[str, object], prefix: str, mistakes: list[str]
) -> dict[str, Any]:
    """Convert the keys of one section one by one, so that every mistake is found."""
    good: dict[str, Any] = {}
    hints = get_type_hints(section, include_extras=True)
    for key in values:
        if key not in hints:
            there = ", ".join(hints)
            mistakes.append(f"{prefix}{key}: there is no such key; there are {there}")
    for key, hint in hints.items():
        if key not in values:
            continue
        value = values[key]
        if _is_section(hint):
            if not isinstance(value, dict):
                mistakes.append(f"{prefix}{key}: must be a table, [{prefix}{key}]")
                continue
            inner = _convert(hint, value, f"{prefix}{key}.", mistakes)
            good[key] = hint(**inner)
            continue
        try:
            good[key] = msgspec.convert(
                value, hint, strict=False, dec_hook=lambda _, text: Path(text)
            )
        except msgspec.ValidationError as error:
            mistakes.append(f"{prefix}{key}: {error} ({meaning(section, key)})")
    return good


def _is_section(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, msgspec.Struct)


def _try(mistakes: list[str], key: str, check: Callable[[], T]) -> T | None:
    try:
        return check()
    except ValueError as error:
        mistakes.extend(f"{key}: {line}" for line in str(error).splitlines())
        return None
