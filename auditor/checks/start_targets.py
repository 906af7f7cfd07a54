"""Python modules, and names in them, that commands and manifests start: `uvicorn app.main:app`, `celery -A app`, console scripts."""

from __future__ import annotations

import re

from auditor.model.artifacts import Ecosystem, Manifests
from auditor.model.snapshot import Snapshot
from auditor.model.syntax import FileFacts, Syntax

_SERVERS = frozenset({"uvicorn", "gunicorn", "hypercorn", "daphne", "granian", "waitress-serve"})
_TARGET = re.compile(r"^(?P<module>[A-Za-z_]\w*(?:\.\w+)*)(?::(?P<name>[A-Za-z_]\w*)[\w.]*(?:\(\))?)?$")
_INSTALLED = re.compile(
    r"^(?:pip|venv|http|pytest|unittest|json|site|build|twine|compileall|uvicorn|gunicorn|flask|celery|alembic|django|streamlit|debugpy)(?:\.|$)"
)


class StartTargets:
    """Looks up what start commands name among the Python files of a tree."""

    def __init__(self, snapshot: Snapshot, syntax: Syntax, manifests: Manifests) -> None:
        self._paths = tuple(sorted(file.path for file in snapshot.files if file.path.endswith((".py", ".pyi", ".so", ".pyx"))))
        self._folders = {part for path in self._paths for part in path.split("/")[:-1]}
        self._files = syntax.files
        self._declared = {name.replace("-", "_").lower() for name in manifests.declared(Ecosystem.PYPI)}

    def missing(self, words: tuple[str, ...]) -> str | None:
        """What a command starts that is not there: "" when it is, None when the command starts no Python module or it cannot be looked up."""
        tool, rest = words[0].rpartition("/")[2], words[1:]
        if tool in _SERVERS:
            target = next((word for word in rest if ":" in word and _TARGET.match(word)), "")
            return None if not target or {"--app-dir", "--chdir"} & set(rest) else self.target(target)
        if tool == "celery":
            named = next((rest[i + 1] for i, word in enumerate(rest[:-1]) if word in {"-A", "--app"}), "")
            named = named or next((word.partition("=")[2] for word in rest if word.startswith("--app=")), "")
            return self._application(named) if named and "--workdir" not in rest else None
        if re.match(r"^python[\d.]*$", tool) and rest[:1] == ("-m",) and len(rest) > 1 and not _INSTALLED.match(rest[1]):
            return self.target(rest[1]) if rest[1].partition(".")[0] in self._folders else None
        return None

    def _application(self, named: str) -> str | None:
        """The application of Celery: a module or package, or with a dot or a colon a name in one."""
        whole = self.target(named.partition(":")[0])
        module, _, name = named.rpartition(".")
        return whole if not whole or not module or ":" in named or self.target(f"{module}:{name}") != "" else ""

    def target(self, target: str) -> str | None:
        """The same for `package.module:name`."""
        found = _TARGET.match(target.strip())
        if found is None:
            return None
        inner = found["module"].replace(".", "/")
        homes = [
            p
            for p in self._paths
            if p.rpartition(".")[0] == inner or p.endswith((f"/{inner}.py", f"/{inner}/__init__.py")) or p == f"{inner}/__init__.py"
        ]
        if not homes:
            known = found["module"].partition(".")[0].lower() in self._declared
            folder = any(f"/{path}".endswith(f"/{inner}/__main__.py") or f"/{inner}/" in f"/{path}" for path in self._paths)
            return None if known or (folder and found["name"] is None) else f"no module `{found['module']}`"
        if found["name"] is None:
            return ""
        read = [self._files[path] for path in homes if path in self._files]
        return (
            ""
            if len(read) < len(homes) or any(_binds(facts, found["name"]) for facts in read)
            else f"no `{found['name']}` in `{found['module']}`"
        )


def _binds(facts: FileFacts, name: str) -> bool:
    star = any(("*", "*") in statement.names for statement in facts.imports)
    return (
        star
        or bool(facts.error_line)
        or name in facts.bound
        or "__getattr__" in facts.bound
        or "globals" in {call.callee for call in facts.calls}
    )
