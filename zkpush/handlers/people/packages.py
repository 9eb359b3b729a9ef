"""Packages of people for PutFile with SyncData and AppendData (12.5.2), built from the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...device.files import name_of, package
from ...device.intents import Instruction
from ...model import Device, Page
from ...persist.files import FileStore
from ...persist.transaction import Transaction
from ...protocol.commands import command_text
from ...values.people import Person
from .store import PeopleStore
from .tables import FACE, FP
from .wording import UPDATES, put_person, put_template

PACKED = ".tgz"
"""Suffix of files that the terminal unpacks, and that need no path (12.5.2)."""
_USERS_AT_ONCE = 1000


def completed(
    tx: Transaction, device: Device, params: Mapping[str, str], command_id: str, now: int
) -> dict[str, str]:
    """Build the package for a PutFile with an Action and without a URL, and add its parameters.

    The package exists for this command only, while it is open. Raises `ValueError` if a required
    parameter is missing.
    """
    action, table = params.get("Action"), params.get("TableName")
    if action == "SyncData" and table is None:
        raise ValueError("TableName: SyncData needs USERINFO, FINGERTMP or FACE")
    if "url" in params:
        if action == "SyncData" and "RecordCount" not in params:
            raise ValueError("RecordCount: SyncData needs the number of records in the file")
        if action is None and "path" not in params and not params["url"].endswith(PACKED):
            raise ValueError("path: says where the file goes on the terminal; only tgz needs none")
        return dict(params)
    lines = list(_lines(tx, table))
    if not lines:
        raise ValueError("there is nobody in the store to make a package of")
    name = f"{(table or 'people').lower()}.tgz"
    content = package(
        [f"C:{number}:{line}" for number, line in enumerate(lines, 1)], device.dialect.encoding
    )
    file = tx[FileStore].add(name, content, None, now, command_id)
    made = {**params, "url": name_of(file), "path": params.get("path", name)}
    if action == "SyncData":
        made["RecordCount"] = str(len(lines))
    return made


def _lines(tx: Transaction, table: str | None) -> Iterator[str]:
    """Generate the commands that add all stored people to a terminal, for one table or all."""
    after = 0
    while users := tx[PeopleStore].users(Page(_USERS_AT_ONCE, after)):
        for user in users:
            yield from _of_user(tx, user, table)
        after = users[-1].id


def _of_user(tx: Transaction, user: Person, table: str | None) -> Iterator[str]:
    if table in (None, "USERINFO"):
        yield text_of(put_person(user))
    if table != "USERINFO" and user.templates:
        for template in tx[PeopleStore].templates(user.pin):
            wanted = {FP.name: "FINGERTMP", FACE.name: "FACE"}.get(template.form)
            if template.template is None:  # damaged
                continue
            if wanted is not None and table in (None, wanted):
                yield text_of(put_template(template))


def text_of(instruction: Instruction) -> str:
    """Return the words and parameters of a command, as they appear in its line."""
    return command_text(UPDATES[instruction.command], instruction.params)
