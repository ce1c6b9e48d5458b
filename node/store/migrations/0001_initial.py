"""The first schema: every table of the first version. Frozen: what comes later is a later file."""


def up(migrator, db):
    """Create all tables and their indexes."""
    for statement in TABLES.split(";"):
        if statement.strip():
            db.execute_sql(statement)


TABLES = """
CREATE TABLE engagement (id BLOB NOT NULL PRIMARY KEY, practice TEXT NOT NULL,
    lifecycle TEXT NOT NULL, home BLOB NOT NULL, asker_town BLOB NOT NULL,
    listing_origin BLOB NOT NULL, listing_key BLOB NOT NULL, asker INTEGER, keeper INTEGER,
    who BLOB NOT NULL, state TEXT NOT NULL, since_ms INTEGER NOT NULL, turn TEXT NOT NULL,
    final INTEGER NOT NULL, deadline_ms INTEGER, lapses_to TEXT NOT NULL,
    version INTEGER NOT NULL, applied_version INTEGER NOT NULL, ack INTEGER NOT NULL,
    gen INTEGER NOT NULL, saw BLOB, terms TEXT NOT NULL, proposal TEXT NOT NULL,
    reason TEXT NOT NULL, contacts TEXT NOT NULL, names TEXT NOT NULL, answer_by_ms INTEGER,
    ends_ms INTEGER, request_key BLOB, reply_key BLOB, request_record BLOB, reply_record BLOB,
    created_ms INTEGER NOT NULL) STRICT;
CREATE INDEX engagement_listing_origin_listing_key_state ON engagement (listing_origin,
    listing_key, state);
CREATE INDEX engagement_asker_created_ms ON engagement (asker, created_ms);
CREATE INDEX engagement_keeper_created_ms ON engagement (keeper, created_ms);
CREATE INDEX engagement_final_deadline_ms ON engagement (final, deadline_ms);
CREATE INDEX engagement_final_answer_by_ms ON engagement (final, answer_by_ms);
CREATE INDEX engagement_request_key ON engagement (request_key);
CREATE INDEX engagement_reply_key ON engagement (reply_key);
CREATE TABLE act (engagement_id BLOB NOT NULL, id BLOB NOT NULL, place INTEGER NOT NULL,
    "action" TEXT NOT NULL, at_ms INTEGER NOT NULL, "by" TEXT NOT NULL, member INTEGER,
    on_version INTEGER, args TEXT NOT NULL, verdict TEXT NOT NULL, verdict_ms INTEGER,
    sent_ms INTEGER, PRIMARY KEY (engagement_id, id),
    FOREIGN KEY (engagement_id) REFERENCES engagement (id) ON DELETE CASCADE) STRICT,
    WITHOUT ROWID;
CREATE INDEX act_member ON act (member);
CREATE UNIQUE INDEX act_engagement_id_place ON act (engagement_id, place);
CREATE TABLE audit_entry (id INTEGER NOT NULL PRIMARY KEY, at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL, member INTEGER, "action" TEXT NOT NULL, subject TEXT NOT NULL,
    detail TEXT NOT NULL) STRICT;
CREATE INDEX audit_entry_at_ms ON audit_entry (at_ms);
CREATE INDEX audit_entry_member ON audit_entry (member);
CREATE TABLE blob (hash BLOB NOT NULL PRIMARY KEY, status TEXT NOT NULL,
    size_bytes INTEGER NOT NULL, media_type TEXT NOT NULL, width INTEGER NOT NULL,
    height INTEGER NOT NULL, wanted_from BLOB, attempts INTEGER NOT NULL,
    next_try_ms INTEGER NOT NULL, kept_ms INTEGER) STRICT;
CREATE INDEX blob_status_next_try_ms ON blob (status, next_try_ms);
CREATE TABLE claim (listing_origin BLOB NOT NULL, listing_key BLOB NOT NULL,
    unit INTEGER NOT NULL, slot INTEGER NOT NULL, engagement_id BLOB NOT NULL,
    PRIMARY KEY (listing_origin, listing_key, unit, slot),
    FOREIGN KEY (engagement_id) REFERENCES engagement (id) ON DELETE CASCADE) STRICT,
    WITHOUT ROWID;
CREATE INDEX claim_engagement_id ON claim (engagement_id);
CREATE TABLE exchange (id INTEGER NOT NULL PRIMARY KEY, partner BLOB NOT NULL,
    direction TEXT NOT NULL, started_ms INTEGER NOT NULL, ended_ms INTEGER,
    outcome TEXT NOT NULL, received INTEGER NOT NULL, sent INTEGER NOT NULL,
    refused INTEGER NOT NULL, bytes_in INTEGER NOT NULL, bytes_out INTEGER NOT NULL,
    round_trips INTEGER NOT NULL) STRICT;
CREATE INDEX exchange_partner_id ON exchange (partner, id);
CREATE TABLE listing (id INTEGER NOT NULL PRIMARY KEY, origin BLOB NOT NULL,
    "key" BLOB NOT NULL, record BLOB NOT NULL, practice TEXT NOT NULL, kind TEXT NOT NULL,
    code TEXT NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL, verb TEXT NOT NULL,
    place_name TEXT NOT NULL, lat_e6 INTEGER, lon_e6 INTEGER, insee TEXT NOT NULL,
    quartier TEXT NOT NULL, who TEXT NOT NULL, state TEXT NOT NULL, ends_ms INTEGER,
    created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL, expires INTEGER NOT NULL,
    photo BLOB, body BLOB NOT NULL, source TEXT NOT NULL, hidden TEXT NOT NULL) STRICT;
CREATE UNIQUE INDEX listing_origin_key ON listing (origin, "key");
CREATE INDEX listing_created_ms_id ON listing (created_ms, id);
CREATE INDEX listing_practice_created_ms ON listing (practice, created_ms);
CREATE INDEX listing_lat_e6_lon_e6 ON listing (lat_e6, lon_e6);
CREATE INDEX listing_code_origin ON listing (code, origin);
CREATE INDEX listing_photo ON listing (photo);
CREATE TABLE facet (listing_id INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (listing_id, name, value),
    FOREIGN KEY (listing_id) REFERENCES listing (id) ON DELETE CASCADE) STRICT, WITHOUT ROWID;
CREATE INDEX facet_name_value_listing_id ON facet (name, value, listing_id);
CREATE TABLE form_token (token BLOB NOT NULL PRIMARY KEY, member INTEGER, path TEXT NOT NULL,
    status INTEGER NOT NULL, location TEXT NOT NULL, created_ms INTEGER NOT NULL) STRICT,
    WITHOUT ROWID;
CREATE INDEX form_token_member ON form_token (member);
CREATE INDEX form_token_created_ms ON form_token (created_ms);
CREATE TABLE holding ("key" BLOB NOT NULL PRIMARY KEY, member INTEGER,
    created_ms INTEGER NOT NULL, source TEXT, source_ref TEXT, digest BLOB) STRICT;
CREATE INDEX holding_member ON holding (member);
CREATE UNIQUE INDEX holding_source_source_ref ON holding (source, source_ref);
CREATE TABLE introduction (direction TEXT NOT NULL, partner BLOB NOT NULL, town BLOB NOT NULL,
    name TEXT NOT NULL, url TEXT NOT NULL, keysets BLOB NOT NULL, at_ms INTEGER NOT NULL,
    answer TEXT NOT NULL, PRIMARY KEY (direction, partner, town)) STRICT, WITHOUT ROWID;
CREATE TABLE job_lease (name TEXT NOT NULL PRIMARY KEY, holder TEXT NOT NULL,
    until_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL, ended_ms INTEGER,
    outcome TEXT NOT NULL) STRICT;
CREATE TABLE keyset (id BLOB NOT NULL PRIMARY KEY, town BLOB NOT NULL, number INTEGER NOT NULL,
    root BLOB NOT NULL, previous BLOB NOT NULL, signing BLOB NOT NULL, reason TEXT NOT NULL,
    raw BLOB NOT NULL) STRICT;
CREATE UNIQUE INDEX keyset_town_number ON keyset (town, number);
CREATE TABLE listing_code (code TEXT NOT NULL PRIMARY KEY, origin BLOB NOT NULL,
    "key" BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX listing_code_origin_key ON listing_code (origin, "key");
CREATE VIRTUAL TABLE listing_search USING fts5 (title, words,
    tokenize="unicode61 remove_diacritics 2");
CREATE TABLE login_code (id INTEGER NOT NULL PRIMARY KEY, code_hash BLOB NOT NULL,
    member INTEGER, email TEXT NOT NULL, purpose TEXT NOT NULL, name TEXT NOT NULL,
    tries_left INTEGER NOT NULL, created_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL) STRICT;
CREATE UNIQUE INDEX login_code_code_hash ON login_code (code_hash);
CREATE INDEX login_code_member ON login_code (member);
CREATE INDEX login_code_email ON login_code (email);
CREATE INDEX login_code_until_ms ON login_code (until_ms);
CREATE TABLE mark (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE member (id INTEGER NOT NULL PRIMARY KEY, ref BLOB NOT NULL, name TEXT NOT NULL,
    email TEXT, phone TEXT NOT NULL, language TEXT NOT NULL, quartier TEXT NOT NULL,
    role TEXT NOT NULL, status TEXT NOT NULL, password TEXT NOT NULL,
    created_ms INTEGER NOT NULL, seen_ms INTEGER) STRICT;
CREATE UNIQUE INDEX member_ref ON member (ref);
CREATE UNIQUE INDEX member_email ON member (email);
CREATE TABLE nonce (nonce BLOB NOT NULL PRIMARY KEY, partner BLOB NOT NULL,
    until_ms INTEGER NOT NULL) STRICT;
CREATE INDEX nonce_partner ON nonce (partner);
CREATE INDEX nonce_until_ms ON nonce (until_ms);
CREATE TABLE notice (id INTEGER NOT NULL PRIMARY KEY, member INTEGER, address TEXT NOT NULL,
    kind TEXT NOT NULL, engagement BLOB, params TEXT NOT NULL, queued_ms INTEGER NOT NULL,
    next_try_ms INTEGER, attempts INTEGER NOT NULL, sent_ms INTEGER,
    last_error TEXT NOT NULL) STRICT;
CREATE INDEX notice_member ON notice (member);
CREATE INDEX notice_next_try_ms ON notice (next_try_ms);
CREATE TABLE origin (town BLOB NOT NULL PRIMARY KEY, full_at_ms INTEGER NOT NULL,
    frozen INTEGER NOT NULL) STRICT;
CREATE TABLE partner (town BLOB NOT NULL PRIMARY KEY, name TEXT NOT NULL, url TEXT NOT NULL,
    status TEXT NOT NULL, words_here INTEGER NOT NULL, words_there INTEGER NOT NULL,
    lan INTEGER NOT NULL, since_ms INTEGER NOT NULL, next_try_ms INTEGER NOT NULL,
    failures INTEGER NOT NULL, down_since_ms INTEGER, last_ok_ms INTEGER,
    last_error TEXT NOT NULL, last_error_ms INTEGER, peer_nonce BLOB,
    generation_s INTEGER NOT NULL, clock_skew_ms INTEGER NOT NULL) STRICT;
CREATE INDEX partner_status ON partner (status);
CREATE TABLE rate ("key" TEXT NOT NULL PRIMARY KEY, full_us INTEGER NOT NULL) STRICT;
CREATE INDEX rate_full_us ON rate (full_us);
CREATE TABLE record (seq INTEGER NOT NULL PRIMARY KEY, id BLOB NOT NULL, origin BLOB NOT NULL,
    scope INTEGER NOT NULL, "key" BLOB NOT NULL, stamp INTEGER NOT NULL,
    seconds INTEGER NOT NULL, expires INTEGER NOT NULL, kind TEXT NOT NULL,
    state INTEGER NOT NULL, "to" BLOB, keyset INTEGER NOT NULL, size_bytes INTEGER NOT NULL,
    raw BLOB NOT NULL, received_ms INTEGER NOT NULL, carrier BLOB NOT NULL,
    sent_ms INTEGER) STRICT;
CREATE UNIQUE INDEX record_id ON record (id);
CREATE UNIQUE INDEX record_origin_key ON record (origin, "key");
CREATE INDEX record_origin_scope_seconds_id_expires_keyset ON record (origin, scope, seconds,
    id, expires, keyset);
CREATE INDEX record_origin_kind ON record (origin, kind);
CREATE TABLE refusal (id INTEGER NOT NULL PRIMARY KEY, partner BLOB NOT NULL,
    record BLOB NOT NULL, origin BLOB, code TEXT NOT NULL, at_ms INTEGER NOT NULL,
    times INTEGER NOT NULL) STRICT;
CREATE UNIQUE INDEX refusal_partner_record ON refusal (partner, record);
CREATE INDEX refusal_partner_at_ms ON refusal (partner, at_ms);
CREATE TABLE remembered (id BLOB NOT NULL PRIMARY KEY, code TEXT NOT NULL,
    until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX remembered_until ON remembered (until);
CREATE TABLE session (token_hash BLOB NOT NULL PRIMARY KEY, member_id INTEGER NOT NULL,
    device TEXT NOT NULL, created_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    FOREIGN KEY (member_id) REFERENCES member (id) ON DELETE CASCADE) STRICT, WITHOUT ROWID;
CREATE INDEX session_member_id ON session (member_id);
CREATE INDEX session_until_ms ON session (until_ms);
CREATE TABLE setsum (origin BLOB NOT NULL, scope INTEGER NOT NULL, day INTEGER NOT NULL,
    keyset INTEGER NOT NULL, count INTEGER NOT NULL, live INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL, total BLOB NOT NULL, PRIMARY KEY (origin, scope, day,
    keyset)) STRICT, WITHOUT ROWID;
CREATE TABLE town (town BLOB NOT NULL PRIMARY KEY, name TEXT NOT NULL, insee TEXT NOT NULL,
    url TEXT NOT NULL, lat_e6 INTEGER, lon_e6 INTEGER, hpke BLOB, manager TEXT NOT NULL,
    contact TEXT NOT NULL, lang TEXT NOT NULL, updated_ms INTEGER NOT NULL) STRICT;
"""
