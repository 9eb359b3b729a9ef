"""Commands that a terminal can only refuse, by the options that it has reported (spec 8, 9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from ..phrases import Phrase
from .errors import CommandError
from .facts import FUNCTION_OF_TYPE, functions_of, pin_width_of
from .fields import Command

_WORDS = {
    "card": "cards",
    "comparison_photo": "comparison photos",
    "face": "near-infrared faces",
    "finger_vein": "finger veins",
    "fingerprint": "fingerprints",
    "palm": "palms",
    "user_photo": "photos of users",
    "visible_light": "visible light faces",
}
_TYPE, _PIN = "type", "pin"


@attrs.frozen
class ReportedAbilities:
    """What a terminal has reported that it can and cannot do."""

    functions: Mapping[str, bool | None]
    pin_width: int | None

    @classmethod
    def of(cls, options: Mapping[str, str], attributes: Mapping[str, str]) -> ReportedAbilities:
        """Read options and update information; what they do not state is taken as possible."""
        return cls(functions_of(options, attributes), pin_width_of(options))

    def check(self, command: Command, params: Mapping[str, str]) -> None:
        """Raise `CommandError`, with all reasons, for a command that the terminal cannot do."""
        reasons = "; ".join(self._misfits(command, params))
        if reasons:
            raise CommandError(
                Phrase(
                    "%(reasons)s, by the options that the terminal has reported", reasons=reasons
                )
            )

    def _misfits(self, command: Command, params: Mapping[str, str]) -> Iterator[str]:
        needed = command.needs
        for field in command.parameters:
            text = params.get(field.wire, "")
            if field.name == _PIN and command.stores_person and self.pin_width is not None:
                if len(text) > self.pin_width:
                    yield (
                        f"{field.wire} has {len(text)} characters, and at most {self.pin_width} "
                        "are possible"
                    )
            elif field.name == _TYPE and command.needs_type and text.isdecimal():
                needed = FUNCTION_OF_TYPE.get(int(text))
        if needed is not None and self.functions.get(needed) is False:
            yield f"{command.name}: the terminal does not support {_WORDS[needed]}"
