"""Enrolments at a terminal, in words: a finger, a face, a palm, a card (12.6)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import attrs

from ...device.intents import NotPossible
from ...device.queueing import abilities_of
from ...manage.arguments import no_such
from ...model import Device
from ...phrases import Phrase
from ...protocol.codes import BiometricType
from ...protocol.facts import FUNCTION_OF_TYPE
from ...protocol.hybrid import negotiate_types
from .model import Enrol

_FINGERS = ("little", "ring", "middle", "index", "thumb")
FINGERS = (*(f"left {one}" for one in _FINGERS), *(f"right {one}" for one in _FINGERS[::-1]))
"""Fingers by their number: 0 is the left little finger, 9 the right one (12.6.1)."""
_TYPES: Mapping[str, tuple[BiometricType, ...]] = {
    "face": (BiometricType.VISIBLE_LIGHT_FACE, BiometricType.FACE),
    "visible light face": (BiometricType.VISIBLE_LIGHT_FACE,),
    "near infrared face": (BiometricType.FACE,),
    "palm": (
        BiometricType.VISIBLE_LIGHT_PALM,
        BiometricType.PALM_VEIN,
        BiometricType.PALMPRINT,
    ),
    "visible light palm": (BiometricType.VISIBLE_LIGHT_PALM,),
    "palm vein": (BiometricType.PALM_VEIN,),
    "palmprint": (BiometricType.PALMPRINT,),
    "finger vein": (BiometricType.FINGER_VEIN,),
    "iris": (BiometricType.IRIS,),
    "retina": (BiometricType.RETINA,),
    "voice": (BiometricType.VOICEPRINT,),
}
"""Biometric types by their name, the preferred one first."""
_CARD = "card"
_SPACES = re.compile(r"[\s_-]+")
_NUMBERED = re.compile(r"finger(?:print)? ([0-9])\Z", re.ASCII)
_SOME_FINGER = re.compile(r"finger(?:print)?(?: [0-9]+)?\Z", re.ASCII)
NAMES = (_CARD, *_TYPES, *FINGERS)
WORDS = (
    "`card`, `face`, `palm`, `finger vein`, `iris`, `retina`, `voice`, or a finger such as "
    "`right index finger` or `finger 6`, counted from 0, the left little finger"
)
"""What can be enrolled, in words."""


@attrs.frozen
class Enrolment:
    """What to enrol: a card, a finger, or another biometric of one of several types."""

    words: str
    types: Sequence[BiometricType] = ()
    """Biometric types, the preferred one first; none for a card."""
    number: int = 0
    """The finger."""

    @classmethod
    def parse(cls, text: str) -> Enrolment:
        """Read what to enrol; `ValueError` lists what there is."""
        said = _SPACES.sub(" ", text.strip().lower())
        if said == _CARD:
            return cls(_CARD)
        if said in _TYPES:
            return cls(said, _TYPES[said])
        numbered = _NUMBERED.match(said)
        finger = said.removesuffix(" finger")
        if numbered is not None or finger in FINGERS:
            number = int(numbered[1]) if numbered is not None else FINGERS.index(finger)
            return cls(_finger(number), (BiometricType.FINGERPRINT,), number)
        if _SOME_FINGER.match(said) or finger in _FINGERS:
            meant = [one for one in FINGERS if finger not in _FINGERS or one.endswith(finger)]
            raise ValueError(
                Phrase(
                    "what: Say which finger: %(fingers)s; or `finger N`, from 0, the left little "
                    "finger, to 9.",
                    fingers=", ".join(meant),
                )
            )
        raise ValueError(Phrase("what: %(no_such)s", no_such=no_such("enrolment", text, NAMES)))

    @classmethod
    def of(cls, type_: int | None, number: int) -> Enrolment:
        """Describe the enrolment of a command."""
        if type_ is None:
            return cls(_CARD)
        if type_ == BiometricType.FINGERPRINT and number < len(FINGERS):
            return cls(_finger(number), (BiometricType.FINGERPRINT,), number)
        kind = BiometricType(type_)
        return cls(kind.meaning.lower(), (kind,), number)

    def intent(self, device: Device, pin: str, *, overwrite: bool) -> Enrol:
        """Return the intent for a terminal; `NotPossible` if the terminal reports no such reader.

        Of several types, the intent has the first one that the terminal reports.
        """
        if not self.types:
            return Enrol(pin=pin, type=None)
        rated = {type_: _ability(device, type_) for type_ in self.types}
        for ability in (True, None):
            for type_, found in rated.items():
                if found is ability:
                    return Enrol(pin=pin, type=type_, number=self.number, overwrite=overwrite)
        raise NotPossible(
            f"Terminal {device.sn} cannot enrol a {self.words}, by the options that it has "
            f"reported.{_possible(device)}"
        )


def _finger(number: int) -> str:
    name = FINGERS[number]
    return name if name.endswith("thumb") else f"{name} finger"


def _ability(device: Device, type_: BiometricType) -> bool | None:
    """Whether a terminal reports that it can enrol a type; None if it reports nothing about it."""
    function = FUNCTION_OF_TYPE.get(type_)
    told = None if function is None else abilities_of(device).functions[function]
    if told is not None:
        return told
    hybrid = negotiate_types(device.options, device.attributes)
    if not hybrid.supported:
        return None
    support = hybrid.of(type_)
    if support.templates or support.photos:
        return True
    return None if function is not None else False


def _possible(device: Device) -> str:
    """Say what a terminal reports that it can enrol."""
    names = ", ".join(_reported(device))
    return f" It can enrol: {names}." if names else ""


def _reported(device: Device) -> Iterator[str]:
    for type_ in BiometricType:
        if type_ is not BiometricType.COMMON and _ability(device, type_):
            yield type_.meaning.lower()
    if abilities_of(device).functions["card"]:
        yield _CARD
