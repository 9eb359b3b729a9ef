"""Location and token of the API: from the data directory, or from options."""

from __future__ import annotations

from pathlib import Path

import attrs
import click
import msgspec
from click.core import ParameterSource

from .. import runfile
from ..datalock import running_holder
from ..ownership import as_user, owner_of, user_name

_EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - not bound to
"""Wildcard addresses of a daemon, and the loopback addresses to reach it."""


@attrs.frozen
class Target:
    """Location of a daemon's API."""

    url: str
    token: str = attrs.field(repr=False)
    data: Path | None = None
    """Data directory that holds the location; None if the caller gave the location."""
    token_file: Path | None = None
    """File of the token; None if the caller gave the token."""
    ca: Path | None = None
    """CA of the certificate; None for the CAs that this machine trusts."""

    @property
    def if_silent(self) -> str:
        """Advice if the server does not answer."""
        if self.data is None:
            return (
                f"Nothing answers at {self.url}: check --url, and that the daemon is running there."
            )
        pid = running_holder(self.data)
        if pid is not None:
            return (
                f"Nothing answers at {self.url}, but process {pid} holds {self.data}: the daemon "
                "is starting or stopping. Try again in a minute; its log says how far it is."
            )
        return (
            f"The daemon is not running: nothing answers at {self.url}. {how_to_start(self.data)}"
        )

    def if_not_trusted(self, why: str) -> str:
        """Advice if its certificate is not trusted."""
        return (
            f"The certificate of {self.url} is not trusted: {why}. Give --url with the name in the "
            "certificate, and --ca FILE (or ZKPUSH_CA) with the CA that signed it, or with the "
            "certificate itself if it is self-signed."
        )

    @property
    def if_token_refused(self) -> str:
        """Advice if the token is refused."""
        if self.token_file is None:
            return f"{self.url} refused the token: check --token or ZKPUSH_TOKEN."
        return (
            f"{self.url} refused the token in {self.token_file}: another daemon answers there. "
            "Check that the daemon of that directory is running."
        )


@attrs.frozen
class Given:
    """Options of the caller that locate the daemon."""

    data: Path | None
    url: str | None
    token: str | None = attrs.field(repr=False)
    ca: Path | None = None

    @classmethod
    def by(
        cls,
        context: click.Context,
        data: Path | None,
        url: str | None,
        token: str | None,
        ca: Path | None,
    ) -> Given:
        """Read the options; --data or --url on the command line overrides the other's variable.

        Otherwise a variable for production would redirect a command that names a test directory,
        and the token of this machine would be sent to another one.
        """
        on_command_line = {
            name
            for name in ("data", "url")
            if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        }
        if on_command_line == {"data"}:
            url = None
        elif on_command_line == {"url"}:
            data = None
        return cls(data, url, token, ca)

    def target(self) -> Target:
        """Locate the API; the error says what is missing, and what to do."""
        return attrs.evolve(self._found(), ca=self.ca)

    def _found(self) -> Target:
        if self.url is not None:
            if not self.url.startswith(("http://", "https://")):
                raise click.UsageError("--url must begin with http:// or https://.")
            if "@" in self.url:
                # It would appear in every message.
                raise click.UsageError("--url takes no user and password; give --token instead.")
            if self.token is None and self.data is None:
                raise click.UsageError("--url needs a token: --token or ZKPUSH_TOKEN.")
            return self._with_token(self.url.rstrip("/"), None)
        if self.data is None:
            raise click.UsageError(
                "No daemon is named: give --data DIR (or ZKPUSH_DATA) on its machine, "
                "or --url and --token (or ZKPUSH_URL and ZKPUSH_TOKEN)."
            )
        return self._with_token(_read_url(self.data), self.data)

    def _with_token(self, url: str, data: Path | None) -> Target:
        if self.token is not None or self.data is None:
            return Target(url, self.token or "", data)
        file = self.data / "admin.token"
        try:
            token = file.read_text(encoding="ascii", errors="replace").strip()
        except OSError as error:
            raise unreadable(file, error) from None
        return Target(url, token, data, file)


OTHER_OPTIONS = "(and the other options that it has, such as --config or --listen)"
"""What to add to a command that starts a daemon."""


class NotStarted(click.ClickException):
    """No daemon has said yet where it listens."""

    def __init__(self, message: str, *, is_starting: bool = False) -> None:
        """`is_starting` says that a process holds the data directory already."""
        super().__init__(message)
        self.is_starting = is_starting


def how_to_start(data: Path) -> str:
    """Return the command that starts a daemon on a directory."""
    return f"Start it with: twistd -n zkpush --data {data} {OTHER_OPTIONS}"


def _read_url(data: Path) -> str:
    file = data / runfile.NAME
    try:
        run = msgspec.json.decode(file.read_bytes(), type=dict[str, object])
        url, mark, belongs = run["manage"], run["directory"], run["data"]
        is_copy = mark != runfile.directory_mark(data)
    except FileNotFoundError:
        if not _is_directory(data):
            raise NotStarted(
                f"There is no data directory {data}: "
                "give the --data that the daemon was started with."
            ) from None
        pid = running_holder(data)
        if pid is not None:
            raise NotStarted(
                f"The daemon on {data} is still starting (process {pid}); a large database of an "
                "earlier version takes a while. Try again in a minute; its log says how far it is.",
                is_starting=True,
            ) from None
        raise NotStarted(f"No daemon is running on {data}. {how_to_start(data)}") from None
    except OSError as error:
        raise unreadable(file, error) from None
    except (msgspec.DecodeError, LookupError):
        raise click.ClickException(
            f"{file} does not say where the daemon is: restart the daemon, or give --url."
        ) from None
    if is_copy:
        # Otherwise a command for the copy would act on the original daemon.
        raise click.ClickException(
            f"{data} is a copy: its run.json belongs to the daemon of another directory, "
            f"{belongs}. To reach that daemon, give its --data, or --url and --token; "
            f"to run a daemon on the copy, start it with: twistd -n zkpush --data {data}"
        )
    return _reachable(str(url))


def _is_directory(data: Path) -> bool:
    """Whether there is a data directory; `click.ClickException` if this user may not see it."""
    try:
        return data.is_dir()
    except PermissionError as error:
        raise unreadable(data, error) from None


class Unreadable(click.ClickException):
    """This user may not read a file."""


def unreadable(path: Path, error: OSError, *, needs_files: bool = False) -> click.ClickException:
    """Make the error for a file that cannot be read; it says how to read it.

    `needs_files` says that the command works on the files themselves, not through the API.
    """
    words = f"Cannot read {path}: {error.strerror}."
    if not isinstance(error, PermissionError):
        hint = "" if needs_files else " Restart the daemon, or give --url and --token."
        return click.ClickException(f"{words}{hint}")
    owner = owner_of(path)
    user = "USER" if owner is None else user_name(owner)
    way = f"Run this as the user that the daemon runs as: {as_user(user, 'zkpush …')}"
    if not needs_files:
        way += "; or give --url and --token (or ZKPUSH_URL and ZKPUSH_TOKEN)"
    return Unreadable(f"{words} {way}.")


def _reachable(url: str) -> str:
    """Return the URL by which this machine reaches a daemon that listens at `url`."""
    scheme, _, address = url.partition("://")
    host, _, port = address.rpartition(":")
    if scheme not in ("http", "https") or not port.isdecimal():
        raise click.ClickException(
            f"The daemon serves its API at {url}, which is not an address for HTTP: "
            "give it a tcp endpoint as --manage, or give --url."
        )
    host = host.strip("[]")
    host = _EVERYWHERE.get(host, host)
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
