"""The presence: at a visit a partner is shown which start of our node this is, when it must be."""

import logging

from federation import boot
from federation.channel import Channel
from federation.errors import RemoteProtocolError
from federation.limits import OCTETS
from federation.session import Request
from node.journal import twins
from node.journal.journal import Journal

log = logging.getLogger(__name__)


def show(channel: Channel, journal: Journal, partner: bytes) -> None:
    """Show our start if the partner has not seen it, or had to be greeted anew: that is how a node
    learns that another one spoke for its town meanwhile. It then shows the new one it took.
    """
    if channel.hellos or not twins.is_shown(partner):
        _shown(channel, journal, partner)
    if not twins.is_shown(partner):
        _shown(channel, journal, partner)


def _shown(channel: Channel, journal: Journal, partner: bytes) -> None:
    raw = twins.to_show(journal.keyring.signing, journal.town, partner)
    if not raw:
        return
    try:
        answer = channel.post(Request(boot.PATH, raw, OCTETS))
    except RemoteProtocolError as error:
        if error.code != "not_found":  # a node of an earlier version
            raise
        return
    keysets = journal.store.keysets(journal.town)
    if twins.heard(answer, journal.town, partner, keysets, journal.clock.now_ms()):
        log.error("another node speaks with the keys of this town; nothing is signed any more")
