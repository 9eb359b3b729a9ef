"""Tokens of the API: made, used, listed and revoked."""

from __future__ import annotations

import hashlib
import pathlib

import pytest
import pytest_twisted

from zkpush.interfaces import StoreError
from zkpush.manage.auth import ASK_PER_MINUTE, LOOK_EVERY, USED_EVERY
from zkpush.persist.tokens import TokenStore
from zkpush.protocol.fields import Scope
from zkpush.values.tokens import NewToken

from ..rig import NOON, TOKEN, Response, Rig, talk
from .files import Lazy, post
from .sse import Listening


def bearer(token: str) -> tuple[str, ...]:
    """The header that offers a token."""
    return (f"Authorization: Bearer {token}",)


async def tried(rig: Rig, token: str, path: str = "/devices") -> int:
    """The status that a token gets."""
    return (await rig.api("GET", path, headers=bearer(token))).status


async def create(rig: Rig, by: str = TOKEN, /, **body: object) -> Response:
    """Ask for a token."""
    asked = {"name": "hr", "scopes": ["read"], **body}
    return await rig.api("POST", "/tokens", asked, headers=bearer(by))


async def a_look(rig: Rig) -> None:
    """Let the daemon look at the tokens of the store."""
    rig.clock.advance(LOOK_EVERY)
    for _ in range(3):
        await rig.store.read(lambda tx: None)


@pytest_twisted.ensureDeferred
async def test_a_token_is_shown_once_and_kept_hashed(make_rig, tmp_path: pathlib.Path) -> None:
    """The reply to its creation has it; the list, the audit log and the database have not."""
    rig = await make_rig(database=f"sqlite:///{tmp_path / 'store.sqlite'}")
    made = await create(rig, scopes=["write", "read"])
    assert made.status == 201
    token = made.json["token"]
    assert token.startswith("zkp_")
    assert len(token) >= 4 + 43  # 256 bits
    assert made.json == {
        "name": "hr",
        "scopes": ["read", "write"],
        "areas": None,
        "created_at": "2026-03-01T12:00:00.000Z",
        "created_by": "token admin",
        "expires_at": None,
        "last_used_at": None,
        "token": token,
    }
    listed = await rig.api("GET", "/tokens")
    assert listed.json["items"] == [{k: v for k, v in made.json.items() if k != "token"}]
    secret = token.removeprefix("zkp_").encode()
    assert secret not in listed.body + (await rig.api("GET", "/audit")).body
    await rig.stop()
    stored = b"".join(
        file.read_bytes() for file in tmp_path.glob("store.sqlite*") if file.is_file()
    )
    assert secret not in stored
    assert hashlib.sha256(token.encode()).digest() in stored


@pytest_twisted.ensureDeferred
async def test_no_token_is_like_another(rig: Rig) -> None:
    """Each is random."""
    tokens = {await rig.token(f"t{number}", Scope.READ) for number in range(20)}
    assert len(tokens) == 20


@pytest.mark.parametrize("scope", [Scope.READ, Scope.ADMIN])
@pytest_twisted.ensureDeferred
async def test_a_token_is_good_for_its_scopes_at_once(rig: Rig, scope: Scope) -> None:
    """And for no others."""
    token = await rig.token("hr", scope)
    assert await tried(rig, token) == (200 if scope is Scope.READ else 403)
    assert await tried(rig, token, "/tokens") == (200 if scope is Scope.ADMIN else 403)


@pytest_twisted.ensureDeferred
async def test_only_administrators_make_and_revoke_tokens(rig: Rig) -> None:
    """Every other scope together is not enough."""
    token = await rig.token("most", *(scope for scope in Scope if scope is not Scope.ADMIN))
    headers = bearer(token)
    assert (await create(rig, token)).status == 403
    assert (await rig.api("GET", "/tokens", headers=headers)).status == 403
    assert (await rig.api("DELETE", "/tokens/most", headers=headers)).status == 403
    assert [item["name"] for item in await rig.items("/tokens")] == ["most"]


@pytest_twisted.ensureDeferred
async def test_nobody_gives_away_what_they_do_not_have(rig: Rig) -> None:
    """A token that may make tokens makes none that can do more than itself."""
    token = await rig.token("clerk", Scope.ADMIN, Scope.READ)
    refused = await create(rig, token, scopes=["read", "biometrics", "dangerous"])
    assert refused.status == 403
    assert "biometrics, dangerous" in refused.json["detail"]
    assert (await create(rig, token, scopes=["read", "admin"])).status == 201


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"name": ""}, 400, "name"),
        ({"name": "a b"}, 400, "name"),
        ({"name": "../x"}, 400, "name"),
        ({"name": ".hidden"}, 400, "name"),
        ({"name": "x" * 65}, 400, "name"),
        ({"name": "ü"}, 400, "name"),
        ({"name": "hr\n"}, 400, "name"),
        ({"name": "admin"}, 409, "another name"),
        ({"name": "taken"}, 409, "another name"),
        ({"scopes": []}, 400, "scopes"),
        ({"scopes": ["read", "all"]}, 400, "one of admin, attendance, biometrics"),
        ({"scopes": "read"}, 400, "scopes"),
        ({"token": "chosen"}, 400, "token"),
        ({"expires_at": "tomorrow"}, 400, "tomorrow"),
        ({"expires_at": "2026-03-01T12:00:00Z"}, 400, "over already"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_mistake_makes_no_token(rig: Rig, body, status: int, words: str) -> None:
    """It is said what is wrong."""
    await rig.token("taken", Scope.READ)
    refused = await create(rig, **body)
    assert (refused.status, words in refused.json["detail"]) == (status, True), refused.json
    assert [item["name"] for item in await rig.items("/tokens")] == ["taken"]


@pytest_twisted.ensureDeferred
async def test_a_revoked_token_is_good_for_nothing(rig: Rig) -> None:
    """At once, here; and its name can be given again, to another token."""
    token = await rig.token("hr", Scope.READ)
    assert (await rig.api("DELETE", "/tokens/hr")).status == 204
    assert await tried(rig, token) == 401
    assert (await rig.api("DELETE", "/tokens/hr")).status == 404
    again = await rig.token("hr", Scope.READ)
    assert (await tried(rig, token), await tried(rig, again)) == (401, 200)


@pytest_twisted.ensureDeferred
async def test_the_token_of_the_data_directory_stays(rig: Rig) -> None:
    """Otherwise nobody could make another one."""
    refused = await rig.api("DELETE", "/tokens/admin")
    assert (refused.status, "admin.token" in refused.json["detail"]) == (409, True)
    assert await tried(rig, TOKEN, "/tokens") == 200


@pytest_twisted.ensureDeferred
async def test_a_token_can_expire(rig: Rig) -> None:
    """It is good until then, and no longer."""
    token = (await create(rig, expires_at="2026-03-01T12:01:00Z")).json["token"]
    assert await tried(rig, token) == 200
    rig.clock.advance(59.875)
    assert await tried(rig, token) == 200
    rig.clock.advance(0.125)
    assert await tried(rig, token) == 401


@pytest_twisted.ensureDeferred
async def test_streams_end_with_their_token(rig: Rig) -> None:
    """When it is revoked, or expires; those of others go on."""
    rig.start_jobs()
    other = await Listening(rig, token=await rig.token("it", Scope.READ)).begun()
    revoked = await Listening(rig, token=await rig.token("hr", Scope.READ)).begun()
    expiring = (await create(rig, name="visitor", expires_at="2026-03-01T12:00:10Z")).json["token"]
    expired = await Listening(rig, token=expiring).begun()
    await rig.api("DELETE", "/tokens/hr")
    await revoked.until(lambda: revoked.wire.closed)
    assert not expired.wire.closed
    rig.clock.advance(10)
    await a_look(rig)
    await expired.until(lambda: expired.wire.closed)
    assert not other.wire.closed
    await rig.stop_jobs()


@pytest_twisted.ensureDeferred
async def test_it_is_known_when_a_token_was_last_used(make_rig, tmp_path: pathlib.Path) -> None:
    """At once here, and after a while in the store: not with each request."""
    rig = await make_rig(database=f"sqlite:///{tmp_path / 'store.sqlite'}")
    rig.start_jobs()
    token = await rig.token("hr", Scope.READ)
    units = rig.store.counts()["units"]
    for _ in range(4):
        rig.clock.advance(0.125)
        assert await tried(rig, token) == 200
    assert rig.store.counts()["units"] == units
    used = "2026-03-01T12:00:00.500Z"
    assert (await rig.items("/tokens"))[0]["last_used_at"] == used
    rig.clock.advance(USED_EVERY)
    await rig.store.write(lambda tx: None)
    (stored,) = await rig.store.read(lambda tx: tx[TokenStore].all())
    assert stored.last_used_at == NOON * 1000 + 500
    rig.clock.advance(1)
    assert await tried(rig, token) == 200
    await rig.stop_jobs()
    await rig.store.write(lambda tx: None)
    (stored,) = await rig.store.read(lambda tx: tx[TokenStore].all())
    assert stored.last_used_at == NOON * 1000 + 500 + 31_000


@pytest_twisted.ensureDeferred
async def test_a_request_costs_no_query_for_its_token(rig: Rig, monkeypatch) -> None:
    """It is known to the process; one that nobody knows is looked for in the store."""
    token = await rig.token("hr", Scope.READ)
    read, queries = rig.store.read, []

    def counting(query):
        queries.append(query)
        return read(query)

    monkeypatch.setattr(rig.store, "read", counting)
    for known in (TOKEN, token):
        assert await tried(rig, known, "/commands/catalogue") == 200
    assert queries == []
    assert await tried(rig, "zkp_nobody", "/commands/catalogue") == 401
    assert len(queries) == 1


@pytest_twisted.ensureDeferred
async def test_strangers_do_not_keep_the_database_busy(rig: Rig, monkeypatch) -> None:
    """There is an end to looking for tokens that nobody knows; it comes back with time."""
    monkeypatch.setattr("zkpush.manage.auth.Allowance.take", lambda self, now: now > NOON)
    queries = []
    monkeypatch.setattr(rig.store, "read", queries.append)
    assert await tried(rig, "zkp_nobody", "/commands/catalogue") == 401
    assert queries == []
    assert ASK_PER_MINUTE / 60 <= 20


@pytest_twisted.ensureDeferred
async def test_a_token_that_cannot_be_looked_for_is_not_refused(rig: Rig, monkeypatch) -> None:
    """While the database is away nobody is told that their token is wrong."""

    async def away(query):
        raise StoreError("away")

    monkeypatch.setattr(rig.store, "read", away)
    assert await tried(rig, "zkp_perhaps") == 503


@pytest.mark.parametrize("error", [StoreError("away"), RuntimeError("a bug")])
@pytest_twisted.ensureDeferred
async def test_looking_for_changes_goes_on_whatever_happens(rig: Rig, monkeypatch, error) -> None:
    """One look that fails does not keep a revoked token good."""
    rig.start_jobs()
    token = await rig.token("hr", Scope.READ)

    async def failing(query):
        raise error

    with monkeypatch.context() as broken:
        broken.setattr(rig.store, "read", failing)
        rig.clock.advance(LOOK_EVERY)
    await rig.store.write(lambda tx: tx[TokenStore].remove("hr"))
    assert await tried(rig, token, "/commands/catalogue") == 200
    await a_look(rig)
    assert await tried(rig, token, "/commands/catalogue") == 401
    await rig.stop_jobs()


@pytest_twisted.ensureDeferred
async def test_a_file_is_never_cut_because_its_token_is_new(rig: Rig) -> None:
    """A token that this process does not know yet is looked up before the body is read."""
    content = bytes(2_000_000)
    token = await rig.token_of_another_node("ops", Scope.DANGEROUS, Scope.READ)
    stored = await post(rig, content, "a", token)
    assert (stored.status, stored.json["size"]) == (201, 2_000_000)


@pytest_twisted.ensureDeferred
async def test_a_scope_of_a_later_version_is_good_for_nothing(rig: Rig) -> None:
    """A token that a later version has made keeps what this one knows of it."""
    secret = "zkp_later"

    later = NewToken(
        name="later",
        digest=hashlib.sha256(secret.encode()).digest(),
        scopes=frozenset({"read", "telepathy"}),
        created_by="token admin",
    )
    await rig.store.write(lambda tx: tx[TokenStore].add(later, 0))
    assert await tried(rig, secret) == 200
    assert (await rig.items("/tokens"))[-1]["scopes"] == ["read", "telepathy"]


@pytest.mark.parametrize(
    "header",
    [
        "Authorization: Bearer",
        "Authorization: Bearer ",
        f"Authorization: Basic {TOKEN}",
        f"Authorization: {TOKEN}",
        f"X-Token: {TOKEN}",
        f"Cookie: token={TOKEN}",
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_token_is_offered_in_one_way(rig: Rig, header: str) -> None:
    """What is not a bearer token is none; nor is one in the query."""
    assert (await rig.api("GET", "/devices", headers=(header,))).status == 401
    assert (await rig.api("GET", f"/devices?token={TOKEN}", headers=())).status == 401


@pytest.mark.parametrize("name", ["Authorization", "User-Agent", "Accept", "Last-Event-ID"])
@pytest_twisted.ensureDeferred
async def test_headers_that_are_no_text_do_no_harm(rig: Rig, name: str) -> None:
    """They are answered as what they are: nothing that is known."""
    own = f"Authorization: Bearer {TOKEN}\r\n" if name != "Authorization" else ""
    raw = f"GET /api/v1/attendance HTTP/1.1\r\n{own}{name}: ".encode() + b"Bearer \xff\xfe\r\n\r\n"
    assert (await talk(rig.manage, raw)).status == (200 if own else 401)


@pytest_twisted.ensureDeferred
async def test_tokens_come_in_parts(rig: Rig) -> None:
    """`limit` and `after` walk through them in the order they were made."""
    for name in ("c", "a", "b"):
        await rig.token(name, Scope.READ)
    first = (await rig.api("GET", "/tokens?limit=2")).json
    rest = (await rig.api("GET", f"/tokens?limit=2&after={first['next']}")).json
    assert [item["name"] for item in first["items"] + rest["items"]] == ["c", "a", "b"]
    assert rest["next"] is None


@pytest_twisted.ensureDeferred
async def test_who_was_turned_away_by_the_api_is_recorded(rig: Rig) -> None:
    """Strangers by their address, others by their token; not what they sent."""
    token = await rig.token("hr", Scope.READ)
    for _ in range(3):
        await tried(rig, "zkp_guess")
    raw = f"DELETE /api/v1/tokens/some-name HTTP/1.1\r\nAuthorization: Bearer {token}\r\n\r\n"
    assert (await talk(rig.manage, raw.encode())).status == 403
    assert (await create(rig, token)).status == 403
    rig.clock.advance(5)
    records = [
        (item["actor"], item["subject"], item["detail"])
        for item in await rig.items("/audit?action=refused")
    ]
    without, lacking = (
        "API was called without a token that is good",
        "API was called without the scope",
    )
    assert records == [
        ("address 192.0.2.7", without, "3 times in 0 seconds, from 192.0.2.7"),
        ("token hr", lacking, "DELETE /tokens/<name>, once, from 192.0.2.7"),
        ("token hr", lacking, "POST /tokens, once, from 192.0.2.7"),
    ]
    figures = (await rig.api("GET", "/metrics", headers=(), prefix="")).body.decode()
    assert 'zkpush_refused_total{reason="no_scope"} 2.0\n' in figures


@pytest_twisted.ensureDeferred
async def test_revoking_ends_a_file_on_its_way(rig: Rig) -> None:
    """Nobody goes on reading with a token that was revoked."""
    token = await rig.token("ops", Scope.DANGEROUS)
    assert (await post(rig, bytes(5_000_000), "a", token)).status == 201
    wire = Lazy("192.0.2.9")
    channel = rig.manage.buildProtocol(wire.getPeer())
    channel.makeConnection(wire)
    head = f"GET /api/v1/files/1/content HTTP/1.1\r\nAuthorization: Bearer {token}\r\n\r\n"
    channel.dataReceived(head.encode())
    while len(wire.value()) <= Lazy.full:
        await wire.changed()
    assert not wire.disconnected
    assert (await rig.api("DELETE", "/tokens/ops")).status == 204
    await rig.store.read(lambda tx: None)
    assert wire.disconnected
    assert len(wire.value()) < 5_000_000
