"""A server that follows a script, on a loopback port."""

from __future__ import annotations

import socket
import threading


class ScriptedServer:
    """Answers each line with the next text of a script, then hangs up, or is silent if told to."""

    def __init__(self, *script: bytes, stays: bool = False) -> None:
        self.heard: list[bytes] = []
        self._script = script
        self._stays = stays
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._end = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def port(self) -> int:
        """Its port."""
        return int(self._listening.getsockname()[1])

    def stop(self) -> None:
        """End it."""
        self._end.set()
        self._listening.close()

    def _serve(self) -> None:
        connection, _ = self._listening.accept()
        with connection, connection.makefile("rb") as lines:
            for text in self._script:
                connection.sendall(text)
                try:
                    self.heard.append(lines.readline())
                except ConnectionResetError:
                    return
            if self._stays:
                self._end.wait()
