"""Fields of the initialization exchange (spec 5): its request and its reply."""

from __future__ import annotations

from .fields import Field, Kind, Layout, Scope, Table

EXCHANGE = Table(
    name="exchange",
    section="5",
    meaning="What a terminal says of itself when it asks for its options",
    layout=Layout.QUERY,
    fields=(
        Field(wire="pushver", name="push_version", meaning="Protocol version of the terminal"),
        Field(wire="language", name="language", meaning="Language number, Appendix 2"),
        Field(
            wire="pushcommkey",
            name="comm_key",
            meaning="Secret that binds terminal and server",
            secret=Scope.BIOMETRICS,
        ),
        Field(
            wire="DeviceType",
            name="device_type",
            meaning="att (attendance), pid (identity card) or ins",
        ),
    ),
)

TRANSFER_DATA = (
    ("AttLog", "Attendance log"),
    ("OpLog", "Operation log"),
    ("AttPhoto", "Attendance photo"),
    ("EnrollFP", "Enrolling a new fingerprint"),
    ("EnrollUser", "Enrolling a new user"),
    ("FPImag", "Fingerprint image"),
    ("ChgUser", "Changing user information"),
    ("ChgFP", "Changing a fingerprint"),
    ("FACE", "New enrolled face"),
    ("UserPic", "User picture"),
    ("WORKCODE", "Work code"),
    ("BioPhoto", "Comparison photo"),
)
"""TransFlag words of format II; the index in this list is the digit position in format I."""

TRANSFER_NAMES = "names"
TRANSFER_DIGITS = "digits"
_WORDS = "|".join(word for word, _ in TRANSFER_DATA)
EVERY_TYPE = "0:1:1:1:1:1:1:1:1:1"
"""All biometric types of records that state their type (spec 3.1); type 0 is common to them."""
_SUPPORT = "[01](:[01]){9,15}"
_SUPPORT_FORM = "10 to 16 digits 0 or 1, separated by colons"
_CLOCK_TIME = "([01][0-9]|2[0-3]):[0-5][0-9]"

OPTION_REPLY = Table(
    name="options reply",
    section="5",
    meaning="What the server tells a terminal to do; `default` is sent unless configured otherwise",
    layout=Layout.LINES,
    fields=(
        Field(
            wire="ErrorDelay",
            name="error_delay",
            kind=Kind.INTEGER,
            minimum=1,
            maximum=86_400,
            default=30,
            meaning="Seconds between two attempts when the connection fails; 30 to 300 recommended",
        ),
        Field(
            wire="Delay",
            name="delay",
            kind=Kind.INTEGER,
            minimum=1,
            maximum=86_400,
            default=10,
            meaning="Seconds between two polls for commands; 2 to 60 recommended",
        ),
        Field(
            wire="TransTimes",
            name="transfer_times",
            default="00:00;14:00",
            pattern=f"{_CLOCK_TIME}(;{_CLOCK_TIME}){{0,9}}",
            form="one to ten times such as 08:00;14:30",
            meaning="Up to ten times of day at which new data is sent, if it is not sent at once",
        ),
        Field(
            wire="TransInterval",
            name="transfer_interval",
            kind=Kind.INTEGER,
            minimum=0,
            maximum=1440,
            default=1,
            meaning="Minutes between two checks for new data; 0 for none",
        ),
        Field(
            wire="TransFlag",
            name="transfer_flag",
            default=TRANSFER_NAMES,
            pattern=(
                f"{TRANSFER_NAMES}|{TRANSFER_DIGITS}|[01]{{10,12}}"
                f"|TransData ({_WORDS})(\\t({_WORDS}))*"
            ),
            form=f"{TRANSFER_NAMES}, {TRANSFER_DIGITS}, 10 to 12 digits 0 or 1, or `TransData` and "
            "the names of data, separated by TABs",
            meaning="The data that a terminal uploads on its own: `names` requests everything that "
            "the server stores, and so does `digits` at old models; other values are sent "
            "unchanged",
        ),
        Field(
            wire="TimeZone",
            name="time_zone",
            stored=False,
            meaning="Offset from UTC of the terminal's zone now: hours if whole, else minutes",
        ),
        Field(
            wire="Realtime",
            name="realtime",
            kind=Kind.INTEGER,
            minimum=0,
            maximum=1,
            default=1,
            meaning="1: new records are sent at once; 0: at the times of day and the interval that "
            "are set",
        ),
        Field(
            wire="Encrypt",
            name="encrypt",
            stored=False,
            default=0,
            meaning="1 where attendance records are to be sent encrypted",
        ),
        Field(
            wire="EncryptFlag",
            name="encrypt_flag",
            stored=False,
            meaning="Which data is to be sent encrypted: the first digit is that of attendance "
            "records; sent with Encrypt=1 only",
        ),
        Field(
            wire="ServerVer",
            name="server_version",
            stored=False,
            meaning="Protocol version that the server supports",
        ),
        Field(
            wire="PushProtVer",
            name="push_protocol_version",
            stored=False,
            meaning="Protocol version the server is written to, Appendix 6",
        ),
        Field(
            wire="PushOptionsFlag",
            name="push_options_flag",
            kind=Kind.INTEGER,
            minimum=0,
            maximum=1,
            default=1,
            meaning="1: the terminal uploads its options",
        ),
        Field(
            wire="PushOptions",
            name="push_options",
            stored=False,
            meaning="The options that the terminal is to push",
        ),
        Field(
            wire="ATTPHOTOBase64",
            name="attendance_photo_base64",
            kind=Kind.INTEGER,
            minimum=0,
            maximum=1,
            default=0,
            meaning="1: the terminal uploads attendance photos in base64",
        ),
        Field(
            wire="MultiBioDataSupport",
            name="template_support",
            default=EVERY_TYPE,
            pattern=_SUPPORT,
            form=_SUPPORT_FORM,
            meaning="Kinds of templates that the server accepts, 0 or 1 for each: general, "
            "fingerprint, near-infrared face, voice, iris, retina, palmprint, finger vein, palm "
            "vein, visible-light face",
        ),
        Field(
            wire="MultiBioPhotoSupport",
            name="photo_support",
            default=EVERY_TYPE,
            pattern=_SUPPORT,
            form=_SUPPORT_FORM,
            meaning="Kinds of comparison photos that the server accepts, 0 or 1 for each: general, "
            "fingerprint, near-infrared face, voice, iris, retina, palmprint, finger vein, palm "
            "vein, visible-light face",
        ),
    ),
)
"""Fields with `stored` may be configured, for all terminals or for one."""

STAMPS = (
    ("ATTLOG", "ATTLOGStamp", "Stamp"),
    ("OPERLOG", "OPERLOGStamp", "OpStamp"),
    ("ATTPHOTO", "ATTPHOTOStamp", "PhotoStamp"),
    ("BIODATA", "BIODATAStamp", None),
    ("IDCARD", "IDCARDStamp", None),
    ("ERRORLOG", "ERRORLOGStamp", None),
)
"""Data types with stamps: the `table=` of the upload, the option name, and the name that firmware
before 2.2.14 uses (spec 5)."""

WITHOUT_DIGITS = ("AttPhoto",)
"""TransFlag words that a format I value of only zeros stands for (spec 5)."""
