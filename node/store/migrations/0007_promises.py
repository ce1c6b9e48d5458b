"""What the logbook has yet to note, which partners were heard since a restore, what is in doubt."""


def up(migrator, db):
    """Add the three tables."""
    for statement in SCHEMA.split(";"):
        if statement.strip():
            db.execute_sql(statement)


SCHEMA = """
CREATE TABLE unlogged (engagement BLOB NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE heard (town BLOB NOT NULL PRIMARY KEY, gen INTEGER NOT NULL, at_ms INTEGER NOT NULL,
    by TEXT NOT NULL) STRICT;
CREATE TABLE doubt (id INTEGER NOT NULL PRIMARY KEY, engagement BLOB NOT NULL, code TEXT NOT NULL,
    town BLOB NOT NULL, told TEXT NOT NULL, at_ms INTEGER NOT NULL, settled_ms INTEGER) STRICT;
CREATE UNIQUE INDEX doubt_engagement_code ON doubt (engagement, code);
CREATE INDEX doubt_settled_ms ON doubt (settled_ms);
"""
