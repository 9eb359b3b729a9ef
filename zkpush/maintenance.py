"""Maintenance of a database without a running daemon: composition root of `zkpush database`.

It opens the store by the configuration of the daemon.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from . import config
from .capabilities import Capabilities, load
from .capability import CapabilityError, ICapability
from .containment import PluginError, contained
from .datadir import KEY_BYTES, read_key, write_secret
from .device.sitecommands import with_site_commands
from .discovery import failed_modules, sound_plugins
from .installed import sections
from .interfaces import IMaintainedStoreFactory, IRecordHandler, StoreError
from .marker import read_claim
from .permissions import key_file
from .persist.audit import AuditStore
from .persist.checking import Checked, check_thd
from .persist.databases import Database
from .persist.forgetting import forget_templates_thd
from .persist.identity import check_identity_thd
from .persist.keys import SiteKey
from .persist.lineages import drop_lineage, lineages
from .persist.migrate import head_revision, migrate_thd, revision_thd
from .persist.rotation import Say, begin_thd, finish_thd, keys_of_thd, seal_anew_thd
from .persist.sqlite_database import SQLite
from .persist.transaction import Transaction
from .protocol.catalogue import Catalogue
from .protocol.omission import TemplateRules
from .protocol.tableset import TableSet
from .stores import factory_of, store_factories


@attrs.frozen
class Rotated:
    """Result of a key rotation."""

    key_file: Path
    """File of the new site key."""
    name: str
    """Public identifier of the new key."""
    damaged: int
    """Number of values that could not be decrypted, and are lost."""
    is_shared: bool
    """Whether other machines may use the database."""


def rotate_key(data: Path, file: Path | None, url: str | None, say: Say) -> Rotated:
    """Replace the site key and encrypt all secrets again, or continue an interrupted rotation.

    The key in the key file opens the database at any moment. Raises `ConfigError` for a wrong
    configuration, `StoreError` for the database and `OSError` for the key files.
    """
    with _opened(data, file, url) as (database, files, site):
        damaged = _rotate(database, files, site, say)
        is_shared = not isinstance(database, SQLite)
    name = SiteKey(read_key(files.current)).name
    return Rotated(files.current, name, damaged, is_shared)


def forget_templates(data: Path, file: Path | None, url: str | None) -> int:
    """Delete all templates and comparison photos; return their number.

    Raises as `rotate_key`.
    """
    with _opened(data, file, url) as (database, _, site):
        found = keys_of_thd(database, site)
        if not found.is_settled:
            raise StoreError("first finish the rotation of the key: `zkpush database rotate-key`")
        known = _capabilities()
        handlers = [*known.handlers, *sound_plugins(IRecordHandler)]
        tables = TableSet(table for handler in handlers for table in handler.tables)
        rules = TemplateRules(tables, _catalogue(_settings(data, file, url), known))
        parts = [
            part.forget_templates
            for part in known.part("store")
            if hasattr(part, "forget_templates")
        ]
        return forget_templates_thd(database, found.vault, _now(), tables, rules, parts)


def drop(data: Path, file: Path | None, url: str | None, name: str) -> list[str]:
    """Drop the tables of a plugin that is not installed; return their names.

    The pending lines of the plugin are deleted too. `ValueError` if it is installed or has no
    tables here; otherwise raises as `rotate_key`.
    """
    installed = {one.name for one in sound_plugins(ICapability)}
    installed |= {one.name for one in sound_plugins(IRecordHandler)}
    if name in installed:
        raise ValueError(f"{name} is installed; uninstall its package first")
    with _opened(data, file, url) as (database, _, site):
        found = keys_of_thd(database, site)
        with database.engine.begin() as connection:
            try:
                dropped = drop_lineage(connection, name)
            except LookupError:
                there = ", ".join(lineages(connection)) or "none"
                raise ValueError(
                    f"no plugin {name!r} has made tables here; plugins with tables: {there}"
                ) from None
            audit = Transaction(database, found.vault, connection, _now, writes=True)[AuditStore]
            audit.add("operator", "drop plugin", name, ", ".join(dropped), _now())
            audit.flush()
        return dropped


def upgrade(data: Path, file: Path | None, url: str | None) -> tuple[str, str]:
    """Migrate the database; return the revisions before and after. Raises as `rotate_key`."""
    with _opened(data, file, url) as (database, _, _):
        before = revision_thd(database)
        if before is None:
            raise StoreError("the database is empty; start the daemon to make a new one")
        migrate_thd(database)
        return before, head_revision()


def check(data: Path, file: Path | None, url: str | None, noted: str | None) -> Checked:
    """Check the database and the audit log; a daemon may be running. Raises as `rotate_key`.

    `noted` is the head of the audit log that an operator has recorded, if any.
    """
    with _opened(data, file, url, alone=False) as (database, _, site):
        found = keys_of_thd(database, site)
        if not found.is_settled:
            raise StoreError("first finish the rotation of the key: `zkpush database rotate-key`")
        return check_thd(database, found.vault, noted)


@contextlib.contextmanager
def _opened(
    data: Path, file: Path | None, url: str | None, *, alone: bool = True
) -> Iterator[tuple[Database, KeyFiles, SiteKey]]:
    """Open the database of a daemon with its key; with `alone`, only while no daemon runs."""
    settings = _settings(data, file, url)
    _capabilities()
    key = key_file(settings.data, os.environ)
    key.check()
    files = KeyFiles(key.path)
    site = SiteKey(read_key(files.current))
    claim = read_claim(settings.data, new=False)
    try:
        database = _open(settings.database_url, site.secret, alone=alone)
    except StoreError as error:
        if not claim.where or claim.where in str(error):
            raise
        advice = "give the --database or --config that its daemon is started with"
        raise StoreError(f"{error}; {data} belongs to {claim.where}: {advice}") from error
    try:
        with database.held():
            check_identity_thd(database, claim)
            yield database, files, site
    except database.errors as error:
        raise StoreError(f"the database refused: {database.words(error)}") from error
    finally:
        database.close()


def _settings(data: Path, file: Path | None, url: str | None) -> config.Config:
    """Read the configuration of the daemon."""
    flags: dict[str, object] = {"data": data}
    if url is not None:
        flags["database"] = url
    return config.load(file, flags, lambda endpoint: endpoint, sections=sections())


def _catalogue(settings: config.Config, known: Capabilities) -> Catalogue:
    """Return all commands, with those of the site."""
    try:
        return with_site_commands(
            known.catalogue, settings.commands.site, settings.commands.site_parameters
        )
    except ValueError as error:
        raise config.ConfigError([str(error)]) from None


def _capabilities() -> Capabilities:
    """Load the capabilities, whose tables are part of the database."""
    try:
        return load(sound_plugins(ICapability), failed_modules())
    except CapabilityError as error:
        raise StoreError(str(error)) from error


def _open(url: str, key: bytes, *, alone: bool) -> Database:
    """Open an existing database with the store plugin for its URL."""
    try:
        factory = factory_of(store_factories(), url)
        if not IMaintainedStoreFactory.providedBy(factory):
            raise StoreError("the store of this database cannot do this")
        known = (StoreError, ValueError, OSError)
        with contained(f"store {factory.schemes[0]}", "opening the database", passes=known):
            opened: Any = factory
            database: Database = opened.open_database(url, key, alone=alone, existing=True)
            return database
    except (PluginError, ValueError) as error:
        raise StoreError(str(error)) from None


def _now() -> int:
    """Return the time, in milliseconds since the epoch."""
    return int(time.time() * 1000)


@attrs.frozen
class KeyFiles:
    """The current site key, the next one, and the previous one."""

    current: Path

    @property
    def new(self) -> Path:
        """File of the next key; `take` renames it."""
        return self.current.with_name(f"{self.current.name}.new")

    @property
    def old(self) -> Path:
        """File of the previous key; `forget` removes it."""
        return self.current.with_name(f"{self.current.name}.old")

    def make(self) -> SiteKey:
        """Create the next key, or read it if it exists."""
        if not self.new.exists():
            write_secret(self.new, secrets.token_hex(KEY_BYTES).encode() + b"\n")
        return SiteKey(read_key(self.new))

    def take(self) -> None:
        """Make the next key the current one, and keep the current one as the previous key."""
        if self.old.exists():
            self.old.unlink()
        write_secret(self.old, self.current.read_bytes())
        self.new.replace(self.current)
        self._sync()

    def forget(self) -> None:
        """Remove the previous key, with which no value is encrypted any more."""
        self.old.unlink(missing_ok=True)
        self._sync()

    def _sync(self) -> None:
        handle = os.open(self.current.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _rotate(database: Database, files: KeyFiles, site: SiteKey, say: Say) -> int:
    found = keys_of_thd(database, site)
    if not found.vault.retired:  # no rotation was interrupted, or no value is re-encrypted yet
        new = files.make()
        begin_thd(database, site, new)
        files.take()
        site = new
        found = keys_of_thd(database, site)
    damaged = seal_anew_thd(database, found.vault, say)
    finish_thd(database, found.vault, site, _now())
    files.forget()
    return damaged
