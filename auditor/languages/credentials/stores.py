"""Settings of programs that keep logins for their user: file transfer, remote desktops, databases, mail, chat, game servers, cloud tools.

Each row of the table says by the path which program it is. In such a file an entry named like a password is one, however it looks, and what a
program has "encoded" with a key that it carries itself is as good as the password.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from auditor.languages.credentials.connections import is_local
from auditor.languages.credentials.match import Match, Strength
from auditor.languages.credentials.placed import decoded, placed

_NAMES = r"(?:pass|password|passwd|passphrase|passcode|pwd|pw|psk|secret|authkey)\d?"


@dataclass(frozen=True, slots=True)
class Store:
    """A kind of file, its words for the finding, and which entries hold what: names are compared in lower case without separators."""

    path: re.Pattern[str]
    what: str
    names: re.Pattern[str]
    encoded: bool = False
    """Values are encoded or encrypted with a key that everybody has: they do not look like passwords."""


def _store(path: str, what: str, names: str = "", *, encoded: bool = False) -> Store:
    wanted = rf"\w*{_NAMES}" + (f"|{names}" if names else "")
    return Store(re.compile(rf"(?:^|/)(?:{path})$"), what, re.compile(rf"(?:{wanted})"), encoded)


STORES: tuple[Store, ...] = (
    _store(r"\.ftpconfig|\.?sftp(?:-config)?(?:-alt\d*)?\.json|\.?remote-?sync\.json|\.?ftp-?(?:kr|simple|sync|deploy|config)?(?:-\w+)?\.json|\.ftppass|ftpsync\.settings|\.?deployment-config\.json|\.ftp-deploy-sync\w*\.json|\.sync-rc\.json|\.?dploy\.ya?ml|\.git-?ftp(?:-config)?", "an editor's settings for uploads"),
    _store(r"[^/]*filezilla[^/]*\.xml|recentservers\.xml|sitemanager\.xml", "the server list of FileZilla"),
    _store(r"winscp\.ini|wcx_ftp\.ini|ws_ftp\.ini|coreftp\.ini|smartftp[^/]*\.xml|flashfxp[^/]*\.(?:dat|ini)|[^/]+\.duck|transmit[^/]*\.plist|\.ncftp/bookmarks|bookmarks\.lftp", "the server list of a file transfer program", encoded=True),
    _store(r"confcons\.xml|[^/]+\.(?:rdg|rdp|remmina|vnc|rtsz?)|ultravnc\.ini|mobaxterm\.ini|securecrt[^/]*\.ini|\.vnc/passwd", "the server list of a remote desktop", encoded=True),
    _store(r"\.idea/(?:webservers|deployment|datasources(?:\.local)?)\.xml|[^/]*dbeaver[^/]*\.(?:xml|json)|\.dbeaver/[^/]+\.(?:xml|json)|sqldeveloper[^/]*\.xml|connections\.xml", "the connections of a development environment", encoded=True),
    _store(r"robomongo\.json|robo3t\.json|studio-?3t[^/]*\.json|[^/]+\.spf|heidisql[^/]*\.(?:ini|txt)|pgadmin\d?\.(?:json|ini)|servers\.json|\.sqltools[^/]*|tableplus[^/]*\.(?:json|plist)|\.mongorc\.js|\.dbshell", "the connections of a database program"),
    _store(r"\.?my\.cnf|\.?mylogin\.cnf|client\.cnf|debian\.cnf|odbc\.ini|\.odbc\.ini|\.?pg_service\.conf|freetds\.conf|\.snowsql/config|\.?snowflake/config(?:\.toml)?|connections\.toml|profiles\.yml|mongoid\.ya?ml|database\.ya?ml", "the settings of a database client"),
    _store(r"\.?esmtprc|\.?msmtprc|\.fetchmailrc|\.offlineimaprc|\.?mbsyncrc|\.isyncrc|getmailrc|\.getmail/[^/]+|\.?muttrc|\.mailrc|\.?ssmtp\.conf|revaliases|\.pinerc|\.mpoprc|\.neomuttrc|\.config/(?:msmtp|mutt|neomutt)/[^/]+", "the settings of a mail program", "authpass|remotepass|smtppass|imappass|poppass"),
    _store(r"\.?irssi/config|config(?:\.irssi)?|irc\.conf|znc\.conf|servlist\.conf|\.purple/accounts\.xml|accounts\.xml|\.ircrc|xchat\.conf|plugins\.conf", "the settings of a chat program", "saslpassword|p"),
    _store(r"ventrilo_srv\.ini|murmur(?:\.\w+)?\.ini|mumble-server\.ini|ts3server\.ini|server\.properties|server(?:config)?\.cfg|autoexec\.cfg|serverdz\.cfg|gameusersettings\.ini|palworldsettings\.ini|serverconfig\.(?:xml|txt)|rcon\.(?:json|ya?ml|cfg)|ops\.ini", "the settings of a voice or game server", "icesecret(?:read|write)|svpassword|rconpassword|rcon"),
    _store(r"wpa_supplicant[^/]*\.conf|hostapd[^/]*\.conf|[^/]+\.nmconnection|system-connections/[^/]+|wlan\.xml|wi-?fi[^/]*\.xml", "the settings of a wireless network", "psk|wpapassphrase|wepkey\\d|keymaterial|sharedkey"),
    _store(r"\.?smb-?credentials|\.?cifs-?credentials|\.?smbpasswd|\.davfs2/secrets|rclone\.conf|\.cadaverrc|\.lftprc|\.wgetrc", "the settings of a network drive", "httppassword|ftppassword|pass2?", encoded=True),
    _store(r"\.tugboat|\.?hub|hosts\.ya?ml|glab-cli/config\.yml|\.?netrc\.json|heroku\.json|\.?surge\.json|\.netlify/config\.json|netlify/config\.json|\.vercel/auth\.json|auth\.json|\.databrickscfg|\.terraformrc|credentials\.tfrc\.json|\.?ngrok2?/ngrok\.yml|ngrok\.ya?ml|doctl/config\.ya?ml|\.fly/config\.yml|\.?kaggle\.json|\.cdsapirc|\.twurlrc|\.trc|\.coveralls\.ya?ml|\.gist|\.slackcat|\.oci/config|\.s3cfg|\.boto|\.p4config|\.hgrc|\.?config/gh/hosts\.yml|\.travis/config\.yml|application_default_credentials\.json|accesstokens\.json|\.ivy2/\.credentials|\.sbt/[^/]*credentials|\.?credentials|\.jira\.d/[^/]+|\.pypirc|\.cargo/credentials(?:\.toml)?", "the login of a command line tool", "oauthtoken|accesstoken|refreshtoken|authtoken|token|repotoken|apikey|apitoken|secretkey|awssecretaccesskey|gssecretaccesskey|clientsecret|key|accesskey|clientkey"),
    _store(r"[^/]+\.publishsettings|[^/]+\.pubxml(?:\.user)?", "a profile for publishing to Azure or IIS", "userpwd"),
    _store(r"(?:\.mozilla|\.thunderbird|firefox|thunderbird|profiles?)/(?:[^/]+/)*logins(?:-backup)?\.json|logins\.json|signons\d?\.txt", "the saved logins of a browser", "encrypted(?:username|password)", encoded=True),
    _store(r"tomcat-users\.xml|(?:jboss|wildfly|mgmt|application)-users\.(?:properties|xml)|jetty-realm\.properties|realm\.properties", "the accounts of an application server"),
    _store(r"sonar-project\.properties|haproxy\.cfg|\.htaccess_users|proxychains\.conf|squid_passwd|turnserver\.conf|slapd\.conf|ldap\.conf|nslcd\.conf|sssd\.conf|redis\.conf|sentinel\.conf|rndc\.(?:key|conf)|named\.conf(?:\.\w+)?|sip\.conf|pjsip\.conf|iax\.conf|manager\.conf|voicemail\.conf|clients\.conf|snmpd\.conf|airflow\.cfg|superset\.cfg", "the settings of a server", "sonarlogin|sonartoken|bindpw|rootpw|requirepass|masterauth|ldapdefaultauthtok|staticauthsecret"),
)  # fmt: skip

_JSON = re.compile(r"\"(?P<name>[^\"\n]{1,80})\"\s*:\s*\"(?P<value>(?:[^\"\\\n]|\\.){1,4000})\"")
_ELEMENT = re.compile(
    r"<(?P<name>[\w:.-]{1,80})(?P<more>\s[^<>]{0,300})?>(?:<!\[CDATA\[)?(?P<value>[^<>\n]{1,2000}?)(?:\]\]>)?</(?P=name)>"
)
_NAMED_ELEMENT = re.compile(
    r"<\w{1,40}\s[^<>]{0,200}?\b(?:name|key)\s*=\s*\"(?P<name>[^\"\n]{1,80})\"[^<>]{0,200}>(?P<value>[^<>\n]{1,2000})</"
)
_ATTRIBUTE = re.compile(r"\b(?P<name>[\w:.-]{1,80})\s*=\s*\"(?P<value>[^\"\n]{1,2000})\"")
_PROPERTY = re.compile(r"<key>(?P<name>[^<>\n]{1,80})</key>\s*<string>(?P<value>[^<>\n]{1,2000})</string>")
_LINE = re.compile(
    r"^[ \t]*(?:set[ \t]+|user[ \t]+\S{1,60}[ \t]+(?:with[ \t]+)?)?[\"']?(?P<name>[A-Za-z][\w.\\:@-]{0,80})[\"']?[ \t]*(?:=>|:=|[=:]|[ \t])[ \t]*(?P<quote>[\"']?)(?P<value>[^\s\"';][^\n\"']{0,1000}?)(?P=quote)[ \t]*[;,]?[ \t]*$",
    re.MULTILINE,
)
_IN_LINE = re.compile(r"\bpass(?:word)?[ \t]+[\"'](?P<value>[^\"'\n]{3,200})[\"']")
_HOST = re.compile(r"(?:\w*host(?:name)?|server|address|\w*host(?:name)?|machine|url)")
_PASSWORD = re.compile(r"\w{0,20}(?:pass|password|passwd|pwd)")
_USER = re.compile(r"\w{0,20}(?:user|username|login|account|usr|email)")
_REAL_HOST = re.compile(r"(?:https?://|\w+://)?(?:localhost|[\w-]+(?:\.[\w-]+)+)(?::\d+)?/?")
_BESIDE = 6
"""Entries before and after a password that may belong to the same record."""
_PLACE = re.compile(r"^[~/]|^[A-Za-z]:\\|^[\w.]+\(|\.(?:pem|key|crt|ppk|pub)$")
"""Where a key or a program is to be found, no password."""
_SEPARATORS = re.compile(r"[^a-z0-9]")
_LONGEST = 2_000_000
_FIELDS = 5_000


def store_matches(path: str, text: str) -> Iterator[Match]:
    """The logins in the settings of a program that is known by the file's path."""
    lowered = path.lower()
    for store in STORES:
        if store.path.search(lowered) and len(text) <= _LONGEST:
            yield from _logins(store, text)


def record_matches(text: str) -> Iterator[Match]:
    """Passwords of JSON records that name a host and a user beside it, in a file of any program."""
    if "ass" not in text or not any(word in text for word in ('ost"', 'erver"', 'ddress"')):
        return
    fields = [(_SEPARATORS.sub("", found["name"].lower()), found) for found in islice(_JSON.finditer(text[:_LONGEST]), _FIELDS)]
    for position, (name, found) in enumerate(fields):
        if not _PASSWORD.fullmatch(name):
            continue
        beside = fields[max(0, position - _BESIDE) : position + _BESIDE]
        host = next((entry["value"] for other, entry in beside if _HOST.fullmatch(other) and _REAL_HOST.fullmatch(entry["value"])), "")
        user = any(_USER.fullmatch(other) for other, _ in beside)
        if host and user and not re.search(r"\s", found["value"]):
            match = placed(
                found.span("value"), found["value"], "it is the password of a login with host and user", host=host.rsplit(":", 1)[0]
            )
            if match:
                softer = {Strength.FORMAT: Strength.NAMED, Strength.PLACED: Strength.HUMAN}.get(match.strength, match.strength)
                yield replace(match, strength=softer)


def _fields(text: str) -> Iterator[re.Match[str]]:
    begin = text.lstrip()[:1]
    if begin == "{" or (begin == "[" and '":' in text):
        patterns: tuple[re.Pattern[str], ...] = (_JSON,)
    else:
        patterns = (_ELEMENT, _NAMED_ELEMENT, _ATTRIBUTE, _PROPERTY) if begin == "<" else (_LINE,)
    for pattern in patterns:
        yield from islice(pattern.finditer(text), _FIELDS)


def _logins(store: Store, text: str) -> Iterator[Match]:
    fields = [(_SEPARATORS.sub("", found["name"].lower()), found) for found in _fields(text)]
    hosts = [found["value"].strip().removeprefix("https://").removeprefix("http://") for name, found in fields if _HOST.fullmatch(name)]
    host = "localhost" if hosts and all(is_local(entry.split(":")[0]) for entry in hosts) else ""
    for name, found in fields:
        if store.names.fullmatch(name) and (match := _login(store, found, host)):
            yield match
    for found in _IN_LINE.finditer(text):
        if match := placed(found.span("value"), found["value"], f"it stands in {store.what}", host=host):
            yield match


def _login(store: Store, found: re.Match[str], host: str) -> Match | None:
    value = found["value"]
    span = found.span("value")
    reason = f"it stands in {store.what}"
    if "base64" in (found.groupdict().get("more") or ""):
        value = decoded(value)
    elif store.encoded and not value.isspace() and len(value) >= 8:
        reason += ", encoded in a way that everybody can undo"
    if re.search(r"\s", value.strip()) or _PLACE.search(value):
        return None
    return placed(span, value.strip(), reason, host=host)
