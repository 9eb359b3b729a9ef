"""Code numbers and their meanings (the appendices)."""

from __future__ import annotations

import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zkpush.protocol import codes
from zkpush.protocol.codes import Code, ErrorCode, Language, Operation, TemplateFormat

# Copied from the specification: Appendix 1, 2, 3, 5, 7, 10, and 11.6.
RETURNS = """
0 Successful
-1 The parameter is incorrect
-2 The transmitted user photo data does not match the given size
-3 Reading or writing is incorrect
-9 The transmitted template data does not match the given size
-10 The user specified by PIN does not exist in the equipment
-11 The fingerprint template format is illegal
-12 The fingerprint template is illegal
-1001 Limited capacity
-1002 Not supported by the equipment
-1003 Command execution timeout
-1004 The data and equipment configuration are inconsistent
-1005 The equipment is busy
-1006 The data is too long
-1007 Memory error
-1008 Failed to get server data
"""

LANGUAGES = """
83 Simplified Chinese
69 English
97 Spanish
70 French
66 Arabic
80 Portuguese
82 Russian
71 German
65 Persian
76 Thai
73 Indonesian
74 Japanese
75 Korean
86 Vietnamese
116 Turkish
72 Hebrew
90 Czech
68 Dutch
105 Italian
89 Slovak
103 Greek
112 Polish
84 Traditional Chinese
"""

OPERATIONS = """
0 Startup
1 Shutdown
2 Authentication fails
3 Alarm
4 Access menu
5 Change settings
6 Enroll fingerprint
7 Enroll password
8 Enroll HID card
9 Delete user
10 Delete fingerprint
11 Delete password
12 Delete RF card
13 Clear data
14 Create MF card
15 Enroll MF card
16 Register MF card
17 Delete MF card registration
18 Clear MF card content
19 Move enrolled data into the card
20 Copy data in the card to the machine
21 Set time
22 Delivery configuration
23 Delete entry and exit records
24 Clear administrator privilege
25 Modify access group settings
26 Modify user access settings
27 Modify access time period
28 Modify unlocking combination settings
29 Unlock
30 Enroll a new user
31 Change fingerprint attribute
32 Duress alarm
"""

ALARM_REASONS = """
50 Door Close Detected
51 Door Open Detected
53 Out Door Button
54 Door Broken Accidentally
55 Machine Been Broken
58 Try Invalid Verification
65535 Alarm Cancelled
"""

VERIFICATION_MODES = """
0 Finger vein or face or fingerprint or card or password (automatic identification)
1 Only fingerprint
2 User ID verification
3 Only password
4 Only card
5 Fingerprint or password
6 Fingerprints or card
7 Card or password
8 User ID + fingerprint
9 Fingerprint + password
10 Card + fingerprint
11 Card + password
12 Fingerprint + password + card
13 User ID + fingerprint + password
14 User ID + fingerprint or Card + fingerprint
15 Face
16 Face + fingerprint
17 Face + password
18 Face + card
19 Face + fingerprint + card
20 Face + fingerprint + password
21 Finger vein
22 Finger vein + password
23 Finger vein + card
24 Finger vein + password + card
25 Palm print
26 Palm print + card
27 Palm print + face
28 Palm print + fingerprint
29 Palm print + fingerprint + face
200 Other
"""

NATIONS = """
0 Decoding error; 1 Han
2 Mongol; 3 Hui; 4 Tibetan; 5 Uighur; 6 Miao; 7 Yi; 8 Zhuang; 9 Buyi; 10 Korean; 11 Manchu;
12 Dong; 13 Yao; 14 Bai; 15 Tujia; 16 Hani; 17 Kazakh; 18 Dai; 19 Li; 20 Lisu; 21 Wa; 22 She;
23 Gaoshan; 24 Lahu; 25 Shui; 26 Dongxiang; 27 Naxi; 28 Jingpo; 29 Kirghiz; 30 Du; 31 Daur;
32 Mulam; 33 Qiang; 34 Blang; 35 Salar; 36 Maonan; 37 Gelao; 38 Xibe; 39 Achang; 40 Pumi;
41 Tajik; 42 Nu; 43 Uzbek; 44 Russian; 45 Evenki; 46 De'ang; 47 Bonan; 48 Yugur; 49 Gin;
50 Tatar; 51 Drung; 52 Oroqin; 53 Hezhen; 54 Menba; 55 Lhoba; 56 Jino; 57 Coding error; 97 Other;
98 Foreign origin
"""

BIOMETRIC_TYPES = """
0 Common; 1 Fingerprint; 2 Near-infrared face; 3 Voiceprint; 4 Iris; 5 Retina; 6 Palmprint
7 Finger vein; 8 Palm vein; 9 Visible light face
"""

TABLES: list[tuple[type[Code], str]] = [
    (codes.ReturnCode, RETURNS + "-30 The template is of another algorithm version"),
    (Language, LANGUAGES),
    (codes.AlarmReason, ALARM_REASONS),
    (codes.VerificationMode, VERIFICATION_MODES),
    (codes.Nation, NATIONS),
    (codes.Gender, "1 Male; 2 Female"),
    (codes.BiometricType, BIOMETRIC_TYPES + "10 Visible light palm"),
    (TemplateFormat, "0 ZK; 1 ISO; 2 ANSI"),
    (codes.RecordType, "0 attendance; 1 verification"),
    (codes.IdentityStatus, "0 success; 1 failure; 2 blacklist"),
    (codes.IdentityVerification, "1 face; 2 face + fingerprint; 3 fingerprint + face"),
    (
        codes.IdentityPhoto,
        "0 attendance successful photo; 1 attendance failed photo; 2 blacklist photo; "
        "3 verification successful photo; 4 verification failed photo",
    ),
    (
        codes.AttendanceState,
        "0 check in; 1 check out; 2 break out; 3 break in; 4 overtime in; 5 overtime out; "
        "255 none chosen",
    ),
]

NEWER_OPERATIONS = {
    *range(33, 44),
    *range(53, 57),
    *range(68, 72),
    *range(76, 84),
    *range(87, 93),
    *range(100, 119),
    *range(120, 127),
}
"""The operation codes of 2.4.2 that are above those of Appendix 3."""

KINDS = [
    Operation,
    codes.EnrollFailure,
    codes.BiometricEnrollFailure,
    codes.CardEnrollFailure,
    *(kind for kind, _ in TABLES),
]
UNKNOWN = 1_000_000_007


def rows(table: str) -> list[tuple[int, str]]:
    """The numbers and words of a table, one a line or between semicolons."""
    split = [row.split(maxsplit=1) for row in re.split("[;\n]", table) if row.strip()]
    return [(int(number), meaning) for number, meaning in split]


@pytest.mark.parametrize(("kind", "table"), TABLES)
def test_a_code_has_the_meaning_of_the_specification(kind: type[Code], table: str) -> None:
    """Every number of an appendix is explained in its words, and no other number is known."""
    expected = {number: meaning.lower() for number, meaning in rows(table)}
    assert {code.value: code.meaning.lower() for code in kind} == expected
    assert all(kind(number).known for number in expected)


@pytest.mark.parametrize(("number", "meaning"), rows(OPERATIONS))
def test_an_operation_has_the_meaning_of_the_specification(number: int, meaning: str) -> None:
    """Operations are in the words of Appendix 3, but for the factory settings it mistranslates."""
    shown = {"Delivery configuration": "Restore factory settings"}.get(meaning, meaning)
    assert Operation(number).meaning == shown


@pytest.mark.parametrize(
    ("number", "meaning"),
    [
        (34, "Anti-passback"),
        (54, "Door sensor"),
        (70, "Modify user name"),
        (83, "Modify cloud server port"),
        (101, "Enroll face"),
        (123, "Delete finger vein"),
        (126, "Delete palmprint"),
    ],
)
def test_operations_of_newer_firmware_are_known(number: int, meaning: str) -> None:
    """What terminals of 2.4.2 log is explained too."""
    assert Operation(number).meaning == meaning


def test_no_operation_is_made_up() -> None:
    """The operations are those of Appendix 3 and of 2.4.2; the gaps between them are unknown."""
    assert set(Operation) == set(range(33)) | NEWER_OPERATIONS


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_members_of_a_code_have_the_same_meaning(kind: type[Code]) -> None:
    """Each number says something of its own."""
    meanings = [code.meaning for code in kind]
    assert all(meanings)
    assert len(set(meanings)) == len(kind.__members__)


@given(st.sampled_from(KINDS), st.integers() | st.integers(-1010, 300))
def test_any_number_is_a_code_and_has_a_meaning(kind: type[Code], number: int) -> None:
    """A number from firmware newer than the specification is kept, and said to be unknown."""
    code = kind(number)
    assert (code, code.value, hash(code)) == (number, number, hash(number))
    assert isinstance(code, kind)
    assert code.known == (number in list(kind))
    assert code.known != (code.meaning == f"{kind.noun} {number} (unknown)")


def test_an_unknown_number_is_named_after_its_kind() -> None:
    """The words for an unknown number say what it is a number of."""
    assert Operation(127).meaning == "Operation 127 (unknown)"
    assert codes.AlarmReason(-1).meaning == "Alarm reason -1 (unknown)"
    assert repr(Operation(127)) == "<Operation.UNKNOWN: 127>"


@given(st.integers(-200, 200), st.integers(-200, 200))
def test_codes_compare_as_the_numbers_they_are(one: int, other: int) -> None:
    """Known and unknown codes are equal to, and ordered among, themselves and plain numbers."""
    assert (Operation(one) == Operation(other)) == (one == other)
    assert (Operation(one) < Operation(other)) == (one < other)
    assert (Operation(one) >= other) == (one >= other)


@pytest.mark.parametrize("value", ["6", 6.5, None, b"6"])
def test_only_an_integer_is_a_code(value: object) -> None:
    """What is not a number is a mistake of the caller, not an unknown code."""
    with pytest.raises(ValueError, match="not a valid Operation"):
        Operation(value)  # type: ignore[arg-type]


def test_unknown_numbers_leave_nothing_behind() -> None:
    """A terminal that makes up codes cannot fill the memory of the server."""
    members = list(Operation)
    Operation(UNKNOWN)
    before = sys.getallocatedblocks()
    for number in range(UNKNOWN, UNKNOWN + 50_000):
        Operation(number)
    assert sys.getallocatedblocks() - before < 1000
    assert list(Operation) == members


# The columns of an OPLOG line after its time, and how they are shown.
OBJECTS = [
    (2, ["14", "0", "0", "0"], {"User ID (1:1 authentication)": "14"}),
    (3, ["54", "0", "0", "0"], {"Alarm reason": "54"}),
    (5, ["7", "30", "0", "0"], {"Setting number": "7", "New value": "30"}),
    (
        6,
        ["14", "0", "1608", "0"],
        {"User ID": "14", "Fingerprint number": "0", "Template length": "1608"},
    ),
    (9, ["14", "0", "0", "0"], {"User ID": "14"}),
    (10, ["14", "0", "0", "0"], {"User ID": "14"}),
    (11, ["14", "0", "0", "0"], {"User ID": "14"}),
    (12, ["14", "0", "0", "0"], {"User ID": "14"}),
    (30, ["1160", "0", "0", "0"], {"User ID": "1160"}),
    (70, ["1157", "0", "0", "0"], {"User ID": "1157"}),
    (4, ["0", "0", "0", "0"], {}),
    (4, ["1", "", " 0 ", "x"], {"Operation object 1": "1", "Operation object 4": "x"}),
    (9, ["14", "5"], {"User ID": "14", "Operation object 2": "5"}),
    (127, ["3"], {"Operation object 1": "3"}),
    (6, ["14"], {"User ID": "14"}),
    (6, [], {}),
]


@pytest.mark.parametrize(("number", "objects", "shown"), OBJECTS)
def test_operation_objects_are_named(
    number: int, objects: list[str], shown: dict[str, str]
) -> None:
    """Operation objects have the names of Appendix 4; one without a name is shown by its place."""
    assert Operation(number).named(objects) == shown


@pytest.mark.parametrize(
    ("objects", "reason"),
    [
        ([54, 0, 0, 0], 54),  # as terminals send it
        ([1, 54, 0, 0], 54),  # as Appendix 4 has it
        ([65535, 50, 0, 0], 65535),
        ([99, 0, 0, 0], 99),
        ([0, 0, 50, 0], 0),
        ([58], 58),
        ([], None),
    ],
)
def test_the_reason_of_an_alarm_is_found_where_terminals_put_it(
    objects: list[int], reason: int | None
) -> None:
    """The reason of an alarm is one of the first two objects, and kept if it is unknown."""
    found = codes.alarm_reason(objects)
    assert found == reason
    assert found is None or isinstance(found, codes.AlarmReason)


@pytest.mark.parametrize(
    ("number", "encoding"), [(83, "gb18030"), (69, "utf-8"), (84, "utf-8"), (999, "utf-8")]
)
def test_only_simplified_chinese_terminals_do_not_write_utf_8(number: int, encoding: str) -> None:
    """The language of a terminal says how it writes text (1.2)."""
    assert Language(number).encoding == encoding


ERRORS = [
    ("00000000", "Succeed"),
    ("D01E0001", "Face detection failed"),
    ("D01E0002", "Face occlusion"),
    ("D01E0003", "Lack of clarity"),
    ("D01E0004", "Face angle is too big"),
    ("D01E0005", "Live detection failed"),
    ("D01E0006", "Extraction template failed"),
    ("d01e0006", "Extraction template failed"),
    ("D01E0007", "Error code D01E0007 (unknown)"),
    ("", "Error code  (unknown)"),
]


@pytest.mark.parametrize(("text", "meaning"), ERRORS)
def test_an_error_code_has_the_meaning_of_appendix_9(text: str, meaning: str) -> None:
    """What went wrong at a terminal is said in words."""
    assert ErrorCode(text).meaning == meaning


WORDS = [
    ("D01E0001", "Device", "PUSH communication module", "Error", "0001"),
    ("D02E0012", "Device", "Template processing module", "Error", "0012"),
    ("D03E9999", "Device", "Hardware interaction module", "Error", "9999"),
    ("D04E0001", "Device", "PULL communication module", "Error", "0001"),
    ("D05E0001", "Device", "Offline communication module", "Error", "0001"),
    ("D06E0001", "Device", "Data transfer module", "Error", "0001"),
    ("d07e00aB", "Device", "Licensing service module", "Error", "00aB"),
    ("S01E0001", "Software", "Module 01 (unknown)", "Error", "0001"),
    ("x99w0001", "Generator x (unknown)", "Module 99 (unknown)", "Type w (unknown)", "0001"),
    ("D0", "Device", "Module 0 (unknown)", "Type  (unknown)", ""),
]


@pytest.mark.parametrize(("text", "generator", "module", "type_", "value"), WORDS)
def test_the_parts_of_an_error_code_are_in_words(
    text: str, generator: str, module: str, type_: str, value: str
) -> None:
    """An error code says who made it, in which module and of what type; unknown parts are kept."""
    assert ErrorCode(text).words == {
        "generator": generator,
        "module": module,
        "type": type_,
        "value": value,
    }


@given(st.text())
def test_any_text_is_an_error_code_of_which_nothing_is_lost(text: str) -> None:
    """The parts of an error code are all of it, whatever a terminal sends."""
    code = ErrorCode(text)
    assert code.generator + code.module + code.type + code.value == text
    assert code.meaning
    assert all(code.words[part] for part in ("generator", "module", "type"))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("0", TemplateFormat.ZK),
        ("ZK", TemplateFormat.ZK),
        ("iso", TemplateFormat.ISO),
        (" 2 ", TemplateFormat.ANSI),
        ("7", 7),
        ("ZKX", "ZKX"),
        ("-1", "-1"),
        ("", ""),
        ("9" * 5000, "9" * 5000),
        ("٢", "٢"),
        ("meaning", "meaning"),
    ],
)
def test_a_template_format_is_a_digit_or_a_name(text: str, kept: object) -> None:
    """Both ways in which terminals write a format are read, and what is neither is kept."""
    read = codes.template_format(text)
    assert read == kept
    assert isinstance(read, TemplateFormat) == isinstance(kept, int)


# The command, its Return, whether it succeeded, and how the meaning begins.
ANSWERS = [
    ("DATA", 0, True, "Successful"),
    ("DATA", -10, False, "The user specified by PIN does not exist"),
    ("DATA", -30, False, "The template is of another algorithm version"),
    ("DATA", -77, False, "Return code -77 (unknown)"),
    ("DATA", 4, True, None),
    ("GetFile", 6, True, None),
    ("PutFile", 81234, True, None),
    ("ENROLL_FP", 0, True, "Successful"),
    ("ENROLL_FP", 1, True, None),
    ("ENROLL_FP", 2, False, "Fingerprints of the user already exist"),
    ("ENROLL_FP", 3, False, "Enrollment failure 3 (unknown)"),
    ("ENROLL_BIO", 4, False, "Registration fails, usually caused by the inferior quality"),
    ("Enroll_FP", 5, False, "Registered fingerprints already exist"),
    ("ENROLL_FP", 6, False, "Registration is cancelled"),
    ("ENROLL_BIO", 7, False, "Registration cannot proceed due to the busy device"),
    ("ENROLL_FP", 8, True, None),
    ("ENROLL_FP", -1005, False, "The equipment is busy"),
    ("ENROLL_MF", 4, False, "Registration fails"),
    ("ENROLL_MF", 5, False, "Left by timeout"),
    ("ENROLL_MF", 6, False, "Left by pressing Esc"),
    ("ENROLL_MF", 7, False, "Enrollment failure 7 (unknown)"),
    ("ENROLL_MF", -3, False, "Access error"),
]


@pytest.mark.parametrize(("command", "code", "success", "meaning"), ANSWERS)
def test_a_return_is_judged_by_its_command(
    command: str, code: int, success: bool, meaning: str | None
) -> None:
    """0 and above is success, a size or a count; but 2 to 7 are failures to enroll."""
    assert codes.succeeded(command, code) is success
    said = codes.return_meaning(command, code)
    assert said == meaning if meaning is None else (said or "").startswith(meaning)


@pytest.mark.parametrize(("code", "meaning"), rows(RETURNS))
def test_a_return_code_is_explained(code: int, meaning: str) -> None:
    """What a terminal returns for a command is explained as Appendix 1 does."""
    assert codes.return_meaning("DATA UPDATE USERINFO", code) == meaning


@pytest.mark.parametrize("code", [1, 7, 812])
def test_sizes_and_counts_have_no_meaning(code: int) -> None:
    """Above 0 stands what is particular to a command."""
    assert codes.return_meaning("GetFile", code) is None


@pytest.mark.parametrize("code", [-4, -13])
def test_an_unknown_return_code_says_so(code: int) -> None:
    """Codes that are not in Appendix 1 are shown as they are."""
    assert codes.return_meaning("INFO", code) == f"Return code {code} (unknown)"
