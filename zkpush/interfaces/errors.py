"""What can go wrong with the store."""


class StoreError(Exception):
    """The database does not do what was asked; nothing of it is stored."""


class OutOfReach(StoreError):
    """The database cannot be used now: no unit of work would fare better than another."""


class WrongKey(StoreError):
    """The database belongs to another site key than the one that is here."""


class NotUnsealed(StoreError):
    """A sealed value is not what was sealed, where it was sealed, under a key of this database."""
