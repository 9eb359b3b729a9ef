"""Causes of missing records and stuck commands, and what a person is shown of each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import attrs

from ..rig import Rig
from .situations import (
    access_control,
    blocked,
    foreign_cookie,
    foreign_cookies_in_turns,
    foreign_token,
    garbage,
    https_behind_one_address,
    https_of_one_of_several,
    https_on_the_plain_port,
    new_terminal_of_closed_server,
    no_token,
    other_path_of_new_terminal,
    other_path_without_token,
    other_prefix,
    other_token,
    pending,
    pending_in_access_control,
    refused,
    rejects,
    unanswered_queue,
    unfetched_queue,
    unknown_method,
    unknown_path,
    unknown_table,
    was_in_access_control,
    wrong_clock,
    wrong_zone,
)


@attrs.frozen
class Cause:
    """A cause of missing records, and how a person finds it."""

    set_up: Callable[[Rig], Awaitable[None]]
    found: str
    """Pattern of the line of `doctor` that names the cause."""
    advice: str
    """Pattern of what to do next."""
    traced: str | None = None
    state: str = "error"
    """Pattern of the line of `devices trace` that shows it; None if no request does."""
    admission: str = "open"
    is_known: bool = True
    """Whether the server has recorded the terminal."""
    is_heard: bool = True
    """Whether it has made a request that the server could read."""


CAUSES = {
    "wrong zone": Cause(
        wrong_zone,
        r"clock +Its clock is 8 h behind .* time of UTC-08:00, and its zone here is UTC\.",
        r"By its zone here, its display should show (\d\d):(\d\d); by its punches, it shows "
        r"\d\d:\2\. Look at its display\. .*`zkpush devices set T1 timezone=ZONE`.*"
        r"--received-since 20[-0-9]+T[:0-9]+Z`\.$",
    ),
    "wrong clock": Cause(
        wrong_clock,
        r"clock +Its clock is 37 min ahead of the server's\.$",
        r"Set its clock in its menu, .*--received-since 20[-0-9]+T[:0-9]+Z`\.$",
    ),
    "refused": Cause(
        refused,
        r"other address +.* from 192\.0\.2\.7, which is in none of its networks, and was refused",
        r"If the terminal's address is now 192\.0\.2\.7, add .* `zkpush devices set T1 "
        r"networks=198\.51\.100\.0/24,192\.0\.2\.7`, with all of them",
        r"403 .* may not come from this address",
    ),
    "pending": Cause(
        pending,
        r"admission +It is pending",
        r"If it is yours, approve it: `zkpush devices approve T1`\. .* `zkpush devices block T1`\.",
        r"403 .* waits for approval",
        admission="approve",
    ),
    "blocked": Cause(
        blocked,
        r"admission +It is blocked",
        r"If that is a mistake, approve it again: `zkpush devices approve T1`\.",
        r"403 .* is blocked by an operator",
    ),
    "access-control mode": Cause(
        access_control,
        r"access-control mode +It says that it is for access control \(DeviceType=acc\)\.",
        r"Set it to attendance in its menu: System, Device Type Setting, T&A PUSH\.",
        r"/iclock/registry +404 ",
    ),
    "HTTPS on the plain port": Cause(
        https_on_the_plain_port,
        r"TLS on a plain port +.* TLS connections come from 192\.0\.2\.7",
        r"If it is a terminal, turn HTTPS off in its server settings",
    ),
    "HTTPS behind one address": Cause(
        https_behind_one_address,
        r"TLS on a plain port +TLS connections come from 192\.0\.2\.7 .* They may be those of a "
        r"terminal that has never connected: "
        r"T1\. These were last heard of at that address, and are silent: A1, A2\.",
        r"If it is a terminal, turn HTTPS off in its server settings",
        is_heard=False,
    ),
    "pending in access-control mode": Cause(
        pending_in_access_control,
        r"access-control mode +It says that it is for access control \(DeviceType=acc\)\.",
        r"Set it to attendance in its menu: System, Device Type Setting, T&A PUSH\.",
        admission="approve",
    ),
    "another token": Cause(
        other_token,
        r"token not returned +A request from 192\.0\.2\.7 did not return the token of its "
        r"session, but another one\.",
        r"Restart the terminal: it may have lost the token\. \(Further steps stand above\.\)",
        r"200 .* UNKNOWN DEVICE \(it came with another secret, or token, than that of its "
        r"session\)",
    ),
    "no token": Cause(
        no_token,
        r"token not returned +A request from 192\.0\.2\.7 did not return the token of its "
        r"session, nor another one\.",
        r"Restart the terminal: it may have lost the token\. \(Further steps stand above\.\)",
        r"200 .* UNKNOWN DEVICE \(it came without the secret of its session, the token\)",
    ),
    "unknown table": Cause(
        unknown_table,
        r"requests +It uploads the table FOOLOG, which zkpush does not know\.",
        r"Install the plugin for the table, or update zkpush\. What it uploaded is kept,",
    ),
    "unknown path": Cause(
        unknown_path,
        r"requests +It asks for POST /iclock/attendance/…, which this server does not serve\.",
        r"It may speak another protocol, .* set its server mode to ADMS .* update zkpush, or",
        r"POST +/iclock/attendance/… +404 ",
    ),
    "prefix of a proxy": Cause(
        other_prefix,
        r"requests +It asks for GET /zk/iclock/…, which is not below /iclock/\.",
        r".* server address in the terminal's menu .* proxy .* without a prefix",
        r"GET +/zk/iclock/… +404 ",
    ),
    "unknown path without a token": Cause(
        other_path_without_token,
        r"requests +It asks for GET /foo/getrequest, which is not below /iclock/\.",
        r".* server address in the terminal's menu",
        r"GET +/foo/getrequest +200 .* UNKNOWN DEVICE \(its path does not begin with /iclock/",
    ),
    "unknown path of a new terminal": Cause(
        other_path_of_new_terminal,
        r"refusals +It is not among the terminals, .* path is not served "
        r"\(GET /iclok/cdata, once, from 192\.0\.2\.7\)",
        r".* server address in the terminal's menu .* proxy .* without a prefix",
        is_known=False,
    ),
    "new terminal of a closed server": Cause(
        new_terminal_of_closed_server,
        r"refusals +It is not among the terminals, .* terminal is unknown",
        r".* add it: `zkpush devices approve T1 --add`\.",
        admission="closed",
        is_known=False,
    ),
    "rejects": Cause(
        rejects,
        r"rejects +1 upload that was not understood is kept, of ATTLOG: its time cannot be read",
        r"Look at the terminal's menu: at the date and time, and at the date format",
        r"ATTLOG +200 .* OK: 0 \(1 part not understood, and kept\)$",
    ),
    "foreign token": Cause(
        foreign_token,
        r"foreign token +It sends a foreign token, which this server did not issue",
        r"It is that of the server that the terminal used before, .* restart it when that disturbs",
        r"getrequest .* OK \(foreign token\)$",
        state="warning",
    ),
    "foreign cookie": Cause(
        foreign_cookie,
        r"foreign token +It sends a cookie that is no token; it is served all the same\.",
        r"It is that of .* a proxy or load balancer .* Nothing is lost: it has no effect here\.",
        r"getrequest .* OK \(foreign cookie\)$",
        state="warning",
    ),
    "unknown method": Cause(
        unknown_method,
        r"requests +It asks for PUT /iclock/cdata, a path that is served for another method only\.",
        r"No known terminal does that\. If a proxy is in front",
        r"PUT +/iclock/cdata +ATTLOG +405 ",
    ),
    "rejects of the access-control mode": Cause(
        was_in_access_control,
        r"rejects +2 uploads that were not understood are kept, .* of rtlog, a table of the "
        r"access-control prot",
        r"What is .* is from the time when the terminal was in that mode, .* read \(`zkpush "
        r"rejects list --device T1`\) or deleted \(`zkpush rejects delete ID`\)\.",
        state="warning",
    ),
    "garbage": Cause(
        garbage,
        r"rejects +1 upload that was not understood is kept, of ATTLOG: a line that is no record "
        r"\(there are too few "
        r"columns in this line; a record needs at least Pin and Time, and a TAB between them\)\.",
        r"Look at such a line: `zkpush rejects show 1` .*\. It is no record of a terminal",
    ),
    "HTTPS of one of several": Cause(
        https_of_one_of_several,
        r"TLS on a plain port +TLS connections come from 192\.0\.2\.7 .* A1, T1\.$",
        r"If it is a terminal, turn HTTPS off in its server settings",
    ),
    "cookies of several servers": Cause(
        foreign_cookies_in_turns,
        r"foreign token +It sends a cookie that is no token; .* It sends a foreign token",
        r"It is that of the server that the terminal used before, ",
        state="warning",
    ),
    "commands not fetched": Cause(
        unfetched_queue,
        r"queue +It has not asked for commands since 2026-03-01 12:00:00 UTC \(no getrequest\)\.",
        r"Restart it, .* passes /iclock/getrequest on\. .* `zkpush commands list T1`",
    ),
    "commands not answered": Cause(
        unanswered_queue,
        r"queue +It fetched INFO, queued at 2026-03-01 12:00:00 UTC, and has not answered\.",
        r"Restart it, and see that a proxy in front passes POST /iclock/devicecmd on\. Cancel what "
        r"it never answers: .* `zkpush commands list T1`",
        r"getrequest .* command [0-9A-Za-z]+: INFO",
    ),
}
