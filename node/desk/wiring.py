"""The desk put together; every page of it asks for an administrator first (its blueprints do)."""

from typing import Any

from flask import Flask

from node.desk import (
    admission,
    agreement,
    backups,
    courier,
    ending,
    erasures,
    habilitations,
    identity,
    linking,
    moderation,
    overview,
    people,
    promises,
    quartiers,
    requests,
    towns,
    trail,
)

ROOMS = (
    moderation,
    requests,
    habilitations,
    admission,
    overview,
    towns,
    agreement,
    ending,
    linking,
    people,
    trail,
    erasures,
    courier,
    identity,
    promises,
    quartiers,
    backups,
)


def install(app: Flask, here: Any) -> None:
    """Give the application the desk's pages."""
    for room in ROOMS:
        app.register_blueprint(room.blueprint)
