"""Membership and moderation: who came in how, quartiers, reports, and what the desk told whom."""


def up(migrator, db):
    """Give the desk's people the role `moderator`; add the columns and tables of membership."""
    db.execute_sql("UPDATE member SET role = 'moderator' WHERE role = 'desk'")
    for statement in SCHEMA.split(";"):
        if statement.strip():
            db.execute_sql(statement)


SCHEMA = """
ALTER TABLE member ADD COLUMN commune TEXT NOT NULL DEFAULT '';
ALTER TABLE member ADD COLUMN applied TEXT NOT NULL DEFAULT '';
ALTER TABLE member ADD COLUMN invited_by INTEGER;
ALTER TABLE member ADD COLUMN resident_ms INTEGER;
ALTER TABLE member ADD COLUMN resident_by INTEGER;
CREATE TABLE invitation (id INTEGER NOT NULL PRIMARY KEY, code_hash BLOB NOT NULL,
    member INTEGER NOT NULL, note TEXT NOT NULL, uses_left INTEGER NOT NULL,
    used INTEGER NOT NULL, created_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL) STRICT;
CREATE UNIQUE INDEX invitation_code_hash ON invitation (code_hash);
CREATE INDEX invitation_member ON invitation (member);
CREATE INDEX invitation_until_ms ON invitation (until_ms);
CREATE TABLE quartier (id INTEGER NOT NULL PRIMARY KEY, insee TEXT NOT NULL, name TEXT NOT NULL,
    "rank" INTEGER NOT NULL, now INTEGER) STRICT;
CREATE INDEX quartier_now ON quartier (now);
CREATE UNIQUE INDEX quartier_insee_name ON quartier (insee, name);
CREATE TABLE report (id INTEGER NOT NULL PRIMARY KEY, origin BLOB NOT NULL, "key" BLOB NOT NULL,
    who TEXT NOT NULL, member INTEGER, town BLOB, reason TEXT NOT NULL, text TEXT NOT NULL,
    count INTEGER NOT NULL, seen BLOB NOT NULL, state TEXT NOT NULL, answer TEXT NOT NULL,
    at_ms INTEGER NOT NULL, decided_ms INTEGER) STRICT;
CREATE INDEX report_member ON report (member);
CREATE INDEX report_town ON report (town);
CREATE UNIQUE INDEX report_origin_key_who ON report (origin, "key", who);
CREATE INDEX report_state_at_ms ON report (state, at_ms);
CREATE TABLE desk_word (id INTEGER NOT NULL PRIMARY KEY, member INTEGER NOT NULL,
    kind TEXT NOT NULL, origin BLOB, "key" BLOB, text TEXT NOT NULL, at_ms INTEGER NOT NULL,
    seen_ms INTEGER) STRICT;
CREATE INDEX desk_word_member_at_ms ON desk_word (member, at_ms);
CREATE INDEX listing_hidden ON listing (hidden)
"""
