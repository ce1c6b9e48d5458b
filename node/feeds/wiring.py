"""The feeds put together."""

from typing import Any

from flask import Flask

from node.feeds import api


def install(app: Flask, here: Any) -> None:
    """Give the application its public JSON."""
    app.register_blueprint(api.blueprint)
