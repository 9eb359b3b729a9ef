"""Attributes of a terminal: everything follows from their declarations."""

from __future__ import annotations

from typing import Annotated

import msgspec
import pytest
from click.testing import CliRunner

from zkpush.attributes import Attribute, declared
from zkpush.cli import main
from zkpush.device.acts import change_detail
from zkpush.device.changes import scopes_to_change
from zkpush.manage.views import DeviceChange, DeviceView
from zkpush.model import DEVICE_ATTRIBUTES
from zkpush.persist.schema import devices
from zkpush.protocol.fields import Scope
from zkpush.values.devicewords import SESSION_WORDS
from zkpush.values.sessions import SessionState, TokenPolicy

ALL = [*DEVICE_ATTRIBUTES.values()]
CHANGEABLE = [one for one in ALL if one.own.is_changeable]


def by_name(one: object) -> str:
    """The name of an attribute, for the names of tests."""
    return str(getattr(one, "field", one))


@pytest.mark.parametrize("one", ALL, ids=by_name)
def test_an_attribute_has_a_column(one) -> None:
    """The column takes NULL where the attribute may be None, or is sealed."""
    assert devices.c[one.field].nullable is (one.is_optional or one.own.is_sealed)


@pytest.mark.parametrize("one", [one for one in ALL if one.own.is_shown], ids=by_name)
def test_an_attribute_that_is_shown_is_in_the_api(one) -> None:
    """`GET devices/{sn}` has it, under its name for people."""
    assert one.name in DeviceView.__struct_fields__


@pytest.mark.parametrize("one", CHANGEABLE, ids=by_name)
def test_an_attribute_that_can_be_changed_is_in_the_api(one) -> None:
    """`PATCH devices/{sn}` takes it, with the scope that it needs."""
    assert one.name in DeviceChange.__struct_fields__
    if one.field != "settings":  # each setting has a scope of its own
        needed = set() if one.own.scope is None else {one.own.scope}
        assert scopes_to_change({one.field: one.default}) == needed


@pytest.mark.parametrize("one", [one for one in CHANGEABLE if one.own.body is None], ids=by_name)
def test_an_attribute_that_can_be_changed_is_on_the_command_line(one) -> None:
    """`zkpush devices set --help` lists it with its meaning."""
    text = " ".join(CliRunner().invoke(main, ["devices", "set", "--help"]).output.split())
    assert f"{one.name} {one.own.meaning}" in text


@pytest.mark.parametrize(
    "one", [one for one in ALL if one.own.is_shown and one.choices], ids=by_name
)
def test_a_coded_attribute_has_words_for_each_value(one) -> None:
    """The API has them beside the value, and so has `zkpush devices show`."""
    assert all(one.own.words(value) for value in one.kind)
    assert f"{one.name}_meaning" in DeviceView.__struct_fields__


def test_each_step_of_the_exchange_has_words() -> None:
    """As the attributes have."""
    assert {*SESSION_WORDS} == {*SessionState}


@pytest.mark.parametrize("one", [one for one in ALL if one.own.is_hidden], ids=by_name)
def test_a_hidden_attribute_is_not_in_the_audit_log(one) -> None:
    """Only its name is."""
    assert change_detail({one.field: "needle"}) == f"{one.field} (not shown)"


class Example(msgspec.Struct, kw_only=True):
    """A struct as `model.Device` is one."""

    plain: int
    note: Annotated[
        str | None, Attribute(meaning="A note", longest=3, check=str.upper, scope=Scope.ADMIN)
    ] = None
    policy: Annotated[TokenPolicy, Attribute(alias="token")] = TokenPolicy.CHECK
    places: tuple[str, ...] = ()
    doors: Annotated[int | None, Attribute(meaning="Its doors", minimum=1, maximum=16)] = None
    is_spare: bool = False


def test_a_declaration_is_read_from_a_field() -> None:
    """Its name, type, default and properties."""
    found = declared(Example)
    assert [*found] == ["plain", "note", "policy", "places", "doors", "is_spare"]
    plain, note, policy, places, *_ = found.values()
    assert (plain.name, plain.kind, plain.is_optional, plain.own) == (
        "plain",
        int,
        False,
        Attribute(),
    )
    assert (note.kind, note.is_optional, note.default) == (str, True, None)
    assert (policy.name, policy.choices) == ("token", ["check", "require", "ignore"])
    assert (places.is_json, places.default) == (True, ())
    assert (note.checked("ab"), note.checked(None), plain.checked(5)) == ("AB", None, 5)


@pytest.mark.parametrize("value", ["abcd", 5])
def test_the_type_in_the_api_has_the_limits(value) -> None:
    """A text that is too long, or none, is refused."""
    kind = declared(Example)["note"].body_type
    assert msgspec.convert("abc", kind) == "abc"
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(value, kind)


@pytest.mark.parametrize(("name", "value"), [("doors", 0), ("doors", 17), ("plain", 2**63)])
def test_a_number_in_the_api_has_bounds(name, value) -> None:
    """Those that are declared, or those of numbers that every column takes."""
    one = declared(Example)[name]
    assert msgspec.convert(16, one.body_type) == 16
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(value, one.body_type)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("doors", "4", 4),
        ("is_spare", "yes", True),
        ("is_spare", "no", False),
        ("places", "a, b,", ["a", "b"]),
        ("places", "", []),
        ("note", "4", "4"),
        ("policy", "check", "check"),
    ],
)
def test_a_text_of_the_command_line_is_a_value(name, text, value) -> None:
    """Of the type that the API takes."""
    assert declared(Example)[name].parse(text) == value


@pytest.mark.parametrize(("name", "text"), [("doors", "four"), ("is_spare", "4")])
def test_a_text_of_another_type_is_a_mistake(name, text) -> None:
    """Its message names the attribute and the text."""
    with pytest.raises(ValueError, match=f"{name}: '{text}' is "):
        declared(Example)[name].parse(text)
