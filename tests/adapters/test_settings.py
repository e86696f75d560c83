"""A wrong value stops the start with one line that names the variable and what it expects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from adapters.inbound.cli.main import app
from adapters.settings import (
    Settings,
    SettingsWrong,
    load_settings,
    require_known_systems,
    secret_variable,
    system_secrets,
)

SYSTEMS = {"fjord-scenen": ("ticketing", "e-mail"), "stund": ("shop",)}


@pytest.mark.parametrize(
    ("variable", "value", "expects"),
    [
        ("TRETTIO_PORT", "eighty", "a port"),
        ("TRETTIO_PORT", "70000", "a port"),
        ("TRETTIO_SMTP_PORT", "0", "a port"),
        ("TRETTIO_SMTP_SECURITY", "ssl", "starttls, tls or none"),
        ("TRETTIO_WORKERS", "-1", "0 to 64"),
        ("TRETTIO_LOG", "loud", "json, pretty or auto"),
        ("TRETTIO_PUBLIC_URL", "trettio.example", "https://"),
        ("TRETTIO_PUBLIC_URL", "http://trettio.example", "https://"),
        ("TRETTIO_PUBLIC_URL", "https://", "https://"),
        ("TRETTIO_DATABASE_URL", "mysql://trettio:secret@localhost/trettio", "postgresql://"),
        ("TRETTIO_DATABASE_URL", "postgresql//trettio:secret@localhost/x", "postgresql://"),
        ("TRETTIO_PROFILES", "/nowhere/at/all", "a directory with one profile"),
    ],
)
def test_a_wrong_value_is_one_line_that_says_what_is_expected(
    variable: str, value: str, expects: str
) -> None:
    with pytest.raises(SettingsWrong) as caught:
        load_settings({variable: value})

    message = str(caught.value)
    assert message.startswith(f"{variable} is wrong: it expects ")
    assert expects in message
    assert "\n" not in message
    assert value not in message or value in expects


def test_a_misspelt_variable_is_refused_rather_than_overlooked() -> None:
    with pytest.raises(SettingsWrong, match=r"TRETTIO_SMTPHOST is not a setting; there are: "):
        load_settings({"TRETTIO_SMTPHOST": "mail.example"})


def test_what_a_command_reads_for_its_options_stops_no_command() -> None:
    """`--help` names these variables."""
    options = [
        option.envvar
        for command in _commands(get_command(app))
        for option in command.params
        if option.envvar is not None
    ]

    assert set(options) == {"TRETTIO_STAFF"}
    load_settings(dict.fromkeys(map(str, options), "ola"))


def _commands(command: Any) -> Iterator[Any]:
    yield command
    for below in getattr(command, "commands", {}).values():
        yield from _commands(below)


def test_an_empty_variable_of_the_process_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose files hand such variables on; only what `load_settings` is given counts."""
    monkeypatch.setenv("TRETTIO_DATABASE_URL", "")
    monkeypatch.setenv("TRETTIO_PORT", " ")

    assert load_settings().database_url is None
    monkeypatch.setenv("TRETTIO_PORT", "9")
    assert load_settings({}).port == 8030


def test_an_empty_value_is_none(tmp_path: Path) -> None:
    settings = load_settings({"TRETTIO_SMTP_HOST": " ", "TRETTIO_HOME": str(tmp_path)})

    assert settings.smtp_host is None
    assert settings.home == tmp_path


def test_what_others_set_is_not_ours(tmp_path: Path) -> None:
    environment = {"PORT": "eighty", "TRETTIO_REQUIRE": "all", "TRETTIO_HOME": str(tmp_path)}

    assert load_settings(environment).port == 8030


def test_hosts_are_separated_by_commas() -> None:
    settings = load_settings({"TRETTIO_TRUSTED_MAIL_HOSTS": "MX.post.example, .relay.example ,"})

    assert settings.trusted_mail_hosts == ("mx.post.example", ".relay.example")


def test_hosts_of_ones_own_may_have_a_port() -> None:
    settings = load_settings({"TRETTIO_WEBHOOK_ALLOW": "Hooks.intranet.example:9443, inside"})

    assert settings.webhook_allow == ("hooks.intranet.example:9443", "inside")
    for wrong in ("https://inside", "inside:x", "in side", "inside:99999999"):
        with pytest.raises(SettingsWrong, match="TRETTIO_WEBHOOK_ALLOW is wrong"):
            load_settings({"TRETTIO_WEBHOOK_ALLOW": wrong})


def test_settings_do_not_change_and_do_not_show_their_secrets() -> None:
    settings = load_settings({"TRETTIO_SMTP_PASSWORD": "dragon", "TRETTIO_MASTER_KEY": "hemmelig"})

    assert "dragon" not in repr(settings)
    assert "hemmelig" not in repr(settings)
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1  # that it cannot be set is the point


def test_every_setting_says_what_it_expects() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_a_systems_secret_reaches_that_system_alone() -> None:
    environment = {
        secret_variable("fjord-scenen", "ticketing", "token"): "one",
        secret_variable("fjord-scenen", "e-mail", "api_key"): "two",
    }

    assert system_secrets("fjord-scenen", "ticketing", environment) == {"token": "one"}
    assert system_secrets("fjord-scenen", "e-mail", environment) == {"api_key": "two"}
    assert system_secrets("stund", "shop", environment) == {}
    require_known_systems(SYSTEMS, environment)


@pytest.mark.parametrize(
    "variable",
    [
        "TRETTIO_SYSTEM__FJORD_SCENEN__TICKETNG__TOKEN",
        "TRETTIO_SYSTEM__FJORDSCENEN__TICKETING__TOKEN",
        "TRETTIO_SYSTEM__FJORD_SCENEN__TICKETING",
        "TRETTIO_SYSTEM__FJORD_SCENEN__TICKETING__",
    ],
)
def test_a_secret_of_no_system_is_named(variable: str) -> None:
    with pytest.raises(SettingsWrong, match=f"^{variable} belongs to no system") as caught:
        require_known_systems(SYSTEMS, {variable: "dragon"})

    assert "TRETTIO_SYSTEM__STUND__SHOP" in str(caught.value)
    assert "dragon" not in str(caught.value)


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    url, password = tmp_path / "url", tmp_path / "password"
    url.write_text("postgresql://trettio:dragon@database/trettio\n")
    password.write_text("griffin\n")
    settings = load_settings(
        {"TRETTIO_DATABASE_URL_FILE": str(url), "TRETTIO_SMTP_PASSWORD_FILE": str(password)}
    )

    assert settings.database_url is not None
    assert settings.database_url.get_secret_value().endswith("@database/trettio")
    assert settings.smtp_password is not None
    assert settings.smtp_password.get_secret_value() == "griffin"
    assert "dragon" not in repr(settings)


def test_a_secret_given_twice_or_in_no_file_stops_the_start(tmp_path: Path) -> None:
    missing = str(tmp_path / "none")
    with pytest.raises(SettingsWrong, match="TRETTIO_DATABASE_URL_FILE names cannot be read"):
        load_settings({"TRETTIO_DATABASE_URL_FILE": missing})
    with pytest.raises(SettingsWrong, match="TRETTIO_SMTP_PASSWORD and its file are both given"):
        load_settings({"TRETTIO_SMTP_PASSWORD": "griffin", "TRETTIO_SMTP_PASSWORD_FILE": missing})


def test_a_secret_of_a_system_may_lie_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("dragon\n")
    variable = secret_variable("fjord-scenen", "ticketing", "token")
    environ = {f"{variable}_FILE": str(file)}

    assert system_secrets("fjord-scenen", "ticketing", environ) == {"token": "dragon"}
    require_known_systems(SYSTEMS, environ)
    file.unlink()
    with pytest.raises(SettingsWrong, match=f"{variable}_FILE names cannot be read"):
        require_known_systems(SYSTEMS, environ)
    assert system_secrets("fjord-scenen", "ticketing", environ) == {}


def test_a_proxy_is_an_address_or_a_network() -> None:
    settings = load_settings({"TRETTIO_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.7"})
    assert settings.trusted_proxies == ("10.0.0.0/8", "192.0.2.7")
    with pytest.raises(SettingsWrong, match="TRETTIO_TRUSTED_PROXIES"):
        load_settings({"TRETTIO_TRUSTED_PROXIES": "everybody"})


@pytest.mark.parametrize(
    ("said", "misses"),
    [
        ({"IMAP_HOST": "imap.test"}, "IMAP_USERNAME"),
        ({"IMAP_HOST": "imap.test", "IMAP_USERNAME": "a"}, "IMAP_PASSWORD"),
        ({"MAIL_OAUTH_TOKEN_URL": "https://login.test/token"}, "MAIL_OAUTH_CLIENT_ID"),
        ({"MAIL_OAUTH_TOKEN_URL": "http://login.test/token"}, "https://"),
        (
            {"IMAP_HOST": "i.test", "IMAP_USERNAME": "a", "IMAP_PASSWORD": "b"}
            | {"IMAP_SECURITY": "none"},
            "tls or starttls",
        ),
        ({"LMTP": "8024"}, "host:port"),
    ],
)
def test_mail_that_is_half_set_up_stops_the_start(said: dict[str, str], misses: str) -> None:
    with pytest.raises(SettingsWrong, match=misses):
        load_settings({f"TRETTIO_{name}": value for name, value in said.items()})
