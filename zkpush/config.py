"""Configuration of the daemon: one validated object from a TOML file and flags.

Every key is declared once, in `Config` and its sections, with its type, bounds, default and
description. Validation, the help of the flags and the manual are derived from these declarations.
All mistakes are reported together.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

import msgspec
from msgspec import Meta

from .protocol.addresses import parse_proxies
from .protocol.handshake import check_settings
from .protocol.times import check_zone
from .settings.features import (
    AuditRetention,
    Commands,
    Encryption,
    Events,
    Health,
    Plugins,
    PrivacySettings,
    RemoteAttendance,
    Verification,
)
from .settings.network import Limits, ProxySettings, Tls
from .valuewords import simple_values

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)


class ConfigError(Exception):
    """An invalid configuration; the message has one line for each mistake."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class WatchSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Thresholds for problems of terminals."""

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
    manage: Annotated[
        str, Meta(description="Twisted endpoint for the API, console, health and metrics")
    ] = "tcp:8082:interface=127.0.0.1"
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
        """URL of the configured database."""
        return self.database or f"sqlite:///{self.data / 'zkpush.sqlite'}"


@lru_cache(maxsize=64)
def with_sections(sections: tuple[tuple[str, type[msgspec.Struct]], ...]) -> type[Config]:
    """Return the configuration with the sections of capabilities, each with its name."""
    if not sections:
        return Config
    fields = [(name, kind, msgspec.field(default_factory=kind)) for name, kind in sections]
    made: Any = msgspec.defstruct(
        "Config", fields, bases=(Config,), frozen=True, forbid_unknown_fields=True, kw_only=True
    )
    whole: type[Config] = made
    return whole


def section_of(settings: Config, kind: type[S]) -> S:
    """Return the section of a type; its defaults if the configuration was read without it."""
    for name in settings.__struct_fields__:
        found = getattr(settings, name)
        if type(found) is kind:
            section: S = found
            return section
    return kind()


@lru_cache(maxsize=64)
def annotations_of(section: type[msgspec.Struct]) -> Mapping[str, Any]:
    """Return the annotations of a section by key, evaluated, with their metadata."""
    return get_type_hints(section, include_extras=True)


def meaning(section: type[msgspec.Struct], key: str) -> str:
    """Description of a key of a section, for help texts and the manual."""
    hint = annotations_of(section)[key]
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
    sections: Mapping[str, type[msgspec.Struct] | None] | None = None,
) -> Config:
    """Read a configuration; `ConfigError` lists every mistake in it.

    `flags` override the file. `check_endpoint` raises `ValueError` for an unusable endpoint string,
    and `check_admission` for the name of a missing policy. `sections` are the sections of
    capabilities; the keys of a section that is None are ignored.
    """
    sections = sections or {}
    present = [(name, kind) for name, kind in sections.items() if kind is not None]
    whole = with_sections(tuple(present))
    mistakes: list[str] = []
    values = {
        name: value
        for name, value in {**_read(file, mistakes), **flags}.items()
        if sections.get(name, Config) is not None
    }
    if not mistakes:  # missing keys may stand in an unreadable file
        for name in _required():
            if name not in values:
                mistakes.append(f"{name}: missing ({meaning(Config, name)})")
    options = values.pop("options", {})
    good = _convert(whole, values, "", mistakes)
    if good.get("timezone") is not None:
        _try(mistakes, "timezone", lambda: check_zone(good["timezone"]))
    if isinstance(options, dict):
        # msgspec stops at the first mistake and does not name the option.
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
        # mypy cannot infer a lambda with a default.
        _try(mistakes, key, lambda endpoint=endpoint: check_endpoint(endpoint))  # type: ignore[misc]
    if mistakes:
        raise ConfigError(mistakes)
    return whole(**good)


@lru_cache(maxsize=1)
def _required() -> Sequence[str]:
    return [field.name for field in msgspec.structs.fields(Config) if field.required]


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
    hints = annotations_of(section)
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
            words = simple_values(hint)
            wrong = str(error) if words is None else f"{str(value)[:40]!r} is not {words}"
            mistakes.append(f"{prefix}{key}: {wrong} ({meaning(section, key)})")
    return good


def _is_section(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, msgspec.Struct)


def _try(mistakes: list[str], key: str, check: Callable[[], T]) -> T | None:
    try:
        return check()
    except ValueError as error:
        mistakes.extend(f"{key}: {line}" for line in str(error).splitlines())
        return None
