"""Hash chain and sealed head of the audit log; people are named by pseudonyms only.

Existing rows are rewritten and then chained; the chain protects them from then on.
"""

import re
import time

import sqlalchemy as sa
from alembic import op

from zkpush.persist.chain import Head, Row
from zkpush.persist.keys import ensure_vault

revision = "0011"
down_revision = "0010"

# Indexed text is compared by bytes, as on SQLite.
key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

PART = 500
SQLITE = (
    """
    CREATE TRIGGER audit_not_changed BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
    """,
    """
    CREATE TRIGGER audit_not_deleted BEFORE DELETE ON audit
    WHEN OLD.id > coalesce((SELECT start_id FROM audit_head WHERE name = 'audit'), 0)
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
    """,
    """
    CREATE TRIGGER audit_head_not_deleted BEFORE DELETE ON audit_head
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
    """,
    """
    CREATE TRIGGER audit_head_not_set_back BEFORE UPDATE ON audit_head
    WHEN NEW.name <> OLD.name OR NEW.last_id < OLD.last_id OR NEW.start_id < OLD.start_id
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
    """,
)
POSTGRESQL = (
    """
    CREATE FUNCTION audit_keeps_rows() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
        IF OLD.id > coalesce((SELECT start_id FROM audit_head WHERE name = 'audit'), 0) THEN
            RAISE EXCEPTION 'the audit log is append-only';
        END IF;
        RETURN OLD;
    END $$
    """,
    """
    CREATE FUNCTION audit_head_goes_on() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
        IF NEW.name <> OLD.name OR NEW.last_id < OLD.last_id OR NEW.start_id < OLD.start_id THEN
            RAISE EXCEPTION 'the audit log is append-only';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER audit_not_changed BEFORE UPDATE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()
    """,
    """
    CREATE TRIGGER audit_not_deleted BEFORE DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_keeps_rows()
    """,
    """
    CREATE TRIGGER audit_head_not_deleted BEFORE DELETE ON audit_head
    FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()
    """,
    """
    CREATE TRIGGER audit_head_not_emptied BEFORE TRUNCATE ON audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()
    """,
    """
    CREATE TRIGGER audit_head_not_set_back BEFORE UPDATE ON audit_head
    FOR EACH ROW EXECUTE FUNCTION audit_head_goes_on()
    """,
)
USER = re.compile(r"user (.+)", re.DOTALL)
# "c1a2: DATA UPDATE USERINFO PIN=7 Name=Ann; by API from 192.0.2.7"
COMMAND = re.compile(
    r"(\S+: (?:DATA (?:UPDATE|DELETE|QUERY) "
    r"(?:USERINFO|IDCARD|FINGERTMP|FACE|FVEIN|BIODATA|USERPIC|BIOPHOTO|SMS|USER_SMS|Blacklist|"
    r"WHITELIST)|ENROLL_FP|ENROLL_MF|ENROLL_BIO)) (.*)(; by [^;]*)",
    re.DOTALL,
)
PIN = re.compile(r"(?:PIN|Pin)=(\S+)")
PICTURE = re.compile(r"[^\s=]*\.(?:jpg|jpeg|png|bmp)(?=$|[\s,;])", re.IGNORECASE)
PICTURE_FILE = re.compile(r".*\.(?:jpg|jpeg|png|bmp)(?=, |; |$)", re.IGNORECASE | re.DOTALL)
NOT_SHOWN = "(not shown)"


def upgrade():
    connection = op.get_bind()
    vault = ensure_vault(connection, op.get_context().config.attributes["database"].site)
    op.add_column(
        "audit",
        sa.Column("mac", sa.LargeBinary(), nullable=False, server_default=sa.text("''")),
    )
    op.create_table(
        "audit_head",
        sa.Column("name", key, primary_key=True),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("last_mac", sa.LargeBinary(), nullable=False),
        sa.Column("start_id", sa.BigInteger(), nullable=False),
        sa.Column("start_mac", sa.LargeBinary(), nullable=False),
        sa.Column("seal", sa.LargeBinary(), nullable=False),
    )
    is_sqlite = connection.dialect.name == "sqlite"
    on_table = "" if is_sqlite else " ON audit"
    op.execute(f"DROP TRIGGER audit_not_changed{on_table}")
    if is_sqlite:
        op.execute("DROP TRIGGER audit_not_deleted")
    head = chain(connection, vault.audit)
    connection.execute(
        sa.text(
            "INSERT INTO audit_head (name, last_id, last_mac, start_id, start_mac, seal) "
            "VALUES ('audit', :last_id, :last_mac, 0, :start_mac, :seal)"
        ),
        {
            "last_id": head.last_id,
            "last_mac": head.last_mac,
            "start_mac": head.start_mac,
            "seal": head.seal(vault.audit.chain),
        },
    )
    for statement in SQLITE if is_sqlite else POSTGRESQL:
        op.execute(statement)


def chain(connection, keys):
    """Rewrite and chain the existing rows, and add a row that records this."""
    names = ("id", "at", "actor", "action", "subject", "detail", "mac")
    log = sa.table("audit", *map(sa.column, names))
    last, mac, is_rewritten = 0, b"", False
    while True:
        query = sa.select(log).where(log.c.id > last).order_by(log.c.id).limit(PART)
        rows = connection.execute(query).all()
        for row in rows:
            values = {"subject": subject(row, keys), "detail": detail(row, keys)}
            is_rewritten |= (row.subject, row.detail) != (values["subject"], values["detail"])
            link = Row(row.id, row.at, row.actor, row.action, values["subject"], values["detail"])
            mac = link.mac(keys.chain, mac)
            connection.execute(sa.update(log).where(log.c.id == row.id).values(**values, mac=mac))
        if not rows:
            break
        last = rows[-1].id
    if last:
        words = f"rows up to {last} were written without a chain; it vouches for them from here on"
        begun = Row(last + 1, int(time.time() * 1000), "server", "begin chain", "audit log", words)
        last, mac = begun.id, begun.mac(keys.chain, mac)
        connection.execute(
            sa.insert(log).values(
                id=last,
                at=begun.at,
                actor=begun.actor,
                action=begun.action,
                subject=begun.subject,
                detail=begun.detail,
                mac=mac,
            )
        )
    if is_rewritten:
        op.execute("INSERT INTO unfinished VALUES ('purge') ON CONFLICT DO NOTHING")
    return Head(last, mac)


def subject(row, keys):
    found = USER.fullmatch(row.subject)
    if found and (row.action == "remote attendance" or row.action.startswith("read ")):
        return keys.pseudonym(found[1])
    return row.subject


def detail(row, keys):
    if row.detail is None:
        return None
    if row.action in ("add file", "remove file"):
        return PICTURE_FILE.sub(f"picture {NOT_SHOWN}", row.detail, count=1)
    if row.action != "queue command":
        return row.detail
    found = COMMAND.fullmatch(row.detail)
    if not found:
        return PICTURE.sub(NOT_SHOWN, row.detail)
    pin = PIN.search(found[2])
    person = f"PIN={keys.pseudonym(pin[1])}, " if pin else ""
    return f"{found[1]} {person}other parameters {NOT_SHOWN}{found[3]}"
