"""The composition root: one town opened from its folder, one application made of its rooms."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask

from federation.adapters.http import HttpLink
from federation.seal import HpkeKey
from node.backup import drill, entrance, migrating, release, rota
from node.backup.house import DATABASE, Stay
from node.config import Config, load
from node.desk import wiring as desk
from node.domain.clock import Clock, SystemClock
from node.domain.practice import Registry
from node.domain.schema import plain
from node.engagements import Engagements
from node.erasure import cleaning, telling
from node.erasure.erase import replay
from node.feeds import wiring as feeds
from node.identity import care
from node.jobs import Job, Runner
from node.jobs import start as start_runner
from node.journal import checking, checkpoints, profile, restoring
from node.journal.journal import Journal
from node.journal.keychain import Keychain
from node.journal.keyring import Keyring
from node.journal.logbook import Logbook
from node.members import told
from node.notices import Sender, post_of
from node.pages import wiring as pages
from node.pages.language import Catalogues, locale_folders
from node.pages.mailing import writers
from node.partners import endpoints, reach, removal, reports
from node.partners.agreement import care as agreement_care
from node.partners.agreement import theirs as agreements
from node.partners.exchange import Exchanges
from node.photos import Photos
from node.places import communes
from node.practices.registry import PRACTICES
from node.store import notices
from node.store.database import open_database, using
from node.store.network import partners, towns
from node.store.people import reports as waiting_reports
from node.store.schema import check_schema
from node.store.sets import memory, waiting
from node.store.sets.record_store import SqlRecordStore
from node.upkeep import upkeep

ROOT = Path(__file__).parent
STATIC = ROOT.parent / "static"


@dataclass(frozen=True)
class Town:
    """Everything one town's node is made of; every use happens inside `using(town.database)`."""

    home: Path
    config: Config
    clock: Clock
    registry: Registry
    database: Any
    store: SqlRecordStore
    journal: Journal
    engagements: Engagements
    exchanges: Exchanges
    photos: Photos
    catalogues: Catalogues
    stay: Stay | None = None  # keeps the house from being replaced while we are in it

    @property
    def id(self) -> bytes:
        """Return the town id, 32 bytes."""
        return self.journal.town

    @property
    def keyring(self) -> Keyring:
        """Return the keys in force now."""
        return self.journal.keyring

    @property
    def logbook(self) -> Logbook | None:
        """Return the file outside every backup, where promises and erasures are noted first."""
        return self.journal.logbook

    def close(self) -> None:
        """Close this thread's connection to the database and leave the house."""
        if not self.database.is_closed():
            self.database.close()
        if self.stay is not None:
            self.stay.leave()

    def publish_profile(self) -> None:
        """Say what our town is: name, place, address, this month's sealing key; if it changed.

        Nothing is said in restore mode.
        """
        if restoring.is_restoring():
            return
        said = profile_of(self)
        held = towns.find(self.id)
        kept = held and {name: getattr(held, name) for name in profile.columns(said)}
        if kept != profile.columns(said):
            self.journal.publish(profile.KIND, plain(said), key=profile.KEY)


def profile_of(town: Town) -> profile.Profile:
    """Return our public card as the settings and the keys have it now."""
    config, commune = town.config, communes.find(town.config.insee)
    return profile.Profile(
        name=config.name,
        hpke=town.keyring.hpke[0].public,
        insee=config.insee,
        url=config.url,
        lat_e6=commune.lat_e6 if commune else None,
        lon_e6=commune.lon_e6 if commune else None,
        manager=config.manager,
        contact=config.contact,
        lang=config.language,
    )


def open_town(
    home: Path, *, clock: Clock | None = None, connect: Callable[..., Any] = HttpLink
) -> Town:
    """Open the town kept in `home`.

    Raises ConfigError, KeyringError, SchemaTooOld, SchemaTooNew and HouseBroken.
    """
    stay = entrance.enter(home)
    config = load(home, os.environ)
    keys = Keychain.open(home)
    database = open_database(home / DATABASE, config.store_driver)
    migrating.told(home, lambda: check_schema(database))
    clock = clock or SystemClock()
    with using(database):
        restoring.check(home, clock.now_ms())
    registry = Registry(PRACTICES)
    logbook = Logbook(home, HpkeKey.from_private(keys.ring.archive).public, clock)
    journal = Journal(keys, clock, registry, SqlRecordStore(keys.town), logbook)
    telling.listen(journal)
    agreements.listen(journal)
    reports.listen(journal, told.tell)
    photos = Photos(home / "photos", config, clock)
    engagements = Engagements(journal, registry, clock, config.timezone)
    town = Town(
        home=home,
        config=config,
        clock=clock,
        registry=registry,
        database=database,
        store=journal.store,
        journal=journal,
        engagements=engagements,
        exchanges=Exchanges(journal, config, photos, connect, engagements.heard),
        photos=photos,
        catalogues=Catalogues(locale_folders(ROOT)),
        stay=stay,
    )
    with using(database):
        engagements.keep_logbook(logbook)
        care.settle(town)
        _erase_again(town)
    return town


def _erase_again(town: Town) -> None:
    """Bury what was erased since the copy of the database that somebody put back by hand."""
    mode = restoring.state()
    if mode is not None and mode.why == restoring.COPIED:
        replay(town)


def create_app(town: Town) -> Flask:
    """Make the web application of a town: only wiring."""
    app = Flask("node", static_folder=str(STATIC), static_url_path="/static", root_path=str(ROOT))
    app.extensions["lavoir"] = town
    app.config["SECRET_KEY"] = town.keyring.secret
    app.wsgi_app = _in_town(app.wsgi_app, town)  # type: ignore[method-assign]
    for room in (pages, desk, feeds):
        room.install(app, town)
    app.register_blueprint(endpoints.blueprint)
    for practice in town.registry.practices:
        if practice.blueprint is not None:
            app.register_blueprint(practice.blueprint)  # type: ignore[arg-type]
    return app


def _in_town(wsgi_app: Any, town: Town) -> Any:
    """Make the town's database current for the whole of each request."""

    def within(environ: Any, start_response: Any) -> Any:
        with using(town.database):
            return wsgi_app(environ, start_response)

    return within


def start_jobs(town: Town) -> Runner:
    """Start what a node does by itself, in the background of this process."""

    @contextmanager
    def context() -> Iterator[Town]:
        with using(town.database):
            yield town

    with context():
        partners.hasten(town.clock.now_ms())  # whatever was missed while the node was off
    return start_runner(context, jobs_of(town), town.config.tick_seconds)


def jobs_of(town: Town) -> tuple[Job, ...]:
    """Return the table of jobs: a name, how often in seconds, what to do."""
    return (
        Job("visits", 1, lambda town: town.exchanges.visit_due(), _has_visits),
        Job("mails", 5, _send_mails, _has_mails),
        Job("deadlines", 60, lambda town: town.engagements.sweep()),
        Job("agreements", 60, agreement_care.care),
        Job("partings", 60, removal.finish_due, lambda town: bool(partners.listed("ending"))),
        Job("reach", 3_600, reach.measure),
        Job("profile", 3_600, lambda town: town.publish_profile()),
        Job("keys", 600, care.care, care.needs_care),
        Job("signatures", 1, _check_signatures, lambda town: waiting.any_left()),
        Job("checkpoints", 5, _sign_checkpoints, _has_checkpoints),
        Job("completeness", 60, _look, lambda town: checking.needs_look()),
        Job("erasures", 2, cleaning.clean, cleaning.has_work),
        Job("forgetting", 3_600, lambda town: memory.sweep(town.clock.now_ms() // 1000)),
        Job("reports", 3_600, reports.tell_all, lambda town: waiting_reports.is_any_open()),
        Job("upkeep", 86_400, upkeep),
        Job("restored", 60, lambda town: release.leave(town, by="clock"), release.may_leave),
        Job("height", 600, _note_height, lambda town: restoring.has_risen(town.home)),
        Job("backup", 86_400, rota.run),
        Job("drill", 7 * 86_400, lambda town: drill.run(town, open_town), rota.has_any),
    )


def _has_visits(town: Town) -> bool:
    """Look without writing: an idle node must not wear its card out."""
    return bool(town.exchanges.due())


def _check_signatures(town: Town) -> None:
    checking.check_signatures(town.journal)


def _has_checkpoints(town: Town) -> bool:
    return bool(checkpoints.due(town.journal, town.clock.now_ms()))


def _sign_checkpoints(town: Town) -> None:
    checkpoints.sign_due(town.journal, town.clock.now_ms())


def _look(town: Town) -> None:
    checking.look(town.journal)


def _note_height(town: Town) -> None:
    restoring.note_height(town.home)


def _has_mails(town: Town) -> bool:
    return bool(notices.due(town.clock.now_ms(), 1))


def _send_mails(town: Town) -> None:
    config = town.config
    sender = Sender(post_of(config), writers(town), town.clock, config.mails_per_hour)
    if sender.is_due():
        sender.send_due()
