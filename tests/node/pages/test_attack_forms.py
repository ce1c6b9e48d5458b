"""Every form of engagements, for everybody, filled in by somebody who means ill."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.domain.schema import plain
from node.store.catalogue import holdings, listings
from node.store.database import write_tx
from node.store.people import members
from node.store.promises import engagements as rows
from tests.node.pages.test_attack_replies import THINGS, WISHES
from tests.visitor import Visitor
from tests.world import START_MS, World

ODD = (
    "",
    "-1",
    "0",
    "9" * 30,
    "١٢٣",
    "²",
    "\x00",
    "\u202e\u2066",
    "a\r\nb: c",
    "<script>",
    "é" * 6_000,
    "9999-12-31",
    "0001-01-01",
    "2027-02-29",
    "2027-03-28T02:30",
    "24:00",
    "1e309",
    "NaN",
    "{}",
    "../..",
    "%00",
    "' OR 1=1 --",
)
WHO = ("", "stranger", "former", "suspended", "pending", "asker", "keeper", "moderator", "admin")
FIELDS = [
    "action",
    "version",
    "text",
    "reason",
    "what",
    "from",
    "until",
    "from_day",
    "until_day",
    "name",
    "person",
    "member",
    "code",
    "email",
    "phone",
    "share",
    "share_email",
    "first_day",
    "last_day",
    "units",
    "day",
    "start",
    "minutes",
    "until",
    "series",
    "weeks",
    "repeat",
    "deposit",
    "noted",
    "had",
    "part",
    "broken",
    "consent",
    "at",
    "at_day",
    "at_hour",
    "hour",
    "rank",
    "place",
    "on",
    "verdict",
    "measure",
    "note",
    "quartier",
    "listing",
    "number",
    "count",
    "days",
    "to",
    "message",
    "queue",
    "end",
    "role",
    "mode",
    "saw",
    "review",
    "contact",
    "practice",
    "which",
    "date",
    "month",
]


class House:
    """One town with a listing of each practice, a request of each, and people of every kind."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder)
        self.place = self.world.found("Quimper")
        self.people: dict[str, Any] = {"": None}
        for name in WHO[1:]:
            roles = (name,) if name in ("moderator", "admin") else ()
            self.people[name] = self.place.member(name, f"{name}@example.org", roles)
        self.parts: dict[str, list[str]] = {
            "code": [],
            "which": [],
            "rubric": ["objets", "espaces"],
        }
        self.looks = {name: Visitor(self.place, self.people[name]) for name in WHO}
        with self.place.inside() as town:
            for name, body in THINGS.items():
                self._publish(town, name, body)
            members.Member.update(status="suspended").where(
                members.Member.id == self.people["suspended"].id
            ).execute()
            members.Member.update(status="pending").where(
                members.Member.id == self.people["pending"].id
            ).execute()

    def _publish(self, town: Any, name: str, body: dict[str, Any]) -> None:
        practice = town.registry.by_name[name]
        with write_tx():
            record = town.journal.publish(practice.kind, plain(practice.schema.read(body)))
            holdings.keep(record.key, self.people["keeper"].id, START_MS)
        row = listings.find(town.id, record.key)
        self.parts["code"].append(row.code)
        made = town.engagements.ask(
            row,
            self.people["asker"].id,
            {**WISHES[name], "message": "SECRET-WORD"},
            b"%16d" % len(name),
        )
        self.parts["which"].append(made.id.hex())

    def paths(self, method: str) -> list[str]:
        """Return every address of engagements, its parts filled in."""
        found = []
        for rule in self.place.app.url_map.iter_rules():
            if method not in (rule.methods or ()) or not rule.rule.startswith(ROOMS):
                continue
            found += [self.filled(rule, each) for each in range(2)]
        return sorted(dict.fromkeys(found))

    def filled(self, rule: Any, which: int) -> str:
        """Return an address with things that are there."""
        path = str(rule.rule)
        for name in rule.arguments:
            held = self.parts.get(name, ["1"])
            word = held[which % len(held)]
            if rule.rule.startswith(("/espaces/serie", "/admin/villes")):
                word = "0" * 16
            for form in (f"<{name}>", f"<int(max=2147483647):{name}>", f"<int:{name}>"):
                path = path.replace(form, word)
        return path


STRIDE = 22  # of all words, those each form is sent: all are, to some form
LEAVING = ("/compte/sortir", "/compte/effacer", "/compte/session", "/admin/sauvegardes")
ASKED_FOR = ("jour", "semaine", "avant", "page", "etat", "ville", "q", "qui")
LOOKED_AT = ("/demandes", "/admin/demandes", "/espaces", "/objets/aujourdhui", "/admin/journal")
LOOKED_AT += ("/admin/signalements", "/admin/habilitations")
ROOMS = ("/demandes", "/a/", "/espaces", "/objets", "/compte", "/rejoindre", "/admin", "/ical")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"))
    yield made
    made.world.close()


@pytest.mark.parametrize("who", WHO)
def test_no_page_breaks_or_tells_of_a_request_to_who_has_no_part_in_it(
    house: House, who: str
) -> None:
    looking = house.looks[who]
    may_read = who in ("asker", "keeper", "moderator", "admin")
    for path in house.paths("GET"):
        answer = looking.get(path)
        assert answer.status_code < 500, path
        assert may_read or "SECRET-WORD" not in answer.text, path
        assert path.startswith("/admin") <= (
            who in ("moderator", "admin") or answer.status_code in (302, 303, 401, 403, 404)
        ), path
    pages = [
        *LOOKED_AT,
        f"/espaces/{house.parts['code'][1]}",
        f"/a/{house.parts['code'][1]}/demander",
    ]
    for number, word in enumerate(ODD):
        path = pages[number % len(pages)]
        query = dict.fromkeys((*FIELDS, *ASKED_FOR), word)
        status = looking.client.get(path, query_string=query, headers=looking.headers).status_code
        assert status < 500, (path, word)


@pytest.mark.parametrize("who", WHO)
def test_no_form_breaks_whatever_is_typed(house: House, who: str) -> None:
    sending = house.looks[who]
    number, token = 0, sending.token()
    for path in house.paths("POST"):
        if path.startswith(LEAVING):
            continue
        for word in ODD[number % STRIDE :: STRIDE]:
            number += 1
            fields = {name: [word, word] for name in FIELDS}
            near = {"REMOTE_ADDR": f"192.0.2.{number % 250}"}
            status = sending.post(path, {**fields, "token": token}, environ_base=near).status_code
            assert status < 500, (path, word)
            token = token if status in (400, 404, 422) else sending.token()
    if who in ("asker", "keeper", "moderator", "admin"):
        return  # among all forms there are those that take the listing, or the request, back
    with house.place.inside():
        for which in house.parts["which"]:
            assert rows.find(bytes.fromhex(which)).state == "requested"


PARTS = ("/tenue", "/messages", "/proposer", "/panne")
ACTIONS = [
    "approve",
    "confirm",
    "decline",
    "hand_over",
    "take_back",
    "lose",
    "withdraw",
    "accept",
    "counter",
    "offer",
    "queue",
    "propose",
    "change",
    "keep",
    "retract",
    "renew",
    "revoke",
    "extend",
    "bump",
    "check_in",
    "no_show",
    "lapse",
    "proposal_lapse",
    "close",
    "book",
    "home",
    "ask",
]


@pytest.mark.parametrize("who", ("", "stranger", "former", "suspended", "pending"))
def test_who_has_no_part_in_a_request_does_nothing_to_it(house: House, who: str) -> None:
    sending = house.looks[who]
    with house.place.inside():
        before = [dict(rows.find(bytes.fromhex(each)).__data__) for each in house.parts["which"]]
    for which in house.parts["which"]:
        for number, action in enumerate(ACTIONS):
            for path in ("", PARTS[number % len(PARTS)]):
                fields = {
                    "action": action,
                    "version": "1",
                    "text": "x",
                    "what": "repair",
                    "token": sending.token(),
                }
                fields |= WISHES["lending"] | WISHES["spaces"] | {"rank": "-5", "place": "1"}
                near = {"REMOTE_ADDR": f"198.51.100.{ACTIONS.index(action)}"}
                answer = sending.post(f"/demandes/{which}{path}", fields, environ_base=near)
                assert answer.status_code in (303, 401, 403, 404, 409, 422), (path, action)
    with house.place.inside():
        after = [dict(rows.find(bytes.fromhex(each)).__data__) for each in house.parts["which"]]
    assert after == before
