"""The first tables: journal, batches, accounts, transfers, windows, outbox, replay marks."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables, and the rules that hold whatever program writes."""
    journal()
    money()
    messages()
    rules()


def journal() -> None:
    """Make the tables of this group."""
    op.create_table(
        "requests",
        sa.Column("request", sa.Text, primary_key=True),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("tag", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("payment", sa.Text),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sa.Column("changed", sa.BigInteger, nullable=False),
        sa.Column("batch", sa.BigInteger),
        sa.Column("slot", sa.Integer),
        sa.Column("seen", sa.BigInteger, nullable=False),
        sa.Column("debit", sa.BigInteger, nullable=False),
        sa.Column("fee", sa.BigInteger, nullable=False),
    )
    op.create_index(
        "requests_open",
        "requests",
        ["state"],
        sqlite_where=sa.text("state < 2"),
        postgresql_where=sa.text("state < 2"),
    )
    op.create_index(
        "requests_payment",
        "requests",
        ["payment"],
        sqlite_where=sa.text("payment IS NOT NULL"),
        postgresql_where=sa.text("payment IS NOT NULL"),
    )
    op.create_table(
        "parts",
        sa.Column("request", sa.Text, primary_key=True),
        sa.Column("part", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "batches",
        sa.Column("batch", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.Column("window", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("rows", sa.Text, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("changed", sa.BigInteger, nullable=False),
        sa.Column("decisions", sa.LargeBinary),
        sa.Column("totals", sa.LargeBinary),
        sa.Column("postings", sa.LargeBinary),
    )
    op.create_index(
        "batches_open",
        "batches",
        ["state"],
        sqlite_where=sa.text("state < 2"),
        postgresql_where=sa.text("state < 2"),
    )
    op.create_table(
        "decisions",
        sa.Column("batch", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("node", sa.Text, primary_key=True),
        sa.Column("edge", sa.Text, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )


def money() -> None:
    """Make the tables of this group."""
    op.create_table(
        "accounts",
        sa.Column("account", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("floor", sa.Boolean, nullable=False),
        sa.Column("settles", sa.Boolean, nullable=False),
        sa.Column("posted", sa.BigInteger, nullable=False),
        sa.Column("held", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("owner", "purpose", "currency", name="accounts_name"),
    )
    op.create_table(
        "transfers",
        sa.Column("request", sa.Text, primary_key=True),
        sa.Column("leg", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("phase", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        sa.Column("debit", sa.BigInteger, nullable=False),
        sa.Column("credit", sa.BigInteger, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("window", sa.BigInteger, nullable=False),
        sa.Column("batch", sa.BigInteger),
        sa.Column("created", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "holds",
        sa.Column("request", sa.Text, primary_key=True),
        sa.Column("leg", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("debit", sa.BigInteger, nullable=False),
        sa.Column("credit", sa.BigInteger, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
    )
    op.create_index("holds_expires", "holds", ["expires"])
    op.create_table(
        "windows",
        sa.Column("window", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("opened", sa.BigInteger, nullable=False),
        sa.Column("closed", sa.BigInteger),
    )
    op.create_table(
        "nets",
        sa.Column("window", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("account", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("net", sa.BigInteger, nullable=False),
        sa.Column("payments", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )


def messages() -> None:
    """Make the tables of this group."""
    op.create_table(
        "outbox",
        sa.Column("recipient", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "inbox",
        sa.Column("sender", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "replay",
        sa.Column("sender", sa.Text, primary_key=True),
        sa.Column("counter", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("expires", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("replay_expires", "replay", ["expires"])
    op.create_table(
        "documents",
        sa.Column("space", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )


def rules() -> None:
    """Transfers never change; a request's end stays its end, and its answer stays its answer."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    for action in ("UPDATE", "DELETE"):
        rule(sqlite, "transfers", action, "", "a transfer never changes; reverse it with another")
    # States: 0 new, 1 reserved, 2 posted, 3 partially refunded, 4 refunded, 5 voided, 6 expired,
    # 7 tombstoned.
    ends = """OLD.state >= 2 AND NEW.state <> OLD.state AND NOT (
        (OLD.state = 2 AND NEW.state IN (3, 4, 5)) OR (OLD.state = 3 AND NEW.state IN (4, 5)))"""
    rule(sqlite, "requests", "UPDATE", ends, "a request that ended does not end in another way")
    # Parts: 2 is the answer.
    text = "an answer that was given never changes"
    rule(sqlite, "parts", "UPDATE", "OLD.part = 2", text)
    rule(sqlite, "parts", "DELETE", "OLD.part = 2", text)
    rule(sqlite, "requests", "DELETE", "", "an id stays known")


def rule(sqlite: bool, table: str, action: str, when: str, text: str) -> None:
    """Refuse an action on rows of a table, in either database's words."""
    trigger = f"{table}_{action.lower()}_rule"
    condition = f"WHEN ({when})" if when else ""
    if sqlite:
        op.execute(
            f"CREATE TRIGGER {trigger} BEFORE {action} ON {table} FOR EACH ROW {condition} "
            f"BEGIN SELECT RAISE(ABORT, '{text}'); END"
        )
        return
    op.execute(
        f"CREATE FUNCTION {trigger}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{text}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {trigger} BEFORE {action} ON {table} FOR EACH ROW {condition} "
        f"EXECUTE FUNCTION {trigger}()"
    )
