"""The composition root: one town opened from its folder, one application made of its rooms."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask, g
from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader

from node import desk, feeds, pages
from node.config import Config, load
from node.domain.clock import Clock, SystemClock
from node.domain.practice import Registry
from node.engagements import Engagements
from node.jobs import Jobs
from node.journal.journal import Journal
from node.journal.keyring import Keyring
from node.journal.profile import publish_profile
from node.pages.language import Catalogues, locale_folders
from node.partners import endpoints
from node.partners.exchange import Exchanges
from node.photos import Photos
from node.practices.registry import PRACTICES
from node.store.database import open_database, using
from node.store.schema import check_schema, migrate
from node.store.sets.record_store import SqlRecordStore

ROOT = Path(__file__).parent
STATIC = ROOT.parent / "static"
DATABASE = "lavoir.db"


@dataclass(frozen=True)
class Town:
    """Everything one town's node is made of; every use happens inside `using(town.database)`."""

    home: Path
    config: Config
    keyring: Keyring
    clock: Clock
    registry: Registry
    database: Any
    store: SqlRecordStore
    journal: Journal
    engagements: Engagements
    exchanges: Exchanges
    photos: Photos
    catalogues: Catalogues

    @property
    def id(self) -> bytes:
        """Return the town id, 32 bytes."""
        return self.keyring.town

    def close(self) -> None:
        """Close this thread's connection to the database."""
        if not self.database.is_closed():
            self.database.close()


def open_town(home: Path, *, clock: Clock | None = None, migrating: bool = False) -> Town:
    """Open the town kept in `home`.

    Raises ConfigError, KeyringError, SchemaTooOld (unless `migrating`) and SchemaTooNew.
    """
    config = load(home)
    keyring = Keyring.load(home)
    database = open_database(home / DATABASE)
    (migrate if migrating else check_schema)(database)
    clock = clock or SystemClock()
    registry = Registry(PRACTICES)
    store = SqlRecordStore(keyring.town)
    journal = Journal(keyring, clock, registry, store)
    engagements = Engagements(journal, registry, clock, config.timezone)
    photos = Photos(home / "photos", config, clock)
    town = Town(
        home=home,
        config=config,
        keyring=keyring,
        clock=clock,
        registry=registry,
        database=database,
        store=store,
        journal=journal,
        engagements=engagements,
        exchanges=Exchanges(journal, config, photos),
        photos=photos,
        catalogues=Catalogues(locale_folders(ROOT)),
    )
    journal.on("request/1", engagements.on_request)
    journal.on("reply/1", engagements.on_reply)
    return town


def create_app(town: Town) -> Flask:
    """Make the web application of a town: only wiring."""
    app = Flask("node", static_folder=str(STATIC), root_path=str(ROOT))
    app.extensions["lavoir"] = town
    app.config["MAX_CONTENT_LENGTH"] = town.config.upload_max_bytes
    app.config["SECRET_KEY"] = town.keyring.secret
    app.jinja_loader = _templates()
    _bind_database(app, town)
    for room in (pages, desk, feeds):
        room.install(app, town)
    app.register_blueprint(endpoints.blueprint)
    for practice in town.registry.practices:
        if practice.blueprint is not None:
            app.register_blueprint(practice.blueprint)  # type: ignore[arg-type]
    return app
