"""Terminals that are online: rows and queries agree, on every database."""

from __future__ import annotations

import pytest
import pytest_twisted

from zkpush.model import Page
from zkpush.persist.devices import DeviceStore
from zkpush.persist.online import OnlineWindow

from .contract import NOW, in_file, on_postgresql, with_store

DELAY, SLACK = 10, 5000
"""Seconds between the requests of terminals without a setting, and milliseconds of grace."""


def listed(tx, window: OnlineWindow, *, is_online: bool) -> list[str]:
    """The serial numbers of a filter."""
    found = tx[DeviceStore].search(Page(10), window=window, is_online=is_online)
    return [device.sn for device in found]


def make_window_tests(factory):
    """The tests of the window; `factory` makes an empty store, from pytest's request."""

    class WindowTests(with_store(factory)):
        @pytest.mark.parametrize(
            ("own", "pace"),
            [(None, None), (1, None), (30, None), ("30", 20), (600, 60), (None, 60), ("1", 2)],
        )
        @pytest_twisted.ensureDeferred
        async def test_rows_and_queries_have_one_boundary(self, store, device, own, pace) -> None:
            """In the millisecond in which the window ends for a row, it ends for the query."""
            settings = {} if own is None else {"Delay": own}
            values = {"last_seen_at": NOW, "settings": settings, "poll_interval": pace}
            await store.write(lambda tx: tx[DeviceStore].change(device.id, values))
            end = NOW + 3000 * max(int(own or DELAY), pace or 0) + SLACK
            expected = {NOW: True, end - 1: True, end: True, end + 1: False}
            for at, is_online in expected.items():
                window = OnlineWindow(at, DELAY, SLACK)

                def look(tx, window=window):
                    counted = tx[DeviceStore].counts(window)
                    return (
                        window.holds(tx[DeviceStore].find("T1")),
                        bool(sum(some for _, some in counted.values())),
                        listed(tx, window, is_online=True) == ["T1"],
                        listed(tx, window, is_online=False) == [],
                    )

                assert await store.read(look) == (is_online,) * 4

        @pytest_twisted.ensureDeferred
        async def test_who_has_just_been_heard_is_online(self, store, device, other) -> None:
            """Although the request is not stored yet; who never made one is not."""
            window = OnlineWindow(NOW, DELAY, SLACK, heard=[device.id])

            def look(tx):
                return [
                    [one.sn for one in tx[DeviceStore].search(Page(10)) if window.holds(one)],
                    listed(tx, window, is_online=True),
                    listed(tx, window, is_online=False),
                    tx[DeviceStore].counts(window),
                ]

            assert await store.read(look) == [["T1"], ["T1"], ["T2"], {"approved": (2, 1)}]

    return WindowTests


class TestWindowSQLite(make_window_tests(in_file)):
    """SQLite in a file."""


class TestWindowPostgreSQL(make_window_tests(on_postgresql)):
    """PostgreSQL."""
