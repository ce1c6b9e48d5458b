"""What is scarce in other ways than unit by slot, who waits for it, and claims found by slot."""


def up(migrator, db):
    """Add three tables and the rank in line; claims are kept in the order of their slots."""
    for statement in SCHEMA.split(";"):
        if statement.strip():
            db.execute_sql(statement)


SCHEMA = """
CREATE TABLE claim_by_slot (listing_origin BLOB NOT NULL, listing_key BLOB NOT NULL,
    slot INTEGER NOT NULL, unit INTEGER NOT NULL, engagement_id BLOB NOT NULL,
    PRIMARY KEY (listing_origin, listing_key, slot, unit),
    FOREIGN KEY (engagement_id) REFERENCES engagement (id) ON DELETE CASCADE) STRICT,
    WITHOUT ROWID;
INSERT INTO claim_by_slot SELECT listing_origin, listing_key, slot, unit, engagement_id FROM claim;
DROP TABLE claim;
ALTER TABLE claim_by_slot RENAME TO claim;
CREATE INDEX claim_engagement_id ON claim (engagement_id);
CREATE TABLE tally (listing_origin BLOB NOT NULL, listing_key BLOB NOT NULL, line TEXT NOT NULL,
    held INTEGER NOT NULL CHECK (held >= 0), "most" INTEGER,
    PRIMARY KEY (listing_origin, listing_key, line), CHECK (held <= "most")) STRICT, WITHOUT ROWID;
CREATE TABLE share (engagement_id BLOB NOT NULL, line TEXT NOT NULL,
    units INTEGER NOT NULL CHECK (units > 0), PRIMARY KEY (engagement_id, line),
    FOREIGN KEY (engagement_id) REFERENCES engagement (id) ON DELETE CASCADE) STRICT,
    WITHOUT ROWID;
CREATE TABLE voice (listing_origin BLOB NOT NULL, listing_key BLOB NOT NULL, slice TEXT NOT NULL,
    who BLOB NOT NULL, engagement_id BLOB NOT NULL,
    PRIMARY KEY (listing_origin, listing_key, slice, who),
    FOREIGN KEY (engagement_id) REFERENCES engagement (id) ON DELETE CASCADE) STRICT,
    WITHOUT ROWID;
CREATE INDEX voice_engagement_id ON voice (engagement_id);
ALTER TABLE engagement ADD COLUMN "rank" INTEGER;
ALTER TABLE engagement ADD COLUMN place INTEGER;
CREATE INDEX engagement_line ON engagement (listing_origin, listing_key, "rank")
    WHERE "rank" IS NOT NULL;
"""
