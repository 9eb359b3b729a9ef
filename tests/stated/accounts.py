"""Accounts of the console."""

from zkpush.protocol.fields import Scope

ROUTES = {
    "GET /api/v1/accounts": Scope.ADMIN,
    "POST /api/v1/accounts": Scope.ADMIN,
    "PATCH /api/v1/accounts/{name}": Scope.ADMIN,
    "DELETE /api/v1/accounts/{name}": Scope.ADMIN,
    "POST /api/v1/accounts/{name}/link": Scope.ADMIN,
    "POST /api/v1/console/link": Scope.ADMIN,
}
