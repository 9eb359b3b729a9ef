"""Bodies of plain attendance records, read as a whole."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import fixture
from zkpush.handlers.attendance.lines import decode_attendance
from zkpush.handlers.attendance.plain import AttendanceRows, decode_plain
from zkpush.protocol.dialect import Dialect
from zkpush.protocol.times import wall_seconds

TIME = "2015-07-30 15:16:28"
PLAIN = Dialect()

COLUMN = st.sampled_from(
    ["1", "0", "255", "7 7", " 7", "", "x", "\u4e0a", "999999999", "9999999999", "\x7f", "-1"]
)
MOMENT = st.sampled_from(
    [
        TIME,
        "2026-02-29 08:00:00",
        "2024-02-29 23:59:59",
        "2100-02-29 08:00:00",
        "2026-04-31 08:00:00",
        "2026-12-31 08:00:00",
        "0000-01-01 08:00:00",
        "2026-01-05 24:00:00",
        "26-1-5 8:00:00",
    ]
)
LINE_END = st.sampled_from(["", "\r", "\t", "\t\t\t", "\t\r", " ", "\x0b", "\x1c"])


@given(
    st.lists(
        st.tuples(COLUMN, MOMENT, st.lists(COLUMN, max_size=12), LINE_END).map(
            lambda line: "\t".join([line[0], line[1], *line[2]]) + line[3]
        )
        | st.text(max_size=12)
    ),
    st.booleans(),
)
def test_the_quick_way_reads_what_the_careful_way_reads(lines: list[str], ended: bool) -> None:
    """A body that is read at once gives the rows that its lines give one by one."""
    text = "\n".join(lines) + "\n" * ended
    quick = decode_plain(text)
    if quick is not None:
        careful = [
            decode_attendance(line.rstrip("\r"), None, Dialect())
            for line in text.removesuffix("\n").split("\n")
        ]
        assert quick == careful


def test_plain_bodies_are_read_the_quick_way() -> None:
    """What terminals send all day, of 4 and of 7 columns, is read at once."""
    body = fixture("attendance.txt").decode()
    rows = decode_plain(body)
    assert rows is not None
    assert len(rows) == 9
    assert decode_plain("7\t2026-01-05 08:00:00\t0\t1\r\n7\t2026-01-05 08:00:01\t0\t1") is not None


def test_rows_that_are_kept_by_columns_are_rows_all_the_same() -> None:
    """They are counted, taken one by one and in parts, and compared, as a list of them is."""
    body = "7\t2026-01-05 08:00:00\t0\t1\t\t\tx\n8\t2026-01-05 08:00:01\t1\t300\t0\t\t\n"
    rows = decode_plain(body)
    assert isinstance(rows, AttendanceRows)
    each = [decode_attendance(line, None, PLAIN) for line in body.splitlines()]
    assert len(rows) == 2
    assert [rows[0], rows[-1]] == each
    assert rows[1:] == each[1:]
    assert [*rows] == each
    assert rows == each
    assert rows != each[:1]
    assert repr(rows) == f"AttendanceRows.of({each!r})"
    assert AttendanceRows.of(rows) is rows
    with pytest.raises(IndexError):
        rows[2]


@pytest.mark.parametrize("last", ["5\t6\t7", "5\t6\t", "5\t\t7", "\t6\t7", "\t\t"])
def test_an_empty_column_is_none_wherever_it_is(last: str) -> None:
    """Read at once or by itself, what a terminal does not say is not there."""
    line = f"7\t{TIME}\t0\t1\t{last}"
    assert decode_plain(line) == [decode_attendance(line, None, PLAIN)]


def test_rows_of_all_widths_are_joined() -> None:
    """What one part does not say is empty beside what another one says."""
    short = decode_plain("7\t2026-01-05 08:00:00\t0\t1\n")
    long = decode_plain("8\t2026-01-05 08:00:01\t0\t1\t5\t6\t7\n")
    whole = AttendanceRows.of([decode_attendance(f"9\t{TIME}\t0\t1", b"raw", PLAIN)])
    assert short is not None
    assert long is not None
    joined = AttendanceRows.join([short, long, whole])
    assert joined == [*short, *long, *whole]
    assert joined.seconds == wall_seconds([str(row[1]) for row in joined])


@pytest.mark.parametrize(
    "body",
    [
        "7\t2026-02-29 08:00:00\t0\t1\n",
        "7\t2026-01-05 08:00:00\t0\t1\n8\t2026-01-05 08:00:00\t0\t1\t0\t0\t0\n",
        "7\t2026-01-05 08:00:00\t0\n",
        "7\t2026-01-05 08:00:00\t0\t1" + "\t" * 40,
        "\n7\t2026-01-05 08:00:00\t0\t1\n",
        "7\t2026-01-05 08:00:00\t0\t1\t5\n",
        "",
    ],
)
def test_a_body_with_anything_odd_is_read_line_by_line(body: str) -> None:
    """A day that no calendar has, lines of two forms, too few columns, too many, none."""
    assert decode_plain(body) is None


def test_plain_times_are_those_of_the_calendar() -> None:
    """Of each month and day that two digits can name, a body is plain on just those there are."""
    for year in (2023, 2024, 1900, 2000, 0, 1, 9999):
        for month in range(20):
            for day in range(40):
                date = f"{year:04}-{month:02}-{day:02}"
                try:
                    datetime.date.fromisoformat(date)
                except ValueError:
                    there = False
                else:
                    there = True
                assert (decode_plain(f"7\t{date} 08:00:00\t0\t1\n") is not None) is there, date


def test_joined_bodies_are_read_as_if_they_came_in_one() -> None:
    """Bodies of one form are cut together, whether somebody has looked at one of them or not."""
    bodies = [f"{pin}\t2026-01-05 08:00:0{pin}\t{pin % 2}\t1\t0\t\t{pin}\n" for pin in range(4)]
    parts = [decode_plain(body) for body in bodies]
    rows = [part for part in parts if part is not None]
    each = [decode_attendance(body.strip("\n"), None, PLAIN) for body in bodies]
    assert rows[1] == each[1:2]
    joined = AttendanceRows.join(rows)
    assert len(joined) == len(each)
    assert joined == each
    assert joined.part(1, 3) == each[1:3]
    assert joined.part(1, 3).seconds == joined.seconds[1:3]
    assert AttendanceRows.join(rows[:1]) == each[:1]
