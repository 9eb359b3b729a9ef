"""API of uploaded photos: put and remove the photo of a person."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ...manage.errors import not_found
from ...manage.limits import PERSON
from ...manage.routes import Route
from ...manage.services import Services
from ...model import Caller
from ...phrases import counted_phrase, words_of
from ...protocol.fields import Scope
from ...protocol.jpeg import jpeg_size
from .administration import PeopleAdministration
from .model import Portrait

_KINDS = {"picture": Portrait.PICTURE, "face": Portrait.FACE}
MOST_PIXELS = 100_000_000
"""Maximum number of pixels: a picture that takes more memory than any terminal has."""


class PortraitQuery(msgspec.Struct, frozen=True):
    """The kind of a photo."""

    kind: Annotated[
        Literal["picture", "face"] | None,
        Meta(
            description="`picture` (default) for the screen of terminals; `face` for comparison, "
            "from which terminals of visible light make a template"
        ),
    ] = None

    @property
    def portrait(self) -> Portrait:
        """The kind of the photo."""
        return _KINDS[self.kind or "picture"]


class StoredPhotoView(msgspec.Struct, frozen=True):
    """A photo that was stored."""

    pin: str
    size: Annotated[int, Meta(description="Bytes of the picture")]
    width: int
    height: int


class PhotoEndpoints:
    """Handlers of the routes of uploaded photos."""

    def __init__(self, services: Services) -> None:
        self._people = PeopleAdministration(services)
        # A command that holds the photo in base64 has to fit into a request for a command.
        self.most_bytes = services.settings.limits.command_bytes * 3 // 4

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(
                "PUT",
                "/users/<pin>/photo",
                Scope.WRITE,
                self.put,
                "Store the photo of a person, a JPEG file; no terminal overwrites it",
                query=PortraitQuery,
                content=self.most_bytes,
                returns=StoredPhotoView,
                takes=("caller",),
                limited=(PERSON,),
            ),
            Route(
                "DELETE",
                "/users/<pin>/photo",
                Scope.WRITE,
                self.remove,
                "Remove the photo of a person from all senders; a terminal may send another one",
                query=PortraitQuery,
                status=HTTPStatus.NO_CONTENT,
                takes=("caller",),
                limited=(PERSON,),
            ),
        ]

    async def put(
        self, pin: str, query: PortraitQuery, content: bytes, caller: Caller
    ) -> StoredPhotoView:
        """Store a photo."""
        size = jpeg_size(content)
        if size.width * size.height > MOST_PIXELS:
            raise ValueError(
                counted_phrase(
                    "The picture has %(width)s x %(num)s pixel; make it smaller.",
                    "The picture has %(width)s x %(num)s pixels; make it smaller.",
                    size.height,
                    width=size.width,
                )
            )
        try:
            await self._people.put_photo(pin, query.portrait, content, caller)
        except LookupError as error:
            raise not_found(words_of(error)) from None
        return StoredPhotoView(pin, len(content), size.width, size.height)

    async def remove(self, pin: str, query: PortraitQuery, caller: Caller) -> None:
        """Remove a photo."""
        try:
            await self._people.remove_photo(pin, query.portrait, caller)
        except LookupError as error:
            raise not_found(words_of(error)) from None
