"""History read without running anything, bounded, pseudonymous, and honest about what is missing."""

from __future__ import annotations

from pathlib import Path

import pygit2
import pytest

from auditor.cache import Cache
from auditor.evidence.history import history
from auditor.evidence.registry import Context
from auditor.model.evidence import Commit, History
from auditor.model.need import Known, Unavailable
from auditor.tools import history as git
from tests.support.repositories import from_texts, replay

LINE = "a_line_long_enough = 1\n"
OTHER = "another_line_that_counts = 2\n"


def read(root: Path, cache: Path | None = None) -> History | Unavailable:
    found = history(Context(root, Cache(cache), "2026-01-01"))
    return found.value if isinstance(found, Known) else found


def commits(root: Path) -> tuple[Commit, ...]:
    found = read(root)
    assert isinstance(found, History)
    return found.commits


def test_changes_hashes_and_pseudonyms(tmp_path: Path) -> None:
    replay(
        tmp_path,
        [
            {"message": "First\n\nbody", "files": {"a.py": LINE, "b.py": "x\n"}, "author": "Zoe"},
            {
                "message": "Second\n\nCo-authored-by: Claude <noreply@example.org>\nCo-authored-by: Ann <a@b>",
                "files": {"a.py": OTHER},
                "author": "Adam",
            },
            {"message": "Third", "files": {"a.py": LINE, "b.py": None}, "author": "Zoe"},
        ],
    )
    third, second, first = commits(tmp_path)
    assert [commit.subject for commit in (first, second, third)] == ["First", "Second", "Third"]
    assert [commit.author for commit in (first, second, third)] == ["person 1", "person 2", "person 1"]
    assert second.trailers == ("claude",)
    assert [(change.path, change.added, change.removed) for change in first.changes] == [("a.py", 1, 0), ("b.py", 1, 0)]
    assert [(change.path, change.added, change.removed) for change in third.changes] == [("a.py", 1, 1), ("b.py", 0, 1)]
    assert third.changes[0].added_hashes == first.changes[0].added_hashes == second.changes[0].removed_hashes != ()
    assert first.changes[1].added_hashes == ()  # too short to prove anything


def test_it_is_the_same_from_the_cache_and_follows_the_head(tmp_path: Path) -> None:
    root, cache = tmp_path / "app", tmp_path / "cache"
    root.mkdir()
    replay(root, [{"message": "one", "files": {"a.py": LINE}}])
    first = read(root, cache)
    assert first == read(root, cache)
    replay(root, [{"message": "two", "files": {"a.py": OTHER}, "days": 5}])
    again = read(root, cache)
    assert isinstance(again, History)
    assert again.total == 2


def test_only_changes_of_the_audited_directory_count(tmp_path: Path) -> None:
    replay(tmp_path, [{"message": "in", "files": {"app/a.py": LINE}}, {"message": "out", "files": {"other/b.py": LINE}}])
    assert [(commit.subject, commit.changes[0].path) for commit in commits(tmp_path / "app")] == [("in", "a.py")]
    (tmp_path / "new").mkdir()
    found = read(tmp_path / "new")
    assert isinstance(found, Unavailable)
    assert "of this directory" in found.reason


def test_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git, "COMMITS", 3)
    monkeypatch.setattr(git, "FILES_PER_COMMIT", 2)
    monkeypatch.setattr(git, "LINES_PER_FILE", 10)
    steps = [{"message": str(number), "files": {f"{name}.py": f"{LINE}# {number}\n" * 50 for name in "abc"}} for number in range(5)]
    replay(tmp_path, steps)
    found = read(tmp_path)
    assert isinstance(found, History)
    assert (len(found.commits), found.total, found.truncated) == (3, 5, True)
    assert all(len(commit.changes) == 2 for commit in found.commits)
    assert all(len(change.added_hashes) + len(change.removed_hashes) <= 10 for commit in found.commits for change in commit.changes)


def test_an_attribute_of_the_repository_hides_no_change(tmp_path: Path) -> None:
    replay(
        tmp_path,
        [{"message": "one", "files": {".gitattributes": "*.py binary -diff filter=x diff=x\n", "a.py": LINE, "b.bin": "x\x00y" * 50}}],
    )
    changes = {change.path: change for change in commits(tmp_path)[0].changes}
    assert changes["a.py"].added == 1
    assert len(changes["a.py"].added_hashes) == 1
    assert changes["b.bin"].added == 0


@pytest.mark.parametrize(
    "make",
    [
        lambda _: None,
        pygit2.init_repository,
        lambda path: pygit2.init_repository(path, bare=True),
        lambda path: (path / ".git").write_text("gitdir: /nowhere\n"),
    ],
)
def test_no_history_is_said(tmp_path: Path, make) -> None:
    make(tmp_path)
    assert isinstance(read(tmp_path), Unavailable)


def remove_objects(root: Path, kind: type, keep: int = 0) -> None:
    repository = pygit2.Repository(root)
    found = sorted(str(oid) for oid in repository if isinstance(repository[oid], kind))
    for oid in found[keep:]:
        (root / ".git" / "objects" / oid[:2] / oid[2:]).unlink()


@pytest.mark.parametrize("kind", [pygit2.Blob, pygit2.Tree])
def test_a_clone_without_contents_is_unavailable(tmp_path: Path, kind: type) -> None:
    replay(tmp_path, [{"message": str(number), "files": {"a.py": LINE + str(number)}} for number in range(5)])
    remove_objects(tmp_path, kind)
    found = read(tmp_path)
    assert isinstance(found, Unavailable)
    assert "missing" in found.reason


def test_one_missing_large_file_does_not_spoil_the_rest(tmp_path: Path) -> None:
    files = {f"{number}.py": f"{LINE}# {number}\n" for number in range(60)}
    replay(tmp_path, [{"message": "one", "files": files}])
    remove_objects(tmp_path, pygit2.Blob, keep=59)
    changes = commits(tmp_path)[0].changes
    assert sorted(change.added for change in changes) == [0] + [2] * 59


def test_a_shallow_border_is_no_giant_commit(tmp_path: Path) -> None:
    replay(tmp_path, [{"message": str(number), "files": {"a.py": LINE + str(number)}} for number in range(4)])
    border = list(pygit2.Repository(tmp_path).walk(pygit2.Repository(tmp_path).head.target))[2]
    (tmp_path / ".git" / "shallow").write_text(f"{border.id}\n")
    found = read(tmp_path)
    assert isinstance(found, History)
    assert found.shallow
    assert [commit.subject for commit in found.commits] == ["3", "2"]


def test_merges_are_left_out_and_tags_are_listed(tmp_path: Path) -> None:
    replay(tmp_path, [{"message": "one", "files": {"a.py": LINE}}, {"message": "two", "files": {"b.py": LINE}}])
    repository = pygit2.Repository(tmp_path)
    head = repository.head.peel(pygit2.Commit)
    signature = pygit2.Signature("One", "one@example.org", 1_800_000_000, 0)
    merge = repository.create_commit("HEAD", signature, signature, "merge", head.tree_id, [head.id, head.parent_ids[0]])
    repository.create_reference("refs/tags/v1", head.parent_ids[0])
    repository.create_tag("v2", merge, pygit2.enums.ObjectType.COMMIT, signature, "release")
    found = read(tmp_path)
    assert isinstance(found, History)
    assert [commit.subject for commit in found.commits] == ["two", "one"]
    assert (found.total, found.tags) == (3, ("v2", "v1"))


def test_odd_messages_and_names(tmp_path: Path) -> None:
    replay(
        tmp_path,
        [
            {"message": "", "files": {"a.py": LINE}, "author": "ü"},
            {"message": "x" * 5_000 + "\nGenerated with [Cursor](https://x)", "files": {"ä b.py": LINE}},
        ],
    )
    newest, oldest = commits(tmp_path)
    assert (oldest.subject, len(newest.subject), newest.trailers) == ("", 200, ("cursor",))
    assert newest.changes[0].path == "ä b.py"


def test_a_submodule_is_a_change_without_lines(tmp_path: Path) -> None:
    replay(tmp_path, [{"message": "one", "files": {"a.py": LINE}}])
    repository = pygit2.Repository(tmp_path)
    repository.index.add(pygit2.IndexEntry("sub", pygit2.Oid(hex="1" * 40), pygit2.enums.FileMode.COMMIT))
    signature = pygit2.Signature("One", "one@example.org", 1_800_000_000, 0)
    repository.create_commit("HEAD", signature, signature, "sub", repository.index.write_tree(), [repository.head.target])
    assert all(change.added == 0 for change in commits(tmp_path)[0].changes)


def test_from_texts_without_git(tmp_path: Path) -> None:
    assert isinstance(read(from_texts(tmp_path, {"a.py": LINE})), Unavailable)


def test_running_out_of_time_is_said(tmp_path: Path) -> None:
    replay(tmp_path, [{"message": "one", "files": {"a.py": LINE}}])
    context = Context(tmp_path, Cache(None), "2026-01-01", deadline=0.0)
    found = history(context)
    assert isinstance(found, Unavailable)
    assert "time limit" in found.reason


def test_the_main_line_with_its_hands(tmp_path: Path) -> None:
    replay(
        tmp_path,
        [
            {"message": "First", "files": {"a.py": LINE}, "author": "Ann"},
            {"message": "Part", "files": {"b.py": LINE}, "author": "cursor[bot]", "branch": "part"},
            {"message": "Merge pull request #7 from shop/part", "merge": "part", "author": "Ann", "committer": "GitHub"},
            {"message": "Squashed (#8)", "files": {"c.py": LINE}, "author": "Ben", "committer": "GitHub"},
            {"message": "Mend the issue (#9)", "files": {"d.py": LINE}, "author": "Ben"},
            {"message": "Local", "files": {"e.py": LINE}, "author": "Ben", "branch": "local"},
            {"message": "Merge branch 'main' of example.org:shop", "merge": "local", "author": "Ben"},
            {"message": "Patch\n\nReviewed-by: Ann <ann@example.org>", "files": {"f.py": LINE}, "author": "dependabot[bot]"},
        ],
    )
    found = read(tmp_path)
    assert isinstance(found, History)
    patch, pull, local, issue, squashed, merge = found.landings
    assert (merge.request, merge.author, merge.brought, merge.hosted) == ("#7", "person 1", ("assistant 1",), True)
    assert (squashed.request, squashed.author, squashed.committer) == ("#8", "person 2", "person 2")
    assert not issue.request
    assert pull.synced
    assert local.paths == ("e.py",)
    assert (patch.reviewed, patch.author) == (True, "robot 1")
    assert "ann" not in repr(found).lower().replace("landing", "")
