"""What a person takes along: a ZIP of JSON and CSV with its published schema (Art. 20).

Nothing to look at is in it on purpose: this is for the machines of another service.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile

from domain.policy import Category, Profile
from domain.portability import PORTABLE_BASES, DirectTransfer, left_out, portable_purposes
from domain.vocabulary import Language
from services.pile import Held, Pile
from services.plain_json import PlainValues
from services.ports import Record
from services.redacting import codes_of
from services.tables import file_name, table
from services.wording import PACKAGES, in_language, wording
from services.zip_file import Entries

SCHEMA = Path(__file__).with_name("schemas") / "portability-v1.json"
FORMAT = "trettio/portability/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PortableFacts:
    """What the file is made from. `records` are (system id, record) of the person."""

    profile: Profile
    language: Language
    case_reference: str
    received_on: date
    made_on: date
    records: Iterable[tuple[str, Record]]
    transfer: DirectTransfer | None = None


def build_portable(facts: PortableFacts, out: BinaryIO) -> None:
    """Write the file: what may be taken along, and which categories may not."""
    found = _Found(facts)
    with ZipFile(out, "w", ZIP_DEFLATED) as package:
        entries = Entries(package, facts.made_on)
        entries.write("data.json", _data(facts, found))
        entries.write(SCHEMA.name, [SCHEMA.read_text(encoding="utf-8")])
        for file, _, pile in found.portable:
            entries.write(file, table(pile))


class _Found:
    """The records by category, those that may be taken along and those that may not."""

    def __init__(self, facts: PortableFacts) -> None:
        values, profile = PlainValues(), facts.profile
        piles: dict[str, Pile] = {}
        for system, record in facts.records:
            known = next((one for one in profile.systems if one.id == system), None)
            holding = known.holding(record.kind) if known else None
            if known is None or holding is None:
                continue
            piles.setdefault(holding.category, Pile()).add(
                Held(
                    system=known.id,
                    system_name=known.name,
                    kind=record.kind,
                    fields=values.fields(record.fields),
                    masked=record.masked,
                    recipients=(),
                    covered=codes_of(record),
                )
            )
        held = [category for category in profile.categories if category.id in piles]
        self.portable: list[tuple[str, Category, Pile]] = [
            (f"csv/{number:02}-{file_name(category.id)}.csv", category, piles[category.id])
            for number, category in enumerate(
                (one for one in held if left_out(profile, one) is None), start=1
            )
        ]
        self.left_out = [
            (category, why) for category in held if (why := left_out(profile, category))
        ]


def _data(facts: PortableFacts, found: _Found) -> Iterator[str]:
    profile, transfer = facts.profile, facts.transfer
    head = {
        "$schema": SCHEMA.name,
        "format": FORMAT,
        "case_reference": facts.case_reference,
        "language": facts.language.value,
        "received_on": facts.received_on.isoformat(),
        "made_on": facts.made_on.isoformat(),
        "controller": {
            "name": profile.controller.name,
            "organisation_number": profile.controller.organisation_number,
            "contact": [channel.address for channel in profile.channels],
        },
        "direct_transfer": {
            "asked": transfer is not None,
            "feasible": transfer.feasible if transfer else None,
        },
        "left_out": [
            {"id": category.id, "name": _name(facts, category), "reason": why.value}
            for category, why in found.left_out
        ],
    }
    # The records follow one by one, so that the text never stands in memory as a whole.
    words = wording(PACKAGES, facts.language)
    yield json.dumps(head, ensure_ascii=False, indent=1).removesuffix("\n}") + ',\n "categories": ['
    for number, (file, category, pile) in enumerate(found.portable):
        yield ",\n  " if number else "\n  "
        yield _compact(_described(facts, category, file)).removesuffix("}") + ', "records": ['
        for place, record in enumerate(pile):
            yield (",\n   " if place else "\n   ") + _compact(
                {
                    "source": record.system_name,
                    "kind": record.kind,
                    "fields": record.fields,
                    "covered": list(record.masked),
                    "covered_because": [
                        {
                            "field": path,
                            "reasons": reasons,
                            "text": " ".join(words.say(f"covered_because.{r}") for r in reasons),
                        }
                        for path, reasons in record.covered.items()
                    ],
                }
            )
        yield "]}"
    yield "\n ]\n}\n"


def _described(facts: PortableFacts, category: Category, file: str) -> dict[str, object]:
    return {
        "id": category.id,
        "name": _name(facts, category),
        "purposes": [
            {
                "name": in_language(purpose.name, facts.language, facts.profile),
                "bases": [basis.value for basis in purpose.bases if basis in PORTABLE_BASES],
            }
            for purpose in portable_purposes(facts.profile, category)
        ],
        "file": file,
    }


def _name(facts: PortableFacts, category: Category) -> str:
    return in_language(category.name, facts.language, facts.profile)


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
