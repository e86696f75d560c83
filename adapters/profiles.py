"""Reads a controller's profile from TOML, and refuses what is wrong with file, key and reason."""

from __future__ import annotations

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from adapters.outbound import connectors
from domain.facts import ANCHORS, FLAGS
from domain.grounds import ExceptionKind
from domain.policy import OWN_ANSWER_AGE, ChannelKind, Profile, Retention, Sector, Text
from domain.representation import OF_AGE
from domain.vocabulary import Delivery

_SHIPPED = Path(__file__).resolve().parent.parent / "domain" / "profiles"

_DELIVERED_BY = {
    "manual": Delivery.PERSON,
    "csv": Delivery.FILE,
    "kafka": Delivery.KAFKA,
    "webhook": Delivery.WEBHOOK,
    "opendsr": Delivery.WEBHOOK,
    "https": Delivery.WEBHOOK,
}
"""Those at whose other end is no program that is called; every other one calls an API."""


SHORTEST_CONTENT = 30
"""As long as a link to an answer works: nothing goes that it still opens."""
LONGEST_CONFIRMATION = 14
LONGEST_BACKUPS = 3650
"""Half of the time that the law gives; an erasure waits for nobody longer."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a profile: where in the file, and why."""

    key: str
    reason: str


class ProfileError(ValueError):
    """A profile that cannot be used; the message has one line per problem."""

    def __init__(self, file: str, problems: Iterable[Problem]) -> None:
        self.file, self.problems = file, tuple(problems)
        super().__init__(
            "\n".join(
                f"{file}: {p.key}: {p.reason}" if p.key else f"{file}: {p.reason}"
                for p in self.problems
            )
        )


def shipped_profiles() -> dict[str, Path]:
    """The profiles that come with Trettio, by id."""
    return {path.stem: path for path in sorted(_SHIPPED.glob("*.toml"))}


def load_profile(source: Path | bytes, *, name: str | None = None) -> Profile:
    """The profile in a file (or in the bytes of one); `name` is what errors call it.

    The profile's digest is the SHA-256 of the bytes, so a version can be told from any other.
    """
    name = name or (source.name if isinstance(source, Path) else "profile")
    content = _read(source, name) if isinstance(source, Path) else source
    profile = _shaped(_parsed(content, name), sha256(content).hexdigest(), name)
    problems = tuple(_inconsistencies(profile))
    if problems:
        raise ProfileError(name, problems)
    return profile


# Shape


class _File(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    profile: Profile


def _read(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = f"cannot be read: {error.strerror or 'unknown reason'}"
        raise ProfileError(name, [Problem("", reason)]) from None


def _parsed(content: bytes, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        reason = f"is not UTF-8 from byte {error.start} on: save it as UTF-8"
    except tomllib.TOMLDecodeError as error:
        reason = f"is not TOML: {error}"
    raise ProfileError(name, [Problem("", reason)])


def _shaped(data: dict[str, Any], digest: str, name: str) -> Profile:
    if "digest" in data:
        raise ProfileError(name, [Problem("digest", "is computed from the file: leave it out")])
    moments = [
        Problem(key, "holds a moment; write a plain day like 2026-11-22")
        for key in _moments(data, ())
    ]
    if moments:
        raise ProfileError(name, moments)
    try:
        # Through JSON, where strictness still lets text stand for an enum's member or a day.
        text = json.dumps({"profile": {**data, "digest": digest}}, default=date.isoformat)
        return _File.model_validate_json(text).profile
    except ValidationError as error:
        raise ProfileError(name, map(_problem, error.errors(include_url=False))) from None


def _moments(value: object, place: tuple[str | int, ...]) -> Iterator[str]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from _moments(inner, (*place, key))
        case list():
            for index, inner in enumerate(value):
                yield from _moments(inner, (*place, index))
        case datetime() | time():
            yield _key(place)


def _problem(error: Any) -> Problem:
    key = _key(error["loc"][1:])
    match error["type"]:
        case "missing":
            return Problem(key, "is missing")
        case "unexpected_keyword_argument" | "extra_forbidden":
            return Problem(key, "is not a key that a profile has: check its spelling")
        case "enum":
            return Problem(key, f"must be one of {error['ctx']['expected']}")
        case _:
            message = str(error["msg"])
            return Problem(key, message[:1].lower() + message[1:])


def _key(location: Iterable[str | int]) -> str:
    key = ""
    for part in location:
        if isinstance(part, int):
            key += f"[{part}]"
        elif part != "[key]":
            key += f".{part}" if key else part
    return key


# Sense


def _inconsistencies(profile: Profile) -> Iterator[Problem]:
    yield from _id("id", profile.id)
    yield from _head(profile)
    for name in ("purposes", "categories", "systems", "recipients", "observations"):
        ids = Counter(entry.id for entry in getattr(profile, name))
        for i, entry in enumerate(getattr(profile, name)):
            yield from _id(f"{name}[{i}].id", entry.id)
        for entry_id in sorted(entry_id for entry_id, times in ids.items() if times > 1):
            yield Problem(name, f"has {entry_id!r} {ids[entry_id]} times: every id once")
    yield from _texts(profile)
    yield from _categories(profile)
    yield from _systems(profile)
    yield from _answering(profile)
    yield from _evidence(profile)


_MAIL = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")


def _id(key: str, given: str) -> Iterator[Problem]:
    if not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", given):
        yield Problem(key, "must be small letters a to z and digits, joined by hyphens")


def _head(profile: Profile) -> Iterator[Problem]:
    if not profile.controller.names or not all(n.strip() for n in profile.controller.names):
        yield Problem("controller.names", "needs at least one name, as letters will write it")
    if profile.promise_days is not None and not 1 <= profile.promise_days <= 365:
        yield Problem("promise_days", "must be 1 to 365; leave it out if nothing is promised")
    if not SHORTEST_CONTENT <= profile.content_days <= 365:
        yield Problem("content_days", f"must be {SHORTEST_CONTENT} to 365: links live so long")
    days = profile.erasure_confirmation_days
    if days is not None and not 1 <= days <= LONGEST_CONFIRMATION:
        yield Problem(
            "erasure_confirmation_days",
            f"must be 1 to {LONGEST_CONFIRMATION}; leave it out if nobody is waited for",
        )
    for key in ("accessibility_statement", "privacy_policy"):
        page = getattr(profile, key)
        if page is not None and not re.fullmatch(r"https://[^\s/]+\.\S+", page):
            yield Problem(key, "must be one address that begins with https://")
    for place, channel in enumerate(profile.channels):
        is_mail = channel.kind in {ChannelKind.EMAIL, ChannelKind.OFFICER_EMAIL}
        if is_mail and not _MAIL.fullmatch(channel.address):
            yield Problem(f"channels[{place}].address", "must be one e-mail address")
    for key in ("customer_service", "document_access"):
        address = getattr(profile, key)
        if address is not None and not _MAIL.fullmatch(address):
            yield Problem(key, "must be one e-mail address; messages are passed on to it")
    if not 0 <= profile.own_answer_age <= OF_AGE:
        yield Problem("own_answer_age", f"must be 0 to {OF_AGE}, an age in years")
    if profile.own_answer_age != OWN_ANSWER_AGE and profile.own_answer_decided_on is None:
        yield Problem("own_answer_decided_on", "is missing: say when the other age was decided")
    year = profile.fiscal_year
    try:
        date(2024, year.end_month, year.end_day)
    except ValueError:
        yield Problem("fiscal_year", "must end on a day that exists, e.g. end_month 6, end_day 30")
    kinds = [kind.value for kind in ExceptionKind]
    for kind in sorted(profile.allowed_exceptions or ()):
        if kind not in kinds:
            yield Problem(
                "allowed_exceptions", f"{kind!r} is no exception that law knows; {_choice(kinds)}"
            )


def _texts(profile: Profile) -> Iterator[Problem]:
    language = profile.language
    texts: list[tuple[str, Text]] = []
    texts += [(f"purposes[{i}].name", p.name) for i, p in enumerate(profile.purposes)]
    for i, category in enumerate(profile.categories):
        texts += [(f"categories[{i}].name", category.name)]
        texts += [(f"categories[{i}].source", category.source)]
    texts += [(f"recipients[{i}].words", r.words) for i, r in enumerate(profile.recipients)]
    for key, text in texts:
        if not text.get(language, "").strip():
            yield Problem(key, f"lacks the profile's own language, {language.value}")


def _categories(profile: Profile) -> Iterator[Problem]:
    purposes = [purpose.id for purpose in profile.purposes]
    held = {holding.category for system in profile.systems for holding in system.holdings}
    for i, category in enumerate(profile.categories):
        key = f"categories[{i}]"
        if not category.purposes:
            yield Problem(f"{key}.purposes", "needs at least one purpose")
        for purpose in category.purposes:
            if purpose not in purposes:
                yield Problem(f"{key}.purposes", f"{purpose!r} is no purpose; {_choice(purposes)}")
        if category.id not in held:
            yield Problem(key, f"{category.id!r} is held by no system: add it to one's holdings")
        yield from _retention(f"{key}.retention", category.retention)


def _retention(key: str, retention: Retention) -> Iterator[Problem]:
    if retention.period is not None and retention.period.months < 1:
        yield Problem(f"{key}.period.months", "must be 1 or more")
    yield from _known(f"{key}.anchors", retention.anchors, ANCHORS, "anchor")
    yield from _known(f"{key}.open_while", retention.open_while, FLAGS, "flag")
    yield from _known(f"{key}.erase_early_if", retention.erase_early_if, FLAGS, "flag")


def _systems(profile: Profile) -> Iterator[Problem]:
    categories = [category.id for category in profile.categories]
    known = connectors.names()
    for i, system in enumerate(profile.systems):
        key = f"systems[{i}]"
        if system.connector not in known:
            yield Problem(
                f"{key}.connector", f"{system.connector!r} is no connector; {_choice(known)}"
            )
        elif (needed := _DELIVERED_BY.get(system.connector, Delivery.CONNECTOR)) is not (
            system.delivery
        ):
            yield Problem(
                f"{key}.delivery", f"must be {needed.value!r} with connector {system.connector!r}"
            )
        days = system.backups_kept_days
        if days is not None and not 1 <= days <= LONGEST_BACKUPS:
            yield Problem(
                f"{key}.backups_kept_days",
                f"must be 1 to {LONGEST_BACKUPS}; leave it out where it is not known",
            )
        kinds = Counter(holding.kind for holding in system.holdings)
        for j, holding in enumerate(system.holdings):
            place = f"{key}.holdings[{j}]"
            if kinds[holding.kind] > 1:
                yield Problem(f"{place}.kind", f"{holding.kind!r} must be in a system once")
            if holding.category not in categories:
                yield Problem(
                    f"{place}.category",
                    f"{holding.category!r} is no category; {_choice(categories)}",
                )
            if not holding.voucher and (holding.voucher_fields or holding.voucher_if):
                yield Problem(f"{place}.voucher", "must be true where voucher fields are named")
            yield from _known(f"{place}.voucher_if", holding.voucher_if, FLAGS, "flag")
            yield from _known(f"{place}.needed", holding.needed, FLAGS, "flag")


def _answering(profile: Profile) -> Iterator[Problem]:
    """Whoever is asked by a link is written to at one address."""
    places = [(f"systems[{i}]", one.answers_at) for i, one in enumerate(profile.systems)]
    for i, recipient in enumerate(profile.recipients):
        places.append((f"recipients[{i}]", recipient.answers_at))
        for name, address in recipient.organisers.items():
            if not name.strip() or not _MAIL.fullmatch(address):
                yield Problem(
                    f"recipients[{i}].organisers", "needs a name and one e-mail address for each"
                )
        if recipient.answers_at is not None and recipient.sector is Sector.ORGANISER:
            yield Problem(
                f"recipients[{i}].answers_at", "is for one; name each organiser in 'organisers'"
            )
        if recipient.organisers and recipient.sector is not Sector.ORGANISER:
            yield Problem(f"recipients[{i}].organisers", "is for recipients of sector 'organiser'")
    for key, given in places:
        if given is not None and not _MAIL.fullmatch(given):
            yield Problem(f"{key}.answers_at", "must be one e-mail address")
    for i, system in enumerate(profile.systems):
        if system.answers_at is not None and system.delivery is not Delivery.PERSON:
            yield Problem(f"systems[{i}].answers_at", "is for systems with delivery 'person'")


def _evidence(profile: Profile) -> Iterator[Problem]:
    for i, observation in enumerate(profile.observations):
        if not observation.quote.strip():
            yield Problem(f"observations[{i}].quote", "must hold the words of the policy")
        if observation.line < 1:
            yield Problem(f"observations[{i}].line", "counts from 1")


def _known(key: str, given: Iterable[str], known: Iterable[str], what: str) -> Iterator[Problem]:
    names = list(known)
    for name in given:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else _choice(names)
            yield Problem(key, f"{name!r} is no {what}; {hint}")


def _choice(names: Iterable[str]) -> str:
    return f"there are: {', '.join(sorted(names)) or 'none'}"
