"""The API of forwarders: for administrators, in words, and without secrets."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest
import pytest_twisted
from msgspec import Meta

from zkpush.protocol.fields import Scope

from ..rig import Rig
from .receivers import Memory, add, down, engine_of, punch, shown, takes, turn, turns

URL = "https://payroll.example.com/hooks/abcdef"
HOOK = {"name": "hook", "url": URL}


class WithPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings with a secret."""

    host: str = "payroll"
    password: Annotated[str, Meta(extra={"secret": True})] = ""


@pytest_twisted.ensureDeferred
async def test_a_forwarder_is_made_shown_changed_and_removed(rig: Rig) -> None:
    """Its secret is shown once; everything is in the audit log, with the host of the URL alone."""
    made = await rig.api("POST", "/forwarders", HOOK)
    assert made.status == 201
    secret = made.json["secret"]
    assert secret.startswith("whsec_")
    view = await shown(rig)
    assert view == {key: value for key, value in made.json.items() if key != "secret"}
    assert (view["kind"], view["url"], view["events"]) == ("webhook", URL, ["attendance"])
    assert (view["state"], view["state_meaning"]) == ("active", "Events are delivered")
    changed = await rig.api("PATCH", "/forwarders/1", {"events": ["user"], "allow_private": True})
    assert changed.json["events"] == ["user"]
    assert changed.json["settings"] == {"url": URL, "allow_private": True}
    assert (await rig.api("POST", "/forwarders/1/pause")).json["state"] == "paused"
    assert (await rig.api("DELETE", "/forwarders/1")).status == 204
    assert await rig.items("/forwarders") == []
    audit = await rig.items("/audit")
    acts = [one["action"] for one in audit if one["subject"] == "forwarder hook"]
    assert acts == ["add forwarder", "change forwarder", "change forwarder", "remove forwarder"]
    assert "https://payroll.example.com;" in audit[0]["detail"]
    assert "abcdef" not in str(audit)
    assert secret not in str(audit)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"name": "a b", "url": URL}, "name: a forwarder is called by"),
        ({"name": "x"}, "settings: `url` is missing; it is a text"),
        ({"name": "x", "kind": "pigeon"}, "There is no kind 'pigeon' of forwarder; there are"),
        ({"name": "x", "url": "http://payroll.example.com"}, "plain http would send"),
        (
            {"name": "x", "url": URL, "settings": {"color": 1}},
            "settings: there is no member `color`",
        ),
        ({"name": "x", "url": URL, "events": ["lunch"]}, "no events of the kind 'lunch'"),
        ({"name": "x", "url": URL, "events": []}, "events: it is a list of at least 1 items"),
        ({"name": "x", "url": URL, "rules": {"since": "soon"}}, "rules.since: 'soon' is not"),
        (
            {"name": "x", "url": URL, "rules": {"sins": 1}},
            "no member `rules.sins`; it takes devices",
        ),
    ],
)
@pytest_twisted.ensureDeferred
async def test_mistakes_are_explained(rig: Rig, body: dict[str, Any], words: str) -> None:
    """Nothing is stored then."""
    made = await rig.api("POST", "/forwarders", body)
    assert made.status == 400
    assert words in made.json["detail"]
    assert await rig.items("/forwarders") == []


@pytest_twisted.ensureDeferred
async def test_a_name_is_there_once(rig: Rig) -> None:
    """A second forwarder needs another one; one that is not there is not found."""
    await rig.api("POST", "/forwarders", HOOK)
    assert (await rig.api("POST", "/forwarders", HOOK)).status == 409
    for method, path in (
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/test"),
        ("POST", "/pause"),
        ("POST", "/rotate"),
    ):
        assert (await rig.api(method, f"/forwarders/9{path}")).status == 404
    assert (await rig.api("POST", "/forwarders/1/replay", {})).status == 400


@pytest_twisted.ensureDeferred
async def test_only_administrators_see_and_change_forwarders(rig: Rig) -> None:
    """Their URLs are secrets of other programs."""
    await rig.api("POST", "/forwarders", HOOK)
    scopes = [scope for scope in Scope if scope is not Scope.ADMIN]
    token = await rig.token("all-but-admin", *scopes)
    headers = [f"Authorization: Bearer {token}"]
    for method, path in (
        ("GET", "/forwarders"),
        ("GET", "/forwarders/1"),
        ("GET", "/forwarders/1/dead"),
        ("GET", "/forwarders/1/deliveries"),
        ("GET", "/forwarder-kinds"),
        ("DELETE", "/forwarders/1"),
        ("POST", "/forwarders/1/test"),
        ("POST", "/forwarders/1/rotate"),
    ):
        assert (await rig.api(method, path, headers=headers)).status == 403


@pytest_twisted.ensureDeferred
async def test_secrets_are_sealed_in_the_database_and_never_shown(make_rig) -> None:
    """Neither a signing secret nor a setting that is declared as one is readable anywhere."""
    memory = Memory()
    memory.settings = WithPassword
    rig = await make_rig(plugins=[memory])
    made = await add(rig, settings={"host": "hr1", "password": "hunter2"})
    assert made["settings"] == {"host": "hr1", "password": None}
    secret = (await rig.api("POST", "/forwarders", HOOK)).json["secret"]
    rows = await rig.store.read(
        lambda tx: [*tx.connection.exec_driver_sql("SELECT settings, secrets FROM forwarders")]
    )
    content = b"".join(value for row in rows for value in row)
    for hidden in (b"hunter2", b"hr1", URL.encode(), secret.encode()):
        assert hidden not in content
    everything = str(await rig.items("/forwarders")) + str(await rig.items("/audit"))
    assert "hunter2" not in everything
    assert secret not in everything
    await rig.api("PATCH", "/forwarders/1", {"settings": {"host": "hr2"}})
    await rig.exchange()
    await punch(rig, [1])
    await turns(rig, 2)
    settings = memory.targets[-1].settings
    assert (settings.host, settings.password) == ("hr2", "hunter2")


@pytest_twisted.ensureDeferred
async def test_kinds_describe_their_settings(make_rig) -> None:
    """As JSON Schema, for those of plugins too."""
    rig = await make_rig(plugins=[Memory()])
    kinds = {one["name"]: one for one in await rig.items("/forwarder-kinds")}
    assert kinds["webhook"]["settings"]["required"] == ["url"]
    assert kinds["webhook"]["makes_secret"]
    assert set(kinds["memory"]["settings"]["properties"]) == {"password", "floor"}
    names = {(one["kind"], one["name"]) for one in await rig.items("/plugins")}
    assert {("forwarder", "webhook"), ("forwarder", "memory")} <= names
    refused = await rig.api(
        "POST", "/forwarders", {"name": "x", "kind": "memory", "settings": {"floor": 10}}
    )
    assert "floor: There are nine." in refused.json["detail"]


@pytest.mark.long
@pytest_twisted.ensureDeferred
async def test_attempts_are_listed(make_rig) -> None:
    """Each with what came of it; only the last ones are kept."""
    memory = Memory(down)
    rig = await make_rig(plugins=[memory])
    await rig.exchange()
    await add(rig)
    await punch(rig, [1])
    await turn(rig)
    memory.answer = takes
    await turns(rig, 3)
    first, second = await rig.items("/forwarders/1/deliveries")
    assert (first["outcome"], first["words"], first["events"]) == ("later", "nobody answers", 1)
    assert second["outcome_meaning"] == "The receiver has the events"
    assert first["batch"] == second["batch"]
    for number in range(230):
        await punch(rig, [number], time="2026-03-01 14:00:00")
        await turn(rig)
    assert len(await rig.items("/forwarders/1/deliveries?limit=1000")) == 200


@pytest_twisted.ensureDeferred
async def test_health_and_metrics_show_what_waits(make_rig) -> None:
    """A failing forwarder is a problem after some minutes; the figures say how much waits."""
    memory = Memory(down)
    rig = await make_rig(plugins=[memory])
    await rig.exchange()
    await add(rig)
    await punch(rig, [1, 2, 3])
    await turns(rig, 6, seconds=60)
    await engine_of(rig).count()
    text = (await rig.api("GET", "/metrics", prefix="")).body.decode()
    assert "\nzkpush_forward_backlog 3.0\n" in text
    assert "\nzkpush_forward_oldest_seconds 360.0\n" in text
    assert "\nzkpush_forward_failing 1.0\n" in text
    problems = {one["code"]: one for one in await rig.items("/problems")}
    assert problems["forwarder failing"]["subject"] == "forwarder payroll"
    assert "nobody answers" in problems["forwarder failing"]["detail"]
    assert (await rig.api("GET", "/health", prefix="")).status == 200


@pytest_twisted.ensureDeferred
async def test_a_forwarder_whose_plugin_is_gone_keeps_its_events(make_rig, tmp_path) -> None:
    """It is a problem, and goes on when the plugin is there again."""
    database = f"sqlite:///{tmp_path / 'kept.sqlite'}"
    memory = Memory()
    rig = await make_rig(plugins=[memory], database=database)
    await rig.exchange()
    await add(rig)
    await engine_of(rig).finish()
    await rig.stop()
    without = await make_rig(database=database)
    await punch(without, [1])
    await turn(without)
    (problem,) = await without.items("/problems")
    assert (problem["code"], problem["detail"]) == (
        "forwarder unusable",
        "Cannot run: no memory is installed.",
    )
    assert (await shown(without))["backlog"] == 1
    await without.stop()
    again = await make_rig(plugins=[memory], database=database)
    await turns(again, 2)
    assert memory.pins == ["1"]
