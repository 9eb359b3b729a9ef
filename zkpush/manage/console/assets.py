"""Static files of the console, with their digest in the name, so that browsers keep them."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from importlib.resources import files

import attrs

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_DIGITS = 12
"""Hexadecimal digits of the digest in a name."""


@attrs.frozen
class Asset:
    """A static file."""

    url_name: str
    """Name with the digest."""
    content_type: str
    body: bytes


class Assets:
    """The static files, read at the start."""

    def __init__(self) -> None:
        self._by_name: dict[str, Asset] = {}
        for file in (files(__package__) / "static").iterdir():
            stem, dot, ending = file.name.rpartition(".")
            body = file.read_bytes()
            digest = hashlib.sha256(body).hexdigest()[:_DIGITS]
            kind = _TYPES.get(dot + ending)
            if kind is not None:
                self._by_name[file.name] = Asset(f"{stem}.{digest}.{ending}", kind, body)
        self._by_url = {asset.url_name: asset for asset in self._by_name.values()}

    def url_name(self, name: str) -> str:
        """Return the name of a file with its digest; `KeyError` if there is none."""
        return self._by_name[name].url_name

    def find(self, url_name: str) -> Asset | None:
        """Return a file by its name with the digest."""
        return self._by_url.get(url_name)

    @property
    def all(self) -> Mapping[str, Asset]:
        """All files, by their plain names."""
        return self._by_name


@functools.cache
def assets() -> Assets:
    """Return the static files of this process."""
    return Assets()
