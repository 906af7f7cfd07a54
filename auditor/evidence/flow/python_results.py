"""What calls of known functions give in Python: the transfer functions of the flow analysis."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from auditor.evidence.flow.language import Arguments
from auditor.evidence.flow.values import ALL, HOLE, NOTHING, UNSET, Value, text_of


def _joined(arguments: Arguments) -> Value:
    parts: list[Value] = []
    for value in arguments.positional:
        parts += [value, Value(const="/", skeleton="/")]
    return replace(text_of(parts[:-1]), path=f"{arguments.path}()")


def _same(arguments: Arguments) -> Value:
    return arguments.get(0)


def _resolved(arguments: Arguments) -> Value:
    return replace(arguments.get(0) if arguments.positional else arguments.receiver, path=f"{arguments.path}()")


def _receiver(arguments: Arguments) -> Value:
    value = arguments.receiver
    marks = value.every_mark | frozenset().union(*(part.every_mark for part in arguments.every))
    known = value.known and arguments.known
    owned = value.owned and arguments.known
    changed = replace(value, path="", known=known, composed=owned)
    return replace(changed, marks=marks, items=None, const=UNSET) if marks else changed


def _format(arguments: Arguments) -> Value:
    pattern = arguments.receiver
    marks = pattern.marks | frozenset().union(*(value.every_mark for value in arguments.every))
    text = pattern.const if isinstance(pattern.const, str) else pattern.skeleton
    return Value(marks, skeleton=re.sub(r"\{[^{}]{0,60}\}", HOLE, text), known=pattern.known and arguments.known)


def _join(arguments: Arguments) -> Value:
    given = arguments.get(0)
    parts: list[Value] = []
    for value in (given.items or {}).values():
        parts += [value, arguments.receiver]
    return replace(text_of(parts[:-1] or [given]), marks=given.every_mark | arguments.receiver.every_mark)


_REMOVES: dict[str, frozenset[str]] = {
    "'": frozenset({"sql", "xpath"}),
    "<": frozenset({"markup"}),
    ".": frozenset({"path"}),
    "/": frozenset({"path"}),
}


def _replace(arguments: Arguments) -> Value:
    removed = arguments.get(0).const
    result = _receiver(arguments)
    return result.cleaned(_REMOVES.get(removed, frozenset())) if isinstance(removed, str) and result.marks else result


def _rendered(arguments: Arguments) -> Value:
    """What a template makes of its values: whether it escapes them is a setting of the engine that is not in sight."""
    marks = {mark for value in (arguments.receiver, *arguments.every) for mark in value.every_mark}
    return Value(frozenset(replace(mark, source="unclear") for mark in marks))


def _compiled(arguments: Arguments) -> Value:
    return Value(path="re.compile()", items={"pattern": arguments.get(0)})


def _container(arguments: Arguments) -> Value:
    given = arguments.get(0)
    if given.items is None and not arguments.named:
        return given if arguments.positional else Value(items={}, known=True)
    return Value(given.marks, items={**(given.items or {}), **arguments.named}, known=given.known or not arguments.positional)


def _buffer(arguments: Arguments) -> Value:
    """A text in memory: the pieces it was given and those written to it, in order."""
    return Value(items=dict(enumerate(arguments.positional[:1])), known=True)


def _substituted(arguments: Arguments) -> Value:
    """`re.sub("[^a-z]", "", text)` leaves nothing but the listed characters."""
    pattern, subject = arguments.get(0).const, arguments.get(2)
    if isinstance(pattern, str) and re.match(r"^\[\^[\w\s.\\-]+\][+*]?$", pattern):
        return subject.cleaned(ALL)
    return Value(subject.every_mark, known=arguments.known)


def _renderer(arguments: Arguments) -> Value:
    """A renderer of Markdown with what it was told of mark-up in the text."""
    return Value(path=f"{arguments.path}()", items=arguments.named, known=True)


def _rendered_markdown(arguments: Arguments) -> Value:
    """Mark-up in the text is escaped unless the renderer was told not to."""
    told = (arguments.function.items or {}).get("escape", NOTHING).const
    result = Value(arguments.get(0).every_mark, known=arguments.known)
    return result if told is False else result.cleaned(frozenset({"markup"}))


RESULTS: dict[str, Callable[[Arguments], Value]] = {
    "mistune.create_markdown": _renderer, "mistune.create_markdown()": _rendered_markdown,
    "os.path.join": _joined, "posixpath.join": _joined, "pathlib.Path": _joined, "Path": _joined, "pathlib.PurePath": _joined, "urllib.parse.urljoin": _joined,
    "os.path.realpath": _resolved, "os.path.abspath": _resolved, "os.path.normpath": _resolved,
    "str": _same, "repr": _same, "list": _container, "tuple": _container, "set": _container, "dict": _container, "sorted": _container, "frozenset": _container,
    "importlib.import_module": lambda _: NOTHING,  # a module is no text, whoever named it
    **dict.fromkeys(("httpx.AsyncClient", "httpx.Client"), lambda a: Value(items=a.named)),
    **dict.fromkeys(("io.StringIO", "io.BytesIO", "StringIO"), _buffer), "re.compile": _compiled, **dict.fromkeys(("open", "io.open", "codecs.open", "flask.send_file", "flask.send_from_directory", "os.listdir", "PIL.Image.open"), lambda _: NOTHING), "xml.sax.make_parser": lambda _: Value(items={}), "lxml.etree.XMLParser": lambda a: Value(path="lxml.etree.XMLParser()", items=a.named),
    **dict.fromkeys(("configparser.ConfigParser", "configparser.RawConfigParser"), lambda _: Value(items={}, known=True)), "re.sub": _substituted,
}  # fmt: skip


def _pieces(arguments: Arguments) -> Value:
    return Value(arguments.receiver.every_mark, known=arguments.receiver.known and arguments.known)


def _encoded(arguments: Arguments) -> Value:
    """`request.GET.urlencode()`: letters, digits and percent signs, whatever the fields hold."""
    return replace(_receiver(arguments), items=None).cleaned(frozenset({"markup", "path", "url", "redirect"}))


_BUILDERS = re.compile(r"^(?:sqlalchemy|sqlmodel|peewee|pypika|tortoise|piccolo|ormar)\.(?!.*\b(?:text|literal_column|raw|SQL)\b)")
_BOUND = frozenset({"sql"})


def builds_query(path: str) -> bool:
    """Whether a function makes or extends the query object of a builder, which sends values apart from the text."""
    return bool(_BUILDERS.match(path))


def bound(arguments: Arguments) -> Value:
    """A part of a query object: the values in it are sent apart from its text."""
    marks = frozenset(mark.cleaned(_BOUND) for value in arguments.every for mark in value.every_mark)
    return Value(marks | arguments.receiver.every_mark, known=arguments.known and arguments.receiver.known)


def _condition(arguments: Arguments) -> Value:
    """As `bound`, where the method is one of many libraries, some of which take a condition as text: an assembled one stays what it is."""
    texts = [value for value in arguments.every if value.items is None and value.skeleton.replace(HOLE, "").strip()]
    result = bound(arguments)
    return replace(result, marks=result.marks.union(*(value.marks for value in texts))) if texts else result


def _fields_of(arguments: Arguments) -> Value:
    """`model.model_dump()`: the fields as they are."""
    value = arguments.receiver
    return Value(value.marks, items=value.items, known=value.known) if value.items else _receiver(arguments)


METHOD_RESULTS: dict[str, Callable[[Arguments], Value]] = {
    "urlencode": _encoded, **dict.fromkeys(("model_dump", "dict"), _fields_of),
    **dict.fromkeys(("ilike", "like", "not_like", "not_ilike", "notlike", "in_", "not_in", "notin_", "is_", "is_not", "between"), bound),
    **dict.fromkeys(("where", "filter", "filter_by", "having", "values", "on_conflict_do_update", "offset"), _condition),
    **dict.fromkeys(("split", "rsplit", "splitlines", "partition", "rpartition"), _pieces),
    **dict.fromkeys(("read_text", "read_bytes", "iterdir"), lambda _: NOTHING),
    **dict.fromkeys(("render", "render_async"), _rendered), "format": _format, "join": _join, "replace": _replace, "resolve": _resolved,
    **dict.fromkeys(("strip", "lstrip", "rstrip", "lower", "upper", "title", "encode", "decode", "removeprefix", "removesuffix", "expanduser", "casefold", "zfill", "ljust"), _receiver),
}  # fmt: skip
