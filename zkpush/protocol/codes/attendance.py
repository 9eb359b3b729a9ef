"""Code numbers of attendance records: states and verification modes."""

from __future__ import annotations

from .code import Code


class AttendanceState(Code, noun="Attendance state"):
    """Status of an attendance record (spec 11.2).

    The specification defines no numbers, because a site can assign others to its state keys (spec
    12.1.1.13). 0 to 5 are the factory defaults; 255 means that no state was chosen.
    """

    CHECK_IN = 0, "Check in"
    CHECK_OUT = 1, "Check out"
    BREAK_OUT = 2, "Break out"
    BREAK_IN = 3, "Break in"
    OVERTIME_IN = 4, "Overtime in"
    OVERTIME_OUT = 5, "Overtime out"
    NONE_CHOSEN = 255, "None chosen"


class VerificationMode(Code, noun="Verification mode"):
    """Verify of records, users and groups: the verification mode (spec Appendix 7)."""

    AUTOMATIC = (
        0,
        "Finger vein or face or fingerprint or card or password (automatic identification)",
    )
    FINGERPRINT = 1, "Only fingerprint"
    USER_ID = 2, "User ID verification"
    PASSWORD = 3, "Only password"
    CARD = 4, "Only card"
    FINGERPRINT_OR_PASSWORD = 5, "Fingerprint or password"
    FINGERPRINT_OR_CARD = 6, "Fingerprints or card"
    CARD_OR_PASSWORD = 7, "Card or password"
    USER_ID_FINGERPRINT = 8, "User ID + fingerprint"
    FINGERPRINT_PASSWORD = 9, "Fingerprint + password"
    CARD_FINGERPRINT = 10, "Card + fingerprint"
    CARD_PASSWORD = 11, "Card + password"
    FINGERPRINT_PASSWORD_CARD = 12, "Fingerprint + password + card"
    USER_ID_FINGERPRINT_PASSWORD = 13, "User ID + fingerprint + password"
    USER_ID_OR_CARD_FINGERPRINT = 14, "User ID + fingerprint or Card + fingerprint"
    FACE = 15, "Face"
    FACE_FINGERPRINT = 16, "Face + fingerprint"
    FACE_PASSWORD = 17, "Face + password"
    FACE_CARD = 18, "Face + card"
    FACE_FINGERPRINT_CARD = 19, "Face + fingerprint + card"
    FACE_FINGERPRINT_PASSWORD = 20, "Face + fingerprint + password"
    FINGER_VEIN = 21, "Finger vein"
    FINGER_VEIN_PASSWORD = 22, "Finger vein + password"
    FINGER_VEIN_CARD = 23, "Finger vein + card"
    FINGER_VEIN_PASSWORD_CARD = 24, "Finger vein + password + card"
    PALMPRINT = 25, "Palm print"
    PALMPRINT_CARD = 26, "Palm print + card"
    PALMPRINT_FACE = 27, "Palm print + face"
    PALMPRINT_FINGERPRINT = 28, "Palm print + fingerprint"
    PALMPRINT_FINGERPRINT_FACE = 29, "Palm print + fingerprint + face"
    OTHER = 200, "Other"
