"""`town.profile/1`: what a town says of itself, signed like everything else it says.

What changes often lives here and not in the keyset: name, address, this month's sealing key.
The register's key is the same in every town, so a profile is found without asking.
"""

import hashlib
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from node.domain.listing import Line
from node.domain.schema import checked

KIND = "town.profile/1"
KEY = hashlib.sha256(b"lavoir-profile/1").digest()[:16]


class Profile(msgspec.Struct, kw_only=True, omit_defaults=True, frozen=True):
    """The public card of a town; positions in millionths of a degree."""

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    hpke: Annotated[bytes, Meta(min_length=32, max_length=32)]
    insee: Annotated[str, Meta(max_length=5)] = ""
    url: Annotated[str, Meta(max_length=300)] = ""
    lat_e6: Annotated[int, Meta(ge=-90_000_000, le=90_000_000)] | None = None
    lon_e6: Annotated[int, Meta(ge=-180_000_000, le=180_000_000)] | None = None
    manager: Line = ""
    contact: Line = ""
    lang: Annotated[str, Meta(max_length=8)] = "fr"


def read(body: Any) -> Profile:
    """Return the profile in a record's body; raises Invalid."""
    return checked(Profile, body)


def columns(said: Profile) -> dict[str, Any]:
    """Return a profile as the columns of the towns' table."""
    return msgspec.structs.asdict(said)
