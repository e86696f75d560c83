"""Property tests without a clock: what a rule says does not depend on how busy the machine is."""

from __future__ import annotations

from hypothesis import HealthCheck, settings


def unhurried() -> None:
    """Slow examples are no failures; how fast things are is measured in `tests/benchmarks`."""
    settings.register_profile(
        "unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("unhurried")
