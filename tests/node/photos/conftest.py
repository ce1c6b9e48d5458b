"""What the tests of photos share: an empty shelf of photos."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from node.domain.clock import FixedClock
from node.photos import Photos
from node.store.database import open_database, using
from node.store.schema import migrate
from tests.node.photos.pictures import (
    NOW_MS,
)


@pytest.fixture
def photos(home: Path) -> Iterator[Photos]:
    limits = SimpleNamespace(
        upload_max_bytes=3_000_000, photo_max_pixels=4_000_000, photo_side_pixels=1_280
    )
    database = open_database(home / "lavoir.db")
    migrate(database)
    with using(database):
        yield Photos(home / "photos", limits, FixedClock(NOW_MS))
    database.close()
