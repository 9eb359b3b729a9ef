"""Return codes of executed commands (spec 13, Appendix 1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .code import Code


class ReturnCode(Code, noun="Return code"):
    """Return of any command (spec Appendix 1); values above 0 are command-specific."""

    SUCCESSFUL = 0, "Successful"
    PARAMETER_INCORRECT = -1, "The parameter is incorrect"
    PHOTO_SIZE_MISMATCH = -2, "The transmitted user photo data does not match the given size"
    READ_WRITE_ERROR = -3, "Reading or writing is incorrect"
    TEMPLATE_SIZE_MISMATCH = -9, "The transmitted template data does not match the given size"
    USER_UNKNOWN = -10, "The user specified by PIN does not exist in the equipment"
    TEMPLATE_FORMAT_ILLEGAL = -11, "The fingerprint template format is illegal"
    TEMPLATE_ILLEGAL = -12, "The fingerprint template is illegal"
    ALGORITHM_MISMATCH = -30, "The template is of another algorithm version"  # 2.4.2
    CAPACITY_LIMITED = -1001, "Limited capacity"
    NOT_SUPPORTED = -1002, "Not supported by the equipment"
    TIMEOUT = -1003, "Command execution timeout"
    CONFIGURATION_INCONSISTENT = -1004, "The data and equipment configuration are inconsistent"
    BUSY = -1005, "The equipment is busy"
    DATA_TOO_LONG = -1006, "The data is too long"
    MEMORY_ERROR = -1007, "Memory error"
    SERVER_DATA_FAILED = -1008, "Failed to get server data"


class EnrollFailure(Code, noun="Enrollment failure"):
    """Return of ENROLL_FP from 2 to 7 (spec Appendix 1)."""

    ALREADY_ENROLLED = 2, "Fingerprints of the user already exist"
    REGISTRATION_FAILED = (
        4,
        "Registration fails, usually caused by the inferior quality of fingerprints or the "
        "inconsistency of the three fingerprints",
    )
    DUPLICATE = 5, "Registered fingerprints already exist in the fingerprint database"
    CANCELLED = 6, "Registration is cancelled"
    BUSY = 7, "Registration cannot proceed due to the busy device"


class BiometricEnrollFailure(Code, noun="Enrollment failure"):
    """Return of ENROLL_BIO from 2 to 7: Appendix 1 has the words for fingerprints."""

    ALREADY_ENROLLED = 2, "The user is enrolled already"
    REGISTRATION_FAILED = (
        4,
        "Registration fails, usually caused by the inferior quality or the inconsistency of what "
        "was presented",
    )
    DUPLICATE = 5, "What was presented is enrolled already"
    CANCELLED = 6, "Registration is cancelled"
    BUSY = 7, "Registration cannot proceed due to the busy device"


class CardEnrollFailure(Code, noun="Enrollment failure"):
    """Return of ENROLL_MF, negative and from 2 to 7 (spec 12.6.2)."""

    PARAMETER_INCORRECT = -1, "The parameter is incorrect"
    ACCESS_ERROR = -3, "Access error"
    REGISTRATION_FAILED = 4, "Registration fails after all retries"
    TIMEOUT = 5, "Left by timeout"
    CANCELLED = 6, "Left by pressing Esc"


_ENROLL: Mapping[str, type[Code]] = {
    "ENROLL_FP": EnrollFailure,
    "ENROLL_BIO": BiometricEnrollFailure,
    "ENROLL_MF": CardEnrollFailure,
}
_ENROLL_FAILURES = range(2, 8)


def succeeded(command: str, code: int | None) -> bool:
    """Whether a Return means success: 0 and above, or None.

    Exceptions are the enrollment commands, for which 2 to 7 are failures. `command` is the
    command's name in any case (Appendix 1 writes Enroll_FP).
    """
    if code is None:
        return True
    return code >= 0 and not (command.upper() in _ENROLL and code in _ENROLL_FAILURES)


def return_meaning(command: str, code: int) -> str | None:
    """The meaning of a command's Return; None for a command-specific value.

    GetFile and PutFile return the size of the file, PutFile with Action=SyncData the number of
    processed commands, and SHELL the return code of the system command (spec 12.5, 12.8.1, Appendix
    1).
    """
    if code > 0 and succeeded(command, code):
        return None
    own = _ENROLL.get(command.upper())
    if own is not None and (code > 0 or any(code == one.value for one in own)):
        return own(code).meaning
    return ReturnCode(code).meaning


def return_meanings() -> Iterator[str]:
    """Generate the meanings of all Returns."""
    tables: list[type[Code]] = [ReturnCode, *_ENROLL.values()]
    for codes in dict.fromkeys(tables):
        for code in codes:
            yield code.meaning
