"""Hand-made reports for the renderers' tests: a rich one, an all-pass one, one without a grade, one without history, and a hostile one."""

from __future__ import annotations

import dataclasses
from functools import cache

from auditor.catalogue import catalogue
from auditor.comparison import compare
from auditor.interview import hold, questions
from auditor.model.evidence import CloneFamily, Edge, Fragment, Module
from auditor.model.interview import Answer, Contradiction, Interview, Statement
from auditor.model.need import ToolStamp
from auditor.model.project import Framework, Kind, Part
from auditor.model.report import (
    SCHEMA_VERSION,
    CloneReport,
    CommitMark,
    CopySample,
    EvidenceNote,
    FileMeasure,
    GraphReport,
    HistorySummary,
    Item,
    LanguageCount,
    Loop,
    Report,
    Scope,
    Stretch,
)
from auditor.model.syntax import ImportKind
from auditor.model.triage import Decision, Ruling
from auditor.model.verdict import Confidence, Finding, Outcome, Place, Verdict
from auditor.score import score
from auditor.triage import apply

WORDS = {
    "security.sql-parameterised": ("Queries are built with bound values", "Query text is assembled from outside values"),
    "secrets.no-insecure-defaults": ("Missing settings stop the start", "A missing setting is replaced by a value anybody can guess"),
    "resilience.outbound-timeouts": ("Every outgoing call has a time limit", "Outgoing calls can hang for ever"),
    "observability.health-endpoint": ("A probe can ask whether the service is well", "Nothing tells a platform that the service is ill"),
    "architecture.no-import-cycles": ("Modules depend on each other in one direction", "Modules import each other in a circle"),
}

FAIL, PARTIAL, UNKNOWN, PASS, NOT_APPLICABLE = Verdict.FAIL, Verdict.PARTIAL, Verdict.UNKNOWN, Verdict.PASS, Verdict.NOT_APPLICABLE

VERDICTS: dict[str, tuple[Verdict, float, str]] = {
    "security.sql-parameterised": (FAIL, 1.0, "2 of 31 queries paste a value from the request into their text."),
    "security.no-dynamic-execution": (PASS, 0.0, "No code is built from text at run time in 64 files."),
    "security.cors-restricted": (PARTIAL, 0.5, "Any origin may call the API, without credentials."),
    "security.debug-off": (PASS, 0.0, "Debug mode follows a setting that is off by default."),
    "secrets.none-committed": (PASS, 0.0, "No working credential in 118 tracked files."),
    "secrets.no-insecure-defaults": (FAIL, 1.0, "The key that signs sessions falls back to a public text."),
    "secrets.none-in-client": (PASS, 0.0, "Nothing secret reaches the browser bundle."),
    "resilience.outbound-timeouts": (FAIL, 0.86, "6 of 7 outgoing calls have no time limit."),
    "resilience.no-swallowed-errors": (PARTIAL, 0.31, "9 of 29 error handlers drop the error."),
    "observability.real-logging": (PARTIAL, 0.4, "14 of 35 messages are printed and not logged."),
    "observability.error-reporting": (FAIL, 1.0, "No error tracker is configured: nobody is told when a request fails."),
    "observability.health-endpoint": (FAIL, 1.0, "No route answers whether the service is well."),
    "tests.meaningful": (PARTIAL, 0.5, "23 of 46 tests check a result; the others only call."),
    "tests.can-fail": (PASS, 0.0, "All 46 tests can fail."),
    "tests.run-in-ci": (FAIL, 1.0, "The pipeline builds and deploys without running the tests."),
    "data.migrations-versioned": (PASS, 0.0, "12 migrations in one line, one head."),
    "data.migrations-reversible": (PARTIAL, 0.25, "3 of 12 migrations cannot be undone."),
    "deploy.build-defined": (PASS, 0.0, "A Dockerfile builds the service from locked dependencies."),
    "deploy.rollback-path": (UNKNOWN, 0.0, "The deployment platform is not described in the repository."),
    "deploy.container-hardened": (PARTIAL, 0.5, "The container runs as root."),
    "deps.locked": (PASS, 0.0, "All 61 packages are locked with checksums."),
    "deps.declared-and-real": (PASS, 0.0, "38 of 38 imported packages are declared."),
    "deps.no-known-vulnerabilities": (
        UNKNOWN,
        0.0,
        "advisories is not available: no advisory data. Give an archive with --advisories FILE.",
    ),
    "architecture.no-import-cycles": (FAIL, 0.7, "Two circles of 3 and 2 modules are entered at import time."),
    "architecture.no-giant-units": (PARTIAL, 0.2, "Two functions are longer than 150 lines."),
    "architecture.complexity-bounded": (PASS, 0.03, "3 % of the code is in functions with more than 15 decisions."),
    "debt.no-duplication": (PARTIAL, 0.4, "8.1 % of the lines have an older twin."),
    "ops.config-from-environment": (PASS, 0.0, "All 14 settings come from the environment."),
    "ops.runbook": (FAIL, 1.0, "No document says what to do when it breaks."),
    "wiring.names-resolve": (PASS, 0.0, "Every imported name exists."),
    "specs.agent-rules": (NOT_APPLICABLE, 0.0, "No sign of coding assistants in files or history."),
    "specs.no-fix-loops": (PASS, 0.0, "No stretch of code was done and undone more than twice."),
}

EXCERPTS: dict[str, list[Finding]] = {
    "security.sql-parameterised": [
        Finding(
            "sql-from-request",
            "backend/api/invoices.py",
            "The search text of any logged-in user becomes part of the query: one apostrophe reads or empties the invoices table.",
            41,
            41,
            Confidence.HIGH,
            "semgrep",
            89,
            "a" * 20,
            (
                "def search_invoices(q: str, session: Session = Depends(get_session)):",
                '    """Search the caller\'s invoices by text."""',
                "    rows = session.execute(text(f\"SELECT * FROM invoices WHERE note LIKE '%{q}%'\"))",
                "    return [dict(row) for row in rows]",
                "",
            ),
            39,
        ),
        Finding(
            "sql-from-request",
            "backend/api/reports.py",
            "The column to sort by is taken from the address and pasted into the query.",
            88,
            90,
            Confidence.MEDIUM,
            "syntax",
            89,
            "b" * 20,
            (
                "    order = request.args['sort']",
                "    query = (",
                '        "SELECT id, total FROM invoices ORDER BY "',
                "        + order",
                "    )",
                "    return run(query)",
            ),
            86,
        ),
    ],
    "secrets.no-insecure-defaults": [
        Finding(
            "default-signing-key",
            "backend/core/config.py",
            "Whoever reads the source can sign a session for any account when SECRET_KEY is not set.",
            12,
            12,
            Confidence.HIGH,
            "syntax",
            1188,
            "c" * 20,
            (
                "class Settings(BaseSettings):",
                '    database_url: str = "postgresql://localhost/app"',
                '    secret_key: str = os.getenv("SECRET_KEY", "c… (9 characters)")',
                "    debug: bool = False",
                "",
            ),
            10,
        )
    ],
    "resilience.outbound-timeouts": [
        Finding(
            "no-timeout",
            f"backend/services/{name}.py",
            "The request waits for ever when the other side does not answer.",
            line,
            line,
            fingerprint=str(line) * 5,
            excerpt=("def send(payload):", "    response = requests.post(URL, json=payload)", "    response.raise_for_status()"),
            excerpt_start=line - 1,
        )
        for name, line in (("mail", 18), ("billing", 44), ("billing", 71), ("crm", 9), ("maps", 30), ("storage", 25))
    ],
    "architecture.no-import-cycles": [
        Finding(
            "import-cycle",
            "backend/services/billing.py",
            "billing, customers and invoices can only be changed together.",
            3,
            3,
            fingerprint="d" * 20,
            excerpt=(
                "from decimal import Decimal",
                "",
                "from backend.services.customers import Customer",
                "from backend.core.config import settings",
            ),
            excerpt_start=1,
        )
    ],
    "ops.runbook": [],
}


def _finding(item_id: str, number: int) -> Finding:
    path = f"backend/services/part_{number}.py"
    return Finding(
        "example",
        path,
        f"This place breaks the claim of {item_id}.",
        10 + number,
        10 + number,
        fingerprint=f"{item_id}-{number}",
        excerpt=("first", "second"),
        excerpt_start=9 + number,
    )


def outcome(item_id: str, verdict: Verdict, badness: float, reason: str, findings: list[Finding] | None = None) -> Outcome:
    """One outcome of the catalogue's item."""
    item = catalogue().item(item_id)
    if findings is None:
        findings = [_finding(item_id, number) for number in range(3)] if verdict in (FAIL, PARTIAL) else []
    return Outcome(
        id=item_id,
        category=item.category,
        severity=item.severity,
        verdict=verdict,
        badness=badness,
        ceiling={UNKNOWN: 1.0, PASS: badness, NOT_APPLICABLE: 0.0}.get(verdict, badness),
        confidence=Confidence.HIGH,
        reason=reason,
        findings=tuple(findings),
        evidence=(Place("backend/main.py", 12), Place("backend/core/config.py", 4)) if verdict is PASS else (),
        signals=("64 files searched", "Python and TypeScript") if verdict is PASS else (),
        examined=64,
        scope=66 if verdict is PARTIAL else 64,
        bad=2,
        total=31,
        unexamined=(("backend/legacy/old.py", "does not parse at line 7"), ("frontend/src/x.tsx", "larger than 20 MB"))
        if verdict is PARTIAL
        else (),
    )


def items(judged: frozenset[str]) -> tuple[Item, ...]:
    """The catalogue's items, judged as the sample says and not as the installed checks do."""
    return tuple(
        dataclasses.replace(
            item,
            judged=item.id in judged,
            passing_title=WORDS.get(item.id, ("", ""))[0],
            failing_title=WORDS.get(item.id, ("", ""))[1],
            done_when="A test shows it: the old way is refused, the new way works." if item.id in judged else "",
            cannot_see="What is configured outside the repository, such as a proxy in front of the service." if item.id in judged else "",
        )
        for item in catalogue().items
    )


def graph() -> GraphReport:
    """Some seventy modules in folders, with two circles."""
    names = {
        "backend": ["main"],
        "backend.api": ["invoices", "reports", "customers", "auth", "health", "users", "exports"],
        "backend.services": ["billing", "customers", "invoices", "mail", "crm", "maps", "storage", "pdf"],
        "backend.core": ["config", "security", "logging"],
        "backend.models": ["invoice", "customer", "user", "payment"],
        "backend.db": ["session", "queries"],
    }
    modules = [
        Module(f"{folder}.{name}", f"{folder.replace('.', '/')}/{name}.py", "python", 80 + 7 * len(name))
        for folder, all_ in names.items()
        for name in all_
    ]
    pages = [
        "App",
        *(f"pages/Page{n}" for n in range(12)),
        *(f"components/Part{n}" for n in range(18)),
        *(f"lib/tool{n}" for n in range(5)),
    ]
    modules += [Module(f"frontend/src/{page}.tsx", f"frontend/src/{page}.tsx", "tsx", 60) for page in pages]
    at, lazy = ImportKind.IMPORT_TIME, ImportKind.LAZY
    edges = [Edge("backend.main", f"backend.api.{name}", at, 4) for name in names["backend.api"]]
    edges += [Edge(f"backend.api.{name}", f"backend.services.{name}", at, 3) for name in ("invoices", "customers")]
    edges += [Edge("backend.api.reports", "backend.db.queries", at, 3), Edge("backend.api.auth", "backend.core.security", at, 2)]
    edges += [
        Edge("backend.services.billing", "backend.services.customers", at, 3),
        Edge("backend.services.customers", "backend.services.invoices", at, 3),
    ]
    edges += [
        Edge("backend.services.invoices", "backend.services.billing", at, 5),
        Edge("backend.services.mail", "backend.core.config", at, 1),
    ]
    edges += [
        Edge(f"backend.services.{name}", f"backend.models.{model}", at, 2)
        for name, model in (("billing", "payment"), ("customers", "customer"), ("invoices", "invoice"))
    ]
    edges += [Edge(f"backend.models.{name}", "backend.db.session", at, 1) for name in names["backend.models"]]
    edges += [Edge("backend.db.session", "backend.core.config", at, 1), Edge("backend.core.config", "backend.core.logging", at, 1)]
    edges += [Edge("backend.core.logging", "backend.core.config", lazy, 9), Edge("backend.core.security", "backend.models.user", at, 4)]
    edges += [Edge("backend.models.user", "backend.core.security", at, 3)]
    edges += [Edge("frontend/src/App.tsx", f"frontend/src/pages/Page{n}.tsx", lazy if n % 3 else at, n) for n in range(12)]
    edges += [Edge(f"frontend/src/pages/Page{n}.tsx", f"frontend/src/components/Part{(n * 5) % 18}.tsx", at, 2) for n in range(12)]
    edges += [Edge(f"frontend/src/components/Part{n}.tsx", f"frontend/src/lib/tool{n % 5}.tsx", at, 2) for n in range(18)]
    layers = (
        ("backend.main", "frontend/src/App.tsx"),
        (*(f"backend.api.{n}" for n in names["backend.api"]), *(f"frontend/src/pages/Page{n}.tsx" for n in range(12))),
        (*(f"backend.services.{n}" for n in names["backend.services"]), *(f"frontend/src/components/Part{n}.tsx" for n in range(18))),
        (
            *(f"backend.models.{n}" for n in names["backend.models"]),
            "backend.core.security",
            *(f"frontend/src/lib/tool{n}.tsx" for n in range(5)),
        ),
        ("backend.db.session", "backend.db.queries"),
        ("backend.core.config", "backend.core.logging"),
    )
    cycles = (
        ("backend.services.billing", "backend.services.customers", "backend.services.invoices"),
        ("backend.core.security", "backend.models.user"),
    )
    tangles = (*cycles, ("backend.core.config", "backend.core.logging"))
    return GraphReport(
        tuple(sorted(modules, key=lambda m: m.id)), tuple(sorted(edges, key=lambda e: (e.source, e.target))), layers, cycles, tangles
    )


def clones() -> CloneReport:
    """Fourteen families, one across folders."""
    families = [CloneFamily(tuple(Fragment(f"frontend/src/pages/Page{n}.tsx", 20, 78) for n in range(7)), 410, 58, exact=False)]
    families += [
        CloneFamily(
            (Fragment("backend/api/exports.py", 10 * n + 1, 10 * n + 9), Fragment("backend/api/reports.py", 30, 38)),
            80,
            9,
            exact=n % 2 == 0,
        )
        for n in range(13)
    ]
    left = Stretch("frontend/src/pages/Page0.tsx", 20, ("function load() {", "  const rows = fetch('/a');", "  return rows;", "}"))
    right = Stretch("frontend/src/pages/Page1.tsx", 20, ("function load() {", "  const items = fetch('/b');", "  return items;", "}"))
    return CloneReport(tuple(families), 812, 10_024, (CopySample(0, left, right),))


def files() -> tuple[FileMeasure, ...]:
    """The graph's modules in figures: one of them large, branching, and changed all the time."""
    return tuple(
        FileMeasure(module.path, module.language, module.lines, 4 + 13 * (number % 9), 3 + number % 9, (number * 7) % 11, (number % 4) * 9)
        for number, module in enumerate(sorted(graph().modules, key=lambda module: module.path))
    )


def history() -> HistorySummary:
    """Three months of work by three people and an assistant, with a run of attempts in the second."""
    start = 1_790_000_000
    marks = tuple(
        CommitMark(
            id=f"{n:08x}",
            when=start + n * 90_000 - (40_000 if 40 <= n < 46 else 0),
            author=("person 1", "person 2", "assistant 1")[n % 3],
            files=1 + n % 7,
            lines=5 + 13 * (n % 17),
            fix=n % 5 == 0 or 40 <= n < 46,
            revert=n == 45,
            tested=n % 10 == 0,
            assisted=n % 3 == 2,
        )
        for n in range(90)
    )
    loop = Loop("backend/api/auth.py", "chain", tuple(mark.id for mark in marks[40:46]), marks[40].when, marks[45].when)
    return HistorySummary(90, 340, False, marks, (loop,))


def notes() -> tuple[EvidenceNote, ...]:
    return (
        EvidenceNote("advisories", "pip-audit", "", False, 0, (), "no advisory data", "Give an archive with --advisories FILE."),
        EvidenceNote("bandit", "bandit", "1.9.4", True, 31, (("backend/legacy/old.py", "does not parse at line 7"),), "", ""),
        EvidenceNote("history", "pygit2", "1.18", True, 0, (), "", ""),
        EvidenceNote("semgrep", "semgrep", "1.182.0", True, 64, (), "", ""),
        EvidenceNote(
            "syntax",
            "auditor",
            "0.1.0",
            True,
            64,
            (("backend/legacy/old.py", "does not parse at line 7"), ("frontend/src/x.tsx", "larger than 20 MB")),
            "",
            "",
        ),
    )


def build(outcomes: list[Outcome], *, no_grade: str = "", name: str = "shop-app") -> Report:
    """A report around the given outcomes."""
    judged = frozenset(o.id for o in outcomes)
    return Report(
        schema=SCHEMA_VERSION,
        tool="auditor",
        version="0.1.0",
        rules="4f1f0c2a9b3d",
        date="2026-11-24",
        scope=Scope(
            name=name,
            commit="3f2a91c0d7e44b1d9a3c5e6f708192a3b4c5d6e7",
            origin="git",
            digest="9c1185a5c5e9fc54612808977ee8f548b2258d31",
            files=214,
            lines=18_412,
            roles=(("asset", 40), ("config", 22), ("doc", 6), ("first_party", 104), ("generated", 4), ("test", 38)),
            languages=(LanguageCount("python", 31, 9_204), LanguageCount("tsx", 48, 6_930), LanguageCount("typescript", 25, 2_278)),
            skipped=(("frontend/public/logo", "a symbolic link"), ("frontend/src/x.tsx", "larger than 20 MB")),
            skipped_total=2,
        ),
        parts=(
            Part("backend", frozenset({Kind.SERVICE}), (Framework("fastapi", Place("backend/main.py", 3)),), "listens for HTTP"),
            Part(
                "frontend",
                frozenset({Kind.FRONTEND}),
                (Framework("react", Place("frontend/package.json", 14)), Framework("vite", Place("frontend/package.json", 22))),
                "a browser UI",
            ),
        ),
        score=score(outcomes, no_grade),
        outcomes=tuple(outcomes),
        items=items(judged),
        categories=catalogue().categories,
        evidence=notes(),
        graph=graph(),
        clones=clones(),
        history=history(),
        tools=(ToolStamp("auditor", "0.1.0"), ToolStamp("bandit", "1.9.4"), ToolStamp("semgrep", "1.182.0")),
        files=files(),
    )


ANSWERS = {
    "Q1": {"answer": Answer.NO, "who": "Ada", "date": "2026-11-20"},
    "Q4": {"answer": Answer.YES, "evidence": "list in the vault, rehearsed on 2026-10-01", "who": "Ada", "date": "2026-11-20"},
}


EARLIER: dict[str, tuple[Verdict, float, str]] = {
    "secrets.none-committed": (FAIL, 1.0, "One working credential in 104 tracked files."),
    "tests.can-fail": (PARTIAL, 0.4, "9 of 24 tests cannot fail."),
    "deploy.container-hardened": (UNKNOWN, 0.0, "The container's build was not described."),
    "observability.health-endpoint": (PASS, 0.0, "GET /health answers."),
    "specs.agent-rules": (PARTIAL, 0.5, "Rules for assistants contradict each other."),
}
"""Where the rich sample's verdicts differed in the audit before."""


@cache
def earlier() -> Report:
    """The rich sample as it was audited some months before."""
    judged = VERDICTS | EARLIER
    del judged["wiring.names-resolve"]
    report = build([outcome(item, *judgement, EXCERPTS.get(item)) for item, judgement in judged.items()])
    return dataclasses.replace(report, date="2026-08-03", scope=dataclasses.replace(report.scope, commit="77e0b41" + "0" * 33))


RULINGS = (
    Ruling(
        Decision.ACCEPTED,
        "security.sql-parameterised",
        "a" * 20,
        "backend/api/invoices.py",
        reason="The search is switched off for customers.",
        owner="Ada",
        until="2027-01-31",
    ),
    Ruling(
        Decision.FALSE_POSITIVE,
        "security.sql-parameterised",
        "b" * 20,
        reason="`order` is checked in front of it.",
        by="Bo",
        date="2026-11-20",
    ),
    Ruling(Decision.CONFIRMED, "resilience.outbound-timeouts", "18" * 5, note="Seen in production."),
    Ruling(Decision.NOTE, "ops.runbook", note="A draft exists in the wiki."),
    Ruling(Decision.ACCEPTED, "tests.run-in-ci", reason="Until the move.", owner="Ada", until="2026-10-31"),
    Ruling(Decision.FALSE_POSITIVE, "tests.meaningful", "e" * 20, "backend/tests/test_old.py", reason="Gone since."),
)


@cache
def rich() -> Report:
    """An ordinary app with two blockers, whose owner answered a few questions and had it audited before."""
    report = build([outcome(item, *judgement, EXCERPTS.get(item)) for item, judgement in VERDICTS.items()])
    report = hold(report, tuple(dataclasses.replace(one, **ANSWERS.get(one.question, {})) for one in questions()))
    report = apply(report, RULINGS)
    return dataclasses.replace(report, before=compare(earlier(), report))


@cache
def all_pass() -> Report:
    """Everything holds; nothing to draw; nobody was asked."""
    report = build([outcome(item, PASS, 0.0, "It holds everywhere.") for item in VERDICTS])
    return hold(dataclasses.replace(report, graph=None, clones=None, history=None, files=()))


@cache
def no_grade() -> Report:
    """Mostly in a language that is not read."""
    reason = "more than half of the first-party code is in languages this version does not read (9,000 lines of go; 120 lines read)"
    return build([outcome("secrets.none-committed", PASS, 0.0, "No credential found.")], no_grade=reason)


@cache
def undecided() -> Report:
    """Two letters apart: cannot be judged."""
    found = [
        outcome(item, UNKNOWN if number % 2 else PASS, 0.0, "semgrep is not available: it is not installed.")
        for number, item in enumerate(VERDICTS)
    ]
    return build(found)


HOSTILE_TEXTS = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "a\x1b[31mred\x07\x00b",
    "invoice\u202egpj.exe\u2066\u200b",
    "{{ 7*7 }}{% raw %}",
    '" onmouseover="alert(1)\' x=`y`',
    "--><style>*{display:none}</style>",
    "javascript:alert(1)",
    "]]>&amp;&lt;&#x3c;",
    "名前がとても長いファイル" * 8,
    "bad\udc80byte",
    "x" * 4_000,
    "",
)


@cache
def hostile() -> Report:
    """Ten thousand findings, every text of the repository written by an enemy."""
    report = rich()
    outcomes = []
    for index, entry in enumerate(report.outcomes):
        text = HOSTILE_TEXTS[index % len(HOSTILE_TEXTS)]
        findings = tuple(
            Finding(
                text,
                f"src/{HOSTILE_TEXTS[number % len(HOSTILE_TEXTS)]}/f{number}.py",
                f"{text} number {number}",
                number + 1,
                number + 1,
                fingerprint=f"{index}-{number}",
                excerpt=tuple(HOSTILE_TEXTS[k % 11][:200] for k in range(number % 3, number % 3 + 5)),
                excerpt_start=max(1, number - 1),
            )
            for number in range(500 if entry.verdict in (FAIL, PARTIAL) else 0)
        )
        outcomes.append(
            dataclasses.replace(
                entry,
                findings=findings,
                reason=f"{text}",
                signals=(text,),
                evidence=(Place(text, 3),),
                unexamined=tuple((t, t) for t in HOSTILE_TEXTS),
            )
        )
    extra = dataclasses.replace(outcomes[0], findings=outcomes[0].findings * 8)
    outcomes[0] = extra
    modules = tuple(
        Module(f"{HOSTILE_TEXTS[n % len(HOSTILE_TEXTS)]}{n}", f"{HOSTILE_TEXTS[n % len(HOSTILE_TEXTS)]}{n}", "python", 3)
        for n in range(300)
    )
    edges = tuple(Edge(modules[n].id, modules[(n * 7 + 1) % 300].id, ImportKind.IMPORT_TIME, 1) for n in range(300))
    wild = GraphReport(
        modules, edges, (tuple(m.id for m in modules[:150]), tuple(m.id for m in modules[150:])), (tuple(m.id for m in modules[:40]),), ()
    )
    scope = dataclasses.replace(report.scope, name=HOSTILE_TEXTS[0], skipped=tuple((t, t) for t in HOSTILE_TEXTS), skipped_total=9_999)
    families = tuple(CloneFamily((Fragment(text, 1, 9), Fragment(text, 20, 28)), 50, 9, exact=True) for text in HOSTILE_TEXTS)
    wild_files = tuple(FileMeasure(f"{text}/f{n}.py", "python", 10 + n, n, n, n % 40, 3) for n, text in enumerate(HOSTILE_TEXTS * 40))
    pair = CopySample(0, Stretch(HOSTILE_TEXTS[0], 1, HOSTILE_TEXTS), Stretch(HOSTILE_TEXTS[1], 1, tuple(reversed(HOSTILE_TEXTS))))
    marks = tuple(
        CommitMark(HOSTILE_TEXTS[n % 13], (n * 10**16) % (2**62), HOSTILE_TEXTS[n % 13], 10**9, 10**9, True, True, False, True)
        for n in range(50)
    )
    told = tuple(Loop(text, text, (text,), 0, 2**62) for text in HOSTILE_TEXTS)
    part = Part(HOSTILE_TEXTS[1], frozenset({Kind.SERVICE}), (Framework(HOSTILE_TEXTS[0], Place(HOSTILE_TEXTS[3], 1)),), HOSTILE_TEXTS[2])
    evidence = tuple(
        EvidenceNote(text, text, text, index % 2 == 0, 3, ((text, text),), text, text) for index, text in enumerate(HOSTILE_TEXTS)
    )
    said = Statement("", HOSTILE_TEXTS[0], (outcomes[0].id,), Answer.YES, HOSTILE_TEXTS[1], HOSTILE_TEXTS[2], "2026-11-20")
    interview = Interview((said,), tuple(outcomes[:2]), (Contradiction(outcomes[0].id, said, HOSTILE_TEXTS[3]),))
    wild_report = dataclasses.replace(
        report,
        interview=interview,
        outcomes=tuple(outcomes),
        graph=wild,
        scope=scope,
        clones=CloneReport(families, 3, 9, (pair,)),
        files=wild_files,
        history=HistorySummary(90, 90, False, (*marks, *history().commits), told),
        parts=(part,),
        evidence=evidence,
        score=score(outcomes, ""),
    )
    wild_report = apply(
        wild_report,
        [
            Ruling(Decision.NOTE, one.id, one.findings[0].fingerprint, text, text, text, text, by=text)
            for one, text in zip([o for o in outcomes if o.findings], HOSTILE_TEXTS, strict=False)
        ],
    )
    return dataclasses.replace(wild_report, before=compare(report, wild_report))


REPORTS = {"rich": rich, "all_pass": all_pass, "no_grade": no_grade, "undecided": undecided, "hostile": hostile}
