"""A letter while it is written: what stands fixed in it, and where its writer's words go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from adapters.inbound.web.look import Look
from adapters.inbound.web.pages import Sent, one_of
from adapters.inbound.web.session import Desk
from adapters.inbound.web.steps import day_in
from adapters.inbound.web.trouble import NO_TROUBLE, Trouble, trouble_of
from domain.calendar import calendar_named
from domain.case import Case
from domain.deadlines import deadlines, received_on
from domain.errors import DomainError
from domain.letters import (
    Block,
    Code,
    Explanation,
    Group,
    Items,
    Link,
    Paragraph,
    Piece,
    Section,
    Words,
)
from domain.refusals import RefusalReason
from domain.request import DataSubjectRequest, Status
from domain.vocabulary import ExtensionReason, IdentityMethod, Language, LetterKind, Right
from services.extending import WORDS as EXTENSION_WORDS
from services.letters import ComposedLetter, Disclosure, Elsewhere
from services.ports import Erased
from services.previews import Given
from services.refusing import LETTER_OF
from services.wording import LETTERS, in_language, wording

PLACEHOLDER = "…"


@dataclass(frozen=True, slots=True)
class Field:
    """Something its writer adds, and the block of the letter in which it stands, if in any."""

    name: str
    block: Block | None
    sort: str = "text"
    required: bool = False
    tables: tuple[str, ...] = ()


def _text(name: str, block: Block | None, *, required: bool = False) -> Field:
    return Field(name, block, required=required)


_FREE = _text("free_text", Block.MESSAGE)
_WHY = _text("why", Block.NOT_DONE)
_THERE = (
    Field("elsewhere", Block.ELSEWHERE, "line", required=True),
    Field("contact", Block.ELSEWHERE, "line", required=True),
)
_REPLY_BY = Field("reply_by", Block.REPLY_BY, "day")

FIELDS: Mapping[LetterKind, tuple[Field, ...]] = {
    LetterKind.MESSAGE: (_text("free_text", Block.MESSAGE, required=True),),
    LetterKind.ANSWER: (_FREE,),
    LetterKind.CLARIFICATION: (_text("question", Block.QUESTION, required=True),),
    LetterKind.EXTENSION: (
        Field("reason", Block.REASONS, "extension", required=True),
        _text("why", Block.REASONS),
    ),
    LetterKind.REFUSAL: (
        Field("ground", Block.NOT_DONE, "ground", required=True),
        _text("why", Block.NOT_DONE, required=True),
        _text("proof", None),
        Field("shown", None, "shown"),
        Field("fee", None, "line"),
    ),
    LetterKind.OTHER_CONTROLLER: (*_THERE, _FREE),
    LetterKind.ACKNOWLEDGEMENT: (_FREE,),
    LetterKind.OBJECTION_UPHELD: (_FREE,),
    LetterKind.OBJECTION_DISMISSED: (_WHY,),
    LetterKind.NO_RESPONSE: (Field("asked_on", Block.ASKED_ON, "day"), _WHY),
    LetterKind.CANNOT_IDENTIFY: (_WHY,),
    LetterKind.IDENTITY_QUESTION: (
        Field("doubt", Block.WHY_ASKED, "choice", tables=("doubts",)),
        Field("ways", Block.WAYS, "ways"),
    ),
    LetterKind.AUTHORITY_QUESTION: (
        Field("doubt", Block.WHY_ASKED, "choice", tables=("authority",)),
        _text("question", Block.QUESTION),
        _REPLY_BY,
    ),
    LetterKind.QUESTION_REMINDER: (
        Field("asked_on", Block.ASKED_ON, "day"),
        _text("question", Block.QUESTION),
        _REPLY_BY,
    ),
    LetterKind.FEE_ANNOUNCED: (
        Field("reasons", Block.REASONS, "choice", tables=("fees",)),
        _text("why", Block.REASONS),
        Field("fee", Block.FEE, "line"),
        _REPLY_BY,
    ),
    LetterKind.RESTRICTION_LIFTED: (
        Field("reasons", Block.REASONS, "choice", tables=("lifting",)),
        _text("why", Block.REASONS),
        Field("lift_on", Block.LIFTED_ON, "day"),
    ),
    LetterKind.CLOSED: (Field("reasons", Block.REASONS, "choice", tables=("closing_because",)),),
    LetterKind.CUSTOMER_SERVICE_PASSED_ON: (*_THERE, _FREE),
    LetterKind.DOCUMENT_ACCESS_PASSED_ON: (*_THERE, _FREE),
    LetterKind.DECEASED: (_FREE,),
    LetterKind.DISCLOSURE_NOTICE: (
        Field("on", Block.HAPPENED, "day"),
        _text("what", Block.HAPPENED),
        _text("consequences", Block.CONSEQUENCES),
        _text("measures", Block.MEASURES),
    ),
}
"""What is written freely in each letter; all the rest of it is said by law, or by the work."""

SENT_FROM_HERE = (
    LetterKind.MESSAGE,
    LetterKind.ANSWER,
    LetterKind.CLARIFICATION,
    LetterKind.EXTENSION,
    LetterKind.REFUSAL,
    LetterKind.OTHER_CONTROLLER,
)
"""What a handler writes and sends from the page; other steps write the others, shown here only."""

ABOUT_ONE_REQUEST = frozenset(SENT_FROM_HERE) - {LetterKind.MESSAGE}


@dataclass(frozen=True, slots=True)
class Part:
    """A block of the letter: fixed, with its text, or the fields that its writer fills."""

    section: Section | None
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A letter that is being written."""

    kind: LetterKind
    request: DataSubjectRequest | None
    parts: tuple[Part, ...]
    beside: tuple[Field, ...]
    cannot: Trouble
    can_send: bool


def kinds_to_write(case: Case, requests: tuple[DataSubjectRequest, ...]) -> Iterator[LetterKind]:
    """Those of the letters that can be sent from the page as the case stands."""
    for kind in SENT_FROM_HERE:
        if kind is LetterKind.MESSAGE or any(can_send(kind, one) for one in requests):
            yield kind


def can_send(kind: LetterKind, request: DataSubjectRequest | None) -> bool:
    if kind is LetterKind.MESSAGE:
        return True
    if request is None or kind not in SENT_FROM_HERE:
        return False
    if kind is LetterKind.ANSWER:
        # An erasure is decided where its records are in sight, with what is asked about each.
        return request.status is Status.COLLECTED and request.right is not Right.ERASURE
    undecided = request.status in {Status.RECEIVED, Status.VERIFIED, Status.COLLECTED}
    if kind is LetterKind.EXTENSION:
        may = request.right.is_statutory and not request.extended
        return undecided and may and request.extension_decided_by is None
    return undecided


def draft(
    desk: Desk, case: Case, kind: LetterKind, request: DataSubjectRequest | None, sent: Sent
) -> Draft:
    """The whole letter with a place for each of its fields, filled or not."""
    fields = FIELDS.get(kind, ())
    parts: list[Part] = []
    cannot = NO_TROUBLE
    try:
        letter = composed(desk, case, kind, request, sent, whole=True)
    except (DomainError, Erased) as error:
        cannot = trouble_of(error)
    else:
        parts = list(_parts(letter, fields))
    placed = {field.name for part in parts for field in part.fields}
    left = tuple(field for field in fields if field.name not in placed)
    if not parts:
        return Draft(kind, request, (Part(None, left),), (), cannot, can_send(kind, request))
    return Draft(kind, request, tuple(parts), left, cannot, can_send(kind, request))


def _parts(letter: ComposedLetter, fields: tuple[Field, ...]) -> Iterator[Part]:
    for section in letter.letter.sections:
        mine = tuple(field for field in fields if field.block is section.block)
        if section.block is not Block.CONTROLLER:
            yield Part(section, mine)


def composed(
    desk: Desk,
    case: Case,
    kind: LetterKind,
    request: DataSubjectRequest | None,
    sent: Sent,
    *,
    whole: bool = False,
) -> ComposedLetter:
    """The letter from what was typed; `whole` fills what is missing, so that all of it shows."""
    given = _given(desk, case, kind, request, sent)
    if whole:
        given = _filled(given, FIELDS.get(kind, ()), received_on_today(desk, case))
    if kind is LetterKind.REFUSAL and (reason := chosen_reason(desk, request, sent)):
        kind = LETTER_OF.get(reason.ground, kind)
        given = replace(given, law=reason.law, asked_on=_asked_on(request, given))
    return desk.installation.previews.letter(
        case.id,
        kind,
        right=request.right if request else None,
        by=desk.staff_id,
        given=given,
    )


def received_on_today(desk: Desk, case: Case) -> date:
    return received_on(desk.installation.clock(), desk.profile(case.controller).country)


def _asked_on(request: DataSubjectRequest | None, given: Given) -> date | None:
    put = request.questions_put_on.values() if request is not None else ()
    return max(put, default=given.asked_on)


def _given(
    desk: Desk, case: Case, kind: LetterKind, request: DataSubjectRequest | None, sent: Sent
) -> Given:
    name, what, on = sent.one("elsewhere"), sent.one("what"), day_in(sent.one("on"))
    reasons = tuple(filter(None, sent.all("reasons")))
    new_date = day_in(sent.one("new_date"))
    if kind is LetterKind.EXTENSION:
        chosen = [one_of(ExtensionReason, word) for word in sent.all("reason")]
        codes = [EXTENSION_WORDS[one] for one in chosen if one in EXTENSION_WORDS]
        reasons = tuple(dict.fromkeys([*reasons, *codes]))
        if request is not None and new_date is None:
            calendar = calendar_named(request.dates.calendar)
            new_date = deadlines(request.received_on, calendar, extension=True).extended_due
    return Given(
        free_text=sent.one("free_text"),
        question=sent.one("question"),
        why=sent.one("why"),
        law=sent.one("law"),
        doubt=sent.one("doubt"),
        reasons=reasons,
        ways=tuple(one_of(IdentityMethod, way) for way in sent.all("ways")),
        fee=sent.one("fee") if kind is not LetterKind.REFUSAL else "",
        asked_on=day_in(sent.one("asked_on")),
        reply_by=day_in(sent.one("reply_by")),
        new_date=new_date,
        lift_on=day_in(sent.one("lift_on")),
        elsewhere=Elsewhere(name, sent.one("contact"), sent.has("passed_on")) if name else None,
        disclosure=Disclosure(on, what, sent.one("consequences"), sent.one("measures"))
        if what and on
        else None,
    )


def _filled(given: Given, fields: tuple[Field, ...], today: date) -> Given:
    names = {field.name: field for field in fields}
    fill: dict[str, object] = {}
    for name in ("free_text", "question", "why", "fee"):
        if name in names and not getattr(given, name):
            fill[name] = PLACEHOLDER
    for name in ("asked_on", "reply_by", "lift_on"):
        if name in names and getattr(given, name) is None:
            fill[name] = today
    if "reason" in names and not given.reasons:
        fill["reasons"] = (next(iter(EXTENSION_WORDS.values())),)
    for name in ("reasons", "doubt"):
        if name in names and not getattr(given, name):
            code = choices(names[name], Look(Language.EN))[0][0]
            fill[name] = code if name == "doubt" else (code,)
    if "ways" in names and not given.ways:
        fill["ways"] = (IdentityMethod.CODE_TO_ADDRESS,)
    if "elsewhere" in names and given.elsewhere is None:
        fill["elsewhere"] = Elsewhere(PLACEHOLDER, PLACEHOLDER)
    if "what" in names and given.disclosure is None:
        fill["disclosure"] = Disclosure(today, PLACEHOLDER, PLACEHOLDER, PLACEHOLDER)
    return replace(given, **fill)  # type: ignore[arg-type]


# What can be chosen


def choices(field: Field, look: Look) -> list[tuple[str, str]]:
    """The codes of a field with their words, in the reader's language."""
    words = wording(LETTERS, look.language).texts
    return [
        (key.partition(".")[2], text)
        for key, text in words.items()
        if key.partition(".")[0] in field.tables
    ]


def refusal_choices(
    desk: Desk, case: Case, request: DataSubjectRequest | None, look: Look
) -> list[tuple[str, str]]:
    if request is None:
        return []
    profile = desk.profile(case.controller)
    return [
        (_code(one), f"{in_language(one.title, look.language, profile)} ({one.law})")
        for one in desk.installation.refusing.reasons(request)
    ]


def chosen_reason(
    desk: Desk, request: DataSubjectRequest | None, sent: Sent
) -> RefusalReason | None:
    """The ground that was chosen, or the first where nothing was yet."""
    if request is None:
        return None
    open_to_it = desk.installation.refusing.reasons(request)
    wanted = sent.one("ground")
    return next(
        (one for one in open_to_it if _code(one) == wanted),
        open_to_it[0] if open_to_it and not wanted else None,
    )


def _code(reason: RefusalReason) -> str:
    return f"{reason.ground.value}:{reason.code}"


# How a letter looks on the page


@dataclass(frozen=True, slots=True)
class Shown:
    """A piece of a letter, ready for a template: a sort, and what belongs to it."""

    sort: str
    text: str = ""
    items: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()


def shown(section: Section) -> list[Shown]:
    return [_shown(piece) for piece in section.pieces if piece.is_said]


def _shown(piece: Piece) -> Shown:
    match piece:
        case Paragraph(text):
            return Shown("text", text)
        case Words(text):
            return Shown("words", text)
        case Items(items):
            return Shown("items", items=items)
        case Group(title, items):
            return Shown("items", title, items)
        case Explanation(_, title, said):
            return Shown("facts", title, facts=tuple((one.label, one.text) for one in said))
        case Link(_, label):
            return Shown("link", label)
        case Code(value):
            return Shown("words", value)


EXTENSION_REASONS = tuple(one for one in ExtensionReason if one.is_complexity or one.is_number)
