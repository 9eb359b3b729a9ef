"""The catalogue of commands, as the API shows it."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ...protocol.fields import Command, Field, Kind


class ParameterView(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter of a command."""

    name: str
    type: Annotated[str, Meta(description="integer, number, text, time or base64")]
    format: Annotated[str, Meta(description="How it is written")]
    meaning: str
    required: bool
    secret: bool
    minimum: int | None
    maximum: int | None
    choices: list[int]
    pattern: str | None
    form: Annotated[str | None, Meta(description="What matches `pattern`, in words")]
    values: Annotated[
        dict[str, str],
        Meta(description="Coded values with their meanings; firmware may have more of them"),
    ]
    most_bytes: int | None


class ScopeRuleView(msgspec.Struct, frozen=True, kw_only=True):
    """An additional scope that a command needs in some cases."""

    scope: str
    parameter: Annotated[
        str, Meta(description="Parameter that decides whether the scope is needed")
    ]
    meaning: Annotated[str, Meta(description="Cases in which the scope is needed")]


class CatalogueView(msgspec.Struct, frozen=True, kw_only=True):
    """A command that can be sent."""

    family: Annotated[str, Meta(description="The terminal family that has it")]
    command: str
    meaning: str
    section: Annotated[
        str,
        Meta(
            description="Section of the specification; `site` for a command that the site defines"
        ),
    ]
    scope: Annotated[str, Meta(description="Scope that the caller needs")]
    more_scopes: Annotated[
        list[ScopeRuleView], Meta(description="Additional scopes needed in some cases")
    ]
    since: Annotated[str, Meta(description="The first protocol version that has it")]
    repeatable: Annotated[
        bool,
        Meta(
            description="Whether it is sent again without an answer; if not, it ends as `unknown`"
        ),
    ]
    expires_in: Annotated[
        int | None,
        Meta(description="Seconds that it may wait; null: the setting `commands.lifetime_days`"),
    ]
    priority: int
    params: list[ParameterView]
    one_of: Annotated[list[str], Meta(description="Parameters of which one is required")]


_TYPES = {
    Kind.INTEGER: "integer",
    Kind.NUMBER: "number",
    Kind.TIME: "time",
    Kind.MOMENT: "time",
    Kind.BASE64: "base64",
}


def _parameter(field: Field) -> ParameterView:
    return ParameterView(
        name=field.wire,
        type=_TYPES.get(field.kind, "text"),
        format=field.kind.title,
        meaning=field.meaning,
        required=field.required,
        secret=field.secret is not None,
        minimum=field.minimum,
        maximum=field.maximum,
        choices=list(field.choices),
        pattern=field.pattern,
        form=field.form,
        values=dict(field.coded_values()),
        most_bytes=field.most_bytes,
    )


def described(command: Command) -> CatalogueView:
    """Describe a command, with its parameters."""
    return CatalogueView(
        family=command.family,
        command=command.name,
        meaning=command.meaning,
        section=command.section,
        scope=command.scope.value,
        more_scopes=[
            ScopeRuleView(scope=rule.scope.value, parameter=rule.parameter, meaning=rule.meaning)
            for rule in command.scope_rules
        ],
        since=str(command.since),
        repeatable=command.is_repeatable,
        expires_in=command.wait_seconds,
        priority=command.priority,
        params=[_parameter(field) for field in command.parameters],
        one_of=list(command.one_of),
    )
