"""Connections that show a login to whoever listens, accept any server's key, or agree to outdated encryption.

Certificate checks that are switched off in so many words are in `auditor.checks.certificates`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.certificates import LOCAL_HOST, REMOTE_HOST
from auditor.checks.cookie_calls import imports
from auditor.checks.cross_origin import in_development_branch
from auditor.checks.secret_purposes import is_password_name
from auditor.model.syntax import Call, FileFacts, Value, ValueKind
from auditor.model.verdict import Confidence, Finding

_MAIL = {"SMTP": "starttls", "IMAP4": "starttls", "POP3": "stls"}
"""Class of Python's mail libraries -> the method that encrypts what follows."""
_LOGINS = re.compile(r"\.(?:login|login_plain|user|pass_)$")
_HTTP = re.compile(
    r"^(?:requests|httpx|axios|got|session|client|self\.session|self\.client)\.(?:get|post|put|patch|delete|request)$|^(?:fetch|axios)$"
)
_OLD_PYTHON = re.compile(
    r"(?:^|\.)(?:PROTOCOL_(?:SSLv2|SSLv3|TLSv1|TLSv1_1)|SSLv2_METHOD|SSLv3_METHOD|TLSv1_METHOD|TLSv1_1_METHOD|TLSVersion\.(?:SSLv3|TLSv1|TLSv1_1))$"
)
_OLD_SCRIPT = re.compile(r"^(?:SSLv[23](?:_\w+)?|TLSv1(?:[._]1)?(?:_\w*method)?)$")
_ACCEPTS_ALL = re.compile(r"\bhostVerifier\b[^,}]{0,60}=>\s*true\b")
_NO_IDENTITY = re.compile(r"=>\s*(?:undefined|null|void 0|true|\{\s*\})\s*$|^\s*(?:async\s+)?function\s*\([^)]{0,40}\)\s*\{\s*\}$")
_UNVERIFIED_CONTEXTS = re.compile(r"^(?:ssl\.)?SSLContext$")
_ASKS_FOR_PROOF = re.compile(
    r"CERT_REQUIRED|load_verify_locations|load_default_certs|set_default_verify_paths|check_hostname\s*=\s*True|load_cert_chain|set_verify|use_certificate|use_privatekey|PROTOCOL_TLS_CLIENT|PROTOCOL_TLS_SERVER"
)

LOGIN = "login-in-clear-text"


def transport_faults(facts: FileFacts, text: str) -> Iterator[Finding]:
    """Everything of one server file, in the order of its calls; what only happens in development is left out."""
    found = [*_bound_faults(facts, text)]
    for call in facts.calls:
        kinds = (_clear_text(call, facts), _host_key(call, facts), _unproven(call, facts, text), _outdated(call))
        found += [(call.line, call.end_line, *fault) for kind in kinds for fault in kind]
    seen: set[tuple[int, str]] = set()
    for line, end_line, rule, cwe, message in sorted(found):
        if (line, rule) not in seen and not in_development_branch(text, line):
            seen.add((line, rule))
            yield Finding(rule, facts.path, message, line, end_line, Confidence.MEDIUM, "syntax", cwe)


# -- logins that can be read on the way ----------------------------------------------------------------------------------------


def _clear_text(call: Call, facts: FileFacts) -> Iterator[tuple[str, int, str]]:
    name = call.callee.rsplit(".", 1)[-1]
    sent = (
        (name == "FTP" and imports(facts, "ftplib") and _logs_in(call, facts, also=2))
        or (name == "Telnet" and imports(facts, "telnetlib") and _writes_password(facts))
        or (name in _MAIL and imports(facts, "smtplib", "imaplib", "poplib") and _never(facts, _MAIL[name]) and _logs_in(call, facts))
        or (name == "access" and imports(facts, "basic-ftp") and _plain_ftp(call))
        or (name == "createTransport" and _mail_without_tls(call))
        or (bool(_HTTP.match(call.callee)) and _plain_request(call))
    )
    if sent and not _is_local(call):
        yield LOGIN, 319, "A login is sent without encryption here: whoever listens on the way reads the name and the password."


def _logs_in(call: Call, facts: FileFacts, also: int = 99) -> bool:
    """Whether a name and a password are given, in the call that connects or in one on its result."""
    positional = [argument for argument in call.arguments if not argument.name]
    if len(positional) >= also and _is_somebody(positional[1].value):
        return True
    return any(
        _LOGINS.search(other.callee)
        and (other.scope == call.scope or call.target.startswith("self."))
        and other.callee.rsplit(".", 1)[0] in {call.target, f"{call.callee}()"}
        and other.arguments
        and _is_somebody(other.arguments[0].value)
        for other in facts.calls
    )


def _is_somebody(value: Value) -> bool:
    return value.literal.lower() not in {"anonymous", "ftp", ""} or value.kind not in {ValueKind.STRING, ValueKind.NAME}


def _never(facts: FileFacts, method: str) -> bool:
    """Whether nothing in the file encrypts a mail connection, in this way or from its beginning."""
    return not any(call.callee.endswith((f".{method}", "_SSL")) for call in facts.calls) and not any(
        name.endswith("_SSL") for assignment in facts.assignments if assignment.value is not None for name in assignment.value.names
    )


def _writes_password(facts: FileFacts) -> bool:
    return any(
        call.callee.endswith(".write")
        and any(is_password_name(part) for a in call.arguments for name in a.value.names for part in name.split("."))
        for call in facts.calls
    )


def _plain_ftp(call: Call) -> bool:
    options = call.arguments[0].value if call.arguments else None
    secure = options.item("secure") if options is not None else None
    return (
        options is not None
        and options.item("user") is not None
        and options.item("...") is None
        and (secure is None or secure.text == "false")
    )


def _mail_without_tls(call: Call) -> bool:
    options = call.arguments[0].value if call.arguments else None
    ignored = options.item("ignoreTLS") if options is not None else None
    return options is not None and options.item("auth") is not None and ignored is not None and ignored.text == "true"


def _plain_request(call: Call) -> bool:
    """A request to a named host without encryption that carries a login."""
    address = call.argument("url", 0)
    if address is None or not re.match(r"http://(?:[\w-]{1,63}\.){1,6}[a-z]{2,20}(?:[:/?#]|$)", address.literal):
        return False
    login = call.argument("auth")
    keys = [key.strip("'\"").lower() for argument in call.arguments for key in _keys(argument.value)]
    return (login is not None and login.kind is not ValueKind.NONE) or any(key == "authorization" or is_password_name(key) for key in keys)


def _keys(value: Value) -> Iterator[str]:
    pending = [value]
    while pending:
        current = pending.pop()
        for key, item in current.items if current.kind in {ValueKind.COLLECTION, ValueKind.CALL} else ():
            yield key
            pending.append(item)


def _is_local(call: Call) -> bool:
    """Whether the host is named and is this machine or its own network."""
    first = call.arguments[0].value if call.arguments else None
    host = first.item("host") if first is not None and first.kind is ValueKind.COLLECTION else first
    named = host.literal if host is not None and host.kind in {ValueKind.STRING, ValueKind.TEMPLATE} else ""
    return bool(named) and bool(LOCAL_HOST.search(named if "//" in named else f"//{named}/"))


# -- whom one talks to ---------------------------------------------------------------------------------------------------------


def _host_key(call: Call, facts: FileFacts) -> Iterator[tuple[str, int, str]]:
    policy = call.argument("policy", 0)
    accepts = (
        call.callee.endswith("set_missing_host_key_policy") and policy is not None and re.search(r"(?:AutoAdd|Warning)Policy", policy.text)
    )
    known = any(other.callee.endswith(("load_system_host_keys", "load_host_keys")) for other in facts.calls)
    hosts = call.argument("known_hosts") if re.search(r"(?:^|\.)asyncssh\.connect$", call.callee) else None
    text = " ".join(argument.value.text for argument in call.arguments)
    if (
        (accepts and not known)
        or (hosts is not None and hosts.kind is ValueKind.NONE)
        or (imports(facts, "ssh2", "ssh2-promise", "node-ssh") and _ACCEPTS_ALL.search(text))
    ):
        message = "Any machine that answers is taken for the server: the key it shows is accepted unseen, so somebody between gets the login and the commands."
        yield "host-key-unchecked", 322, message


def _unproven(call: Call, facts: FileFacts, text: str) -> Iterator[tuple[str, int, str]]:
    """Ways to open an encrypted connection that check no certificate unless asked to, and are not asked."""
    server = call.argument("server_side")
    wraps = (
        re.search(r"(?:^|\.)ssl\.wrap_socket$", call.callee)
        and not (server is not None and server.text == "True")
        and not re.search(r"CERT_REQUIRED", " ".join(a.value.text for a in call.arguments))
    )
    bare = (
        _UNVERIFIED_CONTEXTS.match(call.callee) and imports(facts, "ssl") and not _ASKS_FOR_PROOF.search(text) and "CERT_NONE" not in text
    )
    library = call.callee == "SSL.Context" and imports(facts, "OpenSSL") and not _ASKS_FOR_PROOF.search(text)
    if wraps or bare or library:
        message = "This connection is encrypted and does not check to whom: anybody on the way can pose as the server and read along."
        yield "certificate-unchecked", 295, message
    for value in (call.argument("assert_hostname"), *(a.value.item("checkServerIdentity") for a in call.arguments)):
        if value is not None and (value.text == "False" or (value.kind is ValueKind.FUNCTION and _NO_IDENTITY.search(value.text))):
            yield "host-name-unchecked", 297, _NAME_MESSAGE


_NAME_MESSAGE = "The certificate may belong to any other site: whoever owns one for a name of their own can pose as the server."


def _bound_faults(facts: FileFacts, text: str) -> Iterator[tuple[int, int, str, int, str]]:
    for assignment in facts.assignments:
        value, line = assignment.value, assignment.line
        if value is None:
            continue
        if assignment.target.endswith(".check_hostname") and value.text == "False" and "CERT_NONE" not in text and not _names_local(facts):
            yield line, line, "host-name-unchecked", 297, _NAME_MESSAGE
        elif assignment.target.endswith("minimum_version") and _OLD_PYTHON.search(value.literal):
            yield line, line, "old-tls", 327, _OLD_MESSAGE


def _names_local(facts: FileFacts) -> bool:
    hosts = [literal.text for literal in facts.literals if "://" in literal.text]
    return bool(hosts) and not any(REMOTE_HOST.match(host) for host in hosts)


_OLD_MESSAGE = "A version of TLS with known weaknesses is accepted here: somebody between can break the encryption."


def _outdated(call: Call) -> Iterator[tuple[str, int, str]]:
    values = [argument.value for argument in call.arguments]
    options = [value.item(key) for value in values for key in ("minVersion", "secureProtocol")]
    if any(_OLD_PYTHON.search(value.literal) for value in values if value.kind is ValueKind.NAME) or any(
        option is not None and option.kind is ValueKind.STRING and _OLD_SCRIPT.match(option.literal) for option in options
    ):
        yield "old-tls", 327, _OLD_MESSAGE
