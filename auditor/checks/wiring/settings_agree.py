"""Settings that are read under one name and provided under another.

Passing title: Settings are provided under the names the code reads
Failing title: Code reads settings under names that nothing provides
Grading: A name that is spelt nearly, but not quite, as one that is provided and read by nobody fails. A setting the browser's build leaves out because its name lacks the
    public prefix is partial. One that must be set and that no example file, deployment, pipeline or document names is unexamined: a platform's console may provide it.
Done when: every setting that must be set stands in an example file or a deployment under the same letters, and nothing is provided that nobody reads.
What it cannot see: settings of a hosting platform's console, names put together at run time, and whether the values are right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.environment_names import Setting, settings_of, written_down
from auditor.checks.near_names import is_one_edit
from auditor.checks.registry import check
from auditor.model.artifacts import Deployment, EnvironmentFile, TaskFile
from auditor.model.needs import DEPLOYMENT, ENVIRONMENT_FILES, PROJECT, SNAPSHOT, SYNTAX, TASKS, TEXTS
from auditor.model.project import Project, Side
from auditor.model.snapshot import READ_LANGUAGES, Role, Snapshot
from auditor.model.syntax import Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable, Place
from auditor.words import plural

_NAME = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*\b")
_PUBLIC = re.compile(r"^(?:VITE|NEXT_PUBLIC|REACT_APP|EXPO_PUBLIC|NUXT_PUBLIC|VUE_APP|PUBLIC)_")
_SAME = {
    "PASSWORD": "PASS", "PASSWD": "PASS", "PWD": "PASS", "DATABASE": "DB", "URI": "URL", "USERNAME": "USER", "ENVIRONMENT": "ENV", "EXPIRES": "EXPIRE", "EXPIRY": "EXPIRE",
    "EXPIRATION": "EXPIRE", "ADDRESS": "ADDR", "HOSTNAME": "HOST", "ORIGINS": "ORIGIN", "DIRECTORY": "DIR",
    "MONGODB": "MONGO", "POSTGRESQL": "POSTGRES", "PG": "POSTGRES", "MAX": "LIMIT", "EMAIL": "MAIL",
}  # fmt: skip
_FILLING = frozenset({"KEY", "API", "APP", "ROLE", "VALUE"})
"""Words that people add to a name or leave out."""
_KINDS = frozenset({"ANON", "PUBLIC", "PUBLISHABLE", "SERVICE", "SECRET", "ACCESS", "AUTH", "CLIENT"})
"""Words that say which of a vendor's keys is meant, and that are left out where there is one only."""
_PREFIXES = {
    "vite": ("VITE_", re.compile(r"envPrefix|\bdefine\b|loadEnv"), "vite.config"),
    "nextjs": ("NEXT_PUBLIC_", re.compile(r"\benv\s*:"), "next.config"),
}
_TEXT_LIMIT = 300_000
_OTHERS = frozenset({Role.VENDORED, Role.MINIFIED, Role.TEST})
_LOCKS = re.compile(r"(?:^|/)(?:[\w.-]*lock[\w.-]*\.(?:json|ya?ml)|[\w.-]*\.lock|CHANGELOG[\w.]*)$")
_TELLING = 5


@check("wiring.settings-agree", needs=(SNAPSHOT, TEXTS, PROJECT, SYNTAX, ENVIRONMENT_FILES, TASKS, DEPLOYMENT), tolerance=0.1)
def settings_agree(  # noqa: PLR0917 - evidence comes by position
    snapshot: Snapshot,
    texts: dict[str, str],
    project: Project,
    syntax: Syntax,
    files: tuple[EnvironmentFile, ...],
    tasks: tuple[TaskFile, ...],
    deployment: Deployment,
) -> Judgement:
    """Compare the names that are read with those that are provided."""
    settings = settings_of(project, syntax, tasks)
    if not settings:
        return NotApplicable("No setting is read from the environment.")
    named = written_down(snapshot, texts, files) | _words(snapshot, texts)
    handed = {
        argument.name
        for facts in syntax.of(project.production)
        for call in facts.calls
        for argument in call.arguments
        if argument.name.isupper()
    }
    needed = [setting for setting in settings if not setting.has_default and setting.guarded and setting.name not in handed]
    unnamed = [setting for setting in needed if setting.name not in named]
    pairs = list(_near(settings, named, _provided(files, deployment), snapshot, texts))
    hidden = list(_hidden(project, syntax, texts, {setting.name for setting in settings}))
    found = {setting.name for setting, _, _ in pairs}
    findings = [_misspelt(*pair) for pair in pairs] + [_unprefixed(*one) for one in hidden]
    alone = [setting for setting in unnamed if setting.name not in found]
    unclear = tuple((f"{s.place.path}:{s.place.line}", f"nothing in the repository says what provides {s.name}") for s in alone)
    bad = len(found | {name for name, _, _ in hidden})
    summary = (
        f"{bad} of {plural(len(settings), 'setting')} are read under a name that nothing provides."
        if bad
        else f"No setting is read under a name near to another; {len(needed) - len(unnamed)} of {plural(len(needed), 'setting')} that must be set are named outside of the code."
    )
    return Assessed(
        len(found) + (bad - len(found)) / 2,
        max(len(settings), bad),
        summary,
        0.7 if pairs else 0.3 if hidden else 0.0,
        tuple(findings),
        tuple(setting.place for setting in needed if setting.name in named)[:3],
        (f"{plural(len(settings), 'setting')} read, {len(needed)} of them must be set; near misses: {len(pairs)}",),
        unclear,
    )


def _words(snapshot: Snapshot, texts: dict[str, str]) -> frozenset[str]:
    """Names in everything that is no code of the product: scripts of shells, images, pipelines, manifests."""
    found: set[str] = set()
    for file in snapshot.files:
        if file.language not in READ_LANGUAGES and file.role not in _OTHERS and not _LOCKS.search(file.path):
            found.update(_NAME.findall(texts.get(file.path, "")[:_TEXT_LIMIT]))
    return frozenset(found)


def _provided(files: tuple[EnvironmentFile, ...], deployment: Deployment) -> dict[str, Place]:
    """Names that example files and services built here provide, with their first place."""
    found = {
        name: Place(file.path, line, line)
        for file in reversed(files)
        if file.example or file.tracked
        for name, _, line in reversed(file.entries)
    }
    for service in deployment.compose:
        for name, _ in service.environment if service.build else ():
            found.setdefault(name, Place(service.path, service.line, service.line))
    return found


def _near(
    settings: tuple[Setting, ...], named: frozenset[str], provided: dict[str, Place], snapshot: Snapshot, texts: dict[str, str]
) -> Iterator[tuple[Setting, str, Place]]:
    """(setting, name provided in its stead, where): the one is provided by nothing, the other is read by nothing."""
    read = {setting.name for setting in settings}
    lost = [setting for setting in settings if setting.name not in named]
    spare = {name for name in provided if name not in read} if lost else set()
    spare -= {name for name in spare if any(_mentions(texts.get(f.path, ""), name) for f in snapshot.files if f.language in READ_LANGUAGES)}
    for setting in lost:
        match = next((name for name in sorted(spare) if _is_near(setting.name, name)), "")
        shorter = [name for name in sorted(spare) if _is_longer_by_a_kind(setting.name, name)]
        match = match or (shorter[0] if len(shorter) == 1 else "")
        if match:
            yield setting, match, provided[match]


def _mentions(text: str, name: str) -> bool:
    return name in text and re.search(rf"(?<![A-Z0-9_]){re.escape(name)}(?![A-Z0-9_])", text) is not None


def _is_near(one: str, other: str) -> bool:
    """Whether two names are meant to be the same: one letter apart, an abbreviation, the same words in another order, or a public prefix more or less."""
    if _canonical(one) == _canonical(other) or one.replace("_", "") == other.replace("_", ""):
        return True
    core = _core(one)
    if core == _core(other) and any(len(word) >= _TELLING for word in core):
        return True
    return min(len(one), len(other)) >= 7 and re.sub(r"\d", "", one) != re.sub(r"\d", "", other) and is_one_edit(one, other)


def _is_longer_by_a_kind(one: str, other: str) -> bool:
    """Whether one of two names only says more exactly which key of the same vendor it is."""
    first, second = set(_core(one)), set(_core(other))
    more = first ^ second
    return (
        len(more) == 1 and more <= _KINDS and (first <= second or second <= first) and any(len(word) >= _TELLING for word in first & second)
    )


def _core(name: str) -> tuple[str, ...]:
    """The words that tell, in order of the alphabet."""
    return tuple(sorted(word for word in _canonical(name) if word not in _FILLING))


def _canonical(name: str) -> tuple[str, ...]:
    return tuple(_SAME.get(word, word) for word in _PUBLIC.sub("", name).split("_") if word)


def _hidden(project: Project, syntax: Syntax, texts: dict[str, str], read: set[str]) -> Iterator[tuple[str, str, Place]]:
    """(name, prefix it lacks, place) of settings that only browser code of a bundler with public prefixes reads."""
    seen: set[str] = set()
    for facts in syntax.of(project.browser):
        part = project.part_of(facts.path)
        for framework, (prefix, lifted, config) in _PREFIXES.items():
            client = "use client" in facts.directives if framework == "nextjs" else project.sides.get(facts.path) is Side.BROWSER
            if (
                not client
                or not part.uses(framework)
                or (framework == "vite" and part.uses("nextjs", "nuxt", "sveltekit", "remix", "astro"))
            ):
                continue
            if any(path.rpartition("/")[2].startswith(config) and lifted.search(text) for path, text in texts.items()):
                continue
            for entry in facts.environment:
                if entry.name in read and entry.name not in seen and not _PUBLIC.match(entry.name) and entry.default is None:
                    seen.add(entry.name)
                    yield entry.name, prefix, Place(facts.path, entry.line, entry.line)


def _misspelt(setting: Setting, name: str, place: Place) -> Finding:
    message = f"The code reads {setting.name}, and {name} is what {place.path}:{place.line} provides: the value that was set never arrives."
    return Finding("near-miss", setting.place.path, message, setting.place.line, setting.place.line)


def _unprefixed(name: str, prefix: str, place: Place) -> Finding:
    message = f"Browser code reads {name}, and the build hands over only names that begin with {prefix}: here it is always empty."
    return Finding("unprefixed-setting", place.path, message, place.line, place.line, confidence=Confidence.MEDIUM)
