"""Who did something, in words: terminals, programs, people, and others."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .phrases import Phrase

_NAMED: Mapping[str, Callable[[str], Phrase]] = {
    "account": lambda name: Phrase("account %(name)s", name=name),
    "address": lambda name: Phrase("from the address %(name)s", name=name),
    "device": lambda name: Phrase("terminal %(sn)s", sn=name),
    "token": lambda name: Phrase("a program, with the API token %(name)s", name=name),
}
"""Sentences for actors with a name, by their kinds."""
_OTHERS: Mapping[str, Phrase] = {
    "command": Phrase("a command"),
    "device": Phrase("a terminal"),
    "operator": Phrase("somebody on the server"),
    "others": Phrase("others"),
    "somebody": Phrase("somebody"),
}
"""Actors without a name."""


def actor_phrase(actor: str) -> str:
    """Return a stored actor, such as `device SN`, in words; the text itself if it has none."""
    kind, _, name = actor.partition(" ")
    if name and kind in _NAMED:
        return _NAMED[kind](name)
    return _OTHERS.get(actor, actor)
