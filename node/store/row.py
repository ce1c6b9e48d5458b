"""What every table inherits: the current database, strict types, and a field for plain bytes."""

from typing import Any

import peewee

from node.store.database import db


class BytesField(peewee.Field):
    """A byte string, read back as `bytes` (Peewee's BlobField binds itself to one database)."""

    field_type = "BLOB"

    def db_value(self, value: Any) -> bytes | None:
        return None if value is None else bytes(value)

    def python_value(self, value: Any) -> bytes | None:
        return None if value is None else bytes(value)


class Row(peewee.Model):
    """A row of a STRICT table: bytes never become text, nor numbers strings."""

    class Meta:
        database = db
        legacy_table_names = False
        strict_tables = True

    @classmethod
    def upsert(cls, **values: Any) -> None:
        """Insert the row, or set the given columns of the one that has its primary key."""
        keys = [field.name for field in cls._meta.get_primary_keys()]
        kept = [name for name in values if name not in keys]
        cls.insert(**values).on_conflict(conflict_target=keys, preserve=kept).execute()
