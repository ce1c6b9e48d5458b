"""What may be somebody's telephone or mail address: kept out of public records unless asked for."""

import re
import unicodedata

MASK = "[…]"

_WORDS = frozenset(
    {"email", "mail", "courriel", "tel", "telephone", "phone", "mobile", "portable", "fax", "gsm"}
    | {"whatsapp", "contact", "responsable", "referent", "prenom", "firstname", "lastname"}
)
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_PHONE = re.compile(
    r"(?<![\w.,/+=-])"
    r"(?:0[1-9](?P<gap>[ .\-]?)\d{2}(?:(?P=gap)\d{2}){3}"
    r"|(?:\+|00[ .]?)\d{1,3}(?:[ .\-]?\(?\d\)?){8,11})"
    r"(?![\w/])"
)


def is_personal_column(column: str) -> bool:
    """Return whether the name of a column says that it holds a way to reach somebody.

    Its first or last word tells ("contact_tel", "tel 2"); one in the middle is about something
    else (OpenStreetMap's "service:mobile_phone:repair").
    """
    plain = unicodedata.normalize("NFD", column.casefold().replace("e-mail", "email"))
    letters = (c if c.isalpha() else " " for c in plain if unicodedata.category(c) != "Mn")
    words = [word.removesuffix("s") for word in "".join(letters).split()]
    return bool(words) and not _WORDS.isdisjoint((words[0], words[-1]))


def without_contacts(text: str) -> str:
    """Return `text` with each telephone number and mail address replaced by `MASK`."""
    if "@" not in text and sum(c.isdigit() for c in text) < 9:
        return text
    return _PHONE.sub(MASK, _MAIL.sub(MASK, text))
