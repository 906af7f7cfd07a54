"""The user's store of advisories, its commands, and the live service: against a server on this machine, with everything that can go wrong."""

from __future__ import annotations

import io
import json
import sqlite3
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from auditor.model.artifacts import Ecosystem, LockedPackage
from auditor.model.need import Known, Unavailable
from auditor.tools import advisory_store, osv, osv_service
from auditor.tools.advisory_update import address, update
from auditor.tools.network import Client, NetworkError
from tests.test_cli import auditor
from tests.tools.server import Played, serve
from tests.tools.test_advisories import CRITICAL, FIXED, hits, lock, look_up, record


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def small_data_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(osv, "LEAST_COMPLETE", 1)


def export(*records: Any) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for number, entry in enumerate(records):
            archive.writestr(f"{number}.json", json.dumps(entry))
    return made.getvalue()


PYPI = export(record("a", FIXED, severity=[{"type": "CVSS_V3", "score": CRITICAL}]))
NPM = export(record("left", FIXED, ecosystem="npm"))
EXPORTS = {"/PyPI/all.zip": PYPI, "/npm/all.zip": NPM}


def ecosystems(store: Path) -> dict[str, int]:
    return {one.ecosystem: one.advisories for one in advisory_store.holdings(store)}


def test_a_store_is_fetched_and_used(tmp_path: Path, small_data_is_complete: None) -> None:
    store = tmp_path / "data" / "store.sqlite3"
    with serve(EXPORTS) as server:
        assert update(store, ["pypi", "npm"], source=server.url) == {}
    assert ecosystems(store) == {"npm": 1, "pypi": 1}
    assert [path.name for path in store.parent.iterdir()] == ["store.sqlite3"]
    found = look_up(tmp_path, store, lock(LockedPackage("a", "1.0"), LockedPackage("b", "1.0")))
    assert hits(found) == [("X-1", "fail")]
    assert isinstance(found, Known)
    assert found.value.notes == ("pypi: 2 of 2 packages looked up (1 advisory of 2026-01-20, 12 days old)",)


@pytest.mark.parametrize(
    ("path", "content", "reason"),
    [
        ("/PyPI/all.zip", 500, "answered 500"),
        ("/PyPI/all.zip", b"<html>sign in</html>", "no export of advisories"),
        ("/PyPI/all.zip", PYPI[: len(PYPI) // 2], "no export of advisories"),
        ("/PyPI/all.zip", NPM, "holds nothing about pypi"),
        ("/PyPI/cut.zip", PYPI, ""),
        ("/PyPI/all.zip", b"0" * 5_000, "larger than 4,000 bytes"),
    ],
)
def test_an_update_that_fails_leaves_what_was_there(tmp_path: Path, path: str, content: Any, reason: str) -> None:
    store = tmp_path / "store.sqlite3"
    with serve(EXPORTS) as server:
        update(store, ["pypi"], source=server.url)
    before = store.read_bytes()
    with serve({path: content, "/npm/all.zip": 404}) as server:
        source = server.url + path.replace("PyPI", "{ecosystem}")
        failed = update(store, ["pypi", "npm"], source=source, most_bytes=4_000)
    assert set(failed) == {"pypi", "npm"}
    assert reason in failed["pypi"]
    assert "127.0.0.1" in failed["pypi"]
    assert store.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["store.sqlite3"]


def test_one_ecosystem_that_fails_does_not_cost_the_other(tmp_path: Path) -> None:
    with serve({"/npm/all.zip": NPM}) as server:
        assert list(update(tmp_path / "s", ["pypi", "npm"], source=server.url)) == ["pypi"]
    assert ecosystems(tmp_path / "s") == {"npm": 1}


def test_the_time_for_an_update_is_bounded(tmp_path: Path) -> None:
    def slow(_body: Any) -> bytes:
        time.sleep(3)
        return PYPI

    started = time.monotonic()
    with serve({"/PyPI/all.zip": slow}) as server:
        failed = update(tmp_path / "s", ["pypi"], source=server.url, seconds=0.5)
        assert time.monotonic() - started < 2.5
    assert "in time" in failed["pypi"]
    assert not (tmp_path / "s").exists()


def test_proxies_of_the_environment_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve({"/proxied": PYPI}) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        assert update(tmp_path / "s", ["pypi"], source="http://osv.invalid/mirror") == {}
    assert ecosystems(tmp_path / "s") == {"pypi": 1}
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert "proxy" in update(tmp_path / "s", ["pypi"], source="http://osv.invalid")["pypi"]


def test_addresses() -> None:
    assert address("https://m.example/osv/", "pypi") == "https://m.example/osv/PyPI/all.zip"
    assert address("https://m.example/{ecosystem}.zip", "npm") == "https://m.example/npm.zip"


def test_logins_in_addresses_are_not_shown() -> None:
    client = Client()
    with pytest.raises(NetworkError) as error:
        client.json("http://user:word@127.0.0.1:9/x?token=1")
    client.close()
    assert str(error.value) == "http://127.0.0.1:9/x was not reached"


def test_building_replaces_only_what_the_files_speak_of(tmp_path: Path) -> None:
    (tmp_path / "pypi.zip").write_bytes(PYPI)
    checkout = tmp_path / "checkout" / "vulns" / "left"
    checkout.mkdir(parents=True)
    (checkout / "PYSEC-1.yaml").write_text(
        "id: PYSEC-1\nmodified: 2026-01-22T00:00:00Z\naffected:\n- package: {ecosystem: npm, name: left}\n  versions: ['1.0.0']\n"
    )
    (checkout / "broken.yaml").write_text("id: [")
    store = tmp_path / "s.sqlite3"
    assert auditor("advisories", "build", tmp_path / "pypi.zip", "--store", store).returncode == 0
    done = auditor("advisories", "build", tmp_path / "checkout", "--store", store)
    assert (done.returncode, done.stderr) == (0, "")
    assert "PARTIAL" in done.stdout
    assert ecosystems(store) == {"npm": 1, "pypi": 1}
    found = json.loads(auditor("advisories", "status", "--json", "--store", store).stdout)
    assert [(one["ecosystem"], one["modified"], one["broken"]) for one in found["ecosystems"]] == [
        ("npm", "2026-01-22", 1),
        ("pypi", "2026-01-20", 0),
    ]
    found_in_list = look_up(tmp_path, store, lock(LockedPackage("left", "1.0.0"), ecosystem=Ecosystem.NPM))
    assert hits(found_in_list) == [("PYSEC-1", "note")]


def test_an_audit_uses_the_users_store_by_itself(tmp_path: Path) -> None:
    home = {"XDG_DATA_HOME": str(tmp_path / "home")}
    assert "no store" in auditor("advisories", "status", **home).stdout
    with serve(EXPORTS) as server:
        done = auditor("advisories", "update", "--from", server.url, NO_PROXY="*", **home)
    assert (done.returncode, done.stderr) == (0, "")
    app = tmp_path / "app"
    app.mkdir()
    (app / "main.py").write_text("import a\n")
    (app / "requirements.txt").write_text("a==1.0\n")
    options = ["--only", "deps.no-known-vulnerabilities", "--json", "-", "--cache-dir", str(tmp_path / "cache"), "--date", "2026-02-01"]
    outcome = json.loads(auditor("audit", app, *options, **home).stdout)["outcomes"][0]
    assert outcome["verdict"] == "fail"
    assert "1 advisory of 2026-01-20, 12 days old" in outcome["reason"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["update", "rubygems"], 2, "pypi or npm"),
        (["update", "--from", "ftp://x"], 2, "https://"),
        (["update", "--timeout", "0"], 2, "--timeout"),
        (["update", "--from", "http://127.0.0.1:9"], 6, "was not reached"),
        (["build", "missing.zip"], 2, "does not exist"),
        (["build", "empty.zip"], 2, "empty.zip"),
        (["status", "--store", "empty.zip"], 2, "empty.zip"),
    ],
)
def test_mistakes_are_one_line_and_have_a_code(tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    (tmp_path / "empty.zip").write_bytes(b"nothing")
    done = auditor("advisories", *arguments, cwd=tmp_path, XDG_DATA_HOME=str(tmp_path / "home"), NO_PROXY="*")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (code, "", 1), done
    assert words in done.stderr


def test_a_damaged_or_foreign_store_is_no_evidence(tmp_path: Path) -> None:
    (tmp_path / "damaged").write_bytes(b"SQLite format 3\x00" + b"x" * 5_000)
    with sqlite3.connect(tmp_path / "foreign") as foreign:
        foreign.execute("CREATE TABLE x (y)")
    foreign.close()
    for name in ("damaged", "foreign"):
        assert isinstance(look_up(tmp_path, tmp_path / name, lock(LockedPackage("a", "1.0"))), Unavailable)
    osv_data = osv.read_records([record("a", FIXED)])
    advisory_store.replace_ecosystems(tmp_path / "damaged", osv_data, {})
    assert ecosystems(tmp_path / "damaged") == {"pypi": 1}


def test_equal_stores_have_one_identity(tmp_path: Path) -> None:
    data = osv.read_records([record("a", FIXED)])
    for name in ("one", "two"):
        advisory_store.replace_ecosystems(tmp_path / name, data, {"pypi": name})
    assert advisory_store.identity(tmp_path / "one") == advisory_store.identity(tmp_path / "two")
    advisory_store.replace_ecosystems(tmp_path / "two", osv.read_records([record("b", FIXED)]), {})
    assert advisory_store.identity(tmp_path / "one") != advisory_store.identity(tmp_path / "two")


def batch(answers: dict[str, list[str]]) -> Any:
    """A service that knows advisories by package and answers one a page."""

    def answer(body: Any) -> Any:
        results = []
        for query in body["queries"]:
            numbers = answers.get(query["package"]["name"], [])
            at = int(query.get("page_token", "0"))
            more = {"next_page_token": str(at + 1)} if at + 1 < len(numbers) else {}
            results.append({"vulns": [{"id": number, "modified": "2026-01-01T00:00:00Z"} for number in numbers[at : at + 1]], **more})
        return {"results": results}

    return answer


def online(tmp_path: Path, server: Played, *names: str, data: Path | None = None) -> Known[Any] | Unavailable:
    packages = [LockedPackage(name, "1.0.0") for name in names]
    return look_up(tmp_path, data, lock(*packages, ecosystem=Ecosystem.NPM, path="package-lock.json"), online=True, osv_service=server.url)


def test_the_live_service_is_asked_page_by_page(tmp_path: Path) -> None:
    answers = {
        "/v1/querybatch": batch({"left": ["X-1", "X-2"]}),
        "/v1/vulns/X-1": record("left", FIXED, ecosystem="npm", id_="X-1", database_specific={"severity": "HIGH"}),
        "/v1/vulns/X-2": record("left", FIXED, ecosystem="npm", id_="X-2", withdrawn="2026-01-01T00:00:00Z"),
    }
    with serve(answers) as server:
        found = online(tmp_path, server, "left", "right")
    assert hits(found) == [("X-1", "fail")]
    assert isinstance(found, Known)
    assert found.unexamined == ()
    assert found.value.notes == ("npm: 2 of 2 packages looked up (OSV's live service on 2026-02-01)",)
    sent = [body for path, body in server.asked if path == "/v1/querybatch"]
    assert sent[0]["queries"][0] == {"package": {"ecosystem": "npm", "name": "left"}, "version": "1.0.0"}
    assert sent[1] == {"queries": [{**sent[0]["queries"][0], "page_token": "1"}]}


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"/v1/querybatch": 503},
        {"/v1/querybatch": b"no json"},
        {"/v1/querybatch": {"results": []}},
        {"/v1/querybatch": {"results": [{"vulns": [{"id": "../../x"}]}]}},
        {"/v1/querybatch": {"results": [{"next_page_token": "again"}]}},
        {"/v1/querybatch": {"results": [None]}},
        {"/v1/querybatch": batch({"left": ["X-1"]})},
        {"/v1/querybatch": batch({"left": ["X-1"]}), "/v1/vulns/X-1": {"id": "X-1", "affected": 3}},
        {"/v1/querybatch": batch({"left": ["X-1"]}), "/v1/vulns/X-1": b"["},
    ],
)
def test_every_failure_of_the_service_leaves_the_package_unexamined(tmp_path: Path, answers: dict[str, Any]) -> None:
    with serve(answers) as server:
        found = online(tmp_path, server, "left")
    assert isinstance(found, Known)
    assert found.examined == frozenset()
    assert "OSV gave no answer for 1 of 1 packages" in found.unexamined[0][1]


def test_an_unreachable_service_is_said(tmp_path: Path) -> None:
    found = osv_service.look_up([("pypi", "a", "1.0")], service="http://127.0.0.1:9")
    assert (found.found, found.reason) == ({}, "http://127.0.0.1:9/v1/querybatch was not reached")


def test_the_service_is_asked_only_about_what_the_data_does_not_settle(tmp_path: Path, small_data_is_complete: None) -> None:
    (tmp_path / "npm.zip").write_bytes(NPM)
    with serve({}) as server:
        found = online(tmp_path, server, "left", data=tmp_path / "npm.zip")
    assert server.asked == []
    assert hits(found) == [("X-1", "partial")]
