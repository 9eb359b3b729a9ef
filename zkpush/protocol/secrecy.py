"""Secrecy: the single classification of secret values, derived from the declarations.

A declared value is secret if its `Field` says so. Every undeclared value is secret: unknown columns
of a record, unknown options, unknown values of an answer, and the bytes of rejects. They may hold a
password or a template under a name that only another dialect defines.

Encryption, views, CSV, events, the audit log and the erasure of templates all use this module; none
has a list of its own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from .exchange import EXCHANGE, OPTION_REPLY
from .faultkinds import FURTHER, FaultKinds
from .fields import Command, Field, Kind, Scope, Table, Writing
from .harmless import HARMLESS_OPTIONS
from .reasons import NO_COLUMNS, NO_HANDLER_OF_LINES
from .replies import TABLE as ANSWERS
from .reports import INFO, OPTIONS

T = TypeVar("T")
Scopes = Collection[Scope]

EXTRA, RAW = "extra", "raw"
"""Parts of a record beside its declared fields: unknown columns, and the exact bytes."""
UNDECLARED = Scope.BIOMETRICS
"""The scope required to read undeclared values."""
_OF_OPTIONS = frozenset({"INFO", "GET OPTION FROM"})
"""Commands whose answers hold options."""
_OPEN_OPTIONS = frozenset(
    name.casefold()
    for name in (
        *HARMLESS_OPTIONS,
        *(
            field.wire
            for table in (OPTIONS, OPTION_REPLY, EXCHANGE)
            for field in table.fields
            if not field.secret
        ),
    )
)
_REPORTED = frozenset(field.name for field in INFO.fields if not field.secret)
_QUOTING_NOTHING = re.compile(
    r"LZO1: an encoded body of old firmware, of -?[0-9]{1,10} bytes of text, which zkpush does "
    r"not read; [a-zA-Z', ]+|"
    r"a text line cannot hold NUL|some bytes are no text; shown marked|there is no picture|"
    r"no handler takes this table|a table of the access-control protocol, [a-z ]+|"
    rf"a line begins with its keyword|{FURTHER}|{re.escape(NO_COLUMNS)}|"
    r"there is no Key=Value in this line|no ID= in a command reply|"
    r"a photo begins with PIN=, its name, and ends its lines with NUL|"
    r"there is not one user ID in it|part [0-9]{1,9} is not Key=Value|"
    r"[0-9]{1,9} more (?:part is|parts are) not understood; this is the whole (?:body|packet|form)",
    re.ASCII,
)
"""Reasons that quote nothing from the terminal."""
_OF_FIELD = re.compile(r"([A-Za-z0-9_]{1,32})(: .*| is missing| is there twice)", re.DOTALL)
"""Reasons that begin with a field name."""
HIDDEN_REASON = "not understood"
"""Public reason in place of one that quotes what was sent."""
_OF_KEYWORD = "no handler takes lines of "
"""Beginning of a reason that ends with the first word of a line."""
_HIDDEN_KEYWORD = NO_HANDLER_OF_LINES


def may_see(needed: Scope | None, scopes: Scopes) -> bool:
    """Whether a caller with these scopes may read a value that requires `needed`."""
    return needed is None or needed in scopes


def secrets_of(table: Table) -> Mapping[str, Scope]:
    """The secret values of a record, with the scope required for each."""
    declared = {field.name: field.secret for field in table.fields if field.secret}
    return {**declared, EXTRA: UNDECLARED, RAW: UNDECLARED}


def shown(
    values: Mapping[str, T], secrets: Mapping[str, Scope], scopes: Scopes
) -> dict[str, T | None]:
    """Values as shown to a caller, with None for values that the scopes do not cover."""
    return {
        name: value if may_see(secrets.get(name), scopes) else None
        for name, value in values.items()
    }


def option_secret(name: str) -> Scope | None:
    """The scope required to read an option of a terminal; None for a public one."""
    return None if name.removeprefix("~").casefold() in _OPEN_OPTIONS else UNDECLARED


def attribute_secret(name: str) -> Scope | None:
    """The scope required to read an exchange argument (spec 5) or an update value (spec 9)."""
    return None if name in _REPORTED else option_secret(name)


def parameter_secrets(command: Command | None, params: Mapping[str, str]) -> Mapping[str, Scope]:
    """The secret parameters of a command by name; all, if the command is not known."""
    if command is None:
        return dict.fromkeys(params, Scope.DANGEROUS)
    declared = {field.wire: field.secret for field in command.parameters}
    secrets = {key: declared.get(key, UNDECLARED) for key in params}
    if command.writing is Writing.OPTION and option_secret(params.get("key", "")) is None:
        secrets["value"] = None
    return {key: needed for key, needed in secrets.items() if needed is not None}


def result_secrets(
    command: Command | None, params: Mapping[str, str], result: Mapping[str, str]
) -> Mapping[str, Scope]:
    """The secret values of a command's result by name; all, if the command is not known.

    All values of a dangerous command are secret; options in answers are classified as such.
    """
    if command is None:
        return dict.fromkeys(result, Scope.DANGEROUS)
    if Scope.DANGEROUS in command.scopes(params):
        return dict.fromkeys(result, Scope.DANGEROUS)
    holds_options = command.name in _OF_OPTIONS
    needed = {
        key: option_secret(key) if holds_options else _answer_secret(command, key, value)
        for key, value in result.items()
    }
    return {key: scope for key, scope in needed.items() if scope is not None}


def _answer_secret(command: Command, key: str, value: str) -> Scope | None:
    for field in command.answers:
        if field.wire.casefold() == key.casefold():
            return None if _fits(field, value) else UNDECLARED
    return UNDECLARED


def _fits(field: Field, value: str) -> bool:
    """Whether a value matches its declaration; another value may be a secret under any name."""
    try:
        field.decode(value)
    except ValueError:
        return False
    return True


def reject_secret(table: str) -> Scope:
    """The scope required to read a reject's bytes and reasons that quote them.

    An unreadable answer may hold the output of `SHELL`, so it requires the scope of results.
    """
    return Scope.DANGEROUS if table == ANSWERS else UNDECLARED


def shown_reason(name: str, table: Table | None, reason: str, scopes: Scopes) -> str:
    """The reason for a reject of the table `name`, as shown to a caller.

    Without the scope of the bytes (`reject_secret`), it is `public_reason`, and names the scope.
    """
    needed = reject_secret(name)
    public = public_reason(table, reason)
    if may_see(needed, scopes) or public == reason:
        return reason
    return f"{public}; a token with the scope `{needed.value}` shows why"


def public_reason(table: Table | None, reason: str) -> str:
    """The reason for a reject, without anything that was sent.

    At most it names fields, or says what is missing, and how often. `table` is the declaration of
    the table, or None if it is undeclared.
    """
    public = FaultKinds()
    for one, count in FaultKinds(reason):
        public.add(_public(table, one), count)
    return public.reason or ""


def _public(table: Table | None, reason: str) -> str:
    """The reason for one kind of fault, without anything that was sent."""
    if _QUOTING_NOTHING.fullmatch(reason):
        return reason
    if reason.startswith(_OF_KEYWORD):
        return _HIDDEN_KEYWORD
    found = _OF_FIELD.fullmatch(reason)
    if found is None or table is None or all(found[1] != field.wire for field in table.fields):
        return HIDDEN_REASON
    return f"{found[1]}: {HIDDEN_REASON}" if found[2].startswith(":") else reason


def template_names(tables: Iterable[Table]) -> frozenset[str]:
    """Wire names of templates and pictures, case-folded."""
    return frozenset(
        field.wire.casefold()
        for table in tables
        for field in table.fields
        if field.secret and (field.kind is Kind.BASE64 or field.holds_template)
    )
