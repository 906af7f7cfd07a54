"""Sources, sinks, cleaners and checks of JavaScript and TypeScript: Node's modules, server frameworks, query libraries and the browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from auditor.evidence.flow.language import WITHOUT, Arguments
from auditor.evidence.flow.values import ALL, HOLE, NOTHING, OWN_HOLE, UNSET, Mark, Value, constant, text_of
from auditor.evidence.flow.weaknesses import HANDS_ON, harms, harms_any, has_fixed_host, has_tags, is_local_target, is_query
from auditor.languages import flow_ir as ir

_Sink = Callable[[Arguments], Iterable[tuple[str, str, Mark]]]
_Hit = Iterator[tuple[str, str, Mark]]

_TRUSTED = frozenset(
    [
        "method",
        "user",
        "session",
        "app",
        "ip",
        "ips",
        "secure",
        "protocol",
        "res",
        "route",
        "baseUrl",
        "socket",
        "connection",
        "log",
        "logger",
        "id",
        "auth",
        "signal",
        "httpVersion",
        "locale",
        "nextUrl_origin",
        "env",
        "executionCtx",
        "state",
        "userId",
        "tenant",
        "account",
        "db",
    ]
)
"""Attributes of a request that the server or its middleware sets itself."""
_STORED_UPLOAD = frozenset({"filepath", "path", "tempFilePath", "size", "destination", "fieldname", "filename", "buffer"})
"""Fields of an upload that the server's library chooses when it stores the file."""
_REQUEST_NAMES = frozenset({"req", "_req", "request", "ctx", "context", "c", "event"})
_REQUEST_TYPE = re.compile(
    r"\b(?:Request|NextRequest|NextApiRequest|FastifyRequest|ExpressRequest|HttpRequest|VercelRequest|NowRequest|IncomingMessage|APIGatewayProxyEvent(?:V2)?|KoaContext|H3Event|RequestEvent"
    r"|LoaderFunctionArgs|ActionFunctionArgs)\b"
)
_OUTSIDE_DECORATOR = re.compile(r"@(?:Query|Body|Param|Headers|UploadedFile|UploadedFiles|MessageBody|Args)\b")
_HARMLESS_TYPE = re.compile(r":\s*(?:number|boolean|Date|bigint)\b|Parse(?:Int|UUID|Bool|Float|Enum)Pipe")
_HTTP_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_LOCATION = re.compile(
    r"^~(?:window\.|document\.|self\.|globalThis\.)?location\.(?:hash|search|href|pathname)$|^~document\.(?:URL|documentURI|referrer|cookie)$|^~window\.name$"
)
_MODEL_CALL = re.compile(
    r"(?:openai|anthropic|genai|gemini|llm|groq|ollama|mistral|cohere|model)\b.*(?:create|generateContent|generateText|complete|invoke|chat|sendMessage)\(\)$",
    re.IGNORECASE,
)

_NUMBERS = frozenset(
    [
        "parseInt",
        "parseFloat",
        "Number",
        "Boolean",
        "BigInt",
        "isNaN",
        "Number.parseInt",
        "Number.parseFloat",
        "Math.max",
        "Math.min",
        "Math.floor",
        "Math.round",
        "Math.ceil",
        "Math.abs",
        "Array.isArray",
        "Date.now",
        "Date.parse",
        "crypto.randomUUID",
        "bcrypt.hash",
        "bcrypt.compare",
        "bcryptjs.hash",
        "bcryptjs.compare",
        "mongoose.Types.ObjectId",
        "Types.ObjectId",
        "ObjectId",
        "mongodb.ObjectId",
        "crypto.createHash",
        "jwt.verify",
        "jsonwebtoken.verify",
        "Date",
    ]
)
_HARMLESS_METHODS = frozenset(
    {
        "startsWith",
        "endsWith",
        "includes",
        "indexOf",
        "test",
        "localeCompare",
        "charCodeAt",
        "digest",
        "getTime",
        "toISOString",
        "toFixed",
        "has",
        "length",
    }
)
_ADDRESS = frozenset({"markup", "path", "url", "redirect"})
_CLEANERS: tuple[tuple[re.Pattern[str], frozenset[str]], ...] = (
    (re.compile(r"(?:^|\.)encodeURI(?:Component)?$"), _ADDRESS),
    (re.compile(r"(?:^|\.)basename$"), frozenset({"path"})),
    (re.compile(r"(?:^|[.~])(?:sanitize|safe|secure|clean|normalize|validate)_?(?:Path(?:name)?|File(?:[nN]ame)?)$"), frozenset({"path"})),
    (re.compile(r"(?:^|[.~])resolve-path(?:\.default)?$|(?:^|[.~])(?:safe|secure)_?(?:Join|Resolve)(?:Path|File)?$"), frozenset({"path"})),
    (re.compile(r"(?:^|[.~])(?:sanitize|safe|clean|validate)_?(?:Url|URL|Redirect\w*)$"), frozenset({"url", "redirect"})),
    (re.compile(r"(?:^|\.)(?:sanitizeFilename|sanitize-filename|secureFilename|slugify)$"), frozenset({"path", "markup", "command"})),
    (
        re.compile(
            r"(?:dompurify|purify|sanitizer|sanitize-html|xss|he|escape-html|lodash|validator|_)\b.*(?:sanitize|escape|encode|process|xss|sanitize-html|escape-html)$|(?:^|[.~])(?:(?:escape|sanitize|encode|clean)(?:Html|HTML|Markup|Xml|XML|Text|Entities)?|html[eE]scape|sanitizeHtml|xss|escapeAttr\w*|esc|h)$",
            re.IGNORECASE,
        ),
        frozenset({"markup"}),
    ),
    (re.compile(r"^(?:uqr|qrcode|qr-code-styling|bwip-js|jsbarcode)\b"), frozenset({"markup"})),  # a picture of the text
    (re.compile(r"(?:^|\.)(?:escapeId|escapeIdentifier|escapeLiteral|identifier)$"), frozenset({"sql"})),
    (re.compile(r"shell-quote|shescape|shellescape"), frozenset({"command"})),
    (re.compile(r"(?:^|\.)(?:btoa|randomUUID)$"), ALL),
)
_DECODERS = frozenset({"decodeURIComponent", "decodeURI", "atob", "unescape"})
_STORES = re.compile(
    r"\.(?:query|execute|find\w*|create\w*|update\w*|delete\w*|upsert|save|insert\w*|select|from|aggregate|count\w*|groupBy|populate|exec|lean|single|maybeSingle|getMany|getOne|rpc|eq|order|limit|where|first|all|run|get|transaction)\(\)"
)
_DATABASE = re.compile(
    r"(?:\bdb\b|database|conn|client|pool|knex|sequelize|prisma|sql|mysql|\bpg\b|postgres|sqlite|transaction|\btrx?\b|\btx\b|queryRunner|entityManager|dataSource|repository)",
    re.IGNORECASE,
)
_TRUSTING_NAME = re.compile(
    r"^(?:is)?(?:valid|safe|allowed|permitted|whitelisted|trusted|sanitized|check|verify|validate|allow|matches)", re.IGNORECASE
)
_VALIDATORS = re.compile(r"validator\.is\w+$|^~is[A-Z]\w+$")
_CALLBACKS = frozenset({"then", "map", "forEach", "filter", "find", "some", "every", "flatMap", "reduce", "sort", "findIndex"})


def _tail(path: str) -> str:
    return path.rsplit(".", maxsplit=1)[-1]


class Script:
    """The tables of JavaScript and TypeScript; one object serves every file."""

    setters: frozenset[str] = frozenset()
    keyed: frozenset[str] = frozenset()
    leaving = frozenset({"~process.exit()", "next/navigation.notFound()", "next/navigation.redirect()", "@sveltejs/kit.error()"})
    whole_callbacks = frozenset({"then"})
    mapping_callbacks = frozenset({"map", "flatMap"})

    def source(self, value: Value, line: int) -> Value:
        """Mark the browser's address and the like; take the mark from what a server sets itself."""
        path = value.path
        if value.marks:
            tail = _tail(path)
            if "JSON.parse" not in path and all(mark.source == "page" and "." in mark.detail for mark in value.marks):
                return replace(value, marks=frozenset())  # a parameter of an address is a text: what has fields is an answer to it
            trusted = tail in _TRUSTED and path.rpartition(".")[0] in {"express.request", "koa.request"}
            stored = tail in _STORED_UPLOAD and all("file" in mark.detail.lower() for mark in value.marks)
            if trusted or stored or tail in {"length", "byteLength"}:
                return replace(value, marks=frozenset())
            return value.cleaned(frozenset({"markup"})) if tail in {"search", "pathname"} and "URL()" in path else value
        if path and _LOCATION.match(path):
            return replace(value, marks=frozenset({Mark("page", line, clean=frozenset({"redirect"}))}))
        if path == "~process.argv":
            return replace(value, marks=frozenset({Mark("arguments", line)}))
        return value

    def entry(self, function: ir.Function, decorators: tuple[Value, ...], owner_bases: tuple[Value, ...]) -> dict[str, Value]:
        """Request parameters of handlers: by name (req, res), by type, by NestJS's decorators, by Next.js's exported method names."""
        filled: dict[str, Value] = {}
        names = [parameter.name for parameter in function.parameters if parameter.name != "this"]
        pair = 2 <= len(names) <= 3 and names[0] in _REQUEST_NAMES and names[1].lstrip("_") in {"res", "response", "reply", "next", "h"}
        for number, parameter in enumerate(parameter for parameter in function.parameters if parameter.name != "this"):
            typed = bool(_REQUEST_TYPE.search(parameter.annotation)) and "Response" not in parameter.annotation
            if _OUTSIDE_DECORATOR.search(parameter.annotation):
                if not _HARMLESS_TYPE.search(parameter.annotation):
                    filled[parameter.name] = Value(frozenset({Mark("request", function.line, parameter.name)}), path=f"~{parameter.name}")
            elif number == 0 and (pair or typed or function.name in _HTTP_METHODS or (names == ["req"])):
                filled[parameter.name] = Value(frozenset({Mark("request", function.line)}), path="express.request")
            elif number == 0 and parameter.name in {"ctx", "c"} and len(names) <= 2 and function.is_async:
                filled[parameter.name] = Value(frozenset({Mark("request", function.line)}), path="koa.request")
            elif parameter.name == "formData" or "FormData" in parameter.annotation:
                filled[parameter.name] = Value(frozenset({Mark("request", function.line, parameter.name)}), path="~formData")
        return filled

    def operator(self, sign: str, values: tuple[Value, ...]) -> Value | None:
        """Numbers and answers carry no text."""
        return (
            NOTHING if sign in {"-", "*", "/", "%", "typeof", "instanceof", "void", "delete", "++", "--", "**", ">>>", "|", "&"} else None
        )

    def transfer(self, arguments: Arguments) -> Value | None:
        """Results of known functions."""
        path = arguments.path.lstrip("~")
        tail, first = _tail(path), arguments.get(0)
        if path in _NUMBERS or (tail in _HARMLESS_METHODS and "." in path) or tail == "ObjectId":
            return NOTHING
        if _MODEL_CALL.search(f"{path}()"):
            return Value(frozenset({Mark("model", arguments.call.line)}))
        if path in {"fetch", "window.fetch"} or path.startswith("axios"):
            return Value(frozenset({Mark("download", arguments.call.line)}))
        if tail == "get" and "earchParams" in path and arguments.receiver.marks:
            return Value(frozenset(replace(mark, clean=frozenset(), detail=str(first.const)) for mark in arguments.receiver.marks))
        if path in _DECODERS:
            return Value(frozenset(replace(mark, clean=frozenset()) for mark in first.every_mark))
        classes = self._cleans(arguments.path)
        if classes:
            return Value(frozenset(mark.cleaned(classes) for value in (*arguments.every, arguments.receiver) for mark in value.every_mark))
        known = _TRANSFERS.get(path) or (_METHODS.get(tail) if "." in path else None)
        if known is not None:
            return known(arguments)
        if tail in _CALLBACKS and arguments.receiver.marks:
            return Value(arguments.receiver.every_mark)
        if _STORES.search(f"{path}()") and not arguments.receiver.marks:
            return NOTHING
        if arguments.path.startswith("~") and not arguments.receiver.marks and not HANDS_ON.search(path):
            return NOTHING
        return None

    def own_function(self, arguments: Arguments, result: Value) -> Value:
        """An own cleaner is believed when its name says so and it does not hand its argument back as it is."""
        classes = self._cleans(arguments.path)
        return result.cleaned(classes) if classes and result != arguments.get(0) else result

    def _cleans(self, path: str) -> frozenset[str]:
        return next((found for pattern, found in _CLEANERS if pattern.search(path)), frozenset())

    def sinks(self, arguments: Arguments) -> Iterable[tuple[str, str, Mark]]:
        """What the call does harm with."""
        if arguments.call.tagged or not any(value.every_mark for value in arguments.every):
            return
        path = arguments.path.lstrip("~")
        found = _SINKS.get(path) or _SINKS.get(path.replace(".default", ""))
        if found is not None:
            yield from found(arguments)
        elif "." in path and _tail(path) in _METHOD_SINKS:
            yield from _METHOD_SINKS[_tail(path)](arguments)

    def returned(self, function: ir.Function, decorators: tuple[Value, ...], value: Value) -> Iterable[tuple[str, str, Mark]]:
        """Returned texts are JSON or rendered by a framework that escapes."""
        return ()

    def assigned(self, target: Value, key: Value | None, value: Value) -> Iterable[tuple[str, str, Mark]]:
        """Writing mark-up into the page, or an address into the browser's location."""
        tail = _tail(target.path)
        if tail in {"innerHTML", "outerHTML", "srcdoc"}:
            yield from _in_page(value)
        elif re.search(r"(?:^~|\.)location(?:\.href)?$", target.path) and not is_local_target(value.skeleton):
            yield from harms(value, "redirect", "open-redirect")

    def proves(self, arguments: Arguments, *, outcome: bool) -> Iterable[tuple[Value, frozenset[str]]]:
        """Checks on texts: a full match, a list that has it, an own predicate, a known prefix."""
        path, tail, first, receiver = arguments.path, _tail(arguments.path), arguments.get(0), arguments.receiver
        if tail in {"test", "match"}:
            pattern, subject = (receiver, first) if tail == "test" else (first, receiver)
            yield from _matched(pattern, subject, outcome=outcome)
        elif tail in {"includes", "has"} and outcome and not receiver.marks:
            yield first, ALL
        elif tail == "includes" and not outcome and isinstance(first.const, str):
            yield receiver, WITHOUT.get(first.const, frozenset())
        elif tail == "startsWith" and outcome:
            yield receiver, _prefix_proves(receiver, first)
        elif outcome and (tail in {"isInteger", "isFinite", "isSafeInteger"} or _VALIDATORS.search(path) or _TRUSTING_NAME.search(tail)):
            for value in arguments.every:
                yield value, ALL

    def loads(self, arguments: Arguments) -> str:
        """`require("x")`, `import("x")`."""
        name = arguments.get(0).const
        return name.removeprefix("node:") if arguments.path in {"~require", "~import"} and isinstance(name, str) else ""

    def globals(self) -> dict[str, Value]:
        """CommonJS's objects for what a file exports."""
        return {"module": Value(path="~module", items={"exports": Value(items={})}), "exports": Value(path="~exports", items={})}

    def converts(self, arguments: Arguments) -> bool:
        """Nothing in JavaScript raises on a text that is no number."""
        return False


def _matched(pattern: Value, subject: Value, *, outcome: bool) -> Iterator[tuple[Value, frozenset[str]]]:
    text = (pattern.items or {}).get("pattern", NOTHING).const
    if not isinstance(text, str):
        if outcome and pattern.path:
            yield subject, ALL  # a pattern from elsewhere, tested before use
    elif (outcome and text.startswith("^") and text.endswith("$") and not re.search(r"\.[*+]|\\S|\[\^", text)) or (
        not outcome and text.startswith("[^")
    ):
        yield subject, ALL


def _prefix_proves(receiver: Value, prefix: Value) -> frozenset[str]:
    if re.search(r"(?:resolve|normalize|realpathSync|realpath)\(\)$", receiver.path):
        return frozenset({"path"})
    if isinstance(prefix.const, str) and (has_fixed_host(prefix.const) or prefix.const == "/"):
        return frozenset({"url", "redirect"})
    return frozenset()


# results of functions


def _joined(arguments: Arguments) -> Value:
    parts: list[Value] = []
    for value in arguments.positional:
        parts += [value, constant("/")]
    return replace(text_of(parts[:-1]), path=f"{arguments.path}()")


def _receiver(arguments: Arguments) -> Value:
    value = arguments.receiver
    marks = value.every_mark | frozenset().union(*(part.every_mark for part in arguments.every))
    return replace(value, marks=marks, items=None, const=UNSET if marks else value.const)


def _replaced(arguments: Arguments) -> Value:
    result = _receiver(arguments)
    pattern = (arguments.get(0).items or {}).get("pattern", arguments.get(0)).const
    if isinstance(pattern, str) and re.match(r"^\[\^[\w\s.\\-]+\][+*]?$", pattern):
        return result.cleaned(ALL)
    if isinstance(pattern, str) and pattern in {"<", "[<>]", "[&<>]", "[&<>\"']", "[<>&\"']", "&"}:
        return result.cleaned(frozenset({"markup"}))
    return result


def _array_text(arguments: Arguments) -> Value:
    return replace(text_of((arguments.receiver.items or {}).values()), marks=arguments.receiver.every_mark)


def _formatted_address(arguments: Arguments) -> Value:
    """`url.format({ pathname, query })` begins with its path name."""
    given = arguments.get(0)
    path = (given.items or {}).get("pathname", NOTHING)
    host = (given.items or {}).get("host")
    return Value(given.every_mark, skeleton=f"{path.skeleton}?{HOLE}" if host is None else HOLE)


def _address(arguments: Arguments) -> Value:
    """`new URL(path, base)`: the host is the base's unless the path brings its own."""
    given, base = arguments.get(0), arguments.get(1)
    if len(arguments.positional) > 1 and not base.every_mark and is_local_target(given.skeleton):
        return Value(given.every_mark, skeleton=OWN_HOLE + given.skeleton, path="~URL()")
    return Value(given.every_mark | base.every_mark, skeleton=given.skeleton, path="~URL()")


def _first(arguments: Arguments) -> Value:
    return arguments.get(0)


_TRANSFERS: dict[str, Callable[[Arguments], Value]] = {
    **dict.fromkeys(("path.join", "path.resolve", "join", "resolve", "path.posix.join", "path.normalize"), _joined),
    "URL": _address, "url.format": _formatted_address, "String": _first, "Object.assign": _first, "structuredClone": _first, "Promise.resolve": _first, "decodeHtml": _first,
    "RegExp": lambda a: Value(path="RegExp()", items={"pattern": a.get(0)}),
}  # fmt: skip
_METHODS: dict[str, Callable[[Arguments], Value]] = {
    **dict.fromkeys(("trim", "toLowerCase", "toUpperCase", "toString", "trimEnd", "trimStart", "padStart", "slice", "substring", "concat", "normalize", "json", "text", "valueOf"), _receiver),
    **dict.fromkeys(("readFile", "readFileSync", "readdir", "readdirSync", "createReadStream", "existsSync", "stat", "statSync"), lambda _: NOTHING),
    "replace": _replaced, "replaceAll": _replaced, "join": _array_text,
}  # fmt: skip


# sinks


def _sql(arguments: Arguments) -> _Hit:
    query = arguments.get(0)
    text = (query.items or {}).get("text") or (query.items or {}).get("sql") or query
    if is_query(text.skeleton) or (_DATABASE.search(arguments.receiver.path) and text.items is None and text.skeleton != HOLE):
        yield from harms(text, "sql", "sql-injection")


def _statement(arguments: Arguments) -> _Hit:
    """Methods with names that other objects have too: only what reads like a statement counts."""
    if is_query(arguments.get(0).skeleton):
        yield from harms(arguments.get(0), "sql", "sql-injection")


def _sql_text(arguments: Arguments) -> _Hit:
    yield from harms(arguments.get(0), "sql", "sql-injection")


def _filter_text(arguments: Arguments) -> _Hit:
    """PostgREST's `.or("a.eq.${x}")`: the filter language is text."""
    if re.search(r"\.(?:eq|ilike|like|gt|gte|lt|lte|in|cs)\.", arguments.get(0).skeleton):
        yield from harms(arguments.get(0), "sql", "filter-injection")


def _mongo(arguments: Arguments) -> _Hit:
    """A request object, or a field of one, as a Mongo filter: an operator object in place of a text."""
    query = arguments.get(0)
    named = re.search(r"mongo|collection|(?:^|\.)~?[A-Z]\w*$|[mM]odel$|[uU]sers$", arguments.receiver.path)
    if named and not re.search(r"prisma|repository|Repo$|sequelize|typeorm|Array|Object|Math|JSON", arguments.receiver.path, re.IGNORECASE):
        if (
            query.marks
            and query.items is None
            and any(mark.detail.split(".")[0] in {"body", "query"} and "." not in mark.detail for mark in query.marks)
        ):
            yield from harms(query, "nosql", "nosql-injection")
        elif query.items and "$where" in query.items:
            yield from harms(query.items["$where"], "nosql", "nosql-injection")


def _command(arguments: Arguments) -> _Hit:
    yield from harms(arguments.get(0), "command", "command-injection")


def _spawn(arguments: Arguments) -> _Hit:
    program, given, options = arguments.get(0), arguments.get(1), arguments.get(2)
    yield from harms(program, "command", "command-injection")
    shell = (options.items or {}).get("shell")
    if (shell is not None and shell.const is not False) or (
        isinstance(program.const, str) and program.const.rsplit("/", 1)[-1] in {"sh", "bash", "cmd", "powershell"}
    ):
        yield from harms(given, "command", "command-injection")


def _code(arguments: Arguments) -> _Hit:
    yield from harms_any(arguments.positional, "code", "code-injection")


def _delayed_code(arguments: Arguments) -> _Hit:
    if arguments.get(0).skeleton != HOLE and arguments.get(0).closure is None:
        yield from harms(arguments.get(0), "code", "code-injection")


def _template(arguments: Arguments) -> _Hit:
    yield from harms(arguments.get(0), "template", "template-injection")


def _deserialise(arguments: Arguments) -> _Hit:
    yield from harms(arguments.get(0), "deserialise", "unsafe-deserialisation")


def _file(arguments: Arguments) -> _Hit:
    yield from harms(arguments.get(0), "path", "path-traversal")


def _two_files(arguments: Arguments) -> _Hit:
    yield from harms_any(arguments.positional[:2], "path", "path-traversal")


def _send_file(arguments: Arguments) -> _Hit:
    """Express's sendFile checks the path itself when it is given a root."""
    if "root" not in (arguments.get(1).items or {}):
        yield from harms(arguments.get(0), "path", "path-traversal")


def _call_out(arguments: Arguments) -> _Hit:
    given = arguments.get(0)
    url = (given.items or {}).get("url") or (given.items or {}).get("uri") or given
    if url.items is None and not has_fixed_host(url.skeleton):
        yield from harms(url, "url", "server-side-request")


def _redirect(arguments: Arguments) -> _Hit:
    given = [value for value in arguments.positional if not isinstance(value.const, int)]
    target = given[0] if given else NOTHING
    if not is_local_target(target.skeleton):
        yield from harms(target, "redirect", "open-redirect")


def _html(arguments: Arguments) -> _Hit:
    if has_tags(arguments.get(0).skeleton) or (arguments.get(0).skeleton.startswith(HOLE) and arguments.get(0).skeleton != HOLE):
        yield from harms(arguments.get(0), "markup", "markup-from-request")


def _in_page(value: Value) -> _Hit:
    """A whole answer of a server put into the page is mark-up the server made; a field pasted between tags is text nobody escaped."""
    for hit in harms(value, "markup", "markup-in-page"):
        if hit[2].source not in {"download", "unclear"} or has_tags(value.skeleton):
            yield hit


def _page(arguments: Arguments) -> _Hit:
    yield from _in_page(arguments.get(0))


def _page_at(arguments: Arguments) -> _Hit:
    yield from _in_page(arguments.get(1))


def _element(arguments: Arguments) -> _Hit:
    inner = arguments.named.get("dangerouslySetInnerHTML")
    if inner is not None:
        yield from harms((inner.items or {}).get("__html", inner), "markup", "markup-in-page")


def _dollar(arguments: Arguments) -> _Hit:
    if has_tags(arguments.get(0).skeleton):
        yield from harms(arguments.get(0), "markup", "markup-in-page")


_FS = (
    "readFile",
    "readFileSync",
    "writeFile",
    "writeFileSync",
    "appendFile",
    "appendFileSync",
    "createReadStream",
    "createWriteStream",
    "unlink",
    "unlinkSync",
    "readdir",
    "readdirSync",
    "rm",
    "rmSync",
    "rmdir",
    "stat",
    "statSync",
    "existsSync",
    "access",
    "open",
    "openSync",
    "mkdir",
    "mkdirSync",
)
_SINKS: dict[str, _Sink] = {
    **{f"{module}.{name}": _file for module in ("fs", "fs/promises", "fs.promises", "fs-extra", "fsp") for name in _FS},
    **{f"{module}.{name}": _two_files for module in ("fs", "fs/promises", "fs.promises", "fs-extra") for name in ("rename", "renameSync", "copyFile", "copyFileSync")},
    **dict.fromkeys(("child_process.exec", "child_process.execSync", "execa.command", "execa.execaCommand", "shelljs.exec"), _command),
    **dict.fromkeys(("child_process.spawn", "child_process.spawnSync", "child_process.execFile", "child_process.execFileSync", "execa", "cross-spawn"), _spawn),
    **dict.fromkeys(("eval", "Function", "vm.runInContext", "vm.runInNewContext", "vm.runInThisContext", "vm.Script", "vm2.VM().run"), _code),
    **dict.fromkeys(("setTimeout", "setInterval"), _delayed_code),
    **dict.fromkeys(("ejs.render", "ejs.compile", "pug.compile", "pug.render", "handlebars.compile", "Handlebars.compile", "nunjucks.renderString", "lodash.template", "_.template", "mustache.render", "doT.template"), _template),
    **dict.fromkeys(("node-serialize.unserialize", "serialize-javascript.deserialize", "funcster.deepDeserialize"), _deserialise),
    **dict.fromkeys(("fetch", "axios", "axios.get", "axios.post", "axios.put", "axios.delete", "axios.request", "axios.head", "got", "got.get", "node-fetch", "request", "request.get", "request.post", "needle.get", "needle", "superagent.get", "undici.request", "undici.fetch", "http.get", "https.get", "http.request", "https.request"), _call_out),
    **dict.fromkeys(("next/navigation.redirect", "next/server.NextResponse.redirect", "@remix-run/node.redirect", "@sveltejs/kit.redirect", "Response.redirect"), _redirect),
    **dict.fromkeys(("document.write", "document.writeln"), _page), "jsx.element": _element, "$": _dollar, "jQuery": _dollar,
    **dict.fromkeys(("sequelize.literal", "Sequelize.literal", "@prisma/client.Prisma.raw", "drizzle-orm.sql.raw", "sql.raw"), _sql_text),
}  # fmt: skip
_METHOD_SINKS: dict[str, _Sink] = {
    **dict.fromkeys(("query", "execute", "raw", "unsafe", "whereRaw", "orderByRaw", "havingRaw", "joinRaw", "selectRaw"), _sql), **dict.fromkeys(("run", "all", "each", "prepare", "exec", "get"), _statement),
    **dict.fromkeys(("$queryRawUnsafe", "$executeRawUnsafe"), _sql_text), "or": _filter_text,
    **dict.fromkeys(("find", "findOne", "findOneAndUpdate", "updateOne", "updateMany", "deleteOne", "deleteMany", "countDocuments", "remove", "findOneAndDelete"), _mongo),
    **dict.fromkeys(("sendFile", "download", "sendfile"), _send_file),
    **dict.fromkeys(("send", "write", "end"), lambda a: _html(a) if re.search(r"(?:^~|\.)_?(?:res|response|reply)(?:\b|\.|\()", a.receiver.path) else ()),
    **dict.fromkeys(("redirect",), lambda a: _redirect(a) if re.search(r"(?:^~|\.)_?(?:res|response|reply|ctx|c)(?:\b|\.|\()|koa", a.receiver.path) else ()),
    **dict.fromkeys(("insertAdjacentHTML",), _page_at),
    **dict.fromkeys(("html",), lambda a: _page(a) if re.search(r"^~?(?:\$|jQuery)\(\)|^~\$", a.receiver.path) else ()),
}  # fmt: skip
