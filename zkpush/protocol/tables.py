"""Every record type, option and command of the protocol, as data.

This is the one place that spells out a field. The decoders and encoders, the validation of
commands, the columns of the store, the values of the API, the simulator and the generators of the
tests are all derived from it. Wire names stand here exactly as their section spells them.
"""

from __future__ import annotations

from .fields import Acknowledge, Command, Field, Form, Kind, Layout, Table

SMALL = 2_147_483_647

# --- 5: initialization information exchange ----------------------------------------------------

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
            secret=True,
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
"""The words of TransFlag in format II; the place in this list is the digit in format I."""

TRANSFER_NAMES = "names"
TRANSFER_DIGITS = "digits"
_WORDS = "|".join(word for word, _ in TRANSFER_DATA)
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
            meaning="Seconds between two tries when the connection fails; 30 to 300 recommended",
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
            meaning="Up to ten times of day at which new data is sent, when Realtime is 0",
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
            meaning="The data a terminal sends by itself: `names` (format II) or `digits` "
            "(format I) ask for all that the server stores; or a value to send as it is",
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
            meaning="1: send new records as they are made; 0: at TransTimes and TransInterval",
        ),
        Field(
            wire="Encrypt",
            name="encrypt",
            stored=False,
            default=0,
            meaning="1 where attendance records are to be sent encrypted",
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
            meaning="1: the terminal is to push its options",
        ),
        Field(
            wire="PushOptions",
            name="push_options",
            stored=False,
            meaning="The options that the terminal is to push",
        ),
    ),
)
"""`stored` marks what may be configured, for all terminals or for one."""

# --- 8: pushing configuration information ------------------------------------------------------

OPTIONS = Table(
    name="options",
    section="8",
    meaning="Options that a terminal pushes: of itself, and when one of them changes",
    layout=Layout.PAIRS,
    acknowledge=Acknowledge.BARE,
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

# --- 9: uploading update information -----------------------------------------------------------

INFO = Table(
    name="INFO",
    section="9",
    meaning="State of a terminal, sent with a poll: 3 to 13 values, the later ones by newer models",
    layout=Layout.VALUES,
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

# --- 11: uploading data ------------------------------------------------------------------------

ATTLOG = Table(
    name="ATTLOG",
    section="11.2, 11.7",
    meaning="Attendance records: who was verified when, and how",
    layout=Layout.COLUMNS,
    transfer=("AttLog",),
    key=("time", "pin", "status", "verify"),
    fields=(
        Field(
            wire="Pin", name="pin", required=True, pattern=r"[^\x00-\x1f]{1,64}", meaning="User ID"
        ),
        Field(
            wire="Time",
            name="time",
            kind=Kind.TIME,
            required=True,
            meaning="The terminal's own wall clock when the user was verified",
        ),
        Field(
            wire="Status",
            name="status",
            kind=Kind.INTEGER,
            minimum=0,
            maximum=SMALL,
            default=255,
            meaning="Attendance state; 255 where none was chosen. Of a verification (record type "
            "1): 0 success, 1 failure, 2 blacklist",
        ),
        Field(
            wire="Verify",
            name="verify",
            kind=Kind.INTEGER,
            minimum=0,
            maximum=SMALL,
            default=0,
            meaning="Verification mode, Appendix 7",
        ),
        Field(wire="Workcode", name="work_code", meaning="Work code"),
        Field(wire="Reserved1", name="reserved_1", meaning="Reserved by the protocol"),
        Field(wire="Reserved2", name="reserved_2", meaning="Reserved by the protocol"),
        Field(wire="IDNum", name="id_number", meaning="Citizen ID number"),
        Field(
            wire="Type",
            name="record_type",
            kind=Kind.INTEGER,
            minimum=0,
            maximum=SMALL,
            meaning="0 attendance, 1 verification of an identity card",
        ),
        Field(
            wire="MaskFlag",
            name="mask",
            kind=Kind.INTEGER,
            minimum=0,
            maximum=SMALL,
            meaning="1 with a mask, 0 without, 255 unknown (2.4.2)",
        ),
        Field(
            wire="Temperature",
            name="temperature",
            kind=Kind.NUMBER,
            meaning="Body temperature in the terminal's unit (2.4.2)",
        ),
        Field(
            wire="ConvTemperature",
            name="converted_temperature",
            kind=Kind.NUMBER,
            meaning="Body temperature in the other unit (2.4.2)",
        ),
        Field(
            wire="TimeOffset",
            name="time_offset",
            kind=Kind.INTEGER,
            minimum=-86_400,
            maximum=86_400,
            meaning="Seconds that Time is ahead of UTC (2.4.2)",
        ),
        Field(wire="ExtendData", name="extend_data", meaning="JSON in base64, e.g. GPS (2.4.2)"),
    ),
    forms=(
        Form(
            "identity card",
            (
                "pin",
                "time",
                "status",
                "verify",
                "work_code",
                "reserved_1",
                "reserved_2",
                "id_number",
                "record_type",
            ),
        ),
        Form(
            "mask",
            (
                "pin",
                "time",
                "status",
                "verify",
                "work_code",
                "reserved_1",
                "reserved_2",
                "mask",
                "temperature",
                "converted_temperature",
                "time_offset",
                "extend_data",
            ),
        ),
    ),
)

RECORD_TABLES = (ATTLOG,)
"""What is uploaded as records."""

STAMPS = (
    ("ATTLOG", "ATTLOGStamp", "Stamp"),
    ("OPERLOG", "OPERLOGStamp", "OpStamp"),
    ("ATTPHOTO", "ATTPHOTOStamp", "PhotoStamp"),
    ("BIODATA", "BIODATAStamp", None),
    ("IDCARD", "IDCARDStamp", None),
    ("ERRORLOG", "ERRORLOGStamp", None),
)
"""Data types that are sent by stamp: the `table=` of the upload, the name in the option reply, and
the name that firmware before 2.2.14 reads and sends (5)."""

# --- 12: commands ------------------------------------------------------------------------------

COMMANDS = (
    Command(
        name="CHECK",
        section="12.3.1",
        reply="CHECK",
        ends_batch=True,
        meaning="Read the options again, and send again what is behind a stamp of 0",
    ),
    Command(
        name="LOG",
        section="12.3.2",
        reply="LOG",
        meaning="Look for new data now, and send it",
    ),
    Command(
        name="INFO",
        section="12.4.3",
        reply="INFO",
        meaning="Send all options of the terminal",
    ),
    Command(
        name="REBOOT",
        section="12.7.1",
        reply="REBOOT",
        ends_batch=True,
        meaning="Restart the terminal",
    ),
)
