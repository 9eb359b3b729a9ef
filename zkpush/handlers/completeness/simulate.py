"""Counts of a simulated terminal."""

from __future__ import annotations

from ...simulator.query import verify_sum

EXECUTE = {
    "VERIFY SUM ATTLOG": verify_sum,
}
