"""Sources, sinks, cleaners and checks of Python, its standard library and its web frameworks.

Functions are known by the dotted path their name resolves to through the imports; methods of objects nobody knows by their name and the look of the receiver's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from auditor.evidence.flow.language import Arguments, Harm, Parsing, last_name
from auditor.evidence.flow.prompts import asks_model, is_model_address
from auditor.evidence.flow.python_names import (
    CLEANERS,
    CLEANING_NAMES,
    DECODERS,
    HANDLER_METHODS,
    HARMLESS_METHODS,
    NUMBERS,
    OWN_ADDRESS,
    OWN_ROUTES,
    RAISING,
    ROUTED,
    SENT,
    TRUSTED,
)
from auditor.evidence.flow.python_results import METHOD_RESULTS, RESULTS, bound, builds_query
from auditor.evidence.flow.python_schemas import annotated, parsing, schema_field
from auditor.evidence.flow.python_sinks import BUILT_INS, METHOD_SINKS, SINKS, body_of, header
from auditor.evidence.flow.shapes import Step
from auditor.evidence.flow.values import ALL, HARMLESS, HOLE, NOTHING, QUOTED, SETTING, Mark, Scope, Shape, Unset, Value, text_of
from auditor.evidence.flow.weaknesses import HANDS_ON, harms, harms_any, has_fixed_host, has_tags, is_local_target
from auditor.languages import flow_ir as ir

_REQUEST = re.compile(
    r"^(?:flask|quart|bottle|sanic|web|django|starlette|aiohttp|falcon|tornado|pyramid)\.request$|^~(?:self|\w+\(\))\.request$"
)
_ROUTE = re.compile(r"\.(?:route|get|post|put|patch|delete|api_route|websocket|head|options|view|view_config|expose)(?:\(\))?$")
_HTML_ROUTE = re.compile(r"^(?:flask|quart|bottle)\b.*\.(?:route|get|post|put|patch|delete)\(\)$|^~\w+\.route\(\)$")
_VIEW_CLASS = re.compile(r"(?:View|ViewSet|Resource|MethodView|HTTPEndpoint|RequestHandler|HTTPMethodView|Handler|Controller|Mixin)$")
_HARMLESS_TYPE = re.compile(
    r"^(?:Optional\[|Annotated\[|Union\[)?(?:typing\.)?(?:int|float|bool|complex|UUID|uuid\.UUID|UUID[1-5]|date|datetime|datetime\.\w+|time|timedelta|Decimal|PositiveInt|NonNegativeInt|EmailStr|Literal|ObjectId|PydanticObjectId)\b"
)
_REQUEST_TYPE = re.compile(r"(?:^|\.|\[)(?:\w*Request|WebSocket)\b")
_SERVICE_TYPE = re.compile(
    r"(?:^|\.|\[)(?:Session|AsyncSession|SessionDep|BackgroundTasks|Response|Connection|Settings|\w*Service|\w*Repository|\w*Client|\w*Dep|CurrentUser|User|Redis|Database)\b|Depends\(|Security\("
)
_PATH_CONVERTER = re.compile(r"<(?:int|float|uuid):(\w+)>")
_PATH_PART = re.compile(r"\{(\w+)\}|<(?:string:)?(\w+)>")

_MODEL_CALL = re.compile(
    r"(?:openai|anthropic|litellm|genai|generativeai|ollama|groq|mistralai|cohere|llm|chat_model|chatopenai)\b.*(?:create|acreate|generate_content|completion|acompletion|chat|complete|generate|invoke|ainvoke|predict|parse)\(\)$",
    re.IGNORECASE,
)
_POSTS = re.compile(r"^(?:requests|httpx)\.(?:\w+\(\)\.)?post$|[cC]lient\.post$|session\.post$")
_TOOL = re.compile(r"(?:^|[.~])(?:function_)?tool(?:_plain)?(?:\(\))?$|(?:^|\.)kernel_function(?:\(\))?$")
"""Decorators of functions a language model calls: it fills their parameters."""
_GRAPHQL_FIELD = re.compile(r"^strawberry\.(?:field|mutation|subscription)(?:\(\))?$")
_GRAPHENE = re.compile(r"^(?:resolve_\w+|mutate|mutate_and_get_payload)$")
_GRAPHQL_OWN = frozenset({"self", "cls", "root", "parent", "obj", "_", "source", "info"})
"""What the library itself hands to a resolver."""
_COUNTED = re.compile(r"(?:^|_)(?:id|pk|limit|offset|page|first|last|count|number|port|size|year|top|skip)$")
"""Arguments that a schema of Graphene, which stands apart from its functions, most often declares as numbers or ids."""
_DOWNLOAD = re.compile(
    r"^(?:requests|httpx)\.(?:get|post|put|request)\(\)(?:\.(?:text|content|json\(\)))$|^urllib\.request\.urlopen\(\)\.read\(\)$"
)

_STORES = re.compile(
    r"\.(?:execute|executemany|query|filter|filter_by|fetch\w*|first|first_or_404|all|one|one_or_none|scalar\w*|get_or_404|objects|find_one|find|aggregate|insert\w*|update_one|update_many|delete\w*|save|commit|add|merge|flush|select_related|exists|exec)\(\)"
)
_TRUSTING_NAME = re.compile(
    r"(?:^|[._])(?:is_)?(?:valid|safe|allowed|permitted|whitelisted|trusted|sanitized|check|verify|validate|allow)", re.IGNORECASE
)


_ENVIRONMENT = re.compile(r"^os\.environ\[\]$")
_HEAD = re.compile(r"(?:(?:make_)?[Rr]esponse(?:\(\))?|[Rr]edirect\(\)|\bresp|\bres)(?:\.headers)?\[\]$")
"""The head of an answer, as it is written to."""


class Python:
    """The tables of Python; one object serves every file."""

    setters = frozenset({"set", "setFeature"})
    keyed = frozenset({"configparser.ConfigParser()", "configparser.RawConfigParser()"})
    leaving = frozenset(
        {
            f"{name}()"
            for name in (
                "flask.abort",
                "werkzeug.exceptions.abort",
                "quart.abort",
                "bottle.abort",
                "sys.exit",
                "os._exit",
                "~exit",
                "~quit",
            )
        }
    )
    whole_callbacks: frozenset[str] = frozenset()
    callbacks: frozenset[str] = frozenset()
    matching = "~pattern.match"
    answers = frozenset(
        {"flask.make_response", "flask.Response", "quart.make_response", "django.http.HttpResponse", "werkzeug.wrappers.Response"}
    )

    def source(self, value: Value, line: int) -> Value:
        """Mark request objects, argv and the like; take the mark from what the server sets itself."""
        path = value.path
        if not path:
            return value
        if value.marks:
            if (last_name(path) in TRUSTED or last_name(path).rstrip("[]()") not in SENT) and _REQUEST.match(path.rpartition(".")[0]):
                return replace(value, marks=frozenset(), known=last_name(path) in ROUTED)
            if last_name(path) in OWN_ADDRESS and _REQUEST.match(path.rpartition(".")[0]):
                return value.cleaned(frozenset({"redirect", "url"}))
            if last_name(path) == "name" and "Path()" in path:
                return value.cleaned(frozenset({"path"}))
            return value
        if _REQUEST.match(path) and value.items is None:
            return replace(value, marks=frozenset({Mark("request", 0)}), known=True)
        if _ENVIRONMENT.match(path):
            return replace(value, marks=frozenset({Mark(SETTING, line)}), known=True)
        if path == "sys.argv":
            return replace(value, marks=frozenset({Mark("arguments", line)}), known=True)
        if _DOWNLOAD.match(path):
            return replace(value, marks=frozenset({Mark("download", line)}), known=True)
        return value

    def entry(self, function: ir.Function, decorators: tuple[Value, ...], owner_bases: tuple[Value, ...]) -> dict[str, Value]:
        """Parameters of route handlers, and request objects wherever they are handed to."""
        filled: dict[str, Value] = {}
        is_route = any(_ROUTE.search(decorator.path) for decorator in decorators)
        is_view = function.name in HANDLER_METHODS and any(_VIEW_CLASS.search(base.path.removesuffix("()")) for base in owner_bases)
        is_field = any(_GRAPHQL_FIELD.match(decorator.path) for decorator in decorators)
        if is_field or (function.owner and _GRAPHENE.match(function.name) and any(p.name == "info" for p in function.parameters)):
            return _arguments_of_field(function)
        is_tool = any(_TOOL.search(decorator.path) for decorator in decorators)
        harmless = {name for text in _route_texts(function) for name in _PATH_CONVERTER.findall(text)}
        parts = {name for text in _route_texts(function) for found in _PATH_PART.findall(text) for name in found if name}
        for number, parameter in enumerate(function.parameters):
            if number == 0 and function.owner and parameter.name in {"self", "cls"}:
                continue
            if is_tool and _is_outside(parameter):
                filled[parameter.name] = Value(
                    frozenset({Mark("model", function.line, parameter.name)}), path=f"~{parameter.name}", known=True
                )
            elif _REQUEST_TYPE.search(parameter.annotation) or (parameter.name == "request" and not parameter.annotation):
                filled[parameter.name] = Value(frozenset({Mark("request", function.line)}), path="django.request", known=True)
            elif is_route and (parameter.name in harmless or _HARMLESS_TYPE.match(parameter.annotation)):
                filled[parameter.name] = HARMLESS
            elif (is_route or is_view) and parameter.name not in harmless and _is_outside(parameter):
                clean = frozenset({"path"}) if parameter.name in parts else frozenset()
                filled[parameter.name] = Value(
                    frozenset({Mark("request", function.line, parameter.name, clean)}), path=f"~{parameter.name}", known=True
                )
        return filled

    def operator(self, sign: str, values: tuple[Value, ...]) -> Value | None:
        """`folder / name` joins paths."""
        if sign in {"-", "//", "**", ">>", "<<"} and any(value.every_mark for value in values):
            return HARMLESS
        if sign == "/" and any("Path()" in value.path for value in values):
            return replace(text_of([values[0], Value(const="/", skeleton="/"), values[1]]), path="pathlib.Path()")
        return None

    def transfer(self, arguments: Arguments) -> Value | None:
        """Results of known functions."""
        path, first = arguments.path, arguments.get(0)
        tail = last_name(path)
        if path in NUMBERS or path.lstrip("~") in NUMBERS or (tail in HARMLESS_METHODS and "." in path):
            return HARMLESS
        if _MODEL_CALL.search(f"{path}()") or asks_model(path) or (_POSTS.search(path) and is_model_address(arguments.get(0, "url"))):
            return Value(frozenset({Mark("model", arguments.call.line)}), known=True)
        if path in {"os.getenv", "os.environ.get"}:
            return Value(frozenset({Mark(SETTING, arguments.call.line)}) | arguments.get(1, "default").every_mark, known=True)
        if path in {"~input", "input"}:
            return Value(frozenset({Mark("arguments", arguments.call.line)}), known=True)
        if tail in OWN_ADDRESS and arguments.receiver.marks:
            return Value(arguments.receiver.marks).cleaned(frozenset({"redirect", "url"}))
        if path in OWN_ROUTES:
            marks = frozenset().union(*(value.every_mark for value in arguments.every)) if arguments.every else frozenset()
            return Value(marks, skeleton="/route{}").cleaned(frozenset({"redirect", "url", "markup", "path"}))
        if path in DECODERS:
            marks = frozenset(replace(mark, clean=frozenset()) for value in arguments.every for mark in value.every_mark)
            return Value(marks, known=arguments.known)
        classes = CLEANERS.get(path) or next((found for pattern, found in CLEANING_NAMES if pattern.search(path)), None)
        if classes:
            marks = frozenset(mark.cleaned(classes) for value in arguments.every for mark in value.every_mark)
            return Value(marks, known=arguments.known)
        if builds_query(path):
            return replace(bound(arguments), path=f"{path}()")
        known = RESULTS.get(path.lstrip("~")) or (METHOD_RESULTS.get(tail) if "." in path else None)
        if known is not None:
            return known(arguments)
        if _STORES.search(f"{path}()"):
            return NOTHING
        if tail == "get_argument" and (arguments.receiver.path == "~self" or arguments.receiver.path.endswith("Handler()")):
            return Value(
                frozenset({Mark("request", arguments.call.line, str(first.const) if not isinstance(first.const, Unset) else "")}),
                known=True,
            )
        if tail in {"get", "getlist", "get_form_parameter", "pop"} and arguments.receiver.marks:
            detail = first.const if isinstance(first.const, str) else ""
            marks = frozenset(replace(mark, detail=f"{mark.detail}.{detail}".strip(".")[:80]) for mark in arguments.receiver.marks)
            return Value(marks | arguments.get(1, "default").every_mark, known=arguments.known)
        if arguments.path.startswith("~") and not arguments.receiver.marks and not HANDS_ON.search(path):
            return NOTHING
        return None

    def pasted(self, value: Value) -> Value:
        """All that is in it is shown."""
        return value

    def schema(self, arguments: Arguments) -> Value | None:
        """Fields of marshmallow's schemas, of forms and serializers, and of pydantic's models where they say more than their type."""
        return schema_field(arguments)

    def parsing(self, arguments: Arguments) -> Parsing | None:
        """A model, form or serializer that is made of something, and `schema.load(value)`."""
        return parsing(arguments)

    def annotated(self, annotation: str, scope: Scope) -> Shape | None:
        """What FastAPI and its relatives let through for a parameter of this type."""
        return annotated(annotation, scope)

    def declared(self, arguments: Arguments) -> dict[str, Shape]:
        """Nothing: Python's frameworks read the types of a handler's parameters."""
        return {}

    def received(self, request: Value, shapes: Mapping[str, Shape], step: Step) -> Value:
        """The request as it came."""
        return request

    def own_function(self, arguments: Arguments, result: Value) -> Value:
        """An own cleaner is believed when its name says so and it does not hand its argument back as it is."""
        classes = next((found for pattern, found in CLEANING_NAMES if pattern.search(arguments.path.lstrip("~"))), None)
        return result.cleaned(classes) if classes and result != arguments.get(0) else result

    def sinks(self, arguments: Arguments) -> Iterable[Harm]:
        """What the call does harm with."""
        path = arguments.path.lstrip("~")
        found = SINKS.get(path) or BUILT_INS.get(path)
        if found is not None:
            yield from found(arguments)
        tail = last_name(path)
        if tail in METHOD_SINKS and "." in path and found is None:
            yield from METHOD_SINKS[tail](arguments)

    def returned(self, function: ir.Function, decorators: tuple[Value, ...], value: Value) -> Iterable[Harm]:
        """A text a Flask-like handler returns is sent as HTML."""
        if any(_HTML_ROUTE.match(decorator.path) for decorator in decorators):
            answer = body_of(value)
            if answer.items is None and (has_tags(answer.skeleton) or answer.skeleton != HOLE or function.decorators):
                yield from _answer(answer)

    def assigned(self, target: Value, key: Value | None, value: Value) -> Iterable[Harm]:
        """Writing outside text into the session."""
        if target.path in {"flask.session[]", "quart.session[]"}:
            yield from harms_any([value, key or NOTHING], "trust", "session-from-request")
        elif key is not None and _HEAD.search(target.path):
            yield from header(key, value)

    def withdraws(self, target: Value, key: Value, value: Value) -> str:
        """An answer that is made first and gets its type, a plain one, afterwards."""
        typed = last_name(target.path) in {"mimetype", "content_type"} and _HEAD.search(f"{target.path.rpartition('.')[0]}[]")
        named = _HEAD.search(target.path) and isinstance(key.const, str) and key.const.lower() == "content-type"
        return "markup" if (typed or named) and isinstance(value.const, str) and not re.search(r"html|svg|xml", value.const) else ""

    def proves(self, arguments: Arguments, *, outcome: bool) -> Iterable[tuple[Value, frozenset[str]]]:
        """Checks on texts: digits only, a full match, a known prefix, an own predicate."""
        tail, receiver, first = last_name(arguments.path), arguments.receiver, arguments.get(0)
        if tail in {"isdigit", "isalnum", "isalpha", "isnumeric", "isdecimal", "isidentifier"} and outcome:
            yield receiver, ALL
        elif tail in {"match", "fullmatch"} and outcome:
            yield from _matched(arguments)
        elif tail == "startswith" and outcome:
            yield receiver, _prefix_proves(receiver, first)
        elif tail == "endswith" and outcome and first.const in QUOTED:
            yield receiver, frozenset({f"ends {first.const}"})
        elif tail == "is_relative_to" and outcome:
            yield receiver, frozenset({"path"})
        elif tail in {"url_has_allowed_host_and_scheme", "is_safe_url", "is_safe_redirect_url"} and outcome:
            yield first, frozenset({"redirect", "url"})
        elif tail == "isinstance" and outcome:
            yield first, _type_proves(arguments.get(1))
        elif outcome and _TRUSTING_NAME.search(tail):
            for value in arguments.every:
                yield value, ALL

    def loads(self, arguments: Arguments) -> str:
        """importlib.import_module("x")."""
        name = arguments.get(0).const
        return name if arguments.path == "importlib.import_module" and isinstance(name, str) else ""

    def globals(self) -> dict[str, Value]:
        """Nothing: built-in functions are known by their names."""
        return {}

    def converts(self, arguments: Arguments) -> bool:
        """Whether the call raises unless its argument is a number, an id or a date."""
        return arguments.path.lstrip("~") in RAISING


def _route_texts(function: ir.Function) -> list[str]:
    """The texts in a function's decorators: route patterns among them. A part of a path holds no slash unless the pattern says so."""
    calls = [decorator for decorator in function.decorators if isinstance(decorator, ir.Call)]
    return [part.value for call in calls for part in call.arguments if isinstance(part, ir.Const) and isinstance(part.value, str)]


def _arguments_of_field(function: ir.Function) -> dict[str, Value]:
    """What a query of GraphQL fills in; an argument with a number or a switch as its default is one."""
    given = [parameter for parameter in function.parameters if parameter.name not in _GRAPHQL_OWN and _is_outside(parameter)]
    texts = [
        parameter
        for parameter in given
        if not (isinstance(parameter.default, ir.Const) and isinstance(parameter.default.value, int | float))
        and (parameter.annotation or not _COUNTED.search(parameter.name))
    ]
    return {
        parameter.name: Value(frozenset({Mark("request", function.line, parameter.name)}), path=f"~{parameter.name}", known=True)
        for parameter in texts
    }


def _is_outside(parameter: ir.Parameter) -> bool:
    """Whether a handler's parameter can hold a text a caller chose."""
    if _HARMLESS_TYPE.match(parameter.annotation) or _SERVICE_TYPE.search(parameter.annotation) or parameter.kind == "**":
        return False
    default = parameter.default
    if isinstance(default, ir.Call):
        name = default.function.name if isinstance(default.function, ir.Attribute) else getattr(default.function, "id", "")
        return name in {"Query", "Path", "Body", "Form", "Header", "Cookie", "File"}
    return True


_LOCAL_PATTERN = re.compile(r"\^?/(?:\[[^\]^/\\]+\]|\w)")
"""A pattern for what begins with a slash and something that is no second one: an address on this site."""


def _matched(arguments: Arguments) -> Iterator[tuple[Value, frozenset[str]]]:
    """`re.match(pattern, text)` or `pattern.match(text)`: an anchored pattern proves a text harmless."""
    if arguments.path in {"re.match", "re.fullmatch"}:
        pattern, subject = arguments.get(0), arguments.get(1)
    else:
        pattern, subject = (arguments.receiver.items or {}).get("pattern", NOTHING), arguments.get(0)
    text = pattern.const if isinstance(pattern.const, str) else ""
    whole = last_name(arguments.path) == "fullmatch" or text.endswith(("$", "\\Z", "$)", "\\z"))
    if whole and not re.search(r"\.[*+]|\\S|\[\^", text):
        yield subject, ALL
    elif _LOCAL_PATTERN.match(text):
        yield subject, frozenset({"redirect"})


def _type_proves(kind: Value) -> frozenset[str]:
    """What `isinstance(text, kind)` proves; `kind` may be several types."""
    names = {part.path.lstrip("~") for part in (kind.items or {0: kind}).values()}
    if names <= {"int", "float", "bool", "complex", "uuid.UUID", "UUID", "datetime.datetime", "datetime.date", "decimal.Decimal"}:
        return ALL
    # what a request sends is text; paths and bytes are made by the program itself
    return frozenset({"path"}) if names <= {"bytes", "bytearray", "pathlib.Path", "pathlib.PurePath"} else frozenset()


def _prefix_proves(receiver: Value, prefix: Value) -> frozenset[str]:
    """What `text.startswith(prefix)` proves: an address on a fixed host, or a resolved path inside a folder."""
    if re.search(r"(?:realpath|abspath|resolve|normpath)\(\)$", receiver.path):
        return frozenset({"path"})
    texts = (
        [prefix.const] if isinstance(prefix.const, str) else [v.const for v in (prefix.items or {}).values() if isinstance(v.const, str)]
    )
    if prefix.const in QUOTED:
        return frozenset({f"begins {prefix.const}"})
    if texts and all(has_fixed_host(text) for text in texts):
        return frozenset({"url", "redirect"})
    if texts and all(is_local_target(f"{text}{HOLE}") for text in texts):
        return frozenset({"redirect"})
    return frozenset()


def _answer(value: Value) -> Iterator[Harm]:
    if not value.path.startswith(
        ("flask.jsonify", "flask.redirect", "flask.render_template", "flask.send", "flask.make_response", "flask.Response")
    ):
        yield from harms(value, "markup", "markup-from-request")
