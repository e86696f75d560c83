"""What a careful reader would ask a controller about its profile (GDPR Art. 12 to 14, 30).

Every finding is reasoned from facts of the profile and from what its policy says, word for word.
No field of a profile names a finding. The questions are data, in `findings.toml`.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

from domain.authorities import authority
from domain.deadlines import add_months
from domain.policy import BodyType, ChannelKind, LegalBasis, Observation, Profile, Sector, Text
from domain.vocabulary import Language, Right, Role, Severity

STALE_AFTER_MONTHS: Final = 36
LOWEST_CONSENT_AGE: Final = 13
LONGEST_MONTH: Final = 31

_MONTHS = r"(?:måned\w*|månad\w*|år|months?|years?)"
_AFTER = r"(?:från|fra|efter|etter|sedan|siden|after|from|since)"


@dataclass(frozen=True, slots=True)
class Finding:
    """A question to the controller: what about, where it arose, and the words behind it."""

    code: str
    severity: Severity
    where: str
    question: Text
    quote: str | None = None
    line: int | None = None
    what: str = ""
    article: str = ""


def asked(finding: Finding, language: Language) -> str:
    """The question in a language; nynorsk readers are asked in bokmål."""
    return finding.question.get(language) or finding.question[Language.NB]


def check(profile: Profile, on: date) -> tuple[Finding, ...]:
    """Everything there is to ask about the profile on that day, gravest first."""
    return _check(_Same(profile), on)


class _Same:
    """A profile by what it is, not by what it says: it is frozen, and long to compare."""

    __slots__ = ("profile",)

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    def __hash__(self) -> int:
        return id(self.profile)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.profile is other.profile


@lru_cache(maxsize=64)
def _check(same: _Same, on: date) -> tuple[Finding, ...]:
    profile = same.profile
    found = [_finding(code, note) for code, rule in _RULES.items() for note in rule(profile, on)]
    return tuple(sorted(found, key=lambda finding: list(Severity).index(finding.severity)))


def codes() -> tuple[str, ...]:
    return tuple(_RULES)


@dataclass(frozen=True, slots=True)
class _Note:
    where: str
    said: Observation | None = None
    what: str = ""


Rule = Callable[[Profile, date], Iterator[_Note]]

_RULES: dict[str, Rule] = {}


def _rule(code: str) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        _RULES[code] = rule
        return rule

    return register


def _finding(code: str, note: _Note) -> Finding:
    entry = _words()[code]
    return Finding(
        code=code,
        severity=Severity(entry["severity"]),
        where=note.where,
        question={
            language: entry[language.value].format(what=note.what)
            for language in (Language.NB, Language.SV, Language.EN)
        },
        quote=note.said.quote if note.said else None,
        line=note.said.line if note.said else None,
        what=note.what,
        article=entry["article"],
    )


@cache
def _words() -> Mapping[str, Any]:
    return tomllib.loads(Path(__file__).with_name("findings.toml").read_text(encoding="utf-8"))


def _about(said: Iterable[Observation], pattern: str) -> Iterator[Observation]:
    return (o for o in said if re.search(pattern, o.quote, re.IGNORECASE))


def _heard(observation: Observation, what: str = "") -> _Note:
    return _Note(f"observations.{observation.id}", observation, what)


# Who it is and how to reach it


@_rule("controller_ambiguous")
def _controller_ambiguous(profile: Profile, on: date) -> Iterator[_Note]:
    names = profile.controller.names
    if len(names) > 1 and not profile.controller.decided:
        said = next(
            (o for o in profile.said("controller") if any(n in o.quote for n in names)), None
        )
        yield _Note("controller.names", said, " / ".join(names))


@_rule("channel_missing")
def _channel_missing(profile: Profile, on: date) -> Iterator[_Note]:
    if not profile.channels:
        yield _Note("channels")


@_rule("contact_domain_typo")
def _contact_domain_typo(profile: Profile, on: date) -> Iterator[_Note]:
    site = _domain(profile.website or "")
    for place, channel in enumerate(profile.channels):
        if channel.kind not in {ChannelKind.EMAIL, ChannelKind.OFFICER_EMAIL} or not site:
            continue
        mail = _domain(channel.address.rpartition("@")[2])
        if mail != site and _distance(mail, site) <= 2:
            said = next((o for o in profile.observations if channel.address in o.quote), None)
            yield _Note(f"channels[{place}].address", said, f"{mail} / {site}")


@_rule("archive_duty")
def _archive_duty(profile: Profile, on: date) -> Iterator[_Note]:
    if profile.is_public or profile.body_type is BodyType.TO_BE_DECIDED:
        yield _Note("body_type")


@_rule("silent_about_archive")
def _silent_about_archive(profile: Profile, on: date) -> Iterator[_Note]:
    going = filter(profile.goes_to_archive, profile.categories)
    unsaid = [category.id for category in going if not category.archive_duty]
    if unsaid:
        yield _Note("categories", what=", ".join(unsaid))


@_rule("unresolved_placeholders")
def _unresolved_placeholders(profile: Profile, on: date) -> Iterator[_Note]:
    # What was put there to be replaced: by a template, or by whoever copied the text.
    blank = (
        r"\{\{.*?\}\}|\$\{|<%|lorem ipsum|\bX{4,}\b|\[(?:company|insert|firma|virksomhet|företag)"
    )
    for said in _about(profile.observations, blank):
        yield _heard(said)


@_rule("stale_policy")
def _stale_policy(profile: Profile, on: date) -> Iterator[_Note]:
    updated = profile.policy_updated_on
    if updated and add_months(updated, STALE_AFTER_MONTHS) < on:
        said = next(iter(profile.said("updated")), None)
        yield _Note("policy_updated_on", said, updated.isoformat())


# What it says about rights, time and complaints


def _silent_about(code: str, right: Right, when: Callable[[Profile], bool]) -> None:
    @_rule(code)
    def silent(profile: Profile, on: date) -> Iterator[_Note]:
        if right not in profile.rights and when(profile):
            yield _Note("rights")


def _rests_on(*bases: LegalBasis) -> Callable[[Profile], bool]:
    return lambda profile: any(set(bases) & set(p.bases) for p in profile.purposes)


def _always(profile: Profile) -> bool:
    return True


_silent_about("access_right_missing", Right.ACCESS, _always)
_silent_about("rectification_missing", Right.RECTIFICATION, _always)
_silent_about("erasure_missing", Right.ERASURE, _always)
_silent_about("restriction_missing", Right.RESTRICTION, _always)
_silent_about("objection_missing", Right.OBJECTION, _always)
_silent_about(
    "portability_missing",
    Right.PORTABILITY,
    _rests_on(LegalBasis.CONSENT, LegalBasis.CONTRACT),
)
_silent_about("withdrawal_missing", Right.WITHDRAWAL, _rests_on(LegalBasis.CONSENT))


@_rule("deadline_missing")
def _deadline_missing(profile: Profile, on: date) -> Iterator[_Note]:
    if profile.promise_days is None and not profile.promise_text:
        yield _Note("promise_days")


@_rule("promise_exceeds_law")
def _promise_exceeds_law(profile: Profile, on: date) -> Iterator[_Note]:
    if profile.promise_days is not None and profile.promise_days > LONGEST_MONTH:
        said = next(iter(profile.said("deadline")), None)
        yield _Note("promise_days", said, str(profile.promise_days))


@_rule("form_requirement_conflicts_art12")
def _form_requirement(profile: Profile, on: date) -> Iterator[_Note]:
    demands = r"skriftlig|written|undertecknad|underskrev|signed|blankett|skjema|formulär"
    for said in _about(profile.said("form-of-request"), demands):
        yield _heard(said)


@_rule("authority_missing")
def _authority_missing(profile: Profile, on: date) -> Iterator[_Note]:
    named, said = authority(profile.country), profile.said("authority")
    if not any(named.is_named_in(o.quote) or named.former_name_in(o.quote, on) for o in said):
        yield _heard(said[0]) if said else _Note("observations")


@_rule("authority_outdated")
def _authority_outdated(profile: Profile, on: date) -> Iterator[_Note]:
    today = authority(profile.country)
    for said in profile.said("authority"):
        former = today.former_name_in(said.quote, on)
        if former and not today.is_named_in(said.quote):
            yield _heard(said, f"{former.name} → {today.known_as[0]}")


@_rule("complaint_asks_contact_first")
def _contact_first(profile: Profile, on: date) -> Iterator[_Note]:
    for said in _about(profile.said("first-contact"), r"\b(?:først|först|first)\b"):
        yield _heard(said)


@_rule("consent_age_below_law")
def _consent_age(profile: Profile, on: date) -> Iterator[_Note]:
    age = profile.policy_consent_age
    if age is not None and age < LOWEST_CONSENT_AGE:
        said = next(iter(profile.said("age")), None)
        yield _Note("policy_consent_age", said, str(age))


# Why it processes


@_rule("legal_basis_missing")
def _legal_basis_missing(profile: Profile, on: date) -> Iterator[_Note]:
    without = [p.id for p in profile.purposes if not p.bases]
    if without:
        yield _Note("purposes", what=", ".join(without))


@_rule("legitimate_interest_public_body")
def _legitimate_interest(profile: Profile, on: date) -> Iterator[_Note]:
    resting = [p.id for p in profile.purposes if LegalBasis.LEGITIMATE_INTEREST in p.bases]
    if resting and profile.body_type is BodyType.PUBLIC_BODY:
        words = r"berettiged|berättig|legitimate|interesseavvei|intresseavväg"
        said = next(_about(profile.said("legal-basis"), words), None)
        yield _Note("purposes", said, ", ".join(resting))


@_rule("marketing_basis_conflict")
def _marketing_basis(profile: Profile, on: date) -> Iterator[_Note]:
    opt_in = r"meldt deg på|melder deg på|samty[ck]k|anmält dig|anmäler dig|prenumerer|signed up"
    voluntary = next(_about(profile.said("marketing"), opt_in), None)
    for purpose in profile.purposes:
        rests = LegalBasis.LEGITIMATE_INTEREST in purpose.bases
        if purpose.marketing and rests and LegalBasis.CONSENT not in purpose.bases and voluntary:
            yield _Note(f"purposes.{purpose.id}", voluntary)


@_rule("basis_conflict")
def _basis_conflict(profile: Profile, on: date) -> Iterator[_Note]:
    only = r"\b(?:enbart|endast|bara|bare|kun|only)\b[^.]*?\b(?:samtycke|samtykke|consent)\b"
    another = r"(?:beställning|bestilling|order|avtal|kontrakt|contract)"
    for said in _about(profile.said("legal-basis"), rf"{only}(?!\s+(?:eller|or)\b)"):
        if any(o != said for o in _about(profile.said("legal-basis"), another)):
            yield _heard(said)


@_rule("dual_basis")
def _dual_basis(profile: Profile, on: date) -> Iterator[_Note]:
    # Between these three the rights differ: to withdraw, to object, to take the data along.
    rival = {LegalBasis.CONSENT, LegalBasis.CONTRACT, LegalBasis.LEGITIMATE_INTEREST}
    twice = [p for p in profile.purposes if len(rival & set(p.bases)) > 1]
    if twice:
        words = r"tillåtelse|medgivande|tillatelse|permission|kontrakt"
        said = next(_about(profile.said("legal-basis"), words), None)
        yield _Note("purposes", said, ", ".join(p.id for p in twice))


@_rule("personnummer_gate")
def _personnummer_gate(profile: Profile, on: date) -> Iterator[_Note]:
    gate = r"\b(?:krävs|kreves|måste|obligatorisk\w*|required|must)\b"
    for said in _about(profile.said("national-number"), gate):
        yield _heard(said)


# How long, and what must stay


@_rule("retention_period_missing")
def _retention_period_missing(profile: Profile, on: date) -> Iterator[_Note]:
    without = [
        c.id for c in profile.categories if c.retention.period is None and not c.retention.anchors
    ]
    if without:
        said = next(iter(profile.said("retention")), None)
        yield _Note("categories", said, ", ".join(without))


@_rule("retention_anchor_undefined")
def _retention_anchor_undefined(profile: Profile, on: date) -> Iterator[_Note]:
    number = r"(?:\d+|ett|en|to|två|tre|fire|fyra|fem|sex|seks|sju|tio|ti|\w+ten|three|two|one)"
    for said in _about(profile.said("retention"), rf"\b{number}\s+{_MONTHS}\b"):
        if not re.search(rf"\b{_MONTHS}\s+{_AFTER}\b", said.quote, re.IGNORECASE):
            yield _heard(said)


@_rule("statutory_hold_not_disclosed")
def _hidden_hold(profile: Profile, on: date) -> Iterator[_Note]:
    vouchers = [s.id for s in profile.systems for h in s.holdings if h.voucher]
    if vouchers and not profile.said("statutory-retention"):
        said = next(iter(profile.said("retention")), None)
        yield _Note("systems", said, ", ".join(dict.fromkeys(vouchers)))


@_rule("voucher_held_twice")
def _voucher_held_twice(profile: Profile, on: date) -> Iterator[_Note]:
    places = Counter(
        category
        for system in profile.systems
        for category in {h.category for h in system.holdings if h.voucher}
    )
    for category, times in places.items():
        if times > 1:
            yield _Note(f"categories.{category}")


# To whom it goes


@_rule("payment_recipient_missing")
def _payment_recipient(profile: Profile, on: date) -> Iterator[_Note]:
    named = profile.said("recipient-payment") or profile.said("recipient-bank")
    for said in profile.said("payment-data")[:1]:
        if not named:
            yield _heard(said)


@_rule("recipient_not_in_policy")
def _recipient_not_in_policy(profile: Profile, on: date) -> Iterator[_Note]:
    for closed in profile.said("recipients-closed")[:1]:
        outside = [(f"systems.{s.id}", s) for s in profile.systems if s.role is not Role.INTERNAL]
        for where, sector, name in [
            *((where, s.sector, s.name) for where, s in outside),
            *((f"recipients.{r.id}", r.sector, r.name) for r in profile.recipients),
        ]:
            if not profile.said(f"recipient-{sector.value}"):
                yield _Note(where, closed, name)


@_rule("processor_role_doubtful")
def _processor_role(profile: Profile, on: date) -> Iterator[_Note]:
    for recipient in profile.recipients:
        if recipient.sector is Sector.BANK and recipient.role is Role.PROCESSOR:
            said = next(_about(profile.said("roles"), r"\bbank"), None)
            yield _Note(f"recipients.{recipient.id}", said, recipient.name)


@_rule("processor_agreement_missing")
def _processor_agreement(profile: Profile, on: date) -> Iterator[_Note]:
    without = [s.id for s in profile.systems if s.role is Role.PROCESSOR and not s.agreement]
    if without:
        yield _Note("systems", what=", ".join(without))


@_rule("incoherent_transfer_statement")
def _incoherent_transfer(profile: Profile, on: date) -> Iterator[_Note]:
    # The Union lies inside the EEA, so nothing is outside the one and inside the other.
    outside = r"\b(?:utenfor|utanför|outside)\s+(?:the\s+)?(?:EØS|EES|EEA)\b(?!/)"
    inside = r"\b(?:innenfor|inom|inside|within)\s+(?:the\s+)?EU\b"
    for said in _about(
        profile.said("transfers"), rf"{outside}[^.]*{inside}|{inside}[^.]*{outside}"
    ):
        yield _heard(said)


@_rule("transfer_without_safeguards")
def _transfer_without_safeguards(profile: Profile, on: date) -> Iterator[_Note]:
    said = profile.said("transfers")
    safe = (
        r"sikkerhetsmekanism|skyddsåtgärd|standard\w*(?:klausul|bestemmelse|vilkår)"
        r"|contractual clause|\bSCC\b|adekvat|beskyttelsesnivå|adequacy|binding corporate|kontrakt"
        r"|safeguard"
    )
    if any(_about(said, safe)) or any(system.transfer for system in profile.systems):
        return
    third = r"\bUSA\b|United States|\bIndia\b|\bKina\b|\bChina\b|tredjeland\w*|third countr\w+"
    for one in said:
        named = re.search(third, one.quote)
        if named is not None:
            yield _heard(one, named[0])


# Cookies


@_rule("cookie_claim")
def _cookie_claim(profile: Profile, on: date) -> Iterator[_Note]:
    claim = r"\b(?:inte|ikke|ikkje|not|cannot)\b.*\b(?:kopplas|knyttes|knytast|linked|identif)"
    for said in _about(profile.said("cookies"), claim):
        yield _heard(said)


@_rule("cookie_contradiction")
def _cookie_contradiction(profile: Profile, on: date) -> Iterator[_Note]:
    track = r"identifierar|spårar|målanpass|gjenkjenne|sporer|målrett|track|target|recogni[sz]e"
    cookies = profile.said("cookies")
    for said in _about(cookies, r"\banonym"):
        if any(_about(cookies, track)):
            yield _heard(said)


# What a policy says that only has to be asked about


def _said_so(code: str, topic: str, says: str) -> None:
    @_rule(code)
    def said_so(profile: Profile, on: date) -> Iterator[_Note]:
        for said in _about(profile.said(topic), says):
            yield _heard(said)


for _code, _entry in _words().items():
    if "says" in _entry:
        _said_so(_code, _entry["topic"], _entry["says"])


# Addresses


def _domain(address: str) -> str:
    """The last two labels of a host or web address: who is meant, without www."""
    host = re.sub(r"^\w+://", "", address.strip().casefold()).partition("/")[0]
    return ".".join(host.split(".")[-2:])


def _distance(one: str, other: str) -> int:
    """How many letters have to be put in, left out or changed to get from one to the other."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        above, row[0] = row[0], i
        for j, b in enumerate(other, start=1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
    return row[-1]
