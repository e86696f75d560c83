"""A whole installation on one stage: web, mail and controllers, with whatever systems a test plays.

Like `stories`, through the doors that people have; the systems are doubles on loopback.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2

from adapters.bootstrap import Installation, installation
from adapters.settings import Settings
from domain.vocabulary import Severity
from tests.support.components import free_port
from tests.support.stories import HANDLER, HOST, Moment, Postbox, Story, served

Secrets = Mapping[tuple[str, str], Mapping[str, str]]


@contextmanager
def open_stage(
    database_url: str, home: Path, profiles: Mapping[str, Path], secrets: Secrets
) -> Iterator[Story]:
    """An installation that serves these controllers; what has to be decided first is open still."""
    moment, postbox, asked = Moment(), Postbox(), list[str]()
    with ExitStack() as stack:
        settings = Settings.model_validate(
            {
                "home": home,
                "database_url": database_url,
                "port": free_port(),
                "smtp_host": "127.0.0.1",
                "smtp_port": stack.enter_context(postbox.open()),
                "smtp_security": "none",
                "undo_seconds": 0,
                "trusted_mail_hosts": HOST,
            }
        )
        running = stack.enter_context(
            installation(settings, clock=moment, secrets=secrets, with_migrations=True)
        )
        for name, path in profiles.items():
            running.controllers.adopt(path.read_bytes(), name=name, by=HANDLER)
        stack.enter_context(served(running, asked))
        http = stack.enter_context(httpx2.Client(base_url=settings.address, timeout=30))
        yield Story(running, moment, postbox, http, database_url, asked)


def decide(installation: Installation, controller: str) -> tuple[str, ...]:
    """Decide every finding that keeps a controller from working; answers their codes."""
    controllers = installation.controllers
    codes = tuple(
        finding.code
        for finding in controllers.findings(controller, installation.clock().date())
        if finding.severity in {Severity.DECIDE_FIRST, Severity.BLOCK_LETTERS}
    )
    for code in codes:
        controllers.decide_finding(controller, code=code, decision="decided", by=HANDLER)
    return codes
