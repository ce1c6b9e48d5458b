"""Every address of the application, for everybody: no fault of ours, no open door."""

import random
import re
import tarfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest

from node.pages import source
from node.pages.security import HARMLESS, SIGNED, unguarded
from tests.node.pages.conftest import Pair
from tests.scenery import Scenery
from tests.tour import pages_of
from tests.visitor import Visitor

WHO = ("", "Nolwenn", "Maïwenn")
# what stands for each part of an address: something that is there, then things that are not
PARTS = ("1", "zzzz", "é", "%00", "00" * 16, "a" * 300, "..%2f..%2fetc", "<script>")
CANARY = '"><script>alert(7)</script>'


def routes(app: Any, method: str) -> list[str]:
    return sorted(
        rule.rule
        for rule in app.url_map.iter_rules()
        if method in (rule.methods or set()) and not rule.rule.startswith(SIGNED)
    )


def visitor(scenery: Scenery, who: str) -> Visitor:
    return Visitor(scenery.place("Quimper"), scenery.people["Quimper", who] if who else None)


def test_every_form_of_the_application_acts_once(scenery: Scenery) -> None:
    assert unguarded(scenery.place("Quimper").app) == []


@pytest.mark.parametrize("who", WHO)
def test_no_address_breaks_whatever_stands_in_it(scenery: Scenery, who: str) -> None:
    looking = visitor(scenery, who)
    for rule in routes(looking.place.app, "GET"):
        for part in PARTS if "<" in rule else PARTS[:1]:
            path = re.sub(r"<[^>]+>", part, rule)
            status = looking.get(path).status_code
            assert status in (200, 301, 302, 303, 308, 403, 404, 405, 410), (path, status)


@pytest.mark.parametrize("who", WHO)
def test_every_form_refuses_what_carries_no_token(scenery: Scenery, who: str) -> None:
    sending = visitor(scenery, who)
    for number, rule in enumerate(routes(sending.place.app, "POST")):
        if rule in HARMLESS:
            continue
        path = re.sub(r"<[^>]+>", "1", rule)
        house = {"REMOTE_ADDR": f"192.0.2.{number}"}  # more forms than one address may send
        for token in ("", "A" * 50):
            status = sending.post(path, {"token": token}, environ_base=house).status_code
            admins_only = path.startswith("/admin") and who != "Maïwenn"
            assert status == ((403 if who else 401) if admins_only else 400), (path, status)


def test_a_token_of_somebody_else_is_refused(pair: Pair) -> None:
    stolen = pair.visitor("Yann").token()
    assert pair.visitor("Nolwenn").post("/compte", {"token": stolen}).status_code == 400
    assert pair.visitor().post("/compte/code", {"token": stolen}).status_code == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
def test_methods_nobody_offers_are_refused(scenery: Scenery, method: str) -> None:
    client = scenery.place("Quimper").app.test_client()
    for path in ("/", "/compte", "/a/ZZZZ", "/admin/villes", "/publier/objets"):
        answer = client.open(path, method=method)
        assert answer.status_code == 405 and "GET" in answer.headers["Allow"]


def hostile(rng: random.Random) -> Iterator[str]:
    """Yield words that broke something somewhere once, and noise."""
    yield from (
        "", " ", "\x00", '"', "\\", "%", "%s", "%(x)s", "{{7*7}}", "${7*7}", "../../etc/passwd",
        "0", "-1", "1e309", "NaN", "²", "١٢٣", "é" * 200, "🦆", "\u202e", "ﬁ", "\ud7ff",
        "a" * 10_000, "1' OR '1'='1", "*", "a* OR b", "NEAR(a b)", "AND", "(", '"a', "-- ", ";",
        "\r\nSet-Cookie: x", CANARY, "javascript:alert(1)", "2026-13-45", "0000-00-00",
        "99999999999999999999", "[]", "{}",
    )  # fmt: skip
    for _ in range(20):
        yield "".join(
            chr(rng.choice((rng.randint(1, 127), rng.randint(128, 0xD7FF)))) for _ in range(12)
        )


def test_two_hundred_hostile_words_break_nothing(scenery: Scenery, rng: random.Random) -> None:
    looking, admin = visitor(scenery, ""), visitor(scenery, "Maïwenn")
    words = list(hostile(rng))
    tries = 0
    for word in words:
        for path, name in (("/", "q"), ("/", "ville"), ("/", "page"), ("/carte", "rayon")):
            answer = looking.client.get(path, query_string={name: word}, headers=looking.headers)
            tries += 1
            assert answer.status_code in (200, 422), (path, name, word)
            assert CANARY not in answer.text
    for word in words:
        for path, name in (("/a", "code"), ("/aide", "lang"), ("/admin/journal", "avant")):
            answer = admin.client.get(path, query_string={name: word}, headers=admin.headers)
            tries += 1
            assert answer.status_code in (200, 302), (path, word)
    assert tries >= 200


def test_hostile_words_in_forms_are_refused_or_kept_never_run(
    pair: Pair, rng: random.Random
) -> None:
    sending = pair.visitor("Nolwenn")
    names = [*sending.form("/publier/objets").fields, "object", "open_days", "deposit", "photos"]
    for word in hostile(rng):
        fields = {name: word for name in names if name != "token"}
        answer = sending.post("/publier/objets", {**fields, "token": sending.token()})
        assert answer.status_code in (303, 413, 422), word
        assert CANARY not in answer.text
    for word in list(hostile(rng))[:30]:
        for path in ("/compte/code", "/compte/courriel", "/compte/entrer"):
            guest = pair.visitor()
            answer = guest.post(
                path,
                {
                    "token": guest.token(),
                    "code": word,
                    "email": word,
                    "password": word,
                    "next": word,
                },
            )
            assert answer.status_code in (303, 403, 422, 429), (path, word, answer.status_code)


def test_a_form_that_is_too_large_is_refused_before_it_is_read(pair: Pair) -> None:
    sending = pair.visitor("Nolwenn")
    token = sending.token()
    assert (
        sending.post("/publier/objets", {"token": token, "text": "x" * 600_000}).status_code == 413
    )
    many = {"token": token, "title": "Scie", "photos": (BytesIO(b"x" * 80_000_000), "a.jpg")}
    assert sending.post("/publier/objets", many).status_code == 413


@pytest.mark.parametrize("language", ["fr", "br", "en"])
def test_every_page_is_whole_in_every_language(scenery: Scenery, language: str) -> None:
    for name, who, path in pages_of(scenery):
        looking = visitor(scenery, who)
        looking.headers = {"Accept-Language": language}
        answer = looking.get(path)
        page = answer.text
        assert f'<html lang="{language}"' in page, name
        assert page.count("<h1") == 1 and page.count("<main") == 1, name
        assert "%(" not in page and not re.search(r"\bNone\b(?! yet)", page), name
        ids = re.findall(r'\sid="([^"]+)"', page)
        assert len(ids) == len(set(ids)), (name, [each for each in ids if ids.count(each) > 1])
        styled = re.findall(r"<[^>]+\s(?:style|on\w+)\s*=", page)
        assert styled == [] and "<script>" not in page, name
        assert not re.search(r"<p\b[^>]*>(?:(?!</p>).)*<(?:form|div|ul|dl)\b", page, re.S), name


def test_every_page_uses_only_classes_the_stylesheet_knows(scenery: Scenery) -> None:
    css = (source.ROOT / "static/css/lavoir.css").read_text("utf-8")
    known = set(re.findall(r"\.([a-z][\w-]*)", css)) | {"segno", "qrline"}
    for name, who, path in pages_of(scenery):
        page = visitor(scenery, who).get(path).text
        used = {each for said in re.findall(r'class="([^"]*)"', page) for each in said.split()}
        assert used <= known, (name, used - known)


def test_every_answer_carries_the_strict_policy(scenery: Scenery) -> None:
    for name, who, path in pages_of(scenery):
        answer = visitor(scenery, who).get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy, name
        cached = answer.headers.get("Cache-Control", "")
        assert ("no-store" in cached) == bool(who), name


def test_every_link_of_every_page_leads_somewhere(scenery: Scenery) -> None:
    seen: set[str] = set()
    gone = {f"/a/{scenery.gone}", f"/a/{scenery.erased}"}  # a page that says so, and what to do
    for _, who, path in pages_of(scenery):
        looking = visitor(scenery, who)
        expected = 404 if path == "/nulle-part" else 410 if path in gone else 200
        for href, said in looking.read(path, expected).links:
            address = href.partition("#")[0]
            if not address.startswith("/") or (who, address) in seen:
                continue
            seen.add((who, address))
            status = looking.get(address).status_code
            assert status in (
                200,
                302,
                303,
                403,
                404 if address == "/nulle-part?lang=br" else 200,
            ) or ("nulle-part" in address or address.partition("?")[0] in gone), (
                path,
                href,
                said,
                status,
            )
    assert len(seen) > 100


def test_the_source_is_offered_whole_and_without_anybodys_data(scenery: Scenery) -> None:
    looking = visitor(scenery, "")
    assert "GNU Affero" in looking.read("/source").text
    packed = looking.get("/source/lavoir.tar.gz")
    assert packed.mimetype == "application/gzip"
    with tarfile.open(fileobj=BytesIO(packed.data)) as tar:
        names = set(tar.getnames())
    for name in ("LICENSE", "pyproject.toml", "node/app.py", "federation/SPEC.md", "scripts/run"):
        assert f"lavoir/{name}" in names
    assert [name for name in names if name.endswith((".db", ".keys", ".pyc", "lavoir.toml"))] == []
