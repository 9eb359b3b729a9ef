"""Packages of people for PutFile with SyncData and AppendData (12.5.2), made from the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ...device.intents import Instruction
from ...device.packages import SOURCE
from ...model import Device
from ...persist.transaction import Transaction
from ...phrases import Phrase
from ...protocol.commands import command_text
from ...values.people import Person
from .model import PEOPLE, Key, Template
from .persons import PersonStore
from .removals import RemovalStore
from .schema import templates
from .selection import PeopleSelector
from .store import PeopleStore
from .tables import BIODATA, FACE, FP
from .wording import UPDATES, put_person, put_template

PACKED = ".tgz"
"""Suffix of files that the terminal unpacks, and that need no path (12.5.2)."""
SYNC = "SyncData"
_COMMANDS = {FP.name: "FINGERTMP", FACE.name: "FACE"}
"""Tables of PutFile by the form of a template."""


def completed(
    tx: Transaction, device: Device, params: Mapping[str, str], command_id: str, now: int
) -> dict[str, str]:
    """Check a PutFile, and add the name of the package that is made for an Action without a URL.

    Raises `ValueError` if a required parameter is missing, or if the people cannot be sent.
    """
    action, table = params.get("Action"), params.get("TableName")
    if action == SYNC and table is None:
        raise ValueError(Phrase("TableName: SyncData needs USERINFO, FINGERTMP or FACE"))
    if "url" in params:
        for name in (PEOPLE, SOURCE):
            if name in params:
                raise ValueError(
                    Phrase("%(name)s: belongs to packages, which have no url", name=name)
                )
        if action == SYNC and "RecordCount" not in params:
            raise ValueError(
                Phrase("RecordCount: SyncData needs the number of records in the file")
            )
        if action is None and "path" not in params and not params["url"].endswith(PACKED):
            raise ValueError(
                Phrase("path: says where the file goes on the terminal; only tgz needs none")
            )
        return dict(params)
    if "RecordCount" in params:
        raise ValueError(Phrase("RecordCount: is counted for a package; leave it out"))
    if SOURCE not in params:
        PeopleSelector.of(params).check(tx, device)
    elif action == SYNC or PEOPLE in params:
        raise ValueError(
            Phrase(
                "%(source)s: belongs to AppendData, without %(people)s",
                source=SOURCE,
                people=PEOPLE,
            )
        )
    name = f"{(table or 'people').lower()}{PACKED}"
    made = {key: value for key, value in params.items() if key not in (PEOPLE, SOURCE)}
    return {**made, "url": f"file/package/{name}", "path": params.get("path", name)}


def make(
    tx: Transaction, device: Device, params: Mapping[str, str], after: int
) -> tuple[Sequence[str], int | None]:
    """Return the next lines of a package, and where to go on; None at the end."""
    people, following = PeopleSelector.of(params).part(tx, device, after)
    table = params.get("TableName")
    lines = [*lines_of(tx, device, people, table)]
    return lines, following


def counted(tx: Transaction, device: Device, params: Mapping[str, str]) -> int | None:
    """Return the number of lines of a package if the command has to state it, else None."""
    if params.get("Action") != SYNC or "url" in params:
        return None
    count, after = 0, 0
    while True:
        lines, following = make(tx, device, params, after)
        count += len(lines)
        if following is None:
            return count
        after = following


def lines_of(
    tx: Transaction, device: Device, people: Sequence[Person], table: str | None
) -> Iterator[str]:
    """Generate the commands that add people to a terminal, for one table or all."""
    found: dict[str, list[Template]] = {}
    owners = [one.pin for one in people if one.templates]
    if table != "USERINFO" and owners:
        for one in _there(tx, device, tx[PeopleStore].templates(*owners)):
            found.setdefault(one.pin, []).append(one)
    emptied = tx[PersonStore].emptied([one.pin for one in people])
    for person in people:
        if table in (None, "USERINFO"):
            yield text_of(put_person(person, emptied.get(person.pin, ())))
        for template in found.get(person.pin, ()):
            wanted = _COMMANDS.get(template.form)
            if wanted is not None and table in (None, wanted):
                yield text_of(put_template(template))


def _there(tx: Transaction, device: Device, found: Sequence[Template]) -> Iterable[Template]:
    """Return the templates that are neither damaged nor removed from the terminal."""
    keys: list[Key] = [tuple(getattr(one, name) for name in BIODATA.key) for one in found]
    removed = tx[RemovalStore].removed(device.id, templates, keys)
    return [
        one
        for one, key in zip(found, keys, strict=True)
        if one.template is not None and key not in removed
    ]


def text_of(instruction: Instruction) -> str:
    """Return the words and parameters of a command, as they appear in its line."""
    return command_text(UPDATES[instruction.command], instruction.params)
