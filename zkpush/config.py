"""Configuration of the daemon: one validated object from a TOML file and flags.

Every key is declared once, in `Config` and its sections, with its type, bounds, default and
meaning. Validation, the help of the flags and the manual are derived from these declarations. All
mistakes are reported together.
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
    """An invalid configuration; the message has one line for each mistake."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits on requests and connections."""

    # head_bytes, idle_seconds, request_seconds and stalled_seconds hold for the API as well.

    body_bytes: Annotated[
        int,
        Meta(ge=1024, description="Largest body of a request, in bytes; a larger one gets 413"),
    ] = 64 * 1024 * 1024
    bodies_bytes: Annotated[
        int,
        Meta(
            ge=1024,
            description="Memory for request bodies in progress and their decoding, per process, in "
            "bytes. A quarter is reserved for bodies of up to 64 KiB, such as punches. One "
            "terminal and one address may use only a share of each part. A short body that does "
            "not fit is refused (503); a longer one waits up to `body_wait_seconds`",
        ),
    ] = 256 * 1024 * 1024
    body_wait_seconds: Annotated[
        int,
        Meta(
            ge=0,
            le=600,
            description="Seconds that a body above 64 KiB waits for memory before it is refused "
            "(503). Nothing is read from its connection meanwhile",
        ),
    ] = 30
    head_bytes: Annotated[
        int,
        Meta(
            ge=1024,
            le=1024 * 1024,
            description="Largest head of a request (request line and headers), in bytes; a larger "
            "one gets 400",
        ),
    ] = 16 * 1024
    idle_seconds: Annotated[
        int,
        Meta(
            ge=1,
            le=86_400,
            description="Seconds after which an idle connection is closed; also the time limit "
            "for the head of a request",
        ),
    ] = 60
    request_seconds: Annotated[
        int,
        Meta(
            ge=1,
            le=86_400,
            description="Seconds in which a complete request must arrive; a slower one gets 408",
        ),
    ] = 300
    stalled_seconds: Annotated[
        int,
        Meta(
            ge=1,
            le=86_400,
            description="Seconds after which a connection is closed whose peer reads nothing of a "
            "reply or a file",
        ),
    ] = 300
    drain_seconds: Annotated[
        int,
        Meta(
            ge=1,
            le=3600,
            description="Seconds that the daemon takes to finish requests in progress when it is "
            "stopped. Then it exits, and logs what it gave up",
        ),
    ] = 30
    connections: Annotated[
        int,
        Meta(
            ge=1, le=1_000_000, description="Most connections to the terminals' port, per process"
        ),
    ] = 8192
    connections_per_address: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description="Most connections from one address, per process; this machine and trusted "
            "proxies may have more",
        ),
    ] = 1024
    requests_per_minute: Annotated[
        int,
        Meta(
            ge=1,
            description="Most requests of one terminal per minute, per process; further ones get "
            "429",
        ),
    ] = 6000
    unknown_per_minute: Annotated[
        int,
        Meta(
            ge=1,
            description="Most unknown serial numbers that are looked up per minute, per process; "
            "further ones get 429",
        ),
    ] = 3000
    pending_terminals: Annotated[
        int,
        Meta(
            ge=1,
            description="Most pending terminals; further ones are refused and not recorded",
        ),
    ] = 5000
    terminals: Annotated[
        int,
        Meta(
            ge=1,
            description="Most terminals that are recorded on connecting; operators may add more",
        ),
    ] = 50_000
    packet_bytes: Annotated[
        int,
        Meta(ge=1024, description="Largest size of a packet (spec 11.14) when unpacked, in bytes"),
    ] = 64 * 1024 * 1024
    packet_ratio: Annotated[
        int, Meta(ge=1, description="Largest ratio of the unpacked size of a packet to its size")
    ] = 100
    packet_members: Annotated[int, Meta(ge=1, description="Most members in a packet")] = 10_000
    manage_connections: Annotated[
        int,
        Meta(
            ge=4,
            le=100_000,
            description="Most connections to the management endpoint. A further one replaces the "
            "oldest idle one, first among those without a valid token",
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
            description="Most readers of `GET events` at the same time; further ones get 503. "
            "Never more than three quarters of `manage_connections`",
        ),
    ] = 96
    file_bytes: Annotated[
        int,
        Meta(ge=1024, description="Largest file that an operator may add for terminals, in bytes"),
    ] = 256 * 1024 * 1024


class ProxySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Proxies in front of the server."""

    trusted: Annotated[
        tuple[str, ...],
        Meta(
            description="Addresses and networks of proxies whose `X-Forwarded-For` and PROXY "
            "headers are trusted; `unix` for a Unix socket"
        ),
    ] = ()


class Commands(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Delivery of commands."""

    batch_count: Annotated[
        int, Meta(ge=1, le=10_000, description="Most commands in the reply to one poll")
    ] = 100
    batch_bytes: Annotated[
        int,
        Meta(
            ge=256,
            description="Most bytes of commands in the reply to one poll; a larger command is sent "
            "alone",
        ),
    ] = 64 * 1024
    lease_seconds: Annotated[
        int, Meta(ge=1, description="Seconds without an answer after which a command is sent again")
    ] = 300
    attempts: Annotated[
        int, Meta(ge=1, description="Most times that a command is sent before it is given up")
    ] = 10
    lifetime_days: Annotated[
        int,
        Meta(
            ge=1,
            le=3650,
            description="Days that a command may wait, unless its table entry or the caller says "
            "otherwise",
        ),
    ] = 30
    keep_days: Annotated[
        Annotated[int, Meta(ge=1, le=36_500)] | None,
        Meta(description="Days after which ended commands are deleted. Unset: never"),
    ] = None
    keep_bodies_days: Annotated[
        Annotated[int, Meta(ge=1, le=36_500)] | None,
        Meta(
            description="Days after which parameters and results of ended commands are deleted; "
            "the commands stay. Unset: never"
        ),
    ] = None


class Events(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Stored events."""

    days: Annotated[
        int,
        Meta(ge=1, le=3650, description="Days that events are kept for listeners to catch up"),
    ] = 7


class AuditRetention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Retention of the audit log."""

    keep_days: Annotated[
        Annotated[int, Meta(ge=1, le=36_500)] | None,
        Meta(
            description="Days after which rows of the audit log are deleted, behind a signed "
            "checkpoint. Unset: never"
        ),
    ] = None


class RemoteAttendance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Remote attendance: users who are not on the terminal (spec 14)."""

    enabled: Annotated[
        bool,
        Meta(
            description="Whether an approved terminal receives the password, card and fingerprints "
            "of any user whose ID it asks for. Each request is recorded in the audit log"
        ),
    ] = False
    per_minute: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            description="Most users that one terminal may ask for per minute, per process",
        ),
    ] = 10


class Verification(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Background verification: the server decides on access (spec 12.8.3)."""

    verifier: Annotated[
        str,
        Meta(
            min_length=1,
            description="Name of the verifier plugin; `known` admits known users within their "
            "validity period",
        ),
    ] = "known"
    deadline_seconds: Annotated[
        float, Meta(gt=0, le=30, description="Time limit for the verifier, in seconds")
    ] = 3.0
    fallback: Annotated[
        Literal["refuse", "admit"],
        Meta(description="Answer to the terminal if the verifier fails or is late"),
    ] = "refuse"


class Encryption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Encryption of sessions with terminals (spec 6, 7, Appendix 8)."""

    policy: Annotated[
        EncryptionPolicy,
        Meta(
            description="`prefer`: encrypt if the terminal starts a key exchange; `require`: "
            "refuse plain requests; `never`: announce a protocol version without encryption. "
            "`zkpush devices set SN encryption=…` overrides it for one terminal"
        ),
    ] = EncryptionPolicy.PREFER
    suite: Annotated[
        str,
        Meta(
            min_length=1,
            description="Name of the cipher suite plugin (docs/encryption.md). `zkpush devices set "
            "SN cipher=…` overrides it for one terminal",
        ),
    ] = "x25519-aes256gcm"


class Health(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Thresholds of the health check."""

    least_free_bytes: Annotated[
        int,
        Meta(
            ge=0,
            description="The health check fails if the file system of the database, the pictures, "
            "the data directory or temporary files has less free space, in bytes",
        ),
    ] = 32 * 1024 * 1024
    low_free_bytes: Annotated[
        int,
        Meta(
            ge=0,
            description="The health check warns below this free space, in bytes; temporary files "
            "excepted",
        ),
    ] = 1024 * 1024 * 1024
    low_free_days: Annotated[
        int,
        Meta(
            ge=0,
            le=3650,
            description="The health check also warns if the free space lasts for fewer days at the "
            "current rate of growth",
        ),
    ] = 7


class WatchSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Thresholds of the problems of terminals."""

    silent_hours: Annotated[
        int,
        Meta(
            ge=0,
            le=8760,
            description="Hours after which an approved terminal that is not heard of has the "
            "problem `silent`; 0: never",
        ),
    ] = 24
    full_percent: Annotated[
        int,
        Meta(
            ge=0,
            le=100,
            description="Part of a terminal's storage for records, users, fingerprints or faces, "
            "in percent, from which it has the problem `storage nearly full`; 0: never",
        ),
    ] = 90
    given_up_days: Annotated[
        int,
        Meta(
            ge=0,
            le=365,
            description="Days for which commands that ended without an answer are the problem "
            "`commands given up`; 0: never",
        ),
    ] = 7


class PrivacySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Biometric data of people."""

    templates: Annotated[
        bool,
        Meta(
            description="Whether templates and comparison photos are stored. If false, terminals "
            "are not asked for them, and those they send are acknowledged and dropped"
        ),
    ] = True


class Plugins(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Record handlers of other packages."""

    inline: Annotated[
        tuple[str, ...],
        Meta(
            description="Names of record handlers that run in the transaction of the upload. A "
            "slow one delays all terminals"
        ),
    ] = ()
    time_limit_seconds: Annotated[
        float,
        Meta(
            gt=0,
            le=3600,
            description="Seconds after which a record handler that has not returned is reported as "
            "a problem",
        ),
    ] = 30.0
    log_messages: Annotated[
        bool,
        Meta(
            description="Whether messages and tracebacks of exceptions in plugins are logged. They "
            "may contain secrets: use it for development only"
        ),
    ] = False


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """TLS settings of `ssl:` endpoints."""

    minimum: Annotated[
        Literal["1.0", "1.1", "1.2", "1.3"],
        Meta(
            description="Oldest TLS version for terminals; below 1.2 only for old firmware. The "
            "management endpoint always requires 1.2 or later"
        ),
    ] = "1.2"
    client_certificates: Annotated[
        Literal["off", "optional", "required"],
        Meta(
            description="Client certificates of terminals: `optional` checks a certificate if the "
            "terminal presents one, `required` refuses connections without one"
        ),
    ] = "off"
    client_ca: Annotated[
        Path | None,
        Meta(description="PEM file with the CAs that sign the client certificates of terminals"),
    ] = None


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole configuration. Flags override keys of the same name in the file."""

    data: Annotated[
        Path,
        Meta(
            description="Directory for the database, the key and the admin token; created with "
            "mode 0700"
        ),
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
            "`memory:` keeps nothing; use it for trials only"
        ),
    ] = None
    new: Annotated[
        bool,
        Meta(
            description="Create a new database where the previous one is missing, or adopt a "
            "different one. Use it for a single start"
        ),
    ] = False
    admission: Annotated[
        str,
        Meta(
            min_length=1,
            description="Treatment of unknown terminals: `approve` (an operator approves each), "
            "`open` (admit all), `closed` (refuse), or a policy of another package",
        ),
    ] = "approve"
    workers: Annotated[
        int, Meta(ge=1, le=64, description="Number of processes that share the terminals' port")
    ] = 1
    timezone: Annotated[
        str | None,
        Meta(
            description="IANA time zone of terminals that have none of their own; unset: the "
            "machine's, unless that is UTC"
        ),
    ] = None
    options: Annotated[
        dict[str, str | int],
        Meta(description="Options for all terminals, by their names in the protocol (spec 5)"),
    ] = {}
    tls: Tls = Tls()
    limits: Limits = Limits()
    proxies: ProxySettings = ProxySettings()
    commands: Commands = Commands()
    encryption: Encryption = Encryption()
    remote_attendance: RemoteAttendance = RemoteAttendance()
    verification: Verification = Verification()
    events: Events = Events()
    audit: AuditRetention = AuditRetention()
    privacy: PrivacySettings = PrivacySettings()
    health: Health = Health()
    watch: WatchSettings = WatchSettings()
    plugins: Plugins = Plugins()

    @property
    def database_url(self) -> str:
        """The database to use."""
        return self.database or f"sqlite:///{self.data / 'zkpush.sqlite'}"


def meaning(section: type[msgspec.Struct], key: str) -> str:
    """Description of a key of a section, for help texts and the manual."""
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
                mistakes.append(f"{field.name}: missing ({meaning(Config, field.name)})")
    options = values.pop("options", {})
    good = _convert(Config, values, "", mistakes)
    if good.get("timezone") is not None:
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
            mistakes.append(f"{prefix}{key}: unknown key; the keys are {', '.join(hints)}")
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
