"""By what a ride is found and matched: the pairs the read model keeps beside the listing."""

import unicodedata
from collections.abc import Iterator

from node.domain.capacity import calendar_day
from node.domain.listing import Place
from node.domain.practice import Facets
from node.practices.rides.schema import Ride


def facets(body: Ride) -> Facets:
    """Return (name, value) pairs: verb, type, insee, commune, from, to, stop and weekday (0-6).

    A commune is named by its INSEE code where it is known, else by its name without accents.
    """
    return tuple(dict.fromkeys(_pairs(body)))


def commune_key(place: Place) -> str:
    """Return what names the commune of a place when two trips are compared."""
    if place.insee:
        return place.insee
    plain = unicodedata.normalize("NFD", place.name.casefold())
    letters = (c if c.isalnum() else " " for c in plain if unicodedata.category(c) != "Mn")
    return " ".join("".join(letters).split())


def _pairs(body: Ride) -> Iterator[tuple[str, str]]:
    yield "verb", body.verb
    if body.place and body.place.insee:
        yield "insee", body.place.insee
    if body.carpool_place:
        yield from _place_pairs(body)
    for name, place in (("from", body.departure), ("to", body.arrival)):
        if place:
            yield name, commune_key(place)
    for stop in body.stops:
        yield "stop", commune_key(stop)
        if stop.ref:
            yield "stop", stop.ref
    for number in body.weekdays:
        yield "weekday", str(number)
    if body.day is not None:
        yield "weekday", str(calendar_day(body.day).weekday())


def _place_pairs(body: Ride) -> Iterator[tuple[str, str]]:
    if body.carpool_place.commune:
        yield "commune", commune_key(Place(name=body.carpool_place.commune))
    if body.carpool_place.sort:
        yield "type", body.carpool_place.sort
