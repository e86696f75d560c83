"""The words of the field, each with its article in Regulation (EU) 2016/679 (GDPR).

Plain `Enum`s on purpose: their members survive the event log as members.
"""

from __future__ import annotations

from enum import Enum


class Country(Enum):
    NO = "NO"
    SE = "SE"

    @property
    def zone(self) -> str:
        """The IANA zone in which a civil date of this country is meant."""
        return {Country.NO: "Europe/Oslo", Country.SE: "Europe/Stockholm"}[self]


class Language(Enum):
    NB = "nb"
    NN = "nn"
    SV = "sv"
    EN = "en"


class Right(Enum):
    """What a person may ask for. Each right is a request of its own, with its own clock."""

    ACCESS = "access"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    PORTABILITY = "portability"
    OBJECTION = "objection"
    OBJECTION_TO_MARKETING = "objection-to-marketing"
    WITHDRAWAL = "withdrawal-of-consent"
    HUMAN_REVIEW = "human-review-of-decision"
    INFORMATION_SECURITY = "information-security"
    TRANSFER_SAFEGUARDS = "transfer-safeguards-copy"

    @property
    def article(self) -> str:
        return _ARTICLES[self]

    @property
    def is_statutory(self) -> bool:
        """Whether Art. 12(3) gives it a month (Art. 15 to 22 and 7(3)); the rest is a courtesy."""
        return self not in {Right.INFORMATION_SECURITY, Right.TRANSFER_SAFEGUARDS}

    @property
    def gives_a_copy(self) -> bool:
        """Whether its answer is data about the person (Art. 15(3), 20(1))."""
        return self in {Right.ACCESS, Right.PORTABILITY}

    @property
    def acts_at_once(self) -> bool:
        """Whether it acts the same working day, without an identity check (Art. 7(3), 21(3))."""
        return self in {Right.OBJECTION_TO_MARKETING, Right.WITHDRAWAL}


_ARTICLES = {
    Right.ACCESS: "Art. 15",
    Right.RECTIFICATION: "Art. 16",
    Right.ERASURE: "Art. 17",
    Right.RESTRICTION: "Art. 18",
    Right.PORTABILITY: "Art. 20",
    Right.OBJECTION: "Art. 21(1)",
    Right.OBJECTION_TO_MARKETING: "Art. 21(2)",
    Right.WITHDRAWAL: "Art. 7(3)",
    Right.HUMAN_REVIEW: "Art. 22(3)",
    Right.INFORMATION_SECURITY: "Art. 5(2)",
    Right.TRANSFER_SAFEGUARDS: "Art. 13(1)(f)",
}


class TriageKind(Enum):
    """What a message is, before anybody has confirmed it."""

    RIGHTS_REQUEST = "rights-request"
    CUSTOMER_SERVICE = "customer-service"
    DOCUMENT_ACCESS = "document-access"
    OTHER_CONTROLLER = "other-controller"
    DECEASED = "deceased"
    SPAM = "spam"
    AUTOMATIC = "automatic"
    UNCLEAR = "unclear"

    @property
    def goes_on_elsewhere(self) -> bool:
        """Whether somebody else has to deal with it, so that the person is told who."""
        return self in {
            TriageKind.CUSTOMER_SERVICE,
            TriageKind.DOCUMENT_ACCESS,
            TriageKind.OTHER_CONTROLLER,
        }


class Channel(Enum):
    MAIL = "mail"
    PORTAL = "portal"
    PHONE = "phone"
    POST = "post"
    DESK = "desk"
    API = "api"


class ReceiptSource(Enum):
    """Where the moment of receipt was read."""

    RECEIVED_HEADER = "received-header"
    SENDER_DATE = "sender-date"
    ARRIVAL = "arrival"
    STATED = "stated"


class IdentityMethod(Enum):
    """How somebody proved who they are, from the lightest to the heaviest (Art. 12(6))."""

    CODE_TO_ADDRESS = "code-to-address"
    LOGIN = "login"
    ORDER_KNOWLEDGE = "order-knowledge"
    EID = "eid"
    DOCUMENT_SEEN = "document-seen"
    IN_PERSON = "in-person"

    @property
    def needs_a_person(self) -> bool:
        """Whether somebody of ours has to have seen it."""
        return self in {
            IdentityMethod.ORDER_KNOWLEDGE,
            IdentityMethod.DOCUMENT_SEEN,
            IdentityMethod.IN_PERSON,
        }


class IdentifierKind(Enum):
    """What a person can be found by."""

    EMAIL = "email"
    PHONE = "phone"
    NAME = "name"
    BIRTH_DATE = "birth-date"
    NATIONAL_NUMBER = "national-number"
    CUSTOMER_NUMBER = "customer-number"
    ORDER_NUMBER = "order-number"
    POSTAL_ADDRESS = "postal-address"
    COOKIE = "cookie"
    IP_ADDRESS = "ip-address"


class Match(Enum):
    """How a found record matched. Strong ones join by themselves; weak ones wait for a person."""

    VERIFIED_IDENTIFIER = "verified-identifier"
    LINKED_RECORD = "linked-record"
    UNVERIFIED_IDENTIFIER = "unverified-identifier"
    SAME_NAME = "same-name"

    @property
    def is_strong(self) -> bool:
        return self in {Match.VERIFIED_IDENTIFIER, Match.LINKED_RECORD}


class Role(Enum):
    """What a connected system or recipient is to the controller (Art. 4(7), 4(8), 26)."""

    INTERNAL = "internal"
    PROCESSOR = "processor"
    INDEPENDENT_CONTROLLER = "independent-controller"
    JOINT_CONTROLLER = "joint-controller"


class Delivery(Enum):
    """How a connected system is told."""

    CONNECTOR = "connector"
    FILE = "file"
    PERSON = "person"
    KAFKA = "kafka"
    WEBHOOK = "webhook"


class Action(Enum):
    """What a connected system is asked to do."""

    FIND = "find"
    ERASE = "erase"
    SUPPRESS = "suppress"
    INFORM = "inform"
    RECTIFY = "rectify"
    RESTRICT = "restrict"
    HANDLE = "handle"


class Outcome(Enum):
    """What became of something, record by record or for a system as a whole."""

    EXPORTED = "exported"
    ERASED = "erased"
    ANONYMISED = "anonymised"
    RECTIFIED = "rectified"
    COMPLETED = "completed"
    STATEMENT_ADDED = "statement-added"
    STOPPED = "stopped"
    REVIEWED = "reviewed"
    ANSWERED = "answered"
    RESTRICTED = "restricted"
    SUPPRESSED = "suppressed"
    NOT_FOUND = "not-found"
    KEPT = "kept"
    RESIDUAL = "residual"
    PENDING_AT_VENDOR = "pending-at-vendor"
    BLOCKED_ARCHIVE = "blocked-archive"
    REFERRED = "referred"
    INFORMED = "informed"
    MANUAL = "manual"
    REFUSED = "refused"
    COVERED = "covered"

    @property
    def must_be_explained(self) -> bool:
        """Whether the person must be told why, until when, and where to complain (Art. 12(4))."""
        return self in {
            Outcome.KEPT,
            Outcome.RESIDUAL,
            Outcome.PENDING_AT_VENDOR,
            Outcome.BLOCKED_ARCHIVE,
            Outcome.REFUSED,
            Outcome.COVERED,
        }


class CoverReason(Enum):
    """Why something in a person's copy is covered (Art. 15(4), recital 63; protected identity)."""

    OTHER_PERSON = "other-person"
    CONFIDENTIAL_SOURCE = "confidential-source"
    STAFF_MEMBER = "staff-member"
    PROTECTED_IDENTITY = "protected-identity"
    TRADE = "trade-secret"


class Decision(Enum):
    """What the domain decides about one found record of an erasure request."""

    ERASE = "erase"
    ANONYMISE = "anonymise"
    KEEP = "keep"
    BLOCK_AND_REFER = "block-and-refer"
    REFER = "refer"
    LEAVE = "leave"


class ErasureGround(Enum):
    """Art. 17(1), letters a to f. Whatever a person names, every letter is examined."""

    NO_LONGER_NEEDED = "a"
    CONSENT_WITHDRAWN = "b"
    OBJECTION = "c"
    MARKETING_OBJECTION = "c-marketing"
    UNLAWFUL = "d"
    LEGAL_DUTY = "e"
    CHILD = "f"


class Compartment(Enum):
    """The four compartments of a case in the vault, each with its own key and its own end."""

    UPLOAD = "upload"
    PACKAGE = "package"
    CORRESPONDENCE = "correspondence"
    HOLD = "hold"


class Severity(Enum):
    """How much a finding about a profile stops."""

    REFUSE_TO_LOAD = "refuse-to-load"
    BLOCK_LETTERS = "block-letters"
    DECIDE_FIRST = "decide-before-first-case"
    INFORM = "inform"


class LetterKind(Enum):
    ACKNOWLEDGEMENT = "acknowledgement"
    IDENTITY_CODE = "identity-code"
    ANSWER = "answer"
    PARTIAL_REFUSAL = "partial-refusal"
    REFUSAL = "refusal"
    CANNOT_IDENTIFY = "cannot-identify"
    NO_RESPONSE = "no-response"
    OBJECTION_UPHELD = "objection-upheld"
    OBJECTION_DISMISSED = "objection-dismissed"
    IDENTITY_QUESTION = "identity-question"
    AUTHORITY_QUESTION = "authority-question"
    CLARIFICATION = "clarification"
    QUESTION_REMINDER = "question-reminder"
    EXTENSION = "extension"
    FEE_ANNOUNCED = "fee-announced"
    RECIPIENTS = "recipients"
    RESTRICTION_LIFTED = "restriction-lifted"
    HOLD_RELEASED = "hold-released"
    CLOSED = "closed"
    CUSTOMER_SERVICE_PASSED_ON = "customer-service-passed-on"
    DOCUMENT_ACCESS_PASSED_ON = "document-access-passed-on"
    OTHER_CONTROLLER = "other-controller"
    DECEASED = "deceased"
    DISCLOSURE_NOTICE = "disclosure-notice"
    MESSAGE = "message"

    @property
    def answers(self) -> bool:
        """Whether a request is answered when this letter has left (Art. 12(3), 12(4))."""
        return self.refuses or self in {LetterKind.ANSWER, LetterKind.OBJECTION_UPHELD}

    @property
    def refuses(self) -> bool:
        """Whether it says no to something: then why, who decided, and the ways on (Art. 12(4))."""
        return self in {
            LetterKind.PARTIAL_REFUSAL,
            LetterKind.REFUSAL,
            LetterKind.CANNOT_IDENTIFY,
            LetterKind.NO_RESPONSE,
            LetterKind.OBJECTION_DISMISSED,
        }


class StaffMail(Enum):
    """Mail to the controller's own people; it holds no personal data of those who ask."""

    DIGEST = "digest"
    INVITED = "invited"
    ERRAND = "errand"
    ERRAND_CODE = "errand-code"


class DeliveryWay(Enum):
    """How a letter reached the person; each leaves a proof of its own (Art. 12(1))."""

    MAIL = "mail"
    POST = "post"
    IN_PERSON = "in-person"
    READ_ALOUD = "read-aloud"

    @property
    def meets_the_person(self) -> bool:
        """Whether somebody of ours stands before them, or has them on the telephone."""
        return self in {DeliveryWay.IN_PERSON, DeliveryWay.READ_ALOUD}


class PauseReason(Enum):
    """Why the person is asked something; never a reason to silence an alarm (EDPB 01/2022, 159)."""

    IDENTITY = "identity"
    SCOPE = "scope"
    AUTHORITY = "authority"


class ExtensionReason(Enum):
    """Why two more months are taken: for complexity and number together (EDPB 01/2022, 162-164)."""

    VOLUME = "volume"
    DISPERSED_DATA = "dispersed-data"
    REDACTION = "redaction"
    INTELLIGIBILITY = "intelligibility"
    SEVERAL_REQUESTS = "several-requests"
    MANY_REQUESTERS = "many-requesters"
    EFFORT = "effort"

    @property
    def is_complexity(self) -> bool:
        """What makes a request hard to answer; that it is much work is not enough."""
        return self in {
            ExtensionReason.VOLUME,
            ExtensionReason.DISPERSED_DATA,
            ExtensionReason.REDACTION,
            ExtensionReason.INTELLIGIBILITY,
        }

    @property
    def is_number(self) -> bool:
        """That there are several requests: of this person, or of many at the same time."""
        return self in {ExtensionReason.SEVERAL_REQUESTS, ExtensionReason.MANY_REQUESTERS}


class ConsultedAbout(Enum):
    """What the officer is asked for advice about (Art. 38(1), 39(1)(a))."""

    SUSPENSION = "suspension"
    EXTENSION = "extension"
    REFUSAL = "refusal"
    IDENTITY = "identity"
    OTHER = "other"


class RefusalGround(Enum):
    UNFOUNDED = "manifestly-unfounded"
    EXCESSIVE = "excessive"
    CANNOT_IDENTIFY = "cannot-identify"
    NATIONAL_EXCEPTION = "national-exception"
    NOT_ENTITLED = "conditions-not-met"
    NO_RESPONSE = "no-response"

    @property
    def needs_two_people(self) -> bool:
        """Art. 12(5): the controller bears the burden of demonstrating it."""
        return self in {RefusalGround.UNFOUNDED, RefusalGround.EXCESSIVE}

    @property
    def weighs_interests(self) -> bool:
        """What a law or a balance may outweigh; an objection to marketing is none (Art. 21(3))."""
        return self in {RefusalGround.NATIONAL_EXCEPTION, RefusalGround.NOT_ENTITLED}


class Unidentified(Enum):
    """What shows that nobody can tell whose the data are (Art. 11(2), 12(2))."""

    SILENT = "silent"
    NOTHING_MORE = "nothing-more"
    PROOF_FAILED = "proof-failed"


class Missed(Enum):
    TARGET = "target"
    PROMISE = "promise"
    STATUTORY = "statutory"


class Purpose(Enum):
    """What somebody of the controller may want to read personal data for."""

    HANDLE = "handle"
    REVIEW = "review"
    COMPLAINT = "complaint"
    FAULT = "fault"


class Content(Enum):
    """What kind of thing is shown."""

    PERSON = "person"
    IDENTIFIERS = "identifiers"
    MESSAGE = "message"
    LETTER = "letter"
    RECORD = "record"
    PACKAGE = "package"
    NOTE = "note"
    SEARCH = "search"
    EVIDENCE = "evidence"


class Door(Enum):
    """By which door."""

    DESK = "desk"
    API = "api"
    CLI = "cli"
