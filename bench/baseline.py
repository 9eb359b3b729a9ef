"""The yardstick: bare twisted.web that answers `OK` and stores nothing.

`python -m bench.baseline` serves on a free loopback port, and prints it.
"""

from __future__ import annotations

import sys

from twisted.internet import endpoints, reactor
from twisted.web.resource import Resource
from twisted.web.server import Request, Site


class Answer(Resource):
    """Reads the body, and says OK."""

    isLeaf = True

    def render_GET(self, request: Request) -> bytes:
        """Answer a poll."""
        request.setHeader(b"Content-Type", b"text/plain")
        return b"OK"

    def render_POST(self, request: Request) -> bytes:
        """Answer an upload."""
        request.content.read()
        request.setHeader(b"Content-Type", b"text/plain")
        return b"OK: 10"


class QuietSite(Site):
    """Without an access log, as zkpush is."""

    def log(self, request: Request) -> None:
        """Log nothing."""


def main() -> None:
    """Serve until the process is ended."""
    endpoint = endpoints.serverFromString(reactor, "tcp:0:interface=127.0.0.1:backlog=1024")
    endpoint.listen(QuietSite(Answer())).addCallback(
        lambda port: print(port.getHost().port, flush=True)
    )
    reactor.run()


if __name__ == "__main__":
    sys.exit(main())
