"""Our own suite, both ends: what was not sealed for here and now is refused."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Callable

import attrs
import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from twisted.plugin import IPlugin
from zope.interface.verify import verifyObject

from zkpush.crypto import sealing
from zkpush.crypto.rc4 import RC4Suite
from zkpush.crypto.suite import AgreedSession, PendingKeys, SealingSuite
from zkpush.crypto.terminal import TerminalCipher
from zkpush.discovery import sound_plugins
from zkpush.interfaces import ICipherSuite
from zkpush.protocol.envelope import MOST_VALUE, Direction, NotOpened, Opened, Place

from . import peer
from .sessions import SECRET, SN, SUITE, Agreed, agree, place

RECORD = b"1001\t2026-03-02 08:59:58\t0\t1\t\t0\t0\n"
MIB = 1024 * 1024
SECONDS = 10
"""In which anything is refused, on a slow machine; it takes far less than one."""
HERE = place()
ELSEWHERE = {
    "another terminal": place("cdata?SN=OTHER&table=ATTLOG&Stamp=9999"),
    "another table": place(f"cdata?SN={SN}&table=OPERLOG&Stamp=9999"),
    "another stamp": place(f"cdata?SN={SN}&table=ATTLOG&Stamp=9998"),
    "no stamp": place(f"cdata?SN={SN}&table=ATTLOG"),
    "another argument": place(f"cdata?SN={SN}&table=ATTLOG&Stamp=9999&ContentType=tgz"),
    "another path": place(f"fdata?SN={SN}&table=ATTLOG&Stamp=9999"),
    "another method": place(f"cdata?SN={SN}&table=ATTLOG&Stamp=9999", "PUT"),
    "arguments that run together": place(f"cdata?SN={SN}&table=ATTLOGstamp&9999="),
}
SESSION = agree()
SEALED = SESSION.terminal.seal(HERE, RECORD).sealed
REPLY = SUITE.seal(SESSION.state, HERE, 1, b"OK: 1")


def changed(data: bytes, position: int, bits: int) -> bytes:
    """Bytes of which one is another."""
    at = position % len(data)
    return data[:at] + bytes([data[at] ^ bits]) + data[at + 1 :]


def test_our_suites_are_found() -> None:
    """Each is a plugin in full, by a name of its own, and the weak one says so."""
    suites = {suite.name: suite for suite in sound_plugins(ICipherSuite)}
    assert {name: bool(suite.weakness) for name, suite in suites.items()} == {
        "x25519-aes256gcm": False,
        "rc4": True,
    }
    for suite in (SealingSuite(), RC4Suite()):
        verifyObject(ICipherSuite, suite)
        assert IPlugin.providedBy(suite)


@given(body=st.binary(), answer=st.binary(), secret=st.sampled_from([b"", SECRET]))
def test_both_ends_understand_each_other(body: bytes, answer: bytes, secret: bytes) -> None:
    """What one side seals is what the other opens, whatever it is, by the number of the request."""
    session = agree(secret=secret)
    for number in (1, 2, 3):
        request = session.terminal.seal(HERE, body)
        assert request.number == number
        assert body not in request.sealed or len(body) < 8
        assert SUITE.open(session.state, HERE, request.sealed) == Opened(body, number)
        reply = SUITE.seal(session.state, HERE, number, answer)
        assert session.terminal.open(HERE, number, reply) == answer


def test_everything_is_covered() -> None:
    """Also what has no body."""
    poll = place(f"getrequest?SN={SN}", "GET")
    assert all(SUITE.covers(where, way) for where in (HERE, poll) for way in Direction)


def test_keys_are_new_in_every_exchange() -> None:
    """Nothing of one exchange is in the next, for the same terminal with the same public key."""
    terminal = TerminalCipher(SN)
    keys = [terminal.begin() for _ in range(3)]
    assert len(set(keys)) == 3
    assert len({SUITE.begin(SN, b"", keys[0]).answer for _ in range(3)}) == 3
    assert len({agree().state for _ in range(3)}) == 3


def test_the_same_body_is_sealed_to_other_bytes() -> None:
    """Nobody sees that something was said twice."""
    assert len({SUITE.seal(SESSION.state, HERE, 1, RECORD)[9:] for _ in range(50)}) == 50


@given(position=st.integers(0), bits=st.integers(1, 255))
@example(position=0, bits=3)
def test_a_changed_byte_is_refused(position: int, bits: int) -> None:
    """In a request, a reply, a factor or its answer: any bit of it counts."""
    with pytest.raises(NotOpened):
        SUITE.open(SESSION.state, HERE, changed(SEALED, position, bits))
    with pytest.raises(NotOpened):
        SESSION.terminal.open(HERE, 1, changed(REPLY, position, bits))
    terminal = TerminalCipher(SN)
    keys = SUITE.begin(SN, b"", terminal.begin())
    factor = terminal.factor(keys.answer)
    with pytest.raises(NotOpened):
        SUITE.agree(keys.state, changed(factor, position, bits))
    raw = base64.b64decode(factor)
    with pytest.raises(NotOpened):
        SUITE.agree(keys.state, base64.b64encode(changed(raw, position, bits)))
    session = SUITE.agree(keys.state, factor)
    with pytest.raises(NotOpened):
        terminal.agree(changed(session.answer, position, bits))
    terminal.agree(session.answer)


def test_every_byte_counts() -> None:
    """There is no byte of a sealed body that may be another, or left out, or come twice."""
    for at in range(len(SEALED)):
        for wrong in (
            changed(SEALED, at, 1),
            SEALED[:at],
            SEALED[at + 1 :],
            SEALED[:at] + SEALED[at + 1 :],
            SEALED[: at + 1] + SEALED[at:],
        ):
            with pytest.raises(NotOpened):
                SUITE.open(SESSION.state, HERE, wrong)
    assert SUITE.open(SESSION.state, HERE, SEALED).body == RECORD


@given(st.data())
def test_what_is_put_together_from_two_is_refused(data: st.DataObject) -> None:
    """The head of one body is no head for the rest of another, nor is a part moved."""
    other = SESSION.terminal.seal(HERE, RECORD).sealed
    cut = data.draw(st.integers(9, len(SEALED) - 1))
    for wrong in (SEALED[:cut] + other[cut:], SEALED[cut:] + SEALED[:cut], SEALED + other):
        with pytest.raises(NotOpened):
            SUITE.open(SESSION.state, HERE, wrong)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(noise: bytes) -> None:
    """Nothing but `NotOpened` comes of what no terminal has sent, or no store has kept."""
    for attempt in (
        lambda: SUITE.open(SESSION.state, HERE, noise),
        lambda: SUITE.open(SESSION.state, HERE, b"\x01" + noise),
        lambda: SUITE.open(noise, HERE, SEALED),
        lambda: SUITE.open(b"\x01" + noise, HERE, SEALED),
        lambda: SUITE.agree(noise, noise),
        lambda: SUITE.begin(SN, b"", noise),
        lambda: SUITE.agree(KEYS.state, noise),
        lambda: SUITE.agree(KEYS.state, base64.b64encode(b"\x01" + noise)),
        lambda: TerminalCipher(SN).factor(noise),
        lambda: SESSION.terminal.open(HERE, 1, noise),
    ):
        with pytest.raises(NotOpened):
            attempt()


KEYS = SUITE.begin(SN, b"", TerminalCipher(SN).begin())


@pytest.mark.parametrize("where", ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_body_is_of_use_in_its_own_place_only(where: Place) -> None:
    """A request is not opened as another one, nor is a reply."""
    with pytest.raises(NotOpened):
        SUITE.open(SESSION.state, where, SEALED)
    session = agree()
    session.terminal.seal(HERE, RECORD)
    with pytest.raises(NotOpened):
        session.terminal.open(HERE, 1, SUITE.seal(session.state, where, 1, b"OK: 1"))


def test_a_body_is_of_use_in_its_own_direction_only() -> None:
    """A request that comes back is no reply, and a reply is no request."""
    with pytest.raises(NotOpened):
        SESSION.terminal.open(HERE, 1, SEALED)
    with pytest.raises(NotOpened):
        SUITE.open(SESSION.state, HERE, REPLY)


@pytest.mark.parametrize("other", [agree(), agree("OTHER"), agree(secret=SECRET)])
def test_a_body_is_of_use_in_its_own_session_only(other: Agreed) -> None:
    """Not in the next session of the same terminal, nor in that of another."""
    with pytest.raises(NotOpened):
        SUITE.open(other.state, HERE, SEALED)
    other.terminal.seal(HERE, RECORD)
    with pytest.raises(NotOpened):
        other.terminal.open(HERE, 1, REPLY)


def test_a_reply_is_of_use_for_its_own_request_only() -> None:
    """Not for the next one, not twice, and not before there is a request."""
    session = agree()
    first, second, third = (session.terminal.seal(HERE, RECORD).number for _ in range(3))
    replies = {n: SUITE.seal(session.state, HERE, n, b"OK: %d" % n) for n in (1, 2, 3, 4)}
    for number, reply in ((second, replies[1]), (first, replies[2]), (4, replies[4])):
        with pytest.raises(NotOpened):
            session.terminal.open(HERE, number, reply)
    assert session.terminal.open(HERE, second, replies[2]) == b"OK: 2"
    for number in (first, second):
        with pytest.raises(NotOpened):
            session.terminal.open(HERE, number, replies[number])
    assert session.terminal.open(HERE, third, replies[3]) == b"OK: 3"


def test_a_replay_is_seen_by_its_number() -> None:
    """Of the same bytes, in any process, the number is the same; every new request has a higher."""
    session = agree()
    requests = [session.terminal.seal(HERE, RECORD).sealed for _ in range(5)]
    numbers = [SealingSuite().open(session.state, HERE, sealed).number for sealed in requests * 2]
    assert numbers == [1, 2, 3, 4, 5] * 2


def test_the_crc_is_checked() -> None:
    """Who has the keys and another CRC-32 than that of the body is refused as well (Appendix 8)."""
    key = bytes(32)
    state = b"\x01" + sealing_state(key)
    where = [SN.encode(), b"POST", b"cdata", b"stamp", b"9999", b"table", b"ATTLOG"]
    sound = peer.seal(key, b"request", where, 1, bytes(12), RECORD)
    assert SUITE.open(state, HERE, sound).body == RECORD
    wrong = peer.seal(key, b"request", where, 1, bytes(12), RECORD, crc=0)
    with pytest.raises(NotOpened):
        SUITE.open(state, HERE, wrong)


@pytest.mark.parametrize("version", [b"\x00", b"\x02"])
def test_another_version_is_refused(version: bytes) -> None:
    """Although everything else about it is sound."""
    key, where = bytes(32), [SN.encode(), b"POST", b"cdata", b"stamp", b"9999", b"table", b"ATTLOG"]
    sealed = peer.seal(key, b"request", where, 1, bytes(12), RECORD, version=version)
    with pytest.raises(NotOpened):
        SUITE.open(b"\x01" + sealing_state(key), HERE, sealed)
    with pytest.raises(NotOpened):
        SUITE.begin(SN, b"", base64.b64encode(version + bytes(31) + b"\x09"))
    with pytest.raises(NotOpened):
        SUITE.open(version + SESSION.state[1:], HERE, SEALED)


@pytest.mark.parametrize("number", [0, 2**32 + 1, 2**63, 2**64 - 1])
def test_a_session_ends_before_its_nonces_are_used_up(number: int) -> None:
    """A number beyond the last one, or before the first, is refused by both sides."""
    key, where = bytes(32), [SN.encode(), b"POST", b"cdata", b"stamp", b"9999", b"table", b"ATTLOG"]
    sealed = peer.seal(key, b"request", where, number, bytes(12), RECORD)
    with pytest.raises(NotOpened):
        SUITE.open(b"\x01" + sealing_state(key), HERE, sealed)
    with pytest.raises(ValueError, match="number"):
        SUITE.seal(SESSION.state, HERE, number, b"OK")


def sealing_state(key: bytes) -> bytes:
    """A session with a key that is known."""
    return msgspec.msgpack.encode(("session", key, key))


def test_a_value_is_written_in_one_way() -> None:
    """Base64 whose last letter could be another one is taken as it is made, and not otherwise."""
    sn, private = SN.encode(), peer.fixed("private")
    p1 = peer.public(private)
    keys = SUITE.begin(SN, b"", peer.value(p1))
    p2 = base64.b64decode(keys.answer)[1:]
    info = peer.factor_info(b"R1", sn, p1, p2)
    factor = peer.value(peer.hpke_seal(bytes(16), p2, info, peer.fixed("ephemeral")))
    assert factor.endswith(b"=")
    last = factor.rstrip(b"=")[-1:]
    wrong = factor.replace(last + b"=", bytes([last[0] + 1]) + b"=")
    assert base64.b64decode(wrong) == base64.b64decode(factor)
    with pytest.raises(NotOpened):
        SUITE.agree(keys.state, wrong)
    SUITE.agree(keys.state, factor)


@pytest.mark.parametrize("raw", [b"", bytes(31), bytes(33)])
def test_a_public_key_of_another_size_is_refused(raw: bytes) -> None:
    """It is 32 bytes."""
    with pytest.raises(NotOpened):
        SUITE.begin(SN, b"", peer.value(raw))


def test_steps_out_of_order_are_refused() -> None:
    """Whichever side they are on; a step is taken once, and nothing before it."""
    terminal = TerminalCipher(SN)
    for early in (
        lambda: terminal.factor(KEYS.answer),
        lambda: terminal.agree(b""),
        lambda: terminal.seal(HERE, b""),
        lambda: terminal.open(HERE, 1, REPLY),
    ):
        with pytest.raises(NotOpened):
            early()
    keys = SUITE.begin(SN, b"", terminal.begin())
    for early in (
        lambda: terminal.agree(keys.answer),
        lambda: SUITE.open(keys.state, HERE, SEALED),
        lambda: SUITE.seal(keys.state, HERE, 1, b""),
    ):
        with pytest.raises(NotOpened):
            early()
    factor = terminal.factor(keys.answer)
    with pytest.raises(NotOpened):
        terminal.factor(keys.answer)
    session = SUITE.agree(keys.state, factor)
    assert not terminal.ready
    terminal.agree(session.answer)
    assert terminal.ready
    for again in (
        lambda: SUITE.agree(session.state, factor),
        lambda: terminal.agree(session.answer),
        lambda: terminal.factor(keys.answer),
    ):
        with pytest.raises(NotOpened):
            again()


def test_a_reconnect_starts_over() -> None:
    """After a new begin nothing of the old session opens, and numbers begin at 1."""
    session = agree()
    session.terminal.seal(HERE, RECORD)
    reply = SUITE.seal(session.state, HERE, 1, b"OK: 1")
    keys = SUITE.begin(SN, b"", session.terminal.begin())
    assert not session.terminal.ready
    fresh = SUITE.agree(keys.state, session.terminal.factor(keys.answer))
    session.terminal.agree(fresh.answer)
    request = session.terminal.seal(HERE, RECORD)
    assert request.number == 1
    with pytest.raises(NotOpened):
        session.terminal.open(HERE, 1, reply)
    assert SUITE.open(fresh.state, HERE, request.sealed).body == RECORD


def test_a_factor_is_of_use_in_its_own_exchange_only() -> None:
    """Not for another terminal, not after other public keys, and not as the server's."""
    terminal = TerminalCipher(SN)
    public = terminal.begin()
    keys, other = SUITE.begin(SN, b"", public), SUITE.begin(SN, b"", public)
    named = SUITE.begin("OTHER", b"", public)
    factor = terminal.factor(keys.answer)
    for state in (other.state, named.state):
        with pytest.raises(NotOpened):
            SUITE.agree(state, factor)
    with pytest.raises(NotOpened):
        terminal.agree(factor)
    SUITE.agree(keys.state, factor)


@pytest.mark.parametrize("length", [0, 15, 65, 1000])
def test_a_factor_has_sixteen_to_sixty_four_bytes(length: int) -> None:
    """A side that gives too little of its own is not talked to."""
    private = peer.fixed("private")
    p1, sn = peer.public(private), SN.encode()
    keys = SUITE.begin(SN, b"", peer.value(p1))
    p2 = base64.b64decode(keys.answer)[1:]
    info = peer.factor_info(b"R1", sn, p1, p2)
    sealed = peer.hpke_seal(bytes(length), p2, info, peer.fixed("ephemeral"))
    with pytest.raises(NotOpened):
        SUITE.agree(keys.state, peer.value(sealed))


@pytest.mark.parametrize(
    "point", [bytes(32), b"\x01" + bytes(31), b"\xec" + b"\xff" * 30 + b"\x7f"]
)
def test_a_public_key_of_which_every_secret_is_known_is_refused(point: bytes) -> None:
    """Points of small order end the exchange, on either side."""
    weak = peer.value(point)
    terminal = TerminalCipher(SN)
    terminal.begin()
    with pytest.raises(NotOpened):
        terminal.factor(weak)
    keys = SUITE.begin(SN, b"", weak)
    p2 = base64.b64decode(keys.answer)[1:]
    info = peer.factor_info(b"R1", SN.encode(), point, p2)
    factor = peer.value(peer.hpke_seal(bytes(32), p2, info, peer.fixed("ephemeral")))
    with pytest.raises(NotOpened):
        SUITE.agree(keys.state, factor)


@pytest.mark.parametrize("theirs", [b"", b"another secret than the server's"])
def test_without_the_secret_there_is_no_session(theirs: bytes) -> None:
    """Who makes an exchange without the shared secret cannot seal or open a single body."""
    session = agree(secret=SECRET, theirs=theirs)
    request = session.terminal.seal(HERE, RECORD)
    with pytest.raises(NotOpened):
        SUITE.open(session.state, HERE, request.sealed)
    with pytest.raises(NotOpened):
        session.terminal.open(HERE, 1, SUITE.seal(session.state, HERE, 1, b"OK"))


@pytest.mark.parametrize("short", [b"x", b"x" * 15])
def test_a_short_secret_is_refused(short: bytes) -> None:
    """One that can be guessed is no secret; none at all is allowed."""
    for attempt in (
        lambda: SUITE.check_secret(short),
        lambda: SUITE.begin(SN, short, b""),
        lambda: TerminalCipher(SN, short),
    ):
        with pytest.raises(ValueError, match="16 bytes or more") as refused:
            attempt()
        assert not isinstance(refused.value, NotOpened)
    SUITE.check_secret(b"")
    SUITE.check_secret(b"x" * 16)


def test_all_refusals_are_the_same() -> None:
    """Nobody learns from an answer what was wrong, and no cause hangs on the error."""
    said = set()
    for wrong in (b"", SEALED[:-1], changed(SEALED, 0, 1), changed(SEALED, 5, 1), SEALED + b"x"):
        with pytest.raises(NotOpened) as refused:
            SUITE.open(SESSION.state, HERE, wrong)
        said.add((str(refused.value), refused.value.status))
        assert refused.value.__suppress_context__ or refused.value.__context__ is None
    assert len(said) == 1
    assert "OK" not in said.pop()[0]


def recording(drawn: list[bytes]) -> Callable[[int], bytes]:
    """A source of random bytes that remembers them."""

    def draw(count: int) -> bytes:
        drawn.append(secrets.token_bytes(count))
        return drawn[-1]

    return draw


def test_no_secret_is_in_a_representation() -> None:
    """Whatever is logged by mistake, keys, factors and bodies are not in it."""
    drawn: list[bytes] = []
    terminal = TerminalCipher(SN, SECRET, random=recording(drawn))
    shown = [repr(SUITE), repr(terminal)]
    keys = SUITE.begin(SN, SECRET, terminal.begin())
    shown += [repr(keys), repr(terminal)]
    factor = terminal.factor(keys.answer)
    shown += [repr(terminal)]
    private, r1, *_ = drawn
    session = SUITE.agree(keys.state, factor)
    terminal.agree(session.answer)
    opened = SUITE.open(session.state, HERE, terminal.seal(HERE, RECORD).sealed)
    shown += [repr(session), repr(terminal), repr(opened), repr(terminal.keys)]
    assert terminal.keys is not None
    secrets = [SECRET, private, r1, terminal.keys.request, terminal.keys.reply, RECORD]
    secrets += [keys.state, session.state]
    for text in shown:
        for secret in secrets:
            assert repr(secret)[2:-1] not in text
            assert secret.hex() not in text
    kept = attrs.astuple(terminal, recurse=False)
    assert private not in kept
    assert r1 not in kept


def test_states_of_the_suite_do_not_show_themselves() -> None:
    """The values inside a state have no contents in their representation."""
    assert repr(PendingKeys(SN, b"p", b"k", SECRET)) == "<PendingKeys>"
    assert repr(AgreedSession(b"a", b"b")) == "<AgreedSession>"


def test_the_private_key_is_gone_after_the_exchange() -> None:
    """What the server keeps of a session opens no recorded exchange."""
    drawn: list[bytes] = []
    terminal = TerminalCipher(SN, random=recording(drawn))
    keys = SUITE.begin(SN, b"", terminal.begin())
    (private,) = drawn
    session = SUITE.agree(keys.state, terminal.factor(keys.answer))
    assert private not in session.state
    assert base64.b64decode(keys.answer)[1:] not in session.state
    assert len(session.state) < 100


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: SUITE.open(SESSION.state, HERE, b"\x01" + bytes(64 * MIB)),
        lambda: SUITE.open(SESSION.state, HERE, SEALED[:21] + bytes(64 * MIB)),
        lambda: SUITE.begin(SN, b"", b"A" * 64 * MIB),
        lambda: SUITE.agree(KEYS.state, b"A" * 64 * MIB),
        lambda: SUITE.open(SESSION.state, place(f"cdata?SN={SN}&a=" + "%41" * MIB), SEALED),
        lambda: SUITE.open(b"\x01\xdd\xff\xff\xff\xff" + bytes(MIB), HERE, SEALED),
        lambda: SUITE.open(b"\x01" + b"\x91" * MIB, HERE, SEALED),
    ],
)
def test_huge_input_is_refused_in_a_short_time(attempt: object) -> None:
    """Nothing that a terminal can send takes longer than reading it."""
    began = time.thread_time()
    with pytest.raises(NotOpened):
        attempt()  # type: ignore[operator]
    assert time.thread_time() - began < SECONDS


def test_a_body_beyond_the_limit_is_neither_sealed_nor_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """AES-GCM has an end, and it is not looked for."""
    session = agree()
    body = bytes(2000)
    sealed = session.terminal.seal(HERE, body).sealed
    monkeypatch.setattr(sealing, "MOST_BODY", len(body) - 1)
    with pytest.raises(NotOpened):
        SUITE.open(session.state, HERE, sealed)
    with pytest.raises(ValueError, match="too large"):
        session.terminal.seal(HERE, body)


def test_a_large_body_is_sealed_and_opened() -> None:
    """What a full packet needs."""
    session, body = agree(), b"x" * (16 * MIB)
    assert SUITE.open(session.state, HERE, session.terminal.seal(HERE, body).sealed).body == body


def test_values_fit_into_the_exchange() -> None:
    """Public keys and factors are far from the limit of a value."""
    assert len(KEYS.answer) < MOST_VALUE
