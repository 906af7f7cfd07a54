"""Reading a tree: what belongs to it, what is left out and said so, and that nothing in it can harm the reader."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pygit2
import pytest

from auditor.errors import NothingToAuditError, UsageError
from auditor.model.snapshot import Language, Role
from auditor.snapshot import Bounds, Reading, read_tree
from tests.support.repositories import from_texts, replay

CODE = "x = 1\n"


def skipped(reading: Reading) -> dict[str, str]:
    return {entry.path: entry.reason for entry in reading.snapshot.skipped}


def paths(reading: Reading) -> list[str]:
    return [file.path for file in reading.snapshot.files]


@pytest.fixture
def tracked(tmp_path: Path) -> Path:
    root = from_texts(tmp_path / "app", {"a.py": CODE, "b/c.py": CODE, ".gitignore": "ignored/\n*.log\n"})
    replay(root, [])
    repository = pygit2.Repository(str(root))
    repository.index.add_all()
    repository.index.write()
    return root


def test_the_index_and_what_git_does_not_ignore(tracked: Path) -> None:
    from_texts(tracked, {"new.py": CODE, "ignored/x.py": CODE, "y.log": "text", "node_modules/z.js": CODE})
    reading = read_tree(tracked)
    assert paths(reading) == [".gitignore", "a.py", "b/c.py", "new.py", "node_modules/z.js"]
    assert {file.path: file.tracked for file in reading.snapshot.files}["new.py"] is False
    assert reading.snapshot.origin == "git"


def test_a_tracked_file_is_read_even_where_git_would_ignore_it(tracked: Path) -> None:
    from_texts(tracked, {"ignored/kept.py": CODE})
    repository = pygit2.Repository(str(tracked))
    repository.index.add("ignored/kept.py")
    repository.index.write()
    assert "ignored/kept.py" in paths(read_tree(tracked))


def test_without_git_the_whole_tree_but_for_installed_packages(tmp_path: Path) -> None:
    root = from_texts(tmp_path, {"a.py": CODE, "node_modules/b.js": CODE, ".venv/c.py": CODE, ".git/config": "no repository"})
    reading = read_tree(root)
    assert (paths(reading), reading.snapshot.origin) == (["a.py"], "tree")


def test_part_of_a_repository(tracked: Path) -> None:
    assert paths(read_tree(tracked / "b")) == ["c.py"]


def test_an_export_inside_a_repository_that_ignores_it(tracked: Path) -> None:
    from_texts(tracked, {"ignored/export/app.py": CODE})
    reading = read_tree(tracked / "ignored" / "export")
    assert (paths(reading), reading.snapshot.origin) == (["app.py"], "tree")


def test_a_deleted_file_is_missing_and_said_so(tracked: Path) -> None:
    (tracked / "a.py").unlink()
    assert skipped(read_tree(tracked))["a.py"] == "missing from the work tree"


def test_a_sparse_checkout_is_not_taken_for_the_whole(tracked: Path) -> None:
    (tracked / "a.py").unlink()
    pygit2.Repository(str(tracked)).config["core.sparseCheckout"] = "true"
    assert skipped(read_tree(tracked))["a.py"] == "left out by a sparse checkout"


def test_links_are_not_followed(tracked: Path, tmp_path: Path) -> None:
    from_texts(tmp_path / "elsewhere", {"secret.py": "key = 1\n"})
    (tracked / "file.py").symlink_to(tmp_path / "elsewhere" / "secret.py")
    (tracked / "folder").symlink_to(tmp_path / "elsewhere")
    (tracked / "b" / "c.py").unlink()
    (tracked / "b").rmdir()
    (tracked / "b").symlink_to(tmp_path / "elsewhere")
    reading = read_tree(tracked)
    assert "key" not in "".join(reading.texts.values())
    assert skipped(reading)["file.py"] == skipped(reading)["folder"] == "a symbolic link: not followed"
    assert skipped(reading)["b/c.py"] == "below a symbolic link: not followed"


@pytest.mark.parametrize("path", ["../secret.py", "b/../../secret.py", ".git/config", "/etc/hostname"])
def test_an_index_that_leads_out_of_the_tree(tracked: Path, tmp_path: Path, path: str) -> None:
    (tmp_path / "secret.py").write_text("key = 1\n")
    index = tracked / ".git" / "index"
    filler = ("a" * len(path)) if len(path) != 4 else "aaaa"
    from_texts(tracked, {filler: CODE})
    repository = pygit2.Repository(str(tracked))
    repository.index.add(filler)
    repository.index.write()
    (tracked / filler).unlink()
    index.write_bytes(rehashed(index.read_bytes()[:-20].replace(filler.encode(), path.encode())))
    reading = read_tree(tracked)
    assert "key" not in "".join(reading.texts.values())
    assert "[core]" not in "".join(reading.texts.values())
    assert all(not name.startswith(("/", "..", ".git/")) for name in paths(reading))


def rehashed(content: bytes) -> bytes:
    import hashlib

    return content + hashlib.sha1(content).digest()


def test_special_files_do_not_block(tmp_path: Path) -> None:
    root = from_texts(tmp_path, {"a.py": CODE})
    os.mkfifo(root / "pipe.py")
    reading = read_tree(root)
    assert skipped(reading) == {"pipe.py": "not a regular file"}


def test_unreadable_files_and_folders(tmp_path: Path) -> None:
    root = from_texts(tmp_path, {"a.py": CODE, "b.py": CODE, "c/d.py": CODE})
    (root / "b.py").chmod(0)
    (root / "c").chmod(0)
    try:
        if os.geteuid() == 0:
            pytest.skip("root reads everything")
        assert {"b.py", "c"} <= set(skipped(read_tree(root)))
    finally:
        (root / "c").chmod(0o755)


def test_a_file_that_vanishes_while_the_tree_is_read(tmp_path: Path) -> None:
    root = from_texts(tmp_path, {f"m{number}.py": CODE for number in range(50)})

    def stop() -> bool:
        (root / "m49.py").unlink(missing_ok=True)
        return False

    assert skipped(read_tree(root, should_stop=stop)) == {"m49.py": "missing from the work tree"}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"x = '\xe9t\xe9'\n", "x = '\ufffdt\ufffd'\n"),
        (b"\xef\xbb\xbfx = 1\r\ny = 2\r", "x = 1\ny = 2\n"),
        ("x = 1\r\n".encode("utf-16"), "x = 1\n"),
        (b"x = '\x00'\n" + b"y = 1\n" * 50, "x = '\x00'\n" + "y = 1\n" * 50),
        (b"", ""),
    ],
)
def test_texts_in_odd_encodings(tmp_path: Path, content: bytes, text: str) -> None:
    reading = read_tree(from_texts(tmp_path, {"a.py": content}))
    assert reading.texts["a.py"] == text
    assert reading.snapshot.files[0].language is Language.PYTHON


def test_code_cannot_hide_behind_bytes_that_are_no_text(tmp_path: Path) -> None:
    hidden = b"/*" + b"\x00" * 500 + b"*/ eval(location.hash);\n"
    video = (b"G" + b"\x00" * 187) * 40
    reading = read_tree(
        from_texts(
            tmp_path, {"a.js": hidden, "b.py": b"# " + b"\xe4" * 9_000 + b"\nx = 1\n", "clip.ts": video, "c.png": b"\x89PNG\x00\x00"}
        )
    )
    assert skipped(reading) == {"a.js": "named like source code and not text"}
    assert {file.path: file.role for file in reading.snapshot.files} == {
        "b.py": Role.FIRST_PARTY,
        "clip.ts": Role.ASSET,
        "c.png": Role.ASSET,
    }


def test_line_counts(tmp_path: Path) -> None:
    reading = read_tree(from_texts(tmp_path, {"a.py": "a\nb\n", "b.py": "a\nb", "c.py": "", "d.py": "\n"}))
    assert [file.lines for file in reading.snapshot.files] == [2, 2, 0, 1]


def test_limits_are_listed(tmp_path: Path) -> None:
    root = from_texts(tmp_path, {"a.py": "x" * 2_000_001, "b.py": CODE, "c.py": CODE, "d/e/f.py": CODE})
    reading = read_tree(root, Bounds(file_bytes=2_000_000, files=2, depth=1))
    assert skipped(reading) == {
        "a.py": "larger than 2 MB",
        "c.py": "not read: more than 2 files",
        "d/e": "deeper than 1 directories",
    }
    assert "not read: more than 0 MB of text" in skipped(read_tree(root, Bounds(text_bytes=5))).values()


def test_a_long_line_is_read(tmp_path: Path) -> None:
    root = from_texts(tmp_path, {"a.js": b"var a = '" + b"x" * 15_000_000 + b"';\n"})
    started = time.process_time()
    assert read_tree(root).snapshot.files[0].size > 15_000_000
    assert time.process_time() - started < 30
    assert skipped(read_tree(from_texts(root, {"b.js": b"x" * 50_000_000})))["b.js"] == "larger than 20 MB"


def test_deep_nesting(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    try:
        for _ in range(300):
            os.mkdir("d", dir_fd=here)
            below = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
    finally:
        os.close(here)
    (tmp_path / "a.py").write_text(CODE)
    reading = read_tree(tmp_path)
    assert list(skipped(reading).values()) == ["deeper than 60 directories"]


def test_many_files_in_bounded_time(tmp_path: Path) -> None:
    for folder in range(100):
        (tmp_path / f"d{folder}").mkdir()
        for number in range(100):
            (tmp_path / f"d{folder}" / f"{number}.txt").touch()
    replay(tmp_path, [])
    started = time.process_time()
    assert len(read_tree(tmp_path).snapshot.files) == 10_000
    assert time.process_time() - started < 30


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    root = from_texts(tmp_path, {"a.py": CODE})
    (Path(os.fsdecode(os.fsencode(root) + b"/caf\xe9.py"))).write_text(CODE)
    assert skipped(read_tree(root)) == {"caf\\udce9.py": "a file name that is not UTF-8"}


def test_the_digest_tells_contents_apart_and_not_places(tmp_path: Path) -> None:
    one, two, three = (
        read_tree(from_texts(tmp_path / name, {"a.py": text})).snapshot for name, text in (("1", CODE), ("2", CODE), ("3", "x = 2\n"))
    )
    assert one == two
    assert one.digest != three.digest


def test_stopping_in_time(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    root = from_texts(tmp_path, {"a.py": CODE})
    assert skipped(read_tree(root, should_stop=stop.is_set)) == {"a.py": "not read: the time limit was reached"}


@pytest.mark.parametrize("name", ["missing", "file", "a\0b"])
def test_wrong_paths(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="path"):
        read_tree(tmp_path / name)


def test_an_empty_directory(tmp_path: Path) -> None:
    with pytest.raises(NothingToAuditError):
        read_tree(tmp_path)
