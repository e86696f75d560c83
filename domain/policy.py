"""What an organisation decides for itself and promises, as frozen data (GDPR Art. 13, 14, 30).

A `Profile` is one controller's policy at one moment: who it is, which rights it serves, which
systems hold which categories of personal data, why, and for how long. It is read from TOML by an
adapter that has already refused anything malformed; here every value is what its type says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from domain.vocabulary import Country, Delivery, IdentifierKind, Language, Right, Role

OWN_ANSWER_AGE = 15
"""From this age the answer goes to the young person, unless the controller decides otherwise."""

Text = Mapping[Language, str]
"""The same words in several languages; at least the profile's own language is there."""


class LegalBasis(Enum):
    """Art. 6(1)."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal-obligation"
    VITAL_INTERESTS = "vital-interests"
    PUBLIC_TASK = "public-task"
    LEGITIMATE_INTEREST = "legitimate-interest"


class BodyType(Enum):
    """What kind of body the controller is; letters, archives and appeals depend on it."""

    COMPANY = "company"
    PUBLIC_COMPANY = "public-company"
    PUBLIC_BODY = "public-body"
    TO_BE_DECIDED = "to-be-decided"


class ChannelKind(Enum):
    EMAIL = "email"
    OFFICER_EMAIL = "officer-email"
    PHONE = "phone"
    POST = "post"
    WEB = "web"
    CUSTOMER_SERVICE = "customer-service"


class Sector(Enum):
    """What a system or recipient is there for; policies name recipients by it (Art. 13(1)(e))."""

    IT = "it"
    TICKETING = "ticketing"
    SUBSCRIPTION = "subscription"
    MAILING = "mailing"
    SMS = "sms"
    PRINT = "print"
    PAYMENT = "payment"
    BANK = "bank"
    ORGANISER = "organiser"
    TICKET_AGENT = "ticket-agent"
    LOGISTICS = "logistics"
    CUSTOMER_SERVICE = "customer-service"
    WEB = "web"
    ADVERTISING = "advertising"
    ADVISER = "adviser"
    PUBLIC_AUTHORITY = "public-authority"
    ARCHIVE = "archive"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ContactChannel:
    """An official way to reach the controller; what arrives here starts the clock."""

    kind: ChannelKind
    address: str


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why data is processed. No basis means the policy states none: an operator must say it."""

    id: str
    name: Text
    bases: tuple[LegalBasis, ...]
    marketing: bool = False


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time in calendar months; three years are 36."""

    months: int


@dataclass(frozen=True, slots=True)
class Retention:
    """How long the controller itself says a category is needed.

    The period runs from the latest of `anchors` that the record has (e.g. last_purchase,
    order_completed); while any flag in `open_while` is set, the relation is open and the data is
    needed. `erase_early_if` are flags that must all be set before an earlier erasure is possible.
    No period means: as long as needed, decided by the anchors and flags alone.
    """

    period: Period | None = None
    anchors: tuple[str, ...] = ()
    open_while: tuple[str, ...] = ()
    erase_early_if: tuple[str, ...] = ()
    stated: bool = True
    request_resets_anchor: bool = False


@dataclass(frozen=True, slots=True)
class Category:
    """A category of personal data, as the person would call it (Art. 15(1)(b)).

    `archive_duty` is for bodies that archive law binds, or may bind. Where nothing is said, it
    holds there; that it does not hold takes a reason (`archive_reason`), as the archive plan or
    whoever answers for the archive gives it (E-05).
    """

    id: str
    name: Text
    purposes: tuple[str, ...]
    source: Text
    retention: Retention
    retention_text: Text = field(default_factory=dict)
    provided_by_person: bool = True
    archive_duty: bool | None = None
    archive_reason: Text = field(default_factory=dict)
    special: bool = False


@dataclass(frozen=True, slots=True)
class Holding:
    """One sort of record in one system, and the category it belongs to.

    `voucher` says that the bookkeeping voucher lives here and nowhere else; then `voucher_fields`
    are what makes the voucher, and only they are kept. A record is a voucher when any flag of
    `voucher_if` is set; without `voucher_if`, always. `needed` names, for each flag that keeps an
    obligation open, the fields that performing it takes; a flag it does not name takes the whole
    record. `anonymise` is for systems that can only take the person out of the record.
    """

    kind: str
    category: str
    voucher: bool = False
    voucher_fields: tuple[str, ...] = ()
    voucher_if: tuple[str, ...] = ()
    needed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    anonymise: bool = False


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer out of the EEA and its safeguards (Art. 15(2), 46)."""

    country: str
    safeguard: str


@dataclass(frozen=True, slots=True)
class System:
    """A system that holds the controller's personal data: a living line of the Art. 30 record."""

    id: str
    name: str
    role: Role
    delivery: Delivery
    connector: str
    holdings: tuple[Holding, ...]
    agreement: str | None = None
    transfer: Transfer | None = None
    marketing: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    look_for: Text = field(default_factory=dict)
    sector: Sector = Sector.OTHER
    searched_by: tuple[IdentifierKind, ...] = (IdentifierKind.IP_ADDRESS, IdentifierKind.COOKIE)
    """What to send where a log could not be searched for the person (GK-14)."""
    answers_at: str | None = None
    """The address of whoever answers for it by a link, where only a person can act in it."""
    answers_in: Language | None = None
    backups_kept_days: int | None = None
    """How old a backup may be that is put back: so long an erasure can be replayed."""

    def holding(self, kind: str) -> Holding | None:
        return next((h for h in self.holdings if h.kind == kind), None)


class Told(Enum):
    """What Trettio does towards a recipient after an erasure (Art. 19)."""

    INFORMED = "informed"
    REFERRED = "referred"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody data is passed to who is no connected system (Art. 15(1)(c), 19).

    `told` says what Trettio does after an erasure: inform them, or refer the person to them.
    `fields` are what is passed on to them, where the policy says it. `answers_at` is the address of
    whoever is told by a link; of a group whom records name one by one, `organisers` has the address
    of each by the name that the records give.
    """

    id: str
    name: str
    role: Role
    told: Told
    words: Text
    sector: Sector = Sector.OTHER
    contact: str | None = None
    permission_needed: bool = False
    per_record: bool = False
    fields: tuple[str, ...] = ()
    answers_at: str | None = None
    answers_in: Language | None = None
    organisers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FiscalYear:
    """The last day of the controller's fiscal year; bookkeeping periods run from it."""

    end_month: int = 12
    end_day: int = 31


@dataclass(frozen=True, slots=True)
class Observation:
    """Something the published policy says, word for word, where and when it was read.

    `topic` says what the words are about, never what is thought of them; `value` is the fact in
    them, `offset` the place of the quote in the text, `article` what asks for such words.
    """

    id: str
    quote: str
    line: int
    read_on: date
    topic: str
    value: str | None = None
    offset: int | None = None
    article: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the controller is, as letters name it."""

    names: tuple[str, ...]
    trade_name: str | None = None
    organisation_number: str | None = None
    postal_address: str | None = None
    delegate: str | None = None
    decided: bool = True

    @property
    def name(self) -> str:
        return self.names[0]


@dataclass(frozen=True, slots=True)
class Silence:
    """Days after a question to the person: two reminders, then somebody decides what follows.

    No law says how long; these leave a person time and the controller its month (B.2.5).
    """

    first_reminder_days: int = 7
    second_reminder_days: int = 14
    decide_days: int = 21

    def __post_init__(self) -> None:
        days = (self.first_reminder_days, self.second_reminder_days, self.decide_days)
        if not 0 < days[0] < days[1] < days[2]:
            raise ValueError("the two reminders and the decision must come one after the other")


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything one controller has decided; the file it was read from has `digest`.

    `customer_service` and `document_access` are the addresses to which messages that are no
    requests are passed on.
    """

    id: str
    version: str
    digest: str
    controller: Identity
    body_type: BodyType
    country: Country
    language: Language
    channels: tuple[ContactChannel, ...]
    rights: frozenset[Right]
    purposes: tuple[Purpose, ...]
    categories: tuple[Category, ...]
    systems: tuple[System, ...]
    recipients: tuple[Recipient, ...]
    observations: tuple[Observation, ...]
    promise_days: int | None = None
    promise_text: str | None = None
    fiscal_year: FiscalYear = FiscalYear()
    allowed_exceptions: frozenset[str] | None = None
    policy_consent_age: int | None = None
    own_answer_age: int = OWN_ANSWER_AGE
    own_answer_decided_on: date | None = None
    profiling: Text = field(default_factory=dict)
    policy_updated_on: date | None = None
    correspondence_months: int = 36
    content_days: int = 30
    """How long collected data and copies stay after the case is closed; correspondence longer."""
    restriction_pause_days: int = 14
    """Between telling the person that a restriction ends and ending it (Art. 18(3))."""
    officer_contact: str | None = None
    sender: str | None = None
    website: str | None = None
    accessibility_statement: str | None = None
    """Where the controller's own statement on accessible services lies, for a link on pages."""
    privacy_policy: str | None = None
    """Where the published privacy policy lies."""
    portal: bool = True
    """Whether there is a page at `/c/<id>` on which anybody can ask for what is theirs."""
    erasure_confirmation_days: int | None = None
    """So long an erasure waits for the person to confirm what goes; none: nobody is waited for."""
    customer_service: str | None = None
    document_access: str | None = None
    silence: Silence = Silence()

    def category(self, category_id: str) -> Category:
        return next(c for c in self.categories if c.id == category_id)

    def system(self, system_id: str) -> System:
        return next(s for s in self.systems if s.id == system_id)

    def find_system(self, system_id: str) -> System | None:
        return next((s for s in self.systems if s.id == system_id), None)

    def purpose(self, purpose_id: str) -> Purpose:
        return next(p for p in self.purposes if p.id == purpose_id)

    def recipient(self, recipient_id: str) -> Recipient:
        return next(r for r in self.recipients if r.id == recipient_id)

    def goes_to_archive(self, category: Category) -> bool:
        """Whether nothing of the category is destroyed before the archive has it (E-05)."""
        may_be_bound = self.is_public or self.body_type is BodyType.TO_BE_DECIDED
        freed = category.archive_duty is False and any(category.archive_reason.values())
        return may_be_bound and not freed

    def said(self, topic: str) -> tuple[Observation, ...]:
        """What the policy says about a topic."""
        return tuple(o for o in self.observations if o.topic == topic)

    def bases(self, category: Category) -> frozenset[LegalBasis]:
        """Every legal basis on which data of this category is processed."""
        return frozenset(b for p in category.purposes for b in self.purpose(p).bases)

    @property
    def is_public(self) -> bool:
        """Whether archive law binds the controller (law of public archives, both countries)."""
        return self.body_type in {BodyType.PUBLIC_BODY, BodyType.PUBLIC_COMPANY}
