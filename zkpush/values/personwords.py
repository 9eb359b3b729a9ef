"""Fields of people in words."""

from __future__ import annotations

from collections.abc import Mapping

from ..phrases import Phrase

PERSON_LABELS: Mapping[str, Phrase] = {
    "name": Phrase("Name"),
    "card": Phrase("Card number"),
    "vice_card": Phrase("Second card"),
    "privilege": Phrase("Rights at terminals"),
    "group": Phrase("Group"),
    "start_datetime": Phrase("Valid from"),
    "end_datetime": Phrase("Valid until"),
    "expires": Phrase("Validity ends"),
    "verify": Phrase("Verification mode"),
    "timezones": Phrase("Time periods"),
    "password": Phrase("Password"),
    "areas": Phrase("Areas"),
    "photo": Phrase("Photo"),
    "face": Phrase("Photo for comparison"),
}
"""Labels of fields, by their names in the API, in the order in which pages show them."""
