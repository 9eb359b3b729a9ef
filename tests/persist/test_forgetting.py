"""Templates that are stored are removed, for a server that is to have none any more."""

from __future__ import annotations

import base64
import pathlib

import pytest
import pytest_twisted

from zkpush.handlers.attendance.photos import AttendancePhotoStore
from zkpush.handlers.logs.store import IdCardStore
from zkpush.handlers.people.arrivals import BRING
from zkpush.handlers.people.store import PeopleStore
from zkpush.interfaces import StoreError
from zkpush.maintenance import forget_templates
from zkpush.persist.audit import AuditStore
from zkpush.persist.commands import CommandStore
from zkpush.persist.devices import DeviceStore
from zkpush.persist.pictures import PictureStore
from zkpush.persist.rejects import RejectStore
from zkpush.protocol.photos import Photo
from zkpush.protocol.rejects import Reject
from zkpush.values.commands import CommandState

from ..keys import KEY
from .conftest import opened
from .contract import EVERYTHING, NOW, UTC, add_terminal, command, say

FACE, PORTRAIT = b"\xff\xd8\xfface" * 9, b"\xff\xd8\xffportrait" * 9
TEMPLATE = "QUFB" * 9


def lines() -> str:
    """What terminals have sent."""
    face, portrait = (base64.b64encode(picture).decode() for picture in (FACE, PORTRAIT))
    return (
        f"USER PIN=1\tName=Ann\tPasswd=1234\nFP PIN=1\tFID=1\tTMP={TEMPLATE}\n"
        f"BIODATA Pin=1\tType=9\tTmp={TEMPLATE}\nBIOPHOTO PIN=1\tType=9\tContent={face}\n"
        f"BIOPHOTO PIN=2\tType=9\tContent={portrait}\nUSERPIC PIN=1\tContent={portrait}\n"
        f"IDCARD PIN=1\tName=Ann\tFPTemplate1={TEMPLATE}\n"
    )


async def fill(url: str) -> None:
    """Store everything that holds templates, and what does not."""
    store = opened(url, KEY)
    device = await add_terminal(store, "T1")

    def unit(tx) -> None:
        say(device, lines())(tx)
        tx[AttendancePhotoStore].add(
            device.id, Photo("20260105080000-1.jpg", b"\xff\xd8\xffpunch"), UTC, NOW
        )
        update = {"PIN": "1", "FID": "1", "TMP": TEMPLATE}
        tx[CommandStore].add(device.id, command("c1", "DATA UPDATE FINGERTMP", update), NOW)
        tx[CommandStore].add(device.id, command("c2", "DATA UPDATE USERINFO", {"PIN": "1"}), NOW)
        tx[RejectStore].add(
            device.id, [Reject("FP", "x", b"TMP"), Reject("USER", "y", b"Name")], NOW
        )

    await store.write(unit)
    await store.stop()


@pytest_twisted.ensureDeferred
async def test_templates_are_forgotten(url: str, data: pathlib.Path) -> None:
    """With all that holds any; people, photos and whatever else is there stay."""
    await fill(url)
    assert forget_templates(data, None, url) == 4
    store = opened(url, KEY)

    def read(tx) -> None:
        assert tx[PeopleStore].templates("1") == []
        (user, other) = tx[PeopleStore].users(EVERYTHING)
        assert (user.name, user.password, user.templates) == ("Ann", "1234", {})
        assert (other.pin, other.has_photo) == ("2", False)
        (picture,) = tx[PeopleStore].photos("1")
        assert (picture.kind, picture.content) == ("USERPIC", PORTRAIT)
        (photo,) = tx[AttendancePhotoStore].page(EVERYTHING, None, None)
        assert tx[AttendancePhotoStore].content(photo.id) == b"\xff\xd8\xffpunch"
        (card,) = tx[IdCardStore].page(EVERYTHING, None)
        assert (card.name, card.fingerprint_1) == ("Ann", None)
        first, second = tx[CommandStore].get("c1"), tx[CommandStore].get("c2")
        assert (first.state, first.params, first.text) == (CommandState.CANCELLED, {}, "")
        assert (second.state, second.params) == (CommandState.QUEUED, {"PIN": "1"})
        rejects = tx[RejectStore].page(EVERYTHING, None)
        assert [(one.reason, one.raw) for one in rejects] == [("x", b""), ("y", b"Name")]
        actions = [one.action for one in tx[AuditStore].page(EVERYTHING)]
        assert actions == [BRING, "forget templates"]
        with pytest.raises(LookupError):
            tx[PictureStore].get(tx.vault.index(FACE).hex())

    await store.read(read)
    device = await store.read(lambda tx: tx[DeviceStore].find("T1"))
    await store.write(say(device, lines()))
    assert (
        len(await store.read(lambda tx: tx[PeopleStore].templates("1"))) == 2
    )  # they are news again
    await store.stop()
    assert forget_templates(data, None, url) == 4


@pytest_twisted.ensureDeferred
async def test_templates_are_not_forgotten_under_a_daemon(tmp_path, data: pathlib.Path) -> None:
    """It would go on with what it knows."""
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    await fill(url)
    store = opened(url, KEY)
    with pytest.raises(StoreError, match="a daemon uses the database"):
        forget_templates(data, None, url)
    assert len(await store.read(lambda tx: tx[PeopleStore].templates("1"))) == 2
    await store.stop()
