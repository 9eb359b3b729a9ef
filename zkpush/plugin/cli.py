"""Words of the command line: a `cli` part has click commands that use the API.

A word is an entry point of the group `zkpush.words`. `record_word` makes the word of a list.
Importing this module loads no database and no twisted.web.
"""

from __future__ import annotations

from ..cli.arguments import as_json
from ..cli.output import echo, print_list
from ..cli.records import record_word
from ..cli.running import with_api
from ..cli.tables import Column

__all__ = ["Column", "as_json", "echo", "print_list", "record_word", "with_api"]
