"""The invented people who work at the invented organisations, and what for."""

from __future__ import annotations

from adapters.demo.world import NORWEGIAN, SWEDISH
from domain.vocabulary import Language
from services.ports import Member

DECIDER, OFFICER = "dagny", "vigdis"
HANDLERS = {NORWEGIAN: ("astrid", "terje", "maja"), SWEDISH: ("elin", "sixten")}
"""Who carries requests through, by controller; the first of each takes the most."""

COLLEAGUES = (
    Member("astrid", "Astrid Sakførli", language=Language.NB, deputy="terje"),
    Member("terje", "Terje Tidsfrist", language=Language.NN, deputy="astrid"),
    Member("maja", "Maja Mappedal", language=Language.NB, controllers=frozenset({NORWEGIAN})),
    Member("elin", "Elin Ärendeström", language=Language.SV, controllers=frozenset({SWEDISH})),
    Member("sixten", "Sixten Svarsson", language=Language.SV, controllers=frozenset({SWEDISH})),
    Member(DECIDER, "Dagny Avgjørd", language=Language.NB),
    Member(OFFICER, "Vigdis Ombudsen", language=Language.NB, is_officer=True),
)
