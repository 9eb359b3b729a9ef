"""What capabilities add to a running daemon: claimed names, failures, roles."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
import pytest_twisted

from zkpush import config, installed, names
from zkpush.capability import Capability, CapabilityError, ICapability, is_own
from zkpush.cli import words
from zkpush.config import ConfigError
from zkpush.discovery import sound_plugins

SERVICES = """
from zkpush.plugin.services import Contribution, Figure

def contribute(services):
    {body}
"""
API = """
from zkpush.plugin.api import Route, Scope

async def show():
    return "shown"

def routes(services):
    return [Route("GET", "{path}", Scope.READ, show, "Shows")]
"""
SETTINGS = """
import msgspec

class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    days: int = 7

SETTINGS = Section
"""


@pytest.fixture
def capability(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make a capability of another package from the texts of its parts."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(name: str, requires: tuple[str, ...] = (), words: tuple[str, ...] = (), **parts: str):
        package = f"parts_of_{name}_{tmp_path.name}".replace("-", "_")
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("")
        if words:
            parts["words"] = f"WORDS = {dict.fromkeys(words, '-')!r}"
        for part, text in parts.items():
            (tmp_path / package / f"{part}.py").write_text(text)
        return Capability(name, package, "-", requires)

    return make


async def refused(make_rig, *plugins: Capability, **settings: object) -> str:
    """Why a daemon with these plugins does not start."""
    with pytest.raises(CapabilityError) as raised:
        await make_rig(plugins=plugins, **settings)
    return str(raised.value)


def contributing(body: str) -> str:
    """A `services` part."""
    return SERVICES.format(body=body)


FIGURE = 'return Contribution(figures=[Figure(name="{}", meaning="-", read=lambda: 3)])'


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("parts", "words", "claim"),
    [
        ({"handler": 'EVENTS = {"arrival": "-"}'}, (), "the event kind arrival"),
        ({"handler": 'EVENTS = {"toursguide": "-"}'}, (), "the event kind toursguide"),
        (
            {
                "handler": "from zkpush.plugin.handler import ProblemKind\n"
                'PROBLEMS = (ProblemKind("late", "-", "-"),)'
            },
            (),
            "the problem late",
        ),
        ({}, ("guide",), "the word guide"),
        ({"api": API.format(path="/attendances")}, (), "the route /attendances"),
        (
            {"services": contributing(FIGURE.format("tours_open"))},
            (),
            "the metric tours_open",
        ),
    ],
)
async def test_names_of_a_plugin_begin_with_its_own(
    make_rig, capability, parts: dict[str, str], words: tuple[str, ...], claim: str
) -> None:
    """Otherwise they might be names of zkpush, or of another plugin, one day."""
    why = await refused(make_rig, capability("tours", words=words, **parts))
    assert why.startswith(f"the capability tours brings {claim}: the names of a plugin begin")


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize(
    ("name", "parts", "words", "claim"),
    [
        ("command", {"handler": 'EVENTS = {"command": "-"}'}, (), "the event kind command"),
        ("audit", {}, ("audit",), "the word audit"),
        ("users", {}, ("users",), "the word users"),
        ("users", {"api": API.format(path="/users")}, (), "the route GET /users"),
    ],
)
async def test_a_claim_on_a_name_of_zkpush_stops_the_start(
    make_rig, capability, name: str, parts: dict[str, str], words: tuple[str, ...], claim: str
) -> None:
    """Both owners are named."""
    why = await refused(make_rig, capability(name, words=words, **parts))
    assert why.startswith("the capabilities ")
    assert f" and {name} both claim {claim}; uninstall one of them" in why


def test_our_capabilities_declare_our_words() -> None:
    """A word of zkpush has one owner, whose folder has its click command."""
    ours = [one for one in sound_plugins(ICapability) if is_own(one)]
    declared = [*names.ENGINE_WORDS, *(word for one in ours for word in names.words_of(one))]
    assert sorted(declared) == sorted(words.own_words())
    for one in ours:
        for word in names.words_of(one):
            assert words.own_words()[word].module == f"{one.package}.cli"
            assert getattr(one.part("cli"), word).name == word


def test_a_section_of_zkpush_cannot_be_claimed(capability) -> None:
    """The start names the section and the capability."""
    with pytest.raises(CapabilityError, match="health both claim the section of the configuration"):
        installed.sections([capability("health", settings=SETTINGS)])


def test_a_section_is_checked_with_the_rest(capability, tmp_path: pathlib.Path) -> None:
    """Keys and values are those that its capability declares."""
    sections = installed.sections([capability("tours", settings=SETTINGS)])
    values: dict[str, object] = {"data": tmp_path}

    def load(section: object) -> Any:
        return config.load(None, {**values, "tours": section}, str, sections=sections)

    assert load({"days": 3}).tours.days == 3
    assert config.load(None, values, str, sections=sections).tours.days == 7
    with pytest.raises(ConfigError, match=r"tours\.day: unknown key; the keys are days"):
        load({"day": 3})
    with pytest.raises(ConfigError, match=r"tours\.days: "):
        load({"days": "many"})


@pytest_twisted.ensureDeferred
async def test_a_capability_that_fails_to_contribute_is_left_out(make_rig, capability) -> None:
    """So are those that require it; the daemon starts, and lists it as failing."""
    broken = capability("tours", services=contributing("1 / 0"), api=API.format(path="/tours"))
    after = capability("guides", ("tours",), api=API.format(path="/guides"))
    rig = await make_rig(plugins=[broken, after])
    assert [(await rig.api("GET", path)).status for path in ("/tours", "/guides", "/users")] == [
        *(404, 404, 200)
    ]
    states = {one["name"]: one["state"] for one in await rig.items("/plugins")}
    assert states["tours"] == "failing"


@pytest_twisted.ensureDeferred
async def test_what_a_capability_contributes_is_used(make_rig, capability) -> None:
    """A figure is scraped, a route answers, and the list of plugins says what it brings."""
    one = capability(
        "tours",
        services=contributing(FIGURE.format("zkpush_tours_open")),
        api=API.format(path="/tours"),
        settings=SETTINGS,
    )
    rig = await make_rig(plugins=[one])
    assert (await rig.api("GET", "/tours")).json == "shown"
    assert b"\nzkpush_tours_open 3.0\n" in (await rig.api("GET", "/metrics", prefix="")).body
    (listed,) = (item for item in await rig.items("/plugins") if item["name"] == "tours")
    assert listed["brings"] == ["section of the configuration tours", "routes", "services"]


@pytest_twisted.ensureDeferred
async def test_a_figure_that_raises_hides_no_other(make_rig, capability) -> None:
    """The scrape goes on without it."""
    body = FIGURE.format("zkpush_tours_open").replace("lambda: 3", "lambda: 1 / 0")
    rig = await make_rig(plugins=[capability("tours", services=contributing(body))])
    figures = (await rig.api("GET", "/metrics", prefix="")).body
    assert b"zkpush_tours_open" not in figures
    assert b"zkpush_terminals " in figures
