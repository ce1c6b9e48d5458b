"""The settings of a node: one table, read from lavoir.toml and LAVOIR_* before anything starts.

A name nobody knows or a value that cannot be meant stops the start with a sentence that says which
file or variable it is in. Secrets are never settings: a setting names the file that holds one.
"""

import difflib
import json
import os
import re
import tomllib
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

FILE = "lavoir.toml"
PREFIX = "LAVOIR_"
NOT_SETTINGS = {"LAVOIR_HOME"}  # says where the file is
CITY_AND_ARRONDISSEMENT = re.compile(r"(?:\d{2}|2[AB])\d{3}")
COMMUNES_MAX = 60
YES_NO = {"1": True, "yes": True, "true": True, "0": False, "no": False, "false": False}


class ConfigError(Exception):
    """A sentence for whoever installs the node: what is wrong, and where."""


Check = Callable[[Any], str]


def between(low: int, high: int) -> Check:
    """Ask for a number from `low` to `high`."""
    return lambda value: "" if low <= value <= high else f"must be from {low} to {high}"


def one_of(*allowed: str) -> Check:
    """Ask for one of some words."""
    return lambda value: "" if value in allowed else f"must be one of {', '.join(allowed)}"


def line(longest: int, *, empty: bool = True) -> Check:
    """Ask for one line of text of at most `longest` characters."""

    def check(value: str) -> str:
        if not value.strip():
            return "" if empty else "must not be empty"
        if len(value) > longest or not value.isprintable():
            return f"must be one line of at most {longest} characters"
        return ""

    return check


def address(value: str) -> str:
    """Ask for http(s)://host with an optional port and nothing behind."""
    try:
        parts = urlsplit(value)
        is_good = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        is_good = False
        parts = urlsplit("")
    is_bare = parts.path in ("", "/") and not (parts.query or parts.fragment or parts.username)
    is_web = parts.scheme in ("http", "https")
    return (
        ""
        if is_good and is_bare and is_web
        else "must be an address such as https://lorient.example"
    )


def insee(value: str) -> str:
    """Ask for a commune's INSEE code, or nothing outside France."""
    is_good = value == "" or CITY_AND_ARRONDISSEMENT.fullmatch(value)
    return "" if is_good else "must be the five characters of an INSEE code such as 56121"


def insees(value: str) -> str:
    """Ask for INSEE codes with spaces between them, or nothing."""
    codes = value.split()
    is_good = all(map(CITY_AND_ARRONDISSEMENT.fullmatch, codes)) and len(codes) <= COMMUNES_MAX
    return "" if is_good else "must be INSEE codes with spaces between, such as 56121 56162"


def time_zone(value: str) -> str:
    """Ask for a zone this machine knows."""
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return "must be a time zone such as Europe/Paris"
    return ""


ONE_LINE = line(200)


def setting(help: str, default: Any = MISSING, check: Check = ONE_LINE) -> Any:
    """Declare one setting: what it is for, its value unless told otherwise, what it may be."""
    return field(default=default, metadata={"help": help, "check": check})


@dataclass(frozen=True, kw_only=True)
class Config:
    """The settings of one node and the places in its home folder."""

    home: Path

    name: str = setting("The town's name, as its neighbours read it", check=line(80, empty=False))
    url: str = setting("The address residents and partners reach this node at", check=address)
    insee: str = setting("The commune's INSEE code", "", insee)
    communes: str = setting(
        "Other communes the node serves: their INSEE codes, spaces between", "", insees
    )
    manager: str = setting("The association that runs the node", "", line(120))
    contact: str = setting("How to reach it: an address or a telephone number", "")
    language: str = setting("The language of a first visit", "fr", one_of("fr", "br", "en"))
    timezone: str = setting("The zone of days and hours shown", "Europe/Paris", time_zone)

    host: str = setting("The address to listen on; 0.0.0.0 is everywhere", "127.0.0.1")
    port: int = setting("The port to listen on", 8000, between(1, 65_535))
    threads: int = setting("How many requests are served at once", 16, between(1, 256))
    forwarded: int = setting("How many proxies in front are trusted", 0, between(0, 5))
    jobs: str = setting(
        "inside: jobs run in the web process; apart: `lavoir work` runs them",
        "inside",
        one_of("inside", "apart"),
    )
    log_level: str = setting(
        "How much is logged", "info", one_of("debug", "info", "warning", "error")
    )
    store_driver: str = setting(
        "apsw brings its own SQLite; sqlite3 uses the system's, slower and as safe",
        "apsw",
        one_of("apsw", "sqlite3"),
    )

    sync_minutes: int = setting("How often each partner is visited", 15, between(1, 1_440))
    sync_timeout_seconds: int = setting("How long one visit may take", 600, between(10, 600))
    tick_seconds: int = setting("How often jobs look whether they are due", 3, between(1, 60))
    lan: bool = setting("Partners may have addresses of a local network", False, lambda value: "")

    mail_from: str = setting("The sender of mails", "")
    smtp_host: str = setting("The mail server; without one, mails are files in mail/", "")
    smtp_port: int = setting("Its port", 587, between(1, 65_535))
    smtp_security: str = setting(
        "How mails travel to it", "starttls", one_of("starttls", "tls", "none")
    )
    smtp_user: str = setting("The account there", "")
    smtp_password_file: str = setting("The file that holds its password", "", line(400))
    mails_per_hour: int = setting("Mails sent at most", 200, between(1, 100_000))

    upload_max_bytes: int = setting(
        "The largest photo taken in", 12_000_000, between(100_000, 100_000_000)
    )
    photo_max_pixels: int = setting(
        "The most pixels a photo taken in may have", 40_000_000, between(1_000_000, 90_000_000)
    )
    photo_side_pixels: int = setting(
        "The longer side of a photo as it is kept", 1_280, between(320, 2_560)
    )

    admission: str = setting(
        "Who becomes a member: open, anybody; approval, who the desk says yes to; invitation, who"
        " is invited",
        "approval",
        one_of("open", "approval", "invitation"),
    )
    code_tries_per_hour: int = setting("Codes typed by one address", 20, between(1, 10_000))
    codes_per_hour: int = setting("Codes mailed to one person", 5, between(1, 100))
    asks_per_day: int = setting("Requests made by one member", 40, between(1, 10_000))
    publications_per_day: int = setting("Listings published by one member", 60, between(1, 10_000))
    api_per_minute: int = setting("API requests from one address", 120, between(1, 100_000))

    @property
    def file(self) -> Path:
        """The settings as the administrator writes them."""
        return self.home / FILE

    @property
    def database(self) -> Path:
        """The database file."""
        return self.home / "lavoir.db"

    @property
    def keys(self) -> Path:
        """The town's keys, readable by the node's user alone."""
        return self.home / "town.keys"

    @property
    def generation(self) -> Path:
        """The generation mark outside the database, to notice a restored backup."""
        return self.home / "generation"

    @property
    def photos(self) -> Path:
        """The folder of photos, named by their hash."""
        return self.home / "photos"

    @property
    def mail(self) -> Path:
        """Where mails are written as files when there is no mail server."""
        return self.home / "mail"

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The zone of days and hours shown."""
        return zoneinfo.ZoneInfo(self.timezone)

    @property
    def is_https(self) -> bool:
        """Whether residents come by HTTPS, so that cookies can insist on it."""
        return self.url.startswith("https:")

    @property
    def served(self) -> tuple[str, ...]:
        """The INSEE codes of the communes the node serves, its own first."""
        return tuple(dict.fromkeys(filter(None, (self.insee, *self.communes.split()))))

    def smtp_password(self) -> str:
        """Return the mail server's password, "" if none is configured; raises ConfigError."""
        if not self.smtp_password_file:
            return ""
        path = self.home / self.smtp_password_file
        try:
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"smtp_password_file: {path} cannot be read ({error})") from None


SETTINGS: dict[str, Field[Any]] = {each.name: each for each in fields(Config) if each.metadata}


def load(home: Path, environ: Mapping[str, str]) -> Config:
    """Return the settings of the node in `home`: the file's, then those of LAVOIR_* variables.

    Raises ConfigError.
    """
    path = home / FILE
    values: dict[str, Any] = {}
    for name, value in _read(path).items():
        _known(name, SETTINGS, str(path))
        values[name] = _checked(name, value, str(path))
    variables = {PREFIX + name.upper(): name for name in SETTINGS}
    for variable in sorted(environ):
        if variable.startswith(PREFIX) and variable not in NOT_SETTINGS:
            _known(variable, variables, "the environment")
            name = variables[variable]
            values[name] = _checked(name, _typed(name, environ[variable], variable), variable)
    for name, declared in SETTINGS.items():
        if declared.default is MISSING and name not in values:
            raise ConfigError(f"{path}: `{name}` is missing. Run `lavoir init` or write it there.")
    return _together(Config(home=home, **values), path)


def write_config(home: Path, **values: Any) -> Path:
    """Write lavoir.toml for a new node, every setting explained; return its path.

    Raises ConfigError for an unknown name, a bad value, or when the file is there already.
    """
    path = home / FILE
    for name, value in values.items():
        _known(name, SETTINGS, "init")
        values[name] = _checked(name, value, "init")
    if path.exists():
        raise ConfigError(f"{path} is there already: this folder holds a node.")
    lines = ["# The settings of this node. A line without # counts; restart after a change.", ""]
    for name, declared in SETTINGS.items():
        is_set = name in values
        value = values.get(name, "" if declared.default is MISSING else declared.default)
        lines += [
            f"# {declared.metadata['help']}",
            f"{'' if is_set else '# '}{name} = {_toml(value)}",
        ]
    home.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write("\n".join(lines) + "\n")
        out.flush()
        os.fsync(out.fileno())
    return path


def change_config(home: Path, **values: Any) -> None:
    """Set some settings in an existing lavoir.toml, leaving every other line as it is.

    The file is replaced in one step. Raises ConfigError for an unknown name or a bad value.
    """
    path = home / FILE
    lines = path.read_text(encoding="utf-8").splitlines()
    for name, value in values.items():
        _known(name, SETTINGS, FILE)
        said = f"{name} = {_toml(_checked(name, value, FILE))}"
        at = next((n for n, each in enumerate(lines) if _sets(each, name)), None)
        if at is None:
            lines.append(said)
        else:
            lines[at] = said
    part = path.with_suffix(".part")
    part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.replace(part, path)


def _sets(written: str, name: str) -> bool:
    return re.match(rf"\s*{re.escape(name)}\s*=", written) is not None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None


def _known(name: str, names: Mapping[str, Any], where: str) -> None:
    if name not in names:
        near = difflib.get_close_matches(name, names, 1)
        hint = f" Did you mean `{near[0]}`?" if near else ""
        raise ConfigError(f"{where}: `{name}` is no setting.{hint}")


def _typed(name: str, text: str, where: str) -> Any:
    kind = SETTINGS[name].type
    if kind is int and re.fullmatch(r"\d{1,12}", text.strip()):
        return int(text)
    if kind is bool and text.strip().lower() in YES_NO:
        return YES_NO[text.strip().lower()]
    return text


def _checked(name: str, value: Any, where: str) -> Any:
    declared = SETTINGS[name]
    if type(value) is not declared.type:
        asked = {int: "a whole number", bool: "true or false", str: "text"}[declared.type]
        raise ConfigError(f"{where}: `{name}` must be {asked}, not {value!r}.")
    if fault := declared.metadata["check"](value):
        raise ConfigError(f"{where}: `{name}` {fault}, not {value!r}.")
    return value.rstrip("/") if name == "url" else value


def _together(config: Config, path: Path) -> Config:
    if config.smtp_host and not config.mail_from:
        raise ConfigError(f"{path}: `smtp_host` needs `mail_from`, the sender of mails.")
    if config.smtp_user and not config.smtp_password_file:
        raise ConfigError(f"{path}: `smtp_user` needs `smtp_password_file`.")
    config.smtp_password()
    return config


def _toml(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
