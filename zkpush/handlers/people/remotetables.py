"""Remote attendance (14): the reply to a terminal that requests a user."""

from __future__ import annotations

from ...protocol.fields import Command
from ...protocol.parameters import field_of
from .records import USER

REMOTE_ATTENDANCE = "RemoteAtt"
"""Value of `table=` in the request."""
REMOTE_USER = Command(
    name="DATA UPDATE USERINFO",
    section="14",
    reply="DATA",
    meaning="The user that a terminal has asked for, with all fields",
    parameters=(
        field_of(USER, "pin"),
        field_of(USER, "name", default=""),
        field_of(USER, "password", default=""),
        field_of(USER, "card", default=""),
        field_of(USER, "group", default=1),
        field_of(USER, "timezones", default="0" * 16),
        field_of(USER, "privilege", default=0),
    ),
)
"""User fields in the order of section 14, which differs from that of 12.1.1.1."""
