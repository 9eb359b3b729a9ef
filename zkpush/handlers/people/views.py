"""Views of people in the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from ...manage.recordviews import Extra, record_view, show_record
from ...model import Caller
from ...protocol.codes import BiometricType
from ...protocol.secrecy import Scopes
from ...values.people import Person
from .model import PersonPhoto, Template
from .tables import BIODATA, BIOPHOTO, USER

_UPDATED: Sequence[Extra] = (
    ("device", Annotated[str | None, Meta(description="The terminal that reported it")], None),
    ("updated_at", str | None, None),
)
_ABOUT_USER: Sequence[Extra] = (
    (
        "templates",
        Annotated[dict[str, int], Meta(description="Number of templates by biometric type")],
    ),
    (
        "templates_meaning",
        Annotated[dict[str, str], Meta(description="The biometric types of `templates` in words")],
    ),
    ("has_photo", bool),
    ("areas", Annotated[list[str], Meta(description="Areas of the person")]),
    *_UPDATED,
)
UserView = record_view("User", USER, *_ABOUT_USER)
AuthoredUserView = record_view(
    "AuthoredUser",
    USER,
    *_ABOUT_USER,
    (
        "authors",
        Annotated[
            dict[str, str],
            Meta(
                description="Author of each field that has a value: `device SN`, `token NAME`, or "
                "`command` for a value that an operator sent to a terminal"
            ),
        ],
    ),
)
TemplateView = record_view(
    "Template",
    BIODATA,
    ("meaning", Annotated[str, Meta(description="As `type_meaning`")]),
    ("form", Annotated[str, Meta(description="Table in which it was uploaded")]),
    *_UPDATED,
)
PersonPhotoView = record_view(
    "PersonPhoto",
    BIOPHOTO,
    ("kind", Annotated[str, Meta(description="USERPIC or BIOPHOTO")]),
    ("meaning", Annotated[str, Meta(description="As `type_meaning`")]),
    ("content", Annotated[bytes | None, Meta(description="The picture, in base64")]),
    *_UPDATED,
    without=["content"],
)


R = TypeVar("R", Template, PersonPhoto)


def user_for(caller: Caller, user: Person) -> Person:
    """Leave out the terminal and areas of a person that are none of a limited caller."""
    if caller.areas is None:
        return user
    mine = tuple(area for area in user.areas if area in caller.areas)
    return msgspec.structs.replace(user, areas=mine, device=None)


def user_view(record: Person, scopes: Scopes, authors: Mapping[str, str] | None = None) -> Any:
    """Return the view of a user; with the authors of the fields, if they are given."""
    templates = {str(type_): count for type_, count in record.templates.items()}
    words = {type_: BiometricType(int(type_)).meaning for type_ in templates}
    more = {"templates": templates, "templates_meaning": words, "areas": [*record.areas]}
    if authors is None:
        return show_record(UserView, USER, record, scopes, more)
    more = {**more, "authors": authors}
    return show_record(AuthoredUserView, USER, record, scopes, more)


def template_view(record: Template, caller: Caller) -> Any:
    """Return the view of a template, for a caller who may see it."""
    more = {"template": _ascii(record.template), "meaning": _type_meaning(record)}
    return show_record(TemplateView, BIODATA, _of_nowhere(record, caller), caller.scopes, more)


def person_photo_view(record: PersonPhoto, caller: Caller) -> Any:
    """Return the view of a photo of a user, for a caller who may see it."""
    more = {"meaning": _type_meaning(record)}
    return show_record(PersonPhotoView, BIOPHOTO, _of_nowhere(record, caller), caller.scopes, more)


def _of_nowhere(record: R, caller: Caller) -> R:
    """Leave out the terminal of a record for a limited caller, as it may be of another area."""
    return record if caller.areas is None else msgspec.structs.replace(record, device=None)


def _type_meaning(record: Template | PersonPhoto) -> str:
    return BiometricType(record.type).meaning


def _ascii(value: bytes | None) -> str | None:
    return None if value is None else value.decode("ascii")
