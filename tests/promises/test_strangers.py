"""What docs/security.md says of strangers beside its table of settings, tried through HTTP."""

from __future__ import annotations

import base64
import re

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from zkpush.persist.transaction import Transaction

from ..declared import RECORD_TABLES
from ..rig import Rig
from ..server.files import fetch
from .callers import Caller, head, turns
from .test_identity_of_files import PACKAGE, holds_people, with_people
from .test_identity_of_keys import THEIRS, change, exchange, fingerprint, keys
from .test_identity_of_sessions import (
    BEGIN_AGAIN,
    HERE,
    IDLE,
    LINE,
    PASSWORD,
    POLL,
    STORED,
    THERE,
    UPLOAD,
    Client,
    begun,
    order,
    problems,
    sealed,
)
from .test_threat_model import (
    SECRET,
    SECURITY,
    Sealed,
    no_token,
    requires_secret,
)

SHORT_BODY = 60_000


def count_devices(tx: Transaction) -> int:
    """How many terminals are in the store."""
    return tx.connection.exec_driver_sql("SELECT count(*) FROM devices").scalar_one()


async def waits_for_proof(rig: Rig, terminal: Client) -> None:
    """Check that a stranger's sealed session holds secrets back from a plain terminal.

    They come when it is told to stay plain.
    """
    assert await terminal.upload() == BEGIN_AGAIN
    await begun(terminal)
    await order(rig, "DATA UPDATE USERINFO", **PASSWORD)
    assert await terminal.poll() == IDLE
    assert "commands wait for proof" in await problems(rig)
    await change(rig, encryption="never")
    await terminal.exchange()
    assert b"Passwd=71553" in (await terminal.poll())[1]


@pytest_twisted.ensureDeferred
async def test_a_sealed_session_of_a_stranger_holds_secrets_back(rig: Rig) -> None:
    """A plain terminal gets no command with a password until it is told to stay plain."""
    terminal = await no_token(rig)
    stranger = Sealed(rig, THERE)
    await stranger.begin()
    assert (await stranger.ask("POST", UPLOAD, LINE)).body == b"OK: 1"
    await waits_for_proof(rig, terminal)


async def approved(rig: Rig, secret: bytes) -> None:
    """Approve the terminal, with a shared secret if there is one."""
    values: dict[str, object] = {"state": "approved"}
    if secret:
        values["secret"] = base64.b64encode(secret).decode()
    assert (await rig.api("PUT", "/devices/T1", values)).status == 200


@pytest.mark.parametrize("secret", [b"", SECRET])
@pytest_twisted.ensureDeferred
async def test_a_terminal_that_seals_and_returns_tokens_proves_itself(
    rig: Rig, secret: bytes
) -> None:
    """Its token or a shared secret is the proof, even if a stranger returned a token first."""
    await approved(rig, secret)
    if secret:
        await begun(Client(rig, THERE))
    terminal = Sealed(rig, HERE, secret, returns=True)
    await terminal.begin()
    assert (await terminal.ask("POST", UPLOAD, LINE)).body == b"OK: 1"
    await order(rig, "DATA UPDATE USERINFO", **PASSWORD)
    if not secret:
        stranger = Sealed(rig, THERE, returns=True)
        await stranger.begin()
        assert (await stranger.ask("GET", POLL)).body == b"OK"
        await terminal.begin()
        rig.clock.advance(61)
    assert b"Passwd=71553" in (await terminal.ask("GET", POLL)).body


@pytest_twisted.ensureDeferred
async def test_at_one_address_the_last_exchange_counts(rig: Rig) -> None:
    """A terminal whose token a neighbour's replaced takes its place back by its exchange."""
    terminal = await begun(Client(rig))
    stranger = await begun(Client(rig))
    assert await terminal.upload() == BEGIN_AGAIN
    await begun(terminal)
    assert await stranger.upload() == BEGIN_AGAIN
    await order(rig, "DATA UPDATE USERINFO", **PASSWORD)
    assert b"Passwd=71553" in (await terminal.poll())[1]


@pytest.mark.parametrize("is_new", [False, True])
@pytest_twisted.ensureDeferred
async def test_a_returned_token_locks_out_a_terminal_that_returns_none(
    rig: Rig, is_new: bool
) -> None:
    """At its own address, or before it connects, until an operator says otherwise."""
    terminal = Client(rig, returns=False)
    if not is_new:
        await begun(terminal)
    await begun(Client(rig, THERE if is_new else HERE))
    await terminal.exchange()
    assert await terminal.upload() == BEGIN_AGAIN
    assert "token not returned" in await problems(rig)
    await change(rig, token="check" if is_new else "ignore")
    assert await terminal.upload() == STORED


@pytest_twisted.ensureDeferred
async def test_the_first_token_that_is_returned_is_trusted(rig: Rig) -> None:
    """With `require`, too; the terminal gets commands with secrets once tokens are forgotten."""
    await rig.api("PUT", "/devices/T1", {"state": "approved", "token": "require"})
    await begun(Client(rig, THERE))
    terminal = await begun(Client(rig))
    await order(rig, "DATA UPDATE USERINFO", **PASSWORD)
    assert await terminal.poll() == IDLE
    await change(rig, token="check")
    await begun(terminal)
    await change(rig, token="require")
    rig.clock.advance(61)
    assert b"Passwd=71553" in (await terminal.poll())[1]


@pytest_twisted.ensureDeferred
async def test_the_url_of_a_file_is_enough(rig: Rig) -> None:
    """Also of a terminal that has to encrypt with a shared secret: only its networks bound it."""
    await with_people(rig)
    terminal = await requires_secret(rig)
    await order(rig, "PutFile", **PACKAGE)
    found = re.search(rb"file/[^/\s]+/[^\s,]+", (await terminal.ask("GET", POLL)).body)
    assert found is not None
    url = found[0].decode()
    assert holds_people(await fetch(rig, url))
    await change(rig, networks=[f"{HERE}/32"])
    assert (await rig.get(url, address=THERE)).status == 403
    await change(rig, state="blocked")
    assert (await rig.get(url, address=HERE)).status == 403


@pytest_twisted.ensureDeferred
async def test_exchanges_without_a_key_count_after_a_block(make_rig) -> None:
    """A terminal that was approved without a key, and blocked, is not locked out by approval."""
    rig = await make_rig(admission="approve")
    await exchange(rig, None)
    await change(rig, state="approved")
    assert (await exchange(rig, None)).status == 200
    await change(rig, state="blocked")
    await change(rig, state="approved")
    await exchange(rig, THEIRS, THERE)
    await change(rig, state="blocked")
    await change(rig, state="approved")
    assert await keys(rig) == (None, [(fingerprint(THEIRS), THERE)])
    assert "several pushcommkeys" in await problems(rig)
    assert (await exchange(rig, None)).status == 200


@pytest_twisted.ensureDeferred
async def test_a_sealed_upload_is_taken_once_over_all_nodes(make_rig, tmp_path) -> None:
    """At once, and after a node that did not end in an orderly way."""
    database = f"sqlite:///{tmp_path / 'db.sqlite'}"
    one, other = [await make_rig(database=database) for _ in range(2)]
    terminal = await sealed(one)
    captured, *_ = terminal.request("POST", UPLOAD, LINE)
    assert (await terminal.send(captured)).status == 200
    for node in (other, await make_rig(database=database)):
        terminal.rig = node
        reply = await terminal.send(captured)
        assert (reply.status, reply.body) == BEGIN_AGAIN


@pytest.mark.parametrize("admission", ["approve", "open", "closed"])
@pytest_twisted.ensureDeferred
async def test_a_flood_in_a_terminal_s_name_is_the_same_under_each_mode(
    make_rig, admission: str
) -> None:
    """The stranger gets 429 beyond the limit; the terminal and others are served."""
    rig = await make_rig(admission=admission, limits={"requests_per_minute": 20})
    for sn in ("T1", "T2"):
        await rig.api("PUT", f"/devices/{sn}", {"state": "approved"})
        assert (await rig.exchange(sn)).status == 200
    flood = [(await rig.get("ping?SN=T1", address=THERE)).status for _ in range(40)]
    assert flood == [200] * 20 + [429] * 20
    for sn in ("T1", "T2"):
        assert (await rig.get(f"getrequest?SN={sn}")).body == b"OK"


@pytest_twisted.ensureDeferred
async def test_a_terminal_without_its_share_of_memory_still_sends_punches(make_rig) -> None:
    """Bodies of up to 4 KiB are not counted: a stranger in its name takes no room from them."""
    rig = await make_rig(limits={"bodies_bytes": 4 * 2**20, "body_bytes": 2**21})
    assert (await rig.exchange()).status == 200
    strangers = [
        Caller(rig, head(UPLOAD, SHORT_BODY), f"203.0.113.{number}") for number in range(40)
    ]
    assert any(stranger.reply.startswith(b"HTTP/1.1 503 ") for stranger in strangers)
    refused = Caller(rig, head(UPLOAD, SHORT_BODY))
    assert (await refused.replied()).startswith(b"HTTP/1.1 503 ")
    body = (LINE * 200)[: 4096 // len(LINE) * len(LINE)]
    assert (await rig.post(UPLOAD, body)).status == 200


@pytest.mark.parametrize("admission", ["approve", "open"])
@pytest_twisted.ensureDeferred
async def test_new_serial_numbers_are_recorded_at_a_pace(make_rig, admission: str) -> None:
    """A hundred at once, then 50 a second, however many come."""
    rig = await make_rig(admission=admission)
    arrivals = [
        Deferred.fromCoroutine(rig.get(f"ping?SN=X{number}", address=f"198.51.100.{number}"))
        for number in range(250)
    ]
    counts = []
    for _ in range(4):
        for _ in range(3):  # look-ups, then records
            await turns()
            await rig.store.write(lambda tx: None)
        counts.append(await rig.store.read(count_devices))
        for _ in range(5):
            rig.clock.advance(0.2)
    assert counts == [100, 150, 200, 250]
    await gatherResults(arrivals)


def test_the_page_names_the_lengths_of_the_tables() -> None:
    """Lines of these lengths are never deferred, as the table of docs/performance.md says."""
    page = SECURITY.with_name("performance.md").read_text()
    rows = re.findall(r"^\| (.*`[A-Z]+`.*?) \| (\d+) \|", page, re.MULTILINE)
    shown = {name: int(length) for names, length in rows for name in re.findall(r"`(\w+)`", names)}
    least = {table.name: table.least_bytes for table in RECORD_TABLES if table.least_bytes}
    assert len(shown) > 8
    assert shown == {name: least[name] for name in shown}
    assert set(least.values()) == {*shown.values(), 192}
