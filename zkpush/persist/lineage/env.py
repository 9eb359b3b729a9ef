"""Runs the migrations of one plugin on the connection that `persist.lineages` hands over."""

from alembic import context

_given = context.config.attributes
context.configure(
    connection=_given["connection"],
    version_table=_given["version_table"],
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
