"""Page of the photos of a person: the present ones, their upload and their removal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from ...manage.console.forms import NOTHING_ENTERED, FormEntry, FormMistakes
from ...manage.console.pages import (
    MOST_FORM,
    ConfirmationQuestion,
    ConsoleForm,
    ConsolePage,
    ConsoleRoute,
    PageFile,
    Redirect,
    View,
)
from ...manage.console.phrases import Phrase
from ...manage.console.visits import Visit
from ...manage.errors import ApiError
from ...manage.limits import PERSON
from ...manage.services import Services
from ...pathparts import path_part
from ...persist.transaction import Transaction
from ...protocol.fields import Scope
from .photographing import PhotoEndpoints, PortraitQuery
from .showing import NO_PERSON
from .store import PeopleStore
from .tables import BIOPHOTO, USERPIC

Kind = Literal["picture", "face"]
KINDS: Mapping[Kind, tuple[str, Phrase, Phrase]] = {
    "picture": (
        USERPIC.name,
        Phrase("Photo for the screen"),
        Phrase("Terminals show it to the person who punches."),
    ),
    "face": (
        BIOPHOTO.name,
        Phrase("Comparison photo"),
        Phrase(
            "Terminals of visible light make a face template of it. Take one face from the front, "
            "without a hat and without sunglasses."
        ),
    ),
}
"""Kinds of photos: their tables, names and meanings."""
NO_PHOTO = Phrase("There is no photo.")
NO_JPEG = Phrase("This is not a whole JPEG file with at most 100 million pixels.")


class PhotoChoice(msgspec.Struct, frozen=True):
    """The kind of the photo to show; the first one by default."""

    kind: Kind | None = None


class PhotoForm(msgspec.Struct, frozen=True):
    """A photo to store."""

    kind: Kind
    file: bytes


class RemovePhotoForm(msgspec.Struct, frozen=True):
    """The kind of the photo to remove."""

    kind: Kind


class PortraitPages:
    """The photos of a person."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._store = services.store
        self._photos = PhotoEndpoints(services)

    def routes(self) -> list[ConsoleRoute]:
        """Return the page, the picture and the forms."""
        return [
            ConsolePage(
                path="/people/<pin>/photo",
                title=Phrase("Photo"),
                scope=Scope.BIOMETRICS,
                run=self.picture,
                query=PhotoChoice,
                is_file=True,
                limited=(PERSON,),
            ),
            ConsolePage(
                path="/people/<pin>/photos",
                title=Phrase("Photos of the person"),
                scope=Scope.WRITE,
                run=self.show,
                limited=(PERSON,),
            ),
            ConsoleForm(
                path="/people/<pin>/photos",
                fields=PhotoForm,
                run=self.put,
                again=self.show,
                file="file",
                most_bytes=self._photos.most_bytes + MOST_FORM,
                limited=(PERSON,),
            ),
            ConsoleForm(
                path="/people/<pin>/photos/remove",
                fields=RemovePhotoForm,
                run=self.remove,
                again=self.show,
                question=ConfirmationQuestion(
                    title=Phrase("Remove this photo?"),
                    text=Phrase("It is deleted here. A terminal may send another one."),
                    button=Phrase("Remove"),
                    back="/people/<pin>/photos",
                ),
                limited=(PERSON,),
            ),
        ]

    async def picture(self, visit: Visit, pin: str, query: PhotoChoice) -> PageFile:
        """Show a photo of the person."""
        wanted = None if query.kind is None else KINDS[query.kind][0]
        found = await self._store.read(lambda tx: tx[PeopleStore].photos(pin))
        contents = (one.content for one in found if wanted in (None, one.kind))
        content = next((one for one in contents if one is not None), None)
        if content is None:
            raise LookupError(NO_PHOTO)
        await self._services.secret_access.note(visit.caller, "photos", pin=pin)
        is_png = content.startswith(b"\x89PNG")
        return PageFile(content_type="image/png" if is_png else "image/jpeg", body=content)

    async def show(self, visit: Visit, pin: str, entry: FormEntry = NOTHING_ENTERED) -> View:
        """Show the present photos to those who may see them, and the forms."""

        def find_thd(tx: Transaction) -> tuple[str | None, set[str]]:
            if not tx[PeopleStore].known([pin]):
                raise LookupError(NO_PERSON)
            kinds = {one.kind for one in tx[PeopleStore].photos(pin)}
            return tx[PeopleStore].names([pin]).get(pin), kinds

        name, there = await self._store.read(find_thd)
        return View(
            template="photos.html",
            values={
                "pin": pin,
                "name": name,
                "entry": entry,
                "kinds": [
                    (key, title, words, table in there)
                    for key, (table, title, words) in KINDS.items()
                ],
                "sees_photo": visit.allows(Scope.BIOMETRICS),
                "most_bytes": self._photos.most_bytes,
            },
        )

    async def put(self, visit: Visit, form: PhotoForm, pin: str) -> Redirect:
        """Store a photo."""
        if not form.file:
            raise FormMistakes(file=Phrase("Choose a file."))
        try:
            await self._photos.put(pin, PortraitQuery(form.kind), form.file, visit.caller)
        except ApiError:
            raise LookupError(NO_PERSON) from None
        except ValueError:
            raise FormMistakes(file=NO_JPEG) from None
        return _back(pin, Phrase("The photo is stored."))

    async def remove(self, visit: Visit, form: RemovePhotoForm, pin: str) -> Redirect:
        """Remove a photo."""
        try:
            await self._photos.remove(pin, PortraitQuery(form.kind), visit.caller)
        except ApiError:
            raise FormMistakes(NO_PHOTO) from None
        return _back(pin, Phrase("The photo is removed."))


def _back(pin: str, notice: Phrase) -> Redirect:
    return Redirect(to=f"/people/{path_part(pin)}/photos", notice=notice)
