"""Why parts of people are not on a terminal, as declared sentences; see `zkpush.sentences`."""

from __future__ import annotations

from ...commandreasons import COMMAND_REASONS
from ...phrases import Phrase, counted_template
from ...sentences import SentenceList

PLACE_REASONS = SentenceList(
    (
        *COMMAND_REASONS.templates,
        Phrase("refused"),
        Phrase("The terminal has other values; the conflict waits for a decision."),
        Phrase("The terminal keeps other values."),
        Phrase("The terminal has stated that it has the person."),
        counted_template(
            "The user ID has %(num)s character; the terminal takes at most %(most)s.",
            "The user ID has %(num)s characters; the terminal takes at most %(most)s.",
        ),
        Phrase("The user ID has letters; the terminal takes digits only."),
        Phrase("The terminal is full: it holds at most %(most)s %(kind)s."),
        Phrase("The terminal has no %(kind)s."),
        Phrase(
            "%(kind)s: the template is of version %(version)s, the terminal needs version "
            "%(needed)s."
        ),
        Phrase("%(kind)s: the terminal does not take templates in the unified format."),
        Phrase("The terminal does not take comparison photos."),
        Phrase("The terminal does not show photos of users."),
        Phrase("The template is damaged; a terminal has to send it again."),
        Phrase("The photo is damaged; a terminal has to send it again."),
        counted_template(
            "%(wire)s has %(num)s byte in the terminal's encoding; at most %(most_bytes)s fit",
            "%(wire)s has %(num)s bytes in the terminal's encoding; at most %(most_bytes)s fit",
        ),
        Phrase("%(wire)s holds a %(called)s, which a value can never contain"),
        Phrase("%(wire)s holds what is no character"),
        Phrase("no answer"),
    )
)
"""Reasons of parts that do not fit, were refused, or are not known to be there."""
