"""Keysets that contradict one that is held, and which town took the place of which."""


def up(migrator, db):
    """Add the two tables."""
    for statement in SCHEMA.split(";"):
        if statement.strip():
            db.execute_sql(statement)


SCHEMA = """
CREATE TABLE rival (id BLOB NOT NULL PRIMARY KEY, town BLOB NOT NULL, raw BLOB NOT NULL,
    answer TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX rival_town ON rival (town);
CREATE TABLE succession (old BLOB NOT NULL PRIMARY KEY, new BLOB NOT NULL,
    at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX succession_new ON succession (new);
"""
