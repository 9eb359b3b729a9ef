"""Language numbers (spec Appendix 2)."""

from __future__ import annotations

from ..text import encoding_for
from .code import Code, NumberCodes


class Language(Code, noun="Language"):
    """The terminal's language: `language` of the exchange (spec 5, Appendix 2)."""

    PERSIAN = 65, "Persian"
    ARABIC = 66, "Arabic"
    DUTCH = 68, "Dutch"
    ENGLISH = 69, "English"
    FRENCH = 70, "French"
    GERMAN = 71, "German"
    HEBREW = 72, "Hebrew"
    INDONESIAN = 73, "Indonesian"
    JAPANESE = 74, "Japanese"
    KOREAN = 75, "Korean"
    THAI = 76, "Thai"
    PORTUGUESE = 80, "Portuguese"
    RUSSIAN = 82, "Russian"
    SIMPLIFIED_CHINESE = 83, "Simplified Chinese"
    TRADITIONAL_CHINESE = 84, "Traditional Chinese"
    VIETNAMESE = 86, "Vietnamese"
    SLOVAK = 89, "Slovak"
    CZECH = 90, "Czech"
    SPANISH = 97, "Spanish"
    GREEK = 103, "Greek"
    ITALIAN = 105, "Italian"
    POLISH = 112, "Polish"
    TURKISH = 116, "Turkish"

    @property
    def encoding(self) -> str:
        """The Python codec of a terminal with this language (spec 1.2)."""
        return encoding_for(str(self.value))


language_of = NumberCodes(Language)
"""Returns the language of a number as text, as terminals send it."""
