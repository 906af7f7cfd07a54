"""What happens to data at an entry point before it is used: a schema with limits, types alone, tests by hand, or nothing."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from auditor.checks.mass_assignment import taken_right
from auditor.checks.reach import within
from auditor.model.evidence import Route, RouteKind, Routes
from auditor.model.project import Project
from auditor.model.syntax import Definition, DefinitionKind, FileFacts, Syntax
from auditor.model.verdict import Place


class Checked(StrEnum):
    """How well what enters is checked."""

    LIMITED = "limited"  # a schema with types and limits
    TYPED = "typed"  # types without limits, or tests of type and range by hand
    RAW = "raw"  # used as it comes, at most a test whether it is there
    NOTHING_ENTERS = "nothing-enters"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry point; `spread`: the whole body goes into a record of people, rights or prices, or a right that was sent does; `limits`: tests by hand that set limits."""

    route: Route
    checked: Checked
    place: Place
    spread: Place | None = None
    right: bool = False
    limits: bool = False


_TAKES = re.compile(
    r"\b(?:req|request|ctx\.req|c\.req|ctx\.request|event|context\.req)\.(?:body|json\(|text\(|formData\(|form\b|values\b|get_json\(|POST\b|post\(\)|data\b|FILES\b|files\b|valid\(|parseBody\(|stream\()|\breadBody\(|\breadMultipart|@Body\(|\bformData\.get\(|json\.loads\(\s*request\.body"
)
_SCHEMA_CALL = re.compile(
    r"(?:^|\.)(?:safeParse|safeParseAsync|parseAsync|validateAsync|validateSync|is_valid|validate_on_submit|model_validate|model_validate_json|parse_obj|parse_raw|validate_python|validate_json|checkSchema|validationResult|parseRequest|parseBody|validateBody|validateRequest"
    r"|validate_body|zValidator|sValidator|celebrate|readValidatedBody|readValidatedFormData|parseWithZod|full_clean|from_dict|from_json|valid)$"
)
_PARSE = re.compile(r"(?:^|\.)(?:parse|loads?|validate|decode|cast|assert)$")
_NOT_A_SCHEMA = re.compile(
    r"^(?:JSON|Date|path|url|URL|qs|querystring|csv|yaml|YAML|json|pickle|tomllib|toml|marked|cookie|ast|Papa|jwt|base64|dotenv)\.|^(?:parse|decode)$|decode\(?\)?$"
)
_SCHEMA_THROUGH = re.compile(r"valid|schema|celebrate|zod|joi|use_args|use_kwargs|arguments|expect|dto|form", re.IGNORECASE)
_LIMIT_WORDS = re.compile(
    r"\b(?:max_length|min_length|max_digits|ge|le|gt|lt|regex|pattern|max_items|multiple_of)\s*=|\bconstr\(|\bconint\(|\bEmailStr\b|\bHttpUrl\b|\bLiteral\[|\bEnum\b|\b(?:field_)?validator\(|\bvalidates?\(|\.(?:max|min|email|regex|url|uuid|datetime|length|int|positive|nonnegative|enum)\(|\bz\.enum\(|\b(?:MaxLength|MinLength|Length|IsEmail|IsEnum|Max|Min|IsIn|IsUUID|Matches|ArrayMaxSize|IsDate\w*|IsUrl|IsPositive)\("
    r"|\bLength\(|\bRange\(|\bOneOf\(|\bEmailField\b|\bURLField\b|\bChoiceField\b|\bSelectField\b|maxLength|maximum|\bDataRequired\b|\bNumberRange\b|max_value|clean_\w+\("
)
_HAND = re.compile(
    r"\btypeof\s+\w+(?:\.\w+)*\s*[!=]==?|\bisinstance\(|\b(?:Number\.)?isNaN\(|Number\.is(?:Integer|Finite)\(|Array\.isArray\(|\.length\s*[<>]=?\s*\d|\blen\(\w+[^)]{0,30}\)\s*[<>]=?\s*\w|\bstrptime\(|\bfromisoformat\(|\.isdigit\(\)|\bre\.(?:full)?match\(|\.test\(|validator\.\w+\(|\bint\(\s*(?:request|data|form|body)|\bfloat\(\s*(?:request|data|form|body)|\bDecimal\(|\.includes\(\s*\w+|\bnot in\b|\bif\s+\w+\s*[<>]=?\s*-?\d|\[:\d+\]|\.slice\(0,\s*\d+\)|\bvalidate_\w+\(|\bis_?valid\w*\(|\bvalidate[A-Z]\w*\(|\bsanitize\w*\(|\bnormalize\w*\("
)
_FIELD = re.compile(
    r"\b(?:self\.)?request\.(?:POST|form|data|values)\b(?:\.get\(\s*['\"][\w-]{1,60}['\"]\s*(?:,[^()\n]{0,40})?\)|\[\s*['\"][\w-]{1,60}['\"]\s*\])?|\breq\.body\.\w{1,60}\b(?!\()"
)
"""A field of a form where it is taken, or the form itself where a name is looked for in it."""
_ANSWER = re.compile(r"(?:Response|Out|Read|Public|Result|Reply)\w*\.\w+$")
"""Schemas of what is sent back."""
_SCHEMA_MADE = re.compile(
    r"\b[A-Z]\w*(?:Form|Schema|Serializer|Spec|Model|Request|Input|Params)\(\s*(?:\*\*\s*)?(?:data\s*=\s*)?(?:request|data|body|payload|json)"
)
_HAND_LIMIT = re.compile(
    r"\blen\(\w+[^)]{0,30}\)\s*[<>]=?\s*\w|\bstrptime\(|\bfromisoformat\(|\bre\.(?:full)?match\(|\bif\s+(?:not\s+)?\(?-?\w*\s*[<>]=?\s*\w+|\bvalidate_\w+\(|\b_?clean_\w+\("
)
_UPPER_LIMIT = re.compile(
    r"\blen\([^()]{1,60}\)\s*>=?\s*(?![01]\b)\w|\blen\([^()]{1,60}\)\s*<=?\s*[1-9]\d|\.length\s*>=?\s*(?![01]\b)\w|\.length\s*<=?\s*[1-9]\d|\[:\s*\d+\]|\.slice\(0,\s*\d|\babs\(\w+\)\s*[!<>=]"
)
"""A test by hand of how long or large something may be at most."""
_ALIAS = re.compile(
    r"(?m)^\s*(?:const |let )?(\w+)\s*=\s*(?:request\.(?:form|POST|get_json\(\)|json)|(?:await\s+)?req(?:uest)?\.(?:body|json\(\)))\s*;?\s*$"
)
"""A name for everything that was sent."""
_TESTED = re.compile(r"(?:\b(?:if|elif|and|or|not|while)\s|[!(]|&&\s*|\|\|\s*)\(?\s*$")
_SPREAD = re.compile(
    r"(?:\bdata\s*:\s*(?:\{\s*\.\.\.\s*)?(?:await\s+)?(?:req|request|ctx\.request)\.(?:body|json\(\))|\.(?:create|update|insert\w*|findByIdAndUpdate|findOneAndUpdate|updateOne|upsert|save)\((?:[^()\n;]{0,60},\s*)?(?:\{[^{}\n]{0,40}\$set:\s*)?(?:\{?\s*\.\.\.)?\s*(?:req|request|ctx\.request)\.body\b(?!\.)|\bnew\s+(\w+)\(\s*(?:req|request)\.body\s*\)|Object\.assign\(\s*\w+\s*,\s*(?:req|request)\.body\s*\)"
    r"|\b[A-Z]\w+\(\s*\*\*\s*(?:request\.(?:json|form|get_json\(\))|(?:data|body|payload))\s*\)|\.objects\.(?:create|update)\(\s*\*\*\s*(?:request|data|body|payload)|\.values\(\s*\*\*\s*(?:request|data|body|payload))"
)
_SENSITIVE = re.compile(
    r"user|account|member|role|admin|permission|price|product|order|payment|plan|subscription|employee|customer|profile|tenant|organi[sz]ation|company|balance|wallet",
    re.IGNORECASE,
)
_PRIMITIVE = re.compile(
    r"^(?:Optional\[)?(?:Annotated\[)?\s*(?:str|int|float|bool|date|datetime|UUID|uuid\.UUID|Decimal|EmailStr|UploadFile|list\[(?:str|int|UploadFile)\]|List\[(?:str|int)\])\b"
)
_SMALL = re.compile(r"^(?:Optional\[)?(?:Annotated\[)?\s*(?:int|float|bool|date|datetime|(?:uuid\.)?UUID\d?|Decimal|EmailStr)\b")
"""Types that cannot hold more than a few bytes."""
_LOOSE = re.compile(r"^(?:dict|Dict|Any|typing\.Any|list|List|object)$|^(?:dict|Dict)\[|\bdict\[str,\s*(?:Any|object)\]")
_WRITING = frozenset({"POST", "PUT", "PATCH", "ANY"})


class EntryChecks:
    """Looks at the handler of each entry point and at the schemas it names."""

    def __init__(self, routes: Routes, syntax: Syntax, project: Project, texts: dict[str, str]) -> None:
        self._routes = routes.routes
        self._syntax = syntax
        self._texts = texts
        files = syntax.of(project.server)
        self._functions: defaultdict[str, list[tuple[FileFacts, int]]] = defaultdict(list)
        self._classes: defaultdict[str, list[tuple[FileFacts, Definition]]] = defaultdict(list)
        for facts in files:
            for index, definition in enumerate(facts.definitions):
                if definition.kind is DefinitionKind.CLASS:
                    self._classes[definition.name].append((facts, definition))
                else:
                    self._functions[definition.name].append((facts, index))
        self._pipes = any(call.callee == "new ValidationPipe" for facts in files for call in facts.calls)

    def all(self) -> list[Entry]:
        """Every entry point that takes data, each handler once."""
        seen: set[tuple[str, int]] = set()
        entries = []
        for route in self._routes:
            key = (route.place.path, route.place.line)
            if (
                key in seen
                or route.kind in {RouteKind.PAGE, RouteKind.WEBSOCKET, RouteKind.COMMAND}
                or not (route.method in _WRITING or route.kind is RouteKind.ACTION)
            ):
                continue
            seen.add(key)
            entry = self._entry(route)
            if entry.checked is not Checked.NOTHING_ENTERS:
                entries.append(entry)
        return entries

    def _entry(self, route: Route) -> Entry:
        facts = self._syntax.files.get(route.place.path)
        if facts is None or route.handler_scope < 0:
            return Entry(route, Checked.UNKNOWN, route.place)
        definition = facts.definitions[route.handler_scope]
        code = self._code(facts.path, definition)
        place = Place(facts.path, definition.line, min(definition.end_line, definition.line + 3))
        if "trpc" in route.framework or route.path.startswith("/trpc/"):
            return Entry(route, self._procedure(facts, definition), place)
        checked = self._python(route, definition, code) if facts.path.endswith(".py") else self._script(route, facts, definition, code)
        right = taken_right(route, self._syntax, code, self._classes)
        if right is not None:
            return Entry(route, checked, place, right, right=True)
        spread = None
        if checked in {Checked.RAW, Checked.TYPED} and (match := _SPREAD.search(code)) and "model_dump" not in code:
            words = f"{route.path} {match[0]} {code[max(0, match.start() - 80) : match.start()]}"
            if _SENSITIVE.search(words) and checked is Checked.RAW:
                line = definition.line + code.count("\n", 0, match.start())
                spread = Place(facts.path, line, line)
        return Entry(route, checked, place, spread, limits=_UPPER_LIMIT.search(code) is not None)

    def _code(self, path: str, definition: Definition) -> str:
        """The lines of a definition, comments emptied, line numbers kept."""
        lines = self._texts.get(path, "").split("\n")[definition.line - 1 : definition.end_line]
        return "\n".join("" if line.lstrip().startswith(("//", "#", "*")) else line[:400] for line in lines)[:60_000]

    # -- Python ----------------------------------------------------------------------------------------------------------------

    def _python(self, route: Route, definition: Definition, code: str) -> Checked:
        if any(_SCHEMA_THROUGH.search(name) for name in route.through):
            return Checked.LIMITED
        typed = self._typed_parameters(route, definition) if route.framework in {"fastapi", "starlette", "litestar", "ninja"} else None
        takes = bool(_TAKES.search(code))
        if typed is None and definition.kind is DefinitionKind.CLASS:
            return (
                Checked.LIMITED
                if "serializer" in code or "form_class" in code or "ModelForm" in code
                else Checked.NOTHING_ENTERS
                if not takes
                else self._by_hand(route, code)
            )
        if typed is None and not takes:
            return self._through_others(route) if route.framework in {"flask", "django", "aiohttp", "drf"} else Checked.NOTHING_ENTERS
        if self._uses_schema(route, code):
            return Checked.LIMITED
        if typed is not None:
            if typed is Checked.TYPED and _HAND_LIMIT.search(code):
                return Checked.LIMITED
            return typed if typed is not Checked.RAW else self._by_hand(route, code)
        return self._by_hand(route, code)

    def _through_others(self, route: Route) -> Checked:
        """A handler that hands the request on: what the functions it calls do with it is not followed here."""
        return Checked.LIMITED if self._uses_schema(route, "") else Checked.NOTHING_ENTERS

    def _typed_parameters(self, route: Route, definition: Definition) -> Checked | None:
        """What the annotations of the parameters promise; None when none of them takes a body."""
        best: list[Checked] = []
        for parameter in definition.parameters:
            annotation = parameter.annotation.strip("\"'")
            default = parameter.default.text if parameter.default is not None else ""
            source = f"{annotation} {default}"
            in_address = re.search(rf"[{{<:]\s*{re.escape(parameter.name)}\s*(?:[:}}>/]|$)", route.path)
            if in_address or re.search(r"\bDepends\(|\bSecurity\(|\bHeader\(|\bCookie\(|\bPath\(", source):
                continue
            if _LOOSE.search(annotation):
                best.append(Checked.RAW)
            elif (model := self._model(annotation)) is not None:
                best.append(model)
            elif re.search(r"\b(?:Form|Body|File|Query)\(", source) or (_PRIMITIVE.search(annotation) and annotation):
                best.append(Checked.LIMITED if _LIMIT_WORDS.search(source) or _SMALL.search(annotation) else Checked.TYPED)
        if not best:
            return None
        models = [checked for checked in best if checked is not Checked.TYPED]
        return Checked.RAW if Checked.RAW in best else Checked.LIMITED if Checked.LIMITED in models else Checked.TYPED

    def _model(self, annotation: str) -> Checked | None:
        """Whether a first-party class named in an annotation sets limits; None when there is no such class."""
        for name in re.findall(r"\b[A-Z]\w+", annotation):
            for facts, definition in self._classes.get(name, [])[:3]:
                if definition.bases:
                    return Checked.LIMITED if self._sets_limits(facts, definition, 3) else Checked.TYPED
        return None

    def _sets_limits(self, facts: FileFacts, definition: Definition, depth: int) -> bool:
        body = "\n".join(self._texts.get(facts.path, "").split("\n")[definition.line - 1 : definition.end_line])[:20_000]
        if _LIMIT_WORDS.search(body):
            return True
        if depth == 0:
            return False
        named = [*definition.bases, *re.findall(r":\s*(?:list\[|List\[|Optional\[)?([A-Z]\w+)", body)]
        return any(
            self._sets_limits(other, base, depth - 1) or any(b.rsplit(".", 1)[-1] in {"Enum", "StrEnum", "IntEnum"} for b in base.bases)
            for name in dict.fromkeys(named)
            for other, base in self._classes.get(name.rsplit(".", 1)[-1], [])[:2]
            if base is not definition
        )

    # -- scripts ---------------------------------------------------------------------------------------------------------------

    def _script(self, route: Route, facts: FileFacts, definition: Definition, code: str) -> Checked:
        if any(_SCHEMA_THROUGH.search(name) for name in route.through):
            return Checked.LIMITED
        signature = "\n".join(self._texts.get(facts.path, "").split("\n")[definition.line - 1 : definition.line + 14])
        bodies = re.findall(r"@(?:Body|Args)\([^)]{0,200}\)\s*\w+\??\s*:\s*([\w.<>\[\]|{ ]{1,80})", signature if "@" in signature else "")
        if bodies:
            return self._nest(route, bodies, code)
        if self._uses_schema(route, code):
            return Checked.LIMITED
        if not _TAKES.search(code) and not (route.kind is RouteKind.ACTION and definition.parameters):
            return Checked.NOTHING_ENTERS
        return self._by_hand(route, code)

    def _nest(self, route: Route, bodies: list[str], code: str) -> Checked:
        """Parameters of a Nest controller: classes count when a pipe validates them."""
        kinds = []
        for annotation in bodies:
            name = annotation.strip().split("<")[0].rstrip("[]")
            classes = self._classes.get(name, [])
            if classes and self._pipes:
                facts, definition = classes[0]
                body = "\n".join(self._texts.get(facts.path, "").split("\n")[definition.line - 1 : definition.end_line])
                kinds.append(Checked.LIMITED if _LIMIT_WORDS.search(body) or "@Is" in body else Checked.TYPED)
            elif name in {"string", "number", "boolean"} or classes:
                kinds.append(Checked.TYPED)
            else:
                kinds.append(self._by_hand(route, code))
        return Checked.RAW if Checked.RAW in kinds else Checked.LIMITED if Checked.LIMITED in kinds else Checked.TYPED

    def _procedure(self, facts: FileFacts, definition: Definition) -> Checked:
        """A remote procedure: its input schema stands in the chain before the handler."""
        lines = self._texts.get(facts.path, "").split("\n")
        before = "\n".join(lines[max(0, definition.line - 40) : definition.line])
        start = max(before.rfind("rocedure"), 0)
        return Checked.LIMITED if ".input(" in before[start:] else Checked.NOTHING_ENTERS

    # -- both ------------------------------------------------------------------------------------------------------------------

    def _uses_schema(self, route: Route, code: str) -> bool:
        """A schema that is applied in the handler, or in a function it calls directly."""
        own = self._syntax.files[route.place.path]
        places = [(own, route.handler_scope), *self._called(route)]
        for facts, index in places:
            inside = within(facts, index)
            if any(call.scope in inside and _applies_schema(call.callee, facts.path) for call in facts.calls):
                return True
        return bool(_SCHEMA_MADE.search(code))

    def _by_hand(self, route: Route, code: str) -> Checked:
        """Tests in the handler, or in the functions it hands the data to."""
        if _only_compared(code):
            return Checked.LIMITED
        called = (self._code(facts.path, facts.definitions[index]) for facts, index in self._called(route))
        return Checked.TYPED if _HAND.search(code) or any(_HAND.search(text) for text in called) else Checked.RAW

    def _called(self, route: Route) -> Iterator[tuple[FileFacts, int]]:
        """First-party functions the handler calls directly, where the name leads to one function only."""
        own = self._syntax.files[route.place.path]
        inside = within(own, route.handler_scope)
        names = dict.fromkeys(call.callee.rsplit(".", 1)[-1] for call in own.calls if call.scope in inside)
        for name in list(names)[:40]:
            places = self._functions.get(name, []) if len(name) > 3 else []
            near = [entry for entry in places if entry[0].path == own.path] or places
            if len(near) == 1 and near[0] != (own, route.handler_scope):
                yield near[0]


def _only_compared(code: str) -> bool:
    """Whether every field of a form is tested for presence or compared, and goes nowhere else."""
    code = _by_one_name(code)
    fields = list(_FIELD.finditer(code))
    taken = len(list(_TAKES.finditer(code)))
    return bool(fields) and len(fields) == taken and all(_compared(code, found) for found in fields)


def _by_one_name(code: str) -> str:
    """The code with the fields of what was sent read in one way, whatever name it was given in between."""
    alias = _ALIAS.search(code)
    if alias is None or len(_TAKES.findall(code)) != 1:
        return code
    code = code[: alias.start()] + code[alias.end() :]
    if re.search(rf"\b{alias[1]}\b(?!\.get\(|\.\w+\b(?!\())", code):
        return code
    return re.sub(rf"\b{alias[1]}\.get\(", "request.form.get(", re.sub(rf"\b{alias[1]}\.(?=\w+\b(?!\())", "req.body.", code))


def _compared(code: str, field: re.Match[str]) -> bool:
    line = code[code.rfind("\n", 0, field.start()) + 1 : field.start()]
    kept = re.match(r"\s*(?:const |let )?(\w+)\s*=\s*$", line)
    if kept:
        uses = list(re.finditer(rf"\b{kept[1]}\b", code[field.end() :]))
        return bool(uses) and all(_is_compared(code[field.end() :], use) for use in uses)
    return _is_compared(code, field)


def _is_compared(code: str, field: re.Match[str]) -> bool:
    line = code[code.rfind("\n", 0, field.start()) + 1 : field.start()]
    after = code[field.end() :]
    if _TESTED.search(line) and re.match(r"\s*(?::|\)|and\b|or\b|&&|\|\|)", after):
        return True
    return bool(re.match(r"\s*(?:==|!=|===|!==)", code[field.end() :]) or re.search(r"(?:['\"]\w+['\"]\s+(?:not\s+)?in|[!=]==?)\s*$", line))


def _applies_schema(callee: str, path: str) -> bool:
    if _NOT_A_SCHEMA.search(callee) or _ANSWER.search(callee):
        return False
    if _SCHEMA_CALL.search(callee):
        return True
    return bool(_PARSE.search(callee) and re.search(r"schema|valid|dto|\bz\.|form|input|spec|type", f"{callee} {path}", re.IGNORECASE))
