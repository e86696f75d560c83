"""The API against its own description: generated requests meet no fault and nothing undocumented.

`TRETTIO_SCHEMATHESIS_CASES=10000` runs so many instead of the gate's share; `TRETTIO_SEED` chooses
which.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from adapters.outbound.tokens import Scope
from domain.vocabulary import IdentifierKind, Right
from services.ports import Identifier
from tests.support.asking import (
    Clock,
    approved,
    collected,
    confirmed,
    received,
    trouble,
    verified,
)
from tests.support.house import KARI, NORWAY, House, open_house

CASES = int(os.environ.get("TRETTIO_SCHEMATHESIS_CASES", "250"))
SEED = int(os.environ.get("TRETTIO_SEED", "30"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    allow_header_conformance,
]


@schemathesis.serializer("message/rfc822")
def as_message(_context: object, value: object) -> bytes:
    """A raw message goes as it is, with a head in front so that some are readable."""
    body = value if isinstance(value, bytes) else str(value).encode()
    return b"From: k@person.example\r\nSubject: Innsyn\r\n\r\n" + body


MOSTLY = st.sampled_from([True] * 7 + [False])


@dataclass
class Known:
    """What is really there, so that generated requests get beyond "there is no such thing"."""

    cases: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    records: list[str] = field(default_factory=list)
    letters: list[str] = field(default_factory=list)

    def of(self, name: str) -> list[str]:
        return {
            "case_id": self.cases,
            "request_id": self.requests,
            "record_id": self.records,
            "letter_id": self.letters,
            "system": ["shop", "mailing", "web", "recipient:organisers"],
            "name": [NORWAY],
            "controller": [NORWAY],
        }.get(name, [])

    def fill(self, given: Any, draw: st.DrawFn) -> None:
        """Put what is really there in the place of most of what was made up."""
        if isinstance(given, dict):
            for name, value in given.items():
                if isinstance(value, str) and self.of(name) and draw(MOSTLY):
                    given[name] = draw(st.sampled_from(self.of(name)))
                else:
                    self.fill(value, draw)
        elif isinstance(given, list):
            for one in given:
                self.fill(one, draw)


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    with open_house(database_url, tmp_path, clock=Clock()) as opened:
        yield opened


def furnished(house: House, number: int) -> Known:
    """Cases in many stages."""
    trouble(house, "mailing").hold(KARI, "member", "m1")
    another = (Identifier(IdentifierKind.EMAIL, "berit@person.example"),)
    made = [
        received(house, f"Hei, jeg ber om innsyn {number}."),
        received(house, f"Slett alt om meg {number}."),
        confirmed(house, Right.ACCESS, Right.ERASURE, text=f"{number} 1", identifiers=another),
        confirmed(house, Right.OBJECTION_TO_MARKETING, text=f"{number} 2"),
        verified(house, Right.ACCESS, text=f"{number} 3"),
        collected(house, Right.ERASURE, text=f"{number} 4"),
        collected(house, Right.ACCESS, text=f"{number} 5"),
        approved(house, Right.ACCESS, text=f"{number} 6"),
        approved(house, Right.ERASURE, text=f"{number} 7"),
    ]
    house.work()
    known = Known()
    for case_id in made:
        case = house.case(case_id)
        known.cases.append(str(case_id))
        known.letters += map(str, case.letters)
        for request in house.installation.register.requests_of(case):
            known.requests.append(str(request.id))
            known.records += map(str, request.found)
    return known


def test_nothing_that_is_sent_meets_a_fault_or_an_undocumented_answer(house: House) -> None:
    token = house.installation.tokens.create(
        name="schemathesis",
        staff_id="ola",
        scopes=frozenset(Scope),
        controllers=frozenset({NORWAY}),
    )
    schema = schemathesis.openapi.from_asgi("/v1/openapi.json", house.client.app)
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    answers: Counter[tuple[str, int]] = Counter()
    rounds = min(10, 1 + CASES // 1_000)
    each = math.ceil(CASES / len(operations) / rounds)

    for number in range(rounds):
        known = furnished(house, number)
        for operation in operations:
            send = sending(operation, known, token, answers, each)
            seed(f"{SEED}/{number}/{operation.label}")(send)()

    print(f"{sum(answers.values())} requests: {dict(sorted(Counter(answers).items()))}")
    assert {label for label, _ in answers} == {one.label for one in operations}
    assert sum(answers.values()) >= CASES


def sending(
    operation: Any, known: Known, token: str, answers: Counter[tuple[str, int]], count: int
) -> Callable[[], None]:
    """Sends so many generated requests to one operation and looks at every answer."""
    fitting, not_fitting = (
        operation.as_strategy(mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    )

    @st.composite
    def requests(draw: st.DrawFn) -> schemathesis.Case[Any]:
        case: schemathesis.Case[Any] = draw(st.one_of(fitting, fitting, not_fitting))
        for given_to in (case.path_parameters, case.query, case.body):
            known.fill(given_to, draw)
        return case

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=requests())
    def send(case: schemathesis.Case[Any]) -> None:
        answer = case.call(headers={"Authorization": f"Bearer {token}", "X-Purpose": "handle"})
        answers[operation.label, int(answer.status_code)] += 1
        case.validate_response(answer, checks=CHECKS)

    return send
