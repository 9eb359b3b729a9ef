"""Questions before commands that restart terminals, or delete something on them.

Theory of operation. Whatever form queues such a command asks first, as the page of a terminal does.
A dangerous command has a tick in its form, which is its question; where there is no such form, as
for one that is sent again, it is asked about as well.
"""

from __future__ import annotations

from collections.abc import Collection

from ...manage.console.pages import ConfirmationQuestion
from ...manage.console.phrases import Phrase
from ...protocol.fields import Command, Scope

DELETING = ("DATA DELETE ", "CLEAR ")
"""First words of the commands that delete something (spec 12)."""
_BACK = "/jobs/<job_id>"
AGAIN = ConfirmationQuestion(
    title=Phrase("Send these commands again?"),
    text=Phrase(
        "They restart terminals, delete something on them, or are dangerous, and are carried out "
        "as soon as their terminals fetch them."
    ),
    button=Phrase("Send again"),
    back=_BACK,
)
CANCEL = ConfirmationQuestion(
    title=Phrase("Cancel the rest of this job?"),
    text=Phrase("What no terminal has fetched yet is not sent any more."),
    button=Phrase("Cancel the rest"),
    back=_BACK,
)


def question_before(
    command: Command, *, is_one: bool, is_ticked: bool, back: str, names: str = ""
) -> ConfirmationQuestion | None:
    """Return what to ask before a command is sent to one terminal or to several.

    `is_ticked` is whether its form has a tick for dangerous commands; `names` are those of several
    terminals.
    """
    if command.restarts and is_one:
        return ConfirmationQuestion(
            title=Phrase("Restart this terminal?"),
            text=Phrase("Nobody can punch at it for a minute or two."),
            button=Phrase("Restart it"),
            back=back,
        )
    if command.restarts:
        return ConfirmationQuestion(
            title=Phrase("Restart several terminals?"),
            text=Phrase(
                "Nobody can punch at each of these for a minute or two: %(names)s", names=names
            ),
            button=Phrase("Restart them"),
            back=back,
        )
    if _deletes(command) and not is_ticked:
        return ConfirmationQuestion(
            title=Phrase("Delete this on the terminal?")
            if is_one
            else Phrase("Delete this on several terminals?"),
            text=Phrase("What exists only there is lost for good."),
            button=Phrase("Delete"),
            back=back,
        )
    return None


def question_again(commands: Collection[Command]) -> ConfirmationQuestion | None:
    """Return what to ask before commands of a job are sent again."""
    asks = any(one.restarts or _deletes(one) or one.scope is Scope.DANGEROUS for one in commands)
    return AGAIN if asks else None


def _deletes(command: Command) -> bool:
    return command.name.startswith(DELETING)
