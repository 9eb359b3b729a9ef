"""Print docs/commands.md, from the declarations that check and write commands."""

from __future__ import annotations

from zkpush.declarations import declarations
from zkpush.protocol.fields import Command, Field
from zkpush.protocol.versions import BASELINE

HEAD = """\
# Commands

For operators and integrators: every command that the server can send to a terminal (spec 12).

Queue a command with `POST devices/{sn}/commands`, or on the command line:

```console
$ zkpush --data DIR commands send SN 'DATA UPDATE USERINFO' PIN=7 Name=Ann --wait
```

Parameters in **bold** are required. Parameters in *italics* are secret: only callers with the
scope `biometrics` can read them back (`dangerous` for SET OPTION, SHELL and RAW). The server
computes the size of base64 values. `GET commands/catalogue` and `zkpush commands catalogue` have
the same list.

A command waits for its terminal until its deadline: `commands.lifetime_days`, or the time in its
section. `expires_in` (`--expires 60s`) sets another deadline, `not_before` (`--not-before TIME`)
an earliest time, and a higher `priority` (`--priority 5`) lets a command overtake others. A later
command that sets the same, such as the same user with the same parameters, replaces one that was
not sent yet. [Life of a command](command-life.md) says how commands end, and why.

There are three kinds of commands:

- *Catalogue*: the commands of the protocol and of installed plugins. Their parameters are checked
  before a command is queued. The sections below describe those of the protocol.
- *Site-defined*: commands and parameters of special firmware, which the configuration declares
  ([how](api.md#site-defined-commands)). They are checked, queued and encrypted like those of the
  catalogue, and listed with them, except on this page and in `--help`.
- `RAW`: a line that is sent unchanged and unchecked. Any answer ends the command.

A server without templates ([privacy.templates](security.md#a-server-without-templates)) refuses
all commands that may take one to a terminal: the template commands of the catalogue, `RAW`, and
every base64 parameter that the site or a plugin defines. `zkpush database forget-templates`
removes the parameters of such commands, queued or ended, and cancels the queued ones. It also
removes `RAW` lines that name a template or hold 64 characters of base64 or more, and parameters
that the configuration no longer declares.
"""


def limits(field: Field) -> str:
    """Limits of a value besides its kind."""
    said = []
    if field.choices:
        said.append("one of " + ", ".join(map(str, field.choices)))
    elif field.minimum is not None and field.maximum is not None and field.maximum < 2**31 - 1:
        said.append(f"{field.minimum} to {field.maximum}")
    if field.most_bytes is not None:
        said.append(f"at most {field.most_bytes} bytes in the terminal's encoding")
    return f" ({'; '.join(said)})" if said else ""


def row(field: Field) -> str:
    """One parameter."""
    mark = "**" if field.required else ""
    mark += "*" if field.secret else ""
    meaning = f"{field.meaning}{limits(field)}".replace("|", r"\|")
    return f"| {mark}`{field.wire}`{mark[::-1]} | {field.kind.title} | {meaning} |"


def section(command: Command) -> str:
    """One command."""
    facts = [f"Spec {command.section}", f"scope `{command.scope.value}`"]
    facts += [f"also `{rule.scope.value}` {rule.meaning}" for rule in command.scope_rules]
    if command.since > BASELINE:
        facts.append(f"needs protocol {command.since} or later")
    if command.ends_batch:
        facts.append("last command in the reply to a poll")
    if not command.is_repeatable:
        facts.append("never sent twice")
    if command.wait_seconds is not None:
        facts.append(f"waits for {command.wait_seconds} s")
    if command.priority:
        facts.append(f"priority {command.priority}")
    text = f"## {command.name}\n\n{command.meaning}. {', '.join(facts)}.\n"
    if command.one_of:
        names = " or ".join(f"`{name}`" for name in command.one_of)
        text += f"\nEither {names} is required.\n"
    if command.parameters:
        rows = "\n".join(map(row, command.parameters))
        text += f"\n| Parameter | Type | Meaning |\n|---|---|---|\n{rows}\n"
    return text


def main() -> None:
    """Print the page."""
    print("\n".join([HEAD, *map(section, declarations().catalogue)]), end="")


if __name__ == "__main__":
    main()
