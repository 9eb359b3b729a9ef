"""Code numbers of the protocol in words (spec appendices); unknown numbers are kept."""

from .attendance import AttendanceState, VerificationMode
from .biometrics import BiometricType, Finger, TemplateFormat, template_format
from .code import Code, Flag, NumberCodes, Word, Words
from .error_codes import ErrorCode
from .identity import (
    Gender,
    IdentityPhoto,
    IdentityStatus,
    IdentityVerification,
    Nation,
    RecordType,
)
from .languages import Language, language_of
from .operations import AlarmReason, Operation, alarm_reason
from .people import (
    Duress,
    KeyFunction,
    Mask,
    MessageKind,
    PictureFormat,
    Privilege,
    Validity,
    error_origin,
    format_of_template,
    operator,
    user_verification,
)
from .returns import (
    BiometricEnrollFailure,
    CardEnrollFailure,
    EnrollFailure,
    ReturnCode,
    return_meaning,
    succeeded,
)

__all__ = [
    "AlarmReason",
    "AttendanceState",
    "BiometricEnrollFailure",
    "BiometricType",
    "CardEnrollFailure",
    "Code",
    "Duress",
    "EnrollFailure",
    "ErrorCode",
    "Finger",
    "Flag",
    "Gender",
    "IdentityPhoto",
    "IdentityStatus",
    "IdentityVerification",
    "KeyFunction",
    "Language",
    "Mask",
    "MessageKind",
    "Nation",
    "NumberCodes",
    "Operation",
    "PictureFormat",
    "Privilege",
    "RecordType",
    "ReturnCode",
    "TemplateFormat",
    "Validity",
    "VerificationMode",
    "Word",
    "Words",
    "alarm_reason",
    "error_origin",
    "format_of_template",
    "language_of",
    "operator",
    "return_meaning",
    "succeeded",
    "template_format",
    "user_verification",
]
