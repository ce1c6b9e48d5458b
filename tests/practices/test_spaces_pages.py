"""The pages of spaces in real nodes: by site, the week, booking, every week, both towns."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from node.domain.capacity import calendar_day
from node.domain.schema import plain
from node.members import sessions
from node.store.catalogue import holdings, listings
from node.store.catalogue.listings import Listing
from node.store.database import write_tx
from tests.world import START_MS, Place, World

TODAY = START_MS // 86_400_000
DAILY = [{"day": day, "opens": 540, "closes": 1_140} for day in range(7)]  # 9:00-19:00


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world"))
    for name in ("Lorient", "Quimper"):
        made.found(name)
    made.pair("Lorient", "Quimper")
    yield made
    made.close()


def publish(place: Place, keeper: Any, **fields: Any) -> Listing:
    """Publish a space."""
    with place.inside() as town, write_tx():
        practice = town.registry.by_name["spaces"]
        given = {"title": "Salle du lavoir", "site": "Maison de quartier", "opening": DAILY}
        record = town.journal.publish(
            practice.kind, plain(practice.schema.read({**given, **fields}))
        )
        holdings.keep(record.key, keeper.id, town.clock.now_ms())
        return listings.find(record.origin, record.key)


class Visitor:
    """Somebody signed in, without JavaScript."""

    def __init__(self, place: Place, who: Any, lang: str = "fr") -> None:
        self.client = place.app.test_client()
        self.lang = {"Accept-Language": lang}
        if who is not None:
            with place.inside() as town:
                token = sessions.open(who.id, now_ms=town.clock.now_ms(), device="test")
            self.client.set_cookie(f"lavoir-{place.town.id.hex()[:8]}", token)

    def get(self, path: str, status: int = 200) -> str:
        """Open a page."""
        page = self.client.get(path, headers=self.lang)
        assert page.status_code == status, page.get_data(as_text=True)[:3_000]
        return page.get_data(as_text=True)

    def send(self, page: str, action: str, status: int = 303, **fields: str) -> Any:
        """Send the form of a page that leads to `action`, with what it holds hidden."""
        forms = re.findall(r"<form[^>]*>.*?</form>", page, re.S)
        form = next(each for each in forms if f'action="{action}"' in each)
        hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
        answer = self.client.post(action, data={**hidden, **fields}, headers=self.lang)
        assert answer.status_code == status, answer.get_data(as_text=True)[:3_000]
        return answer


def day(at: int) -> str:
    """Write a day counted from today as addresses and forms do."""
    return calendar_day(TODAY + at).isoformat()


def test_spaces_are_listed_by_town_site_and_area(world: World) -> None:
    home, away = world.places["Lorient"], world.places["Quimper"]
    publish(home, home.member("Le Faou"), title="Découpe laser", site="Fab lab", area="Étage")
    publish(away, away.member("Gwenola"), title="Métier à tisser", site="Atelier textile")
    world.sync()
    page = Visitor(home, None).get("/espaces")
    order = ["Lorient", "Fab lab", "Étage", "Découpe laser", "Quimper", "Métier à tisser"]
    found = [page.index(f">{each}<") for each in order]
    assert found == sorted(found)


def test_a_week_is_a_table_of_days_that_reads_aloud(world: World) -> None:
    place = world.places["Lorient"]
    room = publish(place, place.member("Anna"), auto=True, closed=[[TODAY + 2, TODAY + 2]])
    page = Visitor(place, place.member("Yann")).get(f"/espaces/{room.code}?jour={day(1)}")
    assert page.count('<th scope="row">') == 7
    assert "9 h–19 h".replace(" ", "\u00a0") in page.replace("&nbsp;", "\u00a0")
    assert '<option value="09:00" selected>' in page and 'value="18:00"' in page
    assert "fermé" in page


def test_a_day_is_picked_a_start_is_picked_and_it_is_booked(world: World) -> None:
    place = world.places["Lorient"]
    room = publish(place, place.member("Denez"), auto=True, seats=8)
    visitor = Visitor(place, place.member("Enora"))
    page = visitor.get(f"/espaces/{room.code}?jour={day(3)}")
    answer = visitor.send(
        page, f"/a/{room.code}/demander", start="10:00", minutes="120", people="4", name="Enora"
    )
    shown = visitor.get(answer.location)
    assert "Réservé" in shown and "10\u00a0h" in shown and "2 h" in shown
    again = Visitor(place, place.member("Fañch")).get(f"/espaces/{room.code}?jour={day(3)}")
    assert '<option value="10:00"' not in again and '<option value="12:00"' in again
    assert "10\u00a0h–12\u00a0h" in again


def test_times_may_be_typed_instead_and_mistakes_come_back_with_a_sentence(world: World) -> None:
    place = world.places["Lorient"]
    room = publish(place, place.member("Gwenn"), auto=True, step=30)
    visitor = Visitor(place, place.member("Herve"))
    form = visitor.get(f"/a/{room.code}/demander")
    wrong = visitor.send(
        form, f"/a/{room.code}/demander", 422, day=day(3), start="7:00", until="8:00", name="H"
    ).get_data(as_text=True)
    assert "pas ouvert pendant tout ce temps" in wrong and 'value="07:00"' in wrong.replace(
        'value="7:00"', 'value="07:00"'
    )
    done = visitor.send(
        wrong, f"/a/{room.code}/demander", day=day(3), start="9:30", until="11:00", name="H"
    )
    assert "1 h 30" in visitor.get(done.location)


def test_where_nothing_is_free_one_waits_in_line(world: World) -> None:
    place = world.places["Lorient"]
    mornings = [{"day": each, "opens": 540, "closes": 780} for each in range(7)]
    rule = {"auto": True, "step": 240, "max_minutes": 240, "opening": mornings}
    room = publish(place, place.member("Iona"), **rule)
    first, second = Visitor(place, place.member("Jakez")), Visitor(place, place.member("Katell"))
    path, at = f"/a/{room.code}/demander", f"/espaces/{room.code}?jour={day(4)}"
    first.send(first.get(at), path, start="9:00", minutes="240", name="J")
    page = second.get(at)
    assert 'name="queue"' in page and '<select id="f-start"' not in page
    full = second.send(page, path, 409, day=day(4), start="9:00", minutes="240", name="K")
    answer = second.send(
        full.get_data(as_text=True), path, day=day(4), start="9:00", minutes="240", name="K",
        queue="1",
    )  # fmt: skip
    assert "file d’attente" in second.get(answer.location)


def test_every_week_keeps_what_can_be_had_and_tells_the_rest_one_by_one(world: World) -> None:
    place = world.places["Lorient"]
    room = publish(place, place.member("Loig"), auto=True, repeat_max=5)
    other, choir = Visitor(place, place.member("Maël")), Visitor(place, place.member("Nolwenn"))
    other.send(
        other.get(f"/espaces/{room.code}?jour={day(9)}"), f"/a/{room.code}/demander",
        start="18:00", minutes="60", name="M",
    )  # fmt: skip
    page = choir.get(f"/espaces/{room.code}?jour={day(2)}")
    action = f"/espaces/{room.code}/serie"
    told = choir.send(
        page, action, 200, start="17:00", minutes="120", until_day=day(2 + 21), name="Chorale"
    ).get_data(as_text=True)
    assert told.count("Réservé") == 3
    assert "1 date est impossible" in told and "d’être pris" in told
    series = re.search(r"/espaces/serie/[0-9a-f]{16}", told)
    assert series is not None
    dates = choir.get(series.group())
    assert dates.count('<th scope="row">') == 3
    one = re.findall(r'href="(/demandes/[0-9a-f]{32})"', dates)[1]
    assert series.group() in choir.get(one)
    answer = choir.client.post(
        series.group(), data={"token": token(dates), "action": "withdraw"}, headers=choir.lang
    )
    assert answer.status_code == 303
    assert choir.get(series.group()).count("Annulée") >= 3
    stranger = Visitor(place, place.member("Padrig"))
    stranger.get(series.group(), 404)


def test_a_series_nobody_can_have_makes_nothing(world: World) -> None:
    place = world.places["Lorient"]
    room = publish(place, place.member("Ronan"), auto=True, repeat_max=3)
    visitor = Visitor(place, place.member("Solenn"))
    page = visitor.get(f"/espaces/{room.code}?jour={day(2)}")
    action = f"/espaces/{room.code}/serie"
    sent = {"start": "20:00", "minutes": "60", "name": "S"}
    visitor.send(page, action, 409, until_day=day(9), **sent)
    visitor.send(page, action, 422, until_day=day(60), **sent)
    visitor.send(page, action, 422, until_day=day(1), **sent)
    with place.inside() as town:
        assert town.engagements.for_listing(room.origin, room.key) == []


def test_the_keeper_confirms_a_whole_series(world: World) -> None:
    place = world.places["Lorient"]
    keeper = place.member("Tangi")
    room = publish(place, keeper, repeat_max=4)
    visitor = Visitor(place, place.member("Uisant"))
    page = visitor.get(f"/espaces/{room.code}?jour={day(5)}")
    told = visitor.send(
        page, f"/espaces/{room.code}/serie", 200, start="9:00", minutes="60", until_day=day(19),
        name="U",
    ).get_data(as_text=True)  # fmt: skip
    series = re.search(r"/espaces/serie/[0-9a-f]{16}", told)
    assert series is not None
    desk = Visitor(place, keeper)
    dates = desk.get(series.group())
    desk.client.post(series.group(), data={"token": token(dates), "action": "confirm"})
    assert desk.get(series.group()).count("Réservé") == 3
    dates = visitor.get(series.group())
    visitor.client.post(series.group(), data={"token": token(dates), "action": "confirm"})
    assert visitor.get(series.group()).count("Réservé") == 3


def test_of_another_town_only_the_opening_hours_are_shown(world: World) -> None:
    home, away = world.places["Lorient"], world.places["Quimper"]
    room = publish(home, home.member("Vefa"), auto=True, title="Salle du port")
    world.sync()
    with away.inside():
        held = listings.find(room.origin, room.key)
    visitor = Visitor(away, away.member("Yannick"))
    page = visitor.get(f"/espaces/{held.code}?jour={day(6)}")
    assert "Seule la ville de Lorient sait ce qui est pris" in page
    answer = visitor.send(
        page, f"/a/{held.code}/demander", start="9:00", minutes="60", name="Yannick"
    )
    world.sync()
    shown = visitor.get(answer.location)
    assert "Lorient" in shown and "Réservé" in shown


@pytest.mark.parametrize("lang", ["fr", "br", "en"])
def test_the_pages_speak_every_language(world: World, lang: str) -> None:
    place = world.places["Lorient"]
    room = publish(
        place, place.member("Zaig"), title="Brodeuse", sort="machine", habilitation="brodeuse",
        quota_hours=4, check_in=True, prices=[{"group": "Tous", "cents": 450}], repeat_max=3,
        advance_hours=2, units=2, seats=3,
    )  # fmt: skip
    visitor = Visitor(place, place.member("Aziliz"), lang)
    for path in (
        "/espaces", f"/a/{room.code}", f"/a/{room.code}/demander", f"/espaces/{room.code}",
        f"/espaces/{room.code}?jour={day(1)}", "/publier/espaces",
    ):  # fmt: skip
        page = visitor.get(path)
        assert "None" not in page and "%(" not in page


@pytest.mark.parametrize(
    "path",
    [
        "/espaces/ZZZZ",
        "/espaces/{code}?jour=0001-01-01",
        "/espaces/{code}?jour=9999-12-31",
        "/espaces/{code}?jour=x",
        "/espaces/{code}?jour=2026-11-23&jour=2027-01-01",
        "/espaces/serie/zz",
        "/espaces/serie/0011223344556677",
    ],
)
def test_an_address_somebody_made_up_is_no_fault_of_the_node(world: World, path: str) -> None:
    place = world.places["Lorient"]
    room = publish(place, place.member("Bleuenn"), title="Four")
    visitor = Visitor(place, place.member("Klervi"))
    assert visitor.client.get(path.format(code=room.code)).status_code in (200, 404)


def test_a_listing_of_another_practice_is_no_space(world: World) -> None:
    place = world.places["Lorient"]
    with place.inside() as town, write_tx():
        practice = town.registry.by_name["lending"]
        record = town.journal.publish(
            practice.kind, plain(practice.schema.read({"title": "Perceuse"}))
        )
        holdings.keep(record.key, place.member("Elouan").id, town.clock.now_ms())
        drill = listings.find(record.origin, record.key)
    visitor = Visitor(place, place.member("Klervi"))
    visitor.get(f"/espaces/{drill.code}", 404)


def test_a_space_is_published_and_changed_as_people_type(world: World) -> None:
    place = world.places["Lorient"]
    visitor = Visitor(place, place.member("Riwal"))
    page = visitor.get("/publier/espaces")
    form = {
        "title": "Chambre noire", "sort": "room", "site": "Maison de la photo", "step": "120",
        "opening_2": "14:00-22:00", "prices": "Adhérents : 3,50", "seen": "all", "who": "partners",
        "max_minutes": "240", "max_days": "1", "units": "1", "advance_days": "60",
        "quota_days": "7",
    }  # fmt: skip
    answer = visitor.client.post("/publier/espaces", data={**form, "token": token(page)})
    assert answer.status_code == 303, answer.get_data(as_text=True)[:2_000]
    code = answer.location.rsplit("/", 1)[1]
    shown = visitor.get(answer.location)
    assert "mercredi" in shown and "3,50" in shown.replace("\u202f", "")
    again = visitor.get(f"/a/{code}/modifier")
    assert 'value="14:00-22:00"' in again and "Adhérents: 3,50" in again
    wrong = visitor.client.post(
        f"/a/{code}/modifier", data={**form, "opening_2": "soir", "token": token(again)}
    )
    assert wrong.status_code == 422 and 'value="soir"' in wrong.get_data(as_text=True)


def token(page: str) -> str:
    """Return the last one-use token of a page."""
    return re.findall(r'name="token" value="([^"]+)"', page)[-1]
