"""Every way by which mail comes in by itself, opened as the settings say and kept going."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import Event, Thread

import structlog

from adapters.bootstrap import Installation
from adapters.inbound.mailroom.folder import Folder
from adapters.inbound.mailroom.imap import Account, Mailbox
from adapters.inbound.mailroom.letterbox import Letterbox
from adapters.inbound.mailroom.lmtp import listening
from adapters.outbound.smtp import Security
from services.ports import Unavailable

FOLDER_SECONDS = 2.0
LONGEST_PAUSE = 300.0

log = structlog.get_logger()


@contextmanager
def taking_mail(installation: Installation, stop: Event) -> Iterator[list[Thread]]:
    """Take mail in until the block ends; gives the threads that go round."""
    settings = installation.settings
    letterbox = Letterbox(installation)
    rounds: list[tuple[str, Callable[[], int], float]] = []
    if settings.mail_folder is not None:
        rounds.append(("folder", Folder(letterbox, settings.mail_folder).look, FOLDER_SECONDS))
    if settings.imap_host is not None:
        mailbox = Mailbox(letterbox, account_of(installation), installation.mail_tokens)
        rounds.append(("imap", mailbox.look, settings.imap_every_seconds))
    with ExitStack() as doors:
        if settings.lmtp is not None:
            doors.enter_context(listening(letterbox, settings.lmtp))
        threads = [
            Thread(target=_go_round, args=(name, look, every, stop), name=f"mail-{name}")
            for name, look, every in rounds
        ]
        yield threads


def account_of(installation: Installation) -> Account:
    settings = installation.settings
    password = settings.imap_password
    return Account(
        host=settings.imap_host or "",
        port=settings.imap_port,
        username=settings.imap_username or "",
        password=password.get_secret_value() if password else None,
        security=Security(settings.imap_security),
    )


def _go_round(name: str, look: Callable[[], int], every: float, stop: Event) -> None:
    pause = every
    while not stop.is_set():
        try:
            look()
            pause = every
        except Unavailable as error:
            log.warning("mail_not_fetched", way=name, reason=error.reason)
            pause = _longer(pause, every)
        except Exception:  # the database may be away; what lies there goes on lying there
            log.exception("mail_not_fetched", way=name)
            pause = _longer(pause, every)
        stop.wait(pause)


def _longer(pause: float, every: float) -> float:
    return max(every, min(LONGEST_PAUSE, pause * 2))
