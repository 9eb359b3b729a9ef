"""Files of a terminal, in memory, and a few shell commands (12.5, 12.8.1)."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..protocol.codes import ReturnCode
from .answer import ReturnCodeError

if TYPE_CHECKING:
    pass

HOME = "/mnt/mtdblock"
"""Directory of files without a given path (12.5.2)."""
OPTIONS = f"{HOME}/options.cfg"
BINARY = f"{HOME}/data/extlog.dat"
_LOOKS_LIKE_ANSWERS = (
    b"\x89PNG\r\n\x1a\n\0\nID=1&Return=0&CMD=DATA\nContent=\r\n\n"
    b"ID=2\nReturn=-1\nCMD=LOG\n\xff\xfe\0"
)
"""Content that a server may mistake for answers to commands."""


class Files:
    """Files by path."""

    def __init__(self, sn: str) -> None:
        self._files = {
            OPTIONS: b"",
            BINARY: _LOOKS_LIKE_ANSWERS,
            f"{HOME}/serial.txt": f"{sn}\n".encode(),
        }

    def read(self, path: str) -> bytes:
        """Return the content of a file; `ReturnCodeError` if there is none."""
        try:
            return self._files[_whole(path)]
        except KeyError:
            raise ReturnCodeError(ReturnCode.READ_WRITE_ERROR) from None

    def write(self, path: str, content: bytes) -> None:
        """Write a file; `ReturnCodeError` if the path is a folder."""
        whole = _whole(path)
        if path.endswith("/") or self.names(whole):
            raise ReturnCodeError(ReturnCode.READ_WRITE_ERROR)
        self._files[whole] = content

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder; empty if there is no such folder."""
        inside = _whole(folder).rstrip("/") + "/"
        paths = (path.removeprefix(inside) for path in self._files if path.startswith(inside))
        return sorted({path.partition("/")[0] for path in paths})

    def write_options(self, options: Mapping[str, str]) -> None:
        """Write the file of options, one per line."""
        self._files[OPTIONS] = "".join(f"{k}={v}\n" for k, v in options.items()).encode()

    def read_options(self) -> dict[str, str]:
        """Read the file of options; invalid lines are skipped."""
        lines = self._files[OPTIONS].decode("utf-8", "replace").splitlines()
        pairs = (line.partition("=") for line in lines if "=" in line)
        return {key.strip(): value for key, _, value in pairs}


def _whole(path: str) -> str:
    return posixpath.normpath(posixpath.join(HOME, path))
