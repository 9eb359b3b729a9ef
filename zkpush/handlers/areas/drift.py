"""Drift: what a terminal holds of people differs from what is recorded.

Theory of operation. A terminal states its numbers of users, fingerprints and faces with its polls
or options. If they differ from the recorded ones for some minutes while nothing is on its way to
the terminal, it is asked for all its users, and then for the templates of each type whose number
differs. What it does not upload is forgotten, as if it had never been there, so that the comparison
sends it again; what it uploads beyond that is recorded as any upload. The same difference is not
asked about twice. An operator or a schedule can ask in any case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from ...phrases import Phrase, listed_phrases
from ...protocol.codes import BiometricType
from ..people.store import HeldCounts

PEOPLE = 0
"""Subject of the question for all users; other subjects are biometric types."""
DRIFT = "drift"
"""Kind of the event of a check that found a difference."""
LASTING = 5 * 60 * 1000
"""Milliseconds for which counts differ before they are a problem, and the terminal is asked."""
USERS, _FINGERPRINTS, _FACES = "users", "fingerprints", "faces"
_THINGS = {
    USERS: Phrase("users"),
    _FINGERPRINTS: Phrase("fingerprints"),
    _FACES: Phrase("faces"),
}
Differences = dict[str, tuple[int, int]]
"""Numbers that the terminal counts, and that are recorded, by the name of the count."""


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """Comparison of a terminal's own counts and users with the recorded ones."""

    device_id: int
    differs: str | None = None
    """Counts that differ, as JSON."""
    since_at: int | None = None
    settled: str | None = None
    """Counts that still differed after the terminal was asked."""
    due_at: int | None = None
    """When the terminal is to be asked."""
    subject: int | None = None
    """What the open command asks for: `PEOPLE`, or a biometric type."""
    following: str | None = None
    """Biometric types to ask for afterwards, as JSON."""
    command: str | None = None
    asked_at: int | None = None
    known: int = 0
    """Number of people recorded when the terminal was asked."""
    checked_at: int | None = None
    """When the last check ended."""
    lost: int = 0
    """People whom the terminal had lost at the last check."""
    lost_templates: int = 0
    found: int = 0
    """People whom the terminal had beyond those recorded."""
    reason: str | None = None
    """Why the last check is incomplete, in words."""

    @property
    def differences(self) -> Differences:
        """The counts that differ."""
        if self.differs is None:
            return {}
        return msgspec.json.decode(self.differs, type=Differences)

    @property
    def is_asked(self) -> bool:
        """Whether the terminal is being asked for what it holds, or is to be."""
        return self.command is not None or self.due_at is not None

    @property
    def types(self) -> list[int]:
        """The biometric types to ask for."""
        return [] if self.following is None else msgspec.json.decode(self.following, type=list[int])


def differences(reported: Mapping[str, int], held: HeldCounts) -> Differences:
    """Return the counts of a terminal that differ from what is recorded."""
    found: Differences = {}
    for name, known in ((USERS, held.users), (_FINGERPRINTS, held.fingerprints)):
        counted = reported.get(name)
        if counted is not None and counted != known:
            found[name] = counted, known
    faces, most = reported.get(_FACES), held.infrared + held.visible
    # A near-infrared face may have several templates.
    least = held.visible + min(held.infrared, 1)
    if faces is not None and not least <= faces <= most:
        found[_FACES] = faces, most
    return found


def types_of(found: Mapping[str, object], held: HeldCounts) -> list[int]:
    """Return the biometric types to ask for, because their counts differ."""
    types = []
    if _FINGERPRINTS in found:
        types.append(int(BiometricType.FINGERPRINT))
    if _FACES in found and held.infrared:
        types.append(int(BiometricType.FACE))
    if _FACES in found:
        types.append(int(BiometricType.VISIBLE_LIGHT_FACE))
    return types


def written(found: Differences) -> str | None:
    """Return differences as they are stored; None if there are none."""
    return msgspec.json.encode(found).decode() if found else None


def words_of(found: Differences) -> Phrase:
    """Return differences in words."""
    return listed_phrases(
        [
            Phrase(
                "%(counted)s %(things)s (%(known)s are recorded)",
                counted=counted,
                things=_THINGS.get(name, name),
                known=known,
            )
            for name, (counted, known) in found.items()
        ]
    )


def part_of(key: Sequence[object]) -> str:
    """Return the name of the part of a person that a template is."""
    return "template " + " ".join(map(str, key[1:4]))
