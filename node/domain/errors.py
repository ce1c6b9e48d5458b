"""What a person can read and mend: the errors of the town's own rules.

    DomainError          code, message id (English), the field it concerns
    ├── Invalid          what was typed cannot be kept: one Problem for each field
    ├── NotAllowed       this person may not do this
    ├── NotFound         there is no such thing (any more)
    ├── Conflict         it could be done, but not in the present state
    └── TooMany          later, please
Codes are stable and documented; messages are translated where they are shown.
"""

import dataclasses
from dataclasses import dataclass


class DomainError(Exception):
    """One refusal: `code` for programs, `message` (a message id with %(name)s) for people."""

    status = 400

    def __init__(self, code: str, message: str, *, name: str = "", **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.field = name
        self.params = params


@dataclass(frozen=True)
class Problem:
    """What is wrong with one field of a form."""

    field: str
    code: str
    message: str
    params: dict[str, object] = dataclasses.field(default_factory=dict)


class Invalid(DomainError):
    """What was typed cannot be kept; `problems` names every field at once."""

    status = 422

    def __init__(self, problems: list[Problem]) -> None:
        first = problems[0]
        super().__init__(first.code, first.message, name=first.field)
        self.params = dict(first.params)  # they may use any name, also ours
        self.problems = problems


class NotAllowed(DomainError):
    """This person may not do this."""

    status = 403


class NotFound(DomainError):
    """There is no such thing, or it is gone."""

    status = 404


class Conflict(DomainError):
    """It could be done, but not in the state things are in now."""

    status = 409


class TooMany(DomainError):
    """Too often or too much in a short time."""

    status = 429
