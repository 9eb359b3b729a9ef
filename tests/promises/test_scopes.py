"""Scopes follow the damage: what each one permits, over all routes, commands and attributes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping

import msgspec
import pytest
import pytest_twisted

from zkpush.protocol import handshake
from zkpush.protocol.exchange import OPTION_REPLY
from zkpush.protocol.fields import Field, Scope

from ..rig import Response, Rig
from ..server.files import post
from ..server.sse import Listening
from ..stated import stated, stated_mapping

R, B, W, D, A = Scope.READ, Scope.BIOMETRICS, Scope.WRITE, Scope.DANGEROUS, Scope.ADMIN
ATTENDANCE = Scope.ATTENDANCE
ROUTES = {
    "GET /health": None,
    "GET /metrics": None,
    "GET /api/v1/openapi.json": R,
    "GET /api/v1/devices": R,
    "GET /api/v1/devices/{sn}": R,
    "PUT /api/v1/devices/{sn}": W,
    "PATCH /api/v1/devices/{sn}": W,
    "DELETE /api/v1/devices/{sn}": W,
    "GET /api/v1/devices/{sn}/commands": R,
    "POST /api/v1/devices/{sn}/commands": W,
    "POST /api/v1/devices/{sn}/recompute": W,
    "GET /api/v1/devices/{sn}/trace": R,
    "GET /api/v1/devices/{sn}/doctor": R,
    "GET /api/v1/doctor": R,
    "POST /api/v1/devices/{sn}/resend": W,
    "POST /api/v1/devices/{sn}/door": D,
    "POST /api/v1/devices/{sn}/reboot": W,
    "POST /api/v1/devices/{sn}/replace": W,
    "POST /api/v1/devices/{sn}/retire": W,
    "PUT /api/v1/devices/{sn}/users/{pin}": W,
    "DELETE /api/v1/devices/{sn}/users/{pin}": W,
    "GET /api/v1/commands": R,
    "POST /api/v1/commands": W,
    "GET /api/v1/commands/catalogue": R,
    "GET /api/v1/commands/{id}": R,
    "DELETE /api/v1/commands/{id}": W,
    "GET /api/v1/jobs": R,
    "GET /api/v1/jobs/{id}": R,
    "DELETE /api/v1/jobs/{id}": W,
    "POST /api/v1/jobs/{id}/retry": W,
    "GET /api/v1/users": R,
    "GET /api/v1/names": ATTENDANCE,
    "GET /api/v1/users/{pin}": R,
    "PUT /api/v1/users/{pin}": W,
    "DELETE /api/v1/users/{pin}": W,
    "PUT /api/v1/users/{pin}/photo": W,
    "DELETE /api/v1/users/{pin}/photo": W,
    "POST /api/v1/users/{pin}/enrol": W,
    "GET /api/v1/users/{pin}/enrol/{id}": R,
    "GET /api/v1/users/{pin}/history": R,
    "GET /api/v1/users/{pin}/earlier": R,
    "DELETE /api/v1/users/{pin}/earlier/{id}": D,
    "POST /api/v1/users/import": W,
    "GET /api/v1/areas": R,
    "GET /api/v1/areas/{name}": R,
    "PUT /api/v1/areas/{name}": W,
    "DELETE /api/v1/areas/{name}": W,
    "GET /api/v1/areas/{name}/distribution": R,
    "GET /api/v1/areas/{name}/drift": R,
    "POST /api/v1/areas/{name}/repair": W,
    "GET /api/v1/users/{pin}/places": R,
    "POST /api/v1/users/{pin}/send": W,
    "GET /api/v1/devices/{sn}/users": R,
    "POST /api/v1/devices/{sn}/repair": W,
    "POST /api/v1/devices/{sn}/copy": W,
    "POST /api/v1/devices/{sn}/adopt": W,
    "GET /api/v1/conflicts": R,
    "GET /api/v1/conflicts/punches": R,
    "POST /api/v1/conflicts/punches/{id}": W,
    "POST /api/v1/conflicts/{id}": W,
    "GET /api/v1/users/{pin}/templates": B,
    "GET /api/v1/users/{pin}/photos": B,
    "GET /api/v1/attendance": ATTENDANCE,
    "GET /api/v1/attendance/days": ATTENDANCE,
    "GET /api/v1/operations": R,
    "GET /api/v1/errors": R,
    "GET /api/v1/idcards": R,
    "GET /api/v1/rejects": R,
    "GET /api/v1/rejects/{id}": R,
    "DELETE /api/v1/rejects/{id}": D,
    "POST /api/v1/rejects/retry": W,
    "GET /api/v1/photos": R,
    "GET /api/v1/photos/{id}/content": B,
    "GET /api/v1/entries": R,
    "GET /api/v1/files": R,
    "GET /api/v1/files/{id}": R,
    "POST /api/v1/files": D,
    "GET /api/v1/files/{id}/content": D,
    "DELETE /api/v1/files/{id}": D,
    "GET /api/v1/events": R,
    "GET /api/v1/problems": R,
    "GET /api/v1/plugins": R,
    "GET /api/v1/tokens": A,
    "POST /api/v1/tokens": A,
    "DELETE /api/v1/tokens/{name}": A,
    "GET /api/v1/audit": A,
    "GET /api/v1/forwarders": A,
    "POST /api/v1/forwarders": A,
    "GET /api/v1/forwarders/{id}": A,
    "PATCH /api/v1/forwarders/{id}": A,
    "DELETE /api/v1/forwarders/{id}": A,
    "POST /api/v1/forwarders/{id}/pause": A,
    "POST /api/v1/forwarders/{id}/resume": A,
    "POST /api/v1/forwarders/{id}/test": A,
    "POST /api/v1/forwarders/{id}/rotate": A,
    "POST /api/v1/forwarders/{id}/replay": A,
    "POST /api/v1/forwarders/{id}/discard": A,
    "GET /api/v1/forwarders/{id}/deliveries": A,
    "GET /api/v1/forwarders/{id}/dead": A,
    "GET /api/v1/forwarder-kinds": A,
    "GET /api/v1/settings": A,
    **stated_mapping("ROUTES"),
}
"""The scope of every route; None where no token is needed."""

DANGEROUS_COMMANDS = frozenset(
    {
        "CLEAR LOG",
        "CLEAR PHOTO",
        "CLEAR DATA",
        "CLEAR BIODATA",
        "CLEAR ALL USERINFO",
        "AC_UNLOCK",
        "AC_UNALARM",
        "SHELL",
        "GetFile",
        "PutFile",
        "UPGRADE",
        "RAW",
        *stated("DANGEROUS_COMMANDS"),
    }
)

COMMANDS: list[tuple[str, Mapping[str, str], frozenset[Scope]]] = [
    ("SET OPTION", {"key": "VOLUME", "value": "80"}, frozenset({W})),
    ("SET OPTION", {"key": "~DeviceName", "value": "Gate 4"}, frozenset({W})),
    ("SET OPTION", {"key": "MultiBioDataSupport", "value": "0:1:0:0:0:0:0:0:0:0"}, frozenset({W})),
    ("SET OPTION", {"key": "LunchBell", "value": "12:00:30"}, frozenset({W})),
    *(
        ("SET OPTION", {"key": key, "value": "1"}, frozenset({W, D}))
        for key in (
            *("ComPwd", "COMKey", "pushcommkey", "PUSHCOMMKEY", "SuperPassword", "AdminPwd"),
            *("WebServerIP", "WebServerPort", "WebServerURLModel", "ICLOCKSVRURL", "url"),
            *("IPAddress", "~IPAddress", "NetMask", "GATEIPAddress", "DNS", "EnableProxyServer"),
            *("CloudServerFunOn", "TelnetOn", "wlan_ssid", "IsSupportSSL", "authToken", "TLS"),
        )
    ),
    *(
        ("SET OPTION", {"key": "Harmless", "value": value}, frozenset({W, D}))
        for value in (
            *("http://192.0.2.1/", "192.0.2.1", "192.0.2.1:8081", "evil.example.com:80"),
            *("2001:db8::1", "[2001:db8:0:0:0:0:0:1]", "0,ComPwd=1", "x WebServerIP=evil"),
        )
    ),
    ("PutFile", {"url": "file/1/a.tgz"}, frozenset({W, D})),
    ("PutFile", {"Action": "AppendData"}, frozenset({W, D, B})),
    ("PutFile", {"Action": "SyncData", "TableName": "USERINFO"}, frozenset({W, D, B})),
    ("PutFile", {"url": "file/1/a.tgz", "Action": "AppendData"}, frozenset({W, D, B})),
]
"""What commands need with certain parameters."""

ATTRIBUTES: dict[str, tuple[list[object], frozenset[Scope]]] = {
    "state": (["approved", "blocked"], frozenset({W})),
    "alias": (["Gate 4", None], frozenset({W})),
    "area": (["HQ", None], frozenset({W})),
    "timezone": (["Europe/Berlin"], frozenset({W})),
    "version": (["2.4.1"], frozenset({W})),
    "encoding": (["utf-8", None], frozenset({W})),
    "settings": (
        [
            {"Delay": 5, "ErrorDelay": 60, "Realtime": 1, "TransInterval": 1},
            {"TransTimes": "08:00;14:00", "TransFlag": "TransData AttLog\tOpLog"},
            {"PushOptionsFlag": 1, "ATTPHOTOBase64": 0, "Delay": None},
            {"MultiBioDataSupport": "0:1:1:1:1:1:1:1:1:1"},
            {"MultiBioPhotoSupport": "0:1:1:1:1:1:1:1:1:1"},
        ],
        frozenset({W}),
    ),
    "encryption": (["never", "prefer", "require", None], frozenset({W, A})),
    "cipher": ([None], frozenset({W, A})),
    "secret": (["YSBzZWNyZXQgb2YgMTYgYnl0ZXM=", None], frozenset({W, A})),
    "token": (["ignore", "check"], frozenset({W, A})),
    "networks": ([[], ["192.0.2.0/24"]], frozenset({W, A})),
    "comm_key": (["a1" * 32, None], frozenset({W, A})),
    **stated_mapping("ATTRIBUTES"),
}
"""Values of every attribute that can be changed, and what changing it takes."""


def bearer(token: str) -> tuple[str, ...]:
    """The header that offers a token."""
    return (f"Authorization: Bearer {token}",)


class Callers:
    """Tokens with any scopes, each made once."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._made: dict[frozenset[Scope], str] = {}

    async def ask(
        self, scopes: Iterable[Scope], method: str, path: str, body: object = None
    ) -> Response:
        """A request by somebody with exactly these scopes."""
        token = await self.token(scopes)
        return await self._rig.api(method, path, body, headers=bearer(token))

    async def token(self, scopes: Iterable[Scope]) -> str:
        """A token with exactly these scopes."""
        wanted = frozenset(scopes)
        if wanted not in self._made:
            name = "with-" + "-".join(sorted(scope.value for scope in wanted))
            self._made[wanted] = await self._rig.token(name, *wanted)
        return self._made[wanted]


@pytest.fixture
def callers(rig: Rig) -> Callers:
    """Tokens with any scopes."""
    return Callers(rig)


def lacking(needed: Iterable[Scope]) -> list[frozenset[Scope]]:
    """Every set of scopes that has all but one of the needed ones, and all the others."""
    return [frozenset(Scope) - {one} for one in needed]


@pytest_twisted.ensureDeferred
async def test_every_route_asks_for_its_scope(rig: Rig, callers: Callers) -> None:
    """With the scope alone a route is open, with all others it is 403, without a token 401."""
    described = (await rig.api("GET", "/openapi.json")).json["paths"]
    found = {
        f"{method.upper()} {path}" for path, methods in described.items() for method in methods
    }
    assert found == set(ROUTES)
    for route, needed in ROUTES.items():
        method, template = route.split()
        path = re.sub(r"{\w+}", "1", template).removeprefix("/api/v1")
        if needed is None:
            assert (await rig.api(method, path, headers=(), prefix="")).status == 200
            continue
        assert (await rig.api(method, path, headers=())).status == 401, route
        including = {R} if needed is ATTENDANCE else set()
        refused = await callers.ask(set(Scope) - {needed} - including, method, path)
        assert refused.status == 403, route
        assert needed.value in refused.json["detail"]
        if path == "/events":
            listening = await Listening(rig, token=await callers.token({needed})).begun()
            listening.hang_up()
            continue
        for scopes in filter(None, ({needed}, including)):
            allowed = await callers.ask(scopes, method, path)
            assert allowed.status not in (401, 403), route


@pytest_twisted.ensureDeferred
async def test_every_command_asks_for_its_scope(rig: Rig, callers: Callers) -> None:
    """The dangerous commands are those that are named here; `write` is enough for the others."""
    await rig.exchange()
    catalogue = await rig.items("/commands/catalogue")
    assert {each["command"] for each in catalogue} > DANGEROUS_COMMANDS
    for entry in catalogue:
        name = entry["command"]
        needed = {W, D} if name in DANGEROUS_COMMANDS else {W}
        assert entry["scope"] == ("dangerous" if D in needed else "write"), name
        body = {"command": name, "params": {}}
        for scopes in lacking(needed):
            response = await callers.ask(scopes, "POST", "/devices/T1/commands", body)
            assert response.status == 403, (name, scopes)
        allowed = await callers.ask(needed, "POST", "/devices/T1/commands", body)
        assert allowed.status in (202, 400), name


@pytest_twisted.ensureDeferred
async def test_parameters_ask_for_more(rig: Rig, callers: Callers) -> None:
    """Keys, passwords, server addresses and packages need more than the command does."""
    await rig.exchange()
    await post(rig, b"content", "a.tgz")
    await rig.post("cdata?SN=T1&table=OPERLOG&Stamp=1", b"USER PIN=1\tName=Ann\tPasswd=4711\n")
    for name, params, needed in COMMANDS:
        before = await rig.items("/devices/T1/commands")
        body = {"command": name, "params": params}
        for scopes in lacking(needed):
            response = await callers.ask(scopes, "POST", "/devices/T1/commands", body)
            assert response.status == 403, (name, params, scopes, response.body)
        assert await rig.items("/devices/T1/commands") == before
        allowed = await callers.ask(needed, "POST", "/devices/T1/commands", body)
        assert allowed.status in (202, 400), (name, params, allowed.body)


@pytest_twisted.ensureDeferred
async def test_the_catalogue_names_what_parameters_need(rig: Rig) -> None:
    """A program can learn the scopes that depend on parameters."""
    entries = {each["command"]: each for each in await rig.items("/commands/catalogue")}
    assert [
        (each["scope"], each["parameter"]) for each in entries["SET OPTION"]["more_scopes"]
    ] == [("dangerous", "key"), ("dangerous", "value")]
    (package,) = entries["PutFile"]["more_scopes"]
    assert (package["scope"], package["parameter"]) == ("biometrics", "Action")


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest_twisted.ensureDeferred
async def test_every_attribute_of_a_terminal_asks_for_its_scope(
    rig: Rig, callers: Callers, method: str
) -> None:
    """What lowers the protection of a terminal needs `admin`, and changes nothing without it."""
    await rig.exchange()
    schemas = (await rig.api("GET", "/openapi.json")).json["components"]["schemas"]
    assert set(schemas["DeviceChange"]["properties"]) == set(ATTRIBUTES)
    for name, (values, needed) in ATTRIBUTES.items():
        for value in values:
            before = await rig.items("/devices")
            # Nothing of a change is made, if something of it is refused.
            body = {"alias": "changed", name: value}
            for scopes in lacking(needed):
                refused = await callers.ask(scopes, method, "/devices/T1", body)
                assert refused.status == 403, (name, value, scopes)
            assert await rig.items("/devices") == before
            allowed = await callers.ask(needed, method, "/devices/T1", {name: value})
            assert allowed.status == 200, (name, value, allowed.body)


@pytest_twisted.ensureDeferred
async def test_a_terminal_is_not_added_with_attributes_that_are_refused(
    rig: Rig, callers: Callers
) -> None:
    """PUT of a terminal that is not known does nothing at all without the scope."""
    refused = await callers.ask({R, W}, "PUT", "/devices/T9", {"encryption": "never"})
    assert refused.status == 403
    assert await rig.items("/devices") == []


@pytest_twisted.ensureDeferred
async def test_a_setting_takes_what_the_same_option_takes(
    rig: Rig, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No setting redirects a terminal today; one that could needs `dangerous`."""
    await rig.exchange()
    body = {"settings": {"WebServerIP": "192.0.2.1"}}
    assert (await rig.api("PATCH", "/devices/T1", body)).status == 400
    redirecting = Field(wire="WebServerIP", name="web_server_ip", meaning="The server to talk to")
    replies = msgspec.structs.replace(OPTION_REPLY, fields=(*OPTION_REPLY.fields, redirecting))
    monkeypatch.setattr(handshake, "OPTION_REPLY", replies)
    for scopes in lacking({W, D}):
        assert (await callers.ask(scopes, "PATCH", "/devices/T1", body)).status == 403
    assert (await callers.ask({W, D}, "PATCH", "/devices/T1", body)).status == 200


@pytest.mark.parametrize(
    "protection",
    [
        {"encryption": "require"},
        {"token": "require"},
        {"networks": ["192.0.2.0/24"]},
        {"secret": "YSBzZWNyZXQgb2YgMTYgYnl0ZXM="},
    ],
    ids=lambda each: next(iter(each)),
)
@pytest_twisted.ensureDeferred
async def test_a_protected_terminal_is_not_replaced_by_an_unprotected_one(
    rig: Rig, callers: Callers, protection: dict[str, object]
) -> None:
    """To forget a terminal with its protection, and add it again without, takes `admin`."""
    await rig.api("PUT", "/devices/T1", protection)
    refused = await callers.ask(set(Scope) - {A}, "DELETE", "/devices/T1")
    assert refused.status == 403
    assert (await rig.api("GET", "/devices/T1")).status == 200
    assert (await callers.ask({W, A}, "DELETE", "/devices/T1")).status == 204
    await rig.api("PUT", "/devices/T2", {"alias": "Gate 4"})
    assert (await callers.ask({W}, "DELETE", "/devices/T2")).status == 204


@pytest_twisted.ensureDeferred
async def test_another_pinned_key_needs_admin(make_rig) -> None:
    """Approval pins the first key, and is an ordinary change; it never replaces a pinned key."""
    rig = await make_rig(admission="approve")
    callers = Callers(rig)
    await rig.exchange(pushcommkey="first")
    approved = {"state": "approved"}
    assert (await callers.ask({W}, "PATCH", "/devices/T1", approved)).status == 200
    assert (await callers.ask({W}, "PATCH", "/devices/T1", approved)).status == 200
    await rig.exchange(pushcommkey="second")
    assert (await callers.ask({W}, "PATCH", "/devices/T1", approved)).status == 200
    assert (await rig.exchange(pushcommkey="second")).status == 403
    for key in (None, hashlib.sha256(b"second").hexdigest()):
        refused = await callers.ask(set(Scope) - {A}, "PATCH", "/devices/T1", {"comm_key": key})
        assert refused.status == 403
    assert (await rig.exchange(pushcommkey="first")).status == 200
    named = {"comm_key": hashlib.sha256(b"second").hexdigest()}
    assert (await callers.ask({W, A}, "PATCH", "/devices/T1", named)).status == 200
    assert (await rig.exchange(pushcommkey="second")).status == 200


@pytest_twisted.ensureDeferred
async def test_a_refusal_is_in_the_audit_log(rig: Rig, callers: Callers) -> None:
    """Whoever tries to lower a protection is recorded."""
    await rig.exchange()
    await callers.ask({R, W}, "PATCH", "/devices/T1", {"encryption": "never"})
    await callers.ask({W}, "POST", "/devices/T1/commands", {"command": "AC_UNLOCK"})
    await rig.daemon.refusals.stopService()
    refused = [item for item in await rig.items("/audit") if item["action"] == "refused"]
    assert sorted((item["actor"], item["subject"], item["detail"]) for item in refused) == [
        (
            "token with-read-write",
            "API was called without the scope",
            "PATCH /devices/<sn>, once, from 192.0.2.7",
        ),
        (
            "token with-write",
            "API was called without the scope",
            "POST /devices/<sn>/commands, once, from 192.0.2.7",
        ),
    ]
