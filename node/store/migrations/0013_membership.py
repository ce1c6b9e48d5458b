"""Membership and moderation: the role of moderators has its own name."""


def up(migrator, db):
    """Give the desk's people the role `moderator`."""
    db.execute_sql("UPDATE member SET role = 'moderator' WHERE role = 'desk'")
