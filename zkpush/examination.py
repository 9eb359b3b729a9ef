"""Checks of an installation without a running daemon: composition root of `zkpush doctor`."""

from __future__ import annotations

import os
import shlex
import tempfile
from pathlib import Path

from . import config
from .cli.target import OTHER_OPTIONS
from .config import Config, ConfigError
from .datalock import running_holder
from .endpoints import server_endpoint
from .handlers.doctor.model import Check, Examination, examination
from .handlers.doctor.server import check_audit, check_modes, shown, zone_setting
from .installed import sections
from .interfaces import StoreError
from .maintenance import check
from .ownership import as_user, belongs_to_other, taking
from .permissions import key_file
from .plugincheck import check_plugins
from .settings.features import Health
from .settings.network import Tls
from .storage import inspect_thd
from .tls import Credentials
from .values.storage import StoragePlace

MEBIBYTE = 2**20
_CONFIGURATION = "Correct the configuration; `zkpush docs configuration` has all settings."


def examine_directory(data: Path, file: Path | None, url: str | None, why: str) -> Examination:
    """Check a data directory, its configuration and its database.

    `file` and `url` are those that the daemon is started with; `why` says why no daemon answers.
    """
    key = key_file(data, os.environ).path
    secrets = [data / "admin.token", key]
    is_begun = any(map(os.path.exists, secrets))
    if not is_begun:
        why = f"No daemon has run on {data}, which holds no token and no key."
    pid = running_holder(data)
    checks = [
        _starting(pid) if pid is not None else _daemon(data, file, url, why, is_begun=is_begun),
        *_storage(data),
        check_modes([data, *(secrets if is_begun else ())]),
    ]
    settings = _configuration(data, file, url, checks)
    if settings is not None:
        checks.append(_zone(settings, file))
    if settings is not None and is_begun and pid is None:
        checks += _database(data, file, url)
    checks.append(_plugins())
    if not is_begun and pid is None:
        return examination(checks)  # perhaps another directory was meant
    # Faults that prevent a start come first.
    return examination([*checks[1:], checks[0]])


def _daemon(data: Path, file: Path | None, url: str | None, why: str, *, is_begun: bool) -> Check:
    words = ["twistd", "-n", "zkpush", "--data", str(data)]
    words += ["--config", str(file)] if file is not None else []
    words += ["--database", url] if url is not None else []
    command = shlex.join(words)
    other = belongs_to_other(data)
    start = f"Start it: {command}"
    if other is not None:
        start = f"Start it as user {other}, who owns the directory: {as_user(other, command)}"
    detail = why.partition(" Start it with: ")[0]
    if not is_begun:
        start = (
            f"No daemon has run on {data}: is this the right --data? If it is, mend what is "
            f"said below, and start it: {start.partition(': ')[2]}"
        )
    return Check("daemon", "error", detail, f"{start} {OTHER_OPTIONS}")


def _starting(pid: int) -> Check:
    return Check(
        "daemon",
        "warning",
        f"The daemon (process {pid}) does not answer: it is starting or stopping.",
        "Try again in a minute; its log says how far it is.",
    )


def _storage(data: Path) -> list[Check]:
    places = [
        StoragePlace("data directory", str(data)),
        StoragePlace("temporary files", tempfile.gettempdir(), is_temporary=True),
    ]
    found = inspect_thd(places)
    if found.reasons:
        other = belongs_to_other(data)
        advice = "Free space, or mount the volume."
        if other is not None:
            again = f"zkpush --data {shlex.quote(str(data))} doctor"
            advice = f"The directory belongs to user {other}: {as_user(other, again)}. {advice}"
        return [Check("disk", "error", f"{shown(found.reasons)}.", advice)]
    least = min(space.free for space in found.spaces) // MEBIBYTE
    if least < Health().least_free_bytes // MEBIBYTE:
        return [Check("disk", "error", f"{least} MiB are free.", "Free space.")]
    return [Check("disk", "ok", f"At least {least} MiB are free.")]


def _configuration(
    data: Path, file: Path | None, url: str | None, checks: list[Check]
) -> Config | None:
    """Load the configuration as a start does, with the endpoints and their certificates."""
    flags: dict[str, object] = {"data": data}
    if url is not None:
        flags["database"] = url
    try:
        settings = config.load(file, flags, _check_endpoint, sections=sections())
    except ConfigError as error:
        checks.append(Check("ports", "error", f"{shown(error.mistakes)}.", _CONFIGURATION))
        return None
    words = f"Terminals: {', '.join(settings.listen)}; API: {settings.manage}."
    if file is None:
        checks.append(
            Check(
                "ports",
                "unknown",
                f"No daemon answers; without a configuration file, its ports would be: {words}",
                "Give the file with --config to check those that it names.",
            )
        )
        return settings
    checks.append(Check("ports", "ok", words))
    return settings


def _check_endpoint(text: str) -> object:
    from twisted.internet import reactor

    return server_endpoint(reactor, text, lambda files: Credentials(files, Tls()))


def _zone(settings: Config, settings_file: Path | None) -> Check:
    from .clock import machine_zone

    zone = settings.timezone or machine_zone(os.environ)
    if zone is None:
        return Check(
            "zone",
            "warning",
            "The server has no time zone: new terminals have none until somebody sets it.",
            f"{zone_setting(settings_file)}.",
        )
    return Check("zone", "ok", f"New terminals get the time zone {zone}.")


def _database(data: Path, file: Path | None, url: str | None) -> list[Check]:
    try:
        checked = check(data, file, url, None)
    except (ConfigError, StoreError, ValueError, OSError) as error:
        advice = (
            "Put back the key and the database that belong together; `zkpush docs deployment` says "
            "what to do in each case."
        )
        cause = error.__cause__ or error
        if isinstance(cause, PermissionError):
            culprit = Path(cause.filename or data)
            other = belongs_to_other(culprit)
            advice = f"Run this as root, or mend the modes of {data}."
            if other is not None:
                advice = (
                    f"{culprit} belongs to user {other}: run this as that user, or give it to "
                    f"yourself: {taking(culprit)}."
                )
        return [Check("database", "error", f"{error}".rstrip(".?") + ".", advice)]
    damage = Check("database", "ok", "No damage was found.")
    if checked.damage:
        damage = Check(
            "database",
            "error",
            f"{shown(checked.damage)}.",
            "Keep a copy of it as it is, and restore the latest sound backup.",
        )
    return [damage, check_audit(checked.rows, checked.faults)]


def _plugins() -> Check:
    found = check_plugins()
    faulty = [f"{one.kind} {one.name}" for one in found if one.faults]
    if faulty:
        advice = "See what is wrong with them: `zkpush plugins check`."
        return Check("plugins", "error", f"Plugins have faults: {shown(faulty)}.", advice)
    return Check("plugins", "ok", f"{len(found)} plugins can be used.")
