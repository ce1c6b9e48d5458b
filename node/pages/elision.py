"""How French joins "de" and "à" to the name of a town: d'Auray, du Palais, à Quimper."""

import unicodedata

VOWELS = frozenset("AEIOUY")  # INSEE elides every town in Y: d’Yffiniac, d’Yutz
# Two towns in H out of three elide (d’Hennebont); these beginnings do not (INSEE, liaison 0).
ASPIRATED = (
    "HAGUE", "HALL", "HAM", "HAN", "HARD", "HAUT", "HEDE", "HEM", "HENANSAL", "HENON", "HENVIC",
    "HOEDIC", "HONFLEUR", "HOUILLES", "HOULGATE", "HOULLE", "HUELGOAT", "HUNINGUE",
)  # fmt: skip
ARTICLES = {"le ": ("du ", "au "), "les ": ("des ", "aux ")}


def of_town(name: str) -> str:
    """The name with "de" before it: "de Lorient", "d’Auray", "du Palais", "des Forges"."""
    lower = name.lower()
    for article, (of, _at) in ARTICLES.items():
        if lower.startswith(article):
            return of + name[len(article) :]
    return ("d’" if _elides(name) else "de ") + name


def at_town(name: str) -> str:
    """The name with "à" before it: "à Lorient", "au Palais", "aux Forges"."""
    lower = name.lower()
    for article, (_of, at) in ARTICLES.items():
        if lower.startswith(article):
            return at + name[len(article) :]
    return "à " + name


def _elides(name: str) -> bool:
    plain = unicodedata.normalize("NFKD", name.replace("œ", "oe").replace("Œ", "OE"))
    letters = "".join(c for c in plain.upper() if c.isalpha())
    if not letters:
        return False
    if letters[0] == "H":
        return not letters.startswith(ASPIRATED)
    return letters[0] in VOWELS
