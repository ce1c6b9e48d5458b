"""What the security tests share: a town, a guarded application, a browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from node.store.database import using
from tests.node.security.guarded import (
    Place,
    application,
)


@pytest.fixture
def place(home: Path) -> Iterator[Place]:
    place = Place(home)
    with using(place.database):
        yield place
    place.database.close()


@pytest.fixture
def app(place: Place) -> Flask:
    return application(place)


@pytest.fixture
def web(app: Flask) -> FlaskClient:
    return app.test_client()
