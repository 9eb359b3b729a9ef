"""Questions before what interrupts or loses something."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from ...pathparts import path_part
from ..channel import ManageRequest
from .forms import CANCELLED, CONFIRMED, CSRF, SentForm
from .pages import PREFIX, ConfirmationQuestion, ConsoleForm, View
from .visits import Visit

_VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>", re.ASCII)


async def question_of(
    route: ConsoleForm, visit: Visit, form: msgspec.Struct, names: Mapping[str, object]
) -> ConfirmationQuestion | None:
    """Return the question to ask before a form runs; None if there is none."""
    asked = route.question
    if asked is None or isinstance(asked, ConfirmationQuestion):
        return asked
    return await asked(visit, form=form, **names)


def action_of(request: ManageRequest) -> str:
    """Return the path under `/console` that a form was sent to."""
    return request.path.decode("ascii", "replace").removeprefix(PREFIX)


def question_view(
    request: ManageRequest,
    visit: Visit,
    question: ConfirmationQuestion,
    sent: SentForm,
    names: Mapping[str, object],
) -> View:
    """Return the page of a question: its form has the fields that were sent."""
    back = _VARIABLE.sub(lambda found: path_part(names[found[1]]), question.back)
    fields = [(name, text) for name, texts in sent.texts.items() for text in texts if name != CSRF]
    return View(
        template="console/question.html",
        title=question.title,
        values={
            "question": question,
            "subject": _subject(visit, names) if question.subject is None else question.subject,
            "action": action_of(request),
            "fields": [*fields, (CONFIRMED, "true")],
            "cancelling": [*fields, (CANCELLED, "true")] if question.keeps_entry else None,
            "back": back,
        },
    )


def _subject(visit: Visit, names: Mapping[str, object]) -> str:
    return ", ".join(
        (name == "sn" and visit.named(str(value))) or str(value) for name, value in names.items()
    )
