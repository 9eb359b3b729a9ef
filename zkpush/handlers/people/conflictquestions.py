"""Questions before conflicts are settled: what changes, and whose punches are."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ...manage.console.pages import ConfirmationQuestion, QuestionChoice
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.services import Services
from ...model import DEFAULT_AREA
from ...persist.areas import distributing_thd
from ...persist.devices import DeviceStore
from ...persist.transaction import Transaction
from ...phrases import counted_phrase, listed_phrases, sentences, terminal_phrase, with_more
from ...protocol.codes import Privilege
from ...values.personwords import PERSON_LABELS
from ...values.punchspans import PunchSpan
from .authorship import NAME
from .claimwords import NO_NAME, span_phrase
from .deciding import CountedClaim, PunchDecisions, doubtful_thd, united_thd
from .model import Conflict
from .persons import PersonStore
from .settling import check_agreement
from .store import PeopleStore

BACK = "/people/conflicts"
_NAMED = 10
"""Most people named in a question."""
_CHANGEABLE = Phrase(
    "Punches of another person stay stored and shown, and count for nobody. The attendance page of "
    "the person shows what was decided, and can change it."
)


class ConflictQuestions:
    """What is asked before conflicts are settled."""

    def __init__(self, services: Services) -> None:
        self._count = services.count_punches_thd
        self._decisions = PunchDecisions(services)

    def deletion_thd(self, tx: Transaction, visit: Visit, found: Conflict) -> ConfirmationQuestion:
        """Ask before a terminal deletes the user whom it has."""
        stored = _name_thd(tx, found.pin)
        said = (found.said or {}).get(NAME) or stored
        return ConfirmationQuestion(
            title=Phrase("Delete the user at the terminal?"),
            text=Phrase(
                "Terminal %(sn)s deletes user %(pin)s, which is %(said)s there, with all fingers, "
                "faces and photos that it has under this user ID. Nothing is deleted here: "
                "%(name)s stays.",
                sn=terminal_phrase(found.device),
                pin=found.pin,
                said=str(said),
                name=stored,
            ),
            button=Phrase("Delete there"),
            back=BACK,
            subject=_subject(visit, found, stored),
        )

    def keeping_thd(
        self, tx: Transaction, visit: Visit, found: Conflict
    ) -> ConfirmationQuestion | None:
        """Ask whose the doubtful punches are; None if there are none."""
        counted = self._doubtful_thd(tx, [found])
        if not counted:
            return None
        name = _name_thd(tx, found.pin)
        other = listed_phrases([*dict.fromkeys(one.claim.name or NO_NAME for one in counted)])
        count = sum(one.punches for one in counted)
        asked = counted_phrase(
            "%(num)s punch from terminal %(sn)s may be that of %(other)s, whom it has or had as "
            "user %(pin)s. Is it %(name)s's?",
            "%(num)s punches from terminal %(sn)s may be those of %(other)s, whom it has or had as "
            "user %(pin)s. Are they %(name)s's?",
            count,
            sn=terminal_phrase(found.device),
            pin=found.pin,
            name=name,
            other=other,
        )
        spans = [span_phrase(one.claim, name) for one in counted]
        kept = Phrase("What is stored about the person stays.")
        return ConfirmationQuestion(
            title=_whose(count),
            text=sentences([asked, *spans, _CHANGEABLE, kept]),
            button=Phrase("Decide later"),
            back=BACK,
            subject=_subject(visit, found, name),
            choices=_choices(name, other),
        )

    def uniting_thd(
        self, tx: Transaction, visit: Visit, found: Conflict, keep: str
    ) -> ConfirmationQuestion:
        """Say what follows if it is one person, and ask."""
        name = _name_thd(tx, found.pin)
        said = str((found.said or {}).get(NAME) or "")
        values = {"name": name, "pin": found.pin, "said": said, "sn": terminal_phrase(found.device)}
        texts = [
            Phrase(
                "%(name)s, user %(pin)s, is %(said)s at terminal %(sn)s, and it is one person.",
                **values,
            )
            if said
            else Phrase(
                "%(name)s, user %(pin)s, has another card at terminal %(sn)s, and it is one "
                "person.",
                name=name,
                pin=found.pin,
                sn=values["sn"],
            ),
            *self._united_thd(tx, [found]),
        ]
        if keep == "our_name":
            texts += [_sending_thd(tx, found), _FILLED]
            button = Phrase("Keep our name")
        else:
            asked = self.taking_thd(tx, visit, found, one_person=True)
            texts += [] if asked is None or asked.text is None else [asked.text]
            button = Phrase("Take the terminal's name")
        return ConfirmationQuestion(
            title=Phrase("Is it one person?"),
            text=sentences(texts),
            button=button,
            back=BACK,
            subject=_subject(visit, found, name),
        )

    def _united_thd(self, tx: Transaction, found: Sequence[Conflict]) -> list[Phrase]:
        """Say what becomes of all that terminals have, if it is that of the people stored here."""
        claims = [each for one in found for each in united_thd(tx, one)]
        counted = self._decisions.counted_thd(tx, claims)
        count = sum(one.punches for one in counted if one.claim.owner is None)
        others = sum(one.punches for one in counted if one.claim.owner is not None)
        texts = [Phrase("Fingers, faces and photos from there are stored, too. Nobody is deleted.")]
        if count:
            texts.append(
                counted_phrase(
                    "%(num)s punch from there is not doubtful any more, and counts.",
                    "%(num)s punches from there are not doubtful any more, and count.",
                    count,
                )
            )
        if others:
            texts.append(
                counted_phrase(
                    "%(num)s punch from there was decided to be another person's, and counts from "
                    "now on.",
                    "%(num)s punches from there were decided to be another person's, and count "
                    "from now on.",
                    others,
                )
            )
        return texts

    def taking_thd(
        self, tx: Transaction, visit: Visit, found: Conflict, *, one_person: bool = False
    ) -> ConfirmationQuestion | None:
        """Ask before the values of a terminal rename a person, or give a right; else None."""
        said = found.said or {}
        right = _right(found)
        if NAME not in found.fields and right is None:
            return None
        stored = _name_thd(tx, found.pin)
        texts: list[Phrase] = []
        if NAME in found.fields:
            count = self._count(tx, PunchSpan(pin=found.pin))
            renamed = counted_phrase(
                "The name here becomes %(said)s instead of %(name)s: in all lists, and with "
                "%(num)s past punch.",
                "The name here becomes %(said)s instead of %(name)s: in all lists, and with "
                "all %(num)s past punches.",
                count,
                name=stored,
                said=str(said.get(NAME)),
            )
            texts.append(
                renamed
                if one_person
                else counted_phrase(
                    "User %(pin)s is then %(said)s, and no longer %(name)s: in all lists, and with "
                    "%(num)s past punch. The stored templates and photos are replaced by those "
                    "of the terminal.",
                    "User %(pin)s is then %(said)s, and no longer %(name)s: in all lists, and with "
                    "all %(num)s past punches. The stored templates and photos are replaced by "
                    "those of the terminal.",
                    count,
                    pin=found.pin,
                    said=str(said.get(NAME)),
                    name=stored,
                )
            )
            more = [PERSON_LABELS.get(one, one) for one in found.fields if one != NAME]
            if more:
                texts.append(Phrase("Also replaced: %(fields)s.", fields=listed_phrases(more)))
        if right is not None:
            texts.append(
                Phrase(
                    "By the terminal, user %(pin)s is: %(right)s. With its values, the person gets "
                    "this right here, and may change settings, people and records at terminals.",
                    pin=found.pin,
                    right=Phrase.made(right.meaning, {}),
                )
            )
        is_naming = NAME in found.fields
        return ConfirmationQuestion(
            title=Phrase("Take the terminal's values?")
            if is_naming
            else Phrase("Give this right?"),
            text=sentences(texts) if len(texts) > 1 else texts[0],
            button=Phrase("Take the terminal's values") if is_naming else Phrase("Give the right"),
            back=BACK,
            subject=_subject(visit, found, stored),
        )

    def several_thd(
        self, tx: Transaction, found: Sequence[Conflict], keep: str
    ) -> ConfirmationQuestion:
        """Ask before several conflicts are settled: how many, about whom, and what is lost."""
        if keep == "terminal":
            check_agreement(found)
            return self._taking_several_thd(tx, found)
        people = _named_thd(tx, dict.fromkeys(one.pin for one in found))
        if keep == "our_name":
            return self._uniting_several_thd(tx, found, people)
        texts = [
            counted_phrase(
                "%(num)s conflict is settled: what is stored stays. It is about: %(people)s.",
                "%(num)s conflicts are settled: what is stored stays. They are about: %(people)s.",
                len(found),
                people=people,
            ),
            Phrase("Templates and photos that a terminal sent for somebody else are deleted here."),
        ]
        count = sum(one.punches for one in self._doubtful_thd(tx, found))
        if not count:
            return ConfirmationQuestion(
                title=Phrase("Keep what is stored?"),
                text=sentences(texts),
                button=Phrase("Keep what is stored"),
                back=BACK,
            )
        texts.append(
            counted_phrase(
                "%(num)s punch from these terminals may be that of somebody else, whom they have "
                "or had.",
                "%(num)s punches from these terminals may be those of somebody else, whom they "
                "have or had.",
                count,
            )
        )
        return ConfirmationQuestion(
            title=_whose(count),
            text=sentences([*texts, _CHANGEABLE]),
            button=Phrase("Decide later"),
            back=BACK,
            choices=_choices(Phrase("the people stored here"), Phrase("the other people")),
        )

    def _uniting_several_thd(
        self, tx: Transaction, found: Sequence[Conflict], people: str
    ) -> ConfirmationQuestion:
        texts = [
            counted_phrase(
                "%(num)s conflict is settled: it is one person, whose name is wrong at the "
                "terminal. It is about: %(people)s.",
                "%(num)s conflicts are settled: each is about one person, whose name is wrong at "
                "the terminal. They are about: %(people)s.",
                len(found),
                people=people,
            ),
            *self._united_thd(tx, found),
            Phrase(
                "Terminals whose areas keep people on terminals are sent the names stored here. "
                "Elsewhere, correct them at the terminals."
            ),
        ]
        return ConfirmationQuestion(
            title=Phrase("Is it one person each?"),
            text=sentences(texts),
            button=Phrase("Keep our names"),
            back=BACK,
        )

    def _taking_several_thd(
        self, tx: Transaction, found: Sequence[Conflict]
    ) -> ConfirmationQuestion:
        people = _named_thd(tx, dict.fromkeys(one.pin for one in found))
        texts = [
            counted_phrase(
                "%(num)s conflict is settled: the values of the terminal replace what is stored. "
                "It is about: %(people)s.",
                "%(num)s conflicts are settled: the values of the terminals replace what is "
                "stored. They are about: %(people)s.",
                len(found),
                people=people,
            ),
            Phrase(
                "Where the name is another one, the stored templates and photos are replaced by "
                "those of the terminal, too."
            ),
        ]
        renamed = dict.fromkeys(one.pin for one in found if NAME in one.fields)
        count = sum(self._count(tx, PunchSpan(pin=pin)) for pin in renamed)
        if count:
            texts.append(
                counted_phrase(
                    "%(num)s past punch gets another name, too.",
                    "%(num)s past punches get another name, too.",
                    count,
                )
            )
        raised = dict.fromkeys(one.pin for one in found if _right(one) is not None)
        if raised:
            texts.append(
                Phrase(
                    "These people get a right at terminals by this, and may change settings, "
                    "people and records there: %(people)s.",
                    people=_named_thd(tx, raised),
                )
            )
        return ConfirmationQuestion(
            title=Phrase("Take the terminals' values?"),
            text=sentences(texts),
            button=Phrase("Take the terminals' values"),
            back=BACK,
        )

    def _doubtful_thd(self, tx: Transaction, found: Sequence[Conflict]) -> list[CountedClaim]:
        """Return the undecided claims that conflicts are about, with punches."""
        claims = [each for one in found for each in doubtful_thd(tx, one)]
        return [one for one in self._decisions.counted_thd(tx, claims) if one.punches]


def _whose(count: int) -> Phrase:
    return counted_phrase("Whose is this %(num)s punch?", "Whose are these %(num)s punches?", count)


def _choices(name: object, other: object) -> Sequence[QuestionChoice]:
    return [
        QuestionChoice(Phrase("Punches of %(name)s", name=name), "punches", "person"),
        QuestionChoice(Phrase("Punches of %(name)s", name=other), "punches", "other"),
        QuestionChoice(Phrase("Decide later"), "punches", "later"),
    ]


def _subject(visit: Visit, found: Conflict, name: str) -> str:
    return f"{name} ({found.pin}), {visit.named(found.device) or found.device}"


_FILLED = Phrase("What is empty here is filled in by the terminal, but no right.")


def _right(conflict: Conflict) -> Privilege | None:
    """Return the right at terminals that the terminal of a conflict states; None without one."""
    if "privilege" not in conflict.fields:
        return None
    right = Privilege(int(str((conflict.said or {}).get("privilege") or 0)))
    return None if right == Privilege.USER else right


def _sending_thd(tx: Transaction, found: Conflict) -> Phrase:
    """Say how the terminal of a conflict gets the name that is stored."""
    device = tx[DeviceStore].find(found.device)
    area = DEFAULT_AREA if device is None else device.area or DEFAULT_AREA
    is_in_area = area in tx[PersonStore].areas([found.pin]).get(found.pin, ())
    if is_in_area and distributing_thd(tx, [area]):
        return Phrase("What is stored here stays, and the terminal is sent the name.")
    return Phrase(
        "What is stored here stays. Correct the name at the terminal: the person is not kept on it "
        "by its area."
    )


def _name_thd(tx: Transaction, pin: str) -> str:
    return tx[PeopleStore].names([pin]).get(pin) or pin


def _named_thd(tx: Transaction, pins: Collection[str]) -> str:
    """Name people, the first ones of many."""
    first = [*pins][:_NAMED]
    names = tx[PeopleStore].names(first)
    listed = ", ".join(names.get(pin) or pin for pin in first)
    return with_more(listed, len(pins) - _NAMED) if len(pins) > _NAMED else listed
