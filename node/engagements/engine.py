"""The engagements of one town: the one object pages, jobs and practices talk to."""

import contextlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from node.domain.capacity import Span
from node.domain.clock import Clock
from node.domain.errors import NotFound
from node.domain.lifecycle import State, Transition
from node.domain.practice import Registry
from node.domain.schema import Form, tidy
from node.domain.words import N_
from node.engagements import (
    absence,
    aiding,
    asking,
    closures,
    contacts,
    diary,
    forgetting,
    gate,
    home,
    line,
    news,
    parting,
    proposal,
    proposing,
    recovery,
    roles,
    staff,
    suspending,
    timeline,
    verdicts,
    words,
)
from node.engagements import sweep as sweeping
from node.engagements.between import arrivals, asker
from node.engagements.between.post import publish
from node.engagements.between.registers import REPLY, REQUEST, Deed
from node.engagements.conditions import Conditions
from node.engagements.ground import Ground, seen_of
from node.engagements.moves import note, record_deed
from node.engagements.proposal import Proposal
from node.engagements.rules import Rules
from node.engagements.staffing import Staffing
from node.engagements.talk import Talk
from node.engagements.telling import tell_asker, tell_keeper
from node.engagements.tickets import Tickets
from node.engagements.timeline import Step
from node.engagements.words import Words
from node.journal import profile
from node.journal.journal import Journal
from node.journal.logbook import Logbook
from node.store.catalogue import listings
from node.store.catalogue.listings import Listing
from node.store.database import write_tx
from node.store.promises import acts, claims, keepers
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement

REASON_MAX = 500
DAYS_SHOWN = 42


class Engagements:
    """Every call expects the town's database to be current."""

    def __init__(
        self, journal: Journal, registry: Registry, clock: Clock, zone: str = "Europe/Paris"
    ) -> None:
        self.ground = Ground(journal, registry, clock, zone)
        self.parting = parting.Parting(self.ground)
        self.talk = Talk(self.ground)
        self.staff = Staffing(self.ground)
        self.tickets = Tickets(self.ground)
        self.conditions = Conditions(self.ground)
        self.rules = Rules(self.ground)
        journal.on(REQUEST, self.on_request)
        journal.on(REPLY, self.on_reply)
        journal.on(profile.KIND, self.on_profile)
        journal.is_unheard = gate.is_unheard
        journal.on_own(REQUEST, self.on_own)
        journal.on_own(REPLY, self.on_own)

    # ── what a resident does ─────────────────────────────────────────────────────────────────

    def ask(self, listing: Listing, member_id: int, form: Form, engagement_id: bytes) -> Engagement:
        """Ask for a listing, ours or another town's; the same id again returns the first ask.

        `form` holds the practice's fields and: saw (see `saw`), name (shown to the keeper),
        email and phone, each with its tick share_email, share_phone (told only once accepted).
        Raises Invalid, Conflict, NotAllowed, NotFound.
        """
        with write_tx():
            home.pass_on_of(self.ground, listing)
            return asking.ask(self.ground, listing, member_id, form, engagement_id)

    def act(
        self,
        engagement_id: bytes,
        action: str,
        *,
        member_id: int,
        role: str,
        on_version: int | None = None,
        act_id: bytes,
        args: Mapping[str, str] | None = None,
        at_ms: int | None = None,
    ) -> Engagement:
        """Do `action` as asker, aide, keeper or staff; the same act id again changes nothing.

        An aide says in `args` how the asker agreed (consent); home's side may date it back to
        `at_ms` (UTC).
        `args` of a keeper: reason; email and phone with their ticks; of an act that brings other
        terms (`proposable`) the practice's fields. Raises Invalid, Conflict, NotAllowed, NotFound.
        """
        with write_tx():
            row = self.find(engagement_id)
            if acts.find(row.id, act_id) is not None:
                return row
            by = roles.doer(self.ground, row, member_id, role, action)
            on = row.version if on_version is None else on_version
            on = proposal.version_answered(row, action, on)
            told = aiding.told(args or {}) if by == aiding.AIDE else _told(args or {})
            deed = Deed(act_id, action, self.ground.now_ms(), by, on, told)
            deed = staff.dated(self.ground, row, deed, role, at_ms)
            deed = proposing.as_typed(self.ground, row, deed, args or {})
            if not self.ground.decides(row):
                row = asker.act(self.ground, row, deed, member_id)
                staff.trace(self.ground, row, deed, member_id)
                return row
            return self._decide(row, deed, member_id)

    def listing_closed(self, key: bytes) -> int:
        """Decline what was only asked of a listing of ours that was withdrawn; return how many."""
        with write_tx():
            return len(home.listing_gone(self.ground, key))

    def listing_changed(self, key: bytes) -> int:
        """Offer what a new revision of a listing of ours has more of; return how many offers."""
        with write_tx():
            listing = listings.find(self.ground.town, key)
            return len(line.pass_on(self.ground, listing)) if listing is not None else 0

    def forget(self, member_id: int) -> int:
        """Let go of a member's engagements before their account is erased; return how many."""
        with write_tx():
            return forgetting.forget(self.ground, member_id)

    def suspend(self, member_id: int) -> list[Engagement]:
        """End what a member only asked, or was asked; return their open promises."""
        with write_tx():
            return suspending.suspend(self.ground, member_id)

    def promised(self, member_id: int) -> list[Engagement]:
        """Return the open promises a member has a part in, newest first."""
        return suspending.promised(self.ground, member_id)

    # ── what arrives, and what the clock does ────────────────────────────────────────────────

    def on_request(self, record: Any, message: dict[int, Any] | None) -> None:
        """Judge another town's request (journal handler of request/1)."""
        self._once_heard(arrivals.on_request, record, message)

    def on_reply(self, record: Any, message: dict[int, Any] | None) -> None:
        """Apply another town's reply (journal handler of reply/1)."""
        self._once_heard(arrivals.on_reply, record, message)

    def on_own(self, record: Any, message: dict[int, Any] | None) -> None:
        """Meet a register of ours that this node lacked (journal handler of both kinds)."""
        recovery.came_home(self.ground, record, message)

    def heard(self, town: bytes, gen: int) -> int:
        """Take note of a whole visit to a partner that began under `gen`, our mark of restore."""
        return recovery.heard(self.ground, town, gen)

    def open_gate(self, town: bytes, by: str, member_id: int | None = None) -> bool:
        """Open the gate for a partner that cannot be heard; raises NotYet in restore mode.

        `by` is who takes the risk, as the audit names them. Returns whether it was closed.
        """
        return recovery.open_by_hand(self.ground, town, by, member_id)

    def keep_logbook(self, logbook: Logbook) -> int:
        """Bring the rows to where the logbook ends, and write to it from now on.

        Returns how many rows were behind it.
        """
        count = recovery.replay(self.ground, logbook)
        diary.keep(self.ground, logbook, line.settle)
        return count

    def _once_heard(self, arrived: Any, record: Any, message: dict[int, Any] | None) -> None:
        """What comes before its town was heard is only kept, and told again then."""
        if gate.is_unheard(record.origin):
            return
        with contextlib.suppress(gate.NotYet), write_tx():
            arrived(self.ground, record, message)

    def on_profile(self, record: Any, body: dict[str, Any] | None) -> None:
        """Seal again what is open to a town with a new key (journal handler of its card)."""
        arrivals.on_profile(self.ground, record, body)

    def sweep(self) -> int:
        """Let every deadline that has passed have its effect; return how many rows changed."""
        return sweeping.sweep(self.ground)

    # ── what pages read ──────────────────────────────────────────────────────────────────────

    def find(self, engagement_id: bytes) -> Engagement:
        """Return one engagement; raises NotFound."""
        row = rows.find(engagement_id)
        if row is None:
            raise NotFound("unknown_engagement", N_("That request is not known here."))
        return row

    def of_member(self, member_id: int) -> tuple[list[Engagement], list[Engagement]]:
        """Return what a member asked for and what was asked of them, newest first."""
        mine, town = rows.of_member(member_id), self.ground.town
        asked = [row for row in mine if row.asker == member_id]
        kept = [row for row in mine if row.keeper == member_id]
        named = rows.of_listings(town, keepers.of_member(member_id))
        received = {row.id: row for row in (*kept, *named) if row.asker != member_id}
        return asked, sorted(received.values(), key=lambda row: (-row.created_ms, row.id))

    def for_listing(self, origin: bytes, key: bytes) -> list[Engagement]:
        """Return the engagements with a listing, oldest first."""
        return rows.of_listing(origin, key)

    def open_for_listing(self, origin: bytes, key: bytes) -> list[Engagement]:
        """Return the engagements with a listing that are not over, oldest first."""
        return rows.open_of_listing(origin, key)

    def timeline(self, row: Engagement) -> tuple[Step, ...]:
        """Return the steps of an engagement, done and to come."""
        return timeline.steps(self.ground, row)

    def words(self, row: Engagement) -> Words:
        """Return the sentence a page may say of an engagement now."""
        return words.words(self.ground, row)

    def state(self, row: Engagement) -> State:
        """Return the state an engagement is in, as known here."""
        return self.ground.state(row)

    def states(self, row: Engagement) -> Mapping[str, State]:
        """Return the states of the table an engagement follows, by name."""
        return self.ground.lifecycle(row).states

    def roles(self, row: Engagement, member_id: int) -> tuple[str, ...]:
        """Return what a member is in an engagement: asker, keeper, staff; () for a stranger."""
        return roles.roles(self.ground, row, member_id)

    def may_see(self, row: Engagement, member_id: int) -> bool:
        """Return whether a member may read an engagement: who has a part in it, and the desk."""
        return roles.may_see(self.ground, row, member_id)

    def buttons(self, row: Engagement, member_id: int, role: str = "") -> tuple[Transition, ...]:
        """Return what this member may do now, as aide for the asker if `role` says so."""
        return roles.buttons(self.ground, row, member_id, role)

    def place(self, row: Engagement) -> int | None:
        """Return the place of an engagement in its waiting line, 1 for the next; None: in none."""
        return line.place(row)

    def proposal(self, row: Engagement) -> Proposal | None:
        """Return the other terms on the table of an engagement, None if there are none."""
        return proposal.on_table(row)

    def proposable(self, row: Engagement, member_id: int) -> tuple[Transition, ...]:
        """Return what this member may do now that needs a form of its own: other terms."""
        return roles.proposable(self.ground, row, member_id)

    def is_news(self, row: Engagement, kind: str, params: str, member_id: int) -> bool:
        """Return whether a notice queued earlier still tells a member something (see `news`)."""
        return news.is_news(self.ground, row, kind, params, member_id)

    def contact(self, row: Engagement, member_id: int) -> str:
        """Return the other side's contact, once it was promised and if they ticked it; else ""."""
        return contacts.of_other(self.ground, row, self.roles(row, member_id))

    def is_accepted(self, row: Engagement) -> bool:
        """Return whether there is a yes and no end yet: contacts are shown, slips printed."""
        return contacts.is_open(self.ground, row)

    def saw(self, listing: Listing) -> str:
        """Return what an ask form carries in its hidden field `saw`: what the asker was shown."""
        engaging = self.ground.rules(listing)
        return seen_of(engaging, self.ground.body(listing)).hex()

    def terms(self, listing: Listing, form: Form) -> dict[str, Any]:
        """Return the terms that `form` would ask for today; raises Invalid."""
        engaging, body = self.ground.rules(listing), self.ground.body(listing)
        today = self.ground.today(self.ground.now_ms())
        return engaging.terms(body, engaging.asked(body, form), today)

    def days(
        self, listing: Listing, chosen: Iterable[int] = (), count: int = DAYS_SHOWN
    ) -> list[dict[str, Any]]:
        """Return {day: day number, is_open, free, chosen} for the next days of a listing.

        Open means: the thing can be fetched or brought back that day; free: and one copy is not
        promised, nor is it being mended. Of another town's listing only that town knows.
        """
        engaging, body = self.ground.rules(listing), self.ground.body(listing)
        first = self.ground.today(self.ground.now_ms())
        taken = claims.taken(listing.origin, listing.key, first, first + count)
        held = Counter(day for _, day in taken + absence.late(self.ground, listing))
        copies, picked = engaging.copies(body), set(chosen)
        shut = closures.closed(self.ground, listing, Span(first, first + count))
        return [
            {
                "day": day,
                "is_open": engaging.open_on(body, day),
                "free": held[day] < copies and day not in shut and engaging.open_on(body, day),
                "chosen": day in picked,
            }
            for day in range(first, first + count)
        ]

    # ── inside ───────────────────────────────────────────────────────────────────────────────

    def _decide(self, row: Engagement, deed: Deed, member_id: int) -> Engagement:
        role = "asker" if deed.by in ("self", aiding.AIDE) else "keeper"
        if not self.ground.is_here(row):
            gate.check_town(row.asker_town)
        row, code = home.judge(self.ground, row, deed, role)
        waits = code == verdicts.PENDING and role == "asker"
        if code != verdicts.OK and not waits:
            raise verdicts.refusal(code)
        if role == "asker":
            record_deed(row, deed, member_id)
            acts.judge(row.id, deed.id, code, deed.at_ms)
            tell_keeper(self.ground, row)
        else:
            typed_ms = self.ground.now_ms()
            note(
                row, deed.id, deed.action, deed.at_ms, deed.by, member=member_id, typed_ms=typed_ms
            )
            row = home.pass_on(self.ground, row)  # what was dated back may be over by now
            tell_asker(self.ground, row)
        staff.trace(self.ground, row, deed, member_id)
        publish(self.ground, row)
        return rows.find(row.id)


def _told(args: Mapping[str, str]) -> dict[str, str]:
    told = {"reason": tidy(args.get("reason", ""))[:REASON_MAX]}
    told["contact"] = contacts.ticked(args)
    return {name: text for name, text in told.items() if text}
