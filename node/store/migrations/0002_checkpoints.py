"""The second schema: checkpoints, what they let in, and what the last exchange with each was."""


def up(migrator, db):
    """Create the tables of checkpoints."""
    for statement in TABLES.split(";"):
        if statement.strip():
            db.execute_sql(statement)


TABLES = """
CREATE TABLE checkpoint (origin BLOB NOT NULL, scope INTEGER NOT NULL, id BLOB NOT NULL,
    keyset INTEGER NOT NULL, stamp INTEGER NOT NULL, as_of INTEGER NOT NULL,
    runs BLOB NOT NULL, raw BLOB NOT NULL, arrival INTEGER NOT NULL, carrier BLOB NOT NULL,
    PRIMARY KEY (origin, scope)) STRICT, WITHOUT ROWID;
CREATE TABLE run_list (hash BLOB NOT NULL PRIMARY KEY, raw BLOB NOT NULL) STRICT;
CREATE TABLE gap (id BLOB NOT NULL PRIMARY KEY, origin BLOB NOT NULL, scope INTEGER NOT NULL,
    seconds INTEGER NOT NULL, stamp INTEGER NOT NULL, expires INTEGER NOT NULL,
    keyset INTEGER NOT NULL, "by" INTEGER NOT NULL) STRICT;
CREATE INDEX gap_origin_scope ON gap (origin, scope);
CREATE TABLE unverified (id BLOB NOT NULL PRIMARY KEY, origin BLOB NOT NULL,
    scope INTEGER NOT NULL, carrier BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE distrust (town BLOB NOT NULL PRIMARY KEY, code TEXT NOT NULL, proof BLOB NOT NULL,
    at_ms INTEGER NOT NULL) STRICT;
CREATE TABLE completeness (origin BLOB NOT NULL, scope INTEGER NOT NULL, stamp INTEGER NOT NULL,
    listed INTEGER NOT NULL, missing INTEGER NOT NULL, state TEXT NOT NULL,
    at_ms INTEGER NOT NULL, checkpoint BLOB NOT NULL, fingerprint BLOB NOT NULL,
    audited_ms INTEGER, PRIMARY KEY (origin, scope)) STRICT, WITHOUT ROWID;
CREATE TABLE hint (partner BLOB NOT NULL PRIMARY KEY, token BLOB NOT NULL,
    arrival INTEGER NOT NULL) STRICT;
"""
