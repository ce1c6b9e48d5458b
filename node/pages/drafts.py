"""A listing as a person writes it: the fields all practices share, read together with their own."""

from typing import Any

from flask import request

from node.domain.errors import Invalid, Problem
from node.domain.listing import PHOTOS_MAX, TEXT_MAX, TITLE_MAX, Photo, Place, rounded
from node.domain.practice import Practice
from node.domain.schema import Field, Struct, typed
from node.domain.words import N_
from node.pages.here import town
from node.places import communes
from node.store.catalogue import blobs
from node.store.network import towns

TITLE = Field("title", "text", N_("Title"), required=True, max_length=TITLE_MAX)
TEXT = Field(
    "text",
    "long",
    N_("Description"),
    N_("What it is, in what condition, how to use it. No name and no telephone number here."),
    max_length=TEXT_MAX,
)
PLACE = Field("place", "place", N_("Where"))
QUARTIER = Field("quartier", "text", N_("Quarter"), max_length=200)
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
ENDS = Field("ends", "day", N_("Last day it is offered"), N_("Leave empty to let it run."))
SHARED = (TITLE, TEXT, PLACE, QUARTIER, PHOTOS, WHO, ENDS)


def fields_of(practice: Practice) -> dict[str, Field]:
    """Return every field of a practice's form by name: its own words win over the shared ones."""
    fields = {each.name: each for each in SHARED}
    if len(practice.verbs) > 1:
        fields["verb"] = Field(
            "verb", "choice", N_("What do you propose?"), required=True, choices=practice.verbs
        )
    return {**fields, **{each.name: each for each in practice.schema.fields}}


def read(practice: Practice) -> Struct:
    """Return the body for the form that was sent; raises Invalid naming every field at once."""
    fields = tuple(fields_of(practice).values())
    problems: list[Problem] = []
    given: dict[str, Any] = {"lang": town().config.language}
    if len(practice.verbs) == 1:
        given["verb"] = practice.verbs[0][0]
    for gather in (
        lambda: typed(fields, request.form),
        lambda: _places(fields),
        lambda: {"photos": kept_photos()},
    ):
        try:
            given.update(gather())
        except Invalid as invalid:
            problems += invalid.problems
    if problems:
        raise Invalid(problems)
    return practice.schema.clean(request.form, **given)


def _places(fields: tuple[Field, ...]) -> dict[str, Place]:
    """Read every field of kind place: its name, its commune, and where that commune is."""
    problems: list[Problem] = []
    found: dict[str, Place] = {}
    for field in (each for each in fields if each.kind == "place"):
        try:
            place = _place(field)
        except Invalid as invalid:
            problems += invalid.problems
            continue
        if place is not None:
            found[field.name] = place
        elif field.required:
            problems.append(Problem(field.name, "required", N_("Please fill this in.")))
    if problems:
        raise Invalid(problems)
    return found


def _place(field: Field) -> Place | None:
    name = " ".join(request.form.get(field.name, "").split())[:200]
    said = " ".join(request.form.get(f"{field.name}_commune", "").split())[:80]
    if not name and not said:
        return None
    commune = _commune(said) if said else communes.find(town().config.insee)
    if commune is None:
        message = N_("We do not know the commune “%(commune)s”.")
        raise Invalid([Problem(field.name, "unknown_commune", message, {"commune": said})])
    here = towns.find(town().id)
    centre = (commune.lat_e6, commune.lon_e6)
    if centre[0] is None and here is not None:
        centre = (here.lat_e6, here.lon_e6)
    exact = request.form.get(f"{field.name}_exact") == "1"
    return rounded(
        Place(
            name=name or commune.name,
            insee=commune.insee,
            lat_e6=centre[0],
            lon_e6=centre[1],
            exact=exact,
        )
    )


def _commune(said: str) -> communes.Commune | None:
    if said.isdigit() and len(said) == 5:
        return next(iter(communes.by_postcode(said)), None) or communes.find(said)
    folded = communes.folded(said)
    return next(
        (each for each in communes.by_name(said) if communes.folded(each.name) == folded), None
    )


def kept_photos() -> list[Photo]:
    """Return the photos of the form: those kept before and not removed, and those sent now.

    Raises Invalid (photo_*).
    """
    removed = set(request.form.getlist("photos_remove"))
    kept = [_kept(name) for name in request.form.getlist("photos_kept") if name not in removed]
    sent = [each for each in request.files.getlist("photos") if each.filename]
    alt = " ".join(request.form.get("photos_alt", "").split())[:200]
    new = [town().photos.keep(each.stream, alt) for each in sent[:PHOTOS_MAX]]
    return [each for each in kept if each is not None][: PHOTOS_MAX - len(new)] + new


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


def values_of(body: Any) -> dict[str, Any]:
    """Return a body as the values its form shows."""
    values = {name: getattr(body, name) for name in body.__struct_fields__}
    for name, value in values.items():
        if isinstance(value, Place):
            commune = communes.find(value.insee) if value.insee else None
            values[name] = {
                "name": value.name,
                "commune": commune.name if commune else "",
                "exact": value.exact,
            }
    return values
