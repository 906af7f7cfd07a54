"""What can be audited beside a directory: archives, however hostile, and addresses; and one part of a monorepo."""

from __future__ import annotations

import io
import json
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from auditor.errors import UnreachableError, UsageError
from auditor.narrowing import part_of
from auditor.snapshot import read_tree
from auditor.sources import is_address, opened
from auditor.tools.archives import ArchiveError, Limits, unpack
from tests.support.repositories import from_texts, replay
from tests.test_cli import auditor, complains

ITEM = "security.sql-parameterised"
TEXTS = {
    "app/main.py": "import sqlite3\n\n\ndef names(db):\n    return db.execute('SELECT name FROM people').fetchall()\n",
    "README.md": "# App\n",
}


def zipped(target: Path, texts: dict[str, str], modes: dict[str, int] | None = None) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in texts.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (modes or {}).get(name, stat.S_IFREG | 0o644) << 16
            file.writestr(info, text, zipfile.ZIP_DEFLATED)
    return target


def tarred(target: Path, *members: tuple[str, str, bytes]) -> Path:
    """A tar of (name, kind, content or link target)."""
    kinds = {"file": tarfile.REGTYPE, "link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE, "pipe": tarfile.FIFOTYPE}
    with tarfile.open(target, "w:gz") as file:
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type = kinds[kind]
            if kind == "file":
                info.size = len(content)
            else:
                info.linkname = content.decode()
            file.addfile(info, io.BytesIO(content) if kind == "file" else None)
    return target


@pytest.mark.parametrize("prefix", ["", "app-main/"])
def test_an_archive_is_unpacked_to_its_only_folder(tmp_path: Path, prefix: str) -> None:
    archive = zipped(tmp_path / "app.zip", {prefix + name: text for name, text in TEXTS.items()})
    with opened(str(archive)) as root:
        assert root.name == (prefix.strip("/") or "app")
        assert (root / "app/main.py").read_text() == TEXTS["app/main.py"]
        kept = root
    assert not kept.exists()


def test_a_tar_is_unpacked_without_its_links_and_pipes(tmp_path: Path) -> None:
    archive = tarred(
        tmp_path / "app.tar.gz",
        ("app/a.py", "file", b"x = 1\n"),
        ("app/passwd", "link", b"/etc/passwd"),
        ("app/hard", "hard", b"app/a.py"),
        ("app/pipe", "pipe", b""),
    )
    with opened(str(archive)) as root:
        assert [path.name for path in root.iterdir()] == ["a.py"]


def test_a_link_in_a_zip_is_no_way_out(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "app.zip", {"app/out": "/etc", "app/a.py": "x = 1\n"}, {"app/out": stat.S_IFLNK | 0o777})
    with opened(str(archive)) as root:
        assert [path.name for path in root.iterdir()] == ["a.py"]


@pytest.mark.parametrize("name", ["../evil.py", "/etc/evil.py", "app/../../evil.py"])
def test_a_name_that_leads_out_refuses_the_archive(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="leads out"), opened(str(zipped(tmp_path / "app.zip", {"a.py": "", name: "x"}))):
        pass
    with pytest.raises(UsageError, match="leads out"), opened(str(tarred(tmp_path / "app.tgz", (name, "file", b"x")))):
        pass
    assert not (tmp_path.parent / "evil.py").exists()


def test_what_comes_out_is_bounded(tmp_path: Path) -> None:
    bomb = zipped(tmp_path / "bomb.zip", {"a.txt": "0" * 3_000_000})
    assert bomb.stat().st_size < 10_000
    for limits, words in (
        (Limits(total_bytes=1_000_000), "more than 1 MB"),
        (Limits(files=0), "more than 0 files"),
        (Limits(depth=0), "folders"),
    ):
        target = tmp_path / words.replace(" ", "-")
        target.mkdir()
        with pytest.raises(ArchiveError, match=words):
            unpack(bomb, target, limits)


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.tar"])
def test_a_broken_archive_is_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04 not really")
    done = auditor("audit", tmp_path / name)
    assert done.returncode == 2
    complains(done, name, "was not audited")


def test_what_is_an_address_and_what_is_a_path(tmp_path: Path) -> None:
    for given in ("https://example.org/a/b.git", "ssh://git@example.org/a", "git@example.org:a/b.git", "file:///srv/a.git"):
        assert is_address(given)
    for given in (".", "a/b", "/srv/a", "C:\\a", str(tmp_path)):
        assert not is_address(given)


def test_other_kinds_of_address_are_refused() -> None:
    for given in ("git://example.org/a", "ext::sh -c true", "ftp://example.org/a"):
        done = auditor("audit", given)
        assert done.returncode == 2
        complains(done)


def test_a_repository_is_cloned_with_nothing_run(tmp_path: Path, fixture_cache: Path) -> None:
    marker = tmp_path / "ran"
    source = from_texts(
        tmp_path / "shop.git",
        TEXTS | {".gitattributes": "*.py filter=evil\n", ".gitmodules": '[submodule "x"]\n\tpath = x\n\turl = ../x\n'},
    )
    replay(source, [{"message": "start"}])
    hook = source / ".git/hooks/post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {marker}\n")
    hook.chmod(0o755)
    with (source / ".git/config").open("a") as config:
        config.write(f'[filter "evil"]\n\tsmudge = touch {marker}\n\tclean = touch {marker}\n')
    target = tmp_path / "report.json"
    done = auditor("audit", f"file://{source}", "--only", ITEM, "--json", target, "--cache-dir", fixture_cache)
    assert done.returncode == 0, done.stderr
    report = json.loads(target.read_bytes())
    assert (report["scope"]["name"], report["scope"]["origin"]) == ("shop", "git")
    assert report["outcomes"][0]["verdict"] == "pass"
    assert not marker.exists()


def test_what_cannot_be_reached_is_exit_code_6_and_shows_no_login(tmp_path: Path) -> None:
    done = auditor("audit", f"file://{tmp_path}/missing.git")
    assert done.returncode == 6
    complains(done, "missing.git", "not cloned")
    with pytest.raises(UnreachableError) as caught, opened("http://ann:hunter2@127.0.0.1:9/a.git"):
        pass
    assert "hunter2" not in str(caught.value)


MONOREPO = {
    "package.json": '{"name": "root", "workspaces": ["apps/*", "packages/*"]}',
    ".github/workflows/ci.yml": "on: push\n",
    "apps/web/package.json": '{"name": "web", "dependencies": {"@acme/ui": "workspace:*", "react": "19"}}',
    "apps/web/src/a.ts": "export const a = 1\n",
    "apps/api/pyproject.toml": '[tool.poetry.dependencies]\nshared = { path = "../../libs/shared" }\n',
    "apps/api/main.py": "x = 1\n",
    "apps/README.md": "# apps\n",
    "packages/ui/package.json": '{"name": "@acme/ui", "dependencies": {"@acme/base": "workspace:*"}}',
    "packages/ui/b.ts": "export const b = 1\n",
    "packages/base/package.json": '{"name": "@acme/base"}',
    "packages/other/package.json": '{"name": "@acme/other"}',
    "libs/shared/c.py": "y = 1\n",
}


@pytest.mark.parametrize(
    ("part", "without"),
    [
        ("apps/web", {"apps/api/pyproject.toml", "apps/api/main.py", "packages/other/package.json", "libs/shared/c.py"}),
        ("./apps/api/", {path for path in MONOREPO if path.startswith(("apps/web", "packages/"))}),
        (".", set()),
    ],
)
def test_a_part_comes_with_what_it_stands_on(tmp_path: Path, part: str, without: set[str]) -> None:
    reading = part_of(read_tree(from_texts(tmp_path / "mono", MONOREPO)), part)
    assert {file.path for file in reading.snapshot.files} == {*MONOREPO} - without
    assert set(reading.texts) == {*MONOREPO} - without


def test_a_part_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    done = auditor("audit", from_texts(tmp_path / "mono", MONOREPO), "--part", "apps/none")
    assert done.returncode == 2
    complains(done, "apps/none", "--part")


def test_a_part_is_audited_under_its_own_name(tmp_path: Path, fixture_cache: Path) -> None:
    root = from_texts(tmp_path / "mono", MONOREPO)
    target = tmp_path / "r.json"
    done = auditor("audit", root, "--part", "apps/api", "--only", ITEM, "--json", target, "--cache-dir", fixture_cache)
    assert done.returncode == 0, done.stderr
    scope = json.loads(target.read_bytes())["scope"]
    assert (scope["name"], [one["language"] for one in scope["languages"]]) == ("mono/apps/api", ["python"])


def test_a_directory_stays_what_it_is(tmp_path: Path) -> None:
    with opened(str(tmp_path)) as root:
        assert root == tmp_path
    assert tmp_path.is_dir()
