"""Sources, sinks, cleaners and checks of JavaScript and TypeScript: Node's modules, server frameworks, query libraries and the browser."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from auditor.evidence.flow.language import WITHOUT, Arguments, Harm, Parsing, last_name
from auditor.evidence.flow.prompts import asks_model, is_model_address
from auditor.evidence.flow.script_inputs import declared, of_class, received, validated, validator
from auditor.evidence.flow.script_results import METHOD_RESULTS, RESULTS, shown
from auditor.evidence.flow.script_schemas import parsing, schema_call
from auditor.evidence.flow.script_sinks import METHOD_SINKS, SINKS, in_page
from auditor.evidence.flow.shapes import Step
from auditor.evidence.flow.values import ALL, HARMLESS, NOTHING, SETTING, Mark, Scope, Shape, Value, constant
from auditor.evidence.flow.weaknesses import HANDS_ON, harms, has_fixed_host, is_local_target
from auditor.languages import flow_ir as ir

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
_STORED_UPLOAD = frozenset({"filepath", "path", "tempFilePath", "size", "destination", "fieldname", "filename"})
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
    (
        re.compile(
            r"(?:^|[.~])(?:escapeRegExp|escapeRegex|escapeStringRegexp|regexEscape|escape-string-regexp(?:\.default)?)$|^RegExp\.escape$"
        ),
        frozenset({"pattern"}),
    ),
    (re.compile(r"(?:^|\.)(?:btoa|randomUUID)$"), ALL),
)
_DECODERS = frozenset({"decodeURIComponent", "decodeURI", "atob", "unescape"})
_STORES = re.compile(
    r"\.(?:query|execute|find\w*|create\w*|update\w*|delete\w*|upsert|save|insert\w*|select|from|aggregate|count\w*|groupBy|populate|exec|lean|single|maybeSingle|getMany|getOne|rpc|eq|order|limit|where|first|all|run|get|transaction)\(\)"
)
_MAKES = re.compile(r"(?:create|upsert|save|insert)(?!Many)")
"""Methods of a store that give back the record they made."""
_TRUSTING_NAME = re.compile(
    r"^(?:is)?(?:valid|safe|allowed|permitted|whitelisted|trusted|sanitized|check|verify|validate|allow|matches)", re.IGNORECASE
)
_VALIDATORS = re.compile(r"validator\.is\w+$|^~is[A-Z]\w+$")
_CALLBACKS = frozenset({"then", "map", "forEach", "filter", "find", "some", "every", "flatMap", "reduce", "sort", "findIndex"})

_ENVIRONMENT = re.compile(r"^~(?:process|import\.meta|Bun)\.env\.\w+$|^(?:node:)?process\.env\.\w+$|^~Deno\.env\.get\(\)$")
_NO_FIELD = re.compile(
    r"^String\(\)\.(?!length$|(?:at|char\w+|code\w+|concat|endsWith|includes|indexOf|isWellFormed|lastIndexOf|localeCompare|match\w*|normalize|pad\w+|repeat|replace\w*|search|slice"
    r"|split|startsWith|substr\w*|to\w+|trim\w*|valueOf|anchor|link|then)$)\w+$"
)
"""A field of what can only be a text: there is none."""
_DETACHED = re.compile(r"(?:^|\.)~?(?:DOMParser\(\)\.parseFromString|createHTMLDocument)\(\)\.")
"""Parts of a document that a parser made: no script in it runs until something of it is put into the page."""


class Script:
    """The tables of JavaScript and TypeScript; one object serves every file."""

    setters: frozenset[str] = frozenset()
    keyed: frozenset[str] = frozenset()
    leaving = frozenset({"~process.exit()", "next/navigation.notFound()", "next/navigation.redirect()", "@sveltejs/kit.error()"})
    whole_callbacks = frozenset({"then"})
    answers: frozenset[str] = frozenset()
    callbacks = frozenset(
        {
            *("map", "flatMap", "forEach", "filter", "find", "findLast", "some", "every", "sort", "toSorted", "findIndex", "findLastIndex"),
            *("reduce", "reduceRight", "replace", "replaceAll"),
        }
    )
    matching = "~pattern.test"

    def source(self, value: Value, line: int) -> Value:
        """Mark the browser's address and the like; take the mark from what a server sets itself."""
        path = value.path
        if _NO_FIELD.match(path):
            return constant(None)
        if value.marks:
            tail = last_name(path)
            if "JSON.parse" not in path and all(mark.source == "page" and "." in mark.detail for mark in value.marks):
                return replace(value, marks=frozenset())  # a parameter of an address is a text: what has fields is an answer to it
            trusted = tail in _TRUSTED and path.rpartition(".")[0] in {"express.request", "koa.request"}
            stored = tail in _STORED_UPLOAD and all("file" in mark.detail.lower() for mark in value.marks)
            if trusted or stored or tail in {"length", "byteLength"}:
                return replace(value, marks=frozenset())
            return value.cleaned(frozenset({"markup"})) if tail in {"search", "pathname"} and "URL()" in path else value
        if path and _LOCATION.match(path):
            return replace(value, marks=frozenset({Mark("page", line, clean=frozenset({"redirect"}))}), known=True)
        if _ENVIRONMENT.match(path):
            return replace(value, marks=frozenset({Mark(SETTING, line)}), known=True)
        if path == "~process.argv":
            return replace(value, marks=frozenset({Mark("arguments", line)}), known=True)
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
                    filled[parameter.name] = Value(
                        frozenset({Mark("request", function.line, parameter.name)}), path=f"~{parameter.name}", known=True
                    )
            elif number == 0 and (pair or typed or function.name in _HTTP_METHODS or (names == ["req"])):
                filled[parameter.name] = Value(frozenset({Mark("request", function.line)}), path="express.request", known=True)
            elif number == 0 and parameter.name in {"ctx", "c"} and len(names) <= 2 and function.is_async:
                filled[parameter.name] = Value(frozenset({Mark("request", function.line)}), path="koa.request", known=True)
            elif parameter.name == "formData" or "FormData" in parameter.annotation:
                filled[parameter.name] = Value(frozenset({Mark("request", function.line, parameter.name)}), path="~formData", known=True)
        return filled

    def operator(self, sign: str, values: tuple[Value, ...]) -> Value | None:
        """Numbers and answers carry no text."""
        return (
            HARMLESS if sign in {"-", "*", "/", "%", "typeof", "instanceof", "void", "delete", "++", "--", "**", ">>>", "|", "&"} else None
        )

    def transfer(self, arguments: Arguments) -> Value | None:
        """Results of known functions."""
        path = arguments.path.lstrip("~")
        tail, first = last_name(path), arguments.get(0)
        if path in _NUMBERS or (tail in _HARMLESS_METHODS and "." in path) or tail == "ObjectId":
            return HARMLESS
        if _MODEL_CALL.search(f"{path}()") or asks_model(path):
            return Value(frozenset({Mark("model", arguments.call.line)}), known=True)
        if path in {"fetch", "window.fetch"} or path.startswith("axios"):
            source = "model" if is_model_address(first) else "download"
            return Value(frozenset({Mark(source, arguments.call.line)}), known=True)
        if tail == "get" and "earchParams" in path and arguments.receiver.marks:
            return Value(
                frozenset(replace(mark, clean=frozenset(), detail=str(first.const)) for mark in arguments.receiver.marks), known=True
            )
        if path in _DECODERS:
            return Value(frozenset(replace(mark, clean=frozenset()) for mark in first.every_mark), known=first.known)
        classes = self._cleans(arguments.path)
        if classes:
            marks = frozenset(mark.cleaned(classes) for value in (*arguments.every, arguments.receiver) for mark in value.every_mark)
            return Value(marks, known=arguments.known and bool(arguments.every))
        checked = validator(arguments) or validated(arguments)
        if checked is not None:
            return checked
        known = RESULTS.get(path) or (METHOD_RESULTS.get(tail) if "." in path else None)
        if known is not None:
            return known(arguments)
        if tail in _CALLBACKS and arguments.receiver.marks:
            return Value(arguments.receiver.every_mark, known=arguments.receiver.known)
        if _STORES.search(f"{path}()") and not arguments.receiver.marks:
            return _record(arguments) if _MAKES.match(tail) else NOTHING
        if arguments.path.startswith("~") and not arguments.receiver.marks and not HANDS_ON.search(path):
            return NOTHING
        return None

    def pasted(self, value: Value) -> Value:
        """An object shows as "[object Object]", whatever its fields hold."""
        return shown(value)

    def schema(self, arguments: Arguments) -> Value | None:
        """Schemas of zod and its relatives."""
        return schema_call(arguments)

    def parsing(self, arguments: Arguments) -> Parsing | None:
        """`schema.parse(value)` and its relatives."""
        return parsing(arguments)

    def annotated(self, annotation: str, scope: Scope) -> Shape | None:
        """TypeScript's types are gone when the program runs; what decorators say of a class is not."""
        return of_class(annotation, scope)

    def declared(self, arguments: Arguments) -> dict[str, Shape]:
        """Schemas of Fastify's routes and Hono's validators."""
        return declared(arguments)

    def received(self, request: Value, shapes: Mapping[str, Shape], step: Step) -> Value:
        """A request whose parts went through the schemas of its route."""
        return received(request, shapes, step)

    def own_function(self, arguments: Arguments, result: Value) -> Value:
        """An own cleaner is believed when its name says so and it does not hand its argument back as it is."""
        classes = self._cleans(arguments.path)
        return result.cleaned(classes) if classes and result != arguments.get(0) else result

    def _cleans(self, path: str) -> frozenset[str]:
        return next((found for pattern, found in _CLEANERS if pattern.search(path)), frozenset())

    def sinks(self, arguments: Arguments) -> Iterable[Harm]:
        """What the call does harm with."""
        if arguments.call.tagged:
            return
        path = arguments.path.lstrip("~")
        found = SINKS.get(path) or SINKS.get(path.replace(".default", ""))
        if found is not None:
            yield from found(arguments)
        elif "." in path and last_name(path) in METHOD_SINKS:
            yield from METHOD_SINKS[last_name(path)](arguments)

    def returned(self, function: ir.Function, decorators: tuple[Value, ...], value: Value) -> Iterable[Harm]:
        """Returned texts are JSON or rendered by a framework that escapes."""
        return ()

    def assigned(self, target: Value, key: Value | None, value: Value) -> Iterable[Harm]:
        """Writing mark-up into the page, or an address into the browser's location."""
        tail = last_name(target.path)
        if tail in {"innerHTML", "outerHTML", "srcdoc"} and not _DETACHED.search(target.path):
            yield from in_page(value)
        elif re.search(r"(?:^~|\.)location(?:\.href)?$", target.path) and not is_local_target(value.skeleton):
            yield from harms(value, "redirect", "open-redirect")

    def withdraws(self, target: Value, key: Value, value: Value) -> str:
        """Nothing."""
        return ""

    def proves(self, arguments: Arguments, *, outcome: bool) -> Iterable[tuple[Value, frozenset[str]]]:
        """Checks on texts: a full match, a list that has it, an own predicate, a known prefix."""
        path, tail, first, receiver = arguments.path, last_name(arguments.path), arguments.get(0), arguments.receiver
        if tail in {"test", "match"}:
            pattern, subject = (receiver, first) if tail == "test" else (first, receiver)
            yield from _matched(pattern, subject, outcome=outcome)
        elif tail in {"includes", "has"} and outcome and not receiver.marks:
            yield first, ALL
        elif tail == "includes" and not outcome and isinstance(first.const, str):
            yield receiver, WITHOUT.get(first.const, frozenset())
        elif tail == "startsWith" and outcome:
            yield receiver, _prefix_proves(receiver, first)
        elif tail == "startsWith" and first.const == ".." and receiver.path.endswith("relative()"):
            yield receiver, frozenset({"path"})
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


def _record(arguments: Arguments) -> Value:
    """A record that was just made: the fields it was given are what they were, every other one is the store's."""
    given = next((value for value in arguments.positional if value.items), NOTHING)
    fields = (given.items or {}).get("data") or given
    return Value(items=fields.items, path=f"{arguments.path}()") if fields.items else NOTHING


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
