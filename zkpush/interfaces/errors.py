"""Errors of the store."""


class StoreError(Exception):
    """The database failed; nothing of the unit of work is stored."""


class OutOfReach(StoreError):
    """The database cannot be used now; other units of work would fail as well."""


class WrongKey(StoreError):
    """The database belongs to another site key than the configured one."""


class NotUnsealed(StoreError):
    """A sealed value is not what was encrypted at this place with a key of this database."""
