"""What both sides wrote to each other, what was reminded of, what is broken, and when to look."""


def up(migrator, db):
    """Add three tables and a column; open engagements are looked at once."""
    for statement in SCHEMA.split(";"):
        if statement.strip():
            db.execute_sql(statement)


SCHEMA = """
CREATE TABLE message (engagement_id BLOB NOT NULL, side TEXT NOT NULL, id BLOB NOT NULL,
    at_ms INTEGER NOT NULL, text TEXT NOT NULL, member INTEGER, read_ms INTEGER,
    PRIMARY KEY (engagement_id, side, id),
    FOREIGN KEY (engagement_id) REFERENCES engagement (id) ON DELETE CASCADE) STRICT, WITHOUT ROWID;
CREATE INDEX message_member ON message (member);
CREATE TABLE reminder (engagement_id BLOB NOT NULL, since_ms INTEGER NOT NULL,
    deadline_ms INTEGER NOT NULL, hours INTEGER NOT NULL, told_ms INTEGER NOT NULL,
    PRIMARY KEY (engagement_id, since_ms, deadline_ms),
    FOREIGN KEY (engagement_id) REFERENCES engagement (id) ON DELETE CASCADE) STRICT, WITHOUT ROWID;
CREATE TABLE ticket (id INTEGER NOT NULL PRIMARY KEY, listing_key BLOB NOT NULL, what TEXT NOT NULL,
    text TEXT NOT NULL, from_ms INTEGER NOT NULL, until_ms INTEGER, by TEXT NOT NULL,
    opened_by INTEGER, opened_ms INTEGER NOT NULL, closed_by INTEGER, closed_ms INTEGER,
    engagement BLOB) STRICT;
CREATE INDEX ticket_opened_by ON ticket (opened_by);
CREATE INDEX ticket_closed_by ON ticket (closed_by);
CREATE INDEX ticket_closed_ms ON ticket (closed_ms);
CREATE INDEX ticket_listing_key_closed_ms ON ticket (listing_key, closed_ms);
ALTER TABLE engagement ADD COLUMN remind_ms INTEGER;
UPDATE engagement SET remind_ms = 0 WHERE final = 0;
CREATE INDEX engagement_final_remind_ms ON engagement (final, remind_ms);
"""
