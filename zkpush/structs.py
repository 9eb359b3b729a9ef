"""Preparation of the structs that threads decode.

msgspec describes a struct at its first decoding. Where two threads decode a struct for the first
time at once, one of them may see a description that is not complete yet, and the process ends with
a segmentation fault (msgspec 0.22). So all structs are described before threads start.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator

import msgspec


def prepare_structs() -> None:
    """Describe all structs that are declared so far; needs about 0.1 ms each at the first call."""
    for struct in _derived(msgspec.Struct):
        _describe(struct)


@functools.cache
def _describe(struct: type[msgspec.Struct]) -> None:
    # A TypeError: it has fields of types that msgspec cannot decode, and never is.
    with contextlib.suppress(TypeError):
        msgspec.json.Decoder(struct)


def _derived(struct: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for one in struct.__subclasses__():
        yield one
        yield from _derived(one)
