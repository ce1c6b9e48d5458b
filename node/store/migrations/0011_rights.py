"""Who keeps a listing, who may use what, and whom and what an entry of the audit is about."""


def up(migrator, db):
    """Add two tables, three columns of the audit, and the ways to find an asker's engagements."""
    for statement in SCHEMA.split(";"):
        if statement.strip():
            db.execute_sql(statement)


SCHEMA = """
CREATE TABLE keeper (listing BLOB NOT NULL, member INTEGER NOT NULL, since_ms INTEGER NOT NULL,
    by INTEGER, PRIMARY KEY (listing, member)) STRICT, WITHOUT ROWID;
CREATE INDEX keeper_member ON keeper (member);
CREATE TABLE habilitation (id INTEGER NOT NULL PRIMARY KEY, member INTEGER NOT NULL,
    code TEXT NOT NULL, label TEXT NOT NULL, since_ms INTEGER NOT NULL, until_ms INTEGER,
    by INTEGER, granted_ms INTEGER NOT NULL, revoked_ms INTEGER, revoked_by INTEGER) STRICT;
CREATE INDEX habilitation_member_code ON habilitation (member, code);
CREATE INDEX habilitation_code ON habilitation (code);
ALTER TABLE audit_entry ADD COLUMN other INTEGER;
ALTER TABLE audit_entry ADD COLUMN engagement BLOB;
ALTER TABLE audit_entry ADD COLUMN listing BLOB;
CREATE INDEX audit_entry_other ON audit_entry (other);
CREATE INDEX audit_entry_engagement ON audit_entry (engagement);
CREATE INDEX audit_entry_listing ON audit_entry (listing);
CREATE INDEX engagement_asker_practice_final_since_ms
    ON engagement (asker, practice, final, since_ms);
CREATE INDEX engagement_who_final_since_ms ON engagement (who, final, since_ms);
CREATE INDEX engagement_listing_origin_listing_key_created_ms
    ON engagement (listing_origin, listing_key, created_ms);
CREATE INDEX engagement_listing_origin_listing_key_final
    ON engagement (listing_origin, listing_key, final)
"""
