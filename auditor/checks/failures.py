"""Words of failing operations, shared by checks about errors: which calls can fail for outside reasons, which write, which only clean up or compute.

Callees are dotted paths as in `Call.callee`. A name that is in no list counts as work that can fail.
"""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BROAD = frozenset({"Exception", "BaseException", "StandardError", "Throwable"})

_EXPECTED = re.compile(
    r"(?:^|\.)(?:ImportError|ModuleNotFoundError|KeyboardInterrupt|SystemExit|GeneratorExit|StopIteration|StopAsyncIteration|CancelledError"
    r"|FileNotFoundError|FileExistsError|NotADirectoryError|IsADirectoryError|ProcessLookupError|PackageNotFoundError|ChildProcessError"
    r"|BrokenPipeError|ConnectionResetError|ConnectionClosed\w*|WebSocketDisconnect|ClientDisconnect|NameError|UnboundLocalError|AttributeError|KeyError|IndexError"
    r"|LookupError|NotImplementedError|\w*DoesNotExist|\w*NotFound|\w*NotFoundError|NoResultFound|MultipleResultsFound|\w*MultipleObjectsReturned|Empty|Full|Resolver404|EOFError|TimeoutExpired"
    r"|DuplicateKeyError|UniqueViolation\w*|\w*AlreadyExists\w*|\w*AlreadyOwned\w*|ResourceExistsError|NoCredentialsError|AccessDenied|NoSuchProcess|ZombieProcess)$"
)
"""Errors that say "not there" or "please stop": leaving them out is a statement, not a drop."""

_OUTSIDE = re.compile(
    r"(?:^|\.)(?:OSError|IOError|EnvironmentError|PermissionError|ConnectionError|ConnectionRefusedError|TimeoutError|Timeout|timeout|(?:socket|ssl|smtplib|ftplib|select|sqlite3|psycopg2)\.error|RequestException|\w*RequestError"
    r"|HTTPError|HTTPStatusError|URLError|\w*ClientError|BotoCoreError|IntegrityError|OperationalError|ProgrammingError|InternalError|InterfaceError|DatabaseError|DBAPIError"
    r"|SQLAlchemyError|InvalidRequestError|SMTP\w+|RedisError|TransportError|\w*API\w*Error|\w*ConnectError|\w*ConnectionError|\w*ServiceError|KafkaError|PyMongoError|\w*WriteError"
    r"|SubprocessError|CalledProcessError|GoogleAPI\w+|StripeError|\w*OpenAIError|AnthropicError|\w*TimeoutException|HTTPException|NetworkError|DockerException|StorageError|Error)$"
)
"""Errors that mean that something outside did not do its work."""

_OWN_MACHINE = re.compile(r"(?:^|\.)(?:OSError|IOError|EnvironmentError|PermissionError|SubprocessError|CalledProcessError)$")
_FILE_WRITES = _words(
    "write writelines write_text write_bytes copy copyfile copytree move rename replace dump save savetxt to_csv to_sql symlink mkstemp"
)

_PURE_LAST = _words(
    """
    parse stringify loads dumps decode encode int float str bool len list dict set tuple type isinstance hasattr getattr sorted min max sum split strip rsplit join
    replace lower upper startswith endsWith startsWith endswith get items keys values append extend push pop shift unshift map filter find some every includes indexOf lastIndexOf slice
    splice forEach reduce concat sort reverse match matchAll test exec toString toISOString toLocaleString toLocaleDateString toFixed trim toLowerCase toUpperCase charAt padStart
    String Number Boolean Array Object Date URL URLSearchParams RegExp Error Set Map Intl BigInt Symbol parseInt parseFloat isNaN isArray from entries assign freeze
    fromisoformat isoformat strptime strftime utcnow now today date datetime timedelta utcfromtimestamp fromtimestamp total_seconds localtime
    decodeURIComponent encodeURIComponent decodeURI encodeURI atob btoa b64decode b64encode unhexlify fromhex hex digest hexdigest new compare_digest
    UUID uuid4 Decimal urlparse urlsplit urljoin quote unquote unquote_plus ip_address ip_network literal_eval safe_load yaml_load model_validate model_validate_json parse_obj
    getContext resolvedOptions DateTimeFormat NumberFormat getEntriesByType getEntries matchMedia getItem setItem removeItem getComputedStyle querySelector getElementById closest
    createElement getAttribute setAttribute hasOwnProperty resolve reject then catch finally verify decode_token unsign unserialize sign log info debug warn warning error print
    observe PerformanceObserver IntersectionObserver ResizeObserver select floor ceil round abs format groups group search fullmatch sub findall finditer compile
    substring substr at findIndex findLast flat flatMap trimStart trimEnd codePointAt getTime getFullYear getMonth getDate getenv count_chars json clone
    deepcopy copy normpath basename dirname abspath relpath exists isfile isdir existsSync accessSync access stat lstat statSync statfsSync readFile readFileSync read_text readdir readdirSync
    getValue getValues
    focus blur scrollTo scrollIntoView play pause vibrate share cookie getTimezone useContext useState setSelectionRange pathname importlib require import
    timingSafeEqual createHmac createHash update_hash isIPv4 isIPv6 isPrivate kind range enumerate zip any all iter next super cast print_exc
    """
)
_PURE = re.compile(
    r"^(?:console|i18n|JSON|Math|Object|Array|Number|String|Intl|Date|localStorage|sessionStorage|window\.(?:localStorage|sessionStorage|matchMedia|performance|open|focus)|navigator|document|path"
    r"|Cookies|Reflect|re|math|json|datetime|date|time|logger|logging|log|crypto|hashlib|hmac|jwt|base64|html|textwrap|string|itertools|functools|operator|copy|uuid|ast|inspect|typing|typeof"
    r"|performance|screen|os\.path|posixpath|ipaddr|semver|moment|dayjs|_|lodash|url|URL|qs|yaml|toml|tomllib)(?:\.|\[\]|$)|\(\)\.(?:trim|split|toString)$|OrThrow$"
)
_PURE_BY_NAME = re.compile(
    r"^_?(?:parse|decode|decrypt|format|convert|normali[sz]e|extract|serialize|deserialize|unserialize|validate|stringify|unwrap|strip|check(?:Is|URL|Url|Valid)|(?:is|has)[A-Z_]|to[A-Z_]|set[A-Z]|log(?!In\b|Out\b)[A-Z])\w{0,60}$"
)
_IO_DESPITE = re.compile(r"(?:^|\.)(?:fetch|axios|formData|arrayBuffer|blob|send|request|ajax|post|put|patch)$")
_REMOTE = re.compile(
    r"^(?:self\.|this\.)?_{0,2}(?:requests|httpx|axios|aiohttp|urllib|got|ky|superagent|api|apiClient|client|http|https|httpClient|redis|cache|s3|bucket|openai|anthropic)(?:\.|\(\)|\[\])"
)

_CLEANUP = _words(
    """
    close aclose quit disconnect logout shutdown terminate kill cancel abort destroy dispose release unlink unlinkSync remove rmtree rm rmSync rmdir rmdirSync cleanup clear unsubscribe
    removeEventListener removeListener end stop flush rollback cleanUp revokeObjectURL delete_temp chmod chown utime fsync stopPropagation killpg wait join expunge_all expire_all
    clearTimeout clearInterval free detach unregister pause setpgrp umount invalidate unref
    """
)

_WRITE_LAST = _words(
    """
    commit bulk_create bulk_update bulk_save_objects insert insert_one insert_many insertOne insertMany update_one update_many updateOne updateMany replace_one delete_one delete_many deleteOne
    deleteMany findOneAndUpdate findByIdAndUpdate findByIdAndDelete upsert createMany create_many executemany put_item update_item delete_item put_object save_all bulkWrite bulk_write
    update_or_create get_or_create
    """
)
_WRITE_WITH_OWNER = frozenset({"create", "update", "delete", "save", "add_all", "merge"})
_STORE = re.compile(
    r"(?:^|[._])(?:db|database|session|conn|connection|cursor|cur|tx|trx|transaction|prisma|objects|repo|repository|supabase|firestore|collection|mongo|knex|sequelize|Model|query)\b"
    r"|\b\w*(?:Repository|Repo|Model|Session|Prisma)\b|(?<!Buffer)(?<!Array)\.from\(\)|\.collection\(\)|\.doc\(\)|\.table\(\)"
)
_LOOKS_UP = _words("retrieve list search get find fetch all constructEvent construct_event")
_PAYMENT = re.compile(
    r"^(?:stripe|razorpay|braintree|paypal|mollie|square)\b|(?:^|\.)(?:charge|capture_payment|create_payment|refund|payment_intents?\.\w+)$",
    re.IGNORECASE,
)


def is_broad(types: tuple[str, ...]) -> bool:
    """Whether a handler catches everything."""
    return not types or any(kind.rpartition(".")[2] in _BROAD for kind in types)


def is_expected(kind: str) -> bool:
    """Whether an error type says that something is absent or should stop, which code may ignore on purpose."""
    return bool(_EXPECTED.search(kind))


def is_outside(kind: str) -> bool:
    """Whether an error type means that a file, a network or a store did not do its work."""
    return bool(_OUTSIDE.search(kind)) and not is_expected(kind)


def is_local(kind: str) -> bool:
    """Whether an error type is about files and programs of the machine: a missing optional one is an ordinary case."""
    return bool(_OWN_MACHINE.search(kind))


def changes_or_asks(callee: str) -> bool:
    """Whether a call stores something, in a file or elsewhere, or asks something outside the machine."""
    return is_write(callee) or is_remote(callee) or callee.rpartition(".")[2] in _FILE_WRITES


def is_pure(callee: str) -> bool:
    """Whether a call only computes, parses, looks something up in the browser or reads an optional file."""
    name = callee.removeprefix("new ")
    if _IO_DESPITE.search(name) or _REMOTE.match(name) or _STORE.search(name):
        return bool(name.endswith("OrThrow"))
    last = name.rpartition(".")[2]
    return last in _PURE_LAST or bool(_PURE_BY_NAME.match(last)) or bool(_PURE.search(name)) or (name.isidentifier() and name[0].isupper())


def is_remote(callee: str) -> bool:
    """Whether a call surely asks something outside the process."""
    return bool(_IO_DESPITE.search(callee) or _REMOTE.match(callee) or _STORE.search(callee))


def is_cleanup(callee: str) -> bool:
    """Whether a call only lets go of something."""
    return callee.rpartition(".")[2] in _CLEANUP


def is_payment(callee: str) -> bool:
    """Whether a call surely moves money, or asks for it."""
    return bool(_PAYMENT.search(callee)) and callee.rpartition(".")[2] not in _LOOKS_UP


def is_write(callee: str) -> bool:
    """Whether a call surely stores data or moves money."""
    owner, _, last = callee.rpartition(".")
    if _PAYMENT.search(callee):
        return is_payment(callee)
    if last in _WRITE_LAST:
        return bool(owner) and (last != "insert" or bool(_STORE.search(owner)))
    return last in _WRITE_WITH_OWNER and bool(owner) and bool(_STORE.search(owner))
