"""What an excerpt shows of lines that hold a credential."""

from __future__ import annotations

import pytest

from auditor.excerpts import mask

WORD = "Tricky" + "-Horse"


@pytest.mark.parametrize(
    "line",
    [
        f'connect(user="app", password="{WORD}", host="db.example.com")',
        f"connect(user='', password='{WORD}')",
        f"createPool({{ user: 'me', password: '{WORD}' }})",
        f'AES.new("abc", "{WORD}")',
    ],
)
def test_a_short_or_empty_literal_before_a_password_does_not_uncover_it(line: str) -> None:
    assert WORD not in mask(line, strict=True)


def test_short_literals_stay_readable() -> None:
    assert mask('connect(user="app", port="80")', strict=True) == 'connect(user="app", port="80")'
