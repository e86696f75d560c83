"""The account of a case, to be read: what was asked, each date and why, who decided what.

Made from the log up to one moment; it names nobody who asked (GDPR Art. 5(2), 12).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from adapters.bootstrap import Installation
from adapters.evidence.trettio_verify import told
from adapters.inbound.web.case_dates import why
from adapters.inbound.web.case_history import history
from adapters.inbound.web.case_parts import DecisionGroup
from adapters.inbound.web.case_words import Names
from adapters.inbound.web.happened import Happened
from adapters.inbound.web.look import Look
from adapters.inbound.web.past_pages import PastRequest, past_requests
from domain.case import Case
from domain.policy import Profile
from domain.vocabulary import Language
from services.documents import Document, Part
from services.ports import Destruction


@dataclass(frozen=True, slots=True)
class Told:
    """What an account is of, and what it says of its own proof."""

    case: Case
    profile: Profile
    moment: datetime
    on: date
    as_of: bool
    events: int
    fingerprint: str
    destructions: Sequence[Destruction]


def account(installation: Installation, it: Told, language: Language) -> Document:
    look = Look(language, it.profile.country.zone)
    controller = it.profile.controller
    return Document(
        title=look.say("pack.title", case=it.case.reference),
        language=language,
        parts=tuple(_parts(installation, it, look)),
        sender=(controller.name,),
        date=look.moment(it.moment),
        reference=it.case.reference,
        country=it.profile.country,
    )


def _parts(installation: Installation, it: Told, look: Look) -> Iterator[Part]:
    names, case = Names(it.profile, look), it.case
    if it.as_of:
        yield Part("paragraph", look.say("pack.as_of", day=look.day(it.on)))
    yield Part("paragraph", look.say("pack.about"))
    yield Part("heading", look.say("pack.asked"))
    yield Part(
        "terms",
        terms=(
            (
                look.say("message.received"),
                f"{look.moment(case.received_at)}, {look.word('source', case.receipt_source)}",
            ),
            (look.say("message.channel"), look.word("channel", case.channel)),
            (
                look.say("message.taken_for"),
                look.rights(case.rights) or look.word("kind", case.kind),
            ),
        ),
    )
    requests = list(past_requests(installation, case, names, it.moment, it.on))
    for one in requests:
        yield from _request(installation, one, it, look)
    yield Part("heading", look.say("pack.happened"))
    lines = history(installation, case, [one.request for one in requests], names, until=it.moment)
    header = _columns(look, "when", "what", "more", "who")
    yield Part("table", rows=(header, *(_line(installation, one, look) for one in lines)))
    if it.destructions:
        yield Part("heading", look.say("pack.destroyed"))
        yield Part(
            "items",
            items=tuple(
                look.say(
                    "pack.destruction",
                    what=look.word("pack.compartment", one.compartment),
                    count=one.items,
                    when=look.moment(one.destroyed_at),
                    key=one.key_id,
                )
                for one in it.destructions
            ),
        )
    yield Part("heading", look.say("pack.proof"))
    yield Part("paragraph", look.say("pack.proven", count=it.events))
    yield Part("words", told(it.fingerprint))


def _request(installation: Installation, one: PastRequest, it: Told, look: Look) -> Iterator[Part]:
    request = one.request
    yield Part("heading", f"{look.right(request.right)} ({request.right.article})")
    facts = [
        (look.say("pack.status"), look.word("status", request.status)),
        *((look.say(f"dates.{due.name}"), look.day(due.day)) for due in one.dates),
    ]
    for label, by in (("handler", request.assigned_to), ("decided", request.approved_by)):
        if by:
            facts.append((look.say(f"pack.{label}"), _named(installation, by)))
    if request.refusal is not None:
        facts.append((look.say("pack.refused"), look.word("refusal", request.refusal)))
    yield Part("terms", terms=tuple(facts))
    steps = why(request, it.on, look.language)
    if steps:
        yield Part("heading", look.say("dates.why"), level=3)
        said = (
            f"{step.title}: {look.day(step.day)}. {step.text} ({step.source})" for step in steps
        )
        yield Part("items", items=tuple(said))
    if one.systems:
        yield Part("heading", look.say("pack.systems"), level=3)
        rows = (
            (
                name,
                look.word("action", state.action),
                look.word("system_status", state.status),
                str(len(state.found)),
            )
            for name, state in one.systems
        )
        yield Part("table", rows=(_columns(look, "system", "asked", "answer", "found"), *rows))
    if one.groups:
        yield Part("heading", look.say("pack.decisions"), level=3)
        decided = (_decided(group, look) for group in one.groups)
        yield Part("table", rows=(_columns(look, "records", "decided", "why", "became"), *decided))


def _decided(group: DecisionGroup, look: Look) -> tuple[str, ...]:
    until = look.say("pack.until", day=look.day(group.until)) if group.until else ""
    outcomes = (f"{look.word('outcome', what)}: {count}" for what, count in group.outcomes)
    return (
        f"{group.count} × {group.category} ({group.system})",
        look.word("decided", group.decision),
        " ".join(filter(None, (group.why, group.law, until))),
        ", ".join(outcomes) or "–",
    )


def _columns(look: Look, *names: str) -> tuple[str, ...]:
    return tuple(look.say(f"pack.column.{name}") for name in names)


def _line(installation: Installation, one: Happened, look: Look) -> tuple[str, ...]:
    right = look.right(one.right) if one.right else ""
    return (
        look.exact(one.at),
        look.word("topic", one.topic),
        " · ".join(filter(None, (right, *one.details))) or "–",
        _named(installation, one.by) if one.by else "–",
    )


def _named(installation: Installation, staff_id: str) -> str:
    """By id, which is what events keep; with the name that letters give, where there is one."""
    name = installation.staff.name(staff_id)
    return f"{name} ({staff_id})" if name and name != staff_id else staff_id
