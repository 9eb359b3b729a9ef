"""Names of tables and commands of the protocol in words."""

from __future__ import annotations

from collections.abc import Mapping

from .phrases import Phrase

TABLE = "table"
"""Name of values of texts that are tables."""
COMMAND = "command"
"""Name of values of texts that are commands."""
TABLE_WORDS: Mapping[str, Phrase] = {
    "ATTLOG": Phrase("Punches"),
    "ATTPHOTO": Phrase("Photos of punches"),
    "OPERLOG": Phrase("People and operations at the terminal"),
    "ERRORLOG": Phrase("Errors of the terminal"),
    "BIODATA": Phrase("Templates"),
    "IDCARD": Phrase("Identity cards"),
}
"""What tables hold, by their names."""
