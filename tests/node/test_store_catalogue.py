"""The catalogue: whatever a person types finds what they mean, page by page, near or far."""

import math
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.domain.errors import Invalid
from node.store.catalogue import blobs, codes, facets, holdings, listings
from node.store.catalogue.folding import folded, match_query
from node.store.catalogue.listings import Listing
from node.store.catalogue.search import (
    Search,
    box_around,
    count_by,
    distance_m,
    points,
    search,
)
from node.store.database import DRIVERS, open_database, using, write_tx
from node.store.schema import migrate
from node.store.tables import READ_MODELS

NOW_MS = 1_795_000_000_000
HERE, THERE = b"\x01" * 32, b"\x02" * 32
DAY_MS = 86_400_000
LORIENT, VANNES = (47_748_200, -3_370_200), (47_658_200, -2_760_800)


@pytest.fixture(scope="module", params=DRIVERS)
def database(tmp_path_factory, request):
    made = open_database(tmp_path_factory.mktemp("catalogue") / "town.db", request.param)
    migrate(made)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def catalogue(database):
    with using(database):
        with write_tx():
            for table in (*READ_MODELS, codes.ListingCode, holdings.Holding, blobs.Blob):
                table.delete().execute()
        yield database


def put(number, title="Échelle", words=(), origin=HERE, **columns):
    """Keep a listing number `number`; each is a second newer than the one before."""
    key = bytes([number]) * 16
    given = {
        "record": key * 2, "practice": "lending", "kind": "lending.item/1",
        "code": codes.allocate(origin, key), "created_ms": NOW_MS - DAY_MS + number * 1000,
        "updated_ms": NOW_MS, "expires": NOW_MS // 1000 + 86_400, **columns,
    }  # fmt: skip
    return listings.keep(origin, key, words=words, title=title, **given)


def found(text="", **wanted):
    return [row.title for row in search(Search(text=text, **wanted), now_ms=NOW_MS).rows]


@pytest.mark.parametrize(
    "asked",
    ["echelle", "Échelle", "ÉCHELLES", "l'échelle", "l’échelle", "éche", "echelle de l'abbé",
     "l'abbé", "abbe", "échelle abbe", "Échelle (abbé)", '"échelle"', "échelle*", "peintre"],
)  # fmt: skip
def test_accents_case_elisions_and_plurals_do_not_count(asked):
    put(1, "Échelle de l'abbé", words=("pour les peintres",))
    put(2, "Remorque")
    assert found(asked) == ["Échelle de l'abbé"]


@pytest.mark.parametrize("asked", ["tondeuse", "échelle remorque", "chelle", "???", "--", "*"])
def test_what_is_not_there_is_not_found(asked):
    put(1, "Échelle")
    assert found(asked) == []


def test_ligatures_are_the_letters_they_join():
    put(1, "Œufs de cœur")
    assert found("oeuf") == found("cœurs") == ["Œufs de cœur"]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60) | st.text(string.punctuation + " aé'\"*", max_size=30))
def test_whatever_is_typed_is_a_question(database, asked):
    with using(database):
        put(1)
        assert set(found(asked)) <= {"Échelle"}
        assert search(Search(text=asked, order="best"), now_ms=NOW_MS).total in (0, 1)


@given(st.text(max_size=80))
def test_folding_again_only_ever_drops_one_more_plural_letter(text):
    for word in folded(text):
        assert folded(word) in ([word], [word[:-1]])


def test_little_words_count_only_alone():
    assert match_query("la remorque de l'école") == '"remorque" "ecole"*'
    assert match_query("de la") == '"de" "la"*'
    assert match_query(" ... ") == ""


def test_a_word_in_the_title_weighs_more():
    put(1, "Remorque pour vélo")
    put(2, "Vélo", words=("on peut y mettre une remorque",))
    assert found("remorque", order="best") == ["Remorque pour vélo", "Vélo"]
    assert found("remorque") == ["Vélo", "Remorque pour vélo"]


@pytest.mark.parametrize(
    "columns",
    [
        {"state": "paused"},
        {"hidden": "reported"},
        {"expires": NOW_MS // 1000},
        {"ends_ms": NOW_MS},
    ],
)
def test_what_is_paused_hidden_expired_or_over_is_not_shown(columns):
    put(1, **columns)
    assert found() == found("échelle") == []
    assert listings.find(HERE, b"\x01" * 16) is not None


def test_a_revision_replaces_what_was_searched_and_keeps_its_place():
    first = put(1, "Échelle", words=("bois",))
    put(1, "Escabeau", words=("métal",), created_ms=NOW_MS)
    assert (found("échelle"), found("bois")) == ([], [])
    assert found("metal") == ["Escabeau"]
    row = listings.find(HERE, b"\x01" * 16)
    assert (row.id, row.created_ms) == (first.id, first.created_ms)


def test_moderation_outlives_a_revision():
    put(1)
    listings.hide(HERE, b"\x01" * 16, "reported")
    put(1, "Échelle encore")
    assert found() == []
    listings.hide(HERE, b"\x01" * 16, "")
    assert found() == ["Échelle encore"]


def test_a_closed_listing_leaves_a_shell_without_words(catalogue):
    put(1, "Échelle de Marie", words=("chez Marie",), body=b"body", photo=b"p" * 32)
    listings.close(HERE, b"\x01" * 16, "withdrawn", NOW_MS)
    row = listings.find(HERE, b"\x01" * 16)
    assert (row.state, row.title, row.body, row.photo) == ("withdrawn", "", b"", None)
    assert listings.by_code(row.code) == row
    listings.scrub_search()
    (left,) = catalogue.execute_sql("SELECT COUNT(*) FROM listing_search").fetchone()
    assert (found("marie"), left) == ([], 0)
    assert listings.drop_shells(NOW_MS) == 0
    assert listings.drop_shells(NOW_MS + 1) == 1


def test_the_words_of_a_closed_listing_are_really_gone_from_the_file(catalogue):
    put(1, "Zanzibariquement", words=("unmotintrouvable",))
    put(2, "Remorque")
    assert b"anzibariquement" in bytes_of(catalogue)
    listings.close(HERE, b"\x01" * 16, "withdrawn", NOW_MS)
    listings.scrub_search()
    held = bytes_of(catalogue)
    assert b"remorque" in held
    assert b"anzibariquement" not in held and b"unmotintrouvable" not in held


def bytes_of(database):
    database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    with open(database.database, "rb") as file:
        return file.read()


def test_a_removed_town_takes_its_listings_along():
    put(1)
    other = put(2, "Remorque", origin=THERE)
    facets.put(other.id, [("day", "monday")])
    listings.drop_origin(THERE)
    assert found() == ["Échelle"] and found("remorque") == []
    assert facets.values("day") == []


def test_filters_narrow_together():
    put(1, "Échelle", quartier="Keryado", verb="preter")
    put(2, "Trajet", origin=THERE, practice="rides", verb="preter")
    put(3, "Scie", origin=THERE, verb="donner")
    assert found(practice="lending") == ["Scie", "Échelle"]
    assert found(towns=(THERE,)) == ["Scie", "Trajet"]
    assert found(towns=(THERE,), verb="donner") == ["Scie"]
    assert found("échelle", quartier="Keryado") == ["Échelle"]
    assert found("échelle", towns=(THERE,)) == []
    assert count_by("practice", Search(), NOW_MS) == {"lending": 2, "rides": 1}
    assert count_by("origin", Search(practice="lending"), NOW_MS) == {HERE: 1, THERE: 1}
    assert count_by("practice", Search(text="scie"), NOW_MS) == {"lending": 1}


def test_facets_are_matched_by_name_and_value():
    monday, both = put(1, "Lundi"), put(2, "Tous")
    facets.put(monday.id, [("day", "monday")])
    facets.put(both.id, [("day", "monday"), ("day", "friday"), ("day", "friday")])
    assert found(facets=(("day", "monday"),)) == ["Tous", "Lundi"]
    assert found(facets=(("day", "monday"), ("day", "friday"))) == ["Tous"]
    assert facets.values("day") == [("friday", 1), ("monday", 2)]
    facets.put(both.id, [("day", "sunday")])
    assert facets.of_listing(both.id) == [("day", "sunday")]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=25), st.integers(1, 7))
def test_pages_show_each_listing_once(database, seconds, limit):
    """Whatever the order and however many were published in one millisecond."""
    with using(database), write_tx():
        listings.drop_origin(HERE)
        for number, second in enumerate(seconds):
            put(number, "Échelle", created_ms=NOW_MS - second, lat_e6=LORIENT[0], lon_e6=LORIENT[1])
        newest = [row.id for row in search(Search(), now_ms=NOW_MS, limit=200).rows]
        for wanted in (Search(), Search(text="échelle", order="best"), Search(near=LORIENT)):
            seen, cursor = [], ""
            while True:
                page = search(wanted, now_ms=NOW_MS, cursor=cursor, limit=limit)
                assert page.total == len(seconds) and len(page.rows) <= limit
                seen += [row.id for row in page.rows]
                cursor = page.next
                if not cursor:
                    break
            assert seen == newest


@pytest.mark.parametrize(
    "cursor",
    ["x", "n.1", "o.1", "n.1.2.3", "n.-1.2", "n.1.99999999999999999999", "n.١.٢", ".", "n.."],
)
def test_a_page_link_that_is_none_of_ours_is_said_so(cursor):
    put(1)
    with pytest.raises(Invalid) as refused:
        search(Search(), now_ms=NOW_MS, cursor=cursor)
    assert refused.value.code == "bad_cursor"
    with pytest.raises(Invalid):
        search(Search(near=LORIENT), now_ms=NOW_MS, cursor="n.1.2")
    with pytest.raises(Invalid):
        search(Search(order="price"), now_ms=NOW_MS)


def test_near_is_by_distance_and_far_is_left_out():
    put(1, "Vannes", lat_e6=VANNES[0], lon_e6=VANNES[1])
    put(2, "Lanester", lat_e6=47_764_000, lon_e6=-3_342_000)
    put(3, "Lorient", lat_e6=LORIENT[0], lon_e6=LORIENT[1])
    put(4, "nulle part")
    page = search(Search(near=LORIENT, radius_m=10_000), now_ms=NOW_MS)
    assert [row.title for row in page.rows] == ["Lorient", "Lanester"]
    assert page.distance_m[page.rows[0].id] == 0
    assert 2_500 < page.distance_m[page.rows[1].id] < 3_000
    assert found(near=LORIENT) == ["Lorient", "Lanester", "Vannes"]
    assert found(near=LORIENT, order="newest") == ["Lorient", "Lanester", "Vannes"]
    assert found("vannes", near=LORIENT, radius_m=60_000) == ["Vannes"]
    assert [row.title for row in points(Search(), NOW_MS)] == ["Lorient", "Lanester", "Vannes"]


def test_a_box_keeps_what_lies_inside():
    put(1, "Vannes", lat_e6=VANNES[0], lon_e6=VANNES[1])
    put(2, "Lorient", lat_e6=LORIENT[0], lon_e6=LORIENT[1])
    assert found(bbox=(47_700_000, -3_400_000, 47_800_000, -3_300_000)) == ["Lorient"]


def test_a_distance_known_elsewhere_is_the_distance_here():
    assert abs(distance_m(LORIENT, VANNES) - 46_700) < 300  # as the crow flies, by any map
    assert distance_m((0, 0), (0, 180_000_000)) == round(math.pi * 6_371_008.8)


@given(
    st.tuples(st.integers(-89_000_000, 89_000_000), st.integers(-180_000_000, 180_000_000)),
    st.integers(1, 200_000),
    st.floats(0, 2 * math.pi),
    st.floats(0, 1),
)
def test_the_box_holds_the_whole_circle(centre, radius_m, bearing, part):
    """A point at `bearing`, `part` of the radius away, lies in the box."""
    lat, lon = (math.radians(value / 1e6) for value in centre)
    angle = radius_m * part / 6_371_008.8
    there = math.asin(
        math.sin(lat) * math.cos(angle) + math.cos(lat) * math.sin(angle) * math.cos(bearing)
    )
    turn = math.atan2(
        math.sin(bearing) * math.sin(angle) * math.cos(lat),
        math.cos(angle) - math.sin(lat) * math.sin(there),
    )
    south, west, north, east = box_around(centre, radius_m)
    assert south - 1 <= math.degrees(there) * 1e6 <= north + 1
    if abs(math.degrees(there)) < 89.9 and abs(lat) + angle < math.radians(89.9):
        assert west - 1 <= math.degrees(lon + turn) * 1e6 <= east + 1


def test_a_code_is_the_shortest_free_beginning_and_stays():
    keys = [bytes([n]) * 16 for n in range(40)]
    given_codes = [codes.allocate(HERE, key) for key in keys]
    assert {len(code) for code in given_codes} == {codes.SHORTEST}
    assert [codes.allocate(HERE, key) for key in keys] == given_codes
    assert [codes.register(code) for code in given_codes] == [(HERE, key) for key in keys]


def test_a_code_whose_beginning_is_taken_grows(monkeypatch):
    monkeypatch.setattr(codes, "_letters", lambda digest: "ABCDEFGH")
    assert [codes.allocate(HERE, bytes([n]) * 16) for n in range(3)] == ["ABCD", "ABCDE", "ABCDEF"]
    assert codes.register("ABCDE") == (HERE, b"\x01" * 16)


def test_a_code_is_read_however_it_is_typed():
    code = codes.allocate(HERE, b"k" * 16)
    typed = f" {code[:2].lower()}-{code[2:].lower()} ".replace("0", "o").replace("1", "l")
    assert codes.register(typed) == (HERE, b"k" * 16)
    assert codes.register("") is codes.register("9999999") is None


def test_an_import_knows_its_rows_again():
    holdings.keep_import(b"a" * 16, "bnlc", "56121-C-001", b"1" * 32, NOW_MS)
    holdings.keep_import(b"a" * 16, "bnlc", "56121-C-001", b"2" * 32, NOW_MS + 1)
    holdings.keep(b"b" * 16, 7, NOW_MS)
    row = holdings.of_source("bnlc")["56121-C-001"]
    assert (row.key, row.digest, row.created_ms) == (b"a" * 16, b"2" * 32, NOW_MS)
    assert holdings.of_member(7) == [b"b" * 16]
    holdings.forget(b"a" * 16)
    assert holdings.find(b"a" * 16) is None


def test_a_photo_is_wanted_until_it_is_here_or_given_up():
    photo, here = b"p" * 32, {"media_type": "image/webp", "size_bytes": 9, "width": 3, "height": 2}
    blobs.want(photo, THERE)
    assert blobs.wanted(THERE, NOW_MS) == [photo]
    assert blobs.wanted(HERE, NOW_MS) == []
    blobs.failed(photo, NOW_MS)
    assert blobs.wanted(THERE, NOW_MS) == []
    for _ in range(blobs.GIVE_UP_AFTER):
        blobs.failed(photo, NOW_MS)
    assert blobs.find(photo).status == "missing"
    blobs.want(photo, HERE)
    assert blobs.wanted(HERE, NOW_MS) == [photo]
    blobs.keep(photo, "remote", NOW_MS, **here)
    blobs.want(photo, THERE)
    assert (blobs.find(photo).status, blobs.find(photo).width) == ("remote", 3)
    blobs.keep(photo, "local", NOW_MS, **here)
    blobs.keep(photo, "remote", NOW_MS, **here)
    assert blobs.find(photo).status == "local"
    blobs.forget(photo)
    assert blobs.find(photo) is None


def test_a_read_model_is_empty_after_it_is_dropped():
    put(1)
    listings.drop_unheld()
    assert Listing.select().count() == 0
