"""Pages of a capability in the console: `pages(services)` of a `pages` part returns a list of them.

Paths and names of live parts begin with the name of the plugin. Templates are in the folder
`templates` of the package, catalogues in `translations`. See docs/capabilities.md.
"""

from __future__ import annotations

from ..manage.console.forms import NOTHING_ENTERED, FormEntry, FormMistakes
from ..manage.console.pages import (
    ConsoleForm,
    ConsolePage,
    LivePart,
    NavGroup,
    NavPlace,
    PageFile,
    Redirect,
    View,
)
from ..manage.console.phrases import Phrase
from ..manage.console.visits import Visit
from ..manage.services import Services
from ..model import Page
from ..protocol.fields import Scope

__all__ = [
    "NOTHING_ENTERED",
    "ConsoleForm",
    "ConsolePage",
    "FormEntry",
    "FormMistakes",
    "LivePart",
    "NavGroup",
    "NavPlace",
    "Page",
    "PageFile",
    "Phrase",
    "Redirect",
    "Scope",
    "Services",
    "View",
    "Visit",
]
