"""What two towns agreed on, whom a moderator let ask there, and how long a partner's words take."""


def up(migrator, db):
    """Add the four tables."""
    for statement in SCHEMA.split(";"):
        if statement.strip():
            db.execute_sql(statement)


SCHEMA = """
CREATE TABLE agreement (town BLOB NOT NULL PRIMARY KEY, ours BLOB, theirs BLOB, accepts BLOB,
    accepted BLOB, number INTEGER NOT NULL, heard INTEGER NOT NULL, agreed TEXT NOT NULL,
    force_ours BLOB, force_theirs BLOB, version INTEGER NOT NULL, signed TEXT NOT NULL,
    ended_ms INTEGER, their_end_ms INTEGER, sealed_to BLOB) STRICT;
CREATE TABLE let_ask (town BLOB NOT NULL, member INTEGER NOT NULL, by INTEGER,
    at_ms INTEGER NOT NULL, PRIMARY KEY (town, member)) STRICT, WITHOUT ROWID;
CREATE INDEX let_ask_member ON let_ask (member);
CREATE TABLE contact (town BLOB NOT NULL, at_ms INTEGER NOT NULL,
    PRIMARY KEY (town, at_ms)) STRICT, WITHOUT ROWID;
CREATE TABLE reach (town BLOB NOT NULL PRIMARY KEY, reach_ms INTEGER NOT NULL,
    at_ms INTEGER NOT NULL) STRICT;
"""
