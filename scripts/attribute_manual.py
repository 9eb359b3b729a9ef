"""Print docs/attributes.md, from the declarations of a terminal's attributes."""

from __future__ import annotations

from zkpush.model import DEVICE_ATTRIBUTES

HEAD = """\
# Attributes of a terminal

For operators and integrators: the attributes that `GET devices/{sn}` shows as they are, and those
that `PATCH devices/{sn}` and `zkpush devices set SN KEY=VALUE` change. A change needs the scope
`write`, and the scope named here besides. The API shows more of a terminal, such as its problems;
see `GET openapi.json`.

| Attribute | Meaning | Shown | To change it |
|---|---|---|---|\
"""


def main() -> None:
    """Print the page."""
    print(HEAD)
    for one in DEVICE_ATTRIBUTES.values():
        own = one.own
        if not (own.is_shown or own.is_changeable):
            continue
        change = "" if own.scope is None else f"scope `{own.scope.value}`"
        change = (change or "scope `write`") if own.is_changeable else "not here"
        meaning = own.meaning.replace("|", "\\|")
        print(f"| `{one.name}` | {meaning} | {'yes' if own.is_shown else 'no'} | {change} |")


if __name__ == "__main__":
    main()
