"""All tables, for the few who mean every one of them: the drift test, exports, `status`."""

from node.store.audit import AuditEntry
from node.store.catalogue.blobs import Blob, DoomedPhoto
from node.store.catalogue.codes import ListingCode
from node.store.catalogue.facets import Facet
from node.store.catalogue.holdings import Holding
from node.store.catalogue.listings import Listing, ListingSearch
from node.store.erasures.acks import ErasureAck
from node.store.erasures.burials import Burial
from node.store.jobs import JobLease
from node.store.marks import Mark
from node.store.network.agreements import Agreement, LetAsk
from node.store.network.arrivals import Arrival
from node.store.network.carriages import Carriage
from node.store.network.exchanges import Exchange
from node.store.network.hints import Hint
from node.store.network.introductions import Introduction
from node.store.network.nonces import Nonce
from node.store.network.partners import Partner
from node.store.network.quarantine import Quarantined
from node.store.network.reaches import Contact, Reach
from node.store.network.refusals import Refusal
from node.store.network.sightings import Sighting
from node.store.network.strikes import Strike
from node.store.network.successions import Succession
from node.store.network.towns import TownRow
from node.store.notices import Notice
from node.store.people.calendars import CalendarKey
from node.store.people.desk_words import DeskWord
from node.store.people.invitations import Invitation
from node.store.people.login_codes import LoginCode
from node.store.people.members import Member
from node.store.people.quartiers import Quartier
from node.store.people.reports import Report
from node.store.people.sessions import Session
from node.store.people.tokens import FormToken
from node.store.promises.acts import Act
from node.store.promises.claims import Claim
from node.store.promises.doubts import Doubt
from node.store.promises.engagements import Engagement
from node.store.promises.habilitations import Habilitation
from node.store.promises.heard import Heard
from node.store.promises.keepers import Keeper
from node.store.promises.messages import Message
from node.store.promises.reminders import Reminder
from node.store.promises.tallies import Share, Tally
from node.store.promises.tickets import Ticket
from node.store.promises.unlogged import Unlogged
from node.store.promises.voices import Voice
from node.store.rates import Rate
from node.store.sets.checkpoints import CheckpointRow, Distrust, GapRow, RunListRow
from node.store.sets.completeness import CompletenessRow
from node.store.sets.keysets import KeysetRow
from node.store.sets.memory import Remembered
from node.store.sets.origins import Origin
from node.store.sets.records import RecordRow
from node.store.sets.rivals import Rival
from node.store.sets.sums import SetSum
from node.store.sets.waiting import Unverified

READ_MODELS = (Listing, ListingSearch, Facet, TownRow)
TABLES = (
    Mark, JobLease, Rate, AuditEntry, Notice,
    KeysetRow, Rival, Origin, RecordRow, SetSum, Remembered,
    Partner, Succession, Nonce, Introduction, Exchange, Refusal,
    Quarantined, Strike, Sighting, Carriage, Arrival,
    CheckpointRow, RunListRow, GapRow, Unverified, Distrust, CompletenessRow, Hint,
    *READ_MODELS, ListingCode, Holding, Blob,
    Burial, ErasureAck, DoomedPhoto,
    Agreement, LetAsk, Contact, Reach, CalendarKey,
    Member, LoginCode, Session, FormToken, Invitation, Quartier, Report, DeskWord,
    Engagement, Act, Claim, Tally, Share, Voice, Unlogged, Heard, Doubt, Keeper, Habilitation,
    Message, Reminder, Ticket,
)  # fmt: skip
