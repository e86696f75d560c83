"""A description can be written from its README: the example is one, and no key is left out."""

from __future__ import annotations

import re
from importlib.resources import files

from pydantic import BaseModel

from adapters.outbound.connectors.http_api import description as d

README = (files(d.__package__) / "README.md").read_text(encoding="utf-8")
PARTS: dict[str, tuple[type[BaseModel], type[BaseModel] | None]] = {
    "file": (d.Description, None),
    "server": (d.Server, None),
    "too_many": (d.TooMany, d.Condition),
    "condition": (d.Condition, None),
    "auth none": (d.NoAuth, None),
    "auth basic": (d.Basic, None),
    "auth bearer": (d.Bearer, None),
    "auth header": (d.Header, None),
    "auth query": (d.Query, None),
    "auth client-credentials": (d.ClientCredentials, None),
    "call": (d.Call, None),
    "find": (d.Step, d.Call),
    "list": (d.Listing, d.Call),
    "paging": (d.Paging, None),
    "record": (d.Shape, None),
    "field": (d.Shown, None),
    "payer": (d.Payer, None),
    "look": (d.LookFirst, d.Call),
    "treatment": (d.Treatment, None),
    "deed": (d.Deed, d.Call),
    "meaning": (d.Meaning, None),
    "residual": (d.Left, None),
    "job": (d.Job, None),
    "rectify": (d.Rectification, None),
    "restrict": (d.Restriction, None),
}
"""The parts of the table, with what the program reads: a model, and what it takes from another."""


def test_the_example_is_read_as_the_program_reads_it() -> None:
    (example,) = re.findall(r"```toml\n(.+?)```", README, flags=re.DOTALL)

    read = d.read_description(example, "README.md")

    assert set(read.erase) == {"customer", "order"}
    assert read.find[0].paging is not None


def test_the_table_has_every_key_and_no_other() -> None:
    told = set(re.findall(r"^\| ([a-z_ -]+) \| `([a-z_]+)` \|", README, flags=re.MULTILINE))
    taken = {
        (part, key)
        for part, (model, shared) in PARTS.items()
        for key in keys(model) - (keys(shared) if shared else set())
    }

    assert told == taken


def test_the_table_has_every_part() -> None:
    models = {m for m in vars(d).values() if isinstance(m, type) and issubclass(m, d.Part)}

    assert models - {model for model, _ in PARTS.values()} == {d.Part, d.Rule, d.Rows}


def keys(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}
