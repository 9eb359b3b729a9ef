"""Files of people: names and words of the console in imports, exports, and their round trip."""

from __future__ import annotations

import codecs
import csv
import io
import re

import pytest
import pytest_twisted

from zkpush.handlers.people.columns import MEANINGS, ColumnNames, label_of
from zkpush.handlers.people.importpages import FIELD_WORDS
from zkpush.manage.console.extraction import packages_of_zkpush
from zkpush.manage.console.languages import LANGUAGES, ConsoleLanguage, translations_of
from zkpush.protocol.codes import Privilege

from ..rig import Response, Rig
from .browser import Browser, document, forms_of, signed_in, text_of
from .test_attendance import cells, person, rows
from .test_people import operate, token

SECRET, TEMPLATE = "246813", "QUJDRA=="
EVERY_LANGUAGE = pytest.mark.parametrize("language", [one.code for one in LANGUAGES])


async def checked(browser: Browser, content: bytes, **fields: str) -> Response:
    """The preview of a file."""
    given = {"csrf": await token(browser), **fields}
    return await browser.upload("/people/import", given, "file", content)


async def imported(browser: Browser, content: bytes, **fields: str) -> None:
    """Import a file without mistakes, with the areas that it adds."""
    shown = await checked(browser, content, **fields)
    (form,) = [one for one in forms_of(shown) if one[0].endswith("/import/run")]
    added = re.findall('name="new_area" value="([^"]*)"', shown.body.decode())
    sent = await browser.post("/people/import/run", {**form[1], "new_area": added})
    assert sent.status == 303


async def speaking(rig: Rig, language: str) -> Browser:
    """A browser in a language."""
    browser = await signed_in(rig)
    browser.language = language
    return browser


def lines_of(got: Response) -> list[list[str]]:
    """The rows of a CSV file, with the separators of its language."""
    text = got.body.decode("utf-8-sig")
    separator = ";" if ";" in text.partition("\n")[0] else ","
    return [*csv.reader(io.StringIO(text), delimiter=separator)]


@EVERY_LANGUAGE
@pytest_twisted.ensureDeferred
async def test_names_that_pages_show_are_names_of_columns(rig: Rig, language: str) -> None:
    """Headings of the list, labels of the form and headings of exports, in each language."""
    await person(rig, "1", "Ann")
    browser = await speaking(rig, language)
    shown = [one.text or "" for one in document(await browser.get("/people")).iter("th")]
    for label in document(await browser.get("/people/new")).iter("label"):
        if label.get("for"):
            shown.append(label.text or "")
    shown += lines_of(await browser.get("/people/export.csv"))[0]
    named = {"pin"}
    for heading in shown:
        content = f"pin,{heading.strip()}\n" if heading.strip() else "pin\n"
        got = await checked(browser, content.encode())
        twice = got.status != 200
        if twice:  # the name of the user ID, beside `pin`
            got = await checked(browser, f"{heading.strip()},name\n".encode())
        assert got.status == 200, (heading, text_of(got))
        named.add(heading.strip())
    assert len(named) > len(MEANINGS)


@EVERY_LANGUAGE
@pytest_twisted.ensureDeferred
async def test_an_exported_file_changes_nothing_when_it_is_imported(
    rig: Rig, language: str
) -> None:
    """Whatever terminals and operators have stated, in the words of the language."""
    await rig.exchange("T1")
    await operate(
        rig,
        f"USER PIN=1\tName= =Ann, Ash\tPri=14\tPasswd={SECRET}\tCard=77\tGrp=3\tVerify=-1\n",
        "USER PIN=2\tName=\u5f20\u4f1f \u201cZ\u201d\tPri=9\tVerify=15\tTZ=0001000100000000"
        "\tStartDatetime=20260101T080000\tEndDatetime=2026-12-31 23:59:59\tExpires=2\n",
        f"FP PIN=1\tFID=6\tSize=8\tValid=1\tTMP={TEMPLATE}\n",
        "USER PIN=c-d\tName=\tPri=0\n",
    )
    await rig.api("PUT", "/users/1", {"areas": ["North, upper", "South"], "vice_card": "99"})
    await rig.api("PUT", "/users/2", {"areas": ["South", "=East"]})
    browser = await speaking(rig, language)
    got = await browser.get("/people/export.csv")
    assert got.body.startswith(codecs.BOM_UTF8)
    assert SECRET not in got.body.decode()
    assert TEMPLATE not in got.body.decode()
    assert len(lines_of(got)) == 4
    shown = document(await checked(browser, got.body))
    counts = [one.text for one in shown.iter("strong") if (one.text or "").isdigit()]
    assert counts == ["0", "0", "3", "0", "0"]
    assert rows_of_sheet(await browser.get("/people/export.xlsx")) == [
        [cell.removeprefix("'") for cell in line if cell] for line in lines_of(got)
    ]


def rows_of_sheet(got: Response) -> list[list[str]]:
    """The texts of a workbook, as far as they are written."""
    return cells(got.body)


@pytest_twisted.ensureDeferred
async def test_an_export_has_the_people_who_are_listed(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the search and the area of the list, on all its pages, read in slices."""
    monkeypatch.setattr("zkpush.handlers.people.exportpages.SLICE", 7)
    for number in range(20):
        await person(rig, str(100 + number), f"Person {number}")
        await rig.api("PUT", f"/users/{100 + number}", {"areas": ["North", "South"][number % 2 :]})
    browser = await signed_in(rig)
    shown = (await browser.get("/people?q=person&area=North")).body.decode()
    for kind in ("csv", "xlsx"):
        link = re.search(rf'href="/console(/people/export\.{kind}\?[^"]*)"', shown)
        assert link is not None
        got = await browser.get(link[1].replace("&amp;", "&"))
        found = lines_of(got) if kind == "csv" else cells(got.body)
        assert [row[0] for row in found[1:]] == [str(100 + n) for n in range(0, 20, 2)]


@pytest_twisted.ensureDeferred
async def test_limited_accounts_export_the_people_of_their_areas(rig: Rig) -> None:
    """With those of their areas only."""
    for pin, areas in (("1", ["North", "South"]), ("2", ["South"])):
        await person(rig, pin, f"Person {pin}")
        await rig.api("PUT", f"/users/{pin}", {"areas": areas})
    browser = await signed_in(rig, "read", areas=["North"])
    got = await browser.get("/people/export.csv")
    assert [row[:2] for row in lines_of(got)[1:]] == [["1", "Person 1"]]
    assert "South" not in got.body.decode()


@EVERY_LANGUAGE
@pytest_twisted.ensureDeferred
async def test_the_sample_file_can_be_imported(rig: Rig, language: str) -> None:
    """It is offered on the page, names columns in its language, and adds two people."""
    browser = await speaking(rig, language)
    page = await browser.get("/people/import")
    assert 'href="/console/people/import/sample.csv"' in page.body.decode()
    sample = await browser.get("/people/import/sample.csv")
    await imported(browser, sample.body)
    found = await rig.items("/users")
    assert len(found) == 2
    assert found[0]["end_datetime"] == "2027-12-31 23:59:59"


@EVERY_LANGUAGE
@pytest_twisted.ensureDeferred
async def test_coded_values_may_be_words(rig: Rig, language: str) -> None:
    """Those of the language, those in English, in any case, and numbers."""
    browser = await speaking(rig, language)
    shown = document(await browser.get("/people/new"))
    (select,) = (one for one in shown.iter("select") if one.get("name") == "privilege")
    words = {one.text: one.get("value") for one in select.iter("option") if one.get("value")}
    words |= {one.meaning.upper(): str(int(one)) for one in Privilege}
    words |= {str(int(one)): str(int(one)) for one in Privilege}
    lines = [f"{n},{word}" for n, word in enumerate(words, 1)]
    await imported(browser, "\n".join(["pin,privilege", *lines]).encode())
    found = [str(one["privilege"]) for one in await rig.items("/users")]
    assert found == [*words.values()]
    wrong = await checked(browser, b"pin,Rights at terminals\n1,boss\n")
    assert "boss" in rows(wrong)[0]


def test_words_of_a_column_tell_its_values_apart() -> None:
    """No two codes have the same words."""
    for words in FIELD_WORDS.values():
        assert len({one.casefold() for one in words}) == len(words)


@pytest.mark.parametrize("language", LANGUAGES, ids=[one.code for one in LANGUAGES])
def test_no_name_means_two_columns(language: ConsoleLanguage) -> None:
    """The first of two would win silently."""
    said = translations_of(packages_of_zkpush(), language).gettext
    names = ColumnNames(said)
    assert [names.find(said(label_of(name))) for name in MEANINGS] == [*MEANINGS]
    assert [names.find(label_of(name)) for name in MEANINGS] == [*MEANINGS]


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("2026-03-01", "2026-03-01 00:00:00", "2026-03-01 23:59:59"),
        ("2026/3/1 8:30", "2026-03-01 08:30:00", "2026-03-01 08:30:00"),
        ("31.12.2026", "2026-12-31 00:00:00", "2026-12-31 23:59:59"),
        ("31/12/2026", "2026-12-31 00:00:00", "2026-12-31 23:59:59"),
        ("12/31/2026 07:05:09", "2026-12-31 07:05:09", "2026-12-31 07:05:09"),
        ("2026-03-01T08:30", "2026-03-01 08:30:00", "2026-03-01 08:30:00"),
        ("1.2.26", "2026-02-01 00:00:00", "2026-02-01 23:59:59"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_dates_have_their_usual_forms(rig: Rig, text: str, begin: str, end: str) -> None:
    """A date without a time is its beginning or its end."""
    browser = await signed_in(rig)
    content = f"User ID\tValid from\tValid until\n1\t{text}\t{text}\n"
    await imported(browser, content.encode())
    (found,) = await rig.items("/users")
    assert (found["start_datetime"], found["end_datetime"]) == (begin, end)


@pytest_twisted.ensureDeferred
async def test_a_date_that_may_be_two_days_is_refused(rig: Rig) -> None:
    """With both days, at the column as the file names it."""
    shown = await checked(await signed_in(rig), b"ID;Valid until\n1;3/4/2026\n")
    (found,) = rows(shown)
    assert "Valid until : 3/4/2026 may be two days." in found
    assert "Write the year first: 2026-04-03 or 2026-03-04" in found


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest_twisted.ensureDeferred
async def test_cells_are_separated_as_spreadsheets_do(
    rig: Rig, delimiter: str, encoding: str
) -> None:
    """By commas, semicolons or tabs, also where names have the others in them."""
    names = ["User ID", "Name", "Areas"]
    table = "\n".join(delimiter.join(line) for line in (names, ["7", '"Zoë; A, B"', '"N, S"']))
    await imported(await signed_in(rig), table.encode(encoding))
    (found,) = await rig.items("/users")
    assert (found["name"], found["areas"]) == ("Zoë; A, B", ["N", "S"])


@pytest.mark.parametrize(
    ("language", "encoding", "name"),
    [
        ("es", "windows-1252", "José Núñez"),
        ("en", "windows-1252", "Zoë"),
        ("zh-Hans", "gbk", "张伟"),
        ("ar", "windows-1256", "أحمد"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_the_encoding_of_spreadsheets_in_a_language_is_recognised(
    rig: Rig, language: str, encoding: str, name: str
) -> None:
    """The preview says so, with the name to judge by; UTF-8 needs no word."""
    browser = await speaking(rig, language)
    content = f"pin,name\n1,Ann\n2,{name}\n"
    shown = await checked(browser, content.encode(encoding))
    (example,) = (
        one.text or ""
        for one in document(shown).iter("strong")
        if one.get("translate") == "no" and not (one.text or "").isascii()
    )
    assert example == next(word for word in name.split() if not word.isascii())
    await imported(browser, content.encode(encoding))
    assert (await rig.api("GET", "/users/2")).json["name"] == name
    assert "notice warn" not in (await checked(browser, content.encode())).body.decode()


@pytest_twisted.ensureDeferred
async def test_a_chosen_encoding_is_used_or_refused(rig: Rig) -> None:
    """A file that has other bytes is refused with the line."""
    browser = await signed_in(rig)
    content = "pin,name\n1,\u5f20\u4f1f\n".encode("gbk")
    await imported(browser, content, encoding="gb18030")
    assert (await rig.api("GET", "/users/1")).json["name"] == "\u5f20\u4f1f"
    for encoding, text in (("utf-8", "Line 2 of the file is not UTF-8."), ("x", "none of the")):
        refused = await checked(browser, content, encoding=encoding)
        assert refused.status == 422
        assert text in text_of(refused)


@pytest.mark.parametrize("content", [b"PK\x03\x04\x14\0", b"\xd0\xcf\x11\xe0\xa1", b"\0\x01\xff"])
@pytest_twisted.ensureDeferred
async def test_other_files_than_tables_are_refused_as_such(rig: Rig, content: bytes) -> None:
    """With what to do instead."""
    refused = await checked(await signed_in(rig), content)
    assert refused.status == 422
    assert "CSV UTF-8" in text_of(refused)


@pytest_twisted.ensureDeferred
async def test_each_column_is_explained_on_the_page(rig: Rig) -> None:
    """With its name, its name in the API, and what it means."""
    page = document(await (await signed_in(rig)).get("/people/import"))
    shown = [" ".join("".join(one.itertext()).split()) for one in page.iter("tr")]
    for name, meaning in MEANINGS.items():
        (line,) = (one for one in shown if one.startswith(f"{label_of(name)} {name}"))
        assert meaning in line


@pytest_twisted.ensureDeferred
async def test_the_mistakes_of_a_line_stand_below_each_other(rig: Rig) -> None:
    """Each is a sentence, with its column."""
    content = b"User ID,Card number,Rights at terminals,Valid until\n1,abc,boss,3/4/2026\n"
    shown = (await checked(await signed_in(rig), content)).body.decode()
    cell = shown.partition('class="badge bad"')[2].partition("</tr>")[0]
    assert cell.count("<br>") == 2
    assert ".; " not in cell


@pytest_twisted.ensureDeferred
async def test_areas_that_do_not_exist_yet_are_asked_about(rig: Rig) -> None:
    """So that a slip in a name adds none; those of terminals, people and descriptions are known."""
    await rig.api("PUT", "/areas/North", {})
    await rig.api("PUT", "/users/1", {"areas": ["South"]})
    browser = await signed_in(rig)
    known = await checked(browser, b'pin,areas\n2,"North, South, default"\n')
    assert "There is no area" not in text_of(known)
    slip = await checked(browser, b'pin,areas\n2,"North, Suoth"\n3,Suoth\n')
    text = text_of(slip)
    assert "There is no area Suoth; did you mean South?" in text
    assert "Yes, add the area Suoth" in text
    ((_, fields),) = [one for one in forms_of(slip) if one[0].endswith("/import/run")]
    for ticked, status in ({}, 422), ({"new_area": "Suoth"}, 303):
        sent = await browser.post("/people/import/run", {**fields, **ticked})
        assert sent.status == status, sent.raw
        names = [one["name"] for one in await rig.items("/areas")]
        assert ("Suoth" in names) is (status == 303)
