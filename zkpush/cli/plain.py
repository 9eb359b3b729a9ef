"""Values of the API as plain text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .times import zoned_instant


def plain(value: object) -> str:
    """Format a value on one line."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Mapping():
            return " ".join(
                f"{key}={plain(each)}"
                for key, each in with_words(value).items()
                if each is not None
            )
        case list():
            return ", ".join(plain(each) for each in value)
        case _:
            return str(value)


def with_words(item: Mapping[str, object]) -> dict[str, object]:
    """Put the meaning of each coded value beside the value, and instants on the local clock."""
    shown: dict[str, object] = {}
    for key, value in item.items():
        meaning = item.get(f"{key}_meaning")
        if key.endswith("_meaning") and key.removesuffix("_meaning") in item:
            continue
        if isinstance(value, Mapping) and isinstance(meaning, Mapping):
            shown[key] = {
                f"{meaning[each]} ({each})" if each in meaning else each: part
                for each, part in value.items()
            }
        elif meaning is not None and not isinstance(value, Mapping | list) and value is not None:
            shown[key] = f"{plain(value)} ({plain(meaning)})"
        elif meaning is not None and value is None:
            shown[key] = meaning
        else:
            shown[key] = zoned_instant(value) if key.endswith("_at") else value
    return shown


def lines_of(value: object) -> Iterator[str]:
    """Format a value on lines: one for each part of a mapping or a list."""
    match value:
        case Mapping():
            for key, each in with_words(value).items():
                parts: Sequence[object] = each if isinstance(each, list) and each else [each]
                for part in parts:
                    mark = ": " if isinstance(part, Mapping) else "="
                    yield f"{key}{mark}{plain(part) or '-'}"
        case list() if value:
            yield from map(plain, value)
        case _:
            yield plain(value)
