"""What a simulated terminal does with its attendance records."""

from __future__ import annotations

from ...simulator.query import verify_sum

EXECUTE = {
    "VERIFY SUM ATTLOG": verify_sum,
}
