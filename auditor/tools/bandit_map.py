"""What each of bandit's tests means to the checklist: an item with a grade, or ignored for a stated reason.

Only the tests listed in `USED` are run. A test compares both tables with the tests of the installed bandit, so that a new one cannot go unnoticed.
"""

from __future__ import annotations

from dataclasses import dataclass

_EXECUTION = "security.no-dynamic-execution"
_SQL = "security.sql-parameterised"
_ENCODING = "security.output-encoded"
_CRYPTO = "security.crypto-sound"
_OUTSIDE = "security.outside-paths-and-urls"


@dataclass(frozen=True, slots=True)
class Meaning:
    """How to read a hit of one test; bandit's severity LOW (it saw only constants) turns the grade into "note" where `constant_is_harmless`."""

    item: str
    cwe: int
    grade: str
    message: str
    constant_is_harmless: bool = False


USED: dict[str, Meaning] = {
    "B102": Meaning(_EXECUTION, 95, "partial", "exec() runs a string as Python code: whoever can influence the string runs code on the server."),
    "B301": Meaning(_EXECUTION, 502, "partial", "pickle (or a library built on it) loads data: whoever can write that data runs code when it is loaded."),
    "B302": Meaning(_EXECUTION, 502, "partial", "marshal loads data: crafted data crashes the interpreter or runs code."),
    "B307": Meaning(_EXECUTION, 95, "partial", "eval() runs a string as Python code: whoever can influence the string runs code on the server."),
    "B506": Meaning(_EXECUTION, 502, "partial", "yaml.load without a safe loader builds any Python object: a crafted document runs code."),
    "B601": Meaning(_EXECUTION, 78, "note", "A command is run on another machine over SSH: check that no part of it comes from outside."),
    "B602": Meaning(_EXECUTION, 78, "partial", "A program is started through a shell: a value with a semicolon in the text becomes a second command.", constant_is_harmless=True),
    "B604": Meaning(_EXECUTION, 78, "partial", "A function is told to use a shell: a value with a semicolon in the text becomes a second command.", constant_is_harmless=True),
    "B605": Meaning(_EXECUTION, 78, "partial", "os.system or a relative passes text to a shell: a value with a semicolon in it becomes a second command.", constant_is_harmless=True),
    "B609": Meaning(_EXECUTION, 155, "note", "A shell command holds a wildcard: a file whose name begins with a dash is read as an option."),
    "B612": Meaning(_EXECUTION, 94, "partial", "logging.config.listen evaluates configuration that arrives on a socket: any local process can run code."),
    "B614": Meaning(_EXECUTION, 502, "partial", "torch.load unpickles a model file: a crafted file runs code; weights_only=True refuses that."),
    "B608": Meaning(_SQL, 89, "partial", "A query text is assembled from pieces: a value that holds a quote changes the query."),
    "B610": Meaning(_SQL, 89, "partial", "QuerySet.extra() with assembled text: a value that holds a quote changes the query."),
    "B611": Meaning(_SQL, 89, "partial", "RawSQL with assembled text: a value that holds a quote changes the query.", constant_is_harmless=True),
    "B202": Meaning(_OUTSIDE, 22, "partial", "An archive is unpacked without checking its members: a name with ../ writes outside the folder."),
    "B304": Meaning(_CRYPTO, 327, "partial", "A broken cipher is used."),
    "B305": Meaning(_CRYPTO, 327, "partial", "A cipher mode that shows patterns of the plain text is used."),
    "B505": Meaning(_CRYPTO, 326, "partial", "A cryptographic key is too short."),
    "B701": Meaning(_ENCODING, 79, "partial", "A Jinja environment without autoescape prints user text as mark-up."),
    "B702": Meaning(_ENCODING, 79, "note", "Mako templates do not escape by default."),
}  # fmt: skip
"""Tests that are run, with what a hit means."""

_IMPORT = "an import alone harms nobody; the calls have tests of their own"
_SECRETS = "credentials are found by our own scan, which reads all files and tells dummies apart"
_ESCAPES = "flags mark-up made safe whatever it holds; our own flow analysis tells escaped and constant text apart"
_XML = "the standard library's parsers no longer resolve external entities; what remains is a memory bomb, judged with input limits"
_PROCESS = "starting a program without a shell is the recommended way"
_OWN_TLS = "our own reading tells hosts on the own machine, development and choices of the operator apart"
_OWN_PURPOSE = "what becomes of the value decides, and our own reading follows it: a cache key or a jitter harms nobody"
_OWN_ERRORS = "our own reading of handlers knows what was tried, what is expected to fail, and JavaScript as well"

IGNORED: dict[str, str] = {
    "B101": "assert in production code is a matter of style unless it guards a decision, which bandit does not see",
    "B103": "flags ordinary executables; files that anybody may change are found by our own reading",
    "B104": "binding to all interfaces is right inside a container",
    "B308": _ESCAPES,
    "B703": _ESCAPES,
    "B704": _ESCAPES,
    "B105": _SECRETS,
    "B106": _SECRETS,
    "B107": _SECRETS,
    "B108": "a literal /tmp path is a risk only on shared machines",
    "B306": "found by our own reading, with older functions of the kind",
    "B110": _OWN_ERRORS,
    "B112": _OWN_ERRORS,
    "B113": "our own reading knows sessions, clients and time limits set elsewhere, and JavaScript as well",
    "B201": "our own reading knows how production is started, and other frameworks",
    "B303": _OWN_PURPOSE,
    "B324": _OWN_PURPOSE,
    "B323": _OWN_TLS,
    "B501": _OWN_TLS,
    "B502": _OWN_TLS,
    "B503": _OWN_TLS,
    "B507": _OWN_TLS,
    "B310": "flags every urlopen, whatever the address is made of",
    "B311": _OWN_PURPOSE,
    "B312": "telnet counts where a password is sent through it, which our own reading sees",
    "B313": _XML,
    "B314": _XML,
    "B315": _XML,
    "B316": _XML,
    "B317": _XML,
    "B318": _XML,
    "B319": _XML,
    "B321": "FTP counts where a login is sent through it; public archives are read without one",
    "B401": _IMPORT,
    "B402": _IMPORT,
    "B403": _IMPORT,
    "B404": _IMPORT,
    "B405": _IMPORT,
    "B406": _IMPORT,
    "B407": _IMPORT,
    "B408": _IMPORT,
    "B409": _IMPORT,
    "B411": _IMPORT,
    "B412": _IMPORT,
    "B413": _IMPORT,
    "B415": _IMPORT,
    "B504": "Python's default TLS version has been safe since 3.10; that the certificate is not checked is found by our own reading",
    "B508": "SNMP settings concern devices, not this kind of system",
    "B509": "SNMP settings concern devices, not this kind of system",
    "B603": _PROCESS,
    "B606": _PROCESS,
    "B607": _PROCESS,
    "B613": "bidirectional control characters are a review matter, not a production one",
    "B615": "an unpinned model download is judged with the locked dependencies",
}
"""Tests that are not run, with the reason."""
