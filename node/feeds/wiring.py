"""The feeds put together."""

from typing import Any

from flask import Flask

from node.feeds import api, calendars


def install(app: Flask, here: Any) -> None:
    """Give the application its public JSON and its calendars."""
    app.register_blueprint(api.blueprint)
    app.register_blueprint(calendars.blueprint)
