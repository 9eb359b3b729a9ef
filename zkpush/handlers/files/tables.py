"""Commands for files, shell and firmware (12.5, 12.8.1, 12.8.2)."""

from __future__ import annotations

from ...protocol.codes import Word, Words
from ...protocol.fields import SMALL, Command, Field, Kind, Scope, ScopeRule, Writing
from ...protocol.parameters import DAY

_LISTED = r"[^\x00-\x1f=,]{1,64}"
"""A user ID in a list that commas separate."""

SYNC = "SyncData"
"""Action of PutFile that replaces the data of the terminal."""
UPGRADE_TAKES = 3600
"""Seconds allowed for the download of firmware and the restart after it."""

COMMANDS = (
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
        makes_file=True,
        count_parameter="RecordCount",
        is_prepared=True,
        has_effect=True,
        section="12.5.2",
        reply="PutFile",
        meaning="Download a file, or import people from it",
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
                label="Path of a file of this server",
            ),
            Field(
                wire="path",
                name="path",
                meaning="Path on the terminal; tgz archives are unpacked",
            ),
            Field(
                wire="Action",
                name="action",
                pattern="SyncData|AppendData",
                form="SyncData (replaces the data of the terminal) or AppendData (adds to it)",
                meaning="SyncData replaces the data of the terminal, AppendData adds to it",
                label="What happens to the data of the terminal",
                codes=Words(
                    Word(SYNC, "They are replaced"), Word("AppendData", "They are added to")
                ),
            ),
            Field(
                wire="TableName",
                name="table_name",
                pattern="USERINFO|FINGERTMP|FACE",
                form="USERINFO, FINGERTMP or FACE",
                meaning="Table that SyncData replaces",
                label="Which data are replaced",
                codes=Words(
                    Word("USERINFO", "Users"),
                    Word("FINGERTMP", "Fingerprints"),
                    Word("FACE", "Faces"),
                ),
            ),
            Field(
                wire="RecordCount",
                name="record_count",
                kind=Kind.INTEGER,
                minimum=0,
                maximum=SMALL,
                meaning="Records in the file; counted if the server makes it",
            ),
            Field(
                wire="People",
                name="people",
                pattern=rf"{_LISTED}(,{_LISTED})*",
                form="a list of user IDs, separated by commas without spaces",
                meaning="With Action and without url: user IDs, separated by commas. Default: "
                "everybody. Not sent: the server makes a package of these people",
                label="User IDs of the people, where no file is named",
            ),
            Field(
                wire="Source",
                name="source",
                pattern="distribution",
                form="distribution",
                meaning="With Action=AppendData and without url: `distribution`, what is on its "
                "way from the area of the terminal, instead of People. Not sent",
                label="Other people, where no file is named",
                codes=Words(
                    Word("distribution", "Those who are on their way from the area of the terminal")
                ),
            ),
        ),
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
                form="the ID of a file; `zkpush files list` shows the IDs",
                meaning="Id of a file of this server",
                label="Number of a file of this server",
            ),
            Field(
                wire="form",
                name="form",
                required=True,
                pattern="1|2",
                form="1 (sent in base64) or 2 (sent as it is)",
                meaning="1: sent in base64; 2: sent as it is",
                label="How the file is sent",
                codes=Words(Word("1", "In base64"), Word("2", "As it is")),
            ),
            Field(
                wire="supportsubcontracting",
                name="in_parts",
                pattern="1",
                form="1 (the terminal downloads the file in parts); leave it out otherwise",
                meaning="1: the terminal downloads the file in parts (2.4.2)",
                label="The terminal downloads the file in parts",
                codes=Words(Word("1", "Yes")),
            ),
        ),
    ),
)
