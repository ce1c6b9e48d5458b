"""The kinds of organisation the directory knows, each in one family of the Sharitories study.

The families and kinds are codes of the record; their labels are message ids. A kind this node has
never heard of (a newer partner's) is shown as it is written, in its family.
"""

from node.domain.words import N_

FAMILIES = (
    ("consommation_collaborative", N_("Sharing and reuse")),
    ("production_distribuee", N_("Making together")),
    ("financement_participatif", N_("Funding together")),
    ("gouvernance_partagee", N_("Deciding together")),
)

SORTS = (
    ("amap", N_("Vegetable box group (AMAP)"), "consommation_collaborative"),
    ("atelier_velo", N_("Bicycle workshop"), "consommation_collaborative"),
    ("boite_a_livres", N_("Book box"), "consommation_collaborative"),
    ("coworking", N_("Shared offices"), "consommation_collaborative"),
    ("epicerie", N_("Grocery without packaging or cooperative"), "consommation_collaborative"),
    ("gratuiterie", N_("Free shop"), "consommation_collaborative"),
    ("jardin_partage", N_("Shared garden"), "consommation_collaborative"),
    ("ludotheque", N_("Toy library"), "consommation_collaborative"),
    ("objetheque", N_("Tool library"), "consommation_collaborative"),
    ("recyclerie", N_("Reuse shop"), "consommation_collaborative"),
    ("ressourcerie", N_("Recovery and reuse centre"), "consommation_collaborative"),
    ("sel", N_("Local exchange system (SEL)"), "consommation_collaborative"),
    ("vestiaire", N_("Second-hand clothes"), "consommation_collaborative"),
    ("fablab", N_("Fab lab"), "production_distribuee"),
    ("formation", N_("Training together"), "production_distribuee"),
    ("hackerspace", N_("Hackerspace"), "production_distribuee"),
    ("makerspace", N_("Makerspace"), "production_distribuee"),
    ("numerique", N_("Digital help"), "production_distribuee"),
    ("repair_cafe", N_("Repair café"), "production_distribuee"),
    ("reparation", N_("Repair workshop"), "production_distribuee"),
    ("tiers_lieu", N_("Third place"), "production_distribuee"),
    ("cigales", N_("Savers' club"), "financement_participatif"),
    ("energie_citoyenne", N_("Citizens' energy"), "financement_participatif"),
    ("financement", N_("Local crowdfunding"), "financement_participatif"),
    ("monnaie_locale", N_("Local currency"), "financement_participatif"),
    ("cafe_associatif", N_("Association café"), "gouvernance_partagee"),
    ("conseil_citoyen", N_("Citizens' council"), "gouvernance_partagee"),
    ("habitat_participatif", N_("Shared housing"), "gouvernance_partagee"),
    ("maison_des_associations", N_("House of associations"), "gouvernance_partagee"),
    ("reseau", N_("Network of associations"), "gouvernance_partagee"),
)

_LABELS = {code: label for code, label, _family in SORTS}
_FAMILIES_OF = {code: family for code, _label, family in SORTS}
_FAMILY_LABELS = dict(FAMILIES)


def label_of(sort: str, family: str) -> str:
    """Return the message id that names a kind, or its family's when there is no kind."""
    return _LABELS.get(sort) or sort.replace("_", " ") or _FAMILY_LABELS[family]


def family_of(sort: str) -> str:
    """Return the family of a kind, an empty text for an unknown one."""
    return _FAMILIES_OF.get(sort, "")
