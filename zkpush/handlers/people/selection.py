"""Selection of the people of a package."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from ...model import Device, Page
from ...persist.transaction import Transaction
from ...phrases import Phrase
from ...values.people import Person
from .model import PEOPLE
from .removals import RemovalStore
from .schema import users
from .store import PeopleStore

AT_ONCE = 200
"""Maximum number of people read at a time."""


@attrs.frozen
class PeopleSelector:
    """The people to send to a terminal: those named, or everybody.

    People who were removed from the terminal, or from all terminals that had them, are never among
    them.
    """

    pins: tuple[str, ...] | None = None
    """User IDs in order, each once; None for everybody."""

    @classmethod
    def of(cls, params: Mapping[str, str]) -> PeopleSelector:
        """Return the selector in the parameters of a command."""
        named = params.get(PEOPLE)
        return cls(None if not named else tuple(sorted(set(named.split(",")))))

    def part(
        self, tx: Transaction, device: Device, after: int
    ) -> tuple[Sequence[Person], int | None]:
        """Return the next people, and where to go on; None at the end.

        `after` is 0 for the first part.
        """
        if self.pins is None:
            found = tx[PeopleStore].users(Page(AT_ONCE, after))
            following = found[-1].id if found else None
        else:
            some = self.pins[after : after + AT_ONCE]
            found = tx[PeopleStore].users(Page(AT_ONCE), *some) if some else []
            following = after + AT_ONCE if some else None
        removed = tx[RemovalStore].removed(device.id, users, [(one.pin,) for one in found])
        return [one for one in found if (one.pin,) not in removed], following

    def check(self, tx: Transaction, device: Device) -> None:
        """Raise `ValueError`, which names the first of them, if people cannot be sent."""
        if self.pins is None:
            if not tx[PeopleStore].users(Page(1)):
                raise ValueError(Phrase("there is nobody in the store to make a package of"))
            return
        for start in range(0, len(self.pins), AT_ONCE):
            some = self.pins[start : start + AT_ONCE]
            known = tx[PeopleStore].known(some)
            for pin in some:
                if pin not in known:
                    raise ValueError(
                        Phrase("%(people)s: there is no user %(pin)s", people=PEOPLE, pin=pin)
                    )
            for key in tx[RemovalStore].removed(device.id, users, [(pin,) for pin in some]):
                raise ValueError(
                    Phrase(
                        "%(people)s: user %(key)s was removed; add it with DATA UPDATE USERINFO",
                        people=PEOPLE,
                        key=key[0],
                    )
                )
