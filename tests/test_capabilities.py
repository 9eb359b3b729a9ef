"""Capabilities: found, checked together, and ordered by what they require."""

from __future__ import annotations

import pathlib
import sys

import pytest
from zope.interface.verify import verifyObject

from zkpush import capabilities
from zkpush.capability import Capability, CapabilityError, ICapability, is_own
from zkpush.declarations import declarations, join, parts
from zkpush.discovery import sound_plugins

HANDLERS = pathlib.Path(__file__).parent.parent / "zkpush" / "handlers"
TABLE = """
from zkpush.plugin.tables import Field, Layout, Table

VISIT = Table(
    name="{name}",
    section="-",
    meaning="Visits",
    layout=Layout.KEYED,
    keyword="{name}",
    fields=(Field(wire="PIN", name="pin", required=True, meaning="User ID"),),
)
TABLES = (VISIT,)
"""


@pytest.fixture
def package(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch):
    """Make a package with some modules, which can be imported until the test ends."""
    monkeypatch.syspath_prepend(tmp_path)
    made = []

    def make(**modules: str) -> str:
        name = f"capability_of_{tmp_path.name}_{len(made)}".replace("-", "_")
        made.append(name)
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("")
        for module, text in modules.items():
            (tmp_path / name / f"{module}.py").write_text(text)
        return name

    return make


def ours() -> list[ICapability]:
    """The capabilities of zkpush."""
    return [one for one in sound_plugins(ICapability) if is_own(one)]


def test_our_capabilities_are_found_and_every_table_has_a_handler() -> None:
    """All of ours are found like plugins, and each table that they declare is stored."""
    known = capabilities.load(ours())
    for one in known.all:
        verifyObject(ICapability, one)
    assert {one.name for one in known.all} >= {*capabilities.REQUIRED}
    handled = {table.name for handler in known.handlers for table in handler.tables}
    assert handled == {table.name for table in known.tables}


def test_words_and_simulated_terminals_know_what_the_daemon_knows() -> None:
    """The declarations without the server are the same, in the same order."""
    known = capabilities.load(sound_plugins(ICapability))
    assert set(declarations().tables) == set(known.tables)
    assert [*declarations().catalogue] == [*known.catalogue]


def test_declarations_leave_out_what_the_daemon_would_refuse(package) -> None:
    """A broken package, and a name of ours that another claims, cost only themselves."""
    command = "Command(name='{}', section='-', reply='-', meaning='-')"
    text = TABLE.format(name="USERINFO") + (
        "from zkpush.protocol.fields import Command\n"
        f"COMMANDS = ({command.format('CLEAR LOG')}, {command.format('VISIT')})"
    )
    found = [
        Capability("aaa", package(tables=text), "-"),
        Capability("visits", package(tables="1 / 0"), "-"),
        *ours(),
    ]
    known, alone = join(found), join(ours())
    assert [*known.tables] == [*alone.tables]
    assert {*known.catalogue} - {*alone.catalogue} == {known.catalogue.find("VISIT")}
    with pytest.raises(CapabilityError, match="capability visits"):
        join([Capability("visits", "zkpush.no_such_package", "-")])


def test_a_part_of_all_capabilities_has_ours_first(package) -> None:
    """One that lacks the part, and one of another package that fails, are left out."""
    one = Capability("aaa", package(simulate="EXECUTE = {}"), "-")
    broken = Capability("bbb", package(simulate="1 / 0"), "-")
    names = [module.__name__ for module in parts("simulate", [one, broken, *ours()])]
    assert names[-1] == f"{one.package}.simulate"
    there = {file.parent.name for file in HANDLERS.glob("*/simulate.py")}
    assert "terminals" in there
    assert set(names[:-1]) == {f"zkpush.handlers.{noun}.simulate" for noun in there}


def test_a_capability_without_a_part_has_none(package) -> None:
    """A module that is not there is a missing part, and no error."""
    assert Capability("visits", package(), "Visits").part("tables") is None


def test_an_absent_part_is_sought_once(package, monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon asks for each part several times; to seek a module goes through all folders."""
    one, sought = Capability("visits", package(), "Visits"), []

    class Watch:
        """A finder that finds nothing."""

        def find_spec(self, name: str, *_: object) -> None:
            sought.append(name)

    monkeypatch.setattr(sys, "meta_path", [Watch(), *sys.meta_path])
    assert [one.part("tables"), one.part("tables")] == [None, None]
    assert sought.count(f"{one.package}.tables") == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("import sys; sys.exit('no')", "SystemExit: no"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_part_that_cannot_be_imported_is_an_error(package, text: str, words: str) -> None:
    """Any error but the absence of exactly that module is reported with its reason."""
    one = Capability("visits", package(tables=text), "Visits")
    with pytest.raises(CapabilityError, match="capability visits: cannot import") as raised:
        one.part("tables")
    assert str(raised.value).endswith(words)


def test_a_missing_package_is_an_error() -> None:
    """A capability without its package is not one without parts."""
    with pytest.raises(CapabilityError, match="No module named 'no_such_package'"):
        Capability("visits", "no_such_package", "Visits").part("tables")


def test_a_capability_comes_after_those_that_it_requires(package) -> None:
    """The order is that of the requirements, whatever the names are."""
    first = Capability("zebra", package(), "-")
    second = Capability("aardvark", package(), "-", ("zebra", "people"))
    names = [one.name for one in capabilities.load([second, first, *ours()]).all]
    assert names.index("aardvark") > names.index("zebra")
    assert names.index("aardvark") > names.index("people")


@pytest.mark.parametrize("name", capabilities.REQUIRED)
def test_no_daemon_starts_without_a_required_capability(name: str) -> None:
    """The reason names it, and the modules that it may have been in."""
    left = [one for one in ours() if one.name != name]
    with pytest.raises(CapabilityError, match=f"capability {name} was not found; .*a_module"):
        capabilities.load(left, ["twisted.plugins.a_module"])


def test_no_daemon_starts_when_one_of_ours_fails() -> None:
    """Its lines would be rejects: the start fails instead."""
    broken = Capability("logs", "zkpush.no_such_package", "-")
    left = [one for one in ours() if one.name != "logs"]
    with pytest.raises(CapabilityError, match="capability logs: cannot import"):
        capabilities.load([*left, broken])


def test_a_failing_capability_of_another_package_is_left_out(package) -> None:
    """So are those that require it; all others are used."""
    broken = Capability("visits", package(tables="1 / 0"), "-")
    after = Capability("badges", package(), "-", ("visits",))
    alone = Capability("tours", package(), "-", ("absent",))
    known = capabilities.load([*ours(), after, broken, alone])
    assert {name: str(error) for name, error in known.failed.items()} == {
        "visits": f"capability visits: cannot import {broken.package}.tables: "
        "ZeroDivisionError: division by zero",
        "badges": "capability badges: it requires visits, which failed",
        "tours": "capability tours: it requires absent, which is not installed",
    }
    assert [one.name for one in known.all] == [one.name for one in capabilities.load(ours()).all]


def test_capabilities_that_require_each_other_are_refused(package) -> None:
    """The circle is named."""
    one = Capability("a", package(), "-", ("b",))
    other = Capability("b", package(), "-", ("a",))
    with pytest.raises(CapabilityError, match=r"require each other: (a -> b -> a|b -> a -> b)"):
        capabilities.load([*ours(), one, other])


@pytest.mark.parametrize("name", ["ATTLOG", "USERINFO", "NEW"])
def test_two_capabilities_cannot_claim_one_table(package, name: str) -> None:
    """A name or an alias that two claim stops the start, and both are named."""
    text = TABLE.format(name=name)
    known = [*ours(), Capability("visits", package(tables=text), "-")]
    if name == "NEW":
        assert capabilities.load(known).tables.get("new")
        known.append(Capability("tours", package(tables=text), "-"))
    with pytest.raises(CapabilityError, match=f"both claim the table {name}; uninstall one"):
        capabilities.load(known)


def test_two_capabilities_cannot_claim_one_command(package) -> None:
    """The words of a command belong to one capability."""
    text = (
        "from zkpush.protocol.fields import Command\n"
        "COMMANDS = (Command(name='CLEAR LOG', section='-', reply='LOG', meaning='-'),)"
    )
    with pytest.raises(CapabilityError, match="both claim the command CLEAR LOG"):
        capabilities.load([*ours(), Capability("visits", package(tables=text), "-")])


def test_two_capabilities_cannot_have_one_name(package) -> None:
    """The packages of both are named."""
    twice = Capability("people", package(), "-")
    with pytest.raises(CapabilityError, match="two capabilities have the name people: zkpush"):
        capabilities.load([*ours(), twice])


def test_the_tables_of_a_capability_say_whether_they_hold_templates() -> None:
    """Each of our tables declares it: none is left to a guess."""
    undeclared = [t.name for t in capabilities.load(ours()).tables if t.holds_templates is None]
    assert undeclared == []
