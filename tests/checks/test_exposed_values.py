"""What showing a value gives away, by its name and by what is done to it first."""

from __future__ import annotations

import pytest

from auditor.checks.exposed_values import Exposure, exposure, shown
from auditor.languages.python import read_python


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("password", Exposure.CREDENTIAL),
        ("user.newPassword", Exposure.CREDENTIAL),
        ("session.access_token", Exposure.CREDENTIAL),
        ("process.env.STRIPE_SECRET_KEY", Exposure.CREDENTIAL),
        ("req.headers.authorization", Exposure.CREDENTIAL),
        ("resetLink", Exposure.CREDENTIAL),
        ("cardNumber", Exposure.CREDENTIAL),
        ("request.headers", Exposure.WHOLE),
        ("req.body", Exposure.WHOLE),
        ("os.environ", Exposure.WHOLE),
        ("customer.email", Exposure.PERSONAL),
        ("phoneNumber", Exposure.PERSONAL),
        ("hasPassword", None),
        ("password_length", None),
        ("passwordField", None),
        ("prompt_tokens", None),
        ("token_count", None),
        ("csrfToken", None),
        ("deviceToken", None),
        ("next_page_token", None),
        ("shareToken", None),
        ("primary_key", None),
        ("reset_password", None),
        ("emailCount", None),
        ("email.id", None),
    ],
)
def test_names(path: str, expected: Exposure | None) -> None:
    assert exposure(path, script=True, direct=False) is expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("password", ["password"]),
        ('f"{user.password!r} of {name}"', ["user.password", "name"]),
        ('"%s and %s" % (a, b)', ["a", "b"]),
        ('"{}".format(secret)', ["secret"]),
        ("str(secret)", ["secret"]),
        ("dict(request.headers)", ["request.headers"]),
        ('request.headers["authorization"]', ["request.headers.authorization"]),
        ("api_key[-4:]", []),
        ("len(password)", []),
        ("mask(password)", []),
        ('password == "x"', []),
        ('"set" if api_key else "not set"', []),
        ("not api_key", []),
    ],
)
def test_what_reaches_the_text(expression: str, expected: list[str]) -> None:
    printed = next(call for call in read_python("app.py", f"print({expression})\n").calls if call.callee == "print")
    assert [name.literal for _, name in shown(printed.arguments[0].value)] == expected
