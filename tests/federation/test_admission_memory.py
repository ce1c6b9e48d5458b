"""What admission remembers: ids that need not be fetched again, and for how long."""

from federation.admission import admit, examine, remembered_until
from federation.stamp import DAY_MS, DAY_S
from federation.store import EXPIRED_KEPT_DAYS
from scripts.vectors.cast import NOW_MS, NOW_S, stamp
from tests.federation.test_admission import CAST, LORIENT, broken, codes, made, store_at, under


def until(raw, store=None, now_ms=NOW_MS):
    (found,) = examine([raw], store or store_at(), now_ms)
    return found.code, remembered_until(found, now_ms)


def test_useless_ids_are_remembered_until_they_can_matter_no_more():
    store = store_at()
    codes(store, made("a", days_ago=4, days=390))
    good = made("a")
    life = good.expires + EXPIRED_KEPT_DAYS * DAY_S
    assert until(good.raw, store) == ("older", life)
    assert until(broken(made("b"))) == ("refused:bad_signature", made("b").expires + 2 * DAY_S)
    early = made("a", days_ago=3, days=300)
    assert until(early.raw, store) == ("refused:expires_early", early.expires + 2 * DAY_S)
    assert until(b"torn") == ("refused:bad_cose", NOW_S + 30 * DAY_S)


def test_what_a_clock_decided_is_tried_again_since_the_clock_may_be_mended():
    assert until(under(CAST.l1, "L1").raw) == ("refused:keyset_retired", None)
    dead = CAST.signed("dead", stamp=stamp(9), expires=NOW_S - 3 * DAY_S)
    assert until(dead.raw) == ("expired", None)
    store = store_at()
    ahead_ms = NOW_MS + 1_000 * DAY_MS
    assert [each.code for each in admit([made("a").raw], store, ahead_ms)] == ["expired"]
    assert codes(store, made("a")) == ["stored"]


def test_an_allowance_spent_by_a_clock_that_was_ahead_is_full_when_it_is_mended():
    store = store_at()
    ahead_ms = NOW_MS + 300 * DAY_MS
    assert [each.code for each in admit([made("a").raw], store, ahead_ms)] == ["stored"]
    assert codes(store, made("b")) == ["stored"]
    behind_ms = NOW_MS - 3_000 * DAY_MS
    assert [each.code for each in admit([made("c").raw], store, behind_ms)] == ["quarantined"]


def test_what_may_change_is_tried_again_at_every_visit():
    assert until(made("a").raw) == ("stored", None)
    unknown = CAST.signed("unknown", keyset=CAST.l3.number + 1)
    assert until(unknown.raw) == ("refused:unknown_keyset", None)
    vannes = CAST.signed("v", "V1", origin=CAST.v1.town, keyset=CAST.v1.number)
    assert until(vannes.raw) == ("refused:not_accepted", None)
    store = store_at()
    store.freeze(LORIENT)
    assert until(made("a").raw, store) == ("refused:frozen", None)
