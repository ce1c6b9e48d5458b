"""What goes wrong in the light tier: links, clocks, crashes, old copies, forgers, late sticks."""

from typing import TYPE_CHECKING

from federation.record import LIVE, Draft, live_until, sign
from federation.stamp import DAY_MS, as_of_day, stamp_at
from scripts.simulate.light.town import KIND, LightTown
from scripts.simulate.plan import Step
from scripts.simulate.wire import Said

if TYPE_CHECKING:
    from scripts.simulate.light.world import LightWorld

HOUR_MS = 3_600_000
SKEWS_MS = (3 * HOUR_MS, -5 * HOUR_MS, 25 * HOUR_MS, -25 * HOUR_MS, 10 * HOUR_MS)
AHEAD_DAYS = (60, 200, 3 * 365)
STICKS = 6


class Mishaps:
    """The half of a light world that does harm; each method is a verb."""

    def _cut(self: "LightWorld", town: LightTown, step: Step) -> str:
        peers = sorted(town.partners)
        others = peers if step.numbers[1] % 3 == 0 else [peers[step.pick(2, peers)]]
        self.wire.cuts |= {frozenset((town.name, self.by_id[each].name)) for each in others}
        return f"{len(others)}"

    def _heal(self: "LightWorld", town: LightTown, step: Step) -> str:
        mended = [cut for cut in self.wire.cuts if town.name in cut]
        self.wire.cuts.difference_update(mended)
        return f"{len(mended)}" if mended else "nothing"

    def _crash(self: "LightWorld", town: LightTown, step: Step) -> str:
        town.start()
        return ""

    def _copy_house(self: "LightWorld", town: LightTown, step: Step) -> str:
        town.copy_house()
        return ""

    def _restore(self: "LightWorld", _: LightTown, step: Step) -> str:
        copied = [town for town in self.towns if town.houses]
        if not copied:
            return "nothing"
        town = copied[step.pick(0, copied)]
        self.touched.add(town.name)
        town.restore(town.houses[step.pick(1, town.houses)])
        self.stamps.pop(town.name, None)
        return ""

    def _old_copy_signs(self: "LightWorld", _: LightTown, step: Step) -> str:
        """An old copy of a town, which never heard of an erasure, revises what is buried."""
        graves = [
            (town, grave)
            for town in self.towns
            for grave in sorted(r for r in town.held().values() if r.origin == town.id)
            if grave.is_tombstone and grave.stamp < stamp_at(self.time.now_ms)
        ]
        if not graves:
            return "nothing"
        town, grave = graves[step.pick(1, graves)]
        lived = [r for r in self.said.values() if r.register == grave.register and r.state == LIVE]
        last = max(lived, key=lambda record: record.stamp)
        if last.expires * 1000 <= self.time.now_ms:
            return "nothing"
        draft = Draft(
            origin=town.id, keyset=town.keyset.number, key=last.key,
            stamp=stamp_at(self.time.now_ms), expires=last.expires, scope=last.scope,
            kind=KIND, body=b"revived", to=last.to,
        )  # fmt: skip
        late = sign(draft, town.key)
        self.said[late.id] = late
        readers = sorted(town.partners)
        reader = self.by_id[readers[step.pick(3, readers)]]
        self.touched.add(reader.name)
        return self._brought(reader, town, [late.raw])

    def _skew_clock(self: "LightWorld", town: LightTown, step: Step) -> str:
        number = step.numbers[1] % 8
        if number < len(SKEWS_MS):
            town.clock_off_ms = SKEWS_MS[number]
            kind = "by hours or a day"
        elif number == 7:
            town.clock_off_ms = AHEAD_DAYS[step.pick(2, AHEAD_DAYS)] * DAY_MS
            kind = "months or years ahead"
        else:
            town.clock_off_ms, kind = -self.time.now_ms + HOUR_MS, "1970"
        self.trace.count(f"clock: {kind}")
        return kind

    def _true_clock(self: "LightWorld", town: LightTown, step: Step) -> str:
        was, town.clock_off_ms = town.clock_off_ms, 0
        return "" if was else "nothing"

    def _hours_pass(self: "LightWorld", town: LightTown, step: Step) -> str:
        self.time.now_ms += (1 + step.numbers[1] % 30) * HOUR_MS + step.numbers[2] % HOUR_MS
        return ""

    def _days_pass(self: "LightWorld", town: LightTown, step: Step) -> str:
        self.time.now_ms += (1 + step.numbers[1] % 20) * DAY_MS
        return ""

    def _months_pass(self: "LightWorld", town: LightTown, step: Step) -> str:
        self.time.now_ms += (30 + step.numbers[1] % 200) * DAY_MS
        return ""

    def _sweep(self: "LightWorld", town: LightTown, step: Step) -> str:
        gone = town.store.sweep(as_of_day(town.now_ms()))
        self.trace.count("expired and swept", gone)
        return f"{gone}"

    # ── other ways ──

    def _fill_stick(self: "LightWorld", town: LightTown, step: Step) -> str:
        """Copy onto a stick what one partner may see; it may be carried much later."""
        peers = sorted(town.partners)
        peer = peers[step.pick(1, peers)]
        seen = town.store.raws(sorted(town.held()), peer)
        self.sticks = [*self.sticks[1 - STICKS :], (town, self.by_id[peer], list(seen.values()))]
        return f"{len(seen)}"

    def _empty_stick(self: "LightWorld", town: LightTown, step: Step) -> str:
        """Bring a stick to the town it was filled for, in any order."""
        if not self.sticks:
            return "nothing"
        filler, reader, raws = self.sticks[step.pick(1, self.sticks)]
        mixed = list(raws)
        self.chance.rng.shuffle(mixed)
        self.touched.add(reader.name)
        return self._brought(reader, filler, mixed)

    def _brought(
        self: "LightWorld", reader: LightTown, carrier: LightTown, raws: list[bytes]
    ) -> str:
        verdicts = reader.admit(raws, carrier.id, reader.now_ms())
        for each in verdicts:
            self.trace.count(f"verdict: {each.code}")
            if each.code == "stored" and each.id in self.said:
                self.acknowledge(reader, self.said[each.id])
        return f"{reader.name} {sum(each.code == 'stored' for each in verdicts)}"

    def _forge(self: "LightWorld", town: LightTown, step: Step) -> str:
        """A carrier alters a record, or signs one in another town's name."""
        held = sorted(r for r in town.held().values() if r.origin != town.id)
        if not held:
            return "nothing"
        victim = held[step.pick(1, held)]
        if step.numbers[2] % 2:
            raw = victim.raw[:-1] + bytes((victim.raw[-1] ^ 1,))
        else:
            draft = Draft(
                origin=victim.origin, keyset=victim.keyset, key=victim.key,
                stamp=victim.stamp + (1 << 16),
                expires=min(victim.expires, live_until(victim.stamp)),
                scope=victim.scope, kind=KIND, body=b"forged", to=victim.to,
            )  # fmt: skip
            raw = sign(draft, town.key).raw
        readers = sorted(town.partners)
        reader = self.by_id[readers[step.pick(3, readers)]]
        self.touched.add(reader.name)
        return self._brought(reader, town, [raw])

    def _say_again(self: "LightWorld", town: LightTown, step: Step) -> str:
        said = self.wire.say_again(step.numbers[1])
        return self._whispered(said)

    def _say_late(self: "LightWorld", town: LightTown, step: Step) -> str:
        said = self.wire.say_late(step.numbers[1])
        return self._whispered(said)

    def _whispered(self: "LightWorld", said: Said | None) -> str:
        if said is None:
            return "nothing"
        self.touched.add(said.to)
        return f"{said.to} {said.request.path}"
