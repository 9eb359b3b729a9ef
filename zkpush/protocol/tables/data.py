"""Commands on the data of a terminal: UPDATE, DELETE and QUERY (12.1)."""

from __future__ import annotations

from ..fields import Command, Field, Kind
from ..versions import BASELINE, IDENTITY_CARDS, IDENTITY_LISTS, NEWEST, Version
from .access import (
    ACCESS_GROUP,
    ACCESS_HOLIDAY,
    ACCESS_TIME_ZONE,
    ACCESS_UNLOCK_COMBINATION,
    SHORTCUT_KEY,
)
from .entries import ADPIC, BLACKLIST, SMS, USER_SMS, WALLPAPER, WHITELIST, WORKCODE
from .parameters import FINGER, PERIOD, TYPE, VALID, count_of, field_of, fields_of
from .people import BIODATA, BIOPHOTO, FACE, FP, FVEIN, IDCARD, USER, USERPIC

MOST_MESSAGE_BYTES = 320
"""Bytes of a short message in the terminal's encoding (12.1.1.9)."""
_CONTENT_OR_URL = ("Content", "Url")
_MESSAGE_NUMBER = "[0-9]{1,10}"
_ARRIVED = (count_of("records", "Records that have arrived"),)


def _data(
    verb: str,
    name: str,
    section: str,
    meaning: str,
    *parameters: Field,
    since: Version = BASELINE,
    one_of: tuple[str, ...] = (),
    utf8: bool = False,
) -> Command:
    return Command(
        name=f"DATA {verb} {name}",
        section=section,
        reply="DATA",
        meaning=meaning,
        parameters=parameters,
        since=since,
        one_of=one_of,
        utf8=utf8,
        answers=_ARRIVED if verb == "QUERY" else (),
        counts_records=verb == "QUERY",
        file_parameter="Url" if "Url" in one_of else None,
    )


UPDATES = (
    _data(
        "UPDATE",
        "USERINFO",
        "12.1.1.1",
        "Add or change a user",
        field_of(USER, "pin"),
        field_of(USER, "name"),
        field_of(USER, "privilege", choices=(0, 2, 6, 10, 14)),
        field_of(USER, "password"),
        field_of(USER, "card"),
        field_of(USER, "group"),
        field_of(USER, "timezones", pattern="[0-9]{16}"),
        field_of(USER, "verify"),
        field_of(USER, "vice_card"),
        *fields_of(USER, "start_datetime", "end_datetime", "expires"),
    ),
    _data(
        "UPDATE",
        "IDCARD",
        "12.1.1.2",
        "Add or change the record of an identity card",
        *fields_of(IDCARD),
        since=IDENTITY_CARDS,
        utf8=IDCARD.utf8,
    ),
    _data(
        "UPDATE",
        "FINGERTMP",
        "12.1.1.3",
        "Add or change a fingerprint template (algorithm version 10 or earlier)",
        field_of(FP, "pin"),
        field_of(FP, "number", required=True, **FINGER),
        field_of(FP, "size"),
        field_of(FP, "valid", choices=(0, 1, 3)),
        field_of(FP, "template"),
    ),
    _data(
        "UPDATE",
        "FACE",
        "12.1.1.4",
        "Add or change a template of a near-infrared face",
        field_of(FACE, "pin"),
        field_of(FACE, "index", required=True),
        field_of(FACE, "valid", "Valid", **VALID),
        field_of(FACE, "size", "Size"),
        field_of(FACE, "template"),
    ),
    _data(
        "UPDATE",
        "FVEIN",
        "12.1.1.5",
        "Add or change a finger vein template",
        field_of(FVEIN, "pin"),
        field_of(FVEIN, "number", required=True, **FINGER),
        field_of(FVEIN, "index", required=True, minimum=0, maximum=2),
        field_of(FVEIN, "valid", **VALID),
        field_of(FVEIN, "size"),
        field_of(FVEIN, "template"),
    ),
    _data(
        "UPDATE",
        "BIODATA",
        "12.1.1.6",
        "Add or change a unified template",
        field_of(BIODATA, "pin"),
        field_of(BIODATA, "number"),
        field_of(BIODATA, "index"),
        field_of(BIODATA, "valid", **VALID),
        field_of(BIODATA, "duress", choices=(0, 1)),
        field_of(BIODATA, "type", required=True, **TYPE),
        field_of(BIODATA, "major_version"),
        field_of(BIODATA, "minor_version"),
        field_of(BIODATA, "format"),
        field_of(BIODATA, "template"),
    ),
    _data(
        "UPDATE",
        "USERPIC",
        "12.1.1.7",
        "Add or change the photo of a user",
        *fields_of(USERPIC, "pin", "size", "content", "format", "url"),
        one_of=_CONTENT_OR_URL,
    ),
    _data(
        "UPDATE",
        "BIOPHOTO",
        "12.1.1.8",
        "Add or change a comparison photo; the terminal extracts a template from it",
        field_of(BIOPHOTO, "pin"),
        field_of(BIOPHOTO, "type", required=True, **TYPE),
        field_of(BIOPHOTO, "number"),
        field_of(BIOPHOTO, "index"),
        field_of(BIOPHOTO, "size"),
        field_of(BIOPHOTO, "content"),
        field_of(BIOPHOTO, "format", choices=(0, 1)),
        field_of(BIOPHOTO, "url"),
        Field(
            wire="PostBackTmpFlag",
            name="post_back_template",
            kind=Kind.INTEGER,
            choices=(0, 1),
            meaning="1: the terminal uploads the extracted template",
        ),
        one_of=_CONTENT_OR_URL,
    ),
    _data(
        "UPDATE",
        "SMS",
        "12.1.1.9",
        "Add or change a short message",
        field_of(SMS, "message", required=True, most_bytes=MOST_MESSAGE_BYTES),
        field_of(SMS, "tag", required=True, choices=(253, 254, 255)),
        field_of(SMS, "number", pattern=_MESSAGE_NUMBER),
        field_of(SMS, "minutes"),
        field_of(SMS, "start_time", kind=Kind.TIME),
    ),
    _data(
        "UPDATE",
        "USER_SMS",
        "12.1.1.10",
        "Assign a short message to a user",
        field_of(USER_SMS, "pin"),
        field_of(USER_SMS, "number", pattern=_MESSAGE_NUMBER),
    ),
    _data("UPDATE", "ADPIC", "12.1.1.11", "Add or change a publicity picture", *fields_of(ADPIC)),
    _data("UPDATE", "WORKCODE", "12.1.1.12", "Add or change a work code", *fields_of(WORKCODE)),
    _data(
        "UPDATE",
        "ShortcutKey",
        "12.1.1.13",
        "Configure a function key",
        *fields_of(SHORTCUT_KEY),
    ),
    _data("UPDATE", "AccGroup", "12.1.1.14", "Change an access group", *fields_of(ACCESS_GROUP)),
    _data(
        "UPDATE",
        "AccTimeZone",
        "12.1.1.15",
        "Change an access time period",
        *fields_of(ACCESS_TIME_ZONE),
    ),
    _data(
        "UPDATE", "AccHoliday", "12.1.1.16", "Change an access holiday", *fields_of(ACCESS_HOLIDAY)
    ),
    _data(
        "UPDATE",
        "AccUnLockComb",
        "12.1.1.17",
        "Define the groups that unlock the door together",
        *fields_of(ACCESS_UNLOCK_COMBINATION),
    ),
    _data(
        "UPDATE",
        "Blacklist",
        "12.1.1.18",
        "Add an identity card to the blacklist",
        *fields_of(BLACKLIST),
        since=IDENTITY_LISTS,
    ),
    _data(
        "UPDATE",
        "WHITELIST",
        "12.1.1.18",
        "Add an identity card to the whitelist (2.4.2)",
        *fields_of(WHITELIST),
        since=NEWEST,
    ),
    _data(
        "UPDATE",
        "WALLPAPER",
        "12.1.1.11",
        "Add or change a wallpaper (2.4.2)",
        *fields_of(WALLPAPER),
        since=NEWEST,
    ),
)

DELETES = (
    _data(
        "DELETE",
        "USERINFO",
        "12.1.2.1",
        "Delete a user, with templates and photos",
        field_of(USER, "pin"),
    ),
    _data(
        "DELETE",
        "FINGERTMP",
        "12.1.2.2",
        "Delete one fingerprint of a user, or all",
        field_of(FP, "pin"),
        field_of(FP, "number", **FINGER),
    ),
    _data("DELETE", "FACE", "12.1.2.3", "Delete the face of a user", field_of(FACE, "pin")),
    _data(
        "DELETE",
        "FVEIN",
        "12.1.2.4",
        "Delete the finger veins of a user, of one finger or of all",
        field_of(FVEIN, "pin"),
        field_of(FVEIN, "number", **FINGER),
    ),
    _data(
        "DELETE",
        "BIODATA",
        "12.1.2.5",
        "Delete unified templates of a user: all, of one type, or one",
        field_of(BIODATA, "pin"),
        field_of(BIODATA, "type", **TYPE),
        field_of(BIODATA, "number"),
    ),
    _data("DELETE", "USERPIC", "12.1.2.6", "Delete the photo of a user", field_of(USERPIC, "pin")),
    _data(
        "DELETE",
        "BIOPHOTO",
        "12.1.2.7",
        "Delete the comparison photos of a user",
        field_of(BIOPHOTO, "pin"),
    ),
    _data(
        "DELETE",
        "SMS",
        "12.1.2.8",
        "Delete a short message",
        field_of(SMS, "number", pattern=_MESSAGE_NUMBER),
    ),
    _data("DELETE", "WORKCODE", "12.1.2.9", "Delete a work code", field_of(WORKCODE, "code")),
    _data("DELETE", "ADPIC", "12.1.2.10", "Delete a publicity picture", field_of(ADPIC, "index")),
)

QUERIES = (
    _data("QUERY", "ATTLOG", "12.1.3", "Upload the attendance records of a period", *PERIOD),
    _data("QUERY", "ATTPHOTO", "12.1.3", "Upload the attendance photos of a period", *PERIOD),
    _data("QUERY", "USERINFO", "12.1.3", "Upload a user", field_of(USER, "pin")),
    _data(
        "QUERY",
        "FINGERTMP",
        "12.1.3",
        "Upload one fingerprint template of a user, or all",
        field_of(FP, "pin"),
        field_of(FP, "number", "FingerID", **FINGER),
    ),
    _data(
        "QUERY",
        "BIODATA",
        "12.1.3",
        "Upload unified templates: all of a type, those of one user, or one",
        field_of(BIODATA, "type", required=True, **TYPE),
        field_of(BIODATA, "pin", "PIN", required=False),
        field_of(BIODATA, "number"),
    ),
)
