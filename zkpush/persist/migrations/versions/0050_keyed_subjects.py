"""Keyed indexes of the subjects of commands, which were plain digests of user IDs."""

import sqlalchemy as sa
from alembic import op

from zkpush.persist.keys import ensure_vault

revision = "0050"
down_revision = "0049"

PART = 1000


def upgrade():
    connection = op.get_bind()
    table = sa.table("commands", sa.column("seq"), sa.column("subject"))
    change = sa.update(table).where(table.c.seq == sa.bindparam("at"))
    vault, last = None, -1
    while True:
        query = sa.select(table).where(table.c.seq > last, table.c.subject.is_not(None))
        rows = connection.execute(query.order_by(table.c.seq).limit(PART)).all()
        if not rows:
            return
        if vault is None:
            database = op.get_context().config.attributes["database"]
            vault = ensure_vault(connection, database.site)
        last = rows[-1].seq
        values = [{"at": row.seq, "to": vault.index_of(bytes(row.subject))} for row in rows]
        connection.execute(change.values(subject=sa.bindparam("to")), values)
