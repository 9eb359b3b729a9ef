"""Biometric types and template formats (11.12, Appendix 10)."""

from __future__ import annotations

import re

from .code import Code

_DIGITS = re.compile(r"[0-9]{1,10}\Z", re.ASCII)


class BiometricType(Code, noun="Biometric type"):
    """What a unified template or a comparison photo is of (Appendix 10, 11.12, 11.15).

    1 to 8 are taken in near-infrared light, 9 and 10 in visible light. 12.6.3 calls 6 palm vein and
    8 palm print, against Appendix 10, which is followed here.
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


class TemplateFormat(Code, noun="Template format"):
    """Format of a unified template (11.12); all but fingerprints have ZK only."""

    ZK = 0, "ZK"
    ISO = 1, "ISO"
    ANSI = 2, "ANSI"


def template_format(text: str) -> TemplateFormat | str:
    """Read a Format, which is a digit or, from some firmware, a name such as `ZK` (11.12).

    A name counts in either case; one that is not known is returned as it is.
    """
    text = text.strip()
    if _DIGITS.match(text):
        return TemplateFormat(int(text))
    return TemplateFormat.__members__.get(text.upper(), text)
