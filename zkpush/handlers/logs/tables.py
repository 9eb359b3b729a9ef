"""Logs: operations (11.4), identity cards (11.6), errors (11.16)."""

from __future__ import annotations

from ...protocol.codes import ErrorCode, Gender, Nation, Operation, error_origin, operator
from ...protocol.fields import PIN, PIN_FORM, SMALL, Acknowledge, Field, Kind, Layout, Scope, Table
from ...protocol.parameters import data_command, fields_of, number_field
from ...protocol.versions import ERROR_LOG, IDENTITY_CARDS


def _operand(number: int) -> Field:
    return Field(
        wire=f"Value{number}" if number < 4 else "Reserved",
        name=f"value_{number}",
        meaning=f"Operation object {number}, Appendix 4",
    )


OPLOG = Table(
    name="OPLOG",
    section="11.4",
    meaning="Operations on the terminal itself",
    layout=Layout.COLUMNS,
    keyword="OPLOG",
    least_bytes=80,
    transfer=("OpLog",),
    key=("code", "time"),
    filters=("code",),
    holds_templates=False,
    fields=(
        Field(
            wire="OpType",
            name="code",
            kind=Kind.INTEGER,
            required=True,
            minimum=0,
            maximum=SMALL,
            meaning="Operation code, Appendix 3",
            codes=Operation,
        ),
        Field(
            wire="OpWho",
            name="operator",
            meaning="User ID of the operator; 0 for nobody",
            codes=operator,
        ),
        Field(
            wire="OpTime",
            name="time",
            kind=Kind.MOMENT,
            required=True,
            meaning="The terminal's own wall clock when it was done",
        ),
        *map(_operand, range(1, 5)),
    ),
)

ERRORLOG = Table(
    name="ERRORLOG",
    section="11.16",
    meaning="Errors that a terminal reports, of its own or of a command",
    layout=Layout.KEYED,
    keyword="ERRORLOG",
    least_bytes=60,
    is_placed=True,
    since=ERROR_LOG,
    acknowledge=Acknowledge.BARE,
    holds_templates=False,
    fields=(
        Field(
            wire="ErrCode",
            name="code",
            required=True,
            pattern=r"[^\x00-\x1f]{1,32}",
            form="an error code: 1 to 32 characters, without control characters",
            meaning="Error code, Appendix 9",
            codes=ErrorCode,
        ),
        Field(wire="ErrMsg", name="message", meaning="Error message"),
        Field(
            wire="DataOrigin",
            name="origin",
            meaning="dev: the terminal's own data; cmd: data that the server sent",
            codes=error_origin,
        ),
        Field(wire="CmdId", name="command_id", meaning="CmdID of the server's command"),
        Field(wire="Additional", name="additional", meaning="More, as JSON in base64"),
    ),
)


IDCARD = Table(
    name="IDCARD",
    section="11.6, 12.1.1.2",
    meaning="What identity cards say",
    layout=Layout.KEYED,
    keyword="IDCARD",
    filters=("pin",),
    least_bytes=96,
    is_placed=True,
    utf8=True,
    holds_templates=False,
    fields=(
        Field(
            wire="PIN",
            name="pin",
            required=True,
            pattern=PIN,
            form=PIN_FORM,
            meaning="User ID; 0 for nobody",
        ),
        Field(wire="SNNum", name="card_number", meaning="Physical number of the card"),
        Field(wire="IDNum", name="id_number", meaning="Citizen ID number"),
        Field(wire="DNNum", name="document_number", meaning="Management number of the card body"),
        Field(wire="Name", name="name", meaning="Name"),
        number_field("Gender", "gender", "1 male, 2 female", codes=Gender, label="Gender"),
        number_field("Nation", "nation", "Ethnic code (11.6)", codes=Nation, label="Ethnic group"),
        Field(
            wire="Birthday",
            name="birthday",
            meaning="Date of birth, yyyyMMdd",
            label="Date of birth",
        ),
        Field(
            wire="ValidInfo",
            name="validity",
            meaning="First and last day, yyyyMMddyyyyMMdd",
            label="First and last day of validity",
        ),
        Field(wire="Address", name="address", meaning="Address"),
        Field(wire="AdditionalInfo", name="additional_address", meaning="Address added later"),
        Field(wire="Issuer", name="issuer", meaning="Issuing authority"),
        Field(
            wire="Photo",
            name="photo",
            secret=Scope.BIOMETRICS,
            meaning="The photo on the card, encrypted, in base64",
        ),
        Field(
            wire="FPTemplate1",
            name="fingerprint_1",
            secret=Scope.BIOMETRICS,
            meaning="First fingerprint, in base64",
            holds_template=True,
        ),
        Field(
            wire="FPTemplate2",
            name="fingerprint_2",
            secret=Scope.BIOMETRICS,
            meaning="Second fingerprint, in base64",
            holds_template=True,
        ),
        Field(wire="Reserve", name="reserved", meaning="Reserved by the protocol"),
        Field(wire="Notice", name="notice", meaning="Note"),
    ),
)

TABLES = (OPLOG, ERRORLOG, IDCARD)

COMMANDS = (
    data_command(
        "UPDATE",
        "IDCARD",
        "12.1.1.2",
        "Add or change the record of an identity card",
        *fields_of(IDCARD),
        since=IDENTITY_CARDS,
        utf8=IDCARD.utf8,
        key=("pin", "id_number"),
    ),
)
