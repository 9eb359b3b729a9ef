"""A terminal that encrypts, request by request, against a daemon inside the test."""

from __future__ import annotations

from zkpush.crypto.terminal import TerminalCipher
from zkpush.protocol.envelope import Place, encode_seal, place_of
from zkpush.protocol.requests import parse_arguments

from .rig import Response, Rig, talk


class SealedTerminal:
    """Makes the exchanges, then seals what it sends and opens what comes back."""

    def __init__(self, rig: Rig, sn: str = "T1", secret: bytes = b"") -> None:
        self.rig = rig
        self.sn = sn
        self.cipher = TerminalCipher(sn, secret)

    async def keys(self) -> Response:
        """Exchange public keys (6)."""
        public = self.cipher.begin()
        return await self.step("publickey", b"PublicKey=" + public)

    async def factors(self, reply: Response) -> Response:
        """Exchange factors (7), after the public keys."""
        factor = self.cipher.factor(reply.body.removeprefix(b"PublicKey="))
        return await self.step("factors", b"Factors=" + factor)

    async def step(self, kind: str, body: bytes) -> Response:
        """One request of an exchange."""
        return await self.rig.post(f"exchange?SN={self.sn}&type={kind}", body)

    async def begin(self) -> None:
        """Make all three exchanges."""
        assert (await self.rig.exchange(self.sn)).status == 200
        reply = await self.factors(await self.keys())
        assert reply.status == 200, reply.raw
        self.cipher.agree(reply.body.removeprefix(b"Factors="))

    def request(self, method: str, target: str, body: bytes = b"") -> tuple[bytes, Place, int]:
        """The bytes of a sealed request, with what it takes to open the reply."""
        path, _, query = f"/iclock/{target}".partition("?")
        place = place_of(self.sn, method, path.encode(), parse_arguments(query.encode()))
        sealed = self.cipher.seal(place, body)
        line, content = f"{path}?{query}", sealed.sealed
        if method == "GET":
            line, content = f"{line}&seal={encode_seal(sealed.sealed)}", b""
        head = f"{method} {line} HTTP/1.1\r\nHost: server\r\nContent-Length: {len(content)}\r\n\r\n"
        return head.encode() + content, place, sealed.number

    async def send(self, raw: bytes) -> Response:
        """Send bytes as they are."""
        return await talk(self.rig.terminals, raw)

    async def get(self, target: str) -> bytes:
        """A sealed GET, and what its reply opens to."""
        return await self._sealed("GET", target)

    async def post(self, target: str, body: bytes) -> bytes:
        """A sealed POST, and what its reply opens to."""
        return await self._sealed("POST", target, body)

    async def _sealed(self, method: str, target: str, body: bytes = b"") -> bytes:
        raw, place, number = self.request(method, target, body)
        reply = await self.send(raw)
        assert reply.status == 200, reply.raw
        return self.cipher.open(place, number, reply.body)
