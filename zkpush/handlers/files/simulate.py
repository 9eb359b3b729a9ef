"""The files of a simulated terminal, its shell and its firmware (12.5, 12.8.1, 12.8.2)."""

from __future__ import annotations

from ...simulator.files import get_file, shell
from ...simulator.package import put_file
from ...simulator.transfer import upgrade

EXECUTE = {
    "GetFile": get_file,
    "PutFile": put_file,
    "SHELL": shell,
    "UPGRADE": upgrade,
}
