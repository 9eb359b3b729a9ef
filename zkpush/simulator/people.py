"""Invented people: names, cards, passwords, templates and pictures."""

from __future__ import annotations

import base64
import datetime
import itertools
import random
from collections.abc import Sequence

import attrs

from ..handlers.logs.tables import IDCARD
from ..handlers.people.tables import BIOPHOTO, USER, USERPIC
from ..protocol.codes import Gender, Nation
from .biometrics import Algorithm, SimulatedTemplate, invent_template
from .picture import draw
from .record import RecordForm

_GIVEN = ("Ada", "Benoît", "Chloé", "Dmitri", "Eduardo", "Fatima", "Göran", "Hana", "Ivy", "José")
_FAMILY = ("Abara", "Brandt", "Castro", "Dvořák", "Eriksen", "Fontaine", "García", "Horvat", "Ito")
_CHINESE_GIVEN = ("伟", "芳", "娜", "敏", "静", "强", "磊", "军", "洋", "艳")
_CHINESE_FAMILY = ("王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周")
_IN_CHINESE = 0.25
"""Fraction of the people whose name is in Chinese."""
_ADMINISTRATOR = 14
_OWN_PERIODS = "0001000100000000"
_GROUP_PERIODS = "0000000000000000"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_NOWHERE = "999999"
"""District code of citizen ID numbers; no real district has it."""


@attrs.frozen
class SimulatedPerson:
    """An invented person, as terminals know them."""

    pin: str
    name: str
    """Name that every terminal shows; that of some people is in Chinese."""
    chinese_name: str
    """Name on the identity card."""
    gender: Gender
    birthday: str
    """Birthday, as yyyyMMdd."""
    id_number: str
    password: str
    card: int
    vice_card: int
    privilege: int
    timezones: str
    picture: bytes
    """JPEG."""
    seed: int
    """Seed of the other values."""

    def templates(self, algorithms: Sequence[Algorithm]) -> list[SimulatedTemplate]:
        """Make their templates: all types for user 1, at least the first type for others."""
        chance = random.Random(self.seed)  # noqa: S311 - a simulation
        enrolled = []
        for place, algorithm in enumerate(algorithms):
            template = invent_template(chance, algorithm, self.pin)
            duress = invent_template(chance, algorithm, self.pin, duress=True)
            if chance.random() < 1 / (place + 1) or self.pin == "1":
                enrolled.append(template)
            if self.pin == "1" and not place:
                enrolled.append(duress)
        return enrolled

    def user(self, *, card_bytes: bool) -> RecordForm:
        """Make the user record (11.5); with `card_bytes`, with the card number as bytes."""
        return RecordForm(
            USER,
            {
                "pin": self.pin,
                "name": self.name,
                "privilege": self.privilege,
                "password": self.password,
                "card": _card_bytes(self.card) if card_bytes else self.card,
                "group": 1,
                "timezones": self.timezones,
                "verify": -1,
                "vice_card": self.vice_card or "",
            },
        )

    def user_photo(self) -> RecordForm:
        """Make the photo for the screen (11.13)."""
        content = base64.b64encode(self.picture)
        values = {"pin": self.pin, "name": f"{self.pin}.jpg", "size": len(content)}
        return RecordForm(USERPIC, {**values, "content": content})

    def comparison_photo(self, algorithm: Algorithm) -> RecordForm:
        """Make the comparison photo (11.15)."""
        photo = self.user_photo().values
        return RecordForm(BIOPHOTO, {**photo, "type": int(algorithm.type)})

    def identity_card(self) -> RecordForm:
        """Make the identity card record (11.6)."""
        chance = random.Random(self.seed)  # noqa: S311 - a simulation
        encoded = [base64.b64encode(chance.randbytes(length)) for length in (256, 96, 96)]
        birthday = datetime.date.fromisoformat(self.birthday)
        issued = birthday.replace(year=birthday.year + 30)
        expires = issued.replace(year=issued.year + 20)
        values: dict[str, object] = {field.name: "" for field in IDCARD.fields}
        values |= {
            "pin": self.pin,
            "card_number": f"{chance.getrandbits(64):016X}",
            "id_number": self.id_number,
            "document_number": f"{chance.getrandbits(64):016X}",
            "name": self.chinese_name,
            "gender": int(self.gender),
            "nation": int(Nation.HAN),
            "birthday": self.birthday,
            "validity": f"{issued:%Y%m%d}{expires:%Y%m%d}",
            "address": "无名省无名市1号",
            "issuer": "无名市公安局",
            "photo": encoded[0].decode(),
            "fingerprint_1": encoded[1].decode(),
            "fingerprint_2": encoded[2].decode(),
        }
        return RecordForm(IDCARD, values)


class People:
    """All invented people; a user ID is the same person on every terminal."""

    def __init__(self, chance: random.Random, users: int) -> None:
        """`users` is the number of people whom the terminals have from the beginning."""
        self._seed = chance.getrandbits(64)
        self._known: dict[str, SimulatedPerson] = {}
        self._guests = itertools.count(users + 1)

    def guest(self) -> SimulatedPerson:
        """Return somebody whom no terminal has yet."""
        return self.person(str(next(self._guests)))

    def person(self, pin: str) -> SimulatedPerson:
        """Return the person of a user ID, invented on first use; user 1 is the administrator."""
        if pin not in self._known:
            chance = random.Random(f"{self._seed} {pin}")  # noqa: S311 - a simulation
            self._known[pin] = invent_person(chance, pin)
        return self._known[pin]


def invent_person(chance: random.Random, pin: str) -> SimulatedPerson:
    """Invent a person."""
    day = datetime.date(1960, 1, 1) + datetime.timedelta(days=chance.randrange(15_000))
    # Every year has this day.
    birthday = f"{day:%Y%m}{min(day.day, 28):02}"
    gender = chance.choice(list(Gender))
    order = chance.randrange(500) * 2 + (gender == Gender.MALE)
    name = f"{chance.choice(_GIVEN)} {chance.choice(_FAMILY)}"
    chinese_name = chance.choice(_CHINESE_FAMILY) + chance.choice(_CHINESE_GIVEN)
    return SimulatedPerson(
        pin=pin,
        name=chinese_name if chance.random() < _IN_CHINESE else name,
        chinese_name=chinese_name,
        gender=gender,
        birthday=birthday,
        id_number=_checked(f"{_NOWHERE}{birthday}{order:03}"),
        password=chance.choice(("", f"{chance.randrange(10_000):04}")),
        card=chance.randrange(1, 2**32),
        vice_card=chance.choice((0, chance.randrange(1, 2**32))),
        privilege=_ADMINISTRATOR if pin == "1" else 0,
        timezones=chance.choice((_GROUP_PERIODS, _OWN_PERIODS)),
        picture=draw(chance),
        seed=chance.getrandbits(64),
    )


def rename(person: SimulatedPerson, chance: random.Random) -> SimulatedPerson:
    """Change the family name of a person."""
    given = person.name.partition(" ")[0]
    chinese_name = chance.choice(_CHINESE_FAMILY) + person.chinese_name[1:]
    name = (
        chinese_name if person.name == person.chinese_name else f"{given} {chance.choice(_FAMILY)}"
    )
    return attrs.evolve(person, name=name, chinese_name=chinese_name)


def retake(person: SimulatedPerson, chance: random.Random) -> SimulatedPerson:
    """Change the picture of a person."""
    return attrs.evolve(person, picture=draw(chance))


def _card_bytes(card: int) -> str:
    """Format a card number as bytes, the lowest first (11.5)."""
    return f"[{card.to_bytes(4, 'little').hex().upper()}]"


def _checked(digits: str) -> str:
    """Append the check character to a citizen ID number."""
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=True))
    return digits + _CHECKS[total % 11]
