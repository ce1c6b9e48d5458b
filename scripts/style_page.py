#!/usr/bin/env python3
"""The style page: every macro on one page, drawn to PNG files so that somebody can look at it.

scripts/style_page.py FOLDER     writes style-{390,1280}-{light,dark}.png into FOLDER
"""

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import segno
from flask import Flask, Response, flash, render_template, request
from jinja2 import ChoiceLoader, FileSystemLoader
from markupsafe import Markup
from werkzeug.serving import make_server

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from node.pages import formats, language  # noqa: E402
from node.places import communes, outline  # noqa: E402

WORDS = ["granit", "héron", "écluse", "avoine", "bruyère", "phare"]
POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
KINDS = (
    "text",
    "long",
    "choice",
    "count",
    "cents",
    "day",
    "time",
    "days",
    "place",
    "photos",
    "check",
)


def create_style_app() -> Flask:
    """A Flask application with the one page, under the strict policy of the real pages."""
    app = Flask("style", static_folder=str(ROOT / "static"))
    app.secret_key = "style"
    folders = [ROOT / "node/pages/templates", ROOT / "scripts"]
    app.jinja_loader = ChoiceLoader([FileSystemLoader(folder) for folder in folders])
    language.install(app.jinja_env)
    formats.install(app.jinja_env)
    catalogues = language.Catalogues(language.locale_folders(ROOT / "node"))
    app.add_url_rule("/", "page", lambda: _drawn(catalogues, "style_page.html"))
    app.add_url_rule("/error", "error", lambda: _drawn(catalogues, "errors/error.html"))
    app.after_request(_guard)
    return app


def _guard(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    return response


def _drawn(catalogues: language.Catalogues, template: str) -> str:
    code = language.pick(request.args.get("lang"), None, request.headers.get("Accept-Language"))
    with language.speaking(catalogues.language(code)):
        if not request.args.get("quiet"):
            flash("Annonce publiée.")
            flash("La photo est trop lourde.", "stop")
        return render_template(template, **_frame(), **_catalogue(), **_form())


def _frame() -> dict[str, Any]:
    return {
        "town_name": "Auray",
        "manager": "Les Mains du Loch",
        "section": "listings",
        "waiting": 2,
        "theme": request.args.get("theme", ""),
        "status": {"word": "À jour", "tone": "ok", "when": "9 h 42"},
        "source_url": "/source",
        "form_token": "t",
        "code": 404,
    }


def _catalogue() -> dict[str, Any]:
    levels = [100, 70, 90, 10]
    towns = [
        {"slug": n.lower(), "name": n, "count": c, "fresh": f, "level": w, "checked": w > 10}
        for (n, c, f), w in zip(_TOWNS, levels, strict=True)
    ]
    dots = [
        outline.Dot(n, *_position(i), count=c, href=f"/?town={i}", here=n == "Auray")
        for (n, c, _fresh), i in zip(_TOWNS, ("56007", "56121", "56260", "29232"), strict=True)
    ]
    first = date(2026, 11, 25)
    days = [
        {"day": first + timedelta(n), "free": n % 5 > 1, "chosen": n in (3, 4)} for n in range(19)
    ]
    return {
        "towns": towns,
        "map": outline.around(dots),
        "cards": _CARDS,
        "origin": _ORIGIN,
        "days": days,
        "timeline": _STEPS,
        "icons": icon_names(),
        "qr_svg": Markup(segno.make("https://lavoir.example/a/7k3f").svg_inline(omitsize=True)),
    }


def _form() -> dict[str, Any]:
    return {
        "fields": [_field(kind) for kind in KINDS] + [_field("choice", name="who", required=True)],
        "values": {"cents": 1250, "day": 20_780, "time": 455, "days": [2, 5], "check": True},
        "errors": {
            "long": "Ajoutez une phrase.",
            "cents": "Un montant comme 12,50.",
            "place": "Où ?",
        },
        "photos": [
            {"id": 1, "src": "/static/icons/favicon.svg", "alt": "Scie", "width": 48, "height": 48}
        ],
    }


def _field(kind: str, name: str = "", required: bool = False) -> SimpleNamespace:
    choices = (("free", "Prêt gratuit"), ("time", "Heures de temps"))
    return SimpleNamespace(
        name=name or kind,
        kind=kind,
        label=f"Champ {kind}",
        help=f"Aide du champ {kind}.",
        required=required or kind == "text",
        max_length=200,
        minimum=0,
        maximum=50,
        choices=choices,
    )


def _position(insee: str) -> tuple[int, int]:
    commune = communes.find(insee)
    assert commune is not None and commune.lat_e6 is not None and commune.lon_e6 is not None
    return commune.lat_e6, commune.lon_e6


def icon_names() -> list[str]:
    """The names of the symbols of the sprite."""
    return re.findall(r'<symbol id="(\w+)"', (ROOT / "static/icons/icons.svg").read_text())


_TOWNS = [
    ("Auray", 96, "en direct"),
    ("Lorient", 71, "vu il y a 3 h"),
    ("Vannes", 38, "vu il y a 20 min"),
    ("Quimper", 9, "vu il y a 4 jours"),
]
_CARDS: list[dict[str, Any]] = [
    {
        "href": "/a/1",
        "title": "Broyeur de végétaux",
        "icon": "lending",
        "price": "Prêt gratuit",
        "summary": "Jardin partagé du Loch, à 1,2 km. Libre samedi.",
    },
    {
        "href": "/a/2",
        "title": "Remorque à vélo, charge 80 kg",
        "icon": "lending",
        "price": "Prêt gratuit",
        "summary": "Atelier vélo de Keryado.",
        "remote": {"town": "Lorient", "distance": "30 km", "fresh": "vu il y a 3 h"},
    },
    {
        "href": "/a/3",
        "title": "Auray → Lorient, 7 h 35",
        "icon": "rides",
        "price": "3 places",
        "summary": "Du lundi au vendredi, départ parking du Ballon.",
        "photo": {"src": "/static/icons/favicon.svg", "alt": "", "width": 48, "height": 48},
        "state": {"label": "En pause", "tone": "wait"},
    },
]
_ORIGIN = {
    "town": "Lorient",
    "home": "Auray",
    "copied": "lundi 23 novembre à 6 h 42",
    "signature": "verified",
    "words": WORDS,
    "checked_by": "Maïwenn",
    "checked_on": "4 mars",
    "href": "/a/2",
    "report_href": "/a/2/signaler",
}
_STEPS = [
    {"label": "Écrite", "when": "lundi à 8 h 05", "status": "done"},
    {"label": "Reçue à Lorient", "when": "8 h 19", "status": "done"},
    {"label": "Réponse attendue avant mercredi 8 h", "status": "now"},
    {"label": "Retrait samedi 28", "status": "later"},
]


@contextmanager
def served() -> Iterator[str]:
    """The address of the style page, served on the loopback as long as the block lasts."""
    server = make_server("127.0.0.1", 0, create_style_app(), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()


def main(folder: Path) -> None:
    """Draw the page at both widths, light and dark, into `folder`."""
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    with served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        for width in (390, 1280):
            for theme in ("light", "dark"):
                page = browser.new_page(viewport={"width": width, "height": 844})
                page.goto(f"{address}?lang=fr&theme={theme}")
                file = folder / f"style-{width}-{theme}.png"
                page.screenshot(path=file, full_page=True)
                print(file)
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
