"""The vocabulary of the tables: kinds, bounds and patterns of one value."""

from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.declared import RECORD_TABLES
from tests.protocol.strategies import values_of
from zkpush.declarations import declarations
from zkpush.protocol.commands import check_command
from zkpush.protocol.errors import CommandError
from zkpush.protocol.exchange import EXCHANGE, OPTION_REPLY
from zkpush.protocol.fieldreaders import UNREAD, reader
from zkpush.protocol.fields import Field, Form, Kind, Layout, Scope, Table
from zkpush.protocol.reports import INFO, OPTIONS
from zkpush.protocol.scalars import decode_base64, plain_base64

READ = [
    (Kind.TEXT, "as it is ", "as it is ", "as it is "),
    (Kind.INTEGER, "0", 0, "0"),
    (Kind.INTEGER, "255", 255, "255"),
    (Kind.INTEGER, "+28800", 28800, "28800"),
    (Kind.INTEGER, "-720", -720, "-720"),
    (Kind.INTEGER, "007", 7, "7"),
    (Kind.INTEGER, "9999999999", 9_999_999_999, "9999999999"),
    (Kind.NUMBER, "36.5", 36.5, "36.5"),
    (Kind.NUMBER, "36", 36.0, "36.0"),
    (Kind.NUMBER, "-0.25", -0.25, "-0.25"),
    (Kind.NUMBER, "0.00001", 0.00001, "0.000010"),
    (Kind.NUMBER, "-0.000001", -0.000001, "-0.000001"),
    (Kind.NUMBER, "999999.999999", 999999.999999, "999999.999999"),
    (Kind.TIME, "2015-07-30 15:16:28", "2015-07-30 15:16:28", "2015-07-30 15:16:28"),
    (Kind.TIME, "2024-02-29 00:00:00", "2024-02-29 00:00:00", "2024-02-29 00:00:00"),
    (Kind.MOMENT, "2024-02-29 00:00:00", "2024-02-29 00:00:00", "2024-02-29 00:00:00"),
    (Kind.MOMENT, "289515406", "2009-01-03 20:56:46", "2009-01-03 20:56:46"),
    (Kind.MOMENT, "0", "2000-01-01 00:00:00", "2000-01-01 00:00:00"),
    (Kind.CARD, "[15CD5B07]", "123456789", "123456789"),
    (Kind.CARD, "[15cd5b07]", "123456789", "123456789"),
    (Kind.CARD, "[0000000000]", "", ""),
    (
        Kind.CARD,
        f"[{'FF' * 13}]",
        "20282409603651670423947251286015",
        "20282409603651670423947251286015",
    ),
    (Kind.CARD, "123456789", "123456789", "123456789"),
    (Kind.CARD, "0012AbZ", "0012AbZ", "0012AbZ"),
    (Kind.CARD, "000", "", ""),
    (Kind.CARD, "", "", ""),
    (Kind.BASE64, "QUJD", b"QUJD", "QUJD"),
    (Kind.BASE64, "QUI=", b"QUI=", "QUI="),
    (Kind.BASE64, "QUI", b"QUI", "QUI"),
    (Kind.BASE64, "QQ==", b"QQ==", "QQ=="),
    (Kind.BASE64, "+/9z", b"+/9z", "+/9z"),
    (Kind.BASE64, "", b"", ""),
]

UNREADABLE = [
    (Kind.INTEGER, ["", " 1", "1 ", "1.0", "1e3", "0x1", "1_0", "--1", "12345678901", "\u0663"]),
    (Kind.NUMBER, ["", "36.", ".5", "nan", "inf", "1e5", "36,5", "1234567", "0.1234567", "\u0663"]),
    (
        Kind.TIME,
        [
            "",
            "0",
            "2015-07-30",
            "2015-07-30T15:16:28+01:00",
            "2015-07-30/15:16:28",
            "15-7-30 15:16:28",
            "12345678",
            "2015-07-30 15:16:28Z",
            "2015-07-30 24:00:00",
            "2015-07-30 15:16:60",
            "2015-02-29 15:16:28",
            "0000-01-01 00:00:00",
            "2015-W31-4 15:16:28",
            "2015-07-30 15:16+00",
            "2015-07-30 15: 16: 28",
        ],
    ),
    (Kind.MOMENT, ["", "2015-07-30", "2015-02-29 15:16:28", "-1", "5270400", "28951540600", "1.5"]),
    (
        Kind.CARD,
        [
            "[]",
            "[1]",
            "[15CD5B0]",
            "[15CD5B07",
            "15CD5B07]",
            "[xy]",
            f"[{'01' * 14}]",
            "1 2",
            "-1",
            "1" * 33,
            "\u0663",
        ],
    ),
    (Kind.BASE64, ["A", "AAAAA", "QQ===", "Q=Q=", "QU-_", "QU JD", "QUJD\n", "\u0663AAA", "?"]),
]

PIN = Field(wire="Pin", name="pin", meaning="User ID", pattern="[A-Z]{1,3}")
SECRET = Field(wire="Key", name="key", meaning="Key", pattern="[0-9]+", secret=Scope.BIOMETRICS)
SECRET_TEMPLATE = Field(
    wire="TMP", name="tmp", meaning="", kind=Kind.BASE64, secret=Scope.BIOMETRICS
)
LEVEL = Field(wire="Level", name="level", meaning="Level", kind=Kind.INTEGER, minimum=-1, maximum=9)


@pytest.mark.parametrize(("kind", "text", "value", "written"), READ)
def test_a_value_is_read_and_written_by_its_kind(
    kind: Kind, text: str, value: object, written: str
) -> None:
    """Each kind reads what is on the wire, and writes what it reads the same."""
    assert kind.decode(text) == value
    assert type(kind.decode(text)) is kind.python
    assert kind.encode(value) == written
    assert kind.decode(written) == value


@pytest.mark.parametrize(
    ("kind", "text"), [(kind, text) for kind, texts in UNREADABLE for text in texts]
)
def test_what_is_not_of_the_kind_is_not_read(kind: Kind, text: str) -> None:
    """A value is of its kind exactly, or it is not read at all."""
    with pytest.raises(ValueError, match=r"is (not|neither) "):
        kind.decode(text)


@given(st.data(), st.sampled_from(list(Kind)))
def test_every_value_is_written_as_it_is_read(data: st.DataObject, kind: Kind) -> None:
    """Whatever a kind reads, it writes so that it is read the same again."""
    value = data.draw(values_of(Field(wire="X", name="x", meaning="", kind=kind)))
    assert kind.decode(kind.encode(value)) == value


@given(st.sampled_from(list(Kind)), st.text(max_size=25))
def test_any_text_is_a_value_or_a_mistake(kind: Kind, text: str) -> None:
    """No text makes a kind fail in any other way than by saying so."""
    try:
        value = kind.decode(text)
    except ValueError:
        return
    assert kind.decode(kind.encode(value)) == value


@pytest.mark.parametrize(
    ("field", "text", "mistake"),
    [
        (LEVEL, "-2", "Level: -2 is less than -1"),
        (LEVEL, "10", "Level: 10 is more than 9"),
        (LEVEL, "ten", "Level: 'ten' is not an integer"),
        (PIN, "abc", r"Pin: 'abc' is not of the form \[A-Z\]\{1,3\}"),
        (PIN, "ABCD", "Pin: 'ABCD' is not of the form"),
        (PIN, "A\n", "Pin: .* is not of the form"),
        (PIN, "x" * 50, f"Pin: '{'x' * 40}' is not of the form"),
        (PIN, "1 Passwd=secret", "Pin: '1 Passwd' is not of the form"),
        (LEVEL, "2 TMP=secret", "Level: '2 TMP' is not an integer"),
        (SECRET, "secret", "Key: this is no text that it takes$"),
        (SECRET_TEMPLATE, "secret?", "TMP: this is no base64 that it takes$"),
    ],
)
def test_a_mistake_names_the_field(field: Field, text: str, mistake: str) -> None:
    """What is out of bounds or has the wrong form is refused, with the field's name, in short."""
    with pytest.raises(ValueError, match=f"^{mistake}"):
        field.decode(text)


@pytest.mark.parametrize(
    ("field", "text", "value"), [(LEVEL, "-1", -1), (LEVEL, "9", 9), (PIN, "AB", "AB")]
)
def test_bounds_belong_to_what_is_allowed(field: Field, text: str, value: object) -> None:
    """The smallest and the largest value of a field are allowed."""
    assert field.decode(text) == value


ALL_FIELDS = [
    field
    for table in (
        EXCHANGE,
        OPTION_REPLY,
        OPTIONS,
        INFO,
        *RECORD_TABLES,
    )
    for field in table.fields
]


@given(st.data(), st.sampled_from(ALL_FIELDS))
def test_every_field_reads_what_it_allows(data: st.DataObject, field: Field) -> None:
    """Every value within the bounds and the pattern of a field is read as it was written."""
    value = data.draw(values_of(field))
    assert field.decode(field.kind.encode(value)) == value


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (b"", b""),
        (b"QQ", b"A"),
        (b"QQ=", b"A"),
        (b"QQ==", b"A"),
        (b"QUI", b"AB"),
        (b"QUI=", b"AB"),
        (b"QUJD", b"ABC"),
        (b"QUJD==", b"ABC"),
    ],
)
def test_base64_stands_for_bytes_padded_or_not(text: bytes, plain: bytes) -> None:
    """Padding that is missing, or too much, does not matter."""
    assert plain_base64(decode_base64(text.decode())) == plain


@given(st.binary())
def test_all_bytes_come_back_from_base64(plain: bytes) -> None:
    """What is packed in base64 is the same when it is unpacked, without its padding, too."""
    text = base64.b64encode(plain)
    assert plain_base64(text) == plain
    assert plain_base64(text.rstrip(b"=")) == plain


def test_a_table_finds_its_fields() -> None:
    """Fields are found by name as declared, and by wire name in any case."""
    table = Table(
        name="T",
        section="0",
        meaning="",
        layout=Layout.COLUMNS,
        fields=(PIN, Field(wire="Sum", name="sum", meaning="", stored=False)),
        forms=(Form("short", ("pin",)),),
    )
    assert table.field("pin") is PIN
    assert table.by_wire()["pin"] is PIN
    assert table.names == ("pin",)
    with pytest.raises(KeyError):
        table.field("Pin")


FIELDS = [field for table in RECORD_TABLES for field in table.fields]
TEXTS = st.one_of(
    st.text(max_size=40),
    st.from_regex(r"[+-]?[0-9]{1,11}(\.[0-9]{1,7})?", fullmatch=True),
    st.sampled_from(["", "0", "00", "\u0663", "[15CD5B07]", "[00000000]", "AAA=", "9" * 33, "-1"]),
    st.sampled_from(["2026-01-05 08:00:00", "2026-02-30 08:00:00", "289515406", "255", "256"]),
)


@given(field=st.sampled_from(FIELDS), text=TEXTS)
def test_a_reader_reads_what_the_field_does(field: Field, text: str) -> None:
    """Or leaves it to the field; it never raises, and never reads what the field refuses."""
    read = reader(field)(text)
    if read is not UNREAD:
        assert read == field.decode(text)
        assert type(read) is type(field.decode(text))


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.wire)
def test_a_reader_reads_usual_values(field: Field) -> None:
    """Of every field: the fast way is the one that terminals take."""
    usual = {Kind.TIME: "2026-01-05 08:00:00", Kind.MOMENT: "289515406", Kind.BASE64: "AAAA"}
    assert reader(field)(usual.get(field.kind, "1")) is not UNREAD


def test_every_pattern_has_words() -> None:
    """A mistake in a value says what is allowed, and shows no regular expression."""
    commands = declarations().catalogue.commands
    fields = [*FIELDS, *(field for command in commands for field in command.parameters)]
    patterns = [field for field in fields if field.pattern is not None]
    assert len(patterns) > 50
    assert [field.wire for field in patterns if not field.form] == []


def test_a_coded_value_is_refused_with_the_meanings_of_those_allowed() -> None:
    """The words of the code table, or those of the field where it has none."""
    catalogue = declarations().catalogue
    for name, params, words in (
        ("DATA UPDATE USERINFO", {"PIN": "1", "Pri": "15"}, "14 (Super administrator)"),
        ("DATA UPDATE USERINFO", {"PIN": "1", "Verify": "face"}, "15 (Face)"),
        ("ENROLL_FP", {"PIN": "1", "FID": "1", "OVERWRITE": "2"}, "0 (No), 1 (Yes)"),
    ):
        with pytest.raises(CommandError) as caught:
            check_command(catalogue.find(name), params)
        assert words in str(caught.value)
    without = Field(wire="X", name="x", kind=Kind.INTEGER, choices=(0, 1), meaning="1: it is on")
    with pytest.raises(ValueError, match=re.escape("0, 1 (1: it is on)")):
        without.decode("2")
