"""The contacts: what each side ticked for the other to read, from the yes until it is over.

An address of mail and a telephone are ticked apart. What was not ticked is not kept.
"""

from collections.abc import Mapping

from node.domain.lifecycle import ACCEPT, Lifecycle
from node.domain.schema import Form, said, tidy
from node.engagements.ground import Ground, read
from node.store.promises.engagements import Engagement

CONTACT_MAX = 200
WAYS = (("share_email", "email"), ("share_phone", "phone"), ("share", "contact"))


def ticked(form: Form, known: Mapping[str, str | None] | None = None) -> str:
    """Return what was ticked in a form, one way a line, "" for nothing.

    `known` is what the account says, for what was ticked and left empty. `share` with `contact`,
    both in one, is what pages kept on a phone still send.
    """
    account, told = known or {}, []
    for tick, way in WAYS:
        if tidy(said(form, tick)):
            told.append(" ".join(tidy(said(form, way)).split()) or account.get(way) or "")
    return "\n".join(dict.fromkeys(each for each in told if each))[:CONTACT_MAX]


def is_open(ground: Ground, row: Engagement) -> bool:
    """Return whether each side may read what the other ticked: there is a yes, and no end yet."""
    if row.home != ground.town and row.version == 0:
        return False
    return row.state in accepted(ground.lifecycle(row))


def accepted(lifecycle: Lifecycle) -> frozenset[str]:
    """Return the open states of a table in which both sides said yes.

    They are those that hold something and wait for no `accept` of the asker, and all that follow.
    """
    before = {lifecycle.start, lifecycle.waiting, lifecycle.holding}
    before |= {each.before for each in lifecycle.transitions if each.action == ACCEPT}
    todo = [name for name in lifecycle.taking() if name not in before]
    found: set[str] = set()
    while todo:
        name = todo.pop()
        state = lifecycle.state(name)
        if name in found or name in before or state.final:
            continue
        found.add(name)
        todo += [each.after for each in lifecycle.transitions if each.before == name]
        todo.append(state.lapses_to)
    return frozenset(found)


def told(ground: Ground, row: Engagement, side: str) -> str:
    """Return what a side ticked, "" while the other may not read it."""
    held = str(read(row.contacts).get(side, ""))
    return held if held and is_open(ground, row) else ""


def of_other(ground: Ground, row: Engagement, roles: tuple[str, ...]) -> str:
    """Return what the other side ticked, for somebody with these roles; "" before the yes."""
    if not roles:
        return ""
    is_askers = "asker" in roles or roles == ("aide",)
    return told(ground, row, "keeper" if is_askers else "asker")
