"""Mails to those who answer by a link: that there is something to answer, and their codes.

No data and no name is in them (Art. 5(1)(f)): a mail is read by servers and scanners on its way.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from html import escape
from pathlib import Path

from domain.explanation import written_date
from domain.policy import Profile
from domain.vocabulary import Language, StaffMail
from services.contacts import Contact, recipient_of, system_of
from services.ports import OutgoingMail
from services.postroom import sender_of
from services.wording import Wording, wording

TEXTS = Path(__file__).with_name("errand_texts")


def asking(
    profile: Profile, contact: Contact, line: str, *, key: str, url: str, due: date, again: bool
) -> OutgoingMail:
    """The mail that leads to the page; it names the system and the day, and nobody."""
    words = wording(TEXTS, contact.language)
    day = written_date(due, contact.language)
    said = {"controller": called(profile), "system": line_name(profile, line), "day": day}
    paragraphs = [
        words.say("mail.intro", **said),
        *([words.say("mail.again")] if again else []),
        words.say("mail.where", address=url),
        words.say("mail.how"),
        words.say("mail.doubt", sender=sender_of(profile)),
    ]
    subject = words.say("mail.again_subject" if again else "mail.subject", **said)
    return _mail(profile, contact, key, subject, paragraphs, words, StaffMail.ERRAND)


def coded(
    profile: Profile, contact: Contact, *, key: str, code: str, valid_for: timedelta
) -> OutgoingMail:
    words = wording(TEXTS, contact.language)
    spaced = f"{code[:4]} {code[4:]}"
    said = {
        "controller": called(profile),
        "code": spaced,
        "minutes": int(valid_for.total_seconds() // 60),
    }
    paragraphs = [words.say("code.text", **said), words.say("code.unasked")]
    subject = words.say("code.subject", **said)
    return _mail(profile, contact, key, subject, paragraphs, words, StaffMail.ERRAND_CODE)


def called(profile: Profile) -> str:
    return profile.controller.trade_name or profile.controller.name


def line_name(profile: Profile, line: str) -> str:
    """What a line of a plan is called: a system, or what went to a recipient."""
    known = system_of(profile, line) or recipient_of(profile, line)
    return known.name if known is not None else line


def _mail(
    profile: Profile,
    contact: Contact,
    key: str,
    subject: str,
    paragraphs: Sequence[str],
    words: Wording,
    kind: StaffMail,
) -> OutgoingMail:
    language: Language = words.language
    body = "".join(f"<p>{escape(part)}</p>" for part in paragraphs)
    return OutgoingMail(
        key=key,
        sender=sender_of(profile),
        recipient=contact.address,
        subject=subject,
        text="\n\n".join(paragraphs) + "\n",
        html=f'<!doctype html><html lang="{language.value}"><head><meta charset="utf-8">'
        f"<title>Trettio</title></head><body>{body}</body></html>",
        kind=kind,
    )
