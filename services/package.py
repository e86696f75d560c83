"""The access answer as a ZIP: what is held, for people and for machines (GDPR Art. 15, 20).

It holds `index.html` to read, `data.json` with its schema, and one CSV per category. The same
facts give the same bytes. Only records that are certainly the person's belong in it; the caller
sees to that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile
from zoneinfo import ZoneInfo

from domain.authorities import authority
from domain.explanation import written_date
from domain.policy import Category, Profile, Recipient, Retention, Sector, System
from domain.vocabulary import Language, Right, Role
from services.field_names import field_name
from services.letters import OWN_SYSTEM, RecipientNotice, template
from services.pile import Held, Json, Pile
from services.plain_json import PlainValues
from services.ports import Record
from services.recipient_words import what_came_in_a_copy
from services.redacting import codes_of
from services.tables import file_name, printable, table
from services.wording import LETTERS, PACKAGES, Wording, in_language, short, wording
from services.zip_file import Counted, Entries

SCHEMA = Path(__file__).with_name("schemas") / "access-answer-1.json"
FORMAT = "trettio/access-answer/1"
OTHER = "other"
"""The category of records whose sort the profile does not know: they are held, so they are told."""


@dataclass(frozen=True, slots=True)
class Authority:
    """An authority that was given something about the person (Art. 15(1)(c); GK-21)."""

    name: str
    categories: tuple[str, ...]
    given_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFacts:
    """What the answer is made from.

    `records` are (system id, record). `recipients` are ids or names of those who received
    something, beyond those the records name. `searched` are the systems that have answered; none
    given means all of them, and only about a system that has answered is "nothing" ever said.
    `full_cards` is for a person who asked to see whole card numbers (GK-12). In the systems that
    are `unsearchable` nobody could tell what is the person's (Art. 11(2)). `told` is who was told
    of what was done in the same case, when, and what they answered (Art. 19).
    """

    profile: Profile
    language: Language
    case_reference: str
    received_on: date
    answered_on: date
    records: Iterable[tuple[str, Record]]
    recipients: tuple[str, ...] = ()
    searched: frozenset[str] | None = None
    full_cards: bool = False
    unsearchable: tuple[str, ...] = ()
    authorities: tuple[Authority, ...] = ()
    told: tuple[RecipientNotice, ...] = ()


@dataclass(frozen=True, slots=True)
class Digest:
    """What was written, without its content. `covered`: something in it concerns other people."""

    sha256: str
    size: int
    records: int
    covered: bool


def build_package(facts: AnswerFacts, out: BinaryIO) -> Digest:
    """Write the package to `out` piece by piece; `out` need not be seekable.

    The records are looked at once and held in memory, many of them compressed.
    """
    answer = _Answer(facts)
    counted = Counted(out)
    with ZipFile(counted, "w", ZIP_DEFLATED) as package:
        writer = Entries(package, facts.answered_on)
        writer.write("index.html", _index(answer))
        writer.write("data.json", _data(answer))
        writer.write(SCHEMA.name, [SCHEMA.read_text(encoding="utf-8")])
        for held in answer.categories:
            if held.records:
                writer.write(held.file, table(held.records))
    return Digest(
        sha256=counted.digest.hexdigest(),
        size=counted.size,
        records=answer.count,
        covered=any(held.records.covered for held in answer.categories),
    )


# What is held


@dataclass(frozen=True, slots=True)
class _Category:
    id: str
    name: str
    file: str
    records: Pile
    waiting: list[str]


@dataclass(frozen=True, slots=True)
class _Actual:
    """A recipient by name (Art. 15(1)(c))."""

    name: str
    role: str
    text: str
    fields: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


class _Answer:
    """The facts, sorted and in words. Every method that ends a block gives what data.json holds."""

    def __init__(self, facts: AnswerFacts) -> None:
        self.facts, self.profile, self.language = facts, facts.profile, facts.language
        self.words = wording(PACKAGES, facts.language)
        self.values = PlainValues(full_cards=facts.full_cards)
        self.categories = self._sorted()

    # The records

    def _sorted(self) -> list[_Category]:
        found = {category.id: Pile() for category in self.profile.categories}
        for system, record in self.facts.records:
            pile = found.setdefault(self._category_of(system, record), Pile())
            pile.add(self._held(system, record))
        return [
            _Category(
                id=id_,
                name=self._category_name(id_),
                file=f"csv/{number:02}-{file_name(id_)}.csv",
                records=records,
                waiting=self._waiting(id_),
            )
            for number, (id_, records) in enumerate(found.items(), start=1)
        ]

    def _held(self, system: str, record: Record) -> Held:
        return Held(
            system=system,
            system_name=self.system_name(system),
            kind=record.kind,
            fields=self.values.fields(record.fields),
            masked=record.masked,
            recipients=record.recipients,
            covered=codes_of(record),
        )

    def _category_of(self, system: str, record: Record) -> str:
        known = self._system(system)
        holding = known.holding(record.kind) if known else None
        return holding.category if holding else OTHER

    def _waiting(self, category: str) -> list[str]:
        if self.facts.searched is None:
            return []
        return [
            system.name
            for system in self.profile.systems
            if system.id not in self.facts.searched
            and any(holding.category == category for holding in system.holdings)
        ]

    @property
    def count(self) -> int:
        return sum(len(held.records) for held in self.categories)

    @property
    def held(self) -> list[_Category]:
        return [category for category in self.categories if category.records]

    # The eleven blocks of Art. 15(1) to (3)

    @cached_property
    def information(self) -> dict[str, dict[str, Json]]:
        return {
            "confirmation": self._confirmation(),
            "purposes": self._purposes(),
            "categories": self._kinds(),
            "recipients": self._recipients(),
            "retention": self._retention(),
            "rights": self._rights(),
            "authority": self._authority(),
            "sources": self._sources(),
            "automated": self._automated(),
            "safeguards": self._safeguards(),
            "copy": self._copy(),
        }

    def _confirmation(self) -> dict[str, Json]:
        if self.count:
            text = self.words.say("confirmation.held", count=self.counted(self.count))
            return {"held": True, "text": [text, *self._awaited(), *self._unsearchable()]}
        nothing = self._none("confirmation.nothing")
        return {"held": False, "text": [*nothing, *self._unsearchable()]}

    def _unsearchable(self) -> Iterator[Json]:
        """That somebody may be known in a log by what nobody has told (GK-14)."""
        for system in self.profile.systems:
            if system.id in self.facts.unsearchable:
                asked = [field_name(kind.value, self.language) for kind in system.searched_by]
                yield self.words.say(
                    "confirmation.unsearchable", system=system.name, asked=self.words.listed(asked)
                )

    def _purposes(self) -> dict[str, Json]:
        items: list[Json] = []
        texts: list[Json] = []
        for category in self._known():
            for purpose in map(self.profile.purpose, category.purposes):
                name = self._in_language(purpose.name)
                bases = [basis.value for basis in purpose.bases]
                said = [self.words.say(f"bases.{basis}") for basis in bases]
                items.append({"category": category.id, "purpose": name, "bases": [*bases]})
                texts.append(
                    self.words.say(
                        "purposes.item",
                        category=short(self._category_name(category.id)),
                        purpose=name,
                        bases=", ".join(said) or self.words.say("purposes.unstated"),
                    )
                )
        return {"items": items, "text": texts or [self.words.say("purposes.none")]}

    def _kinds(self) -> dict[str, Json]:
        items: list[Json] = []
        texts: list[Json] = []
        for category in self.categories:
            count = len(category.records)
            key = "held" if count else self._why_nothing(category)
            waiting: list[Json] = [*category.waiting]
            items.append({"category": category.id, "held": count, "waiting_for": waiting})
            texts.append(
                self.words.say(
                    f"categories.{key}",
                    category=category.name,
                    count=self.counted(count),
                    systems=", ".join(category.waiting),
                )
            )
        return {"items": items, "text": texts}

    def _why_nothing(self, category: _Category) -> str:
        if category.waiting:
            return "waiting"
        systems = {
            s.id for s in self.profile.systems for h in s.holdings if h.category == category.id
        }
        return "unsearchable" if systems.intersection(self.facts.unsearchable) else "nothing"

    def _recipients(self) -> dict[str, Json]:
        actual = [*self._recipient_systems(), *self._named_recipients(), *self._authorities()]
        named = {one.name for one in actual}
        told = self._told()
        actual += [_Actual(name, self._role(name), name) for name in told if name not in named]
        possible: list[Json] = [
            recipient.name
            for recipient in self.profile.recipients
            if not recipient.per_record and recipient.name not in {*named, *told}
        ]
        items: list[Json] = [self._as_item(one, told.get(one.name, [])) for one in actual]
        texts: list[Json] = [self._in_words(one, told.get(one.name, [])) for one in actual]
        return {
            "items": items,
            "text": texts or self._none("recipients.none"),
            "possible": possible,
        }

    def _told(self) -> dict[str, list[RecipientNotice]]:
        """What was done in the case and told to others, by their names (Art. 19)."""
        told: dict[str, list[RecipientNotice]] = {}
        for notice in self.facts.told:
            system = self._system(notice.recipient)
            name = system.name if system else self._recipient_name(notice.recipient)
            told.setdefault(notice.name or name, []).append(notice)
        return told

    def _role(self, name: str) -> str:
        systems = (system for system in self.profile.systems if system.name == name)
        known = self._recipient(name) or next(systems, None)
        return known.role.value if known else Role.INDEPENDENT_CONTROLLER.value

    def _as_item(self, one: _Actual, told: Sequence[RecipientNotice]) -> dict[str, Json]:
        known = self._recipient(one.name)
        item: dict[str, Json] = {
            "name": one.name,
            "role": one.role,
            "categories": [*one.categories],
            "fields": [*one.fields],
            "told": [
                {
                    "about": notice.about.value if notice.about else None,
                    "on": notice.on.isoformat() if notice.on else None,
                    "answered": notice.answered.value if notice.answered else None,
                    "answered_on": notice.answered_on.isoformat() if notice.answered_on else None,
                    "reference": notice.proof or None,
                }
                for notice in told
            ],
        }
        if known and known.contact:
            item["contact"] = known.contact
        return item

    def _in_words(self, one: _Actual, told: Sequence[RecipientNotice]) -> str:
        known = self._recipient(one.name)
        said = [text for notice in told for text in what_came_in_a_copy(notice, self.words)]
        if known and known.contact:
            said.insert(0, self.words.say("recipients.reach", contact=known.contact))
        if not said:
            return one.text
        return f"{one.text}{':' if one.text == one.name else '.'} {' '.join(said)}"

    def _recipient_systems(self) -> Iterator[_Actual]:
        for system in self.profile.systems:
            held = [category for category in self.held if self._is_in(system.id, category)]
            categories = [short(category.name) for category in held]
            if categories and system.role is not Role.INTERNAL:
                role = system.role.value
                text = self.words.say(
                    f"recipients.roles.{role}",
                    name=system.name,
                    categories=self.words.listed(categories),
                )
                ids = tuple(category.id for category in held)
                yield _Actual(system.name, role, text, categories=ids)

    def _authorities(self) -> Iterator[_Actual]:
        for one in self.facts.authorities:
            categories = [short(self._category_name(category)) for category in one.categories]
            text = self.words.say(
                "recipients.authority",
                name=one.name,
                categories=self.words.listed(categories),
                day=self.day(one.given_on),
            )
            role = Role.INDEPENDENT_CONTROLLER.value
            yield _Actual(one.name, role, text, categories=one.categories)

    def _named_recipients(self) -> Iterator[_Actual]:
        """Those the records name, by name, and those the caller knows of (C-154/21, MU-18)."""
        named: dict[str, list[_Category]] = {
            self._recipient_name(r): [] for r in self.facts.recipients
        }
        for category in self.held:
            for name in {self._recipient_name(r) for r in category.records.recipients}:
                named.setdefault(name, []).append(category)
        for name in sorted(named):
            known = self._recipient(name)
            role = known.role.value if known else Role.INDEPENDENT_CONTROLLER.value
            text = name
            if named[name]:
                categories = self.words.listed([short(one.name) for one in named[name]])
                text = self.words.say("recipients.named", name=name, categories=categories)
            fields = self._passed_on(known)
            if fields:
                labels = [field_name(one, self.language).lower() for one in fields]
                text = self.words.say(
                    "recipients.passed_on", who=text, fields=self.words.listed(labels)
                )
            yield _Actual(name, role, text, fields, tuple(one.id for one in named[name]))

    def _passed_on(self, known: Recipient | None) -> tuple[str, ...]:
        """What goes to them, where the policy says it; of organisers it speaks as a group."""
        group = next((r for r in self.profile.recipients if r.sector is Sector.ORGANISER), None)
        told = known or group
        return told.fields if told else ()

    def _retention(self) -> dict[str, Json]:
        items: list[Json] = []
        texts: list[Json] = []
        for category in self._known():
            stated = self._in_language(category.retention_text)
            period = stated or self._period(category.retention)
            items.append(
                {
                    "category": category.id,
                    "months": category.retention.period.months
                    if category.retention.period
                    else None,
                    "text": period,
                }
            )
            name = short(self._category_name(category.id))
            texts.append(self.words.say("retention.item", category=name, period=period))
        return {"items": items, "text": texts or [self.words.say("retention.none")]}

    def _period(self, retention: Retention) -> str:
        if not retention.stated:
            return self.words.say("retention.unstated")
        if retention.period is None:
            return self.words.say("retention.needed")
        years, rest = divmod(retention.period.months, 12)
        length = (
            self.words.counted("retention.months", retention.period.months)
            if rest
            else self.words.counted("retention.years", years)
        )
        anchors = [self.words.find(f"anchors.{anchor}") for anchor in retention.anchors]
        said = [anchor for anchor in anchors if anchor]
        if not said:
            return self.words.say("retention.whole", length=length)
        return self.words.say("retention.after", length=length, anchors=", ".join(said))

    def _rights(self) -> dict[str, Json]:
        letters = wording(LETTERS, self.language)
        rights = [right for right in Right if right.is_statutory]
        items: list[Json] = [{"right": right.value, "article": right.article} for right in rights]
        return {
            "items": items,
            "text": [
                self.words.say("rights.intro"),
                *(letters.say(f"rights.{right.value}") for right in rights),
            ],
        }

    def _authority(self) -> dict[str, Json]:
        known = authority(self.profile.country)
        return {
            "name": self._in_language(known.name),
            "address": [*known.address],
            "text": [self._in_language(known.complaint), self._in_language(known.remedy)],
        }

    def _sources(self) -> dict[str, Json]:
        items: list[Json] = []
        texts: list[Json] = []
        for category in self._known():
            source = self._in_language(category.source) or self.words.say("sources.unstated")
            name = short(self._category_name(category.id))
            items.append({"category": category.id, "source": source})
            texts.append(self.words.say("sources.item", category=name, source=source))
        return {"items": items, "text": texts or [self.words.say("sources.none")]}

    def _automated(self) -> dict[str, Json]:
        profiling = self._in_language(self.profile.profiling)
        text = (
            self.words.say("automated.profiling", words=profiling)
            if profiling
            else self.words.say("automated.none")
        )
        return {"profiling": profiling or None, "text": [text]}

    def _safeguards(self) -> dict[str, Json]:
        items: list[Json] = []
        texts: list[Json] = []
        for system in self.profile.systems:
            if system.transfer and any(self._is_in(system.id, category) for category in self.held):
                facts = {
                    "name": system.name,
                    "country": system.transfer.country,
                    "safeguard": system.transfer.safeguard,
                }
                items.append({**facts})
                texts.append(self.words.say("safeguards.item", **facts))
        return {"items": items, "text": texts or self._none("safeguards.none")}

    def _copy(self) -> dict[str, Json]:
        files: list[Json] = ["index.html", "data.json", SCHEMA.name]
        files += [category.file for category in self.held]
        texts: list[Json] = [self.words.say("copy.intro"), self.words.say("copy.files")]
        if self.values.has_cards:
            texts.append(self.words.say("copy.card_note"))
        texts.append(self.words.say("copy.statistics"))
        return {"files": files, "text": texts}

    def _none(self, key: str) -> list[Json]:
        """That there is nothing, unless a system that has not answered may still tell of it."""
        return self._awaited() or [self.words.say(key)]

    def _awaited(self) -> list[Json]:
        systems = dict.fromkeys(name for category in self.categories for name in category.waiting)
        if not systems:
            return []
        return [self.words.say("copy.waiting", systems=self.words.listed(list(systems)))]

    # Names

    def counted(self, count: int) -> str:
        return self.words.counted("confirmation.records", count)

    def day(self, day: date) -> str:
        return written_date(day, self.language)

    def system_name(self, id_: str) -> str:
        if id_ == OWN_SYSTEM:
            return self.words.say("own_system")
        known = self._system(id_)
        return known.name if known else id_

    def _known(self) -> list[Category]:
        """The profile's categories of which something is held; the others have no purpose here."""
        held = {category.id for category in self.held}
        return [category for category in self.profile.categories if category.id in held]

    def _category_name(self, id_: str) -> str:
        known = next((c for c in self.profile.categories if c.id == id_), None)
        return self._in_language(known.name) if known else self.words.say("other_category")

    def _recipient_name(self, recipient: str) -> str:
        known = self._recipient(recipient)
        return known.name if known else recipient

    def _recipient(self, recipient: str) -> Recipient | None:
        return next((r for r in self.profile.recipients if recipient in {r.id, r.name}), None)

    def _system(self, id_: str) -> System | None:
        return next((s for s in self.profile.systems if s.id == id_), None)

    def _is_in(self, system: str, category: _Category) -> bool:
        return system in category.records.systems

    def _in_language(self, text: Mapping[Language, str]) -> str:
        return in_language(text, self.language, self.profile)


# data.json


def _data(answer: _Answer) -> Iterator[str]:
    facts, controller = answer.facts, answer.profile.controller
    head = {
        "$schema": SCHEMA.name,
        "format": FORMAT,
        "case_reference": facts.case_reference,
        "language": facts.language.value,
        "received_on": facts.received_on.isoformat(),
        "answered_on": facts.answered_on.isoformat(),
        "controller": {
            "name": controller.name,
            "trade_name": controller.trade_name,
            "organisation_number": controller.organisation_number,
            "postal_address": controller.postal_address,
            "officer_contact": answer.profile.officer_contact,
            "contact": [
                {"kind": channel.kind.value, "address": channel.address}
                for channel in answer.profile.channels
            ],
        },
        "information": answer.information,
    }
    # The records follow one by one, so that the text never stands in memory as a whole.
    yield json.dumps(head, ensure_ascii=False, indent=1).removesuffix("\n}") + ',\n "categories": ['
    for number, category in enumerate(answer.categories):
        named = {"id": category.id, "name": category.name, "waiting_for": category.waiting}
        yield (",\n  " if number else "\n  ") + _compact(named).removesuffix("}")
        yield ', "records": ['
        for place, record in enumerate(category.records):
            yield (",\n   " if place else "\n   ") + _compact(_as_json(record))
        yield "]}"
    yield "\n ]\n}\n"


def _as_json(record: Held) -> dict[str, object]:
    return {
        "system": record.system,
        "system_name": record.system_name,
        "kind": record.kind,
        "fields": record.fields,
        "masked": list(record.masked),
        "recipients": list(record.recipients),
        "covered": [
            {"field": path, "reasons": reasons, "article": "Art. 15(4)"}
            for path, reasons in record.covered.items()
        ],
    }


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


# index.html


@dataclass(frozen=True, slots=True)
class _Node:
    """A field as it is read: words, or more fields."""

    label: str
    text: str = ""
    parts: tuple[_Node, ...] = ()
    covered: bool = False
    because: tuple[str, ...] = ()


def _index(answer: _Answer) -> Iterator[str]:
    yield from (
        template("answer.html").generate(
            answer=answer,
            facts=answer.facts,
            words=answer.words,
            nodes=lambda record: _nodes(record, answer.profile, answer.words),
            closing=_closing(answer.profile),
        )
    )


def _closing(profile: Profile) -> list[str]:
    controller = profile.controller
    channels = [channel.address for channel in profile.channels]
    lines = [controller.name, controller.trade_name, controller.postal_address, *channels]
    return list(dict.fromkeys(line for line in lines if line))


def _nodes(record: Held, profile: Profile, words: Wording) -> list[_Node]:
    reader = _FieldReader(profile, words, frozenset(record.masked), record.covered)
    nodes = [reader.node(name, value, name) for name, value in record.fields.items()]
    top = {name.partition(".")[0] for name in record.masked} - record.fields.keys()
    left_out = [reader.node(name, None, name) for name in sorted(top)]
    return [*nodes, *left_out]


@dataclass(frozen=True, slots=True)
class _FieldReader:
    """Fields by their path, as connectors name what they masked: positions.0.attendee_name."""

    profile: Profile
    words: Wording
    masked: frozenset[str]
    reasons: Mapping[str, Sequence[str]]

    def node(self, name: str, value: Json, path: str) -> _Node:
        covered = path in self.masked
        because = tuple(
            self.words.say(f"covered_because.{reason}") for reason in self.reasons.get(path, ())
        )
        label = printable(field_name(name, self.words.language))
        match value:
            case dict() if value:
                parts = tuple(self.node(key, v, f"{path}.{key}") for key, v in value.items())
                return _Node(label, parts=parts, covered=covered)
            case list() if any(isinstance(item, dict | list) for item in value):
                parts = tuple(
                    self.node(str(number), item, f"{path}.{number - 1}")
                    for number, item in enumerate(value, start=1)
                )
                return _Node(label, parts=parts, covered=covered)
            case list():
                text = ", ".join(self._text(item) for item in value)
            case _:
                text = self._text(value)
        if not text:
            text = self.words.say("copy.covered" if covered else "copy.empty")
        return _Node(label, text, covered=covered, because=because)

    def _text(self, value: Json) -> str:
        match value:
            case None | dict():
                return ""
            case bool():
                return self.words.say("yes" if value else "no")
            case str():
                return self._moment(value) or printable(value)
            case _:
                return str(value)

    def _moment(self, text: str) -> str | None:
        if not _DAY.match(text):
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return None
        if moment.tzinfo is not None:
            moment = moment.astimezone(ZoneInfo(self.profile.country.zone))
        # Weekdays help with dates to come; these are past.
        _, _, day = written_date(moment.date(), self.words.language).partition(" ")
        if len(text) == len("2026-11-02"):
            return day
        hour, minute = f"{moment.hour:02}", f"{moment.minute:02}"
        return self.words.say("time", day=day, hour=hour, minute=minute)


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}|$)", re.ASCII)
