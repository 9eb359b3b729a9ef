"""`zkpush areas`."""

from __future__ import annotations

import json

from .program import Daemon, cells, failed, said


def test_areas(daemon: Daemon) -> None:
    """An area is added, listed, shown and deleted."""
    stored = said(daemon.zkpush("areas", "put", "Shed", "--description", "Behind the hall"))
    assert stored == "Area Shed is stored: 0 terminals, 0 people.\n"
    assert ["Shed", "Behind", "the", "hall", "no", "0", "0"] in cells(
        said(daemon.zkpush("areas", "list"))
    )
    shown = json.loads(said(daemon.zkpush("areas", "show", "Shed", "--json")))
    assert (shown["description"], shown["distributes"]) == ("Behind the hall", False)
    assert said(daemon.zkpush("areas", "delete", "Shed", "--yes")) == "Area Shed is deleted.\n"
    assert failed(daemon.zkpush("areas", "show", "Shed")) == (
        "Error: There is no area Shed. See: zkpush areas list"
    )
