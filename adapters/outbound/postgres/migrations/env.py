"""How Alembic runs here: on the one connection that `migrating.py` opened, inside its transaction."""

from alembic import context

options = context.config.attributes
context.configure(connection=options["connection"], version_table=options["version_table"])
with context.begin_transaction():
    context.run_migrations()
