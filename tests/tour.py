"""The tour: every page of the scenery that is looked at, in the order a person would see them."""

from node.domain.capacity import calendar_day
from node.store.catalogue import listings
from tests.drawings import BARROW, SEWING, TENT, TRAILER
from tests.scenery import REQUESTS_SHOWN, TODAY, Scenery


def _first(scenery: Scenery, practice: str, of: str = "") -> str:
    """Return the code of one listing of a practice, of another town or `of` one, in Quimper."""
    row = listings.Listing
    with scenery.place("Quimper").inside() as town:
        origin = row.origin == scenery.place(of).town.id if of else row.origin != town.id
        wanted = (row.practice == practice) & origin
        return str(row.select().where(wanted).order_by(row.title).first().code)


def pages_of(scenery: Scenery) -> list[tuple[str, str, str]]:
    """Return every page of Quimper: (name, who looks at it or "" for a visitor, path)."""
    looked_at = {
        "": _visitors_pages(scenery),
        "Nolwenn": _residents_pages(scenery),
        "Maïwenn": _desk_pages(scenery),
    }
    return [(name, who, path) for who, pages in looked_at.items() for name, path in pages]


def _code(scenery: Scenery, of: str, title: str) -> str:
    return str(scenery.listing(of, title, held="Quimper").code)


def _slugs(scenery: Scenery) -> dict[str, str]:
    return {name: place.town.id.hex()[:12] for name, place in scenery.world.places.items()}


def _visitors_pages(scenery: Scenery) -> list[tuple[str, str]]:
    trailer, slug = _code(scenery, "Lorient", TRAILER), _slugs(scenery)
    return [
        ("home", "/"),
        ("home-words", "/?q=remorque"),
        ("home-rubric", "/?rubrique=covoiturage"),
        ("home-empty", "/?q=scaphandre&rubrique=objets&rayon=10"),
        ("map", "/carte"),
        ("listing-remote", f"/a/{trailer}"),
        ("listing-silent", f"/a/{_code(scenery, 'Vannes', TENT)}"),
        ("listing-here", f"/a/{_code(scenery, 'Quimper', BARROW)}"),
        ("listing-gone", f"/a/{scenery.gone}"),
        ("listing-ride", f"/a/{_first(scenery, 'rides')}"),
        ("listing-place", f"/a/{_first(scenery, 'directory')}"),
        ("towns", "/villes"),
        ("town-here", f"/villes/{slug['Quimper']}"),
        ("town", f"/villes/{slug['Lorient']}"),
        ("town-silent", f"/villes/{slug['Vannes']}"),
        ("help", "/aide"),
        ("rules", "/regles"),
        ("accessibility", "/accessibilite"),
        ("privacy", "/donnees"),
        ("nowhere", "/nulle-part"),
        ("source", "/source"),
        ("spaces", "/espaces"),
        ("listing-space", f"/a/{_first(scenery, 'spaces')}"),
        ("space-week", f"/espaces/{_first(scenery, 'spaces', 'Quimper')}"),
        ("space-week-remote", f"/espaces/{_first(scenery, 'spaces')}"),
        ("report", f"/a/{trailer}/signaler"),
        ("join", "/rejoindre"),
        ("door", f"/compte?next=/a/{trailer}/demander"),
    ]


def _residents_pages(scenery: Scenery) -> list[tuple[str, str]]:
    rubrics = [each.rubric for each in scenery.place("Quimper").town.registry.practices]
    sewing, asked = _code(scenery, "Quimper", SEWING), scenery.requests
    return [
        ("publish", "/publier"),
        *((f"publish-{rubric}", f"/publier/{rubric}") for rubric in rubrics),
        ("edit", f"/a/{sewing}/modifier"),
        ("withdraw", f"/a/{sewing}/retirer"),
        ("listing-own", f"/a/{sewing}"),
        ("listing-erased", f"/a/{scenery.erased}"),
        ("ask", f"/a/{_code(scenery, 'Lorient', TRAILER)}/demander"),
        ("requests", "/demandes"),
        ("lending-today", "/objets/aujourdhui"),
        *((f"request-{state}", f"/demandes/{asked[state]}") for state in REQUESTS_SHOWN),
        ("request-propose", f"/demandes/{asked['received']}/proposer"),
        ("space-book", f"/espaces/{_first(scenery, 'spaces', 'Quimper')}?jour={_day_of_books()}"),
        ("tickets", f"/a/{sewing}/entretien"),
        ("keepers", f"/a/{sewing}/responsables"),
        ("account", "/compte"),
        ("account-address", "/compte/adresse"),
        ("account-calendar", "/compte/calendrier"),
        ("account-invitations", "/compte/invitations"),
        ("account-reports", "/compte/signalements"),
        ("account-erase", "/compte/effacer"),
    ]


def _day_of_books() -> str:
    """Return the Thursday of next week, as the address of a week page writes it."""
    return calendar_day(TODAY + 10).isoformat()


def _desk_pages(scenery: Scenery) -> list[tuple[str, str]]:
    slug, barrow = _slugs(scenery), _code(scenery, "Quimper", BARROW)
    return [
        ("desk", "/admin"),
        ("desk-towns", "/admin/villes"),
        ("desk-link", "/admin/villes/relier"),
        ("desk-town", f"/admin/villes/{slug['Lorient']}"),
        ("desk-town-silent", f"/admin/villes/{slug['Vannes']}"),
        ("desk-town-words", f"/admin/villes/{slug['Auray']}"),
        ("desk-agreement", f"/admin/villes/{slug['Lorient']}/accord"),
        ("desk-ending", f"/admin/villes/{slug['Lorient']}/quitter"),
        ("desk-requests", "/admin/demandes"),
        ("desk-note-down", f"/admin/demandes/noter?annonce={barrow}"),
        ("desk-request", f"/demandes/{scenery.requests['received']}"),
        ("desk-habilitations", "/admin/habilitations"),
        ("desk-reports", "/admin/signalements"),
        ("desk-report", f"/admin/signalements/{barrow}"),
        ("desk-admission", "/admin/adhesions"),
        ("desk-proofs", "/admin/adhesions/domicile"),
        ("desk-quartiers", "/admin/quartiers"),
        ("desk-tickets", "/admin/entretien"),
        ("desk-tickets-of", f"/a/{barrow}/entretien"),
        ("desk-erasures", "/admin/effacements"),
        ("desk-courier", "/admin/courrier"),
        ("desk-keys", "/admin/identite"),
        ("desk-keys-of", f"/admin/identite/{slug['Lorient']}"),
        ("desk-promises", "/admin/promesses"),
        ("desk-backups", "/admin/sauvegardes"),
        ("desk-people", "/admin/membres"),
        ("desk-trail", "/admin/journal"),
    ]
