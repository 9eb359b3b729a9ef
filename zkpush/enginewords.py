"""Words of the command line that belong to no capability."""

from __future__ import annotations

ENGINE_WORDS = {
    "audit": "List the audit log: changes, access to secrets, and refused requests.",
    "database": "Upgrade, check and re-key the database.",
    "docs": "Read the documentation.",
    "plugins": "List and check plugins.",
    "problems": "List problems of the server and of terminals.",
    "simulate": "Run simulated terminals against a test server.",
    "tokens": "Create, list and revoke API tokens.",
}
"""Summaries by word; each word is a click command in the module of its name in `zkpush.cli`."""
