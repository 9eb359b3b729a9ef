"""Databases of tests that are made once and copied for each test."""

from __future__ import annotations

import itertools
import pathlib
import shutil
from typing import Protocol

from sqlalchemy import make_url

from ..postgres import Databases


class Copied(Protocol):
    """Databases of one kind. A URL names each; nobody uses one while it is copied."""

    def make(self) -> str:
        """Make a database without tables."""

    def copy(self, url: str) -> str:
        """Make a copy of a database."""

    def drop(self, url: str) -> None:
        """Remove a database."""


class CopiedFiles:
    """SQLite files, each with its pictures in a folder of its own."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folders = (folder / str(number) for number in itertools.count())

    def make(self) -> str:
        folder = next(self._folders)
        folder.mkdir()
        return _url(folder)

    def copy(self, url: str) -> str:
        folder = next(self._folders)
        shutil.copytree(_folder(url), folder)
        return _url(folder)

    def drop(self, url: str) -> None:
        shutil.rmtree(_folder(url))


class CopiedDatabases:
    """Databases of a PostgreSQL server."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases

    def make(self) -> str:
        return self._databases.url(self._databases.make())

    def copy(self, url: str) -> str:
        return self._databases.url(self._databases.make(_name(url)))

    def drop(self, url: str) -> None:
        self._databases.drop(_name(url))


def _url(folder: pathlib.Path) -> str:
    return f"sqlite:///{folder / 'store.sqlite'}"


def _folder(url: str) -> pathlib.Path:
    return pathlib.Path(url.partition(":///")[2]).parent


def _name(url: str) -> str:
    name = make_url(url).database
    assert name is not None
    return name
