"""What alembic runs: the migrations, on the connection and in the transaction of who called."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    transactional_ddl=False,  # the caller's transaction holds all of it
)
context.run_migrations()
