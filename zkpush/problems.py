"""Problems of terminals or of the server that need a person's attention.

Each code is declared here once, with its meaning and with advice. A stored or listed problem holds
the code; the text is looked up when it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum

import msgspec

from .causes import Cause, advice_on_causes
from .phrases import Phrase, sentences


class ProblemKind(str):
    """Kind of problem that a plugin declares; the value is its code."""

    meaning: str
    advice: str

    def __new__(cls, code: str, meaning: str, advice: str) -> ProblemKind:
        """Declare a code, which begins with the name of the plugin, with its text."""
        kind = str.__new__(cls, code)
        kind.meaning = meaning
        kind.advice = advice
        return kind


class ProblemCode(StrEnum):
    """Kinds of problems. The value is the code in the database, in the API and in metrics."""

    meaning: str
    """Meaning of the code, in words."""
    advice: str
    """Advice for the person who handles it."""

    def __new__(cls, code: str, meaning: str, advice: str) -> ProblemCode:
        """Declare a code with its text."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        member.advice = advice
        return member

    OTHER_ADDRESS = (
        "other address",
        "The terminal came from an address outside its networks and was refused",
        "If the terminal's address is now ADDRESS, add that to its networks: `zkpush devices set "
        "SN networks=NETWORKS`, with all of them (no network allows any address). If not, find "
        "out what uses its serial number.",
    )
    TWO_PLACES = (
        "two places",
        "One serial number is in use at two addresses",
        "If the terminal does not have two routes to this server, something else uses its serial "
        "number: restrict the terminal to its networks, `zkpush devices set SN "
        "networks=NETWORK,…`.",
    )
    KEY_CHANGED = (
        "pushcommkey changed",
        "The pushcommkey of the terminal differs from the pinned one",
        "If its main board was replaced, pin its new key: `zkpush devices approve SN --key "
        "FINGERPRINT`, with a fingerprint from `zkpush devices show SN`. If not, something else "
        "uses its serial number.",
    )
    SEVERAL_KEYS = (
        "several pushcommkeys",
        "Several pushcommkeys, or one and none, were offered for one serial number, and none is "
        "pinned",
        "Find the key of the terminal by its address and times in `zkpush devices show SN`, and "
        "pin it: `zkpush devices approve SN --key FINGERPRINT`.",
    )
    CANNOT_ENCRYPT = (
        "cannot encrypt",
        "Encryption is required, and the terminal is too old for it",
        "Update the firmware of the terminal, or give it another encryption policy and TLS.",
    )
    PLUGIN_FAILING = (
        "plugin failing",
        "A plugin fails at what terminals sent; the lines are kept and handed to it again",
        "Read the log for the class of its error, and install a version that works.",
    )
    PLUGIN_STUCK = (
        "plugin stuck",
        "A plugin does not return; its lines are kept",
        "Restart the server, and report it to the author of the plugin.",
    )
    PLUGIN_MISSING = (
        "plugin missing",
        "Lines are kept for a plugin that is not installed",
        "Install the plugin again.",
    )
    PLUGIN_SLOW = (
        "plugin slow",
        "A plugin has not stored what terminals sent for a long time",
        "See whether it takes long for each line, and whether the database answers.",
    )
    TOKEN_MISSING = (
        "token not returned",
        "A request came without the secret that proves that it is the same terminal (the token "
        "of its session), or with another one",
        "See that no other server and no proxy in front sets, changes or removes its cookies, and "
        "restart the terminal. If the terminal works all the time, something else uses its serial "
        "number: restrict it to its networks, `zkpush devices set SN networks=NETWORK,…`.",
    )
    NO_TOKEN = (
        "cannot return a token",
        "The proof that it is the same terminal (a token) is required, and the terminal is too "
        "old for it",
        "Update the firmware of the terminal, or give it another token policy.",
    )
    SECOND_SESSION = (
        "second session",
        "Somebody began a session in the terminal's name from another address",
        "If the terminal was moved, begin anew: `zkpush devices set SN token=check`. If not, "
        "restrict it to its networks, or pin its pushcommkey.",
    )
    NOT_OPENED = (
        "sealed data does not open",
        "Sealed requests come in the terminal's name that its keys do not open",
        "The terminal is asked for the exchanges each time. If it does not make them, restart it.",
    )
    NO_SESSION = (
        "no session",
        "The terminal is connected, and does not begin a session: it fetches no commands",
        "Switch the terminal off and on by hand: it fetches no commands before it has begun a "
        "session.",
    )
    SECRETS_WAIT = (
        "commands wait for proof",
        "Commands that hold secrets wait for a session that proves itself",
        "The terminal has had an encrypted session, or returns tokens, and this session shows "
        "neither. If it is to stay so, set its encryption to never, or `token=check` anew.",
    )
    NO_ZONE = (
        "no zone",
        "The time zone of the terminal is not known",
        "Set it: `zkpush devices set SN timezone=ZONE`, with a name such as Europe/Berlin; or for "
        "all terminals, `timezone` in the configuration. Records that are stored get their "
        "instants then.",
    )
    CLOCK_WRONG = (
        "clock wrong",
        "The clock of the terminal differs from the server's by more than two minutes",
        "Set its clock in its menu, or restart it: it takes the server's time when it connects.",
    )
    SILENT = (
        "silent",
        "The terminal has not been heard of for a long time",
        "Check its power and network, and the server address in its menu; `zkpush doctor SN` shows "
        "more. If it is gone for good, block it: `zkpush devices block SN`.",
    )
    STORAGE_FULL = (
        "storage nearly full",
        "The storage of the terminal is nearly full: it will refuse or overwrite records or people",
        "If its attendance records are all here (`zkpush attendance verify --device SN --days 30` "
        "compares the numbers of each day), remove them from it: `zkpush commands send SN 'CLEAR "
        "LOG'`. Remove people who have left.",
    )
    COMMANDS_GIVEN_UP = (
        "commands given up",
        "The terminal did not fetch or answer commands, and they were given up",
        "See them with `zkpush commands list SN`, and send those again that still matter. If the "
        "terminal polls and does not answer, restart it.",
    )
    QUEUE_STUCK = (
        "queue stuck",
        "The terminal is connected, and does not fetch its commands or does not answer them",
        "See its commands, with their IDs: `zkpush commands list SN`.",
    )
    ACCESS_CONTROL = (
        "access-control mode",
        "The terminal speaks the access-control protocol (A&C PUSH), which this server does not",
        "Set it to attendance in its menu: System, Device Type Setting, T&A PUSH. It restarts, and "
        "may erase its users and records: save them first. Controllers (C3, inBio) have no "
        "attendance mode. It is sent no commands; what it uploads once approved is kept, "
        "and not understood. If its menu says attendance, something else uses its serial number: "
        "restrict it to its networks, `zkpush devices set SN networks=NETWORK,…`; `zkpush devices "
        "approve SN` then ends the problem.",
    )
    PROXY_DATE = (
        "clock set by a proxy",
        "The time zone of the terminal is not known, and it is behind a proxy, which may add the "
        "time to each reply: then the terminal sets its clock wrong by whole hours",
        "Set its zone: `zkpush devices set SN timezone=ZONE`, with a name such as Europe/Berlin. "
        "nginx adds no Date with `proxy_pass_header Date`, as in deploy/nginx.conf, and HAProxy "
        "adds none.",
    )
    CLOCK_JUMPED = (
        "clock jumped",
        "The clock of the server was set by more than a few seconds",
        "Synchronize the clock with a time server (NTP). Check attendance records of that time: "
        "terminals take their time from the server.",
    )
    COUNT_DIFFERS = (
        "attendance count differs",
        "The terminal holds more attendance records than are stored",
        "Make the terminal send everything again: `zkpush devices resend SN attendance`.",
    )
    RECORDS_MISSING = (
        "attendance missing",
        "The terminal holds attendance records of some days that are not stored, although it was "
        "asked to send them again",
        "See the days with `zkpush attendance verify --device SN --last 20`. If uploads that were "
        "not understood contain their dates, see them with `zkpush rejects list --device SN`. "
        "Otherwise export the records at the terminal (USB) and compare them. `zkpush attendance "
        "verify --device SN --days 7` compares again; the problem ends when the numbers agree, or "
        "when the records are removed from the terminal.",
    )
    UNKNOWN_ANSWERS = (
        "answers to unknown commands",
        "The terminal answered commands that this server did not send it",
        "The answers are kept with what was not understood (GET rejects). Another server may use "
        "the terminal, or the database is older than the commands.",
    )
    REJECTS = (
        "rejects",
        "Something that the terminal sent is not understood; it is kept and not among the records",
        "See it, and why, with `zkpush rejects show ID`, and all of them with `zkpush rejects "
        "list --device SN`. If a setting of the terminal is wrong (encoding, time zone), change "
        "it; if "
        "a table is unknown, update zkpush or install the plugin for it. It is then read again by "
        "itself, or now with `zkpush rejects retry`. Delete what can never be read with `zkpush "
        "rejects delete ID`.",
    )
    UNKNOWN_REQUESTS = (
        "unknown requests",
        "The terminal asks for something that this server does not speak",
        "See its requests with `zkpush devices trace SN`. If they are right and the terminal's "
        "own, update zkpush, or report them.",
    )
    FOREIGN_TOKEN = (
        "foreign token",
        "The terminal sends the secret of another server (a token or a cookie); it is served all "
        "the same",
        "Nothing is lost. The problem ends by itself a day after the token or cookie last came.",
    )
    TLS_ON_PLAIN = (
        "TLS on a plain port",
        "Something speaks TLS (HTTPS) to a port of this server that speaks HTTP",
        "If it is a terminal, turn HTTPS off in its server settings, or give the server a TLS port "
        "for terminals (`zkpush docs deployment`) and that port to the terminal. If HTTPS is off "
        "there, something else at that address speaks TLS: then check the power and network of the "
        "terminal, and the server address and port in its menu.",
    )
    OTHER_FAMILY = (
        "other family",
        "The terminal says that it speaks another protocol than the one it was approved for",
        "If its mode was switched, approve it again: `zkpush devices approve SN` takes the new "
        "protocol over. If not, something else uses its serial number.",
    )
    CANNOT_STORE = (
        "cannot store",
        "Uploads cannot be stored; terminals keep their records",
        "See the detail and GET /health; `zkpush docs deployment` says what to do in each case.",
    )
    CONFLICT = (
        "conflict",
        "A terminal says something else about a person than is stored; nothing was overwritten",
        "See both sides: `zkpush conflicts list`. Choose one: `zkpush conflicts settle "
        "ID`. If it is one person whose name is wrong on one side, nobody has to be deleted. If "
        "the user ID belongs to two people, first delete the user at that terminal, and enrol the "
        "person there under another user ID. Then keep what is stored.",
    )
    DELETIONS_WAIT = (
        "deletions wait",
        "Many people would be deleted from a terminal, and nobody has confirmed that",
        "Look at the areas of these people and of the terminal. If the deletion is meant, confirm "
        "its number, with `--confirm`: `zkpush areas put AREA`.",
    )
    NOT_DISTRIBUTED = (
        "not distributed",
        "People who belong on a terminal are not there, because it refuses them or they do not fit",
        "See whom and why: `zkpush devices users SN`. After the cause is removed: `zkpush devices "
        "repair SN`.",
    )
    ACCESS_REFUSED = (
        "access data refused",
        "The terminal refuses access data of its area, and lacks it",
        "See which: `zkpush access device SN`. Change the entry so that the terminal takes it, or "
        "delete it. To send it again as it is: `zkpush devices repair SN`. The problem ends when "
        "the terminal has taken the entry, or when it is deleted.",
    )
    DRIFT = (
        "people differ",
        "A terminal counts other numbers of users or templates than are recorded for it",
        "See the numbers: `zkpush areas drift AREA`. To have the terminal asked for what it holds, "
        "and what it lost sent again: `zkpush devices repair SN`.",
    )
    REMOVED_PERSON = (
        "removed person",
        "A terminal still has people who were removed here, or others under the user IDs of people "
        "here; it may let them in",
        "Delete them there: `zkpush users delete PIN --from SN`. If they are to stay, add them "
        "again: `zkpush users put PIN name=…`. If it is the right person under a wrong name, say "
        "so instead: `zkpush conflicts decide ID person --one-person`.",
    )
    SPACE_LOW = (
        "space low",
        "Space for the database or the pictures is running out",
        "Free space, enlarge the volume, or move the data directory to a larger one.",
    )
    DAMAGED = (
        "damaged value",
        "A stored value or picture is damaged, or was moved from another row",
        "Find out who or what has changed the database, and restore it from a backup. A terminal's "
        "own options come again when it pushes them.",
    )
    JOB_FAILING = (
        "job failing",
        "A background job of the server fails, and is tried again",
        "Read the log for the error, and report it. The detail names the delayed work.",
    )
    PICTURES_STAY = (
        "pictures stay",
        "Pictures that nothing names are not removed",
        "Install the plugin again, or have it removed with its tables.",
    )


_PLACES = re.compile(r"\bSN\b|(?<=--received-since )TIME\b|\b(ADDRESS|NETWORKS)\b|(?<=show )ID\b")
"""Places of values in an advice."""
_NAMES = {"SN": "sn", "TIME": "since", "ADDRESS": "address", "NETWORKS": "networks", "ID": "reject"}
"""Names of the values by their places."""
_BY_CODE = {str(code): code for code in ProblemCode}


def known_code(code: str) -> ProblemCode | None:
    """Return the declared code of a text; None for a code of a later version."""
    return _BY_CODE.get(code)


def meaning_of(code: str) -> str:
    """Return the meaning of a code; the code itself if a later version declared it."""
    known = code if isinstance(code, ProblemKind) else known_code(code)
    return code if known is None else known.meaning


class TerminalAdvice(Phrase):
    """Advice with commands, in which values take their places, such as `sn` that of `SN`.

    `since` (ISO 8601) is when the problem began; `networks` are all that the terminal needs,
    `address` is where it is now, and `reject` is the ID of its newest reject. Without a value, the
    place stays.
    """

    @staticmethod
    def filled(text: str, values: Mapping[str, object]) -> str:
        """Put the values into the advice or its translation."""

        def fill(found: re.Match[str]) -> str:
            value = values.get(_NAMES[found[0]])
            return found[0] if value is None else str(value)

        return _PLACES.sub(fill, text)


def advice_phrase(
    code: str,
    sn: str | None = None,
    detail: str = "",
    explained: Collection[Cause] = frozenset(),
    values: Mapping[str, object] = {},
) -> Phrase:
    """Return the advice on a problem, for translation, with commands for the terminal `sn`.

    It is that for the causes in the detail, except `explained` ones (`advice_on_causes`), with
    further `values` of `TerminalAdvice`. Empty if a later version declared the code.
    """
    known = code if isinstance(code, ProblemKind) else known_code(code)
    texts = advice_on_causes(detail, "" if known is None else known.advice, explained)
    return sentences([TerminalAdvice(text, sn=sn, **values) for text in texts])


def advice_of(code: str, sn: str | None = None, detail: str = "") -> str:
    """Return the advice on a problem, in English."""
    return str(advice_phrase(code, sn, detail))


class ServerProblem(msgspec.Struct, frozen=True, kw_only=True):
    """A problem of the server itself, such as a full disk or a plugin that fails."""

    code: ProblemCode | ProblemKind
    subject: str
    """The affected part, such as `disk` or `plugin visitors`."""
    detail: str
    """Observed facts, without secrets."""
    since_at: int
    """Milliseconds since the epoch."""
    sn: str | None = None
    """Serial number of the terminal that it is about, in whose list it is as well."""
    candidates: Sequence[str] = ()
    """Serial numbers of the terminals of which one may be the cause, the likely ones first."""
    mark: int | None = None
    """Number that grows with each further cause, such as the ID of the newest conflict; the problem
    is then announced again. None if it has one cause only."""
