"""What of a person fits on a terminal, and in which form (spec 3.1, 8, 12.1.1, Appendix 10).

A terminal identifies by templates of its own algorithm version only. A visible-light face without
such a template is sent as a comparison photo, from which the terminal extracts a template; never
both. The unified format (BIODATA) is used where both sides support it, and the older tables
otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from ...model import Device
from ...protocol.codes import BiometricType
from ...protocol.facts import (
    FUNCTION_OF_TYPE,
    capacities_of,
    functions_of,
    pin_width_of,
    takes_letters_of,
)
from ...protocol.hybrid import BiometricSupport, Hybrid, negotiate_types
from ..people.model import PartRecord
from ..people.tables import BIODATA, BIOPHOTO, FACE, FP, FVEIN, USERPIC

_OLD_FORMS = {
    BiometricType.FINGERPRINT: FP.name,
    BiometricType.FACE: FACE.name,
    BiometricType.FINGER_VEIN: FVEIN.name,
}
"""Tables of templates of types that are older than the unified format."""
_VISIBLE = 9
_TYPE, _NUMBER, _INDEX, _MAJOR = 1, 2, 3, 4


@attrs.frozen
class Abilities:
    """What a terminal has reported that it can hold."""

    hybrid: Hybrid
    functions: Mapping[str, bool | None]
    pin_width: int | None
    capacities: Mapping[str, int]
    takes_letters: bool | None = None
    """Whether user IDs may have letters; None if unknown."""

    @classmethod
    def of(cls, device: Device) -> Abilities:
        """Read the reports of a terminal; what they do not state is taken as possible."""
        return cls(
            negotiate_types(device.options, device.attributes),
            functions_of(device.options, device.attributes),
            pin_width_of(device.options),
            capacities_of(device.options),
            takes_letters_of(device.options),
        )

    @property
    def basis(self) -> str:
        """What decides which parts fit, as text; without counts, which change all the time."""
        functions = sorted((name, known) for name, known in self.functions.items())
        types = [
            (one.type, one.templates, one.photos, one.major_version) for one in self.hybrid.types
        ]
        room = sorted(self.capacities.items())
        limits = (self.pin_width, self.takes_letters, room)
        return repr((limits, functions, self.hybrid.supported, types))


@attrs.frozen
class FittingPart:
    """A template or photo for a terminal, or the reason why it does not fit."""

    name: str
    record: PartRecord
    form: str
    post_back: bool = False
    misfit: str | None = None


def misfit_of_pin(abilities: Abilities, pin: str) -> str | None:
    """Return why a terminal cannot have a user ID; None if it can."""
    width = abilities.pin_width
    if width is not None and len(pin) > width:
        return f"The user ID has {len(pin)} characters; the terminal takes at most {width}."
    if abilities.takes_letters is False and not (pin.isascii() and pin.isdigit()):
        return "The user ID has letters; the terminal takes digits only."
    return None


def fitting_parts(
    abilities: Abilities, templates: Sequence[PartRecord], photos: Sequence[PartRecord]
) -> list[FittingPart]:
    """Choose the templates and photos for a terminal."""
    slots: dict[tuple[object, ...], list[PartRecord]] = {}
    for record in templates:
        slots.setdefault(record.key[_TYPE:_MAJOR], []).append(record)
    chosen = [_template(abilities, slot, records) for slot, records in slots.items()]
    fitting_types = {one.record.key[_TYPE] for one in chosen if one.misfit is None}
    faces = [one for one in photos if one.form == BIOPHOTO.name]
    comparison = []
    for record in faces:
        if record.key[_TYPE] not in fitting_types:
            comparison.append(_comparison_photo(abilities, record))
    helped = {one.record.key[_TYPE] for one in comparison if one.misfit is None}
    chosen = [one for one in chosen if one.misfit is None or one.record.key[_TYPE] not in helped]
    shown = [_photo(abilities, one) for one in photos if one.form == USERPIC.name]
    return [*chosen, *comparison, *shown]


def _template(
    abilities: Abilities, slot: tuple[object, ...], records: Sequence[PartRecord]
) -> FittingPart:
    """Choose the template of one place, such as a finger."""
    type_ = int(str(slot[0]))
    support = abilities.hybrid.of(type_)
    name = "template " + " ".join(map(str, slot))
    fitting = [one for one in records if _is_of_version(support, one)]
    record = max(fitting or records, key=lambda one: int(str(one.key[_MAJOR])))
    function = FUNCTION_OF_TYPE.get(type_)
    words = BiometricType(type_).meaning
    form = _form(abilities.hybrid, support, record)
    if function is not None and abilities.functions.get(function) is False:
        return FittingPart(name, record, record.form, misfit=f"The terminal has no {words}.")
    if not fitting:
        return FittingPart(
            name,
            record,
            record.form,
            misfit=f"{words}: the template is of version {record.key[_MAJOR]}, the terminal needs "
            f"version {support.major_version}.",
        )
    if form is None:
        return FittingPart(
            name,
            record,
            record.form,
            misfit=f"{words}: the terminal does not take templates in the unified format.",
        )
    return FittingPart(name, record, form)


def _is_of_version(support: BiometricSupport, record: PartRecord) -> bool:
    version = record.key[_MAJOR]
    return support.major_version is None or version in (0, support.major_version)


def _form(hybrid: Hybrid, support: BiometricSupport, record: PartRecord) -> str | None:
    """Return the table in which a terminal takes a template; None if it takes it in none."""
    type_ = int(str(record.key[_TYPE]))
    old = _OLD_FORMS.get(BiometricType(type_))
    if hybrid.supported and support.templates:
        # Faces of the older table consist of several templates with a random beginning.
        return record.form if record.form == FACE.name else BIODATA.name
    if record.form == BIODATA.name and type_ != BiometricType.FINGERPRINT:
        return None
    return old


def _comparison_photo(abilities: Abilities, record: PartRecord) -> FittingPart:
    type_ = int(str(record.key[_TYPE]))
    name = "comparison photo " + " ".join(map(str, record.key[_TYPE:_MAJOR]))
    misfit = None
    if abilities.functions.get("comparison_photo") is False or (
        abilities.hybrid.supported and not abilities.hybrid.of(_face(type_)).photos
    ):
        misfit = "The terminal does not take comparison photos."
    return FittingPart(name, record, record.form, post_back=True, misfit=misfit)


def _face(type_: int) -> int:
    """Comparison photos without a type are of visible-light faces."""
    return type_ or _VISIBLE


def _photo(abilities: Abilities, record: PartRecord) -> FittingPart:
    is_misfit = abilities.functions.get("user_photo") is False
    misfit = "The terminal does not show photos of users." if is_misfit else None
    return FittingPart("photo", record, record.form, misfit=misfit)
