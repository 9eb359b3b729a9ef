"""What the pages of areas are sent: the place in a list, and forms."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from .model import LONGEST_DESCRIPTION

_Text = Annotated[str, Meta(max_length=LONGEST_DESCRIPTION)]
_After = Annotated[int, Meta(ge=0)]


class AreaSearch(msgspec.Struct, frozen=True):
    """Place in the list of areas, or of the terminals of one."""

    after: _After = 0


FIRST = AreaSearch()
"""The first page."""


class NewAreaForm(msgspec.Struct, frozen=True):
    """An area to describe."""

    name: str
    description: _Text = ""


class AreaForm(msgspec.Struct, frozen=True):
    """The description of an area."""

    description: _Text = ""


class DeletionsForm(msgspec.Struct, frozen=True):
    """The number of deletions that the page named."""

    deletions: Annotated[int, Meta(ge=0)]


class AreaButton(msgspec.Struct, frozen=True):
    """A form that is one button."""
