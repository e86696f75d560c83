"""`trettio case`: every right from its message to its end, and what a terminal must not show."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner, Result

from adapters.inbound.cli import case_seat
from adapters.inbound.cli.case import cases
from domain.vocabulary import Door, Right
from tests.support.asking import Clock
from tests.support.house import House, open_house
from tests.support.walks import BECAUSE, TOLD, carry


@dataclass
class Terminal:
    """Somebody at the terminal; what they are told comes back as JSON."""

    house: House
    home: Path

    def run(self, *words: str, said: str = "", purpose: bool = True) -> Result:
        options = ["--as", "ola", "--json", *(["--purpose", "handle"] if purpose else [])]
        return CliRunner().invoke(cases, [*options, *words], input=said)

    def __call__(self, *words: str, said: str = "") -> Any:
        result = self.run(*words, said=said)
        assert result.exit_code == 0, (words, result.output)
        return json.loads(result.stdout.strip().splitlines()[-1])

    def confirm(self, case_id: UUID, right: Right, address: str) -> None:
        given = json.dumps([{"kind": "email", "value": address}])
        words = ["confirm", str(case_id), right.value, "--language", "nb"]
        self(*words, "--identifiers-from", "-", said=given)

    def prove(self, case_id: UUID) -> None:
        self("ask-identity", str(case_id), "--reason", "unknown-sender")
        self.house.work()
        self("try-code", str(case_id), "--code", self.house.newest_code())

    def systems(self, case_id: UUID, right: Right) -> list[Any]:
        return list(self("systems", str(case_id), right.value))

    def nothing_found(self, case_id: UUID, right: Right, system: str) -> None:
        self("found", str(case_id), right.value, system, "--nothing", "searched-nothing-held")

    def records(self, case_id: UUID, right: Right) -> list[Any]:
        return list(self("records", str(case_id), right.value))

    def cover(self, case_id: UUID, right: Right, record_id: str, text: str) -> None:
        words = ["cover", str(case_id), right.value, record_id, "--field", "note"]
        self(*words, "--reason", BECAUSE, "--text-from", "-", said=text)

    def wish(self, case_id: UUID, category: str) -> None:
        self("wish", str(case_id), "--category", category, "--ground", "b")

    def approve(self, case_id: UUID, right: Right) -> None:
        self("approve", str(case_id), right.value, "--considered")

    def claim(self, case_id: UUID, record_id: str, field: str, value: str) -> None:
        words = ["claim", str(case_id), "--field", field, "--ground", "wrong", "--wish", "rectify"]
        made = self(*words, "--record", record_id, "--value-from", "-", said=value)
        self("decide-claim", str(case_id), made["claim_id"], "--accept")
        self("approve-claims", str(case_id))

    def restrict(self, case_id: UUID) -> None:
        self("restrict", str(case_id), "--ground", "c")

    def restricted(self, case_id: UUID, system: str) -> None:
        self("restricted", str(case_id), Right.RESTRICTION.value, system)

    def purposes(self, case_id: UUID) -> list[str]:
        request_id = self.house.case(case_id).request_id(Right.OBJECTION)
        found = self.house.installation.register.find_balancing(request_id)
        assert found is not None
        return list(found.purposes)

    def stop(self, case_id: UUID, purposes: list[str]) -> None:
        self("weigh", str(case_id), *(word for one in purposes for word in ("--stop", one)))

    def inform(self, case_id: UUID, right: Right, words: str) -> None:
        looked = ["--unchanged"] if right is Right.HUMAN_REVIEW else []
        self("inform", str(case_id), right.value, "--words-from", "-", *looked, said=words)

    def status(self, case_id: UUID, right: Right) -> str:
        shown = self("show", str(case_id))
        return next(str(r["status"]) for r in shown["requests"] if r["right"] == right.value)


@pytest.fixture(scope="module")
def terminal(
    module_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Terminal]:
    home = tmp_path_factory.mktemp("terminal")
    patch = pytest.MonkeyPatch()
    with open_house(module_database_url, home, clock=Clock()) as house:

        @contextmanager
        def ready(_: object) -> Iterator[object]:
            yield house.installation

        patch.setattr(case_seat, "ready", ready)
        patch.setenv("TRETTIO_HOME", str(home))
        yield Terminal(house, home)
    patch.undo()


@pytest.mark.parametrize("right", Right, ids=lambda right: right.value)
def test_every_right_is_carried_to_its_end(terminal: Terminal, right: Right) -> None:
    case_id = carry(terminal, right)

    assert terminal.status(case_id, right) == "closed"


def test_personal_data_is_shown_only_to_who_says_what_for(terminal: Terminal) -> None:
    """MU-22: without a purpose there is a case, and nobody in it."""
    case_id = terminal.house.receive("Hva har dere om meg?")

    hidden = terminal.run("show", str(case_id), purpose=False)
    refused = terminal.run("recipients", str(case_id), purpose=False)
    shown = terminal.run("show", str(case_id))

    assert hidden.exit_code == 0
    assert "Hva har dere" not in hidden.output
    assert refused.exit_code == 2
    assert "--purpose" in refused.stderr
    assert "Hva har dere" in shown.output


def test_what_a_rule_says_no_to_ends_in_one_line(terminal: Terminal) -> None:
    case_id = terminal.house.receive("Innsyn, takk.")

    unknown = terminal.run("show", "0000-0000")
    too_early = terminal.run("approve", str(case_id), "access")

    assert unknown.exit_code == too_early.exit_code == 1
    assert unknown.stderr.count("\n") == too_early.stderr.count("\n") == 1


def test_a_case_is_found_by_the_reference_that_people_say(terminal: Terminal) -> None:
    case_id = terminal.house.receive("Jeg ber om innsyn i alt.")
    terminal.house.work()

    reference = terminal.house.case(case_id).reference

    assert terminal("show", reference.lower())["case_id"] == str(case_id)
    assert reference in {row["case"] for row in terminal("list")}


def test_a_case_is_set_aside_taken_back_given_to_somebody_and_asked_for_another(
    terminal: Terminal,
) -> None:
    case_id = terminal.house.receive("Min datter vil ha innsyn.")
    terminal("set-aside", str(case_id), "customer-service")
    assert terminal("show", str(case_id))["status"] == "set-aside"
    terminal("undo", str(case_id), "--reason", "was-a-request")
    unknown = terminal.run("systems", str(case_id))
    assert "asks for nothing yet: confirm it first" in unknown.output
    terminal.confirm(case_id, Right.ACCESS, "mor@person.example")
    terminal.house.work()
    assert terminal("systems", str(case_id)) == terminal.systems(case_id, Right.ACCESS)

    terminal("assign", str(case_id), "access", "ola")
    asked = json.dumps([{"kind": "name", "value": "Nora Testesen"}])
    terminal("asks-for", str(case_id), "parent", "--identifiers-from", "-", said=asked)
    terminal("protect", str(case_id), "--reason", "said-so")

    house = terminal.house
    assert house.case(case_id).protected
    request = house.installation.register.request(house.case(case_id).request_id(Right.ACCESS))
    assert request.assigned_to == "ola"
    assert request.authority_awaited
    assert terminal("holds", str(case_id)) == []


def test_what_people_wrote_does_not_command_the_terminal(terminal: Terminal) -> None:
    case_id = terminal.house.receive("Hei \x1b[2J\x07 farlig")
    options = ["--as", "ola", "--purpose", "handle", "show", str(case_id)]

    shown = CliRunner().invoke(cases, options).output

    assert "farlig" in shown
    assert "\x1b" not in shown.split("written")[-1]
    assert TOLD not in shown


def test_a_letter_is_looked_at_delivered_and_filled_from_the_terminal(
    terminal: Terminal, tmp_path: Path
) -> None:
    """A preview changes nothing; whoever meets the person says how they showed who they are."""
    case_id = terminal.house.receive("Hvordan sikrer dere opplysningene mine?")
    right = Right.INFORMATION_SECURITY
    terminal.confirm(case_id, right, "kari.testesen@person.example")
    paper = tmp_path / "paper.pdf"
    before = terminal.house.events()

    looked = terminal(
        *("preview", str(case_id), "clarification", "--right", right.value),
        *("--given-from", "-", "--pdf", str(paper)),
        said=json.dumps({"question": "Gjelder det kjøpene?", "asked_on": "2026-11-22"}),
    )

    assert "Gjelder det kjøpene?" in looked["text"]
    assert paper.read_bytes().startswith(b"%PDF")
    # Nothing but the look itself, and the record that it begins.
    assert terminal.house.events() == before + 2
    (look,) = terminal.house.installation.looking.at_case(case_id)
    assert look.way is Door.CLI
    wrong = terminal.run("preview", str(case_id), "clarification", "--given-from", "-", said="[]")
    assert wrong.exit_code == 2

    document = tmp_path / "tiltak.txt"
    document.write_text("Kryptert lagring.")
    terminal("attach", str(case_id), right.value, str(document))
    request_id = terminal.house.case(case_id).request_id(right)
    found = terminal.house.installation.register.find_information(request_id)
    assert found is not None
    assert len(found.documents) == 1

    terminal.house.work()
    letter = next(iter(terminal.house.case(case_id).letters))
    words = ["delivered", str(case_id), str(letter), "--way", "read-aloud", "--on", "2026-11-20"]
    assert "showed who they are" in terminal.run(*words).output
    terminal(*words, "--seen-from", "-", said="Viste førerkort i skranken")
    assert letter in terminal.house.case(case_id).left


def test_a_request_is_linked_to_its_double_and_referred_from_the_terminal(
    terminal: Terminal,
) -> None:
    right = Right.ACCESS
    first, second = (terminal.house.receive(text) for text in ("Innsyn, takk", "Innsyn igjen"))
    for case_id in (first, second):
        terminal.confirm(case_id, right, "kari.testesen@person.example")

    terminal("duplicate", str(second), right.value, "--of", str(first))
    terminal("refer", str(first), right.value, "--name", "Lykt AS", "--contact", "x@y.example")
    terminal.house.work()

    linked = terminal.house.case(first).request_id(right)
    double = terminal.house.case(second).request_id(right)
    assert linked in terminal.house.installation.register.request(double).linked
    assert terminal.status(first, right) == "closed"
