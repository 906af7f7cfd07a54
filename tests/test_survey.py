"""What the report pictures beside its verdicts, gathered from evidence: measures of files, the time line, code of copies without credentials."""

from __future__ import annotations

from auditor import survey
from auditor.model.evidence import CloneFamily, Clones, Commit, FileChange, Fragment, History, Secret, Secrets, UnitComplexity
from auditor.model.snapshot import Language, Role, Snapshot, SourceFile
from tests.support.fakes import FAKES


def commit(number: int, subject: str, *paths: str, hours: float = 1.0, author: str = "person 1") -> Commit:
    changes = tuple(FileChange(path, 3, 2, (number, number + 1, number + 2), (number - 1, number)) for path in paths)
    return Commit(f"{number:040x}", 1_700_000_000 + int(number * hours * 3_600), author, subject, (), changes)


def past(*commits: Commit) -> History:
    """A history, newest first as it is read."""
    return History(tuple(reversed(commits)), len(commits) + 7, False)


def tree(*files: tuple[str, int]) -> Snapshot:
    found = tuple(SourceFile(path, Language.PYTHON, Role.FIRST_PARTY, "d", lines * 30, lines) for path, lines in files)
    return Snapshot(found, (), "git", "", "digest")


def test_files_are_measured_from_all_that_is_known() -> None:
    units = [UnitComplexity("a.py", "f", 1, 9, 4, 8), UnitComplexity("a.py", "g", 10, 30, 11, 20), UnitComplexity("b.py", "h", 1, 3, 2, 3)]
    clones = Clones(
        (
            CloneFamily((Fragment("a.py", 1, 10), Fragment("b.py", 1, 10)), 60, 10, exact=True),
            CloneFamily((Fragment("a.py", 5, 14), Fragment("a.py", 40, 49)), 60, 10, exact=True),
        ),
        10,
        100,
    )
    history = past(commit(1, "start", "a.py", "b.py"), commit(2, "more", "a.py"), commit(3, "docs", "README.md"))
    found = survey.measures(tree(("a.py", 60), ("b.py", 8), ("test_a.py", 9)), frozenset({"a.py", "b.py"}), units, clones, history)
    assert [(f.path, f.lines, f.complexity, f.worst, f.changes, f.copied) for f in found] == [
        ("a.py", 60, 15, 11, 2, 24),
        ("b.py", 8, 2, 2, 1, 8),
    ]


def test_only_the_largest_files_are_carried_and_in_path_order() -> None:
    many = tree(*((f"f{number:05}.py", number % 977) for number in range(survey.FILES + 50)))
    found = survey.measures(many, frozenset(file.path for file in many.files), (), None, None)
    assert len(found) == survey.FILES
    assert [file.path for file in found] == sorted(file.path for file in found)
    assert min(file.lines for file in found) >= sorted(file.lines for file in many.files)[50]


def test_the_time_line_is_in_order_and_names_nobody_and_no_subject() -> None:
    history = past(
        commit(1, "Add search by Jane Doe", "app.py"),
        commit(2, "fix: crash in search", "app.py", "test_app.py"),
        commit(3, 'Revert "Add search"', "app.py", author="assistant 1"),
    )
    found = survey.time_line(history)
    assert [(mark.fix, mark.revert, mark.tested, mark.assisted) for mark in found.commits] == [
        (False, False, False, False),
        (True, False, True, False),
        (False, True, False, True),
    ]
    assert [mark.when for mark in found.commits] == sorted(mark.when for mark in found.commits)
    assert (found.read, found.total) == (3, 10)
    assert "Jane" not in repr(found)


def test_a_run_of_attempts_becomes_a_loop() -> None:
    attempts = [
        Commit(
            f"{n:040x}",
            1_700_000_000 + n * 1_800,
            "person 1",
            f"fix login again {n}",
            (),
            (FileChange("auth.py", 2, 2, (n, n + 100), (n - 1, n + 99)),),
        )
        for n in range(1, 8)
    ]
    loop = survey.time_line(past(*attempts)).loops[0]
    assert (loop.path, loop.kind, len(loop.commits)) == ("auth.py", "chain", 7)
    assert loop.start < loop.end


def test_code_of_copies_shows_no_credential_and_none_is_shown_where_nobody_looked() -> None:
    key = FAKES["aws-secret-key"]
    text = f"def connect():\n    secret = '{key}'\n    return open_store(secret)\n"
    texts = {"a.py": text, "b.py": text}
    clones = Clones((CloneFamily((Fragment("a.py", 1, 3), Fragment("b.py", 1, 3)), 60, 3, exact=True),), 3, 6)
    secrets = Secrets((Secret("aws-secret-key", "a.py", 2, key[:4], len(key), "working", "form"),))
    found = survey.copies(clones, texts, secrets)
    assert len(found.samples) == 1
    assert found.samples[0].left.text[0] == "def connect():"
    assert key not in repr(found)
    assert survey.copies(clones, texts, None).samples == ()


def test_the_pair_shown_is_of_two_files_and_of_like_length() -> None:
    family = CloneFamily(
        (Fragment("a.py", 1, 9), Fragment("a.py", 20, 28), Fragment("b.py", 1, 3), Fragment("c.py", 1, 8)), 60, 9, exact=False
    )
    texts = dict.fromkeys(("a.py", "b.py", "c.py"), "x = 1\n" * 40)
    sample = survey.copies(Clones((family,), 9, 90), texts, Secrets(())).samples[0]
    assert (sample.left.path, sample.right.path) == ("a.py", "c.py")
