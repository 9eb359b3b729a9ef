"""Parameters of commands, as a terminal parses them (12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..handlers.people.tables import FP
from ..protocol.codes import ReturnCode
from ..protocol.fields import Command, Field, Kind
from ..protocol.lines import decoded_length
from .answer import ReturnCodeError

_MAY_BE_EMPTY = (Kind.TEXT, Kind.CARD)
_FINGERPRINT = FP.aliases[0]


def read_values(command: Command, params: Mapping[str, str], encoding: str) -> dict[str, Any]:
    """Parse parameters into values by field name; unknown parameters are ignored.

    `ReturnCodeError` for one that is missing, wrong or too long.
    """
    values: dict[str, Any] = {}
    for field in command.parameters:
        text = params.get(field.wire)
        if text is None or (not text and field.kind not in _MAY_BE_EMPTY):
            if field.required:
                raise ReturnCodeError(ReturnCode.PARAMETER_INCORRECT)
            continue
        if field.most_bytes is not None and len(text.encode(encoding, "replace")) > (
            field.most_bytes
        ):
            raise ReturnCodeError(ReturnCode.DATA_TOO_LONG)
        try:
            values[field.name] = field.decode(text)
        except ValueError:
            raise ReturnCodeError(_wrong(command, field)) from None
    if command.one_of and not any(params.get(wire) for wire in command.one_of):
        raise ReturnCodeError(ReturnCode.PARAMETER_INCORRECT)
    return values


def check_size(values: Mapping[str, Any], name: str, code: ReturnCode) -> None:
    """Raise `ReturnCodeError` with `code` if base64 data differs from its stated size.

    The size may be that of the base64 text or of the decoded data.
    """
    size, content = values.get("size"), values.get(name)
    if size is None or content is None:
        return
    if int(size) not in (len(content), decoded_length(content)):
        raise ReturnCodeError(code)


def _wrong(command: Command, field: Field) -> ReturnCode:
    if field.kind is Kind.BASE64 and command.name.endswith(_FINGERPRINT):
        return ReturnCode.TEMPLATE_FORMAT_ILLEGAL
    return ReturnCode.PARAMETER_INCORRECT
