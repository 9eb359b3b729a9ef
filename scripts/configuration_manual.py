"""Print docs/configuration.md, from the declarations that check a configuration."""

from __future__ import annotations

from typing import get_type_hints

import msgspec

from zkpush.config import Config, meaning
from zkpush.installed import sections
from zkpush.protocol.exchange import OPTION_REPLY

HEAD = """\
# Configuration

For administrators: every setting of the daemon, with its default.

`twistd zkpush --config FILE` reads a TOML file. Flags override keys of the same name:

```toml
data = "/var/lib/zkpush"
timezone = "Europe/Berlin"

[limits]
body_bytes = 16777216

[options]
Delay = 5
```

`zkpush settings list` shows what is set, and where; `--all` shows every setting in force.

The daemon reports all unknown keys and bad values at once, and does not start. The environment
variable `ZKPUSH_KEY_FILE` names another file for the key than `DIR/key`. Other users must not be
able to read that file, unless `ZKPUSH_KEY_FILE_MODE` accepts its mode (see
[the key](security.md#the-key)).
"""


def section(kind: type[msgspec.Struct], prefix: str) -> list[str]:
    """The rows of a section, then those of the sections in it."""
    rows, inner = [], []
    for field in msgspec.structs.fields(kind):
        hint = get_type_hints(kind)[field.name]
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            inner += section(hint, f"{prefix}{field.name}.")
            continue
        known = field.default is not msgspec.NODEFAULT and field.default is not None
        default = f"`{msgspec.json.encode(field.default).decode()}`" if known else ""
        rows.append(f"| `{prefix}{field.name}` | {default} | {meaning(kind, field.name)} |")
    return rows + inner


def main() -> None:
    """Print the page."""
    print(HEAD)
    print("| Key | Default | Meaning |\n|---|---|---|")
    print("\n".join(section(Config, "")))
    for name, kind in sorted(sections().items()):
        if kind is not None and kind.__module__.startswith("zkpush."):  # no plugin's
            print("\n".join(section(kind, f"{name}.")))
    print("\n## `[options]`: options for terminals (spec 5)\n")
    print(
        "The names are those of the protocol. To set an option for one terminal, use\n"
        "`zkpush devices set SN Delay=5`.\n"
    )
    print("| Option | Default | Meaning |\n|---|---|---|")
    for field in OPTION_REPLY.fields:
        if field.stored:
            print(f"| `{field.wire}` | `{field.default}` | {field.meaning} |")


if __name__ == "__main__":
    main()
