"""`zkpush photos`."""

from __future__ import annotations

import csv
import io
import json
import pathlib
import stat

import pytest

from .program import Daemon, failed, said

JPEG = "\xff\xd8\xff"
"""The first bytes of a picture, in Latin-1."""


@pytest.fixture(scope="module")
def photo(daemon: Daemon) -> str:
    """The id of a photo that a terminal has sent."""
    head = "PIN=20260301080000-7.jpg\nSN=PHOTO1\nsize=3\nCMD=uploadphoto\0"
    body = (head + JPEG).encode("latin-1")
    assert daemon.terminal("PHOTO1").ask("POST", "cdata", "&table=ATTPHOTO&Stamp=1", body) == b"OK"
    (item,) = json.loads(said(daemon.zkpush("photos", "list", "--device", "PHOTO1", "--json")))
    assert (item["pin"], item["time"], item["size"]) == ("7", "2026-03-01T08:00:00", 3)
    return str(item["id"])


def test_photos_are_listed(daemon: Daemon, photo: str) -> None:
    """Of a terminal, of a user, or all; as a table and as CSV."""
    assert "2026-03-01 08:00:00" in said(daemon.zkpush("photos", "list", "--device", "PHOTO1"))
    rows = csv.DictReader(io.StringIO(said(daemon.zkpush("photos", "list", "--pin", "7", "--csv"))))
    assert photo in [row["id"] for row in rows]
    assert json.loads(said(daemon.zkpush("photos", "list", "--pin", "8", "--json"))) == []


def test_a_picture_is_saved(daemon: Daemon, photo: str, tmp_path: pathlib.Path) -> None:
    """For its owner only, and not over another file; the audit log knows."""
    out = tmp_path / "punch.jpg"
    assert said(daemon.zkpush("photos", "save", photo, str(out))) == ""
    assert out.read_bytes() == JPEG.encode("latin-1")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert "exists already" in failed(daemon.zkpush("photos", "save", photo, str(out)))
    actions = [one["action"] for one in daemon.api("GET", "audit?order=desc")["items"]]
    assert any("photo" in action for action in actions)


def test_of_a_photo_that_is_not_there_nothing_is_left(
    daemon: Daemon, tmp_path: pathlib.Path
) -> None:
    """The message says where those that are there are listed."""
    out = tmp_path / "punch.jpg"
    assert "zkpush photos list" in failed(daemon.zkpush("photos", "save", "99999", str(out)))
    assert not out.exists()
