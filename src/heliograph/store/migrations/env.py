"""Alembic's way in: schema.py hands it an open connection, inside a transaction of its own making."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=False)
context.run_migrations()
