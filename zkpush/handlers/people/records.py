"""People: users, their templates and photos (11.5, 11.9 to 11.15).

Records are declared with the fields of the commands that send them to terminals (12.1.1). Different
names in uploads are aliases.
"""

from __future__ import annotations

from ...protocol.codes import (
    BiometricType,
    Duress,
    PictureFormat,
    Privilege,
    Validity,
    format_of_template,
    user_verification,
)
from ...protocol.fields import PIN, PIN_FORM, SMALL, Field, Kind, Layout, Scope, Table
from ...protocol.parameters import number_field


def _pin(wire: str) -> Field:
    return Field(
        wire=wire, name="pin", required=True, pattern=PIN, form=PIN_FORM, meaning="User ID"
    )


def _size(wire: str) -> Field:
    return number_field(wire, "size", "Length of the base64 text, or of the decoded data")


def _biometric_type() -> Field:
    return number_field(
        "Type",
        "type",
        "Biometric type, Appendix 10",
        default=0,
        codes=BiometricType,
        label="Biometric type",
    )


def _template(wire: str, meaning: str) -> Field:
    return Field(
        wire=wire,
        name="template",
        kind=Kind.BASE64,
        required=True,
        secret=Scope.BIOMETRICS,
        meaning=f"{meaning}, in base64",
        label="The template, in base64",
    )


_CONTENT = Field(
    wire="Content",
    name="content",
    kind=Kind.BASE64,
    secret=Scope.BIOMETRICS,
    meaning="The picture, JPEG, in base64",
)


USER = Table(
    name="USER",
    section="11.5, 12.1.1.1",
    meaning="Users: people as terminals know them",
    layout=Layout.KEYED,
    keyword="USER",
    least_bytes=400,
    aliases=("USERINFO",),
    transfer=("EnrollUser", "ChgUser"),
    key=("pin",),
    holds_templates=False,
    fields=(
        _pin("PIN"),
        Field(wire="Name", name="name", meaning="Name"),
        number_field(
            "Pri",
            "privilege",
            "0 user, 2 registrar, 6 administrator, 10 user-defined, 14 super administrator",
            codes=Privilege,
            label="Rights at terminals",
        ),
        Field(wire="Passwd", name="password", secret=Scope.BIOMETRICS, meaning="Password"),
        Field(wire="Card", name="card", kind=Kind.CARD, meaning="Number of the main card"),
        number_field("Grp", "group", "Group of the user"),
        Field(
            wire="TZ",
            name="timezones",
            meaning="Four 4-digit numbers: own time periods (0 or 1), then three periods",
            label="Time periods",
        ),
        Field(
            wire="Verify",
            name="verify",
            kind=Kind.INTEGER,
            minimum=-1,
            maximum=SMALL,
            default=-1,
            meaning="Verification mode, Appendix 7; -1: the mode of the group",
            label="Verification mode",
            codes=user_verification,
        ),
        Field(wire="ViceCard", name="vice_card", kind=Kind.CARD, meaning="Number of a second card"),
        Field(wire="StartDatetime", name="start_datetime", meaning="Valid from (newer models)"),
        Field(wire="EndDatetime", name="end_datetime", meaning="Valid until (newer models)"),
        Field(wire="Expires", name="expires", meaning="Whether validity ends (newer models)"),
    ),
)

FP = Table(
    name="FP",
    section="11.9, 12.1.1.3",
    meaning="Fingerprint templates of algorithm version 10 or below",
    layout=Layout.KEYED,
    keyword="FP",
    least_bytes=432,
    aliases=("FINGERTMP",),
    transfer=("EnrollFP", "ChgFP"),
    key=("pin", "number"),
    holds_templates=True,
    fields=(
        _pin("PIN"),
        number_field("FID", "number", "Finger, 0 to 9 from the left little finger on", default=0),
        _size("Size"),
        number_field(
            "Valid",
            "valid",
            "0 invalid, 1 normal, 3 under duress",
            default=1,
            codes=Validity,
            label="Validity",
        ),
        _template("TMP", "The template"),
    ),
)

FACE = Table(
    name="FACE",
    section="11.10, 12.1.1.4",
    meaning="Templates of near-infrared faces",
    layout=Layout.KEYED,
    keyword="FACE",
    least_bytes=432,
    transfer=("FACE",),
    key=("pin", "index"),
    holds_templates=True,
    fields=(
        _pin("PIN"),
        number_field("FID", "index", "Number of the template, from 0", default=0),
        _size("SIZE"),
        number_field(
            "VALID",
            "valid",
            "0 invalid, 1 normal",
            default=1,
            codes=Validity,
            label="Validity",
        ),
        _template("TMP", "16 random bytes, then the template"),
    ),
)

FVEIN = Table(
    name="FVEIN",
    section="11.11, 12.1.1.5",
    meaning="Templates of finger veins",
    layout=Layout.KEYED,
    keyword="FVEIN",
    least_bytes=432,
    key=("pin", "number", "index"),
    holds_templates=True,
    fields=(
        _pin("Pin"),
        number_field("FID", "number", "Finger, 0 to 9 from the left little finger on", default=0),
        number_field("Index", "index", "Number of the template of that finger, 0 to 2", default=0),
        _size("Size"),
        number_field(
            "Valid",
            "valid",
            "0 invalid, 1 normal",
            default=1,
            codes=Validity,
            label="Validity",
        ),
        _template("Tmp", "The template"),
    ),
)

BIODATA = Table(
    name="BIODATA",
    section="11.12, 12.1.1.6",
    meaning="Unified templates, of any biometric type",
    layout=Layout.KEYED,
    keyword="BIODATA",
    least_bytes=432,
    key=("pin", "type", "number", "index", "major_version", "minor_version"),
    holds_templates=True,
    fields=(
        _pin("Pin"),
        number_field("No", "number", "Number of the finger, eye or hand", default=0),
        number_field(
            "Index", "index", "Number of the template of that finger, eye or hand", default=0
        ),
        number_field(
            "Valid",
            "valid",
            "0 invalid, 1 valid",
            default=1,
            codes=Validity,
            label="Validity",
        ),
        number_field(
            "Duress",
            "duress",
            "1 under duress",
            default=0,
            codes=Duress,
            label="Duress",
        ),
        _biometric_type(),
        number_field("MajorVer", "major_version", "Algorithm version before the point", default=0),
        number_field("MinorVer", "minor_version", "Algorithm version after the point", default=0),
        Field(
            wire="Format",
            name="format",
            meaning="0 ZK, 1 ISO, 2 ANSI; or the name",
            label="Template format",
            codes=format_of_template,
        ),
        _template("Tmp", "The template"),
    ),
)

USERPIC = Table(
    name="USERPIC",
    section="11.13, 12.1.1.7",
    meaning="Photos of users, for the screen",
    layout=Layout.KEYED,
    keyword="USERPIC",
    least_bytes=432,
    transfer=("UserPic",),
    key=("pin",),
    holds_templates=False,
    fields=(
        _pin("PIN"),
        Field(wire="FileName", name="name", meaning="File name"),
        _size("Size"),
        number_field(
            "Format",
            "format",
            "0 base64, 1 a URL (2.4.2)",
            codes=PictureFormat,
            label="Form of the picture",
        ),
        Field(
            wire="Url",
            name="url",
            meaning="URL of the picture, instead of Content (2.4.2)",
            label="URL of the picture",
        ),
        _CONTENT,
    ),
)

BIOPHOTO = Table(
    name="BIOPHOTO",
    section="11.15, 12.1.1.8",
    meaning="Comparison photos, from which terminals make templates",
    layout=Layout.KEYED,
    keyword="BIOPHOTO",
    least_bytes=432,
    transfer=("BioPhoto",),
    key=("pin", "type", "number", "index"),
    holds_templates=True,
    fields=(
        _pin("PIN"),
        number_field(
            "No",
            "number",
            "Number of the finger, eye or hand (2.4.2)",
            default=0,
            label="Number of the finger, eye or hand",
        ),
        number_field(
            "Index", "index", "Number of the photo (2.4.2)", default=0, label="Number of the photo"
        ),
        Field(wire="FileName", name="name", meaning="File name"),
        _biometric_type(),
        _size("Size"),
        number_field(
            "Format",
            "format",
            "0 base64, 1 a URL",
            codes=PictureFormat,
            label="Form of the picture",
        ),
        Field(
            wire="Url",
            name="url",
            meaning="URL of the picture, instead of Content",
            label="URL of the picture",
        ),
        _CONTENT,
    ),
)

TEMPLATE_TABLES = (FP, FACE, FVEIN, BIODATA)
"""Tables of templates."""
