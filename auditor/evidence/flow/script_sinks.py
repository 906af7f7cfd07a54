"""Where values do harm in JavaScript and TypeScript: each sink looks at the arguments of a call and names the weakness."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from auditor.evidence.flow.backtracking import is_exponential
from auditor.evidence.flow.language import Arguments, Harm
from auditor.evidence.flow.prompts import in_instructions, in_request_body, is_instruction, is_model_address
from auditor.evidence.flow.values import HOLE, NOTHING, Value
from auditor.evidence.flow.weaknesses import harmful_mark, harms, harms_any, has_fixed_host, has_tags, is_local_target, is_query

_Sink = Callable[[Arguments], Iterable[Harm]]
_Hit = Iterator[Harm]

_DATABASE = re.compile(
    r"(?:\bdb\b|database|conn|client|pool|knex|sequelize|prisma|sql|mysql|\bpg\b|postgres|sqlite|transaction|\btrx?\b|\btx\b|queryRunner|entityManager|dataSource|repository|clickhouse|bigquery|duckdb|snowflake)",
    re.IGNORECASE,
)


_FIELD = re.compile(r"^express\.request\.(?:body|query)\.\w+$")
"""A field of a request as it came: JSON and nested query strings make objects of it."""


def _sql(arguments: Arguments) -> _Hit:
    query = arguments.get(0)
    text = next((query.items[name] for name in ("text", "sql", "query") if name in query.items), query) if query.items else query
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
    named = re.search(r"mongo|[cC]ollection|(?:^|\.)~?[A-Z]\w*$|[mM]odel$|[uU]sers$|Col$", arguments.receiver.path)
    if named and not re.search(r"prisma|repository|Repo$|sequelize|typeorm|Array|Object|Math|JSON", arguments.receiver.path, re.IGNORECASE):
        if (
            query.marks
            and query.items is None
            and any(mark.detail.split(".")[0] in {"body", "query"} and "." not in mark.detail for mark in query.marks)
        ):
            yield from harms(query, "nosql", "nosql-injection")
        for name, value in (query.items or {}).items():
            if name == "$where":
                yield from harms(value, "nosql", "nosql-code")
            elif _FIELD.match(value.path):
                yield from harms(value, "nosql", "nosql-operator")


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
    elif is_model_address(url):
        body = (arguments.get(1).items or {}).get("body", arguments.get(1))
        yield from in_request_body((body.items or {}).get("json", body))


def _redirect(arguments: Arguments) -> _Hit:
    given = [value for value in arguments.positional if not isinstance(value.const, int)]
    target = given[0] if given else NOTHING
    if not is_local_target(target.skeleton):
        yield from harms(target, "redirect", "open-redirect")


def _header(arguments: Arguments) -> _Hit:
    """A field of an answer's head that says where the visitor goes next."""
    name, value = arguments.get(0), arguments.get(1)
    answers = re.search(r"(?:^~|\.)_?(?:res|response|reply|headers)(?:\b|\.|\()", arguments.receiver.path)
    if answers and isinstance(name.const, str) and name.const.lower() == "location" and not is_local_target(value.skeleton):
        yield from harms(value, "redirect", "open-redirect")


def _pattern(arguments: Arguments) -> _Hit:
    yield from harms(arguments.get(0), "pattern", "outside-pattern")


def _tested(arguments: Arguments) -> _Hit:
    """`/x/.test(text)`: a text from outside that a pattern of the code is tried on."""
    yield from _searched(arguments.receiver, arguments.get(0))


def _searched_for(arguments: Arguments) -> _Hit:
    """`text.match(/x/)`."""
    yield from _searched(arguments.get(0), arguments.receiver)


def _searched(pattern: Value, text: Value) -> _Hit:
    given = (pattern.items or {}).get("pattern", NOTHING)
    source = (given.items or {}).get("pattern", given).const  # `new RegExp(/x/)`
    if pattern.path == "RegExp()" and isinstance(source, str) and text.marks and is_exponential(source, ascii_words=True):
        yield from harms(text, "backtracking", "catastrophic-pattern")


def _xml(arguments: Arguments) -> _Hit:
    """Libxml's parsers read what an entity names when they are told to put it in."""
    options = arguments.get(1).items or {}
    if any(options[name].const is not False for name in ("noent", "dtdload", "replaceEntities") if name in options):
        yield from harms(arguments.get(0), "xxe", "external-entities")


def _view(arguments: Arguments) -> _Hit:
    """A template that the request names: with ../ any file of the server is shown."""
    if arguments.get(0).skeleton in {HOLE, f"./{HOLE}"} and re.search(r"(?:^~|\.)_?(?:res|response)$", arguments.receiver.path):
        yield from harms(arguments.get(0), "path", "path-traversal")


def _html(arguments: Arguments) -> _Hit:
    if has_tags(arguments.get(0).skeleton) or (arguments.get(0).skeleton.startswith(HOLE) and arguments.get(0).skeleton != HOLE):
        yield from harms(arguments.get(0), "markup", "markup-from-request")


def in_page(value: Value) -> _Hit:
    """A whole answer of a server put into the page is mark-up the server made; a field pasted between tags is text nobody escaped."""
    mark = harmful_mark(value, "markup")
    if mark is not None and (mark.source not in {"download", "unclear"} or has_tags(value.skeleton)):
        yield from harms(value, "markup", "markup-in-page")


def _page(arguments: Arguments) -> _Hit:
    yield from in_page(arguments.get(0))


def _page_at(arguments: Arguments) -> _Hit:
    yield from in_page(arguments.get(1))


def _element(arguments: Arguments) -> _Hit:
    """A style sheet that a component writes from what its parent hands it is no page of somebody else's."""
    inner = arguments.named.get("dangerouslySetInnerHTML")
    if inner is None:
        return
    value = (inner.items or {}).get("__html", inner)
    mark = harmful_mark(value, "markup")
    if arguments.get(0).const != "style" or mark is None or mark.source != "unclear":
        yield from harms(value, "markup", "markup-in-page")


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
SINKS: dict[str, _Sink] = {
    "RegExp": _pattern, **dict.fromkeys(("libxmljs.parseXml", "libxmljs.parseXmlString", "libxmljs2.parseXml", "libxmljs2.parseXmlString", "libxmljs2.parseXmlAsync"), _xml),
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
    **dict.fromkeys(("ai.generateText", "ai.streamText", "ai.generateObject", "ai.streamObject"), in_instructions), **{f"{module}.SystemMessage": is_instruction for module in ("@langchain/core/messages", "langchain/schema", "langchain")},
    **dict.fromkeys(("document.write", "document.writeln"), _page), "jsx.element": _element, "$": _dollar, "jQuery": _dollar,
    **dict.fromkeys(("sequelize.literal", "Sequelize.literal", "@prisma/client.Prisma.raw", "drizzle-orm.sql.raw", "sql.raw"), _sql_text),
}  # fmt: skip
METHOD_SINKS: dict[str, _Sink] = {
    **dict.fromkeys(("create", "stream", "parse", "complete", "generateContent", "generateContentStream", "getGenerativeModel", "chat", "invoke"), in_instructions),
    **dict.fromkeys(("query", "execute", "raw", "unsafe", "whereRaw", "orderByRaw", "havingRaw", "joinRaw", "selectRaw"), _sql), **dict.fromkeys(("run", "all", "each", "prepare", "get"), _statement), "exec": lambda a: _tested(a) if a.receiver.path == "RegExp()" else _statement(a),
    **dict.fromkeys(("$queryRawUnsafe", "$executeRawUnsafe"), _sql_text), "or": _filter_text,
    **dict.fromkeys(("find", "findOne", "findOneAndUpdate", "updateOne", "updateMany", "deleteOne", "deleteMany", "countDocuments", "remove", "findOneAndDelete", "findOneAndReplace", "replaceOne", "exists"), _mongo),
    **dict.fromkeys(("sendFile", "download", "sendfile"), _send_file), "render": _view, **dict.fromkeys(("setHeader", "header", "set", "append"), _header),
    **dict.fromkeys(("send", "write", "end"), lambda a: _html(a) if re.search(r"(?:^~|\.)_?(?:res|response|reply)(?:\b|\.|\()", a.receiver.path) else ()),
    **dict.fromkeys(("redirect", "location"), lambda a: _redirect(a) if re.search(r"(?:^~|\.)_?(?:res|response|reply|ctx|c)(?:\b|\.|\()|koa", a.receiver.path) else ()),
    **dict.fromkeys(("test",), _tested), **dict.fromkeys(("match", "matchAll", "search", "replace", "replaceAll", "split"), _searched_for),
    **dict.fromkeys(("insertAdjacentHTML",), _page_at),
    **dict.fromkeys(("html",), lambda a: _page(a) if re.search(r"^~?(?:\$|jQuery)\(\)|^~\$", a.receiver.path) else ()),
}  # fmt: skip
