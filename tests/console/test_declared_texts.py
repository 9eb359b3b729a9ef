"""Texts that modules declare for translation, and those that they fail to."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from jinja2 import Environment

import zkpush
from zkpush.declarations import declarations
from zkpush.handlers.accessdata.declared import table_named
from zkpush.manage.console.extraction import declared_phrases, packages_of_zkpush
from zkpush.manage.console.formats import add_filters
from zkpush.manage.console.languages import LANGUAGES, translations_of
from zkpush.phrases import words_of
from zkpush.protocol.errors import CommandError
from zkpush.protocol.times import check_zone

from .phrases import phrases_of

ROOT = Path(zkpush.__file__).parent
DECLARED_ELSEWHERE = {
    "handlers/areas/beginning.py": 1,
    "causes.py": 1,  # problems that a sentence names
    "commandreasons.py": 1,  # ends of commands
    "endings.py": 1,
    "handlers/attendance/exports.py": 1,  # names of codes
    "handlers/audit/changes.py": 3,  # policies, and templates of details
    "handlers/audit/orders.py": 3,  # meanings of commands, their parameters and values
    "handlers/audit/wording.py": 2,  # refusals, and kinds of secrets
    "handlers/commands/pages.py": 1,  # meanings of commands
    "handlers/doctor/terminal.py": 1,
    "handlers/jobs/progresspages.py": 1,
    "handlers/jobs/sendpages.py": 1,
    "handlers/overview/pages.py": 1,  # meanings of codes
    "handlers/people/claimwords.py": 3,  # since when, why and until when punches are doubtful
    "handlers/people/conflictquestions.py": 1,  # meanings of rights
    "handlers/people/columns.py": 2,  # meanings of codes
    "handlers/people/importpages.py": 2,
    "handlers/people/pages.py": 1,
    "handlers/people/showing.py": 3,
    "handlers/rejects/lines.py": 1,  # names of codes
    "handlers/rejects/naming.py": 1,  # reasons with names of fields in words
    "handlers/terminals/settingpages.py": 2,  # meanings of options
    "manage/console/ways.py": 1,  # policies
    "phrases.py": 4,
    "protocol/commands.py": 8,  # meanings, forms and values of parameters, and mistakes in them
    "sentences.py": 2,
}
"""Calls whose text is no literal, by module: meanings that `declared_phrases` adds, or templates
that were declared before."""
OF_ANY_TEXT = frozenset({"", "%(part)s", "%(sn)s"})
"""Templates without a word."""
MAKERS = frozenset({"Phrase", "Phrase.made", "counted_phrase"})
"""What makes phrases of templates."""
ERRORS = frozenset({"ApiError", "CommandError", "FormMistakes", "NotConfirmed", "not_found"})
"""Errors whose text a page shows."""
NOT_ON_PAGES = frozenset(
    {
        "handlers/accounts/api.py",
        "handlers/doctor/api.py",
        "handlers/trace/api.py",
        "handlers/forward/operating.py",  # forwarders are added by the API only
        "manage/channel.py",
        "manage/events.py",
        "manage/routes.py",
        "protocol/commands.py",  # the ID of a command is the server's own
    }
)
"""Modules whose errors only callers of the API get."""


def calls(source: str, names: frozenset[str]) -> Iterator[ast.Call]:
    """The calls of some functions in a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args and ast.unparse(node.func) in names:
            yield node


def templates(source: str) -> tuple[list[str], int]:
    """The literal templates of phrases in a module, and the number of those that are none."""
    given = [one.args[0] for one in calls(source, MAKERS)]
    literal = [one.value for one in given if isinstance(one, ast.Constant)]
    return literal, len(given) - len(literal)


def is_plain(node: ast.expr) -> bool:
    """Whether an expression is a sentence that nothing translates."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and " " in node.value
    return isinstance(node, ast.JoinedStr)


@pytest.mark.long
def test_each_declared_text_is_in_a_catalogue() -> None:
    """Whatever module declares it; those with other texts than literals are known by number."""
    known = {
        one if isinstance(one, str) else one[0]
        for package in packages_of_zkpush()
        for one in phrases_of(package)
    }
    assert set(declared_phrases()) <= known
    missing, others = set(), {}
    for file in ROOT.rglob("*.py"):
        literal, count = templates(file.read_text())
        missing |= set(literal) - known - OF_ANY_TEXT
        if count:
            others[file.relative_to(ROOT).as_posix()] = count
    assert missing == set()
    assert others == DECLARED_ELSEWHERE
    assert templates("Phrase('a'); counted_phrase('b', 'c', 2); Phrase.made(d, {})") == (
        ["a", "b"],
        1,
    )


@pytest.mark.long
def test_errors_that_pages_show_are_declared_texts() -> None:
    """None is raised with a finished sentence in English."""
    found = {
        file.relative_to(ROOT).as_posix()
        for file in ROOT.rglob("*.py")
        for call in calls(file.read_text(), ERRORS)
        if any(is_plain(one) for one in [*call.args, *(given.value for given in call.keywords)])
    }
    assert found <= NOT_ON_PAGES
    (raised,) = calls("not_found(f'There is no {x}.')", ERRORS)
    assert is_plain(raised.args[0])


SUGGESTING = re.compile("[Dd]id you mean")
OF_THE_COMMAND_LINE = ("cli/", "persist/sqlite_url.py")
"""Where suggestions are written for people at a shell only."""


@pytest.mark.long
def test_suggestions_are_declared_in_one_place() -> None:
    """A mistake has its suggestion in the language of its page; no module writes one by itself."""
    found = {
        file.relative_to(ROOT).as_posix()
        for file in ROOT.rglob("*.py")
        if not file.relative_to(ROOT).as_posix().startswith(OF_THE_COMMAND_LINE)
        and any(
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and SUGGESTING.match(node.value)
            for node in ast.walk(ast.parse(file.read_text()))
        )
    }
    assert found == {"protocol/suggestions.py"}


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: check_zone("Berlin"),
        lambda: check_zone("Europe/Berlni"),
        lambda: declarations().catalogue.validate("REBOOTT", {}),
        lambda: declarations().catalogue.validate("ENROLL_FP", {"PIN": "1", "FIDD": "1"}),
        lambda: table_named("work-code"),
    ],
)
def test_suggestions_are_translated(wrong: Callable[[], object]) -> None:
    """The Spanish sentence has none of the English question."""
    with pytest.raises((CommandError, LookupError, ValueError)) as raised:
        wrong()
    environment = Environment(autoescape=True)
    spanish = LANGUAGES[1]
    add_filters(environment, spanish, translations_of(packages_of_zkpush(), spanish))
    shown = environment.filters["said"](words_of(raised.value))
    assert "did you mean" in str(raised.value)
    assert "did you mean" not in shown
    assert "¿Quiso decir" in shown
