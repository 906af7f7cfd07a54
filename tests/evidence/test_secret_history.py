"""Credentials of the history: found once, not when they are still there, never shown; bounds, cut clones and absent objects are told."""

from __future__ import annotations

import shutil
from pathlib import Path

import pygit2
import pytest

from auditor import audit
from auditor.cache import Cache
from auditor.checks.secrets.history_clean import history_clean
from auditor.evidence import secret_history as evidence
from auditor.evidence.registry import Context
from auditor.languages.credentials import Vanished, surroundings_of
from auditor.model.evidence import PastSecret, Secret, SecretHistory, Secrets
from auditor.model.need import Known, Unavailable
from auditor.model.snapshot import Language, Role, Snapshot
from auditor.model.verdict import Assessed, Judgement, NotApplicable, Undecided
from auditor.snapshot import read_tree
from auditor.tools import past_versions
from auditor.tools.history import Head
from tests.support.fakes import FAKES
from tests.support.repositories import replay

KEY, OTHER = FAKES["github-token"], FAKES["openai-key"]


def search(root: Path, cache: Path | None = None) -> SecretHistory:
    found = evidence.secret_history(Context(root, Cache(cache), "2026-03-01"), read_tree(root).texts)
    assert isinstance(found, Known), found
    return found.value


def judged_alone(history: SecretHistory) -> Judgement:
    """The verdict where nothing stands in the tree."""
    return history_clean(history, Secrets(()), Snapshot((), (), "git", "", ""))


def leaky(root: Path) -> Path:
    """A key that stood in a file for two commits, in a line that was written twice."""
    root.mkdir(exist_ok=True)
    replay(
        root,
        [
            {"message": "start", "files": {"app/a.py": "x = 1\n"}},
            {"message": "key", "files": {"app/a.py": f"x = 1\nTOKEN = '{KEY}'\n"}},
            {"message": "shift", "files": {"app/a.py": f"x = 1\n\nTOKEN =  '{KEY}'  # soon\n"}},
            {"message": "gone", "files": {"app/a.py": "x = 2\n"}},
        ],
    )
    return root


def test_a_deleted_value_is_named_once_with_the_first_commit_that_had_it(tmp_path: Path) -> None:
    root = leaky(tmp_path / "app")
    found = search(root)
    assert [(past.secret.kind, past.secret.path, past.secret.line, past.secret.certainty) for past in found.found] == [
        ("github-token", "app/a.py", 2, "working")
    ]
    commit = pygit2.Repository(root)[found.found[0].commit]
    assert isinstance(commit, pygit2.Commit)
    assert commit.message == "key"
    assert (found.commits, found.total, found.gap) == (4, 4, "")


def test_the_report_and_the_cache_hold_no_value(tmp_path: Path) -> None:
    root = leaky(tmp_path / "app")
    report = audit(root, only=["secrets.history-clean"], date="2026-03-01", cache_dir=tmp_path / "cache", workers=1, debug=True)
    outcome = report.outcomes[0]
    assert outcome.verdict.value == "fail"
    assert "revoked even though it is gone" in outcome.findings[0].message
    assert search(root).found[0].commit[:8] in outcome.findings[0].message
    assert KEY[4:] not in repr(report)
    assert all(KEY[8:].encode() not in path.read_bytes() for path in (tmp_path / "cache").iterdir())


def test_what_still_stands_somewhere_is_not_gone(tmp_path: Path) -> None:
    root = leaky(tmp_path / "app")
    (root / "elsewhere.txt").write_text(f"token {KEY}\n")
    assert search(root).found == ()


def test_a_second_audit_reads_only_new_commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, cache = leaky(tmp_path / "app"), tmp_path / "cache"
    first = search(root, cache)
    replay(root, [{"message": "another", "files": {"b.py": f"KEY = '{OTHER}'\n"}}, {"message": "gone too", "files": {"b.py": "y = 1\n"}}])
    read: list[str] = []
    monkeypatch.setattr(evidence, "find_credentials", lambda text, *rest: read.append(text) or original(text, *rest))
    second = search(root, cache)
    assert KEY not in "".join(read)
    assert second.found[0] == first.found[0]
    assert second == search(root)
    assert [past.secret.kind for past in second.found] == ["github-token", "openai-key"]
    read.clear()
    assert search(root, cache) == second
    assert read == []


original = evidence.find_credentials


def test_only_the_audited_directory_counts(tmp_path: Path) -> None:
    root = leaky(tmp_path / "app")
    replay(root, [{"message": "two", "files": {"web/b.py": "y = 1\n"}}])
    assert search(root / "web").found == ()
    assert [past.secret.path for past in search(root / "app").found] == ["a.py"]


def test_what_a_merge_brings_is_seen_once_and_what_only_the_merge_has_too(tmp_path: Path) -> None:
    root = leaky(tmp_path / "app")
    repository = pygit2.Repository(root)
    base, person = repository.head.target, pygit2.Signature("One", "one@example.org", 1_800_000_000, 0)
    builder = repository.TreeBuilder(repository[base].peel(pygit2.Tree))
    builder.insert("deploy.py", repository.create_blob(f"KEY = '{OTHER}'\n".encode()), pygit2.enums.FileMode.BLOB)
    side = repository.create_commit(None, person, person, "side", repository[base].peel(pygit2.Tree).id, [base])
    merge = repository.create_commit("HEAD", person, person, "merge", builder.write(), [base, side])
    repository.create_commit("HEAD", person, person, "gone", repository[base].peel(pygit2.Tree).id, [merge])
    assert [past.commit for past in search(root).found][-1] == str(merge)


@pytest.mark.parametrize(
    ("bound", "value", "reason"), [("COMMITS", 2, "newest commits"), ("VERSIONS", 0, "versions"), ("ADDED_BYTES", 3, "added lines")]
)
def test_bounds_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, value: int, reason: str) -> None:
    root = tmp_path / "app"
    root.mkdir()
    replay(root, [{"message": str(number), "files": {"a.py": f"number = {number}\n"}} for number in range(6)])
    monkeypatch.setattr(past_versions, bound, value)
    found = search(root, tmp_path / "cache")
    assert found.commits < found.total == 6
    assert reason in found.gap
    assert isinstance(judged_alone(found), Undecided)
    assert search(root, tmp_path / "cache") == found


def test_an_incomplete_search_is_not_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = leaky(tmp_path / "app")
    with monkeypatch.context() as patched:
        patched.setattr(past_versions, "COMMITS", 1)
        assert search(root, tmp_path / "cache").found == ()
    replay(root, [{"message": "more", "files": {"b.py": "y = 1\n"}}])
    assert len(search(root, tmp_path / "cache").found) == 1


def test_the_time_limit_is_told_and_not_remembered(tmp_path: Path) -> None:
    root, cache = leaky(tmp_path / "app"), Cache(tmp_path / "cache")
    late = Context(root, cache, "2026-03-01")
    late.cancelled.set()
    found = evidence.secret_history(late, {})
    assert isinstance(found, Known)
    assert "time limit" in found.value.gap
    assert search(root, tmp_path / "cache").gap == ""


def test_a_large_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = leaky(tmp_path / "app")
    replay(root, [{"message": "big", "files": {"data.txt": "words and words\n" * 1000}}])
    monkeypatch.setattr(past_versions, "BLOB_BYTES", 5_000)
    assert "1 versions of files are too large" in search(root).gap


def test_a_partial_clone_is_told(tmp_path: Path) -> None:
    root = leaky(tmp_path / "app")
    repository = pygit2.Repository(root)
    blob = next(
        past_versions.PastVersions(repository, Head(str(repository.head.target), ""), lambda _: True, lambda: False).read(
            past_versions.reachable(repository, Head(str(repository.head.target), ""))
        )
    ).blob
    (root / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    found = search(root)
    assert "not in this clone" in found.gap
    assert len(found.found) == 1


def test_a_shallow_clone_is_told(tmp_path: Path) -> None:
    root = leaky(tmp_path / "app")
    repository = pygit2.Repository(root)
    newest = repository[repository.head.target].peel(pygit2.Commit)
    (root / ".git" / "shallow").write_text(f"{newest.id}\n")
    for parent in newest.parent_ids:
        name = str(parent)
        (root / ".git" / "objects" / name[:2] / name[2:]).unlink()
    found = search(root)
    assert found.found == ()
    assert "shallow" in found.gap
    assert isinstance(judged_alone(found), Undecided)


def test_no_history_and_no_commit(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    assert isinstance(judged_alone(search(tmp_path)), NotApplicable)
    pygit2.init_repository(tmp_path)
    assert isinstance(judged_alone(search(tmp_path)), NotApplicable)


def test_a_damaged_repository_is_no_missing_history(tmp_path: Path) -> None:
    root = leaky(tmp_path / "app")
    shutil.rmtree(root / ".git" / "objects")
    (root / ".git" / "objects").mkdir()
    assert isinstance(evidence.secret_history(Context(root, Cache(None), "2026-03-01"), {}), Unavailable)


def test_certainty_decides() -> None:
    def judged(certainty: str, kind: str = "api-key", gap: str = "") -> float:
        past = PastSecret(Secret(kind, "a.py", 1, "", 20, certainty, "it is one"), "a" * 40, 0)
        judgement = judged_alone(SecretHistory((past,), 3, 3, gap))
        assert isinstance(judgement, Assessed)
        return judgement.floor

    assert (judged("working", gap="a bound"), judged("likely"), judged("possible")) == (1.0, 0.5, 0.0)


def test_a_deleted_key_is_told_from_another_one_that_begins_alike() -> None:
    gone, kept = FAKES["private-key"], FAKES["gcp-service-account"].split('"private_key": "')[1].split('"')[0].replace("\\n", "\n").strip()
    surroundings = surroundings_of("deploy/old.pem", Language.OTHER, Role.ASSET)
    assert gone.split("\n")[0] == kept.split("\n")[0]
    assert [secret.kind for secret in Vanished([kept], 0).find(gone, surroundings)] == ["private-key"]
    assert Vanished([f"KEY={gone.replace(chr(10), chr(92) + 'n')}"], 0).find(gone, surroundings) == []
