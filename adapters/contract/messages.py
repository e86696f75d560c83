"""The messages, as models: the one truth for Kafka, webhooks, HTTPS and the published schemas.

Each is a CloudEvent 1.0 in structured JSON. What we send is checked to the letter; of what we
receive only what we know counts, so that both sides may add to it. Nothing in a message names,
addresses or numbers a person: tokens mean something to one system only (Art. 25, 32).
"""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID, uuid5

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
)
from pydantic.json_schema import SkipJsonSchema, WithJsonSchema
from pydantic_core import PydanticCustomError

from domain.instruction import InstructionPurpose, Said, Verb
from domain.vocabulary import Decision, IdentifierKind, Outcome, Right

REQUESTS = "trettio.requests.v1"
INSTRUCTIONS = "trettio.instructions.v1"
RECEIPTS = "trettio.receipts.v1"

MOST_RECORDS = 10_000
LONGEST_PAUSE = 7 * 24 * 3600

Name = Annotated[str, Field(min_length=1, max_length=100)]
NOT_A_CODE = "not_a_code"
CODE = r"^[a-z]+([_-][a-z]+)*([_-][a-z]*[0-9]{1,4})?$"
MOST_OF_CODE = 60


def _code(text: str) -> str:
    """It stays in the log for ever: neither a number nor an address of anybody may get there."""
    if re.fullmatch(CODE, text) is None or len(text) > MOST_OF_CODE:
        raise PydanticCustomError(
            NOT_A_CODE,
            "a code is kept for ever: write lower-case words with hyphens, such as two-customers,"
            " with at most one number of up to four digits at the end, and never a name or number"
            " of anybody",
        )
    return text


Code = Annotated[
    str,
    AfterValidator(_code),
    Field(
        description="Lower-case words with hyphens, such as `two-customers`; at most one number of "
        "up to four digits, at the end. It is kept for ever, so never a name, number or address.",
        json_schema_extra={"pattern": CODE, "maxLength": MOST_OF_CODE},
    ),
]
Ground = Annotated[
    str, Field(pattern=r"^[a-z_]+(\.[a-z_]+)*$", max_length=100, description="A law's id.")
]


class Sent(BaseModel):
    """What we say: nothing in it may be missing, mistyped or unforeseen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Received(BaseModel):
    """What others say: a field that we do not know is passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


# What we send


class Envelope(Sent):
    """What every message of ours has around its data."""

    TOPIC: ClassVar[str]
    TYPE: ClassVar[str]

    specversion: Literal["1.0"]
    id: UUID = Field(description="The same whenever this is sent again: take what you know once.")
    source: str = Field(description="The installation and the history of its log.")
    subject: UUID = Field(description="The request, or the instruction where there is none.")
    time: AwareDatetime = Field(description="When it happened; order is not told by it.")
    datacontenttype: Literal["application/json"]
    dataschema: str = Field(description="Names the schema of `data`.")
    logposition: str = Field(
        pattern=r"^[0-9]+$", description="Where it stands in the log; grows, with gaps."
    )
    incarnation: UUID = Field(description="Which history of the log the position belongs to.")
    partitionkey: str = Field(description="The key on Kafka: what shares it arrives in order.")

    @classmethod
    def about(
        cls, data: Sent, *, subject: UUID, incarnation: UUID, position: int, time: datetime
    ) -> Any:
        """The message about what the log says at a position; always the same for the same."""
        return cls.model_validate(
            {
                "specversion": "1.0",
                "datacontenttype": "application/json",
                "id": message_id(incarnation, position),
                "source": f"/trettio/{incarnation}",
                "subject": subject,
                "time": time,
                "dataschema": f"urn:{cls.TYPE.replace('.', ':')}",
                "logposition": str(position),
                "incarnation": incarnation,
                "partitionkey": str(subject),
                "type": cls.TYPE,
                "data": data,
            }
        )

    @property
    def key(self) -> bytes:
        return self.partitionkey.encode()

    def to_json(self) -> bytes:
        """As it travels: what is not said is left out."""
        return self.model_dump_json(exclude_none=True).encode()


class Token(Sent):
    """One identifier of the person, as only this system can recognise it."""

    kind: IdentifierKind
    version: int = Field(ge=1, description="Which version of your key it was made with.")
    token: str = Field(
        pattern=r"^[0-9a-f]{64}$", description="HMAC-SHA-256 with your key, in hexadecimal."
    )


class ToTreat(Sent):
    """One record to act on. Its key in your system is told over HTTPS."""

    record: UUID
    kind: str = Field(description="What you called this sort of record when you found it.")
    decision: Decision
    keep_fields: tuple[str, ...] = Field(
        default=(), description="Fields that the law wants kept; everything else of it goes."
    )


class KindToTreat(Sent):
    """How to treat every record of one kind, where an old erasure is told again."""

    kind: str = Field(description="What you called this sort of record when you found it.")
    decision: Decision
    keep_fields: tuple[str, ...] = Field(
        default=(), description="Fields that the law wants kept; everything else of it goes."
    )


class InstructionData(Sent):
    """What one system is to do for one person, by when, and where it fetches whom it is about."""

    instruction: UUID = Field(description="Answer with it; the same whenever it is told again.")
    controller: Name
    system: Name
    verb: Verb
    purpose: InstructionPurpose = Field(
        description="`test` is about nobody real; `replay` repeats an erasure after a restore."
    )
    request: UUID | None = None
    right: Right | None = None
    due: date = Field(description="Answer before the end of this day.")
    ends_at: AwareDatetime = Field(description="From then on nothing can be fetched (410).")
    erased_before: AwareDatetime | None = Field(
        default=None,
        description="Touch only what you have held since before this moment: the person may "
        "have come back.",
    )
    tokens: tuple[Token, ...]
    records: tuple[ToTreat, ...] = ()
    kinds: tuple[KindToTreat, ...] = Field(
        default=(),
        description="Of a replay, which has no records: the kinds of record to treat, and how. "
        "What is of another kind stays.",
    )
    claim: str = Field(
        pattern=r"^/v1/instructions/[0-9a-f-]{36}/claim$",
        description="POST here, at the installation's address, to be told who it is.",
    )


class InstructionMessage(Envelope):
    """Something that one connected system is told to do."""

    TOPIC: ClassVar[str] = INSTRUCTIONS
    TYPE: ClassVar[str] = "trettio.instruction.v1"

    type: Literal["trettio.instruction.v1"]
    data: InstructionData


class RequestData(Sent):
    """A fact about one request, without anything about the person or about staff."""

    request: UUID
    controller: Name
    right: Right
    fact: Literal[
        "received",
        "identity-verified",
        "planned",
        "extended",
        "data-collected",
        "fulfilled",
        "refused",
        "withdrawn",
        "closed",
        "reopened",
    ]
    received_on: date | None = None
    statutory_due: date | None = None
    promise_due: date | None = None
    target_due: date | None = None


class RequestMessage(Envelope):
    """Something that happened to a request."""

    TOPIC: ClassVar[str] = REQUESTS
    TYPE: ClassVar[str] = "trettio.request.v1"

    type: Literal["trettio.request.v1"]
    data: RequestData


def message_id(incarnation: UUID, position: int) -> UUID:
    """What stands at a position of a log has one id, however often it is sent."""
    return uuid5(incarnation, str(position))


# What we receive


class Remains(Received):
    """What is known to stay behind although the record was erased."""

    what: Code
    why: Code
    until: date | None = None


OfErasing = Annotated[
    Outcome,
    # Another outcome is refused in words of its own, not as a receipt that nobody can read.
    WithJsonSchema(
        {
            "type": "string",
            "enum": [
                "erased",
                "anonymised",
                "not-found",
                "kept",
                "residual",
                "pending-at-vendor",
                "refused",
            ],
        }
    ),
]


class Treated(Received):
    """What became of one record of the instruction."""

    record: UUID
    outcome: OfErasing
    ground: Ground | None = Field(
        default=None, description="The law it is kept for, by its id: needed with `kept`."
    )
    until: date | None = Field(default=None, description="Till when: needed with `kept`.")
    detail: Code | None = Field(
        default=None, description="A code; with `anonymised` the method, and needed."
    )
    not_before: AwareDatetime | None = Field(
        default=None, description="When to look again: needed with `pending-at-vendor`."
    )
    residuals: tuple[Remains, ...] = Field(default=(), description="Needed with `residual`.")


class Answer(Received):
    """What a system says to one instruction."""

    receipt: UUID = Field(
        description="Your own id of this answer. The same one again changes nothing; derive it "
        "from the instruction, and an answer sent twice counts once."
    )
    outcome: Said
    records: tuple[Treated, ...] = Field(
        default=(),
        max_length=MOST_RECORDS,
        description="To `erase`, what became of each record of the instruction.",
    )
    reason: Code | None = Field(
        default=None, description="Why a person must look, with `needs-person`."
    )
    retry_after: int | None = Field(
        default=None,
        ge=1,
        le=LONGEST_PAUSE,
        description="Seconds, with `try-later`: you are told again after them.",
    )


class FoundRecord(Received):
    """One record that a system holds about the person."""

    key: str = Field(min_length=1, max_length=500, description="By which you find it again.")
    kind: str = Field(
        min_length=1, max_length=100, description="Your own sort of record, such as `order`."
    )
    matched_by: IdentifierKind = Field(description="By which identifier you found it.")
    linked: bool = Field(
        default=False, description="It hangs on a record that was found, as an order on a customer."
    )
    fields: dict[str, JsonValue] = Field(default={}, description="What the person's copy shows.")
    anchors: dict[str, date] = Field(
        default={}, description="Days that retention depends on, such as `order_completed`."
    )
    flags: tuple[Code, ...] = Field(
        default=(), description="Facts that decisions ask for, such as `paid`."
    )
    recipients: tuple[Name, ...] = Field(
        default=(), description="To whom the record was passed on (Art. 19)."
    )
    masked: tuple[str, ...] = Field(
        default=(), description="Fields in which you covered what concerns other people."
    )


class FullAnswer(Answer):
    """An answer over HTTPS, where contents may be shown."""

    found: tuple[FoundRecord, ...] | None = Field(
        default=None,
        max_length=MOST_RECORDS,
        description="To `find` and `read-back`, what you hold; to `rectify`, how it reads now.",
    )


WithoutContents = Annotated[
    Said,
    WithJsonSchema(
        {
            "type": "string",
            "enum": [one.value for one in Said if one is not Said.FOUND],
            "description": "What was found is answered over HTTPS, with its contents.",
        }
    ),
]


class ReceiptData(Answer):
    """An answer over Kafka, where no contents may travel."""

    instruction: UUID
    controller: Name
    system: Name
    outcome: WithoutContents


class FullReceiptData(ReceiptData, FullAnswer):
    """An answer by a signed HTTPS callback."""

    outcome: Said


class ReceivedEnvelope(Received):
    """What must stand around an answer; anything else a CloudEvent may carry is passed over."""

    specversion: Literal["1.0"]
    id: str = Field(min_length=1, max_length=200)
    source: str = Field(min_length=1, max_length=500)
    type: Literal["trettio.receipt.v1"]
    datacontenttype: Literal["application/json"] | SkipJsonSchema[None] = None
    time: AwareDatetime | None = None


class ReceiptMessage(ReceivedEnvelope):
    """A connected system's answer on Kafka."""

    data: ReceiptData


class CallbackMessage(ReceivedEnvelope):
    """A connected system's answer by a signed HTTPS callback."""

    data: FullReceiptData


# The claim check


class IdentifierTold(Sent):
    """One thing the person can be found by."""

    kind: IdentifierKind
    value: str
    verified: bool = Field(description="Whether it was proven to be theirs.")


class RecordTold(Sent):
    """One record to act on, with the key by which it was found."""

    record: UUID
    key: str
    kind: str
    decision: Decision
    keep_fields: tuple[str, ...] = ()


class CorrectionTold(Sent):
    """What is to become of one record's fields (Art. 16); nothing empties a field."""

    key: str
    kind: str
    fields: dict[str, str | None]
    statement: str = Field(default="", description="The person's own, to be kept with the record.")


class Claim(Sent):
    """Whom an instruction is about, and what to do: personal data, so keep none of it."""

    instruction: UUID
    controller: Name
    system: Name
    verb: Verb
    purpose: InstructionPurpose
    due: date
    ends_at: AwareDatetime
    erased_before: AwareDatetime | None = None
    identifiers: tuple[IdentifierTold, ...]
    records: tuple[RecordTold, ...] = ()
    corrections: tuple[CorrectionTold, ...] = ()
