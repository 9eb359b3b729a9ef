"""`zkpush visitors`: a word of the command line, which speaks to the API."""

from __future__ import annotations

from zkpush.plugin.cli import Column, record_word

from .words import WORDS

visitors = record_word(
    "visitors",
    WORDS["visitors"],
    [
        Column("Terminal", "device"),
        Column("Number", "pin"),
        Column("Arrived", "arrived"),
        Column("Host", "host"),
        Column("Company", "company"),
    ],
)
