"""A node starts only with settings that are known and can be meant; else a sentence says where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.config import PREFIX, SETTINGS, ConfigError, load, write_config

TOWN = {"name": "Lorient", "url": "http://127.0.0.1:8001"}


def test_what_init_writes_is_what_load_reads(tmp_path):
    write_config(tmp_path, **TOWN, insee="56121", port=8001, lan=True)
    config = load(tmp_path, {})
    assert (config.name, config.url, config.insee) == ("Lorient", TOWN["url"], "56121")
    assert (config.port, config.lan, config.sync_minutes) == (8001, True, 15)
    assert config.database == tmp_path / "lavoir.db"
    assert str(config.zone) == "Europe/Paris"


def test_the_file_explains_every_setting(tmp_path):
    text = write_config(tmp_path, **TOWN).read_text()
    for name, setting in SETTINGS.items():
        assert setting.metadata["help"] in text
        assert f"{name} = " in text


def test_init_never_overwrites_a_node(tmp_path):
    write_config(tmp_path, **TOWN)
    with pytest.raises(ConfigError, match="holds a node"):
        write_config(tmp_path, **TOWN)


@given(st.text(min_size=1, max_size=80).filter(lambda t: t.strip() and t.isprintable()))
def test_any_printable_name_survives_the_file(tmp_path_factory, name):
    home = tmp_path_factory.mktemp("home")
    write_config(home, **{**TOWN, "name": name})
    assert load(home, {}).name == name


def test_the_environment_wins_over_the_file(tmp_path):
    write_config(tmp_path, **TOWN, port=8001)
    config = load(tmp_path, {"LAVOIR_PORT": "9000", "LAVOIR_LAN": "yes", "PATH": "/bin"})
    assert (config.port, config.lan) == (9000, True)


def test_the_environment_alone_is_enough(tmp_path):
    variables = {"LAVOIR_NAME": "Vannes", "LAVOIR_URL": "https://vannes.example/"}
    config = load(tmp_path, {**variables, "LAVOIR_HOME": str(tmp_path)})
    assert config.url == "https://vannes.example"
    assert config.is_https


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("prot = 8000", ["lavoir.toml", "prot", "port"]),
        ('port = "8000"', ["lavoir.toml", "port", "whole number"]),
        ("port = 0", ["port", "from 1 to 65535"]),
        ("port = true", ["port", "whole number"]),
        ("port = 1.5", ["port", "whole number"]),
        ('language = "de"', ["language", "fr, br, en"]),
        ('insee = "5612"', ["insee", "INSEE"]),
        ('timezone = "Europe/Rennes"', ["timezone", "zone"]),
        ('timezone = "../../etc/passwd"', ["timezone", "zone"]),
        ('manager = "two\\nlines"', ["manager", "one line"]),
        ('smtp_host = "mail.example"', ["mail_from"]),
        ('smtp_password_file = "nowhere"', ["smtp_password_file", "cannot be read"]),
        ('jobs = "outside"', ["jobs", "inside, apart"]),
        ("[server]", ["server", "no setting"]),
        ("port = ", ["lavoir.toml", "cannot be read"]),
    ],
)
def test_a_bad_line_stops_the_start_and_is_named(tmp_path, line, words):
    path = write_config(tmp_path, **TOWN)
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(ConfigError) as stopped:
        load(tmp_path, {})
    assert all(word in str(stopped.value) for word in words), str(stopped.value)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("LAVOIR_PROT", "1", ["LAVOIR_PROT", "LAVOIR_PORT"]),
        ("LAVOIR_PORT", "http", ["LAVOIR_PORT", "whole number"]),
        ("LAVOIR_PORT", "", ["LAVOIR_PORT", "whole number"]),
        ("LAVOIR_LAN", "perhaps", ["LAVOIR_LAN", "true or false"]),
        ("LAVOIR_URL", "lorient.example", ["LAVOIR_URL", "https://"]),
        ("LAVOIR_URL", "https://lorient.example/lavoir", ["LAVOIR_URL"]),
        ("LAVOIR_URL", "https://user@lorient.example", ["LAVOIR_URL"]),
        ("LAVOIR_URL", "https://lorient.example:99999", ["LAVOIR_URL"]),
        ("LAVOIR_URL", "http://[::1", ["LAVOIR_URL"]),
    ],
)
def test_a_bad_variable_stops_the_start_and_is_named(tmp_path, variable, value, words):
    write_config(tmp_path, **TOWN)
    with pytest.raises(ConfigError) as stopped:
        load(tmp_path, {variable: value})
    assert all(word in str(stopped.value) for word in words), str(stopped.value)


def test_a_node_without_a_name_does_not_start(tmp_path):
    with pytest.raises(ConfigError, match=r"`name` is missing.*lavoir init"):
        load(tmp_path, {})


def test_secrets_are_read_from_files_only(tmp_path):
    (tmp_path / "smtp").write_text("s3cret\n")
    write_config(tmp_path, **TOWN, smtp_password_file="smtp")
    config = load(tmp_path, {})
    assert config.smtp_password() == "s3cret"
    assert "s3cret" not in repr(config)
    assert not [name for name in SETTINGS if "password" in name and not name.endswith("_file")]


def test_every_setting_has_a_variable_and_a_default_it_accepts():
    for name, setting in SETTINGS.items():
        assert name == name.lower() and (PREFIX + name.upper()).isidentifier()
        if isinstance(setting.default, setting.type):
            assert setting.metadata["check"](setting.default) == ""
