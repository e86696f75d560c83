"""Systems that need no code: a file says how to ask them and what their answers mean.

`connector = "http"` reads the operator's own file; each file in `systems/` is a connector of its
own name. README.md beside the connectors tells how to write one.
"""

from __future__ import annotations

from functools import partial

from adapters.outbound.connectors import Configuration, connector
from adapters.outbound.connectors.http_api.api import HttpApi, api_of
from adapters.outbound.connectors.http_api.description import shipped, shipped_as


@connector("http")
def described(configuration: Configuration) -> HttpApi:
    """The system that the file named in `description` describes."""
    return api_of(configuration)


def _shipped(name: str, configuration: Configuration) -> HttpApi:
    return api_of(configuration, shipped_as(name))


for _name in shipped():
    connector(_name)(partial(_shipped, _name))
