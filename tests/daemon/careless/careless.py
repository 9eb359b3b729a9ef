"""A handler and a verifier that quote what they are given, in every way in which that can happen.

`CARELESS How=<way><HT>What=<secret>`; and a log of JSON, for twistd's `--logger`.
"""

from __future__ import annotations

import logging
import sys
import threading

import sqlalchemy
from twisted.internet import reactor
from twisted.internet.defer import fail
from twisted.logger import Logger, jsonFileLogObserver
from twisted.plugin import IPlugin
from twisted.python import log
from twisted.python.failure import Failure
from zope.interface import implementer

from zkpush.interfaces import IRecordHandler, IVerifier
from zkpush.persist.schema import PlainText
from zkpush.protocol.fields import Field, Layout, Table

CARELESS = Table(
    name="CARELESS",
    section="-",
    meaning="What must not be quoted",
    layout=Layout.KEYED,
    keyword="CARELESS",
    key=("how",),
    fields=(
        Field(wire="How", name="how", required=True, meaning="The way to quote it"),
        Field(wire="What", name="what", required=True, meaning="A secret"),
    ),
)


def as_json():
    """What twistd's `--logger` names."""
    return jsonFileLogObserver(sys.stdout)


class Stubborn:
    """Fails when it is forgotten."""

    def __init__(self, what):
        self.what = what

    def __del__(self):
        raise ValueError(self.what)


def shout(what):
    """Raise a message that quotes."""
    raise ValueError(f"invalid literal for int() with base 10: {what!r}")


def of_message(tx, what):
    """Quote in a message."""
    shout(what)


def of_cause(tx, what):
    """Quote in what it came from, too."""
    try:
        shout(what)
    except ValueError as error:
        raise KeyError(what) from error


def of_statement(tx, what):
    """Quote in SQL."""
    tx.connection.exec_driver_sql(f"SELECT x{what}")


def of_syntax(tx, what):
    """Quote in SQL that is none."""
    tx.connection.exec_driver_sql(f"{what} FROM")


def of_parameter(tx, what):
    """Quote in a parameter that the driver does not take."""
    tx.connection.execute(sqlalchemy.text("SELECT :what"), {"what": {what: what}})


def of_type(tx, what):
    """Quote in a parameter that SQLAlchemy does not take."""

    class Of(PlainText):
        cache_ok = False

        def process_bind_param(self, value, dialect):
            shout(value)

    tx.connection.execute(sqlalchemy.select(sqlalchemy.literal(what, Of())))


WAYS = {
    "message": of_message,
    "cause": of_cause,
    "statement": of_statement,
    "syntax": of_syntax,
    "parameter": of_parameter,
    "type": of_type,
}


@implementer(IPlugin, IRecordHandler)
class CarelessHandler:
    """Quotes while it stores, or after that."""

    _log = Logger()

    name = "careless"
    tables = (CARELESS,)
    changes_device = False

    def persist(self, tx, device, batch, now):
        """Quote as it is told to, if that is before the commit."""
        for how, what, *_ in batch.rows:
            if how in WAYS:
                WAYS[how](tx, what)

    def stored(self, device, batch):
        """Quote in all ways that there are after the commit."""
        for _, what, *_ in batch.rows:
            fail(ValueError(what))
            threading.Thread(target=shout, args=(what,)).start()
            reactor.callFromThread(shout, what)
            reactor.callFromThread(reactor.callInThread, shout, what)
            Stubborn(what)
            log.err(Failure(ValueError(what)), "careless")
            try:
                shout(what)
            except ValueError as error:
                log.err()
                logging.getLogger("careless").exception("failed with %s", what)
                self._log.error("careless: {error}", error=error)
                self._log.failure("careless")
            logging.getLogger("careless").warning("warned of %s", what)
            shout(what)


@implementer(IPlugin, IVerifier)
class CarelessVerifier:
    """Quotes what it is asked."""

    name = "careless"

    def verify(self, device, request):
        """Raise it."""
        raise LookupError(request.body)
