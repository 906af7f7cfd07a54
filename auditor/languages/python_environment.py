"""Settings a Python file reads from the environment: the standard library, python-decouple, environs, django-environ, starlette's Config."""

from __future__ import annotations

from auditor.model.syntax import Argument, Call, EnvironmentRead, Value, ValueKind

_READERS = {
    "os.getenv": False,
    "os.environ.get": False,
    "os.getenvb": False,
    "os.environ.pop": True,
    "decouple.config": True,
    "prettyconf.config": True,
    "flask_env.env": True,
}
"""Callee -> whether a missing value raises when no default is given."""

_OBJECTS = frozenset(
    {
        "environ.Env", "environ.FileAwareEnv", "environs.Env", "decouple.Config", "decouple.AutoConfig", "starlette.config.Config",
        "environs.env", "environ.Env.read_env",
    }
)  # fmt: skip
"""What makes an object that is called, or whose methods are called, with the name of a setting."""

_NOT_READS = frozenset({"read_env", "prefixed", "seal", "dump", "add_parser", "parser_for", "read_envfile", "deferred"})
_DEFAULT_WORDS = ("default", "missing")


class EnvironmentReader:
    """Follows which local names stand for readers of the environment, in source order."""

    __slots__ = ("_aliases", "_objects")

    def __init__(self) -> None:
        self._aliases: dict[str, str] = {}
        self._objects: set[str] = set()

    def imported(self, module: str, name: str, local: str, *, from_form: bool) -> None:
        """Take note of one imported name."""
        full = f"{module}.{name}" if from_form else (module if local != module.split(".", maxsplit=1)[0] else local)
        if full.split(".")[0] in {"os", "decouple", "environ", "environs", "starlette", "prettyconf", "flask_env"}:
            self._aliases[local] = full
            if full == "environs.env":
                self._objects.add(local)

    def assigned(self, target: str, value: Value) -> None:
        """Take note of an object that reads the environment, or of another name for `os.environ`."""
        if value.kind is ValueKind.CALL and self._full(value.literal) in _OBJECTS:
            self._objects.add(target)
        elif value.kind is ValueKind.NAME and self._full(value.literal) in {*_READERS, "os.environ"}:
            self._aliases[target] = self._full(value.literal)

    def called(self, call: Call, target: str, fallback: Value | None) -> EnvironmentRead | None:
        """The setting a call reads, if it reads one; `fallback` is the right side of `or` behind it."""
        full = self._full(call.callee)
        if full in _READERS:
            required = _READERS[full]
        elif self._is_object_call(call.callee):
            required = True
        else:
            return None
        name = call.argument("key", 0) or call.argument("var", 0) or call.argument("name", 0)
        if name is None or name.kind is not ValueKind.STRING:
            return None
        default = _default(call.arguments) or fallback
        return EnvironmentRead(name.literal, default, required and default is None, call.line, call.scope, target)

    def subscripted(self, owner: str, key: Value, line: int, scope: int, target: str) -> EnvironmentRead | None:
        """The setting that `os.environ["NAME"]` reads."""
        if self._full(owner) != "os.environ" or key.kind is not ValueKind.STRING:
            return None
        return EnvironmentRead(key.literal, None, True, line, scope, target)

    def _full(self, path: str) -> str:
        head, dot, rest = path.partition(".")
        alias = self._aliases.get(head)
        return alias + dot + rest if alias is not None else path

    def _is_object_call(self, callee: str) -> bool:
        if callee in self._objects:
            return True
        owner, _, method = callee.rpartition(".")
        return owner in self._objects and method not in _NOT_READS


def _default(arguments: tuple[Argument, ...]) -> Value | None:
    for argument in arguments:
        if argument.name in _DEFAULT_WORDS:
            return argument.value
    positional = [argument.value for argument in arguments if argument.name == ""]
    return positional[1] if len(positional) > 1 else None
