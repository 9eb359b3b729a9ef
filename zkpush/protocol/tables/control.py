"""Commands on the terminal itself (12.2 to 12.8)."""

from __future__ import annotations

from ..fields import SMALL, Command, Field, Kind, Scope, ScopeRule, Writing
from ..parameters import (
    AT_ONCE,
    DAY,
    FINGER,
    PERIOD,
    TYPE,
    clear_command,
    count_of,
    field_of,
    plain_command,
)
from ..reports import OPTION_RULES
from ..versions import NEWEST
from .people import BIODATA, FP, USER

URGENT = 8
"""The priority of what somebody waits for at a door."""
UPGRADE_TAKES = 3600
"""Seconds for the download of firmware, and for the restart after it."""
_RETRY = Field(
    wire="RETRY",
    name="retry",
    kind=Kind.INTEGER,
    minimum=0,
    maximum=SMALL,
    meaning="Number of retries",
)
_OVERWRITE = Field(
    wire="OVERWRITE",
    name="overwrite",
    kind=Kind.INTEGER,
    choices=(0, 1),
    meaning="1: overwrite an existing enrolment; 0: report it as an error",
)

CONTROLS = (
    clear_command("LOG", "12.2.1", "Clear the attendance records"),
    clear_command("PHOTO", "12.2.2", "Clear the attendance photos"),
    clear_command("DATA", "12.2.3", "Clear all data of the terminal", ends_batch=True),
    clear_command("BIODATA", "12.2.4", "Clear all unified templates"),
    clear_command("ALL USERINFO", "12.2", "Clear all users (2.4.2)", since=NEWEST),
    plain_command(
        "CHECK",
        "12.3.1",
        "Read the options again, and upload again every table whose stamp is 0",
        ends_batch=True,
        asks_for_exchange=True,
    ),
    plain_command("LOG", "12.3.2", "Check for new data and upload it now"),
    Command(
        name="VERIFY SUM ATTLOG",
        has_effect=True,
        section="12.3.3",
        reply="VERIFY SUM",
        meaning="Count the attendance records of a period; the server compares the counts",
        parameters=PERIOD,
        answers=(
            *PERIOD,
            count_of("AttlogSum", "Records that the terminal counts"),
            count_of("stored", "Records that are stored"),
            Field(
                wire="agrees",
                name="agrees",
                pattern="yes|no",
                meaning="yes where both counts are the same",
            ),
        ),
    ),
    Command(
        name="SET OPTION",
        has_effect=True,
        section="12.4.1",
        reply="SET OPTION",
        meaning="Set one option of the terminal",
        scope_rules=OPTION_RULES,
        writing=Writing.OPTION,
        key=("key",),
        parameters=(
            Field(
                wire="key",
                name="key",
                required=True,
                pattern=r"~?[A-Za-z_][A-Za-z0-9_.]{0,63}",
                meaning="Name of the option",
            ),
            Field(
                wire="value",
                name="value",
                required=True,
                secret=Scope.DANGEROUS,
                meaning="Its value; may be empty",
            ),
        ),
    ),
    plain_command("RELOAD OPTIONS", "12.4.2", "Read the options of the terminal's own file again"),
    plain_command("INFO", "12.4.3", "Upload all options of the terminal", has_effect=True),
    Command(
        name="GetFile",
        has_effect=True,
        section="12.5.1",
        reply="GetFile",
        meaning="Upload a file from the terminal",
        scope=Scope.DANGEROUS,
        writing=Writing.VALUES,
        bare=("path",),
        parameters=(
            Field(
                wire="path", name="path", required=True, meaning="Path of the file on the terminal"
            ),
        ),
    ),
    Command(
        name="PutFile",
        file_parameter="url",
        is_prepared=True,
        section="12.5.2",
        reply="PutFile",
        meaning="Download a file; with SyncData or AppendData, import people from it",
        scope=Scope.DANGEROUS,
        writing=Writing.VALUES,
        bare=("url", "path"),
        one_of=("url", "Action"),
        scope_rules=(
            ScopeRule(
                parameter="Action",
                pattern="",
                scope=Scope.BIOMETRICS,
                meaning="with Action, which imports people from a package",
            ),
        ),
        parameters=(
            Field(
                wire="url",
                name="url",
                meaning="The `path` of a file of this server; with Action, created if absent",
            ),
            Field(
                wire="path", name="path", meaning="Path on the terminal; tgz archives are unpacked"
            ),
            Field(
                wire="Action",
                name="action",
                pattern="SyncData|AppendData",
                meaning="SyncData replaces the data of the terminal, AppendData adds to it",
            ),
            Field(
                wire="TableName",
                name="table_name",
                pattern="USERINFO|FINGERTMP|FACE",
                meaning="Table that SyncData replaces",
            ),
            Field(
                wire="RecordCount",
                name="record_count",
                kind=Kind.INTEGER,
                minimum=0,
                maximum=SMALL,
                meaning="Records in the file",
            ),
        ),
    ),
    Command(
        name="ENROLL_FP",
        section="12.6.1",
        reply="ENROLL_FP",
        is_repeatable=False,
        wait_seconds=AT_ONCE,
        meaning="Enrol a fingerprint at the terminal",
        parameters=(
            field_of(FP, "pin"),
            field_of(FP, "number", required=True, **FINGER),
            _RETRY,
            _OVERWRITE,
        ),
    ),
    Command(
        name="ENROLL_MF",
        section="12.6.2",
        reply="ENROLL_MF",
        is_repeatable=False,
        wait_seconds=AT_ONCE,
        meaning="Enrol a card at the terminal",
        parameters=(field_of(USER, "pin"), _RETRY),
    ),
    Command(
        name="ENROLL_BIO",
        section="12.6.3",
        reply="ENROLL_BIO",
        is_repeatable=False,
        wait_seconds=AT_ONCE,
        meaning="Enrol a face, palm or other biometric at the terminal",
        parameters=(
            field_of(BIODATA, "type", "TYPE", required=True, **TYPE),
            field_of(USER, "pin"),
            field_of(USER, "card", "CardNo"),
            _RETRY,
            _OVERWRITE,
        ),
    ),
    plain_command(
        "REBOOT",
        "12.7.1",
        "Restart the terminal",
        ends_batch=True,
        is_repeatable=False,
        wait_seconds=DAY,
        restarts=True,
    ),
    plain_command(
        "AC_UNLOCK",
        "12.7.2",
        "Open the door",
        scope=Scope.DANGEROUS,
        is_repeatable=False,
        wait_seconds=AT_ONCE,
        priority=URGENT,
    ),
    plain_command(
        "AC_UNALARM",
        "12.7.3",
        "End the alarm",
        scope=Scope.DANGEROUS,
        is_repeatable=False,
        wait_seconds=AT_ONCE,
        priority=URGENT,
    ),
    Command(
        name="SHELL",
        has_effect=True,
        section="12.8.1",
        reply="Shell",
        is_repeatable=False,
        wait_seconds=DAY,
        meaning="Run a command of the terminal's operating system, and upload its output",
        scope=Scope.DANGEROUS,
        writing=Writing.VALUES,
        bare=("command",),
        parameters=(
            Field(
                wire="command",
                name="command",
                required=True,
                secret=Scope.DANGEROUS,
                meaning="The command line",
            ),
        ),
    ),
    Command(
        name="UPGRADE",
        section="12.8.2",
        reply="UPGRADE",
        is_repeatable=False,
        lease_seconds=UPGRADE_TAKES,
        restarts=True,
        meaning="Download firmware from the server, and install it",
        scope=Scope.DANGEROUS,
        ends_batch=True,
        writing=Writing.UPGRADE,
        parameters=(
            Field(
                wire="file",
                name="file",
                required=True,
                pattern="[0-9]{1,18}",
                meaning="Id of a file of this server",
            ),
            Field(
                wire="form",
                name="form",
                required=True,
                pattern="1|2",
                meaning="1: sent in base64; 2: sent as it is",
            ),
            Field(
                wire="supportsubcontracting",
                name="in_parts",
                pattern="1",
                meaning="1: the terminal downloads the file in parts (2.4.2)",
            ),
        ),
    ),
)
