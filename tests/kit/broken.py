"""Plugins with one fault each, and the contract suites of them; test_contracts.py runs this."""

from __future__ import annotations

import sqlalchemy
from twisted.plugin import IPlugin
from zope.interface import implementer

from zkpush.plugin.cipher import Exchanged, ICipherSuite, Opened
from zkpush.plugin.handler import IBringsTables, IRecordHandler
from zkpush.plugin.policy import IAdmissionPolicy
from zkpush.plugin.tables import Field, Layout, Table
from zkpush.plugin.verifier import IVerifier
from zkpush.resources.attendance.family import AttendancePush
from zkpush.testing.contracts import (
    AdmissionPolicyContract,
    CipherSuiteContract,
    RecordHandlerContract,
    TerminalFamilyContract,
    VerifierContract,
)

OWN = Table(
    name="OWN",
    section="-",
    meaning="-",
    layout=Layout.KEYED,
    keyword="OWN",
    key=("id",),
    fields=(Field(wire="Id", name="id", required=True, meaning="Number"),),
    examples=("OWN Id=7", "OWN Id=8"),
)
own = sqlalchemy.Table("own", sqlalchemy.MetaData(), sqlalchemy.Column("id", sqlalchemy.Text))


@implementer(IPlugin, IRecordHandler, IBringsTables)
class Sound:
    """Stores each line once."""

    name = "own"
    tables = (OWN,)
    changes_device = False

    def prepare(self, tx):
        """Make the table."""
        own.create(tx.connection, checkfirst=True)

    def persist(self, tx, device, batch, now):
        """Store lines."""
        for id_, *_ in batch.rows:
            known = sqlalchemy.select(own).where(own.c.id == id_)
            if tx.connection.execute(known).first() is None:
                tx.connection.execute(own.insert().values(id=id_))

    def stored(self, device, batch):
        """Do nothing."""


class StoresTwice(Sound):
    """Does not look whether a line is there."""

    def persist(self, tx, device, batch, now):
        for id_, *_ in batch.rows:
            tx.connection.execute(own.insert().values(id=id_))


class StoresNothing(Sound):
    """Reads its lines, and that is all."""

    def persist(self, tx, device, batch, now):
        pass


class HasNoExample(Sound):
    """Declares a table without lines to try it with."""

    tables = (
        Table(
            name="OWN",
            section="-",
            meaning="-",
            layout=Layout.KEYED,
            keyword="OWN",
            fields=OWN.fields,
        ),
    )


class MakesTablesAnew(Sound):
    """Loses its rows at every start."""

    def prepare(self, tx):
        own.drop(tx.connection, checkfirst=True)
        own.create(tx.connection)


class Commits(Sound):
    """Ends the transaction it is given."""

    def persist(self, tx, device, batch, now):
        super().persist(tx, device, batch, now)
        tx.connection.commit()


class CommitsBelow(Sound):
    """Ends it below SQLAlchemy, and leaves another one in its place."""

    def persist(self, tx, device, batch, now):
        super().persist(tx, device, batch, now)
        driver = tx.connection.connection.driver_connection
        driver.commit()
        driver.execute("BEGIN")


def contract(kind: type) -> type:
    """The suite of a handler."""

    class HandlerContract(RecordHandlerContract):
        def make_handler(self):
            return kind()

    return HandlerContract


class TestSound(contract(Sound)):
    pass


class TestStoresTwice(contract(StoresTwice)):
    pass


class TestStoresNothing(contract(StoresNothing)):
    pass


class TestHasNoExample(contract(HasNoExample)):
    pass


class TestMakesTablesAnew(contract(MakesTablesAnew)):
    pass


class TestCommits(contract(Commits)):
    pass


class TestCommitsBelow(contract(CommitsBelow)):
    pass


@implementer(IPlugin, IAdmissionPolicy)
class Careless:
    """Expects that every terminal says what it is."""

    name = "careless"

    def admit(self, sn, hello, address):
        raise AttributeError("nothing is known")


class TestRaisesInThePolicy(AdmissionPolicyContract):
    def make_policy(self):
        return Careless()


@implementer(IPlugin, IVerifier)
class Truthy:
    """Answers with something else than a verdict."""

    name = "truthy"

    def verify(self, device, request):
        return True


class TestIsNoVerdict(VerifierContract):
    def make_verifier(self):
        return Truthy()


class PlainEnd:
    """A terminal that seals nothing."""

    def begin(self):
        return b"P1"

    def factor(self, public_key):
        return b"R1"

    def agree(self, factor):
        pass

    def seal(self, place, body=b""):
        return PlainRequest(body)

    def open(self, place, number, sealed):
        return sealed


class PlainRequest:
    number = 1

    def __init__(self, body):
        self.sealed = body


@implementer(IPlugin, ICipherSuite)
class Plain:
    """Opens whatever comes."""

    name = "plain"
    weakness = "It seals nothing."
    exchanges = True

    def check_secret(self, secret):
        pass

    def covers(self, place, direction):
        return True

    def begin(self, sn, secret, public_key):
        return Exchanged(b"state", b"P2")

    def agree(self, state, factor):
        return Exchanged(b"state", b"R2")

    def open(self, state, place, sealed):
        return Opened(sealed, 1)

    def seal(self, state, place, number, body):
        return body


class TestSealsNothing(CipherSuiteContract):
    def make_suite(self):
        return Plain()

    def make_terminal(self, sn, secret):
        return PlainEnd()


class ForgetsTheLine(AttendancePush):
    """Writes what it is given, and refuses as if all were well."""

    def write(self, command_id, text, encoding):
        """Write a command, or several."""
        return f"C:{command_id}:{text}\n".encode()

    def refuse(self, error):
        """Refuse."""
        return error.status, b"OK"


class TestForgetsTheLine(TerminalFamilyContract):
    """Nothing else is wrong with it."""

    def make_family(self):
        """Make it."""
        return ForgetsTheLine()
