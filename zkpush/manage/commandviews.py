"""Commands in the API: their view, and the queueing of the commands of an intent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta

from ..device.families import Families
from ..model import Caller
from ..persist.commandrows import reason_words
from ..protocol.catalogue import Catalogue
from ..protocol.fields import Scope
from ..protocol.secrecy import Scopes, parameter_secrets, result_secrets, shown
from ..values.commands import CommandState, QueuedCommand
from .listing import Listing, whole
from .readings import SecretAccessLog
from .recordviews import Damaged
from .services import Services
from .times import instant, instant_or_none


class CommandView(msgspec.Struct, frozen=True, kw_only=True):
    """A command, with its state and result."""

    id: Annotated[str, Meta(description="The CmdID on the wire")]
    device: str
    command: str
    params: Annotated[
        dict[str, str | None],
        Meta(
            description="Null for values that the caller may not see, which need `biometrics`, or "
            "`dangerous` for commands of SHELL and for options that may be secret. All are null "
            "for callers who are limited to areas if the command is about a person outside these, "
            "or was queued while the terminal was in another area"
        ),
    ]
    state: CommandState
    reason: Annotated[str | None, Meta(description="Reason why it ended; null while open")]
    replaced_by: Annotated[
        str | None, Meta(description="A later command that sets all that this one sets")
    ]
    job: Annotated[str | None, Meta(description="The job that it belongs to")]
    attempts: int
    priority: int
    return_code: int | None
    meaning: Annotated[str | None, Meta(description="Meaning of `return_code`")]
    return_code_meaning: Annotated[str | None, Meta(description="The same as `meaning`")]
    result: Annotated[
        dict[str, str | None] | None,
        Meta(
            description="Null for values that the caller may not see, which need `biometrics`, or "
            "`dangerous` if the command does. All are null where all of `params` are because of "
            "the areas of the caller"
        ),
    ]
    created_at: str
    not_before: str | None
    expires_at: Annotated[
        str | None, Meta(description="Latest time of sending; null: `lifetime_days`")
    ]
    sent_at: str | None
    answered_at: Annotated[
        str | None,
        Meta(description="Time of the answer, even if the command had ended before"),
    ]
    finished_at: str | None
    body_removed_at: Annotated[
        str | None,
        Meta(description="Time when its parameters and result were deleted because of their age"),
    ]
    damaged: Damaged = UNSET


def command_view(
    catalogue: Catalogue,
    families: Families,
    command: QueuedCommand,
    scopes: Scopes,
    *,
    is_outside: bool = False,
) -> CommandView:
    """Show a command, with secrets only if the scopes allow it.

    If `is_outside`, it concerns what is outside the areas of the caller (see `commandlimits`).
    """
    code = command.return_code
    family = families.named(command.family)
    meaning = None if code is None else family.outcome(command.command, code).meaning
    params, result = shown_values(catalogue, command, scopes, is_outside=is_outside)
    return CommandView(
        id=command.id,
        device=command.device,
        command=command.command,
        params=params,
        state=command.state,
        reason=reason_words(command),
        replaced_by=command.replaced_by,
        job=None if command.job is None else command.job[0],
        attempts=command.attempts,
        priority=command.priority,
        return_code=code,
        meaning=meaning,
        return_code_meaning=meaning,
        result=result,
        created_at=instant(command.created_at),
        not_before=instant_or_none(command.not_before_at),
        expires_at=instant_or_none(command.expires_at),
        sent_at=instant_or_none(command.sent_at),
        answered_at=instant_or_none(command.answered_at),
        finished_at=instant_or_none(command.finished_at),
        body_removed_at=instant_or_none(command.body_removed_at),
        damaged=command.damaged or UNSET,
    )


def shown_values(
    catalogue: Catalogue, command: QueuedCommand, scopes: Scopes, *, is_outside: bool
) -> tuple[dict[str, str | None], dict[str, str | None] | None]:
    """Return the parameters and the result of a command, with None for hidden values.

    All are hidden if the command concerns what is outside the areas of the caller. The result is
    None if there is none.
    """
    params, result = command.params, command.result
    if is_outside:
        return dict.fromkeys(params), None if result is None else dict.fromkeys(result)
    params_secret, result_secret = secrets_of_command(catalogue, command)
    return (
        shown(params, params_secret, scopes),
        None if result is None else shown(result, result_secret, scopes),
    )


def secrets_of_command(
    catalogue: Catalogue, command: QueuedCommand
) -> tuple[Mapping[str, Scope], Mapping[str, Scope]]:
    """Return the secret parameters and the secret result values, each with its scope."""
    entry = catalogue.get(command.command, command.family)
    return (
        parameter_secrets(entry, command.params),
        result_secrets(entry, command.params, command.result or {}),
    )


async def note_commands(
    readings: SecretAccessLog,
    catalogue: Catalogue,
    caller: Caller,
    of: str,
    commands: Iterable[QueuedCommand],
) -> None:
    """Record that secret parameters or results, if any, are shown to a caller."""
    secrets = [secrets_of_command(catalogue, each) for each in commands]
    for place, what in enumerate(("parameters of commands", "results of commands")):
        needed = {scope for each in secrets for scope in each[place].values()}
        if needed & set(caller.scopes):
            await readings.note(caller, what, of)


async def ask(
    services: Services,
    sn: str,
    intent: object,
    caller: Caller,
    act: tuple[str, str] | None = None,
) -> Listing[CommandView]:
    """Queue the commands of an intent, and show them; see `CommandQueue.ask`."""
    queued = await services.queue.ask(sn, intent, caller, act=act)
    await note_commands(
        services.secret_access, services.catalogue, caller, f"terminal {sn}", queued
    )
    families = services.registry.families
    return whole([command_view(services.catalogue, families, one, caller.scopes) for one in queued])
