"""Print docs/forwarder-kinds.md: the kinds of forwarders, with their settings."""

from __future__ import annotations

import msgspec

from zkpush.config import meaning
from zkpush.handlers.forward.manual import kinds, secret_settings
from zkpush.interfaces import IForwarder

HEAD = """\
# Kinds of forwarders

For administrators: the kinds of receivers that events can be forwarded to, with the settings of
each. [Forwarding](forwarding.md) explains what is common to all; [receivers](receivers.md) shows
how to set up each.

    zkpush forwarders add NAME --kind KIND --set KEY=VALUE --set KEY=VALUE

A value is JSON where it is valid JSON, else text: write a text of digits as `'KEY="123"'`. For a
password, use `--ask KEY` instead: the command asks for the text, which then is in no history of
commands. All settings are encrypted in the database; secret ones are never shown.\
"""


def settings(kind: IForwarder) -> list[str]:
    """The rows of the settings of a kind."""
    secrets = secret_settings(kind)
    rows = []
    for field in msgspec.structs.fields(kind.settings):
        default = "required" if field.required else ""
        if not field.required and field.default is not None:
            value = field.default
            if value is msgspec.NODEFAULT:
                value = field.default_factory()  # type: ignore[misc]  # a field without a default has one
            default = f"`{msgspec.json.encode(value).decode()}`".replace("|", "\\|")
        words = meaning(kind.settings, field.name).replace("|", "\\|")
        hidden = " (secret)" if field.name in secrets else ""
        rows.append(f"| `{field.name}` | {default} | {words}{hidden} |")
    return rows


def main() -> None:
    """Print the page."""
    print(HEAD)
    own = [one for one in kinds() if type(one).__module__.startswith("zkpush.")]
    for kind in own:
        print(f"\n## `{kind.name}`\n\n{kind.summary}.\n")
        print("| Setting | Default | Meaning |\n|---|---|---|")
        print("\n".join(settings(kind)))


if __name__ == "__main__":
    main()
