"""How we connect to Kafka: addresses, protection, and one clear line when it cannot be reached."""

from __future__ import annotations

import logging
import ssl
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from adapters.settings import Settings

if TYPE_CHECKING:
    from kafka import KafkaAdminClient

BOOTSTRAP_MILLISECONDS = 10_000
CLIENT_ID = "trettio"


class KafkaNotUsable(Exception):
    """Kafka cannot be used as it is. The message is one line that says what to do."""


def options(settings: Settings) -> dict[str, Any]:
    """What producer, consumer and admin client alike are given."""
    # While no broker answers it says so several times a second; we say it once, and in /health.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    if settings.kafka is None:
        raise KafkaNotUsable("TRETTIO_KAFKA is not set: name your brokers, as in kafka:9092")
    given: dict[str, Any] = {
        "bootstrap_servers": [one.strip() for one in settings.kafka.split(",") if one.strip()],
        "client_id": CLIENT_ID,
        "security_protocol": settings.kafka_security,
        "bootstrap_timeout_ms": BOOTSTRAP_MILLISECONDS,
        # A broker that is back should be noticed within a second, not within thirty.
        "reconnect_backoff_max_ms": 1_000,
    }
    if settings.kafka_security.endswith("SSL"):
        given["ssl_context"] = _trust(settings)
    if settings.kafka_security.startswith("SASL"):
        password = settings.kafka_password
        given["sasl_mechanism"] = settings.kafka_mechanism
        given["sasl_plain_username"] = settings.kafka_user
        given["sasl_plain_password"] = password.get_secret_value() if password else None
    return given


class KafkaAway(KafkaNotUsable):
    """Kafka does not answer. It may do so in a moment."""


@contextmanager
def reaching(settings: Settings) -> Iterator[None]:
    """What goes wrong while Kafka is reached becomes one line that says what to look at."""
    from kafka.errors import (
        AuthorizationError,
        KafkaError,
        KafkaTimeoutError,
        SaslAuthenticationFailedError,
        UnsupportedSaslMechanismError,
    )

    heard = _Heard()
    heard.listen()
    try:
        yield
    except AuthorizationError as error:
        raise KafkaNotUsable(
            f"Kafka does not let us ({type(error).__name__}): see the list of rights in"
            " deploy/README.md"
        ) from error
    except (KafkaError, OSError) as error:
        reasons = [error, *heard.reasons] if isinstance(error, KafkaTimeoutError) else [error]
        refused = (SaslAuthenticationFailedError, UnsupportedSaslMechanismError)
        if any(isinstance(reason, refused) for reason in reasons):
            raise KafkaNotUsable(
                "Kafka does not accept TRETTIO_KAFKA_USER with this password and mechanism"
            ) from error
        if any("CERTIFICATE_VERIFY_FAILED" in str(reason) for reason in reasons):
            raise KafkaNotUsable(
                f"nobody whom we trust vouches for Kafka at {settings.kafka}: name the file with"
                " its authority's certificate as TRETTIO_KAFKA_CA"
            ) from error
        # A broker that refuses a password may hang up before the refusal has arrived.
        doubt = "; or it hangs up because TRETTIO_KAFKA_USER or its password is wrong"
        hangs_up = any("disconnected" in str(reason) for reason in reasons)
        raise KafkaAway(
            f"Kafka at {settings.kafka} cannot be reached ({_cause(reasons[-1])})"
            f"{doubt if hangs_up and settings.kafka_security.startswith('SASL') else ''}"
        ) from error
    finally:
        heard.forget()


@contextmanager
def administration(settings: Settings) -> Iterator[KafkaAdminClient]:
    """A client that asks about topics and makes them."""
    from kafka import KafkaAdminClient

    with reaching(settings):
        client = KafkaAdminClient(**options(settings))
        try:
            yield client
        finally:
            client.close()


_NOBODY = logging.NullHandler()


class _Heard(logging.Handler):
    """Why connections failed. The library only logs it, and in the end says that time is up.

    A refusal does not always arrive before the connection is closed, so every try counts.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.reasons: deque[BaseException] = deque(maxlen=100)
        self._source = logging.getLogger("kafka.net.manager")

    def listen(self) -> None:
        # Heard by us, whatever else of the library is written down, and told by nobody else.
        self._source.setLevel(logging.WARNING)
        self._source.propagate = False
        self._source.addHandler(_NOBODY)
        self._source.addHandler(self)

    def forget(self) -> None:
        self._source.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        said = record.args if isinstance(record.args, tuple) else ()
        self.reasons.extend(part for part in said if isinstance(part, BaseException))


def _trust(settings: Settings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(
            cafile=str(settings.kafka_ca) if settings.kafka_ca else None
        )
    except (OSError, ssl.SSLError) as error:
        raise KafkaNotUsable(
            f"TRETTIO_KAFKA_CA holds no certificates that can be read ({type(error).__name__})"
        ) from error
    if settings.kafka_certificate and settings.kafka_key:
        try:
            context.load_cert_chain(settings.kafka_certificate, settings.kafka_key)
        except (OSError, ssl.SSLError) as error:
            raise KafkaNotUsable(
                "TRETTIO_KAFKA_CERTIFICATE and TRETTIO_KAFKA_KEY do not fit together or cannot"
                f" be read ({type(error).__name__})"
            ) from error
    return context


def _cause(error: BaseException) -> str:
    """The innermost reason: what the network or the certificate check said."""
    while error.__cause__ is not None:
        error = error.__cause__
    return type(error).__name__
