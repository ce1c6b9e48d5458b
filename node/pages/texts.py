"""The pages that explain: help, rules, accessibility, what becomes of your data; and the look."""

from typing import Any

from flask import Blueprint, redirect, render_template, request

from node.pages.here import town
from node.pages.security import inner_path

blueprint = Blueprint("texts", __name__)

YEAR_S = 31_536_000
THEMES = ("light", "dark", "auto")


@blueprint.get("/aide")
def help_() -> str:
    """Explain what one can do here, in plain words."""
    return render_template("texts/help.html")


@blueprint.get("/regles")
def rules() -> str:
    """Show the rules and whom to write to."""
    return render_template("texts/rules.html", config=town().config)


@blueprint.get("/accessibilite")
def accessibility() -> str:
    """Show the accessibility statement: no audit was made, so it claims nothing."""
    return render_template("texts/accessibility.html", config=town().config)


@blueprint.get("/donnees")
def privacy() -> str:
    """Say what is kept of a person, where and for how long."""
    return render_template("texts/privacy.html", config=town().config)


@blueprint.post("/apparence")
def appearance() -> Any:
    """Keep the wished look (light, dark, or the device's) in a cookie; it changes nothing else."""
    theme = request.form.get("theme", "")
    answer = redirect(inner_path(request.form.get("back")), 303)
    if theme in THEMES:
        answer.set_cookie("theme", theme, max_age=YEAR_S, samesite="Lax")  # theme.js reads it
    return answer
