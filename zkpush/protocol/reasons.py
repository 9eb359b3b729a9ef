"""Reasons of rejects, as declared sentences; see `zkpush.sentences`."""

from __future__ import annotations

from ..phrases import Phrase, counted_template
from ..sentences import SentenceList
from .faultkinds import FURTHER

OF_ACCESS_CONTROL = Phrase(
    "a table of the access-control protocol, which this server does not speak"
)
"""Reason of rejects of the tables of that protocol."""

NO_HANDLER = Phrase("no handler takes this table")
NO_HANDLER_OF_LINES = Phrase("no handler takes such lines")
NO_COLUMNS = Phrase(
    "there are too few columns in this line; a record needs at least Pin and Time, and a TAB "
    "between them"
)
NO_KEYWORD = Phrase("a line begins with its keyword")
NO_REPLY = Phrase("no ID= in a command reply")
NO_PAIRS = Phrase("there is no Key=Value in this line")

REASONS = SentenceList(
    (
        Phrase("%(reason)s; and also: %(also)s"),
        counted_template("%(reason)s (%(num)s time)", "%(reason)s (%(num)s times)"),
        FURTHER,
        Phrase("%(reason)s; a token with the scope `%(scope)s` shows why"),
        counted_template(
            "LZO1: an encoded body of old firmware, of %(num)s byte of text, which zkpush does "
            "not read; turn off the encryption of its data in the terminal's communication menu, "
            "restart it, and let it send everything again",
            "LZO1: an encoded body of old firmware, of %(num)s bytes of text, which zkpush does "
            "not read; turn off the encryption of its data in the terminal's communication menu, "
            "restart it, and let it send everything again",
        ),
        Phrase("a text line cannot hold NUL"),
        Phrase("some bytes are no text; shown marked"),
        Phrase("there is no room for what this line says"),
        Phrase("there is more in this line than is kept"),
        Phrase("there is more in this answer than is kept"),
        Phrase("there is no picture"),
        NO_HANDLER,
        Phrase("no handler takes lines of %(keyword)s"),
        NO_HANDLER_OF_LINES,
        NO_COLUMNS,
        OF_ACCESS_CONTROL,
        Phrase("too many short records in one upload; a retry stores them"),
        NO_KEYWORD,
        NO_PAIRS,
        NO_REPLY,
        Phrase("a command reply needs id"),
        Phrase("the arguments are no command reply"),
        counted_template(
            "more than %(num)s answer in one body", "more than %(num)s answers in one body"
        ),
        Phrase("this server does not serve %(request)s"),
        Phrase("a photo begins with PIN=, its name, and ends its lines with NUL"),
        Phrase("there is not one user ID in it"),
        Phrase("part %(number)s is not Key=Value"),
        Phrase("more parts may not be understood; this is the whole body"),
        Phrase("more parts may not be understood; this is the whole packet"),
        counted_template(
            "size is %(size)s, but the picture has %(num)s byte",
            "size is %(size)s, but the picture has %(num)s bytes",
        ),
        Phrase("the handler %(name)s failed (%(error)s)"),
        Phrase("Return=%(code)s is not an integer"),
        Phrase("not understood"),
        Phrase("the packet is not gzip"),
        Phrase("the packet begins with neither text nor the header of a tar"),
        counted_template(
            "the text has more than %(num)s byte", "the text has more than %(num)s bytes"
        ),
        Phrase("the gzip is damaged: %(error)s"),
        Phrase("the gzip breaks off"),
        Phrase("something follows the gzip"),
        counted_template(
            "the gzip has more than %(num)s part", "the gzip has more than %(num)s parts"
        ),
        counted_template(
            "the tar has more than %(num)s member", "the tar has more than %(num)s members"
        ),
        Phrase("the tar breaks off in a header"),
        Phrase("the tar ends where another member was announced"),
        Phrase("something follows the end of the tar"),
        Phrase("member %(number)s: %(reason)s"),
        Phrase("its header is damaged, the checksum does not fit"),
        Phrase("it holds bytes, and is of a kind that is not read"),
        Phrase("it is packed again, and that is not expanded"),
        Phrase("its size is not a number of bytes"),
        counted_template("it has more than %(num)s byte", "it has more than %(num)s bytes"),
        Phrase("the tar breaks off"),
        Phrase("its extended header is damaged"),
        Phrase("this is neither a card number nor its bytes in [ ]"),
        Phrase("this is not base64"),
        Phrase("this is no %(kind)s that it takes"),
        counted_template(
            "%(num)s answer names no command of this terminal",
            "%(num)s answers name no command of this terminal",
        ),
        counted_template(
            "%(num)s more part is not understood; this is the whole body",
            "%(num)s more parts are not understood; this is the whole body",
        ),
        counted_template(
            "%(num)s more part is not understood; this is the whole packet",
            "%(num)s more parts are not understood; this is the whole packet",
        ),
        counted_template(
            "%(num)s option is more than is kept of one terminal",
            "%(num)s options are more than is kept of one terminal",
        ),
        Phrase("packet: %(reason)s"),
        Phrase("%(field)s: %(reason)s"),
        Phrase("%(part)s is not Key=Value"),
        Phrase("%(text)s is not an integer"),
        Phrase("%(text)s is not a number"),
        Phrase("%(text)s is not a time of the form YYYY-MM-DD HH:MM:SS"),
        Phrase("%(number)s is not a packed time"),
        Phrase("%(number)s is no time of these years"),
        Phrase("%(value)s is less than %(bound)s"),
        Phrase("%(value)s is more than %(bound)s"),
        Phrase("%(value)s is none of %(choices)s"),
        Phrase("%(field)s is missing"),
        Phrase("%(field)s is missing: a record needs at least Pin and Time"),
        Phrase("%(field)s is there twice"),
        counted_template(
            "%(field)s is %(size)s, but there are %(length)s characters of base64, which "
            "stand for %(num)s byte",
            "%(field)s is %(size)s, but there are %(length)s characters of base64, which "
            "stand for %(num)s bytes",
        ),
        Phrase("%(text)s is not %(form)s"),
    )
)
"""Every reason of a reject, and the mistakes in it."""
