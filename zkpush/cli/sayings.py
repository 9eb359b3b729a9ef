"""Errors of the API in the words of the command line.

The API names members of its requests and its own paths. Whoever typed a command knows its options
and other commands: `has_records` is `--has-records` there, and the member `area` of
`PATCH devices/{sn}` is `zkpush devices set SN area=...`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import click

_LISTS = {
    "account": "accounts list",
    "area": "areas list",
    "command": "commands list",
    "file": "files list",
    "forwarder": "forwarders list",
    "job": "jobs list",
    "open conflict": "conflicts list",
    "photo": "photos list",
    "terminal": "devices list",
    "token": "tokens list",
    "upload": "rejects list",
    "user": "users list",
}
"""Commands that list what an error message says there is not."""
_ABSENT = re.compile(rf"[Tt]here is no ({'|'.join(_LISTS)}) ")
_TERMINAL = re.compile(r"[Tt]here is no terminal '?([\w-]{1,32})'?\.")


def with_list(message: str) -> str:
    """Add the command that lists what a message says there is not, unless it names a command.

    For one terminal, also the command that shows whether its requests were refused.
    """
    found = _ABSENT.search(message)
    if found is None or "zkpush " in message:
        return message
    sn = _TERMINAL.search(message)
    doctor = "" if sn is None else f", zkpush doctor {sn[1]}"
    return f"{message} See: zkpush {_LISTS[found[1]]}{doctor}"


_COMMANDS = {
    "DELETE devices/SN/users/PIN": "zkpush users delete PIN --from SN",
    "GET access-tables": "zkpush access tables",
    "GET commands/catalogue": "zkpush commands catalogue",
    "GET forwarder-kinds": "zkpush docs forwarder-kinds",
    "GET problems": "zkpush problems list",
    "GET rejects": "zkpush rejects list",
    "PATCH devices/SN": "zkpush devices set SN",
    "POST devices/SN/adopt": "zkpush devices adopt SN",
    "PUT users/PIN": "zkpush users put PIN",
}
"""The command for each request that an error message names."""
_REQUEST = re.compile(
    r"(?:with )?(?:`(?P<member>\w+)`(?P<empty> \[\])? of )?"
    r"`?(?P<method>GET|PUT|POST|PATCH|DELETE) (?P<path>[a-z-]+(?:/(?:\{\w+\}|[\w-]+))*)`?"
)
_CONFIRM = re.compile(r"repeat the request with confirm=(\d+)")
_MEMBER = re.compile(r"`([a-z_]+)`")
_SUBJECT = re.compile(r"(^|; )([a-z_]+)(?:\.[a-z_]+)?: (?=(There is no)?)")
_BARE = re.compile(r"(?<![\w.-])[a-z]+(?:_[a-z]+)+(?!\w|\.\w)")
"""A member with two words or more, without quotes."""
_OF_SETTINGS = re.compile(r"(^|; )--set: (?=--)")
_PAIRS = "="
"""Part of the placeholder of an argument that has the names of members, such as KEY=VALUE."""


def for_command(message: str) -> str:
    """Return an error message of the API in the words of the command that is running.

    Members of the request become options and arguments of the command, requests become commands,
    and what does not exist is followed by the command that lists what does.
    """
    context = click.get_current_context(silent=True)
    params = [] if context is None else context.command.params
    text = _CONFIRM.sub(r"run the command again with --confirm \1", message)
    text = _REQUEST.sub(_as_command, text)
    names = _names(params)
    if any(_PAIRS in str(param.metavar) for param in params):
        text = text.replace("there is no member `", "there is no field `")
    text = _MEMBER.sub(lambda found: names.get(found[1], found[0]), text)
    text = _SUBJECT.sub(lambda found: _subject(found, names), text)
    text = _BARE.sub(lambda found: names.get(found[0], found[0]), text)
    text = _OF_SETTINGS.sub(r"\1", text)
    return with_list(text)


def _names(params: Iterable[click.Parameter]) -> Mapping[str, str]:
    """Return options and arguments as they are typed, by the member that each stands for."""
    names: dict[str, str] = {}
    for param in params:
        if isinstance(param, click.Option):
            typed = max(param.opts, key=len)
            members = [str(param.name), *(one.lstrip("-").replace("-", "_") for one in param.opts)]
            names |= dict.fromkeys(members, typed)
        elif param.metavar and _PAIRS not in param.metavar:
            names[str(param.name)] = param.metavar.strip("[].")
    return names


def _as_command(found: re.Match[str]) -> str:
    """Return the command for a request, with the value of a member where one is named."""
    parts = found["path"].split("/")
    places = {1: {"devices": "SN", "users": "PIN"}.get(parts[0], "NAME"), 3: "PIN"}
    general = [places.get(index, part) for index, part in enumerate(parts)]
    command = _COMMANDS.get(f"{found['method']} {'/'.join(general)}") or _COMMANDS.get(
        f"{found['method']} {found['path']}"
    )
    if command is None:
        return found[0]
    if len(parts) > 1 and not parts[1].startswith("{") and " PIN" in command:
        command = command.replace(" PIN", f" {parts[1]}")
    if found["member"]:
        command += f" {found['member']}={'' if found['empty'] else 'NAME'}"
    return f"{'with ' if found[0].startswith('with ') else ''}`{command}`"


def _subject(found: re.Match[str], names: Mapping[str, str]) -> str:
    """Name the option that a message is about, unless it says that something does not exist."""
    start, member, absent = found.groups()
    if absent:
        return str(start)
    return f"{start}{names.get(member, member)}: "
