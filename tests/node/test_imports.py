"""One import from a file to listings: what it adds, revises, renews, withdraws, leaves alone."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from federation import codec
from node.domain.errors import DomainError
from node.imports.run import BATCH
from node.store.catalogue import listings
from node.store.catalogue.listings import Listing
from node.store.database import write_tx
from tests.node.import_town import COLUMNS, bnlc, bodies, bring, counts, spot, stamps
from tests.world import Place, World


@pytest.fixture
def lorient(tmp_path: Path) -> Iterator[Place]:
    place = World(tmp_path).found("Lorient")
    yield place
    place.town.close()


# ── again and again ──────────────────────────────────────────────────────────────────────────


def test_importing_again_changes_nothing(lorient: Place, tmp_path: Path) -> None:
    path = bnlc(tmp_path, [spot(number) for number in range(7)])
    assert counts(bring(lorient, path)) == {"new": 7}
    before = stamps(lorient)
    assert counts(bring(lorient, path)) == {"unchanged": 7}
    assert stamps(lorient) == before


def test_a_changed_row_revises_its_listing_and_keeps_its_register_and_code(
    lorient: Place, tmp_path: Path
) -> None:
    bring(lorient, bnlc(tmp_path, [spot(1), spot(2)]))
    with lorient.inside():
        codes = {row.title: row.code for row in Listing.select()}
    report = bring(lorient, bnlc(tmp_path, [spot(1, nbre_pl="40"), spot(2)]))
    assert counts(report) == {"changed": 1, "unchanged": 1}
    assert bodies(lorient)["Aire 1"]["carpool_place"]["spaces"] == 40
    with lorient.inside():
        assert {row.title: row.code for row in Listing.select()} == codes


def test_a_vanished_row_is_withdrawn_and_may_come_back(lorient: Place, tmp_path: Path) -> None:
    bring(lorient, bnlc(tmp_path, [spot(1), spot(2)]))
    assert counts(bring(lorient, bnlc(tmp_path, [spot(1)]))) == {"unchanged": 1, "withdrawn": 1}
    assert set(bodies(lorient)) == {"Aire 1"}
    assert counts(bring(lorient, bnlc(tmp_path, [spot(1)]))) == {"unchanged": 1}
    report = bring(lorient, bnlc(tmp_path, [spot(1), spot(2)]))
    assert counts(report) == {"new": 1, "unchanged": 1}
    assert set(bodies(lorient)) == {"Aire 1", "Aire 2"}


def test_a_file_in_which_most_has_vanished_withdraws_only_when_told_to(
    lorient: Place, tmp_path: Path
) -> None:
    bring(lorient, bnlc(tmp_path, [spot(number) for number in range(20)]))
    few = bnlc(tmp_path, [spot(1), spot(2)])
    report = bring(lorient, few)
    assert counts(report) == {"unchanged": 2, "held_back": 18}
    assert [note.code for note in report.notes] == ["vanished_many"]
    assert counts(bring(lorient, few, withdraw_all=True)) == {"unchanged": 2, "withdrawn": 18}


def test_a_row_that_is_rejected_now_keeps_its_listing_as_it_was(
    lorient: Place, tmp_path: Path
) -> None:
    bring(lorient, bnlc(tmp_path, [spot(1), spot(2), spot(3)]))
    path = bnlc(tmp_path, [spot(1, nom_lieu=""), spot(2)])
    with path.open("a", encoding="utf-8") as stream:
        stream.write("56121-C-003,C-003,Aire 3 sans la suite\n")
    report = bring(lorient, path)
    assert counts(report) == {"unchanged": 1, "rejected": 2}
    assert report.kept_back == 2 and set(bodies(lorient)) == {"Aire 1", "Aire 2", "Aire 3"}


def test_nothing_is_withdrawn_for_rows_that_an_open_quote_hides(
    lorient: Place, tmp_path: Path
) -> None:
    bring(lorient, bnlc(tmp_path, [spot(1), spot(2), spot(3)]))
    path = bnlc(tmp_path, [spot(1), spot(2), spot(3)])
    path.write_text(path.read_text("utf-8").replace("Aire 2", '"Aire 2'), "utf-8")
    report = bring(lorient, path)
    assert report.withdrawn == 0 and set(bodies(lorient)) == {"Aire 1", "Aire 2", "Aire 3"}
    assert report.rejected == 1 and report.rejections[0].problem.params["until"] == 4


def test_listings_near_their_end_are_renewed_though_nothing_changed(
    lorient: Place, tmp_path: Path
) -> None:
    path = bnlc(tmp_path, [spot(1)])
    bring(lorient, path)
    lorient.town.clock.forward(days=100)  # type: ignore[attr-defined]
    assert counts(bring(lorient, path)) == {"unchanged": 1}
    lorient.town.clock.forward(days=250)  # type: ignore[attr-defined]
    assert counts(bring(lorient, path)) == {"renewed": 1}
    assert counts(bring(lorient, path)) == {"unchanged": 1}


def test_two_sources_do_not_withdraw_each_other(lorient: Place, tmp_path: Path) -> None:
    bring(lorient, bnlc(tmp_path, [spot(1)]))
    report = bring(lorient, bnlc(tmp_path, [spot(2)]), source="Département")
    assert counts(report) == {"new": 1}
    assert set(bodies(lorient)) == {"Aire 1", "Aire 2"}


def test_what_the_association_decided_by_hand_stands(lorient: Place, tmp_path: Path) -> None:
    bring(lorient, bnlc(tmp_path, [spot(1), spot(2)]))
    with lorient.inside() as town:
        keys = {row.title: bytes(row.key) for row in Listing.select()}
        paused = {**bodies(lorient)["Aire 1"], "state": "paused", "quartier": "Keryado"}
        with write_tx():
            town.journal.publish("rides.ride/1", paused, key=keys["Aire 1"])
            town.journal.withdraw(keys["Aire 2"])
    report = bring(lorient, bnlc(tmp_path, [spot(1, nbre_pl="3"), spot(2, nbre_pl="3")]))
    assert counts(report) == {"changed": 1, "unchanged": 1}
    assert "withdrawn_by_hand" in report.doubts()
    with lorient.inside() as town:
        body = codec.loads(listings.find(town.id, keys["Aire 1"]).body)
    assert (body["state"], body["quartier"]) == ("paused", "Keryado")
    assert body["carpool_place"]["spaces"] == 3 and not bodies(lorient)


class Stopped(Exception):
    """Somebody pressed Ctrl-C, or the power went."""


@pytest.mark.parametrize("at", [0, BATCH, 2 * BATCH])
def test_an_import_stopped_anywhere_is_finished_by_the_next(
    lorient: Place, tmp_path: Path, at: int
) -> None:
    rows = 2 * BATCH + 7
    path = bnlc(tmp_path, [spot(number) for number in range(rows)])

    def stop(done: int, total: int) -> None:
        if done >= rows + at:
            raise Stopped

    with pytest.raises(Stopped):
        bring(lorient, path, progress=stop)
    kept = len(bodies(lorient))
    assert kept % BATCH == 0 or kept == rows
    assert counts(bring(lorient, path)).get("new", 0) == rows - kept
    assert len(bodies(lorient)) == rows


def test_two_imports_of_one_file_at_once_list_each_row_once(lorient: Place, tmp_path: Path) -> None:
    path = bnlc(tmp_path, [spot(number) for number in range(BATCH + 5)])
    other: list[int] = []

    def meanwhile(done: int, total: int) -> None:
        if done > BATCH + 5 and not other:  # the first batch is written
            other.append(0)
            other[0] = bring(lorient, path).new

    assert bring(lorient, path, progress=meanwhile).new + other[0] == BATCH + 5
    assert other[0] == 5 and len(bodies(lorient)) == BATCH + 5


def test_progress_only_goes_forward_and_ends_at_the_end(lorient: Place, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    path = bnlc(tmp_path, [spot(number) for number in range(450)])
    bring(lorient, path, progress=lambda done, total: told.append((done, total)))
    assert told == sorted(told) and told[-1] == (900, 900) and len(told) > 4


# ── rows ─────────────────────────────────────────────────────────────────────────────────────


def test_source_licence_and_reference_stand_on_each_listing(lorient: Place, tmp_path: Path) -> None:
    bring(lorient, bnlc(tmp_path, [spot(1)]), licence="Licence Ouverte 2.0")
    source = bodies(lorient)["Aire 1"]["source"]
    assert source["ref"] == "56121-C-001" and source["licence"] == "Licence Ouverte 2.0"
    assert source["name"] == "Base nationale des lieux de covoiturage"


def test_rejected_rows_are_told_with_line_column_and_reason(lorient: Place, tmp_path: Path) -> None:
    rows = [spot(1), spot(2, nom_lieu=""), spot(3, Xlong="", Ylat=""), spot(1), spot(4)]
    report = bring(lorient, bnlc(tmp_path, rows))
    assert counts(report) == {"new": 2, "rejected": 3}
    found = [(each.line, each.problem.field, each.problem.code) for each in report.rejections]
    assert found == [
        (3, "nom_lieu", "required"),
        (4, "Xlong", "no_position"),
        (5, "", "reference_twice"),
    ]


def test_a_column_of_the_file_that_nobody_knows_is_kept_and_told(
    lorient: Place, tmp_path: Path
) -> None:
    path = bnlc(tmp_path, [spot(1, borne="2 prises", email="a@b.example")], ("borne", "email"))
    report = bring(lorient, path)
    assert dict(report.kept) == {"borne": 1} and dict(report.withheld) == {"email": 1}
    assert bodies(lorient)["Aire 1"]["extra"] == [["borne", "2 prises"]]
    assert counts(bring(lorient, path, publish=["email"])) == {"changed": 1}
    assert ["email", "a@b.example"] in bodies(lorient)["Aire 1"]["extra"]


def test_the_same_spot_and_the_same_name_are_told_not_merged(
    lorient: Place, tmp_path: Path
) -> None:
    rows = [spot(1), spot(2, nom_lieu="AIRE 1", Xlong=spot(1)["Xlong"])]
    report = bring(lorient, bnlc(tmp_path, rows))
    assert counts(report) == {"new": 2}
    assert report.doubts() == {"same_position": 1, "same_name": 1}
    again = bring(lorient, bnlc(tmp_path, [spot(9, nom_lieu="Aire 1")]), source="Département")
    assert again.doubts() == {"listed_already": 1}


def test_a_row_too_big_for_a_record_is_rejected_alone(lorient: Place, tmp_path: Path) -> None:
    columns = tuple(f"note_{number}" for number in range(40))
    big = spot(1, **dict.fromkeys(columns, "é" * 900))
    report = bring(lorient, bnlc(tmp_path, [big, spot(2)], columns))
    assert counts(report) == {"new": 1, "rejected": 1} and report.reasons() == {"too_long": 1}


def test_a_row_with_more_columns_than_a_listing_keeps_is_rejected_alone(
    lorient: Place, tmp_path: Path
) -> None:
    columns = tuple(f"note_{number}" for number in range(70))
    report = bring(lorient, bnlc(tmp_path, [spot(1, **dict.fromkeys(columns, "x"))], columns))
    assert report.reasons() == {"too_many_columns": 1}


def test_another_kind_of_file_is_refused_whole(lorient: Place, tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("id,nom\n1,x\n", encoding="utf-8")
    with pytest.raises(DomainError) as refused:
        bring(lorient, path)
    assert refused.value.code == "columns_missing"
    assert "nom_lieu" in str(refused.value.params["names"])


CELL = st.text(max_size=30) | st.sampled_from(
    ["", "true", "47.7", "-3.3", "56121", "56100", "2024-02-30", "9" * 40, "=1+1", "<b>x</b>", "\0"]
)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.fixed_dictionaries(dict.fromkeys(COLUMNS, CELL)), min_size=1, max_size=4))
def test_no_cells_at_all_stop_an_import_and_each_row_is_a_listing_or_a_rejection(
    lorient: Place, tmp_path: Path, rows: list[dict[str, str]]
) -> None:
    path = tmp_path / "any.csv"
    with path.open("w", encoding="utf-8", errors="replace", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    try:
        first = bring(lorient, path, withdraw_all=True)
    except DomainError as refused:
        assert refused.code in ("no_rows", "not_text", "cells")
        return
    again = bring(lorient, path, withdraw_all=True)
    assert again.unchanged == first.listed and again.rejected == first.rejected
