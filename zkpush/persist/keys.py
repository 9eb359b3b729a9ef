"""Data keys of a database: created at the first start, encrypted under the site key.

Each data key is stored once for every site key that opens it. There is one site key, except during
a rotation.
"""

from __future__ import annotations

import hmac
from enum import StrEnum

import attrs
from sqlalchemy import Connection, insert, inspect, select

from ..interfaces import NotUnsealed, StoreError, WrongKey
from .schema import audit_head, keys
from .vault import KEY_BYTES, AuditKeys, DataKey, Vault, unwrap_key, wrap_key

_DAMAGED = "the keys in this database are damaged; restore it from a backup"


class Purpose(StrEnum):
    """Purpose of a data key."""

    SEAL = "seal"
    RETIRED = "retired"
    """Encrypted values before a rotation; their value keys are being rewrapped."""
    INDEX = "index"
    AUDIT = "audit"
    """Signs rows of the audit log."""
    AUDITED = "audited"
    """Signed rows of the audit log before a rotation; verifies them."""
    NAMING = "naming"
    """Creates the pseudonyms of people in the audit log."""


@attrs.frozen
class SiteKey:
    """Site key; never stored in the database."""

    secret: bytes = attrs.field(repr=False, validator=attrs.validators.min_len(KEY_BYTES))

    @property
    def name(self) -> str:
        """Identifier of the site key, which reveals nothing about the key."""
        return hmac.digest(self.secret, b"zkpush site key", "sha256")[:8].hex()

    def wrap(self, key: DataKey, purpose: Purpose) -> dict[str, object]:
        """Return the row of a data key."""
        return {
            "id": key.id.hex(),
            "site": self.name,
            "purpose": purpose.value,
            "wrapped": wrap_key(self.secret, key.secret, self._about(key.id, purpose)),
        }

    def unwrap(self, id_: str, purpose: str, wrapped: bytes) -> DataKey:
        """Decrypt the data key of a row; raises `NotUnsealed` if another site key encrypted it."""
        key = bytes.fromhex(id_)
        return DataKey(key, unwrap_key(self.secret, wrapped, self._about(key, Purpose(purpose))))

    def _about(self, id_: bytes, purpose: Purpose) -> bytes:
        return b"\0".join((b"zkpush data key", id_, purpose.value.encode()))


@attrs.frozen
class Keys:
    """Data keys that a site key opens, and the names of all site keys."""

    vault: Vault
    sites: frozenset[str]
    """Names of all site keys that open a data key."""

    @property
    def is_settled(self) -> bool:
        """Whether no rotation is in progress."""
        return len(self.sites) == 1 and not self.vault.retired


def open_keys(connection: Connection, site: SiteKey) -> Keys | None:
    """Read the data keys; return None if there are none yet.

    Raises `WrongKey` if they belong to another site key.
    """
    found = _open(connection, site)
    if found is None:
        return None
    opened, sites = found
    return Keys(_vault(opened), sites)


def ensure_vault(connection: Connection, site: SiteKey) -> Vault:
    """Open the keys of a database, or create them.

    Raises `StoreError` if the database must not be used.
    """
    found = _open(connection, site)
    if found is None:
        made = Vault(DataKey.make(), (index := DataKey.make()).secret)
        rows = [site.wrap(made.sealing, Purpose.SEAL), site.wrap(index, Purpose.INDEX)]
        connection.execute(insert(keys), rows)
        found = _open(connection, site)
        assert found is not None  # noqa: S101 - just made
    opened, sites = found
    # Databases older than the chain have no keys for it; in newer ones, missing keys are damage.
    if not inspect(connection).has_table(audit_head.name):
        opened = [*opened, *_add_audit_keys(connection, site, {purpose for purpose, _ in opened})]
    settled = Keys(_vault(opened), sites)
    if not settled.is_settled:
        raise StoreError(
            "the rotation of the key was interrupted; run `zkpush database rotate-key` again"
        )
    return settled.vault


def key_rows(connection: Connection, site: SiteKey, purpose: Purpose) -> list[DataKey]:
    """Return the data keys for a purpose that a site key opens."""
    found = _open(connection, site)
    return [] if found is None else [key for kept_for, key in found[0] if kept_for == purpose]


_Opened = list[tuple[str, DataKey]]


def _open(connection: Connection, site: SiteKey) -> tuple[_Opened, frozenset[str]] | None:
    """Return the data keys with their purposes, and the names of all site keys, or None."""
    rows = connection.execute(select(keys)).all()
    if not rows:
        return None
    sites = frozenset(row.site for row in rows)
    mine = [row for row in rows if row.site == site.name]
    if not mine:
        raise WrongKey(
            f"this database belongs to another key: to {' or '.join(sorted(sites))}, "
            f"and the one here is {site.name}"
        )
    try:
        opened = [
            (row.purpose, site.unwrap(row.id, row.purpose, bytes(row.wrapped))) for row in mine
        ]
    except (NotUnsealed, ValueError) as error:
        raise WrongKey(_DAMAGED) from error
    return opened, sites


def _add_audit_keys(connection: Connection, site: SiteKey, there: set[str]) -> _Opened:
    made: _Opened = [
        (purpose.value, DataKey.make())
        for purpose in (Purpose.AUDIT, Purpose.NAMING)
        if purpose.value not in there
    ]
    for purpose, key in made:
        connection.execute(insert(keys), [site.wrap(key, Purpose(purpose))])
    return made


def _vault(opened: _Opened) -> Vault:
    found = {
        purpose: [key for kept_for, key in opened if kept_for == purpose] for purpose in Purpose
    }
    try:
        (sealing,), (indexing,) = found[Purpose.SEAL], found[Purpose.INDEX]
        (chain,), (naming,) = found[Purpose.AUDIT], found[Purpose.NAMING]
    except ValueError as error:
        raise WrongKey(_DAMAGED) from error
    audit = AuditKeys(chain, naming.secret, tuple(found[Purpose.AUDITED]))
    return Vault(sealing, indexing.secret, tuple(found[Purpose.RETIRED]), audit)
