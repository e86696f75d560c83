"""Who wrote a mail, a person or a machine, as its headers and words tell (RFC 3834)."""

import re

from adapters.inbound.mail_headers import Headers
from adapters.inbound.mail_parts import Content
from domain.vocabulary import LetterKind
from services.messages import Nature

MAX_SUBJECT_CHARS = 500

_OUT_OF_OFFICE = re.compile(
    r"\s*(?:automatiskt? svar|autosvar|fraværsmelding|fråværsmelding|ikk(?:j)?e på kontoret|"
    r"på ferie|frånvaromeddelande|frånvarande|ej på plats|automatic reply|auto[- ]?reply|auto:|"
    r"out of (?:the )?office|on (?:holiday|leave))",
    re.IGNORECASE,
)
_UNDELIVERABLE = re.compile(
    r"\s*(?:undeliver(?:able|ed)|delivery status notification|mail delivery (?:failed|failure)|"
    r"returned mail|failure notice|kan ikke leveres|kunne ikke leveres|ulever(?:bar|t)|"
    r"kan inte levereras|kunde inte levereras|oleverer(?:bart|at))",
    re.IGNORECASE,
)


_PASSED_ON = frozenset(
    {LetterKind.OTHER_CONTROLLER.value, LetterKind.DOCUMENT_ACCESS_PASSED_ON.value}
)


def nature_of(headers: Headers, content: "Content", text: str) -> Nature:
    if "x-trettio" in headers:
        # What another organisation's Trettio passes on is a person's message, with their words.
        passed_on = headers.token("x-trettio") in _PASSED_ON
        return Nature.PERSONAL if passed_on else Nature.LOOP
    local_part = headers.sender()[1].partition("@")[0].lower()
    subject = headers.line("subject", MAX_SUBJECT_CHARS)
    no_return = headers.first("return-path").replace(" ", "") == "<>"
    if headers.content_type == "multipart/report":
        is_receipt = headers.report_type == "disposition-notification"
        return Nature.AUTOMATIC_REPLY if is_receipt else Nature.BOUNCE
    if (
        local_part == "mailer-daemon"
        or "x-failed-recipients" in headers
        or ((local_part == "postmaster" or no_return) and _UNDELIVERABLE.match(subject))
    ):
        return Nature.BOUNCE
    if _answers_by_itself(headers, subject, no_return=no_return):
        return Nature.AUTOMATIC_REPLY
    if content.calendar_reply and len(text) <= LONGEST_CALENDAR_NOTE:
        return Nature.AUTOMATIC_REPLY
    if no_return:
        return Nature.BOUNCE
    if {"list-id", "list-unsubscribe", "list-post"} & headers.values.keys() or headers.token(
        "precedence"
    ) in {"list", "bulk"}:
        return Nature.LIST
    return Nature.PERSONAL


LONGEST_CALENDAR_NOTE = 200


def _answers_by_itself(headers: Headers, subject: str, *, no_return: bool) -> bool:
    if headers.token("auto-submitted") not in {"", "no"}:
        return True
    precedence = headers.token("precedence")
    if precedence in {"junk", "auto_reply"}:
        return True
    if {"x-autoreply", "x-autorespond", "x-autoresponder"} & headers.values.keys():
        return True
    # Neither of these is enough alone: people write "on holiday" too, and some mail systems
    # suppress automatic replies to everything they send.
    suppressed = headers.token("x-auto-response-suppress") not in {"", "none"}
    return _OUT_OF_OFFICE.match(subject) is not None and (
        suppressed or no_return or precedence == "bulk"
    )
