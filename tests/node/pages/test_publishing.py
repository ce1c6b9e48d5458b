"""Publishing through the forms: each practice, what is refused, changing, pausing, withdrawing."""

import base64
import io
from typing import Any

import pytest
from PIL import Image

from node.domain.schema import plain, replace
from node.members import quartiers
from node.store.catalogue import holdings
from node.store.database import write_tx
from tests.node.pages.acting import ask, jpeg, publish, shown, there, upload
from tests.node.pages.conftest import Pair
from tests.visitor import Reader

RIDE = {
    "verb": "drive",
    "departure": "Place de la Résistance",
    "departure_commune": "Quimper",
    "arrival_commune": "56100",
    "stops": "Rosporden, Quimperlé",
    "weekdays": ["0", "2", "4"],
    "leaves_minute": "07:35",
    "seats": "3",
    "share_cents": "2,50",
}
ITEM = {
    "title": "Perceuse",
    "text": "Avec coffret.",
    "object": "bricolage",
    "condition": "usage",
    "copies": "2",
    "accessories": "Forets",
    "deposit": "12,50",
    "max_days": "5",
    "open_days": ["2", "5"],
    "hours": "14 h à 18 h",
    "owner": "library",
    "auto": "1",
    "quartier": "Gare",
    "place": "Halle",
    "place_commune": "29000",
    "place_exact": "1",
    "who": "town",
    "ends": "2027-01-31",
}


@pytest.fixture(autouse=True)
def station(pair: Pair) -> None:
    """Quimper has a list of quartiers, with one in it."""
    with pair.quimper.inside():
        quartiers.add("29232", "Gare", ("29232",))


@pytest.mark.parametrize(
    ("rubric", "typed", "title"),
    [
        ("objets", ITEM, "Perceuse"),
        ("covoiturage", RIDE, "Place de la Résistance – Lorient"),
        ("acteurs", {"title": "Le Repaire", "sort": "repair_cafe"}, "Le Repaire"),
    ],
)
def test_each_practice_is_published_and_travels(
    pair: Pair, rubric: str, typed: dict[str, Any], title: str
) -> None:
    visitor = pair.visitor("Nolwenn")
    sent = visitor.send(f"/publier/{rubric}", **typed)
    assert sent.status_code == 303, Reader(sent.text).text
    assert title in visitor.read(sent.location).text
    assert title in pair.visitor().read("/").text
    pair.world.sync()
    there_too = pair.visitor(town="Lorient").read("/")
    assert title in there_too.text and "Quimper" in there_too.text


def test_the_empty_form_begins_with_what_suits_most(pair: Pair) -> None:
    form = pair.visitor("Nolwenn").form("/publier/objets")
    assert form.value("copies") == "1" and form.value("max_days") == ""  # as usual for its kind
    assert form.value("verb") == "preter" and form.value("who") == "partners"
    assert form.value("object") == ""  # a long list is there to be chosen from


def test_a_refused_form_keeps_all_that_was_typed(pair: Pair) -> None:
    wrong = {**ITEM, "title": "", "deposit": "beaucoup", "place_commune": "Nulle-Part"}
    answer = pair.visitor("Nolwenn").send("/publier/objets", **wrong)
    assert answer.status_code == 422
    page = Reader(answer.text)
    form = next(each for each in page.forms if each.action == "" and each.method == "post")
    for name, typed in wrong.items():
        kept = form.fields.get(name, [""])
        assert kept == (typed if isinstance(typed, list) else [typed]), name
    assert "3 réponses sont à corriger" in page.text or "3 réponses" in page.text
    assert "Nulle-Part" in page.text


def test_a_refused_ride_keeps_all_that_was_typed(pair: Pair) -> None:
    wrong = {**RIDE, "seats": "99", "day": "jamais", "leaves_minute": "25:00"}
    answer = pair.visitor("Nolwenn").send("/publier/covoiturage", **wrong)
    assert answer.status_code == 422
    form = next(f for f in Reader(answer.text).forms if f.action == "" and f.method == "post")
    for name, typed in wrong.items():
        assert form.fields.get(name) == (typed if isinstance(typed, list) else [typed]), name


def test_a_photo_sent_with_a_form_that_is_refused_is_not_lost(pair: Pair) -> None:
    visitor = pair.visitor("Nolwenn")
    files = {"photos": [upload(jpeg())], "photos_alt": "La perceuse"}
    refused = visitor.send("/publier/objets", **{**ITEM, "title": "", **files})
    assert refused.status_code == 422
    form = next(f for f in Reader(refused.text).forms if f.action == "" and f.method == "post")
    sent = visitor.post("/publier/objets", {**form.fields, "title": "Perceuse"})
    images = visitor.read(sent.location).images
    assert [each["alt"] for each in images] == ["La perceuse"]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"%PDF-1.4 pas une image", "photo"),
        (b"", "vide"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "photo"),
    ],
)
def test_what_is_no_photo_is_refused_at_its_field(pair: Pair, raw: bytes, words: str) -> None:
    answer = pair.visitor("Nolwenn").send("/publier/objets", **{**ITEM, "photos": [upload(raw)]})
    assert answer.status_code == 422
    assert words in Reader(answer.text).text.lower()
    assert 'id="f-photos-e"' in answer.text


def test_at_most_six_photos_are_taken(pair: Pair) -> None:
    seven = [upload(jpeg(f"#{n}{n}2233")) for n in range(7)]
    answer = pair.visitor("Nolwenn").send("/publier/objets", **{**ITEM, "photos": seven})
    assert answer.status_code == 422
    form = next(f for f in Reader(answer.text).forms if f.action == "" and f.method == "post")
    assert len(form.fields["photos_kept"]) == 6


def test_where_a_photo_was_taken_does_not_stay_in_it(pair: Pair) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (47.0, 39.0, 30.0), 3: "W", 4: (2.0, 45.0, 9.0)})
    href = publish(pair, "Yann", "Quimper", "Perceuse", photos=[upload(jpeg(exif=exif))])
    source = pair.visitor().read(href).images[0]["src"]
    raw = pair.visitor().get(source).data
    assert b"Exif" not in raw and not Image.open(io.BytesIO(raw)).getexif()


def test_the_form_of_a_change_is_filled_in_for_every_kind_of_field(pair: Pair) -> None:
    visitor = pair.visitor("Nolwenn")
    for rubric, typed in (("objets", ITEM), ("covoiturage", RIDE)):
        href = visitor.send(f"/publier/{rubric}", **typed).location
        form = visitor.form(f"{href}/modifier")
        said = {**typed, "place_commune": "Quimper", "arrival_commune": "Lorient"}
        for name in typed:
            wanted = said[name] if isinstance(said[name], list) else [said[name]]
            assert form.fields.get(name) == wanted, (rubric, name)


@pytest.mark.parametrize(("rubric", "typed"), [("objets", ITEM), ("covoiturage", RIDE)])
def test_keeping_a_listing_as_it_is_changes_nothing(
    pair: Pair, rubric: str, typed: dict[str, Any]
) -> None:
    visitor = pair.visitor("Nolwenn")
    href = visitor.send(f"/publier/{rubric}", **typed).location
    title = "Perceuse" if rubric == "objets" else "Place de la Résistance – Lorient"
    before = shown(pair, "Quimper", title)
    assert visitor.send(f"{href}/modifier").status_code == 303
    after = shown(pair, "Quimper", title)
    assert plain(after.body) == plain(before.body)
    assert after.row.record != before.row.record and after.row.code == before.row.code


def test_changing_a_listing_keeps_what_no_field_spells(pair: Pair) -> None:
    visitor = pair.visitor("Nolwenn")
    href = visitor.send("/publier/objets", **ITEM).location
    held = shown(pair, "Quimper", "Perceuse")
    body = replace(
        held.body,
        state="paused",
        extra=[("Colonne", "valeur")],
        place=replace(held.body.place, lat_e6=47_999_123, lon_e6=-4_111_321),
    )
    with pair.quimper.inside() as town, write_tx():
        town.journal.publish(held.practice.kind, plain(body), key=held.key)
    visitor.send(f"{href}/modifier", title="Perceuse à percussion")
    changed = shown(pair, "Quimper", "Perceuse à percussion").body
    assert changed.state == "paused" and changed.extra == [("Colonne", "valeur")]
    assert changed.place.lat_e6 == 47_999_123  # a place nobody touched stays where it was
    visitor.send(f"{href}/modifier", place_commune="Lorient")
    assert shown(pair, "Quimper", "Perceuse à percussion").body.place.insee == "56121"


def test_a_photo_is_removed_and_another_kept(pair: Pair) -> None:
    files = [upload(jpeg("red")), upload(jpeg("blue"))]
    visitor = pair.visitor("Nolwenn")
    href = visitor.send("/publier/objets", **{**ITEM, "photos": files}).location
    form = visitor.form(f"{href}/modifier")
    first, second = form.fields["photos_kept"]
    visitor.send(f"{href}/modifier", photos_remove=[first])
    kept = shown(pair, "Quimper", "Perceuse").body.photos
    assert [each.hash.hex() for each in kept] == [second.partition(":")[0]]


def test_a_withdrawn_listing_answers_who_had_asked(pair: Pair) -> None:
    href = publish(pair, "Yann", "Quimper", "Perceuse")
    asked = ask(pair, "Nolwenn", "Quimper", href)
    keeper = pair.visitor("Yann")
    assert "1 demande est en cours" in keeper.read(f"{href}/retirer").text
    keeper.send(f"{href}/retirer", f"{href}/retirer")
    assert "Déclinée" in pair.visitor("Nolwenn").read(asked).text or (
        "Refusée" in pair.visitor("Nolwenn").read(asked).text
    )
    for end in ("modifier", "retirer", "pause"):
        path = f"{href}/{end}"
        if end != "pause":
            assert keeper.get(path).status_code == 404
        assert keeper.post(path, {"token": keeper.token()}).status_code == 404


def test_the_same_form_sent_again_publishes_once(pair: Pair) -> None:
    visitor = pair.visitor("Nolwenn")
    fields = {**visitor.form("/publier/objets").fields, **ITEM}
    answers = [visitor.post("/publier/objets", fields) for _ in range(3)]
    assert {each.status_code for each in answers} == {303}
    assert len({each.location for each in answers}) == 1
    with pair.quimper.inside():
        assert len(holdings.of_member(pair.people["Nolwenn"].id)) == 1


def test_the_same_words_from_a_second_tab_are_one_listing_other_words_another(pair: Pair) -> None:
    visitor = pair.visitor("Nolwenn")
    tabs = [{**visitor.form("/publier/objets").fields, **ITEM} for _ in range(3)]
    tabs[2]["title"] = "Ponceuse"
    places = [visitor.post("/publier/objets", fields).location for fields in tabs]
    assert places[0] == places[1] != places[2]
    pair.world.clock.forward(hours=2)
    later = {**visitor.form("/publier/objets").fields, **ITEM}
    assert visitor.post("/publier/objets", later).location not in places


def test_a_visitor_signs_in_before_publishing(pair: Pair) -> None:
    assert "rubrique" in pair.visitor().read("/publier").text
    answer = pair.visitor().get("/publier/objets")
    assert (answer.status_code, answer.location) == (303, "/compte?next=%2Fpublier%2Fobjets")
    visitor = pair.visitor()
    refused = visitor.post("/publier/objets", {**ITEM, "token": visitor.token()})
    assert refused.status_code == 401 and "Avec coffret." in refused.text  # nothing typed is lost


def test_a_rubric_that_is_not_here_is_not_found(pair: Pair) -> None:
    visitor = pair.visitor("Nolwenn")
    assert visitor.get("/publier/zzz").status_code == 404
    assert visitor.post("/publier/zzz", {"token": visitor.token()}).status_code == 404


def test_nothing_about_the_person_leaves_with_a_listing(pair: Pair) -> None:
    publish(pair, "Yann", "Quimper", "Perceuse")
    pair.world.sync()
    body = plain(shown(pair, "Lorient", "Perceuse").body)
    assert "Yann" not in repr(body) and "example.org" not in repr(body)
    page = pair.visitor(town="Lorient").read(there(pair, "Perceuse", "Lorient"))
    assert "Yann" not in page.text


def test_a_photo_of_another_person_is_only_kept_by_its_whole_name(pair: Pair) -> None:
    wrong = ["zz", "00" * 32, base64.b64encode(b"x" * 32).decode(), ":", "x:" * 99]
    sent = pair.visitor("Nolwenn").send("/publier/objets", **{**ITEM, "photos_kept": wrong})
    assert sent.status_code == 303
    assert shown(pair, "Quimper", "Perceuse").body.photos == []
