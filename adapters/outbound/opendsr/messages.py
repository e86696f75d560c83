"""What a processor and we say to each other by OpenDSR 2.0, as far as we say or heed it.

What we do not know in a processor's answer is passed over; what we need and cannot read is garbled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from domain.vocabulary import IdentifierKind
from services.ports import Identifier

VERSION = "2.0"
DOMAIN, SIGNATURE = "X-OpenDSR-Processor-Domain", "X-OpenDSR-Signature"

IDENTITIES: dict[IdentifierKind, str] = {
    IdentifierKind.EMAIL: "email",
    IdentifierKind.PHONE: "phone",
    IdentifierKind.CUSTOMER_NUMBER: "controller_customer_id",
}
"""What the standard calls the identifiers that we have; a processor says which it takes."""

RequestStatus = Literal["pending", "in_progress", "completed", "cancelled"]


def _of_two(version: str) -> str:
    if version.partition(".")[0] != "2":
        raise ValueError("not version 2 of OpenDSR")
    return version


class Said(BaseModel):
    """What a processor says."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Accepts(Said):
    """One way in which a processor takes an identifier."""

    identity_type: str
    identity_format: str


class Discovery(Said):
    """What a processor can do, and where its certificate is."""

    api_version: Annotated[str, AfterValidator(_of_two)]
    supported_identities: tuple[Accepts, ...] = Field(max_length=200)
    supported_subject_request_types: tuple[str, ...] = Field(max_length=20)
    processor_certificate: str = Field(max_length=2_000)


class Accepted(Said):
    """A request was taken in, or back; `encoded_request` is what we sent, in base64."""

    subject_request_id: UUID
    encoded_request: str


class Progress(Said):
    """How far a request is. What was found is behind `results_url`."""

    subject_request_id: UUID
    request_status: RequestStatus
    expected_completion_time: AwareDatetime | None = None
    results_url: str | None = Field(default=None, max_length=2_000)
    results_count: int | None = Field(default=None, ge=0)


class Identity(BaseModel):
    identity_type: str
    identity_value: str
    identity_format: Literal["raw", "sha256"]


class Placed(BaseModel):
    """A request as we place it."""

    regulation: Literal["gdpr"] = "gdpr"
    subject_request_id: UUID
    subject_request_type: Literal["access", "erasure"]
    submitted_time: str
    subject_identities: list[Identity]
    api_version: str = VERSION
    status_callback_urls: list[str]


def written(moment: datetime) -> str:
    """RFC 3339 in UTC, as the standard's examples write it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def request_id(instruction: UUID) -> UUID:
    """The standard wants version 4; always the same for the same instruction."""
    digest = hashlib.sha256(b"trettio opendsr request" + instruction.bytes).digest()
    return UUID(bytes=digest[:16], version=4)


def identities(known: Iterable[Identifier], accepted: Iterable[Accepts]) -> Iterator[Identity]:
    """What was proven to be the person's, in the form that says the least and is taken."""
    formats: dict[str, set[str]] = {}
    for one in accepted:
        formats.setdefault(one.identity_type, set()).add(one.identity_format)
    for identifier in known:
        name = IDENTITIES.get(identifier.kind)
        value = identifier.value.strip()
        if name is None or not identifier.verified or not value:
            continue
        if name == "email":
            value = value.lower()
        if "sha256" in formats.get(name, ()):
            digest = hashlib.sha256(value.encode()).hexdigest()
            yield Identity(identity_type=name, identity_value=digest, identity_format="sha256")
        elif "raw" in formats.get(name, ()):
            yield Identity(identity_type=name, identity_value=value, identity_format="raw")
