"""The options of `twistd zkpush`."""

from __future__ import annotations

from twisted.python.usage import Options as UsageOptions

from . import config
from .config import Config


def _help(key: str) -> str:
    return config.meaning(Config, key)


class Options(UsageOptions):
    """Options of `twistd zkpush`. The configuration file accepts all of them as well."""

    synopsis = "[options]"
    longdesc = (
        "Server for attendance terminals. Only --data is required. "
        "Example: twistd -n zkpush --data /var/lib/zkpush"
    )
    optParameters = [
        ["data", "d", None, _help("data")],
        ["config", "c", None, "TOML file with these options and more; flags override it"],
        ["manage", None, None, _help("manage")],
        ["database", None, None, _help("database")],
        ["admission", None, None, _help("admission")],
        ["workers", None, None, _help("workers")],
        ["adopt", None, None, "Internal: state that the parent process passes to its workers"],
    ]

    optFlags = [["new", None, _help("new")]]

    def __init__(self) -> None:
        super().__init__()
        self.listen: list[str] = []

    def getUsage(self, width: int | None = None) -> str:
        """Return the help, without the option that only the parent process of a worker uses."""
        options = self.longOpt
        self.longOpt = [one for one in options if one != "adopt="]
        try:
            return str(super().getUsage(width))
        finally:
            self.longOpt = options

    def opt_listen(self, endpoint: str) -> None:  # noqa: D102 - the docstring is the help text
        self.listen.append(endpoint)

    opt_listen.__doc__ = _help("listen")

    def flags(self) -> dict[str, object]:
        """Options of the command line, by the keys of the configuration file."""
        given: dict[str, object] = {
            key: self[key]
            for key in ("data", "manage", "database", "admission", "workers")
            if self[key] is not None
        }
        if self.listen:
            given["listen"] = self.listen
        if self["new"]:
            given["new"] = True
        return given

    def again(self) -> list[str]:
        """Return an equivalent command line for the workers, which find an existing database."""
        words = [("config", self["config"])] if self["config"] is not None else []
        for key, value in self.flags().items():
            if key == "new":
                continue
            words += [(key, one) for one in (value if isinstance(value, list) else [value])]
        return [word for key, value in words for word in (f"--{key}", str(value))]
