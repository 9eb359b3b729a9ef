"""Contract of cipher suites that agree on keys and authenticate encrypted data."""

from __future__ import annotations

from typing import Any, Protocol

import pytest

from ...plugincheck import plugin_faults
from ...pluginkinds import CIPHER_SUITES
from ...protocol.envelope import NotOpened, Place, place_of
from ...protocol.requests import parse_arguments

SN = "T1"
RECORD = b"1001\t2026-03-02 08:59:58\t0\t1\t\t0\t0\n"


def place(target: str = f"cdata?SN={SN}&table=ATTLOG&Stamp=9999", method: str = "POST") -> Place:
    """Make the place of a request."""
    path, _, query = f"/iclock/{target}".partition("?")
    arguments = parse_arguments(query.encode())
    return place_of(arguments.get("SN", ""), method, path.encode(), arguments)


HERE = place()
ELSEWHERE = {
    "another terminal": place("cdata?SN=OTHER&table=ATTLOG&Stamp=9999"),
    "another table": place(f"cdata?SN={SN}&table=OPERLOG&Stamp=9999"),
    "another stamp": place(f"cdata?SN={SN}&table=ATTLOG&Stamp=9998"),
    "another path": place(f"fdata?SN={SN}&table=ATTLOG&Stamp=9999"),
    "another method": place(f"cdata?SN={SN}&table=ATTLOG&Stamp=9999", "PUT"),
}


class TerminalEnd(Protocol):
    """The terminal's side of a session, for tests; bytes are as on the wire."""

    def begin(self) -> bytes:
        """Generate new keys; return P1."""

    def factor(self, public_key: bytes) -> bytes:
        """Process P2; return R1, encrypted under it."""

    def agree(self, factor: bytes) -> None:
        """Process R2, encrypted under P1."""

    def seal(self, place: Place, body: bytes = b"") -> Any:
        """Encrypt a request; the result has `number` and `sealed`."""

    def open(self, place: Place, number: int, sealed: bytes) -> bytes:
        """Decrypt the reply to the request of a number."""


class CipherSuiteContract:
    """Contract of a suite: data sealed for another time or place does not open.

    Each call uses a new instance of the suite, as another process would. The contract is for suites
    that exchange keys and number their requests.
    """

    secret = b""
    """Secret configured for a terminal."""

    def make_suite(self) -> Any:
        """Make the suite."""
        raise NotImplementedError("say how the suite is made")

    def make_terminal(self, sn: str, secret: bytes) -> TerminalEnd:
        """Make the terminal's side."""
        raise NotImplementedError("say how the terminal's end is made")

    def agree(self, sn: str = SN) -> tuple[TerminalEnd, bytes]:
        """Agree on keys; return the terminal's side, and the state that the server stores."""
        terminal = self.make_terminal(sn, self.secret)
        keys = self.make_suite().begin(sn, self.secret, terminal.begin())
        session = self.make_suite().agree(bytes(keys.state), terminal.factor(keys.answer))
        terminal.agree(session.answer)
        return terminal, bytes(session.state)

    def test_it_is_a_sound_plugin(self) -> None:
        """It provides its interface and describes its weakness."""
        assert plugin_faults(CIPHER_SUITES, self.make_suite()) == []

    def test_the_configured_secret_is_accepted(self) -> None:
        """The secret of these tests is one that an operator may configure."""
        self.make_suite().check_secret(self.secret)

    @pytest.mark.parametrize("body", [b"", b"OK", RECORD * 1000])
    def test_both_ends_understand_each_other(self, body: bytes) -> None:
        """Each side decrypts what the other encrypted, in any process; nothing is sent in plain."""
        terminal, state = self.agree()
        request = terminal.seal(HERE, body)
        assert not body or body not in request.sealed
        opened = self.make_suite().open(state, HERE, request.sealed)
        assert (opened.body, opened.number) == (body, request.number)
        reply = self.make_suite().seal(state, HERE, request.number, b"answer " + body)
        assert terminal.open(HERE, request.number, reply) == b"answer " + body

    def test_keys_are_new_in_every_exchange(self) -> None:
        """Two sessions of one terminal have nothing in common."""
        assert len({self.agree()[1] for _ in range(3)}) == 3

    def test_a_changed_byte_is_refused(self) -> None:
        """A sealed request with a changed, missing or added byte is refused."""
        terminal, state = self.agree()
        sealed = terminal.seal(HERE, RECORD).sealed
        for at in range(len(sealed)):
            changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
            for wrong in (changed, sealed[:at], sealed[:at] + sealed[at + 1 :]):
                with pytest.raises(NotOpened):
                    self.make_suite().open(state, HERE, wrong)
        assert self.make_suite().open(state, HERE, sealed).body == RECORD

    @pytest.mark.parametrize("where", ELSEWHERE.values(), ids=ELSEWHERE)
    def test_a_request_opens_in_its_own_place_only(self, where: Place) -> None:
        """The serial number, path, method and arguments are authenticated."""
        terminal, state = self.agree()
        with pytest.raises(NotOpened):
            self.make_suite().open(state, where, terminal.seal(HERE, RECORD).sealed)

    def test_a_request_opens_in_its_own_session_only(self) -> None:
        """A request does not open in another session, of the same terminal or of another one."""
        terminal, _ = self.agree()
        sealed = terminal.seal(HERE, RECORD).sealed
        for _, other in (self.agree(), self.agree("OTHER")):
            with pytest.raises(NotOpened):
                self.make_suite().open(other, HERE, sealed)

    def test_a_reply_is_no_request(self) -> None:
        """A sealed reply does not open as a request."""
        terminal, state = self.agree()
        number = terminal.seal(HERE, RECORD).number
        with pytest.raises(NotOpened):
            self.make_suite().open(state, HERE, self.make_suite().seal(state, HERE, number, b"OK"))

    def test_a_replay_has_the_number_it_had(self) -> None:
        """A replayed request returns its old number; numbers grow with each request."""
        terminal, state = self.agree()
        requests = [terminal.seal(HERE, RECORD).sealed for _ in range(3)]
        numbers = [self.make_suite().open(state, HERE, one).number for one in requests * 2]
        assert numbers[:3] == numbers[3:]
        assert numbers[0] < numbers[1] < numbers[2]

    @pytest.mark.parametrize("noise", [b"", b"\x01", b"A" * 64, bytes(range(256)), b"\xff" * 4096])
    def test_noise_is_not_opened(self, noise: bytes) -> None:
        """Any bytes from a terminal raise only `NotOpened`, in every step."""
        terminal = self.make_terminal(SN, self.secret)
        keys = self.make_suite().begin(SN, self.secret, terminal.begin())
        _, state = self.agree()
        for attempt in (
            lambda: self.make_suite().begin(SN, self.secret, noise),
            lambda: self.make_suite().agree(keys.state, noise),
            lambda: self.make_suite().open(state, HERE, noise),
        ):
            with pytest.raises(NotOpened):
                attempt()
