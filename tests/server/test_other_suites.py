"""A cipher suite of somebody else's: without numbers, and for uploads only."""

from __future__ import annotations

import pytest
import pytest_twisted
from zope.interface import implementer

from zkpush.interfaces import ICipherSuite
from zkpush.protocol.envelope import Direction, Exchanged, NotOpened, Opened, Place

from ..rig import Response, Rig

UPLOAD = "cdata?SN=T1&table=ATTLOG&Stamp=1"
LINE = b"7\t2026-01-05 08:00:00\t0\t1\n"
MARK = b"sealed:"
BEGIN_AGAIN = (200, b"UNKNOWN DEVICE")


@implementer(ICipherSuite)
class VendorSuite:
    """Marks what is uploaded, and what that is answered with; no cipher at all."""

    name = "vendor"
    weakness = ""
    exchanges = True

    def check_secret(self, secret: bytes) -> None:
        """Take any."""

    def covers(self, place: Place, direction: Direction) -> bool:
        """What is posted."""
        return place.method == "POST"

    def begin(self, sn: str, secret: bytes, public_key: bytes) -> Exchanged:
        """Answer a key."""
        return Exchanged(b"keys", b"P2")

    def agree(self, state: bytes, factor: bytes) -> Exchanged:
        """Answer a factor."""
        return Exchanged(b"session", b"R2")

    def open(self, state: bytes, place: Place, sealed: bytes) -> Opened:
        """Take off the mark."""
        if state != b"session" or not sealed.startswith(MARK):
            raise NotOpened
        return Opened(sealed.removeprefix(MARK), None)

    def seal(self, state: bytes, place: Place, number: int | None, body: bytes) -> bytes:
        """Put on the mark."""
        return MARK + body


@pytest.fixture
def vendor_rig(rig: Rig) -> Rig:
    """A daemon with that suite."""
    rig.registry.ciphers.suites["vendor"] = VendorSuite()
    return rig


def said(response: Response) -> tuple[int, bytes]:
    """Status and body."""
    return response.status, response.body


async def agree(rig: Rig, **values: str) -> None:
    """Make all exchanges under the suite."""
    await rig.exchange()
    response = await rig.api("PATCH", "/devices/T1", {"cipher": "vendor", **values})
    assert response.status == 200, response.raw
    await rig.exchange()
    keys = await rig.post("exchange?SN=T1&type=publickey", b"PublicKey=P1")
    assert said(keys) == (200, b"PublicKey=P2")
    factors = await rig.post("exchange?SN=T1&type=factors", b"Factors=R1")
    assert said(factors) == (200, b"Factors=R2")


@pytest.mark.parametrize("policy", ["prefer", "require"])
@pytest_twisted.ensureDeferred
async def test_what_the_suite_covers_is_sealed_and_the_rest_is_plain(
    vendor_rig: Rig, policy: str
) -> None:
    """The suite says which requests and replies are sealed; a plain upload is not served."""
    rig = vendor_rig
    await agree(rig, encryption=policy)
    assert said(await rig.get("getrequest?SN=T1")) == (200, b"OK")
    assert said(await rig.post(UPLOAD, MARK + LINE)) == (200, MARK + b"OK: 1")
    assert (await rig.items("/devices"))[0]["session"] == "encrypted"
    assert said(await rig.post(UPLOAD, LINE)) == BEGIN_AGAIN
    assert said(await rig.get("getrequest?SN=T1")) == (200, b"OK")
    assert said(await rig.post(UPLOAD, MARK + LINE)) == (200, MARK + b"OK: 1")
    assert [item["pin"] for item in await rig.items("/attendance")] == ["7"]
    assert await rig.items("/rejects") == []


@pytest_twisted.ensureDeferred
async def test_a_changed_option_is_told_there_too(vendor_rig: Rig) -> None:
    """Plain polls of an encrypted session are told to begin again, as all others are."""
    await agree(vendor_rig)
    await vendor_rig.post(UPLOAD, MARK + LINE)
    await vendor_rig.api("PATCH", "/devices/T1", {"settings": {"Delay": 5}})
    assert said(await vendor_rig.get("getrequest?SN=T1")) == BEGIN_AGAIN
    assert said(await vendor_rig.post(UPLOAD, MARK + LINE)) == (200, MARK + b"OK: 1")


@pytest_twisted.ensureDeferred
async def test_a_suite_that_was_uninstalled_ends_its_sessions(vendor_rig: Rig) -> None:
    """Nothing opens without it, and nothing plain is served in an encrypted session."""
    await agree(vendor_rig)
    await vendor_rig.post(UPLOAD, MARK + LINE)
    del vendor_rig.registry.ciphers.suites["vendor"]
    assert said(await vendor_rig.post(UPLOAD, MARK + LINE)) == BEGIN_AGAIN
    await vendor_rig.exchange()
    keys = await vendor_rig.post("exchange?SN=T1&type=publickey", b"PublicKey=P1")
    assert keys.status == 403
    assert said(await vendor_rig.post(UPLOAD, LINE)) == (200, b"OK: 1")
