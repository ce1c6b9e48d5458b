"""What the tests of members share: a town's database, current."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.store.database import open_database, using
from node.store.schema import migrate


@pytest.fixture(autouse=True)
def town(home: Path) -> Iterator[Any]:
    database = open_database(home / "lavoir.db")
    migrate(database)
    with using(database):
        yield database
    database.close()
