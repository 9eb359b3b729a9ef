"""Access data of areas."""

from zkpush.protocol.fields import Scope

ROUTES = {
    "GET /api/v1/access-tables": Scope.READ,
    "GET /api/v1/areas/{name}/{table}": Scope.READ,
    "PUT /api/v1/areas/{name}/{table}/{key}": Scope.WRITE,
    "DELETE /api/v1/areas/{name}/{table}/{key}": Scope.WRITE,
    "GET /api/v1/areas/{name}/{table}/{key}/terminals": Scope.READ,
    "GET /api/v1/devices/{sn}/access-data": Scope.READ,
}
