"""The verbs of the whole tier: everything that can happen, and how often it is drawn."""

from collections.abc import Callable
from typing import NamedTuple

from scripts.simulate.whole import deeds, mishaps


class Verb(NamedTuple):
    """What is done, and its weight among the others."""

    do: Callable[..., str]
    weight: float


VERBS = {
    "publish": Verb(deeds.publish, 2),
    "revise": Verb(deeds.revise, 2),
    "erase": Verb(deeds.erase, 1.5),
    "ask": Verb(deeds.ask, 9),
    "keeper_acts": Verb(deeds.keeper_acts, 9),
    "asker_acts": Verb(deeds.asker_acts, 4),
    "haggle": Verb(deeds.haggle, 6),
    "forget": Verb(deeds.forget, 0.3),
    "jobs": Verb(deeds.jobs, 4),
    "visit": Verb(deeds.visit, 14),
    "visits_due": Verb(deeds.visits_due, 1),
    "introduce": Verb(deeds.introduce, 1),
    "accept": Verb(deeds.accept, 1),
    "cut": Verb(mishaps.cut, 1),
    "heal": Verb(mishaps.heal, 1),
    "minutes_pass": Verb(mishaps.minutes_pass, 2),
    "days_pass": Verb(mishaps.days_pass, 1.5),
    "months_pass": Verb(mishaps.months_pass, 0.2),
    "skew_clock": Verb(mishaps.skew_clock, 0.5),
    "true_clock": Verb(mishaps.true_clock, 1),
    "restart": Verb(mishaps.restart, 0.5),
    "crash": Verb(mishaps.crash, 1.5),
    "copy_house": Verb(mishaps.copy_house, 1),
    "put_back": Verb(mishaps.put_back, 1),
    "admin_speaks": Verb(mishaps.admin_speaks, 1.5),
    "rotate": Verb(mishaps.rotate, 0.4),
    "fill_stick": Verb(mishaps.fill_stick, 1),
    "empty_stick": Verb(mishaps.empty_stick, 1),
    "forge": Verb(mishaps.forge, 0.7),
    "say_again": Verb(mishaps.say_again, 1),
    "say_late": Verb(mishaps.say_late, 1),
}
WEIGHTS = {name: verb.weight for name, verb in VERBS.items()}
ALSO = (
    "fault: unreachable",
    "clock: 1970",
    "clock: by hours or a day",
    "clock: months or years ahead",
    "put back: database",
    "put back: whole machine",
    "died inside its answer",
    "died inside its own act",
    "ask: another town's thing",
    "act: approve",
    "act: decline",
    "act: hand_over",
    "act: take_back",
    "act: withdraw",
    "act: revoke",
    "act between towns: approve",
    "act between towns: decline",
    "act between towns: hand_over",
    "act between towns: withdraw",
    "act: counter",
    "act: propose",
    "act: change",
    "act: accept",
    "act: keep",
    "act: renew",
    "act between towns: counter",
    "act between towns: accept",
    "act between towns: change",
    "ask: in line",
    "both know: approved",
    "both know: cancelled",
    "both know: handed_over",
    "restore mode",
)
