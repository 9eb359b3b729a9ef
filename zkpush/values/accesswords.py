"""Tables of access data in words."""

from __future__ import annotations

from collections.abc import Mapping

from ..phrases import Phrase

TABLE_NAMES: Mapping[str, Phrase] = {
    "time-periods": Phrase("Time periods"),
    "holidays": Phrase("Holidays"),
    "groups": Phrase("Groups"),
    "combinations": Phrase("Combinations"),
    "work-codes": Phrase("Work codes"),
    "messages": Phrase("Messages"),
    "shortcut-keys": Phrase("Function keys"),
    "pictures": Phrase("Publicity pictures"),
}
"""Names of tables, by their names in the API."""
