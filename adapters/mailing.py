"""How mail leaves, and what the mail servers take for a password: settings in, a mailer out."""

from __future__ import annotations

from adapters.outbound.mail_tokens import MailTokens
from adapters.outbound.outbox import Outbox
from adapters.outbound.smtp import Security, SmtpMailer
from adapters.settings import Settings
from services.ports import Clock, Mailer


def mail_tokens_of(settings: Settings) -> MailTokens | None:
    """What the mail servers take in place of a password, where the settings say so."""
    if settings.mail_oauth_token_url is None:
        return None
    secret, refresh = settings.mail_oauth_client_secret, settings.mail_oauth_refresh_token
    return MailTokens(
        settings.mail_oauth_token_url,
        client_id=settings.mail_oauth_client_id or "",
        client_secret=secret.get_secret_value() if secret else None,
        scope=settings.mail_oauth_scope,
        refresh_token=refresh.get_secret_value() if refresh else None,
    )


def mailer_of(settings: Settings, clock: Clock, tokens: MailTokens | None) -> Mailer:
    """The relay, or a drawer in which letters wait for somebody to print them."""
    if settings.smtp_host is None:
        return Outbox(settings.home / "outbox", clock=clock)
    password = settings.smtp_password
    return SmtpMailer(
        settings.smtp_host,
        settings.smtp_port,
        clock=clock,
        security=Security(settings.smtp_security),
        username=settings.smtp_username,
        password=password.get_secret_value() if password else None,
        tokens=None if password else tokens,
    )


def refused_in(settings: Settings) -> list[str]:
    """What somebody has to be told of messages that nobody could read."""
    if settings.mail_folder is None:
        return []
    refused = len(list((settings.mail_folder / "refused").glob("*.reason.txt")))
    return [f"{refused} messages in the mail folder were refused"] if refused else []
