"""What must hold of the replies to an attack, and of the machine after it."""

from __future__ import annotations

import pathlib
import re
import socket

from .attack import SECRET, Attack, Canaries

_PICTURE = re.compile(r"data/zkpush\.sqlite-pictures(?:/[0-9a-f]+)*")
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3}) ")
_LENGTH = re.compile(rb"\r\ncontent-length: ([0-9]+)\r\n", re.IGNORECASE)


class Replies:
    """What came back, taken apart."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.found: list[tuple[int, bytes]] = []
        self.whole = False
        """Whether there is one at least, and the last one is complete."""
        rest = raw
        while found := _STATUS.match(rest):
            head, ended, rest = rest.partition(b"\r\n\r\n")
            length = _LENGTH.search(head + b"\r\n")
            size = int(length[1]) if length else 0
            status = int(found[1])
            if status != 100:
                self.found.append((status, rest[:size]))
                self.whole = bool(ended) and len(rest) >= size
            rest = rest[size:]


def mistakes(attack: Attack, replies: Replies, *, proxied: bool) -> list[str]:
    """What is wrong with the replies to an attack."""
    wrong = []
    if SECRET.encode() in replies.raw or b"root:x:" in replies.raw:
        wrong.append("a file of the machine was read")
    if not proxied and any(status >= 500 for status, _ in replies.found):
        wrong.append("the server failed")
    for status, body in replies.found:
        if attack.refused and status < 400:
            wrong.append(f"status {status}: {body[:60]!r}")
        if status >= 400 and b"OK" in body:
            wrong.append(f"a refusal that terminals take for success: {body[:60]!r}")
    return [f"{attack.name}: {what}" for what in wrong]


class Watch:
    """What is on the machine around the daemon, and who calls where nobody should."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        outside = folder / "canary"
        outside.mkdir()
        (outside / "secret.txt").write_text(SECRET)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.setblocking(False)
        self.canaries = Canaries(outside, self._listening.getsockname()[1])
        self._before: set[str] = set()

    def begin(self) -> None:
        """Remember what there is, once the daemon has all its files."""
        self._before = self._names()

    def mistakes(self) -> list[str]:
        """What has been made, or called."""
        wrong = [f"{name} was made" for name in sorted(self._names() - self._before)]
        try:
            self._listening.accept()[0].close()
            wrong.append("the server called where a terminal told it to")
        except BlockingIOError:
            pass
        return wrong

    def close(self) -> None:
        """Listen no more."""
        self._listening.close()

    def _names(self) -> set[str]:
        # The database keeps what is large beside itself, by its checksum.
        names = (str(path.relative_to(self._folder)) for path in self._folder.rglob("*"))
        inside = (name for name in names if not _PICTURE.fullmatch(name))
        places = [*pathlib.Path("/tmp").glob("canary-x*"), *pathlib.Path("/").glob("canary*")]  # noqa: S108
        return {*inside, *map(str, places)}
