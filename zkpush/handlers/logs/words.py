"""Words of the command line."""

from __future__ import annotations

WORDS = {
    "errors": "List errors that terminals report.",
    "idcards": "List identity cards that terminals read.",
    "operations": "List operations on terminals, such as changes by an administrator.",
}
