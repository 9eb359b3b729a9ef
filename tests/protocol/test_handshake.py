"""The initialization information exchange (5): what a terminal says, and what it is told."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import fixture
from tests.protocol.strategies import option_settings
from zkpush.handlers.attendance.tables import ATTLOG
from zkpush.protocol.fields import Layout, Table
from zkpush.protocol.handshake import (
    UNKNOWN_DEVICE,
    Hello,
    canonical_settings,
    check_settings,
    decode_hello,
    decode_options,
    decode_transfer_flag,
    encode_options,
    transfer_flag,
    without_words,
)
from zkpush.protocol.requests import check_stamp, parse_arguments

from ..declared import RECORD_TABLES

REQUEST = (
    b"SN=0316144680030&options=all&pushver=2.2.14&language=83"
    b"&pushcommkey=0123456789abcdef0123456789abcdef"
)
"""The arguments of the example of section 5, with another key."""

HELLOS = [
    (
        REQUEST,
        Hello(
            push_version="2.2.14",
            language="83",
            comm_key="0123456789abcdef0123456789abcdef",
        ),
    ),
    (
        b"SN=1&options=all&DeviceType=pid&PushOptionsFlag=1&X=",
        Hello(device_type="pid", attributes={"PushOptionsFlag": "1", "X": ""}),
    ),
    (
        b"sn=1&OPTIONS=all&PushVer=3.1.6S&LANGUAGE=69&devicetype=att",
        Hello(push_version="3.1.6S", language="69", device_type="att"),
    ),
    (b"SN=1&options=all&pushver=&language=", Hello()),
    (b"SN=1&options=all", Hello()),
]

OPTIONS = (
    "PushOptions=FingerFunOn,FaceFunOn,UserPicURLFunOn,MultiBioDataSupport,MultiBioPhotoSupport,"
    "MultiBioVersion,MultiBioCount,MaxMultiBioDataCount,MaxMultiBioPhotoCount,MultiBioDataCount,"
    "MultiBioPhotoCount\n"
)
NAMES = (
    "TransData AttLog\tOpLog\tAttPhoto\tEnrollFP\tEnrollUser\tChgUser\tChgFP\tFACE\tUserPic"
    "\tWORKCODE\tBioPhoto"
)
"""All words of format II (5) but FPImag: nothing is known of how images are uploaded."""
DIGITS = "111110111111"

REPLIES = [
    (
        {"settings": {}, "stamps": {}, "time_zone": "8", "old_names": False},
        "GET OPTION FROM: 0316144680030\n"
        "ATTLOGStamp=0\n"
        "OPERLOGStamp=0\n"
        "ATTPHOTOStamp=0\n"
        "BIODATAStamp=0\n"
        "IDCARDStamp=0\n"
        "ERRORLOGStamp=0\n"
        "ErrorDelay=30\n"
        "Delay=10\n"
        "TransTimes=00:00;14:00\n"
        "TransInterval=1\n"
        f"TransFlag={NAMES}\n"
        "TimeZone=8\n"
        "Realtime=1\n"
        "Encrypt=0\n"
        "ServerVer=2.4.1\n"
        "PushProtVer=2.4.1\n"
        "PushOptionsFlag=1\n" + OPTIONS + "ATTPHOTOBase64=0\n"
        "MultiBioDataSupport=0:1:1:1:1:1:1:1:1:1\n"
        "MultiBioPhotoSupport=0:1:1:1:1:1:1:1:1:1\n",
    ),
    (
        {
            "settings": {
                "ErrorDelay": 60,
                "Delay": 5,
                "TransTimes": "06:30",
                "TransInterval": 0,
                "TransFlag": "digits",
                "Realtime": 0,
                "PushOptionsFlag": 0,
                "ATTPHOTOBase64": 1,
                "MultiBioDataSupport": "0:0:0:0:0:0:0:0:0:1",
                "MultiBioPhotoSupport": "0:1:0:0:0:0:0:0:0:1",
            },
            "stamps": {"ATTLOG": "9999", "ATTPHOTO": "82983982"},
            "time_zone": "-210",
            "old_names": True,
        },
        "GET OPTION FROM: 0316144680030\n"
        "ATTLOGStamp=9999\n"
        "Stamp=9999\n"
        "OPERLOGStamp=0\n"
        "OpStamp=0\n"
        "ATTPHOTOStamp=82983982\n"
        "PhotoStamp=82983982\n"
        "BIODATAStamp=0\n"
        "IDCARDStamp=0\n"
        "ERRORLOGStamp=0\n"
        "ErrorDelay=60\n"
        "Delay=5\n"
        "TransTimes=06:30\n"
        "TransInterval=0\n"
        f"TransFlag={DIGITS}\n"
        "TimeZone=-210\n"
        "Realtime=0\n"
        "Encrypt=0\n"
        "ServerVer=2.4.1\n"
        "PushProtVer=2.4.1\n"
        "PushOptionsFlag=0\n" + OPTIONS + "ATTPHOTOBase64=1\n"
        "MultiBioDataSupport=0:0:0:0:0:0:0:0:0:1\n"
        "MultiBioPhotoSupport=0:1:0:0:0:0:0:0:0:1\n",
    ),
]

OLD_NAMES = {"Stamp", "OpStamp", "PhotoStamp"}

PHOTOS = Table(
    name="PHOTOS",
    section="0",
    meaning="Stands for a type the server stores too",
    layout=Layout.COLUMNS,
    fields=(),
    transfer=("BioPhoto", "OpLog"),
)

FLAGS = [
    ("names", RECORD_TABLES, NAMES),
    ("digits", RECORD_TABLES, DIGITS),
    ("names", [ATTLOG], "TransData AttLog"),
    ("digits", [ATTLOG], "100000000000"),
    ("names", [ATTLOG, PHOTOS], "TransData AttLog\tOpLog\tBioPhoto"),
    ("digits", [ATTLOG, PHOTOS], "110000000001"),
    ("digits", [], "000000000000"),
    ("1111000000", RECORD_TABLES, "1111000000"),
    ("TransData AttLog\tFACE", RECORD_TABLES, "TransData AttLog\tFACE"),
]

GOOD_SETTINGS = [
    ({}, {}),
    ({"Delay": 5}, {"Delay": 5}),
    ({"Delay": "5"}, {"Delay": 5}),
    ({"delay": 1, "ERRORDELAY": "86400"}, {"Delay": 1, "ErrorDelay": 86400}),
    ({"TransInterval": 0, "Realtime": "1"}, {"TransInterval": 0, "Realtime": 1}),
    ({"TransTimes": "00:00"}, {"TransTimes": "00:00"}),
    ({"TransTimes": ";".join(["23:59"] * 10)}, {"TransTimes": ";".join(["23:59"] * 10)}),
    ({"TransFlag": "names"}, {"TransFlag": "names"}),
    ({"TransFlag": "111100000000"}, {"TransFlag": "111100000000"}),
    ({"TransFlag": 1111000000}, {"TransFlag": "1111000000"}),
    ({"TransFlag": "TransData AttLog\tOpLog"}, {"TransFlag": "TransData AttLog\tOpLog"}),
    ({"attphotobase64": "1"}, {"ATTPHOTOBase64": 1}),
    (
        {"MultiBioDataSupport": "0:1:0:0:0:0:0:0:0:1"},
        {"MultiBioDataSupport": "0:1:0:0:0:0:0:0:0:1"},
    ),
    (
        {"MultiBioPhotoSupport": "0:0:0:0:0:0:0:0:0:1:1"},
        {"MultiBioPhotoSupport": "0:0:0:0:0:0:0:0:0:1:1"},
    ),
]

BAD_SETTINGS = [
    ({"Delay": 0}, "Delay: 0 is less than 1 (Seconds between two polls"),
    ({"Delay": 86401}, "Delay: 86401 is more than 86400 ("),
    ({"Delay": "soon"}, "Delay: 'soon' is not an integer ("),
    ({"Delay": True}, "Delay takes integer ("),
    ({"Delay": 1.5}, "Delay takes integer ("),
    ({"Delay": None}, "Delay takes integer ("),
    ({"TransTimes": ["00:00"]}, "TransTimes takes text ("),
    ({"TransTimes": "24:00"}, "TransTimes: '24:00' is not one to ten times such as 08:00;14:30"),
    ({"TransTimes": "00: 00;14: 00"}, "TransTimes: '00: 00;14: 00' is not one to ten times"),
    ({"TransTimes": ";".join(["00:00"] * 11)}, "TransTimes: "),
    ({"TransFlag": "names\nDelay=1"}, "TransFlag: "),
    ({"TransFlag": "TransData AttLog OpLog"}, "TransFlag: "),
    ({"TransFlag": "111"}, "TransFlag: '111' is not names, digits, 10 to 12 digits"),
    ({"Realtime": 2}, "Realtime: 2 is more than 1 ("),
    ({"ATTPHOTOBase64": 2}, "ATTPHOTOBase64: 2 is more than 1 ("),
    ({"MultiBioDataSupport": "0:1"}, "MultiBioDataSupport: '0:1' is not 10 to 16 digits 0 or 1"),
    ({"MultiBioDataSupport": 1}, "MultiBioDataSupport: '1' is not 10 to 16 digits 0 or 1"),
    ({"MultiBioPhotoSupport": "0: 1: 1: 0: 0: 0: 0: 0: 0: 0"}, "MultiBioPhotoSupport: '0: 1"),
    ({"MultiBioPhotoSupport": "0:10:0:7:0:0:0:0:0:0"}, "MultiBioPhotoSupport: '0:10:0:7"),
    ({"TimeZone": "8"}, "TimeZone is not an option that can be set; there are ErrorDelay, Delay, "),
    ({"Dealy": 5}, "Dealy is not an option that can be set; there are ErrorDelay, Delay, "),
]


@pytest.mark.parametrize(("query", "hello"), HELLOS)
def test_a_terminal_introduces_itself(query: bytes, hello: Hello) -> None:
    """The exchange is read in any case; what the protocol does not know becomes an attribute."""
    assert decode_hello(parse_arguments(query)) == hello


@pytest.mark.parametrize(("said", "reply"), REPLIES)
def test_a_terminal_is_told_its_options_in_the_order_of_the_specification(
    said: dict[str, object], reply: str
) -> None:
    """The reply has one option a line, in the order of section 5, each line ended by LF."""
    body = encode_options("0316144680030", tables=RECORD_TABLES, **said)
    assert body.decode() == reply
    first, *lines = reply.splitlines()
    assert first == "GET OPTION FROM: 0316144680030"
    assert list(decode_options(body).items()) == [tuple(line.split("=", 1)) for line in lines]


@pytest.mark.parametrize("old_names", [False, True])
def test_old_names_of_stamps_are_only_for_old_firmware(old_names: bool) -> None:
    """Stamps are sent under their old names too where they are asked for, and else never."""
    body = encode_options(
        "1", settings={}, stamps={}, time_zone="0", tables=RECORD_TABLES, old_names=old_names
    )
    assert OLD_NAMES & decode_options(body).keys() == (OLD_NAMES if old_names else set())


def test_the_reply_of_the_specification_is_read() -> None:
    """The example of section 5 is read as a terminal reads it."""
    assert decode_options(fixture("option_reply.txt")) == {
        "ATTLOGStamp": "None",
        "OPERLOGStamp": "9999",
        "ATTPHOTOStamp": "None",
        "ErrorDelay": "30",
        "Delay": "10",
        "TransTimes": "00:00;14:05",
        "TransInterval": "1",
        "TransFlag": "TransData AttLog\tOpLog\tAttPhoto\tEnrollUser\tChgUser\tEnrollFP\tChgFP"
        "\tUserPic",
        "TimeZone": "8",
        "Realtime": "1",
        "Encrypt": "None",
    }


@pytest.mark.parametrize(
    ("body", "mistake"),
    [
        (b"GET OPTION FROM: 1\nDelay=10", "does not end with LF"),
        (b"GET OPTION FROM: 1", "does not end with LF"),
        (b"OK", "not an option reply"),
        (b"", "not an option reply"),
        (b"UNKNOWN DEVICE", "not an option reply"),
        (b"GET OPTION FROM: 1\nX=\xff\n", "can't decode"),
    ],
)
def test_a_terminal_does_not_take_another_reply_for_options(body: bytes, mistake: str) -> None:
    """What is not an option reply, or would lose its last line, is an error of the server's."""
    with pytest.raises(ValueError, match=mistake):
        decode_options(body)


@given(st.binary() | st.binary().map(lambda body: b"GET OPTION FROM: 1\n" + body + b"\n"))
def test_any_reply_is_options_or_an_error(body: bytes) -> None:
    """No reply makes a terminal fail in another way than by saying what is wrong."""
    try:
        options = decode_options(body)
    except ValueError:
        return
    assert len(options) <= body.count(b"\n")


@pytest.mark.parametrize(("setting", "tables", "flag"), FLAGS)
def test_terminals_are_asked_for_everything_that_is_stored(
    setting: str, tables: list[Table], flag: str
) -> None:
    """TransFlag is words or digits for all the server stores, or what was configured."""
    assert transfer_flag(setting, tables) == flag


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("TransData AttLog\tOpLog", {"AttLog", "OpLog"}),
        ("TransData AttLog OpLog AttPhoto", {"AttLog", "OpLog", "AttPhoto"}),
        ("TransData FACE\tNew", {"FACE", "New"}),
        ("TransData", set()),
        ("1111000000", {"AttLog", "OpLog", "AttPhoto", "EnrollFP"}),
        ("000000000001", {"BioPhoto"}),
        ("0000000000", {"AttPhoto"}),
    ],
)
def test_a_terminal_reads_what_it_is_asked_for(flag: str, words: set[str]) -> None:
    """Both formats name the data to send; nothing but zeros asks for attendance photos (5)."""
    assert decode_transfer_flag(flag) == words


@pytest.mark.parametrize("setting", ["names", "digits"])
def test_a_terminal_reads_what_the_server_wants(setting: str) -> None:
    """Both formats ask for the same, all words but FPImag."""
    asked = decode_transfer_flag(transfer_flag(setting, RECORD_TABLES))
    assert asked == set(NAMES.removeprefix("TransData ").split("\t"))


def test_options_are_known_by_their_own_names() -> None:
    """The name of an option may be in any case; what cannot be set is refused."""
    assert canonical_settings(["DELAY", "attphotobase64"]) == ["Delay", "ATTPHOTOBase64"]
    with pytest.raises(ValueError, match=r"^Stamp is not an option that can be set; there are "):
        canonical_settings(["Delay", "Stamp"])


@pytest.mark.parametrize(("given_", "checked"), GOOD_SETTINGS)
def test_settings_are_taken_in_any_case_and_as_text(
    given_: dict[str, object], checked: dict[str, str | int]
) -> None:
    """Options may be set in any case, numbers as text; they come back under their own names."""
    assert check_settings(given_) == checked


@pytest.mark.parametrize(("given_", "mistake"), BAD_SETTINGS)
def test_a_bad_setting_is_explained(given_: dict[str, object], mistake: str) -> None:
    """A setting that is no option, or no value of it, is refused with what it takes."""
    with pytest.raises(ValueError, match="^" + re.escape(mistake)):
        check_settings(given_)


def test_an_option_cannot_be_set_twice() -> None:
    """Two spellings of one option are a mistake."""
    with pytest.raises(ValueError, match=r"^Delay is there twice$"):
        check_settings({"Delay": 5, "delay": 6})


def test_all_bad_settings_are_reported_at_once() -> None:
    """Every mistake in the settings is named, one a line, and none hides another."""
    with pytest.raises(ValueError, match=r"^Delay: 0 is less than 1") as caught:
        check_settings({"Delay": 0, "Realtime": 1, "Dealy": 1, "TransFlag": "all", "encrypt": 1})
    lines = str(caught.value).split("\n")
    assert [line.split(" ")[0] for line in lines] == ["Delay:", "Dealy", "TransFlag:", "encrypt"]


@given(option_settings())
def test_every_setting_that_is_allowed_is_taken(settings: dict[str, object]) -> None:
    """All values within bounds and patterns are taken, as they are or as text."""
    assert check_settings(settings) == settings
    assert check_settings({name.upper(): str(settings[name]) for name in settings}) == settings


@given(
    option_settings(),
    st.dictionaries(st.sampled_from(["ATTLOG", "OPERLOG", "IDCARD"]), st.integers(0).map(str)),
    st.booleans(),
)
def test_every_option_reply_is_read_as_it_was_meant(
    settings: dict[str, str | int], stamps: dict[str, str], old_names: bool
) -> None:
    """A terminal reads every setting and every stamp as the server has it."""
    options = decode_options(
        encode_options(
            "0316144680030",
            settings=settings,
            stamps=stamps,
            time_zone="330",
            tables=RECORD_TABLES,
            old_names=old_names,
        )
    )
    assert options["TimeZone"] == "330"
    for name, stamp in stamps.items():
        assert options[f"{name}Stamp"] == stamp
    for name, value in settings.items():
        if value == "names":
            assert options[name] == NAMES
        elif value == "digits":
            assert options[name] == DIGITS
        else:
            assert options[name] == str(value)


@pytest.mark.parametrize("stamp", ["0", "9999", "None", "2015-07-30 15:16:28", "a.b_c", "9" * 64])
def test_a_stamp_is_sent_back_as_it_came(stamp: str) -> None:
    """Stamps are opaque: numbers, times and words are remembered as they are."""
    assert check_stamp(stamp) == stamp


@pytest.mark.parametrize("stamp", [None, "", "1\nDelay=1", "1\n", "a=b", "9" * 65, "\u0661"])
def test_what_would_be_more_than_a_stamp_is_none(stamp: str | None) -> None:
    """A stamp that could not be sent back as one value is not remembered."""
    assert check_stamp(stamp) is None


def test_a_terminal_is_made_to_begin_again_in_the_words_it_knows() -> None:
    """The reply that asks for a new exchange is UNKNOWN DEVICE, which holds no OK."""
    assert UNKNOWN_DEVICE == b"UNKNOWN DEVICE"


@pytest.mark.parametrize(
    ("value", "left"),
    [
        ("names", "names"),
        ("digits", "digits"),
        ("TransData AttLog\tEnrollFP\tOpLog", "TransData AttLog\tOpLog"),
        ("TransData EnrollFP", "TransData "),
        ("111111111111", "111011101111"),
        ("0001000100", "TransData "),
        ("0000000000", "0000000000"),
    ],
)
def test_data_can_be_taken_out_of_what_is_asked_for(value: str, left: str) -> None:
    """In the format that it has; but nothing at all has another one (5)."""
    assert without_words(value, {"EnrollFP", "ChgFP"}) == left
    assert not decode_transfer_flag(left) & {"EnrollFP", "ChgFP"}
