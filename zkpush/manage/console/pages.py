"""Declarations of pages, forms and live parts.

The part `pages` of a capability has a function `pages(services)`, which returns a list of them.
Paths are under `/console` and begin with the name of a plugin; `<name>` stands for a variable, as
in routes of the API. Templates are in the folder `templates` of the package.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from enum import Enum
from http import HTTPStatus
from typing import Any

import attrs
import msgspec

from ...protocol.fields import Scope
from ..limits import Limit, WholeSite
from ..routes import Stream
from .phrases import Phrase
from .visits import Visit

PREFIX = "/console"
MOST_FORM = 64 * 1024
"""Maximum length of a form without a file, in bytes."""
_VARIABLE = re.compile("<[^<>]*>", re.ASCII)


@attrs.frozen(kw_only=True, eq=False)
class View:
    """A template with its values, the result of a page."""

    template: str
    """Name of the template in the folder of the capability; with a slash, in that of another."""
    values: Mapping[str, object] = attrs.field(factory=dict)
    title: str | None = None
    """Title of the page, a `Phrase` or data; None for the declared one."""
    live: Sequence[str] = ()
    """Live parts of the page, by name; a name may have an argument after a colon."""
    status: HTTPStatus = HTTPStatus.OK
    end_session: bool = False
    """Whether the cookie of the session is removed."""


@attrs.frozen(kw_only=True, eq=False)
class Redirect:
    """Continue at another page of the console, the usual result of a form."""

    to: str
    """Path under `/console`, such as `/terminals`; see `path_part`."""
    notice: Phrase | None = None
    """What was done, shown once on that page."""
    session: str | None = None
    """Secret of a new session; an empty one ends the present one."""
    language: str | None = None
    """Code of the language to remember in the browser."""


@attrs.frozen(kw_only=True, eq=False)
class PageFile:
    """A reply that is no page, such as a picture or a CSV file."""

    content_type: str
    body: bytes
    name: str | None = None
    """Name of the file to save; None to show it."""


@attrs.frozen(kw_only=True, eq=False)
class PageStream:
    """A file that is sent while it is made, such as a long list."""

    stream: Stream
    name: str
    """Name of the file to save."""


Result = View | Redirect | PageFile | PageStream
"""Result of a page or form."""


class NavGroup(Enum):
    """Groups of the navigation, in their order."""

    DAILY = Phrase("Daily work")
    SITE = Phrase("Site")
    SERVER = Phrase("Server")


@attrs.frozen
class NavPlace:
    """The place of a page in the navigation."""

    group: NavGroup
    order: int
    """Position within the group; unique there."""
    icon: str
    """Name of a symbol in `icons.html`."""


@attrs.frozen(kw_only=True, eq=False)
class ConsolePage:
    """A page."""

    method = "GET"
    path: str
    title: Phrase
    run: Callable[..., Awaitable[Result]]
    """Called with the `Visit`, the variables of the path, and `query` where it is declared."""
    scope: Scope | None = Scope.READ
    """Required scope; None for a page without sign-in."""
    query: type[msgspec.Struct] | None = None
    """Arguments of the query; unknown and invalid ones are shown as mistakes of the page."""
    nav: NavPlace | None = None
    is_file: bool = False
    """Whether it returns a file instead of a page."""

    limited: Limit = None
    """How accounts that are limited to areas are served, as `Route.limited`; None refuses them."""

    @property
    def claim(self) -> str:
        """Method and path, unique among pages and forms."""
        return _claim(self.method, self.path)


@attrs.frozen
class QuestionChoice:
    """One of several answers to a question: a button, and the field that it adds to the form."""

    button: Phrase
    name: str
    value: str


@attrs.frozen
class QuestionPerson:
    """A person whom a question names."""

    pin: str
    name: str | None
    note: Phrase | None = None
    sn: str | None = None
    """A terminal that it concerns."""


@attrs.frozen
class QuestionPeople:
    """Some of the people whom an answer concerns, and where all are."""

    title: Phrase
    people: Sequence[QuestionPerson]
    more: int
    """Number of those who are not named."""
    to: str
    """Path of the page that has all, under `/console`."""
    label: Phrase
    """Text of the link to it."""


@attrs.frozen(kw_only=True, eq=False)
class ConfirmationQuestion:
    """What a person confirms on a page of its own before a form does something."""

    title: Phrase
    text: Phrase
    """What will happen, and what of it cannot be undone."""
    button: Phrase
    back: str
    """Path of the page to return to; it may have the variables of the path of the form."""
    subject: str | None = None
    """What it is about; None for the variables of the path of the form."""
    choices: Sequence[QuestionChoice] = ()
    """Answers to choose from, in place of the button."""
    people: Sequence[QuestionPeople] = ()
    """People whom it concerns."""
    keeps_entry: bool = False
    """Whether a cancellation shows the form again with what was entered, in place of `back`."""


Asking = Callable[..., Awaitable[ConfirmationQuestion | None]]
"""Called as `run` of a form, before it; returns None if there is nothing to ask."""
Again = Callable[..., Awaitable[View]]
"""Called as `run` of the page that has the form."""


@attrs.frozen(kw_only=True, eq=False)
class ConsoleForm:
    """What the server does when a form is sent."""

    method = "POST"
    path: str
    run: Callable[..., Awaitable[Result]]
    """Called with the `Visit`, the variables of the path, and `form`, an instance of `fields`."""
    fields: type[msgspec.Struct]
    """Fields of the form; names without a default are required."""
    scope: Scope | None = Scope.WRITE
    again: Again | None = None
    """Shows the page of the form again, with `entry`, a `FormEntry` with the mistakes; None for a
    page that shows the mistakes only."""
    page: str | None = None
    """In place of `again`, the path of the page of another capability that has the form."""
    question: ConfirmationQuestion | Asking | None = None
    """What is asked first; such a form has no file."""
    file: str | None = None
    """Name of the field with an uploaded file, of the type `bytes`; None for none."""
    most_bytes: int = MOST_FORM
    """Maximum length of the form, in bytes."""

    limited: Limit = None
    """How accounts that are limited to areas are served, as `Route.limited`; None refuses them."""

    @property
    def claim(self) -> str:
        """Method and path, unique among pages and forms."""
        return _claim(self.method, self.path)


@attrs.frozen(kw_only=True, eq=False)
class LivePart:
    """A part of pages that is rendered anew when something happens.

    Consoles that would see the same share one rendering: it depends on the argument, the language,
    the time zone, the scopes and the areas only.
    """

    name: str
    """Name, which begins with the name of the capability; letters and hyphens."""
    run: Callable[..., Awaitable[View]]
    """Called with a `Visit` without a name, and with the argument, a text or None."""
    kinds: Collection[str] = ()
    """Kinds of events that change it."""
    every: float | None = None
    """Seconds after which it is rendered anyway; None for never."""
    scope: Scope = Scope.READ
    limited: Limit = None
    """As `ConsolePage.limited`; the argument stands for each variable."""


@attrs.frozen(kw_only=True, eq=False)
class NameSearch:
    """What is offered at a path whose variable names nothing, such as a mistyped user ID."""

    variable: str
    """Name of the variable of paths."""
    path: str
    """Path of the list."""
    field: str | None
    """Field of the list that searches by name; None for a list without one."""
    label: Phrase
    """What is entered there."""
    title: Phrase
    """Words of the link to the whole list."""
    similar: Callable[[Visit, str], Awaitable[Sequence[tuple[str, str]] | None]]
    """Called with the visit and a name; returns paths and names of what may be meant, or None if
    something has exactly this name."""


ConsoleRoute = ConsolePage | ConsoleForm | LivePart | NameSearch


def of_whole_site(routes: Sequence[ConsoleRoute], why: Phrase) -> list[ConsoleRoute]:
    """Declare that pages are refused to accounts that are limited to areas, and say why."""
    return [
        route if isinstance(route, NameSearch) else attrs.evolve(route, limited=WholeSite(why))
        for route in routes
    ]


@attrs.frozen
class ConsoleAddition:
    """The pages of one capability."""

    name: str
    package: str
    routes: Sequence[ConsoleRoute]


def _claim(method: str, path: str) -> str:
    return f"{method} {_VARIABLE.sub('<>', path)}"


Pages = Callable[[Any], Sequence[ConsoleRoute]]
"""The function `pages(services)` of a part."""
