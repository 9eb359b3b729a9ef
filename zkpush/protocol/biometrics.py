"""Which records, fields and commands hold templates, or what templates are made of."""

from __future__ import annotations

from .tables import BIOPHOTO, IDCARD, INFO, OPTIONS, RECORD_TABLES, TEMPLATE_TABLES

BIOMETRIC_TABLES = (*TEMPLATE_TABLES, BIOPHOTO)
"""What holds templates, or photos that templates are made of."""
BIOMETRIC_NAMES = frozenset(
    name for table in BIOMETRIC_TABLES for name in (table.name, *table.aliases)
)
"""All names of these tables, as lines and commands have them."""
FINGERPRINTS = tuple(IDCARD.field(name) for name in ("fingerprint_1", "fingerprint_2"))
"""The templates of an identity card."""
HARMLESS_TABLES = frozenset(
    table.name
    for table in (*RECORD_TABLES, OPTIONS, INFO)
    if table not in (*BIOMETRIC_TABLES, IDCARD)
)
"""The tables of whose lines none can hold a template, also if it was not understood."""
TRANSFER_WORDS = frozenset({"FPImag", *(w for table in BIOMETRIC_TABLES for w in table.transfer)})
"""The words of TransFlag that ask for templates, and for images of fingerprints (5)."""
