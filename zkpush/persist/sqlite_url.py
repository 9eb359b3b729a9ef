"""URLs of SQLite databases: a file or `memory:`; ambiguous URLs are rejected."""

from __future__ import annotations

from pathlib import Path

from .databases import NO_URL

MEMORY = "memory:"
"""Database that ends with the process, for tests and trials."""
_KEEPS_NOTHING = (
    f"this would be a database in memory, which keeps nothing; for a trial, write {MEMORY}"
)
_FORMS = "use sqlite:////absolute/path/to/file, with four slashes"


def sqlite_path(url: str) -> Path | None:
    """Return the file named by a URL as an absolute path; None for `memory:`.

    Raises `ValueError`, which names the probably intended URL.
    """
    if url == MEMORY:
        return None
    scheme, _, rest = url.partition(":")
    if scheme == MEMORY.removesuffix(":"):
        raise ValueError(f"{url} is no database URL; a database in memory is {MEMORY}")
    if scheme != "sqlite" or _names_a_user(rest):
        raise ValueError(NO_URL)
    if not rest.startswith("//"):
        raise ValueError(f"{url} is no database URL; {_meant(rest)}")
    if not rest.startswith("///"):
        named = rest.removeprefix("//")
        if named in ("", ":memory:"):
            raise ValueError(f"{url} names no file: {_KEEPS_NOTHING}; {_FORMS}")
        raise ValueError(f"{url} names a host and no file: {_meant(named)}")
    return _checked(url, rest.removeprefix("///"))


def _checked(url: str, name: str) -> Path:
    """Return the file, unless its name suggests that something else was meant."""
    if not name:
        raise ValueError(f"{url} names no file: {_KEEPS_NOTHING}; {_FORMS}")
    if name == ":memory:" or name.startswith("file:"):
        raise ValueError(f"{url}: {_KEEPS_NOTHING}")
    if "?" in name:
        raise ValueError(
            f"{url}: options after ? are not supported; "
            f"did you mean sqlite:///{name.partition('?')[0]}?"
        )
    if name != name.strip() or not name.isprintable():
        raise ValueError(f"{url!r} has spaces around the name, or control characters in it")
    if name.startswith("~"):
        raise ValueError(f"{url}: ~ is not expanded; did you mean sqlite:///{_expanded(name)}?")
    path = Path(name).absolute()
    if name.endswith("/") or path.is_dir():
        folder = name.rstrip("/")
        raise ValueError(f"{url} names a directory; did you mean sqlite:///{folder}/zkpush.sqlite?")
    absolute = Path("/", name)
    if path != absolute and not path.parent.is_dir() and absolute.parent.is_dir():
        raise ValueError(
            f"{url} names {path}, and there is no directory {path.parent}; "
            f"did you mean sqlite:///{absolute}, with four slashes?"
        )
    return path


def _names_a_user(rest: str) -> bool:
    """Whether a URL may contain a password, which messages must not repeat."""
    return not rest.startswith("///") and "@" in rest


def _meant(name: str) -> str:
    bare = name.lstrip("/")
    if not bare:
        return _FORMS
    absolute = f"sqlite:////{bare}"
    if name.startswith("/") or not Path(bare).absolute().parent.is_dir():
        return f"did you mean {absolute}?"
    return f"did you mean sqlite:///{bare} (in {Path.cwd()}), or {absolute}?"


def _expanded(name: str) -> str:
    try:
        return str(Path(name).expanduser())
    except RuntimeError:
        return f"/{name.lstrip('~/')}"
