"""What is kept waiting, what was held against whom, and when each town was last heard."""


def up(migrator, db):
    """Add the three tables."""
    for statement in SCHEMA.split(";"):
        if statement.strip():
            db.execute_sql(statement)


SCHEMA = """
CREATE TABLE quarantined (partner BLOB NOT NULL, record BLOB NOT NULL, origin BLOB NOT NULL,
    code TEXT NOT NULL, first_ms INTEGER NOT NULL, tried_ms INTEGER NOT NULL,
    tries INTEGER NOT NULL, until_ms INTEGER, PRIMARY KEY (partner, record)) STRICT,
    WITHOUT ROWID;
CREATE INDEX quarantined_record ON quarantined (record);
CREATE INDEX quarantined_tried_ms ON quarantined (tried_ms);
CREATE TABLE strike (town BLOB NOT NULL, role TEXT NOT NULL, code TEXT NOT NULL,
    day INTEGER NOT NULL, count INTEGER NOT NULL, last_ms INTEGER NOT NULL,
    PRIMARY KEY (town, role, code, day)) STRICT, WITHOUT ROWID;
CREATE INDEX strike_day ON strike (day);
CREATE TABLE sighting (town BLOB NOT NULL PRIMARY KEY, came_ms INTEGER NOT NULL) STRICT,
    WITHOUT ROWID;
"""
