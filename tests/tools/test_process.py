"""The one place that starts programs: bounds, a private environment, nothing left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from auditor.tools.process import Ending, find_program, run, run_side_by_side, workspace


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-c", code]


def gone(pid: int) -> bool:
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_output_and_exit_code_come_back(tmp_path: Path) -> None:
    done = run(python("import sys; print(sys.stdin.read()); print('x', file=sys.stderr); sys.exit(3)"), cwd=tmp_path, stdin="grüße")
    assert (done.code, done.stdout.strip(), done.stderr.strip(), done.ending) == (3, "grüße", "x", Ending.EXITED)


def test_only_known_variables_are_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_MINE", "1")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    code = "import os; print('SECRET_OF_MINE' in os.environ, 'HTTPS_PROXY' in os.environ, os.environ['HOME'])"
    assert run(python(code), cwd=tmp_path).stdout.split() == ["False", "False", str(tmp_path)]
    assert run(python(code), cwd=tmp_path, network=True).stdout.split()[1] == "True"


def test_a_program_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    started = time.monotonic()
    done = run(python(code), cwd=tmp_path, timeout=1.0)
    assert done.ending is Ending.TIMED_OUT
    assert time.monotonic() - started < 60
    assert gone(int(done.stdout))


def test_a_child_left_behind_by_a_normal_exit_is_killed(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "print(child.pid, flush=True)"
    )
    done = run(python(code), cwd=tmp_path, timeout=20)
    assert done.ending is Ending.EXITED
    assert gone(int(done.stdout))


def test_cancelling_stops_it(tmp_path: Path) -> None:
    cancelled = threading.Event()
    threading.Timer(0.3, cancelled.set).start()
    assert run(python("import time; time.sleep(60)"), cwd=tmp_path, cancelled=cancelled).ending is Ending.CANCELLED


def test_endless_output_is_stopped(tmp_path: Path) -> None:
    done = run(python("while True: print('x' * 10000)"), cwd=tmp_path, timeout=60, limit=1_000_000)
    assert done.ending is Ending.TOO_MUCH_OUTPUT


def test_a_program_that_does_not_exist_is_an_answer(tmp_path: Path) -> None:
    assert run([str(tmp_path / "nothing")], cwd=tmp_path).ending is Ending.NOT_STARTED


def test_unread_input_does_not_block(tmp_path: Path) -> None:
    assert run(python("print(1)"), cwd=tmp_path, stdin="x" * 10_000_000, timeout=30).stdout == "1\n"


def test_side_by_side_keeps_the_order(tmp_path: Path) -> None:
    jobs = [(python(f"import time; time.sleep({0.3 - number / 10}); print({number})"), "") for number in range(3)]
    done = run_side_by_side(jobs, workers=3, cwd=tmp_path, timeout=30, cancelled=threading.Event())
    assert [one.stdout.strip() for one in done] == ["0", "1", "2"]


def test_the_workspace_is_private_outside_the_tree_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "app").mkdir()
    with workspace(tmp_path / "app") as directory:
        assert not directory.is_relative_to(tmp_path / "app")
        assert directory.stat().st_mode & 0o077 == 0
    assert not directory.exists()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "app"))
    with workspace(tmp_path / "app") as directory:
        assert directory.is_relative_to(tmp_path / "cache")


def test_programs_are_looked_for_beside_the_interpreter_first(tmp_path: Path) -> None:
    program = tmp_path / "some-tool"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert find_program("some-tool", tmp_path / "python") == str(program)
    assert find_program("no-such-tool-anywhere", tmp_path / "python") is None


def test_an_interrupt_leaves_no_program_behind(tmp_path: Path) -> None:
    """As in an audit: the tool runs in a thread while the main thread waits and is interrupted."""
    script = tmp_path / "audit.py"
    script.write_text(
        "import sys, threading, time\nfrom pathlib import Path\nfrom auditor.tools.process import run_side_by_side\n"
        "tool = [sys.executable, '-c', \"import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(60)\"]\n"
        "work = lambda: run_side_by_side([(tool, ''), (tool, '')], workers=2, cwd=Path(sys.argv[1]), timeout=None, cancelled=threading.Event())\n"
        "threading.Thread(target=work, daemon=True).start()\n"
        "time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, str(script), str(tmp_path)], stderr=subprocess.DEVNULL)
    pid = tmp_path / "pid"
    for _ in range(200):
        if pid.exists() and pid.read_text():
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) != 0
    assert gone(int(pid.read_text()))
