"""Print docs/commands.md, from the declarations that check and write commands."""

from __future__ import annotations

from zkpush.protocol.fields import Command, Field
from zkpush.protocol.tables import COMMANDS
from zkpush.protocol.versions import BASELINE

HEAD = """\
# Commands

What can be asked of a terminal (spec 12): `POST devices/{sn}/commands`, or
`zkpush commands send SN 'DATA UPDATE USERINFO' PIN=7 Name=Ann --wait`. A parameter in **bold** has
to be there; one in *italics* is secret: only callers with the scope `biometrics` see it again. The
size of what is in base64 is filled in. The same is served at `GET commands/catalogue`.
"""


def limits(field: Field) -> str:
    """What a value has to be, beside its kind."""
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
        facts.append(f"from protocol {command.since} on")
    if command.ends_batch:
        facts.append("nothing follows it in the same poll")
    text = f"## {command.name}\n\n{command.meaning}. {', '.join(facts)}.\n"
    if command.one_of:
        names = " or ".join(f"`{name}`" for name in command.one_of)
        text += f"\nOne of {names} has to be there.\n"
    if command.parameters:
        rows = "\n".join(map(row, command.parameters))
        text += f"\n| Parameter | Written as | |\n|---|---|---|\n{rows}\n"
    return text


def main() -> None:
    """Print the page."""
    print("\n".join([HEAD, *map(section, COMMANDS)]), end="")


if __name__ == "__main__":
    main()
