"""Records of the audit log, as declared sentences; see `zkpush.sentences`.

Records are chained by their texts and never change, so that nothing can be stored beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...device.refusals import Refusal
from ...phrases import Phrase, counted_template
from ...sentences import SentenceList

ACTIONS = SentenceList(
    (
        Phrase("add terminal"),
        Phrase("change terminal"),
        Phrase("remove terminal"),
        Phrase("retire terminal"),
        Phrase("replace terminal"),
        Phrase("repair terminal"),
        Phrase("resend"),
        Phrase("export"),
        Phrase("recompute"),
        Phrase("queue command"),
        Phrase("cancel command"),
        Phrase("add file"),
        Phrase("remove file"),
        Phrase("create token"),
        Phrase("revoke token"),
        Phrase("add forwarder"),
        Phrase("change forwarder"),
        Phrase("remove forwarder"),
        Phrase("test forwarder"),
        Phrase("replay events"),
        Phrase("discard events"),
        Phrase("create job"),
        Phrase("cancel job"),
        Phrase("retry job"),
        Phrase("add person"),
        Phrase("change person"),
        Phrase("remove person"),
        Phrase("erase person"),
        Phrase("settle conflict"),
        Phrase("decide on punches"),
        Phrase("put photo"),
        Phrase("remove photo"),
        Phrase("copy people"),
        Phrase("send person"),
        Phrase("bring people"),
        Phrase("adopt people"),
        Phrase("change area"),
        Phrase("remove area"),
        Phrase("repair area"),
        Phrase("put person into area"),
        Phrase("take person out of area"),
        Phrase("change access data"),
        Phrase("delete access data"),
        Phrase("change site"),
        Phrase("drop plugin"),
        Phrase("forget templates"),
        Phrase("rotate key"),
        Phrase("retry rejects"),
        Phrase("delete reject"),
        Phrase("sign in"),
        Phrase("sign out"),
        Phrase("add account"),
        Phrase("change account"),
        Phrase("remove account"),
        Phrase("make one-time link"),
        Phrase("choose password"),
        Phrase("verify attendance"),
        Phrase("remote attendance"),
        Phrase("refused"),
        Phrase("checkpoint"),
        Phrase("tampered"),
        Phrase("read %(kind)s"),
    )
)
"""What was done."""
KINDS = (
    Phrase("passwords"),
    Phrase("photos"),
    Phrase("templates"),
    Phrase("options"),
    Phrase("files"),
    Phrase("digests of files"),
    Phrase("what was not understood"),
    Phrase("secrets of commands"),
    Phrase("unknown columns of attendance"),
    Phrase("unknown columns of entries"),
)
"""Secrets that were read."""


LISTS: Mapping[str, Phrase] = {
    "attendance": Phrase("List of punches"),
    "attendance/check": Phrase("Days to check"),
    "attendance/days": Phrase("Payroll sheet"),
    "audit": Phrase("Audit log"),
    "commands": Phrase("Commands"),
    "devices": Phrase("Terminals"),
    "events": Phrase("Events"),
    "jobs": Phrase("Jobs"),
    "people": Phrase("People"),
    "rejects": Phrase("Not understood"),
    "users": Phrase("People"),
}
"""Lists that are exported, in words; others are named as in the API."""


def action_options(said: Callable[[str], str], chosen: str) -> list[tuple[str, str]]:
    """Return the actions to choose from, with their words, sorted by these; `said` translates them.

    `chosen` is among them, although only a plugin may know it.
    """
    read = ACTIONS.templates[-1]
    named: dict[str, Phrase] = {one.text: one for one in ACTIONS.templates[:-1]}
    named |= {f"read {one.text}": Phrase.made(read.text, {"kind": one}) for one in KINDS}
    options: list[tuple[str, str]] = sorted(named.items(), key=lambda one: said(one[1]).casefold())
    if chosen and chosen not in named:
        options.append((chosen, chosen))
    return [("", Phrase("All")), *options]


SUBJECTS = SentenceList(
    (
        *(Phrase(one.words) for one in Refusal),
        Phrase("all"),
        Phrase("all terminals"),
        Phrase("all users"),
        Phrase("all files"),
        Phrase("attendance photo %(id)s"),
        Phrase("first account"),
        Phrase("site"),
        Phrase("rows up to %(id)s"),
        Phrase("terminal %(sn)s"),
        Phrase("list %(name)s"),
        Phrase("forwarder %(name)s"),
        Phrase("job %(id)s"),
        Phrase("area %(name)s"),
        Phrase("file %(id)s"),
        Phrase("token %(name)s"),
        Phrase("account %(name)s"),
        Phrase("reject %(id)s"),
        Phrase("command %(id)s"),
        Phrase("key %(id)s"),
        Phrase("request %(id)s"),
    )
)
"""What it was done to; for refusals, why."""
DETAILS = SentenceList(
    (
        Phrase("%(reason)s; by %(client)s from here"),
        Phrase("%(reason)s; by %(client)s from %(address)s"),
        Phrase("by %(client)s from here"),
        Phrase("by %(client)s from %(address)s"),
        Phrase("%(reason)s; imported from a file"),
        Phrase("imported from a file"),
        Phrase("missing in an imported file"),
        Phrase("%(reason)s; punches erased, too, also those of other people"),
        Phrase("punches erased, too, also those of other people"),
        Phrase("%(reason)s; punches erased, too"),
        Phrase("punches erased, too"),
        Phrase("%(reason)s; punches stay"),
        Phrase("punches stay"),
        Phrase("%(reason)s; one person"),
        Phrase("one person at terminal %(sn)s"),
        Phrase("two people at terminal %(sn)s"),
        Phrase("in doubt again whether one person at terminal %(sn)s"),
        Phrase("by %(sn)s; %(reason)s"),
        Phrase("punches from terminal %(sn)s: those of the person"),
        Phrase("punches from terminal %(sn)s: those of another person"),
        Phrase("punches from terminal %(sn)s: doubtful again"),
        counted_template("of terminal %(sn)s, %(num)s byte", "of terminal %(sn)s, %(num)s bytes"),
        counted_template("reject %(id)s, %(num)s byte", "reject %(id)s, %(num)s bytes"),
        counted_template("picture (not shown), %(num)s byte", "picture (not shown), %(num)s bytes"),
        counted_template("%(name)s, %(num)s byte", "%(name)s, %(num)s bytes"),
        counted_template(
            "from %(source)s: %(people)s people, %(num)s command",
            "from %(source)s: %(people)s people, %(num)s commands",
        ),
        counted_template(
            "to terminal %(sn)s: %(num)s command", "to terminal %(sn)s: %(num)s commands"
        ),
        counted_template(
            "%(adopted)s of %(num)s person into the area %(area)s",
            "%(adopted)s of %(num)s people into the area %(area)s",
        ),
        counted_template(
            "%(zone)s: %(changed)s of %(num)s record changed",
            "%(zone)s: %(changed)s of %(num)s records changed",
        ),
        counted_template(
            "%(num)s command moved, %(cancelled)s cancelled",
            "%(num)s commands moved, %(cancelled)s cancelled",
        ),
        Phrase("new secret, the old one until %(at)s"),
        Phrase("events from %(since)s until %(until)s"),
        Phrase("%(targets)s; %(first_day)s to %(last_day)s"),
        Phrase("cancelled"),
        counted_template("%(num)s dead letter", "%(num)s dead letters"),
        counted_template("%(num)s fingerprint", "%(num)s fingerprints"),
        counted_template("%(num)s person: %(pins)s", "%(num)s people: %(pins)s"),
        counted_template("%(num)s person", "%(num)s people"),
        counted_template("%(num)s terminal has the person", "%(num)s terminals have the person"),
        Phrase("refused: there is no such user"),
        counted_template("%(num)s deletion confirmed", "%(num)s deletions confirmed"),
        Phrase("people kept on its terminals"),
        Phrase("people not kept on its terminals"),
        Phrase("once, from %(address)s"),
        counted_template(
            "%(num)s time in %(seconds)s seconds, from %(address)s",
            "%(num)s times in %(seconds)s seconds, from %(address)s",
        ),
        Phrase("%(what)s, once, from %(address)s"),
        counted_template(
            "%(what)s, %(num)s time in %(seconds)s seconds, from %(address)s",
            "%(what)s, %(num)s times in %(seconds)s seconds, from %(address)s",
        ),
        counted_template(
            "%(num)s time in %(seconds)s seconds", "%(num)s times in %(seconds)s seconds"
        ),
        counted_template(
            "%(num)s row from before %(day)s is removed; %(setting)s; chain %(mac)s",
            "%(num)s rows from before %(day)s are removed; %(setting)s; chain %(mac)s",
        ),
    )
)
"""Details; lists of names and values are shown as they are."""
CLIENTS = (Phrase("console"),)
"""Programs in details that have words; the names of others are data."""
