"""The public JSON: what is listed, by words, practice, town and place; errors are problems."""

from typing import Any

import pytest

from node.store.catalogue.listings import Listing
from tests.node.pages.conftest import Pair
from tests.scenery import BARROW, TRAILER, Scenery
from tests.visitor import Visitor


@pytest.fixture
def api(scenery: Scenery) -> Any:
    """Ask Quimper's API for something; the answer's JSON, with its status."""
    visitor = Visitor(scenery.place("Quimper"))

    def ask(path: str, **query: Any) -> tuple[int, dict[str, Any]]:
        answer = visitor.client.get(f"/api/v1{path}", query_string=query)
        assert answer.is_json or answer.mimetype == "application/problem+json"
        return answer.status_code, answer.get_json(force=True)

    return ask


def titles(told: tuple[int, dict[str, Any]]) -> list[str]:
    assert told[0] == 200, told
    return [each["title"] for each in told[1]["listings"]]


def test_everything_shown_is_listed_page_after_page(api: Any, scenery: Scenery) -> None:
    seen, query = [], {"limit": 50}
    while True:
        _, told = api("/listings", **query)
        seen += [each["id"] for each in told["listings"]]
        if told["next"] is None:
            break
        query = {"limit": 50, "page": told["next"].partition("page=")[2].partition("&")[0]}
    assert len(seen) == len(set(seen)) == told["total"] > 150


def test_words_practice_and_town_narrow(api: Any, scenery: Scenery) -> None:
    assert titles(api("/listings", q="remorque bachee")) == [TRAILER]
    assert titles(api("/listings", q="remorque bachee", town="Quimper")) == []
    lorient = scenery.place("Lorient").town.id.hex()
    for town in ("Lorient", "LORIENT", lorient):
        told = api("/listings", town=town, practice="lending", limit=200)[1]["listings"]
        assert told and {each["town"] for each in told} == {lorient}
        assert {each["practice"] for each in told} == {"lending"}


def test_a_box_and_a_circle_hold_what_lies_in_them(api: Any) -> None:
    south, west, north, east = 47.6, -3.5, 47.9, -3.2
    told = api("/listings", bbox=f"{west},{south},{east},{north}", limit=200)[1]["listings"]
    assert told and all(
        south <= each["position"]["lat"] <= north and west <= each["position"]["lon"] <= east
        for each in told
    )
    near = api("/listings", near="47.75,-3.36", radius=5_000, limit=200)[1]["listings"]
    distances = [each["distance_m"] for each in near]
    assert near and distances == sorted(distances) and max(distances) <= 5_000


def test_one_listing_by_its_id_or_its_code_with_its_whole_body(api: Any, scenery: Scenery) -> None:
    row = scenery.listing("Lorient", TRAILER, held="Quimper")
    by_id = api(f"/listings/{row.origin.hex()}.{row.key.hex()}")
    by_code = api(f"/listings/{row.code.lower()}")
    assert by_id == by_code and by_id[0] == 200
    told = by_id[1]
    assert told["body"]["deposit"] == 5_000 and told["body"]["photos"][0]["hash"]
    assert told["url"].endswith(f"/a/{row.code}")
    for wrong in ("zzzz", "00.00", f"{row.origin.hex()}.", "é", "x" * 500, scenery.gone):
        status, problem = api(f"/listings/{wrong}")
        assert (status, problem["code"]) == (404, "no_listing"), wrong


def test_the_towns_say_where_they_are_and_when_they_were_seen(api: Any) -> None:
    towns = api("/towns")[1]["towns"]
    assert [each["name"] for each in towns] == ["Quimper", "Lorient", "Vannes"]
    assert [each["here"] for each in towns] == [True, False, False]
    assert all(each["position"] and each["listings"] > 50 for each in towns)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"practice": "zzz"}, "practice"),
        ({"town": "Atlantis"}, "town"),
        ({"bbox": "1,2,3"}, "bbox"),
        ({"bbox": "a,b,c,d"}, "bbox"),
        ({"bbox": "-4,48,-3,47"}, "bbox"),
        ({"bbox": "nan,0,1,1"}, "bbox"),
        ({"near": "47.7"}, "near"),
        ({"near": "inf,0"}, "near"),
        ({"near": "47.7,-3.3", "radius": "-5"}, "radius"),
        ({"near": "47.7,-3.3", "radius": "many"}, "radius"),
        ({"limit": "0"}, "limit"),
        ({"limit": "1e3"}, "limit"),
        ({"limit": "²"}, "limit"),
        ({"page": "x.1"}, "cursor"),
    ],
)
def test_what_cannot_be_meant_is_a_problem_document_naming_its_field(
    api: Any, query: dict[str, str], field: str
) -> None:
    status, problem = api("/listings", **query)
    assert status == 422 and problem["status"] == 422
    assert problem["type"] == "about:blank" and problem["title"] and problem["detail"]
    assert [each["field"] for each in problem["errors"]] == [field]


def test_wrong_addresses_and_methods_are_problems_too(scenery: Scenery) -> None:
    client = scenery.place("Quimper").app.test_client()
    for method, path, status, code in (
        ("GET", "/api/v1/zzz", 404, "not_found"),
        ("GET", "/api/v2/listings", 404, "not_found"),
        ("POST", "/api/v1/listings", 405, "method_not_allowed"),
    ):
        answer = client.open(path, method=method)
        assert answer.mimetype == "application/problem+json"
        assert (answer.status_code, answer.get_json(force=True)["code"]) == (status, code)


def test_nothing_about_a_person_is_told(api: Any, scenery: Scenery) -> None:
    said = repr([api("/listings", limit=200), api("/listings", q=BARROW), api("/towns")])
    for name in ("Nolwenn", "Yann", "Maïwenn", "example.org"):
        assert name not in said


def test_too_many_requests_are_asked_to_wait(pair: Pair) -> None:
    client = pair.quimper.app.test_client()
    answers = [client.get("/api/v1/towns") for _ in range(125)]
    assert answers[100].status_code == 200
    last = answers[-1]
    assert last.status_code == 429 and last.mimetype == "application/problem+json"
    assert int(last.headers["Retry-After"]) > 0


def test_a_paused_or_ended_listing_is_not_told(scenery: Scenery, api: Any) -> None:
    with scenery.place("Quimper").inside():
        gone = Listing.get(Listing.code == scenery.gone)
        assert gone.state == "withdrawn"
    assert gone.code not in {each["code"] for each in api("/listings", limit=200)[1]["listings"]}
