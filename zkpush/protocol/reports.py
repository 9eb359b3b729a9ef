"""Reports of a terminal about itself: options (spec 8) and update information (spec 9)."""

from __future__ import annotations

from .fields import Acknowledge, Field, Kind, Layout, Scope, ScopeRule, Table

OPTIONS = Table(
    name="options",
    section="8",
    meaning="Options that a terminal pushes: of itself, and when one of them changes",
    layout=Layout.PAIRS,
    acknowledge=Acknowledge.BARE,
    holds_templates=False,
    fields=(
        Field(wire="FingerFunOn", name="finger_function", meaning="1 with fingerprints"),
        Field(wire="FaceFunOn", name="face_function", meaning="1 with faces"),
        Field(
            wire="UserPicURLFunOn",
            name="user_picture_url_function",
            meaning="1 where user photos may be sent as a URL",
        ),
        Field(
            wire="MultiBioDataSupport",
            name="template_support",
            meaning="Biometric types with templates, 0 or 1 for each of Appendix 10",
        ),
        Field(
            wire="MultiBioPhotoSupport",
            name="photo_support",
            meaning="Biometric types with photos, 0 or 1 for each of Appendix 10",
        ),
        Field(
            wire="MultiBioVersion",
            name="algorithm_versions",
            meaning="Algorithm version for each type of Appendix 10",
        ),
        Field(
            wire="MultiBioCount",
            name="template_counts_supported",
            meaning="Number of templates for each type of Appendix 10",
        ),
        Field(
            wire="MaxMultiBioDataCount",
            name="template_capacity",
            meaning="Most templates for each type of Appendix 10",
        ),
        Field(
            wire="MaxMultiBioPhotoCount",
            name="photo_capacity",
            meaning="Most photos for each type of Appendix 10",
        ),
        Field(
            wire="MultiBioDataCount",
            name="template_count",
            meaning="Templates there are now, for each type of Appendix 10",
        ),
        Field(
            wire="MultiBioPhotoCount",
            name="photo_count",
            meaning="Photos there are now, for each type of Appendix 10",
        ),
    ),
)

_DANGEROUS_WORDS = (
    # Keys and passwords, and whether they are required.
    "key|pwd|psw|passw|secret|token|auth|cert|crypt|cipher|ssl|tls",
    # The server that the terminal contacts, and the route to it.
    "server|svr|srv|url|uri|host|domain|addr|proxy|dns|gate|cloud|iclock|adms",
    r"^~?ip|ip$|_ip|ip_|(?<!sup)(?<!re)(?<!im)(?<!ex)port",
    "netmask|network|ethernet|wifi|wlan|ssid|apn|dhcp|vpn",
    # Other ways into the terminal.
    "telnet|ssh|ftp|adb",
)
"""Parts of option names that are dangerous to set. Vendors choose the names, so no list of them is
complete."""
_DANGEROUS_NAME = "|".join(_DANGEROUS_WORDS)
_DANGEROUS_VALUE = "|".join(
    (
        "://",
        r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}",
        "::|[0-9a-f]{3,4}:[0-9a-f]{1,4}:",
        r"[\w-]\.[^\W\d_]{2}",
        rf"(?:{_DANGEROUS_NAME})\w{{0,64}} ?=",
    )
)
"""A URL, an IP address, a host name, or another option inside a value."""
OPTION_RULES = (
    ScopeRule(
        parameter="key",
        pattern=_DANGEROUS_NAME,
        scope=Scope.DANGEROUS,
        meaning="for options with keys, passwords, server addresses or network settings",
    ),
    ScopeRule(
        parameter="value",
        pattern=_DANGEROUS_VALUE,
        scope=Scope.DANGEROUS,
        meaning="for values that contain a URL, an IP address or a host name",
    ),
)
"""Scopes required to set an option of a terminal, by SET OPTION or in the option reply."""

INFO = Table(
    name="INFO",
    section="9",
    meaning="State of a terminal, sent with a poll: 3 to 13 values, the later ones by newer models",
    layout=Layout.VALUES,
    holds_templates=False,
    fields=(
        Field(wire="Value1", name="firmware", required=True, meaning="Firmware version"),
        Field(wire="Value2", name="users", kind=Kind.INTEGER, meaning="Enrolled users"),
        Field(wire="Value3", name="fingerprints", kind=Kind.INTEGER, meaning="Fingerprints"),
        Field(wire="Value4", name="attendance", kind=Kind.INTEGER, meaning="Attendance records"),
        Field(wire="Value5", name="address", meaning="IP address the terminal has"),
        Field(wire="Value6", name="fingerprint_version", meaning="Fingerprint algorithm version"),
        Field(wire="Value7", name="face_version", meaning="Face algorithm version"),
        Field(
            wire="Value8",
            name="faces_required",
            kind=Kind.INTEGER,
            meaning="Faces that one enrolment takes",
        ),
        Field(wire="Value9", name="faces", kind=Kind.INTEGER, meaning="Enrolled faces"),
        Field(
            wire="Value10",
            name="functions",
            meaning="1 or 0 for fingerprint, face, user photo, comparison photo, visible light",
        ),
    ),
)
