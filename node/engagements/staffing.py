"""The acts that only staff do, as pages call them: for somebody, more time, a place in the line."""

from node.domain.schema import Form
from node.engagements import asking, keeping, line, roles, staff, verdicts
from node.engagements.between.post import publish
from node.engagements.between.registers import Deed
from node.engagements.ground import Ground
from node.engagements.telling import tell_asker
from node.store.catalogue.listings import Listing
from node.store.database import write_tx
from node.store.people import members
from node.store.promises import acts
from node.store.promises import engagements as rows
from node.store.promises.engagements import Engagement


class Staffing:
    """Every call expects the town's database to be current, and is one transaction."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground

    def ask_for(
        self, listing: Listing, aide_id: int, form: Form, engagement_id: bytes
    ) -> Engagement:
        """Write an ask down for somebody without a device; the same id again changes nothing.

        `form` as of `Engagements.ask`, and person (number of an account) or person_name, and
        consent: paper or spoken. Raises Invalid, Conflict, NotAllowed, NotFound.
        """
        with write_tx():
            is_new = rows.find(engagement_id) is None
            row = asking.ask_for(self.ground, listing, aide_id, form, engagement_id)
            if is_new:
                staff.trace_ask(self.ground, row, aide_id)
            return row

    def extend(self, row: Engagement, form: Form, *, member_id: int, act_id: bytes) -> Engagement:
        """Give more time; the same act id again changes nothing.

        `form` holds the fields of the practice's rule. Raises Invalid, Conflict, NotAllowed.
        """
        with write_tx():
            row = rows.find(row.id)
            if acts.find(row.id, act_id) is not None:
                return row
            by = roles.keeping_side(self.ground, row, member_id)
            deed = Deed(act_id, staff.EXTEND, self.ground.now_ms(), by)
            row = staff.extend(self.ground, row, form, deed, member_id)
            tell_asker(self.ground, row)
            publish(self.ground, row)
            return rows.find(row.id)

    def bump(self, row: Engagement, place: int | None, *, member_id: int) -> Engagement:
        """Put a request before whoever has `place` in its line (1: the next), None: at its end.

        Raises Conflict (in no line), NotAllowed.
        """
        with write_tx():
            row = rows.find(row.id)
            by = roles.keeping_side(self.ground, row, member_id)
            row = line.bump(self.ground, row, line.at_place(row, place), by=by, member=member_id)
            deed = Deed(b"", line.BUMP, self.ground.now_ms(), by)
            staff.trace(self.ground, row, deed, member_id)
            publish(self.ground, row)
            return rows.find(row.id)

    def forget_name(self, row: Engagement, *, member_id: int) -> Engagement:
        """Take away the name of somebody without an account; raises NotAllowed, Conflict."""
        with write_tx():
            row = rows.find(row.id)
            is_typed = row.asker is None and row.asker_town == self.ground.town
            if not is_typed or not keeping.is_desk(members.find(member_id)):
                raise verdicts.refusal(verdicts.NOT_ALLOWED)
            row = staff.forget_name(self.ground, row)
            publish(self.ground, row)
            return rows.find(row.id)
