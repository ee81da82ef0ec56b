"""Documents may have an end, after which they are erased."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the time until which a document is kept; of those that exist, for ever."""
    op.add_column("documents", sa.Column("until", sa.BigInteger))
    op.create_index(
        "documents_until",
        "documents",
        ["until"],
        sqlite_where=sa.text("until IS NOT NULL"),
        postgresql_where=sa.text("until IS NOT NULL"),
    )
