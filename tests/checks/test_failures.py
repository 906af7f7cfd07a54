"""The words of failing operations, and limits of calls that are handed through functions."""

from __future__ import annotations

import pytest

from auditor.checks.failures import changes_or_asks, is_broad, is_cleanup, is_expected, is_outside, is_pure, is_write
from auditor.checks.outgoing import Limit
from auditor.checks.outgoing_python import PythonSites
from auditor.languages.python import read_python


@pytest.mark.parametrize(
    "callee",
    [
        "db.session.commit",
        "session.commit",
        "Order.objects.create",
        "prisma.order.update",
        "this.prisma.order.delete",
        "supabase.from().insert",
        "collection.insert_one",
        "orderRepository.save",
        "stripe.PaymentIntent.create",
    ],
)
def test_writes(callee: str) -> None:
    assert is_write(callee)
    assert not is_pure(callee)


@pytest.mark.parametrize(
    "callee",
    [
        "stripe.customers.retrieve",
        "items.insert",
        "form.save",
        "dialog.create",
        "urls.update",
        "session.get",
        "fetch",
        "commit",
        "d.update",
        "image.save",
    ],
)
def test_no_writes(callee: str) -> None:
    assert not is_write(callee)


@pytest.mark.parametrize(
    "callee",
    [
        "JSON.parse",
        "json.loads",
        "int",
        "new URL",
        "localStorage.getItem",
        "text.split",
        "datetime.strptime",
        "jwt.verify",
        "parseToken",
        "isValid",
        "fs.readFile",
    ],
)
def test_what_only_computes(callee: str) -> None:
    assert is_pure(callee)


@pytest.mark.parametrize(
    "callee",
    [
        "requests.get",
        "axios.get",
        "fetch",
        "client.messages.create",
        "redis.get",
        "User.objects.get",
        "prisma.user.findUnique",
        "load_orders",
    ],
)
def test_what_can_fail_for_outside_reasons(callee: str) -> None:
    assert not is_pure(callee)


def test_kinds_of_errors() -> None:
    assert is_broad(())
    assert is_broad(("ValueError", "builtins.Exception"))
    assert not is_broad(("ValueError",))
    assert all(
        is_expected(kind) for kind in ("ImportError", "User.DoesNotExist", "asyncio.CancelledError", "queue.Empty", "FileNotFoundError")
    )
    assert all(
        is_outside(kind)
        for kind in ("OSError", "requests.RequestException", "sqlalchemy.exc.IntegrityError", "ClientError", "smtplib.SMTPException")
    )
    assert not any(is_outside(kind) for kind in ("ValueError", "KeyError", "FileNotFoundError", "struct.error", "json.JSONDecodeError"))
    assert is_cleanup("connection.close")
    assert changes_or_asks("handle.write")
    assert not changes_or_asks("open")


HTTP = "import requests as r\ndef fetch(url, timeout=None):\n    return r.get(url, timeout=timeout)\ndef get(url, **options):\n    return fetch(url, **options)\n"


@pytest.mark.parametrize(
    ("caller", "limits"),
    [
        ("from shop.http import get\nget(u, timeout=3)\n", [Limit.EXPLICIT]),
        ("from shop.http import get\nget(u)\n", [Limit.NONE]),
        ("from shop import http\nhttp.fetch(u, 3)\nhttp.get(u)\n", [Limit.EXPLICIT, Limit.NONE]),
        ("from .http import fetch as load\nload(u, timeout=None)\n", [Limit.NONE]),
        ("", [Limit.NONE]),
    ],
)
def test_callers_of_wrappers_decide(caller: str, limits: list[Limit]) -> None:
    files = (read_python("shop/http.py", HTTP), read_python("shop/views.py", caller))
    assert [site.limit for site in PythonSites(files).find()] == limits


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("import requests\nrequests.get(u)", Limit.NONE),
        ("import requests\nrequests.get(u, timeout=(3, 10))", Limit.EXPLICIT),
        ("import requests\nrequests.get(u, timeout=None)", Limit.NONE),
        ("import requests\noptions = {'timeout': 5}\nrequests.get(u, **options)", Limit.EXPLICIT),
        ("import requests\nwith requests.Session() as s:\n    s.get(u)", Limit.NONE),
        ("import httpx\nhttpx.get(u)", Limit.DEFAULT),
        ("import httpx\nhttpx.Client(timeout=None)", Limit.NONE),
        ("import aiohttp\nasync def f():\n    async with aiohttp.ClientSession() as s:\n        await s.get(u, timeout=5)", Limit.EXPLICIT),
        ("import aiohttp\nasync def f():\n    async with aiohttp.ClientSession() as s:\n        await s.get(u)", Limit.NONE),
        ("from urllib.request import urlopen\nurlopen(u, None, 5)", Limit.EXPLICIT),
        ("from openai import OpenAI\nc = OpenAI()\nc.chat.completions.create(model=m)", Limit.NONE),
        ("from openai import OpenAI\nc = OpenAI(timeout=30)\nc.chat.completions.create(model=m)", Limit.EXPLICIT),
        ("from openai import OpenAI\nc = OpenAI()\nc.responses.create(model=m, timeout=30)", Limit.EXPLICIT),
        ("from sqlalchemy import create_engine\nURL = 'postgresql://db/x'\ncreate_engine(URL)", Limit.NONE),
        ("import psycopg2\npsycopg2.connect('host=db connect_timeout=5')", Limit.EXPLICIT),
        ("import boto3\nboto3.client('s3')", Limit.DEFAULT),
        ("import smtplib\nsmtplib.SMTP('mail', 25, None, 10)", Limit.EXPLICIT),
    ],
)
def test_limits_of_python_clients(text: str, limit: Limit) -> None:
    assert [site.limit for site in PythonSites((read_python("app.py", text),)).find()] == [limit]


@pytest.mark.parametrize(
    "text",
    [
        "from sqlalchemy import create_engine\nURL = 'sqlite:///x.db'\ncreate_engine(URL)",
        "import requests\nrequests.exceptions.RequestException()",
        "from twilio.rest import Client\nc = Client()\nc.messages.create(body=b)",
        "cache.get(key)",
    ],
)
def test_what_is_no_outgoing_call_of_a_known_client(text: str) -> None:
    assert PythonSites((read_python("app.py", text),)).find() == []
