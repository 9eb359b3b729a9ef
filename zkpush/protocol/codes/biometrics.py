"""Biometric types and template formats (spec 11.12, Appendix 10)."""

from __future__ import annotations

import re

from .code import Code

_DIGITS = re.compile(r"[0-9]{1,10}\Z", re.ASCII)


class BiometricType(Code, noun="Biometric type"):
    """Type of a unified template or comparison photo (spec Appendix 10, 11.12, 11.15).

    Types 1 to 8 use near-infrared light, 9 and 10 visible light. Section 12.6.3 calls 6 palm vein
    and 8 palm print; Appendix 10 disagrees and is followed here.
    """

    COMMON = 0, "Common"
    FINGERPRINT = 1, "Fingerprint"
    FACE = 2, "Near-infrared face"
    VOICEPRINT = 3, "Voiceprint"
    IRIS = 4, "Iris"
    RETINA = 5, "Retina"
    PALMPRINT = 6, "Palmprint"
    FINGER_VEIN = 7, "Finger vein"
    PALM_VEIN = 8, "Palm vein"
    VISIBLE_LIGHT_FACE = 9, "Visible light face"
    VISIBLE_LIGHT_PALM = 10, "Visible light palm"  # 2.4.2


class Finger(Code, noun="Finger"):
    """Finger of a template (spec 11.9): FID."""

    LEFT_LITTLE = 0, "Left little finger"
    LEFT_RING = 1, "Left ring finger"
    LEFT_MIDDLE = 2, "Left middle finger"
    LEFT_INDEX = 3, "Left index finger"
    LEFT_THUMB = 4, "Left thumb"
    RIGHT_THUMB = 5, "Right thumb"
    RIGHT_INDEX = 6, "Right index finger"
    RIGHT_MIDDLE = 7, "Right middle finger"
    RIGHT_RING = 8, "Right ring finger"
    RIGHT_LITTLE = 9, "Right little finger"


class TemplateFormat(Code, noun="Template format"):
    """Format of a unified template (spec 11.12); types other than fingerprints have ZK only."""

    ZK = 0, "ZK"
    ISO = 1, "ISO"
    ANSI = 2, "ANSI"


def template_format(text: str) -> TemplateFormat | str:
    """Decode a Format, a digit or, from some firmware, a name such as `ZK` (spec 11.12).

    Names are case-insensitive; an unknown name is returned unchanged.
    """
    text = text.strip()
    if _DIGITS.match(text):
        return TemplateFormat(int(text))
    return TemplateFormat.__members__.get(text.upper(), text)
