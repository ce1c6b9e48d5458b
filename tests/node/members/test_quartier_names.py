"""The names of quartiers, whatever the desk does to them in whatever order."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from node.domain.errors import DomainError
from node.members import accounts, quartiers
from node.store.database import db
from node.store.people import members
from node.store.people import quartiers as rows
from tests.node.members.people import NOW

SERVED = ("29232", "29051")
NAMES = ("Gare", "Port", "Bourg", "Quai")
numbers, names = st.integers(1, 8), st.sampled_from(NAMES)
acts = st.one_of(
    st.tuples(st.just("add"), st.sampled_from(SERVED), names),
    st.tuples(st.just("rename"), numbers, names),
    st.tuples(st.just("merge"), numbers, numbers),
    st.tuples(st.just("move"), numbers, st.booleans()),
)


@given(st.lists(acts, max_size=25))
def test_a_name_once_given_leads_to_one_quartier_of_its_commune_for_good(
    done: list[tuple[str, object, object]],
) -> None:
    with db.atomic() as step:
        person = accounts.create("Anna", now_ms=NOW).id
        given: set[tuple[str, str]] = set()
        for act, one, other in done:
            _do(act, one, other, given)
            listed = quartiers.choices(SERVED)
            if listed:
                members.change(person, quartier=listed[0].name, commune=listed[0].insee)
            assert len({(each.insee, each.name) for each in listed}) == len(listed)
            for insee, name in given:
                today = quartiers.today(insee, name)
                assert today is not None and today.now is None and today.insee == insee
                assert name in (today.name, *rows.before(today.id))
        held = members.find(person)
        if held is not None and held.quartier:
            assert quartiers.read(f"{held.commune}:{held.quartier}", SERVED) is not None
        step.rollback()


def _do(act: str, one: object, other: object, given: set[tuple[str, str]]) -> None:
    """Do one thing as the desk would; what is refused changes nothing."""
    with contextlib.suppress(DomainError):
        if act == "add":
            given.add((str(one), quartiers.add(str(one), str(other), SERVED).name))
        elif act == "rename":
            quartiers.rename(int(str(one)), str(other), SERVED)
            row = rows.find(int(str(one)))
            if row is not None:
                given.add((row.insee, str(other)))
        elif act == "merge":
            quartiers.merge(int(str(one)), int(str(other)), SERVED)
        else:
            quartiers.move(int(str(one)), bool(other))
