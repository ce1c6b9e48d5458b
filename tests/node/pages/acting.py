"""What people do in the tests of the pages: publish, ask, answer, each through the forms."""

import io
from typing import Any

from PIL import Image

from node.pages.here import Shown
from node.store.catalogue.listings import Listing
from tests.node.pages.conftest import Pair
from tests.visitor import Reader


def publish(pair: Pair, by: str, town: str, title: str, **typed: Any) -> str:
    """Publish a thing to lend; return its address."""
    fields = {"title": title, "object": "autre", **typed}
    sent = pair.visitor(by, town).send("/publier/objets", **fields)
    assert sent.status_code == 303, Reader(sent.text).text
    return str(sent.location)


def shown(pair: Pair, town: str, title: str) -> Shown:
    """Return a listing as a town holds it."""
    with pair.world.places[town].inside() as here:
        row = Listing.get(Listing.title == title)
        found = Shown(row, here.registry.by_name[row.practice])
        assert found.body is not None  # read while this town's database is current
        return found


def there(pair: Pair, title: str, held: str = "Quimper") -> str:
    """Return the address of a listing at a town that holds it."""
    return f"/a/{shown(pair, held, title).code}"


def ask(pair: Pair, who: str, town: str, href: str, **typed: Any) -> str:
    """Ask for a listing for two days from now; return the address of the request."""
    fields = {"first_day": "2026-11-25", "last_day": "2026-11-26", "message": "Merci !", **typed}
    sent = pair.visitor(who, town).send(f"{href}/demander", **fields)
    assert sent.status_code == 303, Reader(sent.text).text
    return str(sent.location)


def answer(pair: Pair, who: str, town: str, href: str, action: str, **typed: Any) -> Reader:
    """Press one of the buttons of a request; return the page it leads to."""
    visitor = pair.visitor(who, town)
    form = visitor.form(href)
    assert ("action", action) in form.buttons, form.buttons
    return visitor.follow(visitor.post(href, {**form.fields, "action": action, **typed}))


def jpeg(color: str = "#2f8f94", size: tuple[int, int] = (640, 480), **options: Any) -> bytes:
    """Return a picture as a camera sends it."""
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def upload(raw: bytes, name: str = "photo.jpg") -> tuple[io.BytesIO, str]:
    """Return a file as a form sends it."""
    return io.BytesIO(raw), name
