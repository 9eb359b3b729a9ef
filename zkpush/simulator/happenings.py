"""Events at a terminal other than punches: enrolments, changes, deletions, and those of nouns."""

from __future__ import annotations

import base64
import functools
import random
from collections.abc import Callable

from ..handlers.logs.tables import IDCARD
from ..handlers.people.tables import USER, USERPIC
from ..protocol.codes import AlarmReason, Operation
from ..protocol.fields import Table
from .attendance import SimulatedPunch
from .happening import happenings_of_nouns
from .model import Model
from .operation import ADMINISTRATOR, NOBODY
from .people import People, SimulatedPerson, rename, retake
from .record import Record, RecordForm
from .terminal import SimulatedTerminal

PHOTO_AT = 0.2
"""Fraction of the punches with a photo."""
OFTEN = 0.2
"""Fraction of the punches that trigger another event."""


class Happenings:
    """Generates events at one terminal."""

    def __init__(self, terminal: SimulatedTerminal, people: People, chance: random.Random) -> None:
        self._terminal = terminal
        self._people = people
        self._chance = chance
        self._guests: list[SimulatedPerson] = []
        """Users enrolled during the simulation; only these are changed and deleted."""
        self.begun = False
        """Whether each event has happened once."""

    def begin(self) -> None:
        """Fill the terminal with its users, and let each event happen once."""
        self.begun = True
        self.power_on()
        for number in range(1, self._terminal.users + 1):
            self.enroll(self._people.person(str(number)))
        for happen in [*self._possible(), *self._of_nouns(is_once=True)]:
            happen()
        self.photograph(self._terminal.punch())

    def now_and_then(self, punch: SimulatedPunch) -> None:
        """Trigger random events for some of the punches."""
        if self._chance.random() < PHOTO_AT:
            self.photograph(punch)
        if self._chance.random() < OFTEN:
            self._chance.choice(self._possible())()
        if self._terminal.model.identity_cards and self._chance.random() < OFTEN:
            self.read_card()

    def power_on(self) -> None:
        """Power on the terminal."""
        self._operate(Operation.STARTUP, NOBODY)

    def open_menu(self) -> None:
        """Open the menu, as the administrator."""
        self._operate(Operation.ACCESS_MENU, ADMINISTRATOR)

    def raise_alarm(self) -> None:
        """Raise the tamper alarm."""
        self._terminal.door.alarm = True
        self._operate(Operation.ALARM, NOBODY, AlarmReason.TAMPERED)

    def enroll_guest(self) -> None:
        """Enrol a new user at the terminal, under a user ID that nobody has there."""
        guest = self._people.guest()
        while self._held(guest):
            guest = self._people.guest()
        self._guests.append(guest)
        self.open_menu()
        self.enroll(guest)

    def enroll(self, person: SimulatedPerson) -> None:
        """Enrol a person in all that the model supports: operations and records, in order."""
        model = self._terminal.model
        self._operate(Operation.ENROLL_USER, ADMINISTRATOR, person.pin)
        self._keep(USER, self._user(person, model))
        for template in person.templates(model.algorithms):
            algorithm = template.algorithm
            size = len(base64.b64encode(template.content))
            operands = (person.pin, template.number, size)
            self._operate(algorithm.operation, ADMINISTRATOR, *operands)
            self._terminal.keep(template.record())
        self._take_picture(person, Operation.ENROLL_USER_PHOTO)

    def rename_guest(self) -> None:
        """Rename a user, whose other fields stay as the server may have changed them."""
        guest = self._guest(rename)
        self._operate(Operation.CHANGE_USER_NAME, ADMINISTRATOR, guest.pin)
        held = self._held(guest)
        values = {} if held is None else held.own.values
        self._keep(USER, {**values, "name": guest.name}, changed=True)

    def retake_guest(self) -> None:
        """Retake the picture of a user."""
        self._take_picture(self._guest(retake), Operation.CHANGE_USER_PHOTO)

    def delete_guest(self) -> None:
        """Delete the user who was enrolled last."""
        self._guest(lambda person, _: person)
        guest = self._guests.pop()
        self._operate(Operation.DELETE_USER, ADMINISTRATOR, guest.pin)
        self._terminal.outbox.forget(guest.pin)

    def read_card(self) -> None:
        """Read an identity card, not always of a user of the terminal."""
        card = self._people.person(str(self._chance.randint(1, self._terminal.users)))
        values = dict(card.identity_card().values)
        if self._chance.random() < OFTEN:
            values["pin"] = NOBODY
        self._keep(IDCARD, values)

    def photograph(self, punch: SimulatedPunch) -> None:
        """Take a photo with a punch."""
        self._terminal.keep(punch.photo(self._people.person(punch.pin).picture))

    def _possible(self) -> list[Callable[[], None]]:
        """Return the possible events, in an order in which all can happen."""
        model = self._terminal.model
        possible = [
            self.enroll_guest,
            self.rename_guest,
            self.retake_guest,
            self.delete_guest,
            self.raise_alarm,
        ]
        if model.identity_cards:
            possible.append(self.read_card)
        return [*possible, *self._of_nouns(is_once=False)]

    def _of_nouns(self, *, is_once: bool) -> list[Callable[[], None]]:
        """Return the events of nouns that are possible at this terminal."""
        return [
            functools.partial(one.happen, self._terminal, self._chance)
            for one in happenings_of_nouns()
            if one.is_once is is_once and one.is_possible(self._terminal.model)
        ]

    def _guest(
        self, change: Callable[[SimulatedPerson, random.Random], SimulatedPerson]
    ) -> SimulatedPerson:
        """Change the user who was enrolled last, enrolling one first if there is none.

        Users whom the server has deleted since are none.
        """
        self._guests = [guest for guest in self._guests if self._held(guest)]
        if not self._guests:
            self.enroll_guest()
        self._guests[-1] = change(self._guests[-1], self._chance)
        return self._guests[-1]

    def _held(self, person: SimulatedPerson) -> Record | None:
        """Return the user with the user ID of a person; None if the terminal has none."""
        return self._terminal.outbox.find(Record(RecordForm(USER, {"pin": person.pin})).key)

    @staticmethod
    def _user(person: SimulatedPerson, model: Model) -> dict[str, object]:
        return dict(person.user(card_bytes=model.old).values)

    def _take_picture(self, person: SimulatedPerson, operation: Operation) -> None:
        """Take a picture for the screen, and for comparison where the model supports that."""
        self._operate(operation, ADMINISTRATOR, person.pin)
        self._keep(USERPIC, dict(person.user_photo().values))
        for algorithm in self._terminal.model.algorithms:
            if algorithm.photos:
                photo = person.comparison_photo(algorithm)
                self._terminal.keep(Record(photo, photo.table.transfer[:1], type=algorithm.type))

    def _operate(self, operation: Operation, operator: str, *operands: object) -> None:
        """Record an operation at the terminal (11.4)."""
        self._terminal.operate(operation, operator, *operands)

    def _keep(self, table: Table, values: dict[str, object], *, changed: bool = False) -> None:
        """Record a table row; TransFlag has different words for new and changed rows."""
        words = table.transfer[-1:] if changed else table.transfer[:1]
        self._terminal.keep(Record(RecordForm(table, values), words))
