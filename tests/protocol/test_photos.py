"""Attendance photos (11.3, 11.8), in the forms that firmware of all ages sends them."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocol.bodies import CHINESE, read, reasons
from tests.protocol.strategies import VALUE_CHARACTERS, broken_bodies
from zkpush.handlers.attendance.tables import ATTPHOTO
from zkpush.protocol.packets import pack
from zkpush.protocol.photos import Photo, PhotoName, decode_photo, encode_photo, parse_name

NAME = "20150731103012-123.jpg"
OLD_NAME = "20081119172119-4.jpg"
HEAD = b"PIN=20150731103012-123.jpg\nSN=0316144680030\nsize=%d\nCMD=uploadphoto\0"
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\n\r\nPIN=1\nsize=2\n\0\0\n\xff\xd9"
ARMOURED = base64.b64encode(JPEG)

NAMES = [
    (NAME, PhotoName("2015-07-31 10:30:12", None, "123")),
    (
        "20160615093758-0-1457-100000000000000006.jpg",
        PhotoName("2016-06-15 09:37:58", 0, "1457", "100000000000000006"),
    ),
    ("20160615093758-4-1457.jpg", PhotoName("2016-06-15 09:37:58", 4, "1457")),
    ("20160615093758-2-1457-.jpg", PhotoName("2016-06-15 09:37:58", 2, "1457")),
    (
        "20160615093758-1--10000000000000006X.jpg",
        PhotoName("2016-06-15 09:37:58", 1, None, "10000000000000006X"),
    ),
    (
        "20160615093758-0-A-7-10000000000000006X.jpg",
        PhotoName("2016-06-15 09:37:58", 0, "A-7", "10000000000000006X"),
    ),
    ("20150731103012-A-7.jpg", PhotoName("2015-07-31 10:30:12", None, "A-7")),
    ("20150731103012-5.jpg", PhotoName("2015-07-31 10:30:12", None, "5")),
    ("20150731103012.jpg", PhotoName("2015-07-31 10:30:12")),
    ("20150731103012-.jpg", PhotoName("2015-07-31 10:30:12")),
    ("20150731103012-123", PhotoName("2015-07-31 10:30:12", None, "123")),
    ("20150731103012-123.JPEG", PhotoName("2015-07-31 10:30:12", None, "123")),
    ("20150231103012-123.jpg", PhotoName()),
    ("20150731253012-123.jpg", PhotoName()),
    ("201507311030-123.jpg", PhotoName()),
    ("123.jpg", PhotoName()),
    ("../../etc/passwd", PhotoName()),
    ("", PhotoName()),
]


def test_a_photo_is_written_as_the_protocol_has_it() -> None:
    """Four lines without an end of the last one, NUL, and the picture."""
    assert encode_photo("0316144680030", NAME, JPEG) == HEAD % len(JPEG) + JPEG
    assert len(JPEG) == 32


def test_nothing_in_a_picture_ends_it() -> None:
    """NULs, line ends and what looks like lines are part of the picture."""
    photo = decode_photo(HEAD % 32 + JPEG, "utf-8")
    assert photo == Photo(NAME, JPEG, "uploadphoto")


@pytest.mark.parametrize(
    "body",
    [
        HEAD % 32 + JPEG,
        b"PIN=20150731103012-123.jpg SN=0316144680030 size=32 CMD=uploadphoto\0" + JPEG,
        b"PIN=20150731103012-123.jpg\r\nSN=0316144680030\r\nsize=32\r\nCMD=uploadphoto\r\n\0"
        + JPEG,
        b"pin=20150731103012-123.jpg\nsn=0316144680030\nSIZE=32\ncmd=uploadphoto\n\0" + JPEG,
    ],
)
def test_lines_before_the_picture_are_read_however_they_end(body: bytes) -> None:
    """LF, CRLF or a space ends a line, the last one too, and names have any case."""
    photo = decode_photo(body, "utf-8")
    assert (photo.name, photo.content, photo.command) == (NAME, JPEG, "uploadphoto")


def test_a_photo_may_have_no_size() -> None:
    """Only the name and the picture have to be there."""
    photo = decode_photo(b"PIN=20150731103012-123.jpg\0" + JPEG, "utf-8")
    assert photo == Photo(NAME, JPEG)


@pytest.mark.parametrize("body", [JPEG, ARMOURED, HEAD % 32 + JPEG])
def test_old_firmware_sends_the_name_in_the_request(body: bytes) -> None:
    """In the old form the body is the picture alone; lines within it go before the argument."""
    contents = read("ATTPHOTO", body, name=OLD_NAME)
    assert contents.rejects == []
    ((photo,),) = contents.batches[0].rows
    assert photo.content == JPEG
    assert photo.name == (NAME if body.startswith(b"PIN=") else OLD_NAME)


@pytest.mark.parametrize("size", [32, 44])
@pytest.mark.parametrize("armoured", [ARMOURED, ARMOURED.rstrip(b"="), ARMOURED + b"\n"])
def test_a_photo_may_be_in_base64(size: int, armoured: bytes) -> None:
    """With ATTPHOTOBase64 the size is that of the picture, or of its base64."""
    if size == 44:
        size = len(armoured)
    photo = decode_photo(HEAD % size + armoured, "utf-8")
    assert photo == Photo(NAME, JPEG, "uploadphoto")


def test_a_picture_of_another_form_is_taken_by_its_size() -> None:
    """What is no JPEG is unpacked from base64 if the size is that of what it stands for."""
    assert decode_photo(HEAD % 3 + b"QUJD", "utf-8").content == b"ABC"
    assert decode_photo(HEAD % 4 + b"QUJD", "utf-8").content == b"QUJD"
    assert decode_photo(HEAD % 3 + b"\0\n\xff", "utf-8").content == b"\0\n\xff"


def test_what_else_the_lines_say_is_kept() -> None:
    """Lines that the protocol does not know are kept, and so are bytes that are no text."""
    head = b"PIN=20150731103012-\xd5\xc5.jpg\nsize=32\nTemp=36.5"
    english = decode_photo(head + b"\0" + JPEG, "utf-8")
    assert english.name == "20150731103012-\ufffdd5\ufffdc5.jpg"
    assert english.extra == '{"Temp":"36.5"}'
    assert english.raw == head
    contents = read("ATTPHOTO", head + b"\0" + JPEG, CHINESE)
    ((chinese,),) = contents.batches[0].rows
    assert chinese.name == "20150731103012-\u5f20.jpg"
    assert chinese.raw is None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (HEAD % 32 + JPEG[:-1], "size is 32, but the picture has 31 bytes"),
        (HEAD % 9512 + JPEG, "size is 9512, but the picture has 32 bytes"),
        (HEAD % 31 + ARMOURED, "size is 31, but the picture has 32 bytes"),
        (HEAD % 0, "there is no picture"),
        (b"PIN=a.jpg\nsize=4\0", "there is no picture"),
        (b"PIN=\nsize=32\0" + JPEG, "PIN is missing"),
        (b"PIN=a.jpg\nPIN=b.jpg\0" + JPEG, "PIN is there twice"),
        (b"PIN=a.jpg\nrubbish\0" + JPEG, "part 2 is not Key=Value"),
        (b"SN=1\nsize=32\0" + JPEG, "a photo begins with PIN=, its name, and ends its lines with"),
        (b"PIN=a.jpg\nsize=32\n\xff\xd8\xff", "a photo begins with PIN=, its name, and ends its"),
        (b"PIN=" + b"a" * 4096 + b"\0" + JPEG, "a photo begins with PIN=, its name, and ends its"),
        (JPEG, "a photo begins with PIN=, its name, and ends its lines with NUL"),
        (b"", "a photo begins with PIN=, its name, and ends its lines with NUL"),
    ],
)
def test_a_photo_that_is_not_whole_is_kept_with_the_reason(body: bytes, reason: str) -> None:
    """A photo without a name, without a picture or of another size is kept as it came."""
    contents = read("ATTPHOTO", body)
    assert contents.batches == []
    ((table, why, raw),) = reasons(contents)
    assert (table, raw) == ("ATTPHOTO", body)
    assert why.startswith(reason)
    assert contents.bare


def test_an_empty_body_of_old_firmware_is_no_picture() -> None:
    """A name alone is no photo."""
    assert reasons(read("ATTPHOTO", b"", name=OLD_NAME)) == [
        ("ATTPHOTO", "there is no picture", b"")
    ]


def test_photos_may_be_packed() -> None:
    """Each member of a packet is a photo."""
    bodies = [encode_photo("1", f"2015073110301{n}-{n}.jpg", JPEG * n) for n in (1, 2)]
    contents = read("ATTPHOTO", pack([("a", bodies[0]), ("b", bodies[1])]), packed=True)
    assert contents.rejects == []
    (batch,) = contents.batches
    assert batch.table is ATTPHOTO
    assert [photo.name for (photo,) in batch.rows] == [
        "20150731103011-1.jpg",
        "20150731103012-2.jpg",
    ]
    assert [photo.content for (photo,) in batch.rows] == [JPEG, JPEG * 2]


@pytest.mark.parametrize(("name", "meaning"), NAMES)
def test_a_name_says_when_how_and_who(name: str, meaning: PhotoName) -> None:
    """A name has a time, and may have a photo type, a user and a citizen ID number."""
    assert parse_name(name) == meaning


@given(
    st.text(VALUE_CHARACTERS, min_size=1, max_size=40).filter(lambda name: " " not in name),
    st.binary(min_size=1),
)
def test_every_photo_is_read_as_it_was_written(name: str, content: bytes) -> None:
    """Pictures of any bytes and names of any text are read back."""
    if any(ord(character) < 32 for character in name):
        return
    photo = decode_photo(encode_photo("1", name, content), "utf-8")
    assert (photo.name, photo.content) == (name, content)


@given(st.text())
def test_any_name_means_something_or_nothing(name: str) -> None:
    """No name makes the reading of its parts fail."""
    meaning = parse_name(name)
    assert meaning.time is not None or meaning == PhotoName()


@given(broken_bodies(), st.none() | st.text(max_size=20))
def test_no_photo_is_fatal(body: bytes, name: str | None) -> None:
    """Any bytes are one photo, or one mistake with all of them."""
    contents = read("ATTPHOTO", body, name=name)
    assert contents.count + len(contents.rejects) == 1
    assert all(reject.raw == body for reject in contents.rejects)
