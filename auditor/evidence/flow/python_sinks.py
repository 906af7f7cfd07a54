"""Where values do harm in Python: each sink looks at the arguments of a call and names the weakness."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from auditor.evidence.flow.backtracking import is_exponential
from auditor.evidence.flow.language import Arguments, Harm, last_name
from auditor.evidence.flow.prompts import in_instructions, in_request_body, is_instruction, is_model_address
from auditor.evidence.flow.values import HOLE, NOTHING, Value
from auditor.evidence.flow.weaknesses import harms, harms_any, has_fixed_host, is_local_target, is_query

_Sink = Callable[[Arguments], Iterable[Harm]]
_Hit = Iterator[Harm]

_DATA = re.compile(r"(?:dumps|jsonify|to_json|model_dump_json|getvalue|tobytes)\(\)$|^(?:os\.urandom|base64|zlib|gzip)\b")
"""Results that no browser takes for a page."""
_DATABASE = re.compile(
    r"(?:cursor|\bcur\b|conn|\bdb\b|database|session|engine|sqlite|psycopg|pymysql|mysql|asyncpg|pool|transaction|\btx\b)", re.IGNORECASE
)


def _sql(arguments: Arguments) -> _Hit:
    query = arguments.get(0, "sql", "query", "statement", "operation", "clause")
    if is_query(query.skeleton) or _DATABASE.search(arguments.receiver.path) or query.path.endswith("text()"):
        yield from harms(query, "sql", "sql-injection")


def _sql_text(arguments: Arguments) -> _Hit:
    yield from harms(arguments.get(0), "sql", "sql-injection")


def _shell(arguments: Arguments) -> _Hit:
    yield from harms(arguments.get(0, "cmd", "command"), "command", "command-injection")


def _process(arguments: Arguments) -> _Hit:
    """subprocess: a text with a shell, or a list whose program, or whose shell script, comes from outside."""
    command = arguments.get(0, "args")
    shell = arguments.named.get("shell")
    if shell is not None and shell.const is not False:
        yield from harms(command, "command", "command-injection")
    elif command.items and 0 in command.items:
        yield from harms(command.items[0], "command", "command-injection")
        script = False
        for value in command.items.values():
            if script:
                yield from harms(value, "command", "command-injection")
            script = script or (isinstance(value.const, str) and value.const.lower() in {"-c", "/c", "-command"})
    elif command.marks and command.items is None:
        yield from harms(command, "command", "command-injection")


def _code(arguments: Arguments) -> _Hit:
    yield from harms(arguments.get(0, "source", "expr"), "code", "code-injection")


def _deserialise(arguments: Arguments) -> _Hit:
    yield from harms(arguments.get(0), "deserialise", "unsafe-deserialisation")


def _yaml(arguments: Arguments) -> _Hit:
    loader = arguments.get(1, "Loader").path
    if "Safe" not in loader and "Base" not in loader:
        yield from harms(arguments.get(0), "deserialise", "unsafe-deserialisation")


def _template(arguments: Arguments) -> _Hit:
    yield from harms(arguments.get(0, "source", "template_string"), "template", "template-injection")


def _file(arguments: Arguments) -> _Hit:
    given = arguments.get(0, "file", "path", "filename", "path_or_file", "filename_or_fp")
    if not given.path.startswith(("io.BytesIO", "io.StringIO")) and not (given.marks and all(_is_upload(m.detail) for m in given.marks)):
        yield from harms(given, "path", "path-traversal")


def _is_upload(detail: str) -> bool:
    """Whether a field of a request is an uploaded file or its stream, which is read and names nothing; its `filename` is a name."""
    head, _, last = detail.lower().rpartition(".")
    sent = head.partition(".")[0]
    return (last in {"stream", "file"} and bool(head) and sent not in _TEXTS) or (head == "files" and last not in {"filename", "name"})


_TEXTS = frozenset(
    {
        "args",
        "form",
        "values",
        "json",
        "get",
        "post",
        "data",
        "cookies",
        "headers",
        "query_params",
        "path_params",
        "view_args",
        "match_info",
        "query",
        "body",
        "params",
    }
)
"""Parts of a request whose fields are texts, whatever they are called."""


def _two_files(arguments: Arguments) -> _Hit:
    yield from harms_any((arguments.get(0), arguments.get(1)), "path", "path-traversal")


def _path_method(arguments: Arguments) -> _Hit:
    """read_text() and the like of a pathlib path."""
    if re.search(r"Path\(\)|\.resolve\(\)|joinpath\(\)", arguments.receiver.path):
        probe = last_name(arguments.path) in {"exists", "is_file", "stat"}
        yield from harms(arguments.receiver, "path", "path-probe" if probe else "path-traversal")


def _probe(arguments: Arguments) -> _Hit:
    yield from harms(arguments.get(0, "path"), "path", "path-probe")


def _call_out(position: int) -> _Sink:
    def sink(arguments: Arguments) -> _Hit:
        url = arguments.get(position, "url")
        guarded = "transport" in (arguments.receiver.items or {})  # a client with a transport of its own can refuse addresses
        if not has_fixed_host(url.skeleton) and not guarded:
            yield from harms(url, "url", "server-side-request")
        elif is_model_address(url):
            yield from in_request_body(arguments.get(-1, "json"))

    return sink


def _redirect(arguments: Arguments) -> _Hit:
    target = arguments.get(0, "location", "url", "to", "redirect_to")
    if not is_local_target(target.skeleton):
        yield from harms(target, "redirect", "open-redirect")


def _html(arguments: Arguments) -> _Hit:
    yield from harms(arguments.get(0, "content", "response"), "markup", "markup-from-request")


def _is_page(content: Value) -> bool:
    """Whether a body without a type is mark-up or a text of the request: not data, and not what somebody made of the whole request."""
    if _DATA.search(content.path):
        return False
    return content.skeleton != HOLE or any(mark.source == "request" and mark.detail for mark in content.marks)


def body_of(answer: Value) -> Value:
    """What is sent of `(body, status, headers)`; of anything else, itself."""
    return answer.items[0] if answer.items and 0 in answer.items and answer.skeleton == HOLE else answer


def _response(arguments: Arguments) -> _Hit:
    """Responses are HTML unless a type is given that browsers do not render."""
    kind = arguments.named.get("mimetype") or arguments.named.get("content_type") or arguments.named.get("media_type")
    if kind is None or (isinstance(kind.const, str) and ("html" in kind.const or "svg" in kind.const)):
        content = body_of(arguments.get(0, "content", "response"))
        if content.items is None and (kind is not None or _is_page(content)):
            yield from harms(content, "markup", "markup-from-request")


def header(name: Value, value: Value) -> _Hit:
    """A field of an answer's head: where the visitor is sent next, and what the body is taken for."""
    field = name.const.lower() if isinstance(name.const, str) else ""
    if field == "location" and not is_local_target(value.skeleton):
        yield from harms(value, "redirect", "open-redirect")
    elif field == "content-type" and value.skeleton == HOLE:
        yield from harms(value, "type", "type-from-request")


def _add_header(arguments: Arguments) -> _Hit:
    if re.search(r"(?:^|\.)headers$|Headers\(\)$", arguments.receiver.path):
        yield from header(arguments.get(0), arguments.get(1))


def _save(arguments: Arguments) -> _Hit:
    """An upload that is stored: the library writes to whatever path it is told."""
    if arguments.receiver.marks:
        yield from harms(arguments.get(0, "dst"), "path", "path-traversal")


def _pattern(arguments: Arguments) -> _Hit:
    yield from harms(arguments.get(0, "pattern"), "pattern", "outside-pattern")
    substitutes = last_name(arguments.path) in {"sub", "subn"}
    yield from _searched(arguments, arguments.get(0, "pattern"), arguments.get(2 if substitutes else 1, "string"))


def _compiled_pattern(arguments: Arguments) -> _Hit:
    if arguments.receiver.path == "re.compile()":
        pattern = (arguments.receiver.items or {}).get("pattern", NOTHING)
        yield from _searched(arguments, pattern, arguments.get(1 if last_name(arguments.path) in {"sub", "subn"} else 0, "string"))


def _searched(arguments: Arguments, pattern: Value, text: Value) -> _Hit:
    """A text from outside that a pattern of the code is tried on."""
    if isinstance(pattern.const, str) and text.marks and is_exponential(pattern.const, whole=last_name(arguments.path) == "fullmatch"):
        yield from harms(text, "backtracking", "catastrophic-pattern")


def _unpack(arguments: Arguments) -> _Hit:
    """Members of a tar archive may lie outside the folder unless a filter refuses them; `zipfile` refuses them itself."""
    if arguments.receiver.path.startswith("tarfile.") and "filter" not in arguments.named:
        yield from harms(arguments.receiver, "path", "archive-unpacked")


def _ldap(arguments: Arguments) -> _Hit:
    given = [arguments.get(2, "filterstr", "search_filter"), arguments.get(1, "search_filter"), arguments.get(0, "base", "search_base")]
    yield from harms_any(
        (value for value in given if "=" in value.skeleton or value.skeleton != HOLE or value.marks), "ldap", "ldap-injection"
    )


def _xpath(arguments: Arguments) -> _Hit:
    yield from harms(arguments.get(0, "path", "_path"), "xpath", "xpath-injection")


def _find_xpath(arguments: Arguments) -> _Hit:
    query = arguments.get(0, "path")
    if re.search(r"/|\[@?\w*", query.skeleton) and re.search(
        r"etree|ElementTree|xml|root|tree|doc", arguments.receiver.path, re.IGNORECASE
    ):
        yield from harms(query, "xpath", "xpath-injection")


def _mongo(arguments: Arguments) -> _Hit:
    """A whole request object, or JavaScript text, as a Mongo filter."""
    query = arguments.get(0, "filter")
    if re.search(r"collection|mongo|\bdb\b|pymongo|motor", arguments.receiver.path, re.IGNORECASE):
        if query.marks and query.items is None:
            yield from harms(query, "nosql", "nosql-injection")
        elif query.items and "$where" in query.items:
            yield from harms(query.items["$where"], "nosql", "nosql-injection")


def _xml(arguments: Arguments) -> _Hit:
    parser = arguments.get(1, "parser")
    features = parser.items or {}
    told = [value for key, value in features.items() if key == "resolve_entities" or "external" in str(key) or key == "unset"]
    document = arguments.get(0)
    if last_name(arguments.path) == "parse":
        document = replace(document, known=False)  # a file name says nothing of what is in the file
    if any(value.const is not False for value in told):
        yield from harms(document, "xxe", "external-entities")
    elif not told and arguments.path.startswith("lxml.") and (parser is NOTHING or parser.path.startswith("lxml.")):
        yield from harms(arguments.get(0), "xxe", "entities-by-default")  # lxml before 5.0 reads files an entity names


SINKS: dict[str, _Sink] = {
    **dict.fromkeys(("os.path.exists", "os.path.isfile", "os.path.isdir", "os.path.getsize", "os.path.getmtime"), _probe),
    **dict.fromkeys(("os.system", "os.popen", "commands.getoutput", "subprocess.getoutput", "subprocess.getstatusoutput", "asyncio.create_subprocess_shell", "pty.spawn"), _shell),
    "asyncio.create_subprocess_exec": _shell, **{f"re.{name}": _pattern for name in ("compile", "search", "match", "fullmatch", "findall", "finditer", "sub", "subn", "split")},
    **dict.fromkeys(("subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output", "subprocess.Popen", "os.execv", "os.execvp", "os.spawnv"), _process),
    **dict.fromkeys(("pickle.loads", "pickle.load", "cPickle.loads", "dill.loads", "dill.load", "cloudpickle.loads", "jsonpickle.decode", "marshal.loads", "shelve.open", "joblib.load", "torch.load", "pandas.read_pickle", "pickle.Unpickler"), _deserialise),
    **dict.fromkeys(("yaml.load", "yaml.load_all"), _yaml), **dict.fromkeys(("yaml.unsafe_load", "yaml.full_load"), _deserialise),
    **dict.fromkeys(("flask.render_template_string", "jinja2.Template", "mako.template.Template", "jinja2.Environment().from_string", "django.template.Template"), _template),
    **dict.fromkeys(("os.remove", "os.unlink", "os.rmdir", "os.listdir", "os.makedirs", "os.mkdir", "os.open", "os.stat", "os.scandir", "shutil.rmtree", "flask.send_file", "fastapi.responses.FileResponse", "starlette.responses.FileResponse", "FileResponse", "django.http.FileResponse", "io.open", "codecs.open", "aiofiles.open", "linecache.getline", "zipfile.ZipFile", "tarfile.open", "PIL.Image.open"), _file),
    **dict.fromkeys(("os.rename", "os.replace", "shutil.copy", "shutil.copyfile", "shutil.move", "shutil.copy2", "shutil.copytree"), _two_files),
    **{f"{library}.{verb}": _call_out(1 if verb == "request" else 0) for library in ("requests", "httpx", "requests.Session()", "httpx.Client()", "httpx.AsyncClient()", "aiohttp.ClientSession()", "urllib3.PoolManager()") for verb in ("get", "post", "put", "patch", "delete", "head", "options", "request")},
    **dict.fromkeys(("urllib.request.urlopen", "urllib.request.Request", "urllib.request.urlretrieve", "urllib2.urlopen"), _call_out(0)),
    **dict.fromkeys(("flask.redirect", "quart.redirect", "django.shortcuts.redirect", "django.http.HttpResponseRedirect", "django.http.HttpResponsePermanentRedirect", "fastapi.responses.RedirectResponse", "starlette.responses.RedirectResponse", "werkzeug.utils.redirect", "bottle.redirect", "aiohttp.web.HTTPFound"), _redirect),
    **dict.fromkeys(("markupsafe.Markup", "flask.Markup", "django.utils.safestring.mark_safe", "django.utils.html.mark_safe", "fastapi.responses.HTMLResponse", "starlette.responses.HTMLResponse"), _html),
    **dict.fromkeys(("flask.make_response", "flask.Response", "django.http.HttpResponse", "werkzeug.wrappers.Response"), _response),
    **dict.fromkeys(("sqlalchemy.text", "sqlalchemy.sql.text", "sqlalchemy.literal_column", "django.db.models.expressions.RawSQL"), _sql_text),
    **{f"{module}.SystemMessage": is_instruction for module in ("langchain_core.messages", "langchain.schema", "langchain.messages")}, "google.generativeai.GenerativeModel": in_instructions, "litellm.completion": in_instructions, "litellm.acompletion": in_instructions,
    "lxml.etree.XPath": _xpath, "elementpath.select": lambda a: harms(a.get(1), "xpath", "xpath-injection"),
    **dict.fromkeys(("lxml.etree.fromstring", "lxml.etree.parse", "lxml.etree.XML", "xml.sax.parse", "xml.sax.parseString", "xml.dom.minidom.parseString", "xml.dom.pulldom.parseString"), _xml),
}  # fmt: skip
BUILT_INS: dict[str, _Sink] = {
    "eval": _code,
    "exec": _code,
    "compile": _code,
    "open": _file,
    "__import__": _code,
    "importlib.import_module": _code,
}
METHOD_SINKS: dict[str, _Sink] = {
    **dict.fromkeys(("create", "acreate", "stream", "parse", "complete", "completion", "acompletion", "chat", "generate_content", "generate_content_async", "generate_content_stream"), in_instructions),
    **dict.fromkeys(("execute", "executemany", "executescript", "exec_driver_sql", "raw", "extra", "read_sql", "read_sql_query", "fetch", "fetchrow", "fetchval", "fetch_all", "fetch_one", "query"), _sql),
    **dict.fromkeys(("read_text", "read_bytes", "write_text", "write_bytes", "open", "unlink", "rmdir", "mkdir", "touch", "iterdir", "exists", "is_file", "stat"), _path_method),
    **dict.fromkeys(("search", "search_s", "search_ext", "search_ext_s", "search_st"), lambda a: _ldap(a) if re.search(r"ldap|conn", a.receiver.path, re.IGNORECASE) else _compiled_pattern(a)),
    **dict.fromkeys(("extract", "extractall"), _unpack), "save": _save, "exec_command": _shell, **dict.fromkeys(("add", "set", "add_header", "setdefault"), _add_header),
    **dict.fromkeys(("xpath",), _xpath), **dict.fromkeys(("find", "iterfind", "findtext"), _find_xpath), "findall": lambda a: (*_find_xpath(a), *_compiled_pattern(a)),
    **dict.fromkeys(("match", "fullmatch", "finditer", "sub", "subn", "split"), _compiled_pattern),
    **dict.fromkeys(("find_one", "aggregate", "count_documents", "delete_one", "delete_many", "update_one"), _mongo),
}  # fmt: skip
