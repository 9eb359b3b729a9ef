"""Models of terminals: identity, abilities and dialect."""

from __future__ import annotations

from enum import Enum

import attrs

from ..protocol.text import encoding_for
from ..protocol.versions import BASELINE, SERVER, Version
from .biometrics import FINGER_VEIN, FINGERPRINT, INFRARED_FACE, PALM, VISIBLE_FACE, Algorithm

FIRMWARE = "Ver 8.0.4.7-20240115"
CLASSIC_FIRMWARE = "Ver 8.0.1.3-20160802"
OLD_FIRMWARE = "Ver 6.39 Jun 28 2008"
ENGLISH = "69"
CHINESE = "83"


class PhotoPath(Enum):
    """Path of uploaded attendance photos (11.3)."""

    CDATA = "cdata"
    FDATA = "fdata"
    ARGUMENTS = "fdata with the name in the arguments, as old firmware does"


@attrs.frozen
class Model:
    """A model of terminal."""

    name: str
    meaning: str
    device_type: str | None
    version: Version | None
    """Reported protocol version (`pushver`); None for older firmware, which reports none."""
    language: str
    """Language code (Appendix 2)."""
    firmware: str
    photo_path: PhotoPath
    algorithms: tuple[Algorithm, ...]
    hybrid: bool = True
    """Whether it supports the hybrid identification protocol (3.1)."""
    identity_cards: bool = False
    packs: bool = False
    """Whether it packs large uploads (11.14)."""
    answers_first: bool = False
    """Whether it answers a QUERY before it sends the records (12.1.3)."""
    users: int = 10_000
    """Maximum number of users."""

    @property
    def own_version(self) -> Version:
        """Protocol version that it implements (Appendix 6)."""
        return self.version or BASELINE

    @property
    def encoding(self) -> str:
        """Encoding of its text (1.2)."""
        return encoding_for(None if self.old else self.language)

    @property
    def old(self) -> bool:
        """Whether it writes as firmware before 2.2.14: old stamp names, packed times."""
        return self.version is None or self.version < BASELINE


ATT = Model(
    name="att",
    meaning="every biometric type, uploads long data in packets",
    device_type="att",
    version=SERVER,
    language=ENGLISH,
    firmware=FIRMWARE,
    photo_path=PhotoPath.CDATA,
    algorithms=(FINGERPRINT, INFRARED_FACE, FINGER_VEIN, PALM, VISIBLE_FACE),
    packs=True,
)
PID = Model(
    name="pid",
    meaning="identity cards, set to Chinese",
    device_type="pid",
    version=SERVER,
    language=CHINESE,
    firmware=FIRMWARE,
    photo_path=PhotoPath.FDATA,
    algorithms=(FINGERPRINT, VISIBLE_FACE),
    identity_cards=True,
)
CLASSIC = Model(
    name="classic",
    meaning="near-infrared faces, without the hybrid protocol",
    device_type="att",
    version=Version(2, 3, 0),
    language=ENGLISH,
    firmware=CLASSIC_FIRMWARE,
    photo_path=PhotoPath.FDATA,
    algorithms=(FINGERPRINT, INFRARED_FACE, FINGER_VEIN),
    hybrid=False,
)
OLD = Model(
    name="old",
    meaning="fingerprints, protocol before 2.2.14",
    device_type=None,
    version=None,
    language=ENGLISH,
    firmware=OLD_FIRMWARE,
    photo_path=PhotoPath.ARGUMENTS,
    algorithms=(FINGERPRINT,),
    hybrid=False,
    answers_first=True,
)
MODELS = {model.name: model for model in (ATT, PID, CLASSIC, OLD)}
