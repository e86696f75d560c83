"""Settings: the environment read once, into one frozen object; a wrong value stops the start."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

PREFIX = "TRETTIO_"
SYSTEM_PREFIX = "TRETTIO_SYSTEM__"
PROVIDER_PREFIX = "TRETTIO_EID__"
OF_COMMANDS = frozenset({"TRETTIO_STAFF"})
"""What somebody at a terminal sets for themselves, in place of a command's option."""
FOR_TESTS = frozenset(
    {"TRETTIO_REQUIRE", "TRETTIO_SEED", "TRETTIO_TEST_CACHE", "TRETTIO_CONTRACTS"}
    | {"TRETTIO_POLICIES", "TRETTIO_KAFKA_ROUNDS"}
)


FROM_FILES = (
    *("database_url", "smtp_password", "imap_password", "kafka_password"),
    *("mail_oauth_client_secret", "mail_oauth_refresh_token", "staff_oidc_client_secret"),
)
"""Secrets that a file may hold; so may every variable of a connected system, as <VARIABLE>_FILE."""

_HOST_AND_PORT = re.compile(r"[a-z0-9.-]+(:[0-9]{1,5})?")


class SettingsWrong(Exception):
    """One line that names the variable and says what it expects."""


class Settings(BaseSettings):
    """Everything an installation can set, from `TRETTIO_*`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    home: Annotated[Path, Field(description="a directory for data, keys and dropped files")] = Path(
        "~/.local/share/trettio"
    )
    database_url: Annotated[
        SecretStr | None,
        Field(description="postgresql://user:password@host/database, or nothing for embedded"),
    ] = None
    database_url_file: Annotated[
        Path | None, Field(description="a file that holds the URL, in place of the variable")
    ] = None
    master_key: Annotated[
        SecretStr | None, Field(description="32 random bytes in base64, the current key first")
    ] = None
    master_key_file: Annotated[
        Path | None, Field(description="a file outside the data directory that holds the key")
    ] = None
    signing_key: Annotated[
        SecretStr | None,
        Field(description="32 random bytes in base64 that sign the evidence chain, newest first"),
    ] = None
    signing_key_file: Annotated[
        Path | None,
        Field(description="a file outside the data directory that holds the signing key"),
    ] = None
    checkpoints: Annotated[
        Path | None,
        Field(description="a file outside the database that every signed checkpoint is added to"),
    ] = None
    host: Annotated[str, Field(description="the address to listen on")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535, description="a port, 0 to 65535")] = 8030
    public_url: Annotated[
        str | None, Field(description="https://… as people outside reach this service")
    ] = None
    trusted_proxies: Annotated[
        tuple[str, ...],
        NoDecode,
        Field(
            description="addresses or networks of your own proxies, separated by commas: what they"
            " say in X-Forwarded-For is where a visitor comes from"
        ),
    ] = ("127.0.0.1", "::1")
    smtp_host: Annotated[
        str | None, Field(description="the mail relay; without one letters wait to be printed")
    ] = None
    smtp_port: Annotated[int, Field(ge=1, le=65_535, description="a port, 1 to 65535")] = 587
    smtp_security: Annotated[
        Literal["starttls", "tls", "none"], Field(description="starttls, tls or none")
    ] = "starttls"
    smtp_username: Annotated[str | None, Field(description="a user name")] = None
    smtp_password: Annotated[SecretStr | None, Field(description="a password")] = None
    smtp_password_file: Annotated[
        Path | None, Field(description="a file that holds the password, in place of the variable")
    ] = None
    mail_oauth_token_url: Annotated[
        str | None,
        Field(
            pattern=r"^(https://|http://(localhost|127\.0\.0\.1)[:/])",
            description="https://…, where access tokens for the mail servers come from; they take"
            " the place of SMTP_PASSWORD and IMAP_PASSWORD",
        ),
    ] = None
    mail_oauth_client_id: Annotated[str | None, Field(description="this program's id there")] = None
    mail_oauth_client_secret: Annotated[
        SecretStr | None, Field(description="this program's secret there")
    ] = None
    mail_oauth_client_secret_file: Annotated[
        Path | None, Field(description="a file that holds the secret, in place of the variable")
    ] = None
    mail_oauth_scope: Annotated[str | None, Field(description="what the tokens are to open")] = None
    mail_oauth_refresh_token: Annotated[
        SecretStr | None, Field(description="a refresh token, where a person has agreed once")
    ] = None
    mail_oauth_refresh_token_file: Annotated[
        Path | None, Field(description="a file that holds the refresh token")
    ] = None
    lmtp: Annotated[
        str | None,
        Field(
            pattern=r"^(/.+|[^/\s]+:\d{1,5})$",
            description="host:port or the path of a socket, where your mail server hands over mail",
        ),
    ] = None
    mail_folder: Annotated[
        Path | None, Field(description="a directory; every .eml dropped there is taken in")
    ] = None
    imap_host: Annotated[
        str | None, Field(description="the server of a mailbox that is looked into")
    ] = None
    imap_port: Annotated[int, Field(ge=1, le=65_535, description="a port, 1 to 65535")] = 993
    imap_security: Annotated[
        Literal["starttls", "tls", "none"], Field(description="starttls, tls or none")
    ] = "tls"
    imap_username: Annotated[str | None, Field(description="a user name")] = None
    imap_password: Annotated[SecretStr | None, Field(description="a password")] = None
    imap_password_file: Annotated[
        Path | None, Field(description="a file that holds the password, in place of the variable")
    ] = None
    imap_every_seconds: Annotated[
        float, Field(ge=1, le=3_600, description="seconds between two looks, 1 to 3600")
    ] = 60.0
    neutral_sender_address: Annotated[
        str | None,
        Field(
            pattern=r"^[^@\s]+@[^@\s]+$",
            description="an address that names no business, for letters sent years later",
        ),
    ] = None
    trusted_mail_hosts: Annotated[
        tuple[str, ...],
        NoDecode,
        Field(description="host names of your own mail servers, separated by commas"),
    ] = ()
    webhook_allow: Annotated[
        tuple[str, ...],
        NoDecode,
        Field(
            description="host or host:port, separated by commas: hosts of your own with internal"
            " addresses that connected systems may be told at"
        ),
    ] = ()
    profiles: Annotated[
        Path | None, Field(description="a directory with one profile (*.toml) per controller")
    ] = None
    workers: Annotated[int, Field(ge=0, le=64, description="threads that work, 0 to 64")] = 3
    undo_seconds: Annotated[
        int | None,
        Field(
            ge=0,
            le=3_600,
            description="seconds, 0 to 3600, that a letter from the desk waits before it leaves,"
            " so that it can be taken back; 60 with a mail relay, else none",
        ),
    ] = None
    scan_command: Annotated[
        str | None,
        Field(
            description="a command that reads a file from its standard input and ends with 0 if it"
            " is clean and 1 if not; or clamd:/path/of/its/socket; or clamd://host:port"
        ),
    ] = None
    leave_seconds: Annotated[
        float,
        Field(
            ge=0,
            le=600,
            description="seconds, 0 to 600, that `serve --only-web` still answers after SIGTERM"
            " while /health says that it leaves: as long as your balancer takes to notice",
        ),
    ] = 5.0
    staff_oidc_issuer: Annotated[
        str | None, Field(description="the issuer of the OpenID provider that staff sign in with")
    ] = None
    staff_oidc_client_id: Annotated[str | None, Field(description="our client id there")] = None
    staff_oidc_client_secret: Annotated[SecretStr | None, Field(description="its secret")] = None
    staff_oidc_client_secret_file: Annotated[
        Path | None, Field(description="a file that holds the secret, in place of the variable")
    ] = None
    staff_oidc_name: Annotated[
        str, Field(description="what the button on the sign-in page calls the provider")
    ] = "OpenID Connect"
    staff_oidc_scopes: Annotated[str, Field(description="scopes, separated by spaces")] = (
        "openid profile email"
    )
    staff_oidc_groups_claim: Annotated[
        str, Field(description="the claim that names somebody's groups")
    ] = "groups"
    staff_oidc_roles: Annotated[
        str,
        Field(
            description="group=role@controller, separated by commas; without @controller for all:"
            " privacy-team=handler@my-house, dpo=officer"
        ),
    ] = ""
    session_idle_minutes: Annotated[
        int, Field(ge=1, le=1440, description="minutes, 1 to 1440, after which the desk is left")
    ] = 30
    session_hours: Annotated[
        int, Field(ge=1, le=24, description="hours, 1 to 24, after which staff sign in anew")
    ] = 10
    log: Annotated[Literal["json", "pretty", "auto"], Field(description="json, pretty or auto")] = (
        "auto"
    )
    kafka: Annotated[
        str | None, Field(description="bootstrap servers, or nothing: then nothing is published")
    ] = None
    kafka_security: Annotated[
        Literal["PLAINTEXT", "SSL", "SASL_SSL", "SASL_PLAINTEXT"],
        Field(description="PLAINTEXT, SSL, SASL_SSL or SASL_PLAINTEXT"),
    ] = "PLAINTEXT"
    kafka_mechanism: Annotated[
        Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"],
        Field(description="SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN"),
    ] = "SCRAM-SHA-512"
    kafka_user: Annotated[str | None, Field(description="a user name")] = None
    kafka_password: Annotated[SecretStr | None, Field(description="a password")] = None
    kafka_password_file: Annotated[
        Path | None, Field(description="a file that holds the password, in place of the variable")
    ] = None
    kafka_ca: Annotated[
        Path | None,
        Field(description="a file with the certificates to trust; the system's otherwise"),
    ] = None
    kafka_certificate: Annotated[
        Path | None, Field(description="a file with our own certificate, where brokers ask for one")
    ] = None
    kafka_key: Annotated[Path | None, Field(description="a file with its key")] = None
    kafka_group: Annotated[str, Field(description="the consumer group that reads the receipts")] = (
        "trettio"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_others: PydanticBaseSettingsSource,
        **_more: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load_settings` has read: there, an empty variable says nothing."""
        return (init_settings,)

    @field_validator(
        *("home", "profiles", "mail_folder", "database_url_file", "master_key_file"),
        *("smtp_password_file", "imap_password_file"),
        *("mail_oauth_client_secret_file", "mail_oauth_refresh_token_file"),
        *("staff_oidc_client_secret_file", "kafka_password_file"),
        *("kafka_ca", "kafka_certificate", "kafka_key"),
        *("signing_key_file", "checkpoints"),
    )
    @classmethod
    def _expanded(cls, value: Path | None) -> Path | None:
        return value.expanduser().absolute() if value is not None else None

    @field_validator("webhook_allow", mode="before")
    @classmethod
    def _hosts(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        named = tuple(one.strip().lower() for one in value.split(",") if one.strip())
        if not all(_HOST_AND_PORT.fullmatch(one) for one in named):
            raise ValueError("must be hosts")
        return named

    @field_validator("trusted_mail_hosts", mode="before")
    @classmethod
    def _separated(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(host.strip().lower() for host in value.split(",") if host.strip())
        return value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        named = tuple(one.strip() for one in value.split(",") if one.strip())
        for one in named:
            ip_network(one, strict=False)  # raises ValueError, which stops the start
        return named

    @field_validator("database_url")
    @classmethod
    def _of_postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            try:
                scheme = urlsplit(value.get_secret_value()).scheme
            except ValueError:
                scheme = ""
            if scheme not in {"postgresql", "postgres"}:
                raise ValueError("must begin with postgresql://")
        return value

    @field_validator("profiles")
    @classmethod
    def _there(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_dir():
            raise ValueError("must be there")
        return value

    @field_validator("public_url")
    @classmethod
    def _absolute(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        at_home = parts.scheme == "http" and parts.hostname in {"localhost", "127.0.0.1", "::1"}
        # Links in letters hold a secret: nobody on the way may read them.
        if (parts.scheme != "https" and not at_home) or not parts.hostname:
            raise ValueError("must begin with https://")
        return value.rstrip("/")

    @property
    def takes_mail(self) -> bool:
        """Whether mail comes in by itself."""
        return bool(self.lmtp or self.mail_folder or self.imap_host)

    @property
    def undo_within(self) -> timedelta:
        """How long a letter can be taken back for sure; without a relay none leaves by itself."""
        usual = 0 if self.smtp_host is None else 60
        return timedelta(seconds=usual if self.undo_seconds is None else self.undo_seconds)

    @property
    def address(self) -> str:
        """Where people reach this service; links in letters begin so."""
        return self.public_url or f"http://{self.host}:{self.port}"

    @property
    def neutral_sender(self) -> str:
        """Who writes what may reach a stranger: nobody whose name says whom they were with."""
        return self.neutral_sender_address or f"no-reply@{urlsplit(self.address).hostname}"

    @property
    def key_file(self) -> Path | None:
        """The file with the master keys; None when the environment holds them."""
        if self.master_key is not None:
            return None
        return self.master_key_file or self.home / "master.key"

    @property
    def signing_file(self) -> Path | None:
        """The file with the signing keys; None when the environment holds them."""
        if self.signing_key is not None:
            return None
        beside = self.master_key_file.parent if self.master_key_file else self.home
        return self.signing_key_file or beside / "signing.key"

    @property
    def checkpoint_file(self) -> Path:
        return self.checkpoints or self.home / "checkpoints"

    @property
    def keeps_key_inside(self) -> bool:
        """Whether the master keys lie in the data directory, beside what they protect."""
        return self.key_file is not None and self.key_file.is_relative_to(self.home)

    @property
    def exports(self) -> Path:
        """Where exports of systems without an API are dropped, per controller and system."""
        return self.home / "exports"


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check `TRETTIO_*`; raises `SettingsWrong` with one line."""
    environ = os.environ if environ is None else environ
    known = {f"{PREFIX}{name.upper()}": name for name in Settings.model_fields}
    for variable in sorted(environ):
        if (
            variable.startswith(PREFIX)
            and variable not in known
            and variable not in FOR_TESTS | OF_COMMANDS
            and not variable.startswith((SYSTEM_PREFIX, PROVIDER_PREFIX))
        ):
            raise SettingsWrong(f"{variable} is not a setting; there are: {', '.join(known)}")
    values = {
        name: environ[variable]
        for variable, name in known.items()
        if environ.get(variable, "").strip()
    }
    for name in FROM_FILES:
        if file := values.get(f"{name}_file"):
            if name in values:
                raise SettingsWrong(f"{PREFIX}{name.upper()} and its file are both given: give one")
            values[name] = _content(Path(file), f"{PREFIX}{name.upper()}_FILE")
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsWrong(_one_line(error)) from None
    _require_whole_mail(settings)
    _require_whole_kafka(settings)
    return settings


def _require_whole_mail(settings: Settings) -> None:
    """Settings that make sense only together."""
    if settings.mail_oauth_token_url and not settings.mail_oauth_client_id:
        raise SettingsWrong(f"{PREFIX}MAIL_OAUTH_TOKEN_URL needs {PREFIX}MAIL_OAUTH_CLIENT_ID too")
    if settings.imap_host:
        if not settings.imap_username:
            raise SettingsWrong(f"{PREFIX}IMAP_HOST needs {PREFIX}IMAP_USERNAME too")
        if not (settings.imap_password or settings.mail_oauth_token_url):
            raise SettingsWrong(
                f"{PREFIX}IMAP_HOST needs {PREFIX}IMAP_PASSWORD or {PREFIX}MAIL_OAUTH_TOKEN_URL too"
            )
        if settings.imap_security == "none":
            at_home = settings.imap_host in {"localhost", "127.0.0.1", "::1"}
            if not at_home:
                raise SettingsWrong(
                    f"{PREFIX}IMAP_SECURITY is wrong: a password needs a protected connection,"
                    " choose tls or starttls"
                )


def _require_whole_kafka(settings: Settings) -> None:
    if settings.kafka is None:
        return
    if settings.kafka_security.startswith("SASL") and not (
        settings.kafka_user and settings.kafka_password
    ):
        raise SettingsWrong(
            f"{PREFIX}KAFKA_SECURITY needs {PREFIX}KAFKA_USER and {PREFIX}KAFKA_PASSWORD too"
        )
    if bool(settings.kafka_certificate) != bool(settings.kafka_key):
        raise SettingsWrong(
            f"{PREFIX}KAFKA_CERTIFICATE and {PREFIX}KAFKA_KEY belong together: give both"
        )


def require_known_systems(
    systems: Mapping[str, Collection[str]], environ: Mapping[str, str] | None = None
) -> None:
    """Refuse a variable for a system that no controller has, and a file that cannot be read.

    `systems` are theirs by controller.
    """
    environ = os.environ if environ is None else environ
    prefixes = tuple(
        f"{SYSTEM_PREFIX}{_name(controller)}__{_name(system)}__"
        for controller, theirs in systems.items()
        for system in theirs
    )
    for variable in sorted(environ):
        of_known = any(variable.startswith(p) and variable != p for p in prefixes)
        if variable.startswith(SYSTEM_PREFIX) and not of_known:
            raise SettingsWrong(
                f"{variable} belongs to no system: it expects"
                f" {SYSTEM_PREFIX}<CONTROLLER>__<SYSTEM>__<KEY>, with a system of: "
                + (", ".join(sorted(p.removesuffix("__") for p in prefixes)) or "no profile yet")
            )
        if of_known and variable.endswith("_FILE"):
            _content(Path(environ[variable]), variable)


def system_secrets(
    controller: str, system: str, environ: Mapping[str, str] | None = None
) -> dict[str, str]:
    """What the environment says about one connected system.

    `TRETTIO_SYSTEM__<CONTROLLER>__<SYSTEM>__<KEY>`, dashes written as underscores; with `_FILE`
    after it the variable names a file that holds the value. A file that cannot be read any more is
    a value that is missing.
    """
    return _said_under(secret_variable(controller, system, ""), environ)


def provider_secrets(
    controller: str, provider: str, environ: Mapping[str, str] | None = None
) -> dict[str, str]:
    """What the environment says about one identity provider of a controller, read alike."""
    return _said_under(f"{PROVIDER_PREFIX}{_name(controller)}__{_name(provider)}__", environ)


def _said_under(prefix: str, environ: Mapping[str, str] | None) -> dict[str, str]:
    environ = os.environ if environ is None else environ
    found = {}
    for variable, value in environ.items():
        if variable.startswith(prefix):
            key = variable.removeprefix(prefix).lower()
            if key.endswith("_file"):
                with suppress(SettingsWrong):
                    found[key.removesuffix("_file")] = _content(Path(value), variable)
            else:
                found[key] = value
    return found


def secret_variable(controller: str, system: str, key: str) -> str:
    return f"{SYSTEM_PREFIX}{_name(controller)}__{_name(system)}__{key.upper()}"


def _content(file: Path, variable: str) -> str:
    try:
        return file.expanduser().read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsWrong(
            f"the file that {variable} names cannot be read ({type(error).__name__})"
        ) from None


def _name(word: str) -> str:
    return word.replace("-", "_").upper()


def _one_line(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False)[0]
    name = str(first["loc"][0])
    expected = Settings.model_fields[name].description
    return f"{PREFIX}{name.upper()} is wrong: it expects {expected}"
