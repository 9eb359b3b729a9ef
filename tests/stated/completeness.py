"""Completeness: comparisons of the records of terminals with the stored ones."""

from zkpush.protocol.fields import Scope

ROUTES = {
    "GET /api/v1/attendance/verify": Scope.READ,
    "GET /api/v1/attendance/verify/{id}": Scope.READ,
    "POST /api/v1/attendance/verify": Scope.WRITE,
}
