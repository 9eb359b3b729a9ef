"""Bugs that the machine of a fleet has to find.

Two more are planted in `test_area_machine`: the comparison of counts repairs their effects here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from zkpush.handlers.areas import desired, distributor, driftwatch, fits, reconciler
from zkpush.handlers.areas.places import PlaceStore
from zkpush.handlers.people.survey import PersonSurvey


def _deaf(patch: pytest.MonkeyPatch) -> None:
    """Events are skipped."""
    skipped = reconciler.changes_thd

    def changes(tx: Any, until: int) -> Any:
        found = skipped(tx, until)
        return found and reconciler.AreaChanges((), {}, False, found.end, False)

    patch.setattr(reconciler, "changes_thd", changes)


def _never_deletes(patch: pytest.MonkeyPatch) -> None:
    """Who leaves stays."""
    patch.setattr(desired, "leaving_parts", lambda *args, **more: [])


def _believes_sent(patch: pytest.MonkeyPatch) -> None:
    """What has a command is there, whatever becomes of the command."""
    patch.setattr(PlaceStore, "ended", lambda self, limit: [])


def _only_fields(patch: pytest.MonkeyPatch) -> None:
    """Templates are not distributed."""
    patch.setattr(desired, "fitting_parts", lambda *args: [])


def _any_area(patch: pytest.MonkeyPatch) -> None:
    """A person in any area is everywhere."""
    wanted = desired.wanted_parts

    def everywhere(pin: str, person: Any, target: Any, index: Any, **more: Any) -> Any:
        if person.fields is not None and person.areas:
            person = type(person)(
                fields=person.fields,
                areas=person.areas | {target.area},
                templates=person.templates,
                photos=person.photos,
                holders=person.holders,
                words=person.words,
            )
        return wanted(pin, person, target, index, **more)

    patch.setattr(desired, "wanted_parts", everywhere)
    patch.setattr(distributor, "wanted_parts", everywhere)


def _one_finger(patch: pytest.MonkeyPatch) -> None:
    """Of several fingers, one is taken."""
    chosen = fits.fitting_parts
    patch.setattr(desired, "fitting_parts", lambda *args: chosen(*args)[:1])


def _no_joining(patch: pytest.MonkeyPatch) -> None:
    """A terminal that joins is not filled."""
    patch.setattr(PersonSurvey, "held_by", lambda *args: [])
    patch.setattr(reconciler, "next_people_thd", lambda tx, terminal: ([], reconciler.FINISHED, ""))


def _deletes_without_end(patch: pytest.MonkeyPatch) -> None:
    """A deletion that was executed is not recorded."""
    patch.setattr(PlaceStore, "gone", lambda *args: None)


def _told_at_once(patch: pytest.MonkeyPatch) -> None:
    """Every terminal is taken to state everything."""
    fields = desired.wanted_fields

    def stated(*args: Any) -> Any:
        found = fields(*args)
        return type(found)(found.name, found.digest, is_stated=True)

    patch.setattr(desired, "wanted_fields", stated)


def _believes_recorded(patch: pytest.MonkeyPatch) -> None:
    """What terminals count is not compared with what is recorded."""
    patch.setattr(driftwatch, "differences", lambda reported, held: {})


BUGS: list[Callable[[pytest.MonkeyPatch], None]] = [
    _deaf,
    _never_deletes,
    _believes_sent,
    _only_fields,
    _any_area,
    _one_finger,
    _no_joining,
    _deletes_without_end,
    _told_at_once,
    _believes_recorded,
]
