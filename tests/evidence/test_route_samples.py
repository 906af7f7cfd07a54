"""Evidence ROUTES over whole small applications: every entry is found, with its full path and what runs before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence import route_samples_python, route_samples_script
from tests.evidence.test_routes import routes_of

SAMPLES = {**route_samples_python.SAMPLES, **route_samples_script.SAMPLES}


@pytest.mark.parametrize("name", SAMPLES)
def test_every_entry_of_the_sample_is_found(name: str, tmp_path: Path) -> None:
    texts, expected = SAMPLES[name]
    found = routes_of(tmp_path, texts)
    shown = [f"{route.method} {route.path}" + (f" < {', '.join(route.through)}" if route.through else "") for route in found.routes]
    assert sorted(shown) == expected
