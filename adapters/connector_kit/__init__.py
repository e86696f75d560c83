"""The contract tests of connectors, for those in this repository and for anybody's own.

`pytest --trettio-connector pkg.module` runs them on every `World` of that module. They come with
the package and need pytest and hypothesis: `pip install "trettio[kit]"`.
"""

from __future__ import annotations

from adapters.connector_kit.world import Somebody, World

__all__ = ["Somebody", "World"]
