"""The code numbers of the protocol in words (the appendices); unknown numbers are kept."""

from .attendance import AttendanceState, VerificationMode
from .biometrics import BiometricType, TemplateFormat, template_format
from .code import Code
from .error_codes import ErrorCode
from .identity import (
    Gender,
    IdentityPhoto,
    IdentityStatus,
    IdentityVerification,
    Nation,
    RecordType,
)
from .languages import Language
from .operations import AlarmReason, Operation, alarm_reason
from .returns import (
    CardEnrollFailure,
    EnrollFailure,
    ReturnCode,
    return_meaning,
    succeeded,
)

__all__ = [
    "AlarmReason",
    "AttendanceState",
    "BiometricType",
    "CardEnrollFailure",
    "Code",
    "EnrollFailure",
    "ErrorCode",
    "Gender",
    "IdentityPhoto",
    "IdentityStatus",
    "IdentityVerification",
    "Language",
    "Nation",
    "Operation",
    "RecordType",
    "ReturnCode",
    "TemplateFormat",
    "VerificationMode",
    "alarm_reason",
    "return_meaning",
    "succeeded",
    "template_format",
]
