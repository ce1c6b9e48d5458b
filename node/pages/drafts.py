"""A listing as a person writes it: the fields all practices share, read together with their own."""

from dataclasses import dataclass
from dataclasses import field as made
from typing import Any

from flask import request

from federation.record import SCOPE_PARTNERS, SCOPE_PUBLIC
from node.domain.errors import Invalid, Problem
from node.domain.listing import PHOTOS_MAX, TEXT_MAX, TITLE_MAX, Photo, Place, rounded
from node.domain.practice import Practice
from node.domain.schema import Field, Struct, typed
from node.domain.words import N_
from node.pages import quartiers
from node.pages.here import town
from node.places import communes
from node.store.catalogue import blobs

TITLE = Field("title", "text", N_("Title"), required=True, max_length=TITLE_MAX)
TEXT = Field(
    "text",
    "long",
    N_("Description"),
    N_("What it is, in what condition, how to use it. No name and no telephone number here."),
    max_length=TEXT_MAX,
)
PLACE = Field("place", "place", N_("Where"))
PHOTOS = Field("photos", "photos", N_("Photos"))
WHO = Field(
    "who",
    "choice",
    N_("Who may ask"),
    required=True,
    choices=(
        ("partners", N_("Our town and its partner towns")),
        ("town", N_("Only our town")),
    ),
)
SEEN = Field(
    "seen",
    "choice",
    N_("Who may read it"),
    N_("For residents alone, it is in no public list, and no town passes it on to another."),
    required=True,
    choices=(
        ("all", N_("Everyone")),
        ("partners", N_("Residents of our town and its partner towns, signed in")),
    ),
)
ENDS = Field("ends", "day", N_("Last day it is offered"), N_("Leave empty to let it run."))
SHARED = (TITLE, TEXT, PLACE, PHOTOS, WHO, ENDS)
SCOPES = {"all": SCOPE_PUBLIC, "partners": SCOPE_PARTNERS}
FEW = 5  # choices of which the first will do for most people


def fields_of(practice: Practice, quartier: str = "") -> dict[str, Field]:
    """Return every field of a practice's form by name: its own words win over the shared ones.

    But for the quartier, which is one of the town's list; `quartier` is what a listing says now.
    """
    fields = {each.name: each for each in SHARED}
    if len(practice.verbs) > 1:
        fields["verb"] = Field(
            "verb", "choice", N_("What do you propose?"), required=True, choices=practice.verbs
        )
    fields |= {each.name: each for each in practice.schema.fields}
    fields.pop("quartier", None)
    chosen = quartiers.field(quartier)
    return {**fields, "quartier": chosen} if chosen is not None else fields


def read(practice: Practice, photos: "Photos", old: Any = None) -> Struct:
    """Return the body for the form that was sent; raises Invalid naming every field at once.

    `old` is the body being changed: what no field of the form spells (the open data it came from,
    whether it is paused) stays as it was, and so does a place that was not touched.
    """
    before = old.quartier if old is not None else ""
    fields = fields_of(practice, before)
    problems = list(photos.problems)
    given = _unspelled(old, fields) if old is not None else {"lang": town().config.language}
    given["photos"] = photos.kept
    if len(practice.verbs) == 1 and "verb" not in fields:
        given["verb"] = practice.verbs[0][0]
    for gather in (
        lambda: typed(tuple(fields.values()), request.form),
        lambda: _places(tuple(fields.values()), old),
    ):
        try:
            given.update(gather())
        except Invalid as invalid:
            problems += invalid.problems
    if problems:
        raise Invalid(problems)
    quartier = given.pop("quartier", "" if "quartier" in fields else before)
    return quartiers.settle(practice.schema.clean(request.form, **given, quartier=""), quartier)


def scope() -> int:
    """Return the scope that was chosen: whose record it will be; anything unknown is narrow."""
    return SCOPES.get(request.form.get("seen", "all"), SCOPE_PARTNERS)


def seen(scope: int) -> str:
    """Return the choice that stands for a scope."""
    return next(name for name, each in SCOPES.items() if each == scope)


def _unspelled(old: Any, fields: dict[str, Field]) -> dict[str, Any]:
    return {name: getattr(old, name) for name in old.__struct_fields__ if name not in fields}


def _places(fields: tuple[Field, ...], old: Any = None) -> dict[str, Place]:
    """Read every field of kind place: its name, its commune, and where that commune is."""
    problems: list[Problem] = []
    found: dict[str, Place] = {}
    before = values_of(old) if old is not None else {}
    for field in (each for each in fields if each.kind == "place"):
        if field.name in before and before[field.name] == typed_place(field):
            place = getattr(old, field.name)
        else:
            place = _place(field, problems)
        if place is not None:
            found[field.name] = place
        elif field.required:
            problems.append(Problem(field.name, "required", N_("Please fill this in.")))
    if problems:
        raise Invalid(problems)
    return found


def typed_place(field: Field) -> dict[str, Any]:
    """Return what was typed for a place, as its field shows it again."""
    return {
        "name": " ".join(request.form.get(field.name, "").split())[:200],
        "commune": " ".join(request.form.get(f"{field.name}_commune", "").split())[:80],
        "exact": request.form.get(f"{field.name}_exact") == "1",
    }


def _place(field: Field, problems: list[Problem]) -> Place | None:
    told = typed_place(field)
    name, said = told["name"], told["commune"]
    if not name and not said:
        return None
    commune = _commune(said) if said else communes.find(town().config.insee)
    if commune is None:
        message = N_("We do not know the commune “%(commune)s”.")
        problems.append(Problem(field.name, "unknown_commune", message, {"commune": said}))
        return None
    return rounded(
        Place(
            name=name or commune.name,
            insee=commune.insee,
            lat_e6=commune.lat_e6,
            lon_e6=commune.lon_e6,
            exact=told["exact"],
        )
    )


def _commune(said: str) -> communes.Commune | None:
    if said.isdigit() and len(said) == 5:
        return next(iter(communes.by_postcode(said)), None) or communes.find(said)
    folded = communes.folded(said)
    return next(
        (each for each in communes.by_name(said) if communes.folded(each.name) == folded), None
    )


@dataclass
class Photos:
    """The photos of a form: those kept before and not removed, those sent now, what was refused."""

    kept: list[Photo] = made(default_factory=list)
    problems: list[Problem] = made(default_factory=list)


def photos() -> Photos:
    """Return the photos of the form that was sent; what is kept is on our shelf from now on.

    Slow: never inside a transaction. So a form that is refused for another field shows them again.
    """
    removed = set(request.form.getlist("photos_remove"))
    names = [each for each in request.form.getlist("photos_kept") if each not in removed]
    found = Photos([each for each in map(_kept, names[:PHOTOS_MAX]) if each is not None])
    alt = " ".join(request.form.get("photos_alt", "").split())[:200]
    for sent in (each for each in request.files.getlist("photos") if each.filename):
        if len(found.kept) == PHOTOS_MAX:
            message = N_("At most %(max)d photos, please.")
            found.problems.append(Problem("photos", "too_many", message, {"max": PHOTOS_MAX}))
            break
        try:
            found.kept.append(town().photos.keep(sent.stream, alt))
        except Invalid as invalid:
            found.problems += invalid.problems
    return found


def photo_name(kept: Photo) -> str:
    """Return how a form names a photo it keeps."""
    return f"{kept.hash.hex()}:{kept.alt}"


def _kept(name: str) -> Photo | None:
    digest_hex, _, alt = name.partition(":")
    try:
        digest = bytes.fromhex(digest_hex)
    except ValueError:
        return None
    held = blobs.find(digest)
    if held is None or held.status != "local":
        return None
    return Photo(
        hash=digest, width=held.width, height=held.height, size=held.size_bytes, alt=alt[:200]
    )


def blank(practice: Practice) -> dict[str, Any]:
    """Return the values an empty form begins with: the body's own defaults, where there are few.

    A long list of choices begins with none: it is there to be chosen from. What has a usual
    answer, once the others are known, is left empty.
    """
    try:
        values = values_of(practice.schema.read({"title": "-"}))
    except Invalid:
        return {"who": "partners"}
    fields, left = fields_of(practice), {"title", *practice.schema.usual(values)}
    return {
        name: value
        for name, value in values.items()
        if name in fields and name not in left and len(fields[name].choices) <= FEW
    }


def values_of(body: Any) -> dict[str, Any]:
    """Return a body as the values its form shows."""
    values = {name: getattr(body, name) for name in body.__struct_fields__}
    values["quartier"] = quartiers.value_of(body)
    for name, value in values.items():
        if isinstance(value, Place):
            commune = communes.find(value.insee) if value.insee else None
            values[name] = {
                "name": value.name,
                "commune": commune.name if commune else "",
                "exact": value.exact,
            }
    return values
