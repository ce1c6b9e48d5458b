"""What went out and came in by courier file, and which of our sealed records arrived that way."""


def up(migrator, db):
    """Add the two tables."""
    for statement in SCHEMA.split(";"):
        if statement.strip():
            db.execute_sql(statement)


SCHEMA = """
CREATE TABLE carriage (id INTEGER NOT NULL PRIMARY KEY, direction TEXT NOT NULL,
    town BLOB NOT NULL, bundle BLOB NOT NULL, made_ms INTEGER NOT NULL, at_ms INTEGER NOT NULL,
    outcome TEXT NOT NULL, planned INTEGER NOT NULL, found INTEGER NOT NULL,
    stored INTEGER NOT NULL, refused INTEGER NOT NULL, photos INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL, receipt BLOB, confirmed_ms INTEGER) STRICT;
CREATE INDEX carriage_bundle ON carriage (bundle);
CREATE INDEX carriage_town_id ON carriage (town, id);
CREATE TABLE arrival (record BLOB NOT NULL PRIMARY KEY, town BLOB NOT NULL,
    at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX arrival_at_ms ON arrival (at_ms);
"""
