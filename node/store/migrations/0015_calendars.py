"""By which secret address a member's own calendar may be read."""


def up(migrator, db):
    """Add the table."""
    for statement in SCHEMA.split(";"):
        if statement.strip():
            db.execute_sql(statement)


SCHEMA = """
CREATE TABLE calendar_key (member INTEGER NOT NULL PRIMARY KEY, hash BLOB NOT NULL,
    made_ms INTEGER NOT NULL) STRICT;
CREATE UNIQUE INDEX calendar_key_hash ON calendar_key (hash);
"""
