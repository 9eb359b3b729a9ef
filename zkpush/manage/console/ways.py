"""Commands of the command line in texts, and what the console has in their place.

Theory of operation. Advice names commands, such as `zkpush rejects list`, for people at a shell. A
person at the console gets the page that does the same: a noun with its name, which is a link. Where
only the command line can do it, the command is shown as one for the server.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ...pathparts import path_part
from ...protocol.fields import Scope
from ...values.devicewords import TOKEN_WORDS
from .phrases import Phrase

_PROGRAM = "zkpush "
_NAMED = "<name>"
"""Place of a name in the words of a command and in the path of a page."""
_PLACEHOLDERS = frozenset({"SN", "NAME", "ID", "AREA", "PIN"})
"""What stands for a name that the text does not know."""


@attrs.frozen
class ConsolePlace:
    """What a command is replaced by, as a noun that fits wherever the command stands."""

    named: Phrase
    """The noun with the name of the place."""
    again: Phrase
    """The noun where the name has come before."""


PAGE = ConsolePlace(Phrase("the page “%(label)s”"), Phrase("the same page"))
BUTTON = ConsolePlace(Phrase("the button “%(label)s”"), Phrase("the same button"))
SETTING = ConsolePlace(Phrase("the setting “%(label)s”"), Phrase("the same setting"))


@attrs.frozen
class ConsoleWay:
    """The page for a command."""

    words: str
    """The first words of the command, as a pattern; `<name>` is what it is about."""
    label: Phrase
    path: str
    """Path under `/console`, which may have `<name>`."""
    without_name: str
    """Path if the name is not known."""
    scope: Scope = Scope.READ
    place: ConsolePlace = PAGE

    def found(self, command: str) -> str | None:
        """Return the path for a command; None if another page is meant."""
        wanted = self.words.split()
        given = command.split()[: len(wanted)]
        if len(given) < len(wanted):
            return None
        name = None
        for word, text in zip(wanted, given, strict=True):
            if word == _NAMED:
                name = text
            elif word not in (text, _word_of(text)):
                return None
        if name is None or name in _PLACEHOLDERS or name.startswith("-"):
            return self.without_name
        return self.path.replace(_NAMED, path_part(name))


def _word_of(text: str) -> str:
    """Return the word that a text begins with, such as the option in `Delay=5`."""
    end = next((n for n, one in enumerate(text) if not (one.isalnum() or one in "_-")), len(text))
    return text[:end]


def _of_terminal(
    words: str,
    label: Phrase,
    page: str = "",
    scope: Scope = Scope.READ,
    place: ConsolePlace = PAGE,
) -> ConsoleWay:
    return ConsoleWay(words, label, f"/terminals/<name>{page}", "/terminals", scope, place)


def _of_list(words: str, label: Phrase, path: str, scope: Scope = Scope.READ) -> ConsoleWay:
    return ConsoleWay(words, label, path, path, scope)


_LONG_AGO = "1970-01-01"
"""First day of lists of all times."""
_TERMINAL = Phrase("Terminal")
_PEOPLE = Phrase("People on the terminal")
_REQUESTS = Phrase("Requests of the terminal")
_COMMANDS = Phrase("Commands")
_REJECTS = Phrase("Not understood")
_CONFLICTS = Phrase("Conflicts")
_FORWARDERS = Phrase("Forwarders")
_ACCOUNTS = Phrase("Accounts")
WAYS: Sequence[ConsoleWay] = (
    _of_terminal(
        "devices set <name> timezone",
        Phrase("Time zone of the terminal"),
        "#change",
        Scope.WRITE,
        SETTING,
    ),
    *(
        _of_terminal(
            f"devices set <name> token={policy}",
            Phrase("Token of its session: %(choice)s", choice=Phrase.made(words, {})),
            "/settings#field-token",
            place=SETTING,
        )
        for policy, words in TOKEN_WORDS.items()
    ),
    *(
        _of_terminal(
            f"devices set <name> {option}", label, f"/settings#field-{option}", place=SETTING
        )
        for option, label in (
            ("encryption", Phrase("Encryption by the terminal")),
            ("networks", Phrase("Networks that it may connect from")),
        )
    ),
    _of_terminal("devices approve <name>", Phrase("Approve"), "/approve", Scope.WRITE),
    _of_terminal("devices block <name>", Phrase("Block"), "", Scope.WRITE, BUTTON),
    _of_terminal(
        "devices resend <name>", Phrase("Let it send all punches again"), "", Scope.WRITE, BUTTON
    ),
    _of_terminal(
        "devices recompute <name>",
        Phrase("Correct the times of its punches"),
        "",
        Scope.WRITE,
        BUTTON,
    ),
    _of_terminal("devices show <name>", _TERMINAL),
    _of_terminal("devices users <name>", _PEOPLE, "/people"),
    _of_terminal("devices trace <name>", _REQUESTS, "/requests"),
    _of_list("devices repair <name>", Phrase("Compare and send again"), "/areas"),
    _of_list("devices list", Phrase("Terminals"), "/terminals"),
    _of_terminal("doctor <name>", Phrase("Why no punches?"), "/doctor"),
    _of_terminal(
        "attendance verify --device <name>", Phrase("Days of the terminal"), "/completeness"
    ),
    *(
        ConsoleWay(
            f"attendance list --device <name> --doubt {doubt}",
            Phrase("Its punches with doubtful times"),
            f"/attendance?device=<name>&doubt={doubt}&since={_LONG_AGO}",
            f"/attendance?doubt={doubt}&since={_LONG_AGO}",
        )
        for doubt in ("future", "past")
    ),
    ConsoleWay(
        "attendance list --device <name>",
        Phrase("Its punches of this month"),
        "/attendance?device=<name>&period=this-month",
        "/attendance?period=this-month",
    ),
    *(
        ConsoleWay(
            f"commands list{option} <name>", _COMMANDS, "/commands?device=<name>", "/commands"
        )
        for option in (" --device", "")
    ),
    _of_list("commands cancel", _COMMANDS, "/commands"),
    ConsoleWay(
        "commands send <name> 'CLEAR LOG'",
        Phrase("Delete its attendance records"),
        "/jobs/new?command=CLEAR+LOG&device=<name>",
        "/jobs/new?command=CLEAR+LOG",
        Scope.DANGEROUS,
    ),
    _of_list("commands send", Phrase("Send a command"), "/jobs", Scope.WRITE),
    ConsoleWay("rejects list --device <name>", _REJECTS, "/rejects?device=<name>", "/rejects"),
    _of_list("rejects", _REJECTS, "/rejects"),
    _of_list("conflicts decide", Phrase("Punches of two people"), "/people/punches?decided=true"),
    _of_list("conflicts", _CONFLICTS, "/people/conflicts"),
    _of_terminal("users delete PIN --from <name>", _PEOPLE, "/people"),
    _of_list("users put", Phrase("Add a person"), "/people/new", Scope.WRITE),
    ConsoleWay("areas put <name>", Phrase("Area"), "/areas/<name>", "/areas"),
    ConsoleWay("areas drift <name>", Phrase("Area"), "/areas/<name>#drift", "/areas"),
    ConsoleWay("areas repair <name>", Phrase("Area"), "/areas/<name>", "/areas"),
    _of_list("access device", Phrase("Access data"), "/access"),
    _of_list("problems list", Phrase("Problems"), "/"),
    _of_list("files list", Phrase("Files"), "/files"),
    _of_list("audit list", Phrase("Audit log"), "/audit", Scope.ADMIN),
    *(
        _of_list(f"forwarders {word}", _FORWARDERS, "/forwarders", Scope.ADMIN)
        for word in ("list", "show", "test", "pause", "resume", "replay", "dead")
    ),
    *(
        _of_list(f"accounts {word}", _ACCOUNTS, "/accounts", Scope.ADMIN)
        for word in ("add", "list", "link", "remove")
    ),
)
"""The pages, the special ones first."""
ON_SERVER = (
    "console setup",
    "database",
    "devices set",
    "docs",
    "doctor",
    "forwarders add",
    "forwarders set",
    "plugins",
)
"""First words of commands that only the command line has."""


def is_command(text: str) -> bool:
    """Whether a text is a command of the command line."""
    return text.startswith(_PROGRAM)


def way_of(command: str) -> tuple[ConsoleWay, str] | None:
    """Return what the console has for a command, with its path; None if it has nothing."""
    said = command.removeprefix(_PROGRAM)
    for one in WAYS:
        path = one.found(said)
        if path is not None:
            return one, path
    return None
