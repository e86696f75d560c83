"""The parts of a case's page in their order, for the list that leads to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.inbound.web.case_parts import CaseView
from adapters.inbound.web.keeping_view import KeepingView
from adapters.inbound.web.look import Look
from adapters.inbound.web.triage_view import TriageView
from domain.case import CaseStatus


@dataclass(frozen=True, slots=True)
class Section:
    """Where a link of the list leads, and in a word how it stands there."""

    anchor: str
    title: str
    note: str = ""


def sections_of(
    view: CaseView,
    keeping: KeepingView,
    triage: TriageView,
    look: Look,
    *,
    content: bool,
    acts: bool,
) -> Iterator[Section]:
    case = view.case
    if not content:
        yield Section("purpose", look.say("purpose.short"))
    yield Section("message", look.say("message.title"))
    if case.status is not CaseStatus.CONFIRMED and content and acts:
        yield Section("confirm", look.say("confirm.title"))
    if triage.undone:
        yield Section("outcome", look.word("kind", case.kind))
    if view.needs_identity:
        yield Section("identity", look.say("identity.title"))
    for one in view.requests:
        name = one.request.right.value
        yield Section(
            f"request-{name}",
            look.right(one.request.right),
            look.word("status", one.request.status),
        )
    if view.letters:
        yield Section("letters", look.say("letter.title"), str(len(view.letters)))
    yield Section("notes", look.say("note.title"), _count(len(view.notes) + view.notes_hidden))
    files = len(view.files) + view.files_hidden + len(case.attachments)
    yield Section("files", look.say("files.title"), _count(files))
    if view.related:
        yield Section("related", look.say("related.title"), str(len(view.related)))
    if view.requests:
        yield Section("people", look.say("people.title"))
    yield Section("receipt", look.say("receipt.title"))
    if triage.offers and content and acts:
        yield Section("put-right", look.say("triage.put_right"))
    if view.has_recipients:
        yield Section("recipients", look.say("recipients.title"))
    if keeping.is_shown:
        yield Section("keeping", look.say("keeping.title"))
    yield Section("timeline", look.say("timeline.title"), str(len(view.timeline)))


def _count(number: int) -> str:
    return str(number) if number else ""
