"""Cards that several processes give at the same instant, on one PostgreSQL database."""

from __future__ import annotations

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from zkpush.handlers.people.administration import edit_of, put_thd
from zkpush.handlers.people.cards import CardTaken
from zkpush.handlers.people.store import PeopleStore
from zkpush.model import Caller
from zkpush.protocol.fields import Scope

from .contract import EVERYTHING, NOW
from .test_people_processes import stores, until_another_waits

__all__ = ["stores"]

CLERK = Caller(name="clerk", scopes=frozenset({Scope.READ, Scope.WRITE}))


def give(pin: str, **cards: str):
    """Return the unit of work that sets the cards of a person."""
    edit = edit_of(pin, {"name": f"N{pin}", **cards}, None, is_new=True)
    return lambda tx: put_thd(tx, edit, CLERK, NOW)


@pytest.mark.parametrize(
    "cards",
    [
        ({"card": "77"}, {"card": "77"}),
        ({"card": "77"}, {"vice_card": "077"}),
        ({"card": "77", "vice_card": "78"}, {"card": "78", "vice_card": "77"}),
    ],
    ids=["same", "other field", "crossed"],
)
@pytest_twisted.ensureDeferred
async def test_one_card_is_given_to_one_person_by_two_processes(stores, cards) -> None:
    """The second one waits until the first is stored, and is refused with its name."""
    one, other = stores
    first, second = cards
    locked: Deferred[None] = Deferred()

    def slowly(tx) -> None:
        give("1", **first)(tx)
        reactor.callFromThread(locked.callback, None)
        until_another_waits(tx)

    given = one.write(slowly)
    await locked
    with pytest.raises(CardTaken, match=r"belongs to user 1 \(N1\) already"):
        await other.write(give("2", **second))
    await given
    people = await one.read(lambda tx: tx[PeopleStore].users(EVERYTHING))
    assert [person.pin for person in people] == ["1"]


@pytest_twisted.ensureDeferred
async def test_processes_give_different_cards_beside_each_other(stores) -> None:
    """All are stored, whatever their order."""
    work = [
        store.write(give(str(2 * number + place), card=str(100 + 2 * number + place)))
        for number in range(10)
        for place, store in enumerate(stores)
    ]
    for each in work:
        await each
    people = await stores[0].read(lambda tx: tx[PeopleStore].users(EVERYTHING))
    assert {one.pin: one.card for one in people} == {str(n): str(100 + n) for n in range(20)}
