"""Text of mails about problems: declared words only, without records and without details.

The detail of a problem may quote what a terminal sent, so it stays on the server.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import attrs

from ....model import GAP
from ....problems import advice_of, meaning_of
from ....protocol.text import visible
from ....values.forwarding import ForwardBatch, ForwardedEvent

PROBLEM = "problem"
WIDTH = 72
MOST_NAME = 64
"""Maximum length of a serial number or of a code, in characters."""
_POLICY = SMTP.clone(linesep="\n", cte_type="7bit")
_FOOT = "Current problems: zkpush problems list"
_MISSED = "Some earlier changes are not in this mail, because they were dropped."
_TEST = "This is a test. Mails about problems will look like this one and arrive here."


@attrs.frozen
class MailedProblem:
    """A problem that is new or solved."""

    subject: str
    """Serial number of the terminal, or the affected part of the server."""
    code: str
    timestamp: str
    """When it was raised or solved; ISO 8601, UTC."""
    is_new: bool
    """Whether it was raised in the time that the mail is about."""
    is_solved: bool
    is_of_server: bool = False
    meaning: str = ""
    advice: str = ""

    @property
    def title(self) -> str:
        """The subject and the problem."""
        return f"{visible(self.subject)[:MOST_NAME]}: {visible(self.code)[:MOST_NAME]}"

    @property
    def line(self) -> str:
        """The title with its time, and whether it is a terminal or the server."""
        owner = "Server," if self.is_of_server else "Terminal"
        return f"{owner} {self.title}, at {self.timestamp}"


@attrs.frozen
class ProblemNews:
    """The content of a mail."""

    problems: Sequence[MailedProblem]
    is_test: bool = False
    has_gap: bool = False

    def __bool__(self) -> bool:
        return bool(self.problems) or self.is_test or self.has_gap

    @property
    def open(self) -> Sequence[MailedProblem]:
        """Problems that are not solved."""
        return [one for one in self.problems if not one.is_solved]

    @property
    def solved(self) -> Sequence[MailedProblem]:
        """Problems that are solved."""
        return [one for one in self.problems if one.is_solved]


def collect_news(events: Iterable[ForwardedEvent]) -> ProblemNews:
    """Reduce events to the last state of each problem; changed details alone are no news."""
    found: dict[tuple[bool, str, str], MailedProblem] = {}
    kinds = set()
    for event in events:
        kinds.add(event.type)
        if event.type != PROBLEM:
            continue
        data = event.data
        device, code = data.get("device"), str(data.get("code"))
        is_of_server = device is None
        subject = str(data.get("subject") if is_of_server else device)
        key = is_of_server, subject, code
        before = found.get(key)
        is_solved = data.get("what") == "cleared"
        if not is_solved and "was" in data:
            continue
        is_new = not is_solved or (before is not None and before.is_new)
        found[key] = MailedProblem(
            subject,
            code,
            event.timestamp,
            is_new,
            is_solved,
            is_of_server,
            # A kind of problem that a plugin declares is not known here: its event has the words.
            str(data.get("meaning") or meaning_of(code)),
            str(data.get("advice") or advice_of(code)),
        )
    return ProblemNews([*found.values()], "test" in kinds, GAP in kinds)


def subject_of(news: ProblemNews) -> str:
    """Return the subject of a mail."""
    if news.is_test:
        return "[zkpush] Test"
    if len(news.problems) == 1:
        (one,) = news.problems
        return f"[zkpush] {'Solved: ' if one.is_solved else ''}{one.title}"
    parts = [
        f"{len(several)} {words}"
        for several, words in ((news.open, "new problems"), (news.solved, "solved"))
        if several
    ]
    return f"[zkpush] {', '.join(parts) or 'Problems'}".replace("1 new problems", "1 new problem")


def body_of(news: ProblemNews, name: str, notes: Sequence[str] = ()) -> str:
    """Return the body of a mail by a forwarder of some name."""
    parts = []
    if news.is_test:
        parts.append(_wrap(_TEST))
    if news.open:
        parts += [_heading("New problems"), *map(_problem, news.open)]
    if news.solved:
        parts += [_heading("Solved"), *map(_solution, news.solved)]
    if news.has_gap:
        parts.append(_wrap(_MISSED))
    parts += [_wrap(note) for note in notes]
    foot = f"{_FOOT}\nThis mail comes from the forwarder {name} of zkpush."
    return "\n\n".join([*parts, f"-- \n{foot}"]) + "\n"


def compose(
    batch: ForwardBatch, news: ProblemNews, name: str, sender: str, recipients: Sequence[str]
) -> EmailMessage:
    """Return the header of the mail of a batch; the same batch always has the same Message-ID."""
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = sender
    mail["To"] = ", ".join(recipients)
    mail["Subject"] = subject_of(news)
    mail["Date"] = format_datetime(datetime.fromtimestamp(batch.made_at / 1000, UTC))
    mail["Message-ID"] = f"<{batch.id}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["X-Zkpush-Forwarder"] = name
    return mail


def encode_mail(mail: EmailMessage, body: str) -> bytes:
    """Return a mail with a body of plain text; lines end with LF."""
    mail.set_content(body, cte="quoted-printable" if not body.isascii() else None)
    return mail.as_bytes()


def _heading(text: str) -> str:
    return f"{text}\n{'=' * len(text)}"


def _problem(one: MailedProblem) -> str:
    lines = [one.line, _wrap(f"{one.meaning}.", "  ")]
    if one.advice:
        lines.append(_wrap(f"What to do: {one.advice}", "  "))
    return "\n".join(lines)


def _solution(one: MailedProblem) -> str:
    brief = "  It was raised and solved since the last mail." if one.is_new else ""
    return "\n".join(filter(None, [one.line, brief]))


def _wrap(text: str, indent: str = "") -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
