"""A process of its own that runs bandit's tests over texts it is given: `python -I bandit_worker.py < job.json > answers.jsonl`.

It imports nothing of auditor, opens no file of the audited tree and reads no configuration. Job: {"site": directory bandit is installed
in, "tests": [ids], "files": [[name, text], ...]}. One JSON line per file, written at once: [name, "" or why it was not read, [hit, ...]]
with hit = [test id, first line, last line, severity, confidence].
"""

from __future__ import annotations

import ast
import gc
import io
import json
import logging
import sys
import warnings
from typing import Any

_BREAKAGE = "Bandit internal error running"


class _Breakage(logging.Handler):
    """Hears bandit's only sign that one of its tests raised: a log line, no result, exit code 0."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard = False

    def emit(self, record: logging.LogRecord) -> None:
        self.heard = self.heard or _BREAKAGE in record.getMessage()


def main() -> None:
    """Read the job, answer file by file."""
    job = json.load(sys.stdin)
    if job["site"] not in sys.path:
        sys.path.append(job["site"])
    warnings.simplefilter("ignore")
    gc.disable()  # the trees are acyclic enough and the process is short-lived
    sys.setrecursionlimit(4_000)
    breakage = _Breakage()
    logger = logging.getLogger("bandit")
    logger.addHandler(breakage)
    logger.propagate = False
    visitor, tests, metrics = _prepare(job["tests"])
    for name, text in job["files"]:
        breakage.heard = False
        reason, hits = _examine(visitor, tests, metrics, text)
        if breakage.heard:
            reason = "one of bandit's tests broke on it"
        sys.stdout.write(json.dumps([name, reason, hits]) + "\n")
        sys.stdout.flush()
        gc.collect(0)


def _prepare(ids: list[str]) -> tuple[Any, Any, Any]:
    from bandit.core import config, metrics, node_visitor, test_set

    tests = test_set.BanditTestSet(config.BanditConfig(), {"include": ids})
    handled = set(tests.tests)
    looked_at = handled | {"Import", "ImportFrom", "FunctionDef", "ClassDef"} | ({"Constant"} if {"Str", "Bytes"} & handled else set())

    class Visitor(node_visitor.BanditNodeVisitor):  # type: ignore[misc]  # bandit has no type information
        """Bandit's visitor without its work for nodes that none of the wanted tests look at."""

        def pre_visit(self, node: ast.AST) -> bool:
            if type(node).__name__ in looked_at:
                super().pre_visit(node)
            return True

        def post_visit(self, node: ast.AST) -> None:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                super().post_visit(node)

        def visit(self, node: ast.AST) -> None:
            kind = type(node).__name__
            method = getattr(self, f"visit_{kind}", None)
            if method is not None and kind in looked_at:
                method(node)
            elif kind in handled:
                self.tester.run_tests(self.context, kind)

        def update_scores(self, scores: Any) -> None:
            """Scores are not used here."""

    return Visitor, tests, metrics.Metrics()


def _examine(visitor: Any, tests: Any, metrics: Any, text: str) -> tuple[str, list[list[Any]]]:
    """Why the text was not read ("" if it was) and the hits in it."""
    try:
        run = visitor("file.py", io.BytesIO(text.encode("utf-8", "replace")), None, tests, False, {}, metrics)
        run.process(text)
    except SyntaxError as error:
        return f"Python {sys.version_info.major}.{sys.version_info.minor} cannot parse it (line {error.lineno or 0})", []
    except RecursionError:
        return "it is nested too deeply", []
    except MemoryError:
        return "it needs too much memory", []
    except Exception as error:  # noqa: BLE001 - hostile input: whatever a test of bandit raises concerns this file only
        return f"bandit broke on it ({type(error).__name__})", []
    return "", sorted(_hit(issue) for issue in run.tester.results)


def _hit(issue: Any) -> list[Any]:
    lines = issue.linerange or [issue.lineno]
    return [issue.test_id, int(issue.lineno), int(max(lines)), str(issue.severity), str(issue.confidence)]


if __name__ == "__main__":
    main()
