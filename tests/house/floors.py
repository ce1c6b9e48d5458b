"""The floors of the house as one table: who may import whom, and by which door each library enters.

Whoever adds a line to `NEIGHBOURS` or `LAZY` writes why beside it.
"""

from fnmatch import fnmatchcase

FLOORS = {
    8: ("node.cli",),
    7: ("node.app",),
    6: ("node.practices.*",),
    5: ("node.pages", "node.desk", "node.feeds", "node.jobs"),
    4: (
        "node.partners",
        "node.engagements",
        "node.imports",
        "node.photos",
        "node.notices",
        "node.backup",
        "node.courier",
        "node.erasure",
        "node.identity",
        "node.members",
        "node.search",
        "node.upkeep",
    ),
    3: ("node.journal",),
    2: ("node.store", "node.places"),
    1: ("node.domain", "federation", "node.config"),
}

BELOW_FOUR = ("node.journal", "node.store", "node.places", "node.domain", "federation")
ONLY = {  # rooms that may import less than everything below them
    "node.practices.registry": ("node.practices.*", "node.domain"),
    "node.practices.*": (
        "node.pages",
        "node.imports",
        "node.engagements",
        "node.store",
        "node.domain",
    ),
    **dict.fromkeys(FLOORS[4], BELOW_FOUR),
    "node.journal": ("node.store", "node.domain", "federation"),
    "node.store": ("node.domain", "federation"),
    "node.places": ("node.domain", "federation"),
}

NEIGHBOURS: dict[tuple[str, str], str] = {  # (importer, imported): why the table gives way
    (
        "node.desk",
        "node.pages",
    ): "the desk's pages are pages: same session, forms, language, layout",
    (
        "node.partners.removal",
        "node.erasure",
    ): "a removed town's words leave the letters kept as files, as those of an erasure do",
    (
        "node.erasure",
        "node.members",
    ): "a person and what she published are erased in one transaction, in one order",
}

DOORS = {  # library: the modules that may import it
    "apscheduler": ("node.jobs",),
    "apsw": ("node.store",),
    "argon2": ("node.members",),
    "babel": ("node.pages.language",),
    "cbor2": ("federation.codec",),
    "click": ("node.cli",),
    "cryptography": ("federation.keys", "federation.seal"),
    "flask": (
        "node.app",
        "node.pages",
        "node.desk",
        "node.feeds",
        "node.partners.endpoints",
        "node.practices.*.routes",
    ),
    "gunicorn": ("node.cli",),
    "markdown_it": ("node.pages",),
    "mnemonic": ("federation.words",),
    "msgspec": ("node.domain", "node.practices.*.schema", "node.journal.profile"),
    "nh3": ("node.pages",),
    "peewee": ("node.store",),
    "PIL": ("node.photos",),
    "requests": ("federation.adapters.http",),
    "rich": ("node.cli",),
    "segno": ("node.pages", "node.desk", "node.identity.sheet"),
    "smtplib": ("node.notices",),
    "sqlite3": ("node.store", "node.backup"),
}
SAME_DOOR = {  # a library that is part of another one
    "jinja2": "flask",
    "markupsafe": "flask",
    "playhouse": "peewee",
    "urllib3": "requests",
    "werkzeug": "flask",
}

LAZY = {  # (module, library): why it is imported inside a function
    ("node.photos", "PIL"): "tens of megabytes that a node without a new photo never needs",
    ("node.pages.language", "babel"): "its tables weigh more than the node itself",
}

PURE = ("federation", "node.domain")  # neither a clock nor a socket...
IMPURE = ("federation.adapters", "node.domain.clock")  # ...but in these
WORLD = {
    "asyncio",
    "http",
    "select",
    "selectors",
    "socket",
    "ssl",
    "subprocess",
    "threading",
    "time",
    "urllib.request",
}

PURE_IN_PRACTICE = {  # run without Flask and without a database
    "schema", "kinds", "lifecycle", "actions", "calendar", "policy", "today"
}  # fmt: skip


def is_in(name: str, *places: str) -> bool:
    """Say whether a dotted name is one of these modules or inside one of these packages."""
    return any(fnmatchcase(name, place) or fnmatchcase(name, f"{place}.*") for place in places)


def room(name: str) -> str:
    """Return the room a module is in: federation, node.<room> or node.practices.<one>."""
    parts = name.split(".")
    return parts[0] if parts[0] == "federation" else ".".join(parts[: 2 + ("practices" in parts)])


def floor(name: str) -> int | None:
    """Return the floor of a room, or None when the table does not name it."""
    return next((each for each, rooms in FLOORS.items() if is_in(room(name), *rooms)), None)


def may_import(importer: str, imported: str) -> bool:
    """Say whether the table lets one module of the project import another."""
    here, there = room(importer), room(imported)
    if here == there or any(is_in(importer, a) and is_in(imported, b) for a, b in NEIGHBOURS):
        return True
    if there == "node.practices.registry":
        return here == "node.app"
    for name, allowed in ONLY.items():
        if is_in(here, name):
            return is_in(there, *allowed)
    here_floor, there_floor = floor(here), floor(there)
    if here_floor is None or there_floor is None or here_floor <= there_floor:
        return False
    return there_floor != 6 or here_floor > 6
