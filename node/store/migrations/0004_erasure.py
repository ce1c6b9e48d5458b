"""Erasure: what was buried, who acknowledged it, photos to delete, the scope of a listing."""


def up(migrator, db):
    """Create the tables of erasure; give each listing the scope of its record."""
    for statement in TABLES.split(";"):
        if statement.strip():
            db.execute_sql(statement)
    db.execute_sql("ALTER TABLE listing ADD COLUMN scope INTEGER NOT NULL DEFAULT 0")
    db.execute_sql(SCOPES)
    db.execute_sql(BURIED)
    db.execute_sql("CREATE INDEX listing_scope_photo ON listing (scope, photo)")


SCOPES = """
UPDATE listing SET scope = COALESCE((SELECT record.scope FROM record
    WHERE record.origin = listing.origin AND record."key" = listing."key"), 0)
"""
BURIED = """
INSERT INTO burial (origin, "key", record, scope, kind, at_ms, expires, kept, is_logged)
    SELECT origin, "key", id, scope, kind, received_ms, expires, '', 0 FROM record WHERE state = 1
"""
TABLES = """
CREATE TABLE burial (origin BLOB NOT NULL, "key" BLOB NOT NULL, record BLOB NOT NULL,
    scope INTEGER NOT NULL, kind TEXT NOT NULL, at_ms INTEGER NOT NULL,
    expires INTEGER NOT NULL, gone_ms INTEGER, kept TEXT NOT NULL, part INTEGER,
    told_ms INTEGER, is_logged INTEGER NOT NULL, successor BLOB,
    PRIMARY KEY (origin, "key")) STRICT, WITHOUT ROWID;
CREATE INDEX burial_at_ms ON burial (at_ms);
CREATE INDEX burial_gone_ms ON burial (gone_ms);
CREATE INDEX burial_is_logged ON burial (is_logged);
CREATE INDEX burial_told_ms_origin ON burial (told_ms, origin);
CREATE TABLE erasure_ack (town BLOB NOT NULL, "key" BLOB NOT NULL, part INTEGER NOT NULL,
    gone_ms INTEGER NOT NULL, kept TEXT NOT NULL,
    PRIMARY KEY (town, "key")) STRICT, WITHOUT ROWID;
CREATE INDEX erasure_ack_key ON erasure_ack ("key");
CREATE TABLE doomed_photo (hash BLOB NOT NULL PRIMARY KEY, origin BLOB NOT NULL,
    "key" BLOB NOT NULL, since_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX doomed_photo_origin_key ON doomed_photo (origin, "key")
"""
