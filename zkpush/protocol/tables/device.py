"""What a terminal tells of itself: pushed options (8) and update information (9)."""

from __future__ import annotations

from ..fields import Acknowledge, Field, Kind, Layout, Table

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
