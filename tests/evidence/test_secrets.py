"""Credentials: what is found, what is left alone, how it is weighed, and that no output ever holds a value."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from auditor import audit
from auditor.cache import Cache
from auditor.evidence.registry import Context
from auditor.evidence.secrets import secrets
from auditor.excerpts import mask
from auditor.languages.credentials import Located, Surroundings, find_credentials, located_credentials, surroundings_of
from auditor.languages.credentials.connections import is_local
from auditor.model.evidence import Secret
from auditor.model.snapshot import Language, Role
from auditor.placeholders import is_common, is_monotonous, is_placeholder, looks_random
from auditor.render.html import to_html
from auditor.render.json_report import to_json
from auditor.render.terminal import to_terminal
from auditor.secret_names import NameKind, kind_of_name
from auditor.snapshot import read_tree
from tests.support.fakes import FAKES
from tests.support.repositories import from_texts

TODAY = 1_774_000_000
BY_NAME_ONLY = {
    "aws-secret-key", "password", "random-password", "hex-key", "api-key", "signing-key", "basic-auth", "bearer-token", "mail-app-password",
    "password-hash", "uuid-key", "base64-password", "crypt-hash",
}  # fmt: skip
KINDS = {
    "github-token-odd-checksum": "github-token", "github-fine-grained": "github-token", "openai-legacy-key": "openai-key", "jwt-expired": "jwt",
    "rsa-private-key": "private-key", "openssh-private-key": "private-key", "encrypted-private-key": "private-key", "private-key-one-line": "private-key",
    "private-key-base64": "private-key", "putty-key": "private-key", "openvpn-key": "private-key",
    "connection-string-mongodb": "connection-string", "connection-string-with-at": "connection-string", "connection-string-redis": "connection-string", "connection-string-local": "connection-string",
}  # fmt: skip
PUBLIC = {"stripe-publishable", "supabase-publishable", "mapbox-public-token", "posthog-project-key", "razorpay-key", "jwt-anon"}
LOCAL = {"jwt-expired", "encrypted-private-key", "connection-string-local"}


def found_in(path: str, text: str, language: Language = Language.PYTHON, role: Role = Role.FIRST_PARTY) -> list[Secret]:
    return find_credentials(text, surroundings_of(path, language, role), TODAY)


def in_env(text: str, path: str = ".env") -> list[Secret]:
    return found_in(path, text, Language.INI, Role.CONFIG)


@pytest.mark.parametrize("name", sorted(FAKES.keys() - BY_NAME_ONLY))
def test_each_kind_is_known_by_its_form_alone(name: str) -> None:
    found = found_in("shop/settings.py", f'# the bot talks to Discord\nVALUE = """{FAKES[name]}"""\n')
    assert [secret.kind for secret in found] == [KINDS.get(name, name)]
    expected = "publishable" if name in PUBLIC else "local" if name in LOCAL else "working"
    assert (found[0].certainty, found[0].line > 1) == (expected, True)
    assert len(found[0].prefix) <= 4
    assert FAKES[name] not in repr(found)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("DB_PASSWORD={password}", "password"),
        ("SMTP_PASS={random-password}", "password"),
        ("EMAIL_HOST_PASSWORD={mail-app-password}", "password"),
        ("WEATHER_API_KEY={hex-key}", "api-key"),
        ("AWS_SECRET_ACCESS_KEY={aws-secret-key}", "api-key"),
        ("SECRET_KEY={signing-key}", "signing-key"),
        ('export JWT_SECRET="{signing-key}"  # keep', "signing-key"),
        ("MAPS_KEY={uuid-key}", "api-key"),
    ],
)
def test_values_under_a_secrets_name_in_settings(line: str, kind: str) -> None:
    for name, value in FAKES.items():
        line = line.replace("{" + name + "}", value)
    found = in_env(f"PORT=8000\n{line}\n")
    assert [(secret.kind, secret.certainty, secret.line) for secret in found] == [(kind, "working", 2)]


@pytest.mark.parametrize(
    ("path", "language", "text", "kind"),
    [
        (".netrc", Language.OTHER, "machine git.acme-shop.de login bot password {random-password}", "password"),
        (".pgpass", Language.OTHER, "db.acme-shop.de:5432:shop:owner:{random-password}", "password"),
        (".npmrc", Language.OTHER, "//npm.acme-shop.de/:_authToken={api-key}", "npm-token"),
        ("conf/.htpasswd", Language.OTHER, "ada:{password-hash}", "password-hash"),
        (".git-credentials", Language.OTHER, "{url-password}", "url-password"),
        ("wp-config.php", Language.PHP, "define('DB_PASSWORD', '{password}');", "password"),
        (".git-credentials", Language.OTHER, "https://ada:{password}@git.acme-shop.de", "url-password"),
        (".authinfo", Language.OTHER, "machine mail.acme-shop.de login bot port 587 password {password}", "password"),
        (".npmrc", Language.OTHER, "//npm.acme-shop.de/:_auth={basic-auth}", "npm-token"),
        (".yarnrc.yml", Language.YAML, 'npmAuthIdent: "ada:{password}"', "npm-token"),
        (".docker/config.json", Language.JSON, '{"auths": {"https://index.docker.io/v1/": {"auth": "{basic-auth}"}}}', "registry-login"),
        ("auth.json", Language.JSON, '{"gitlab-token": {"gitlab.acme-shop.de": "{api-key}"}}', "api-key"),
        (".bundle/config", Language.OTHER, 'BUNDLE_GEMS__ACME__COM: "ada:{password}"', "password"),
        (".gem/credentials", Language.OTHER, "---\n:acme_host: {hex-key}\n", "api-key"),
        ("etc/shadow", Language.OTHER, "daemon:*:17431:0:99999:7:::\nada:{crypt-hash}:17431:0:99999:7:::", "password-hash"),
        ("ftp/proftpd.passwd", Language.OTHER, "ada:{crypt-hash}:3044:3045::/srv/ftp:/bin/false", "password-hash"),
        ("mosquitto/users.conf", Language.INI, "ada:{password-hash}", "password-hash"),
        ("postfix/sasl_passwd", Language.OTHER, "[smtp.acme-shop.de]:587 bot@acme-shop.de:{password}", "password"),
        ("ppp/chap-secrets", Language.OTHER, '"ada" * "{password}" *', "password"),
        ("etc/ipsec.secrets", Language.OTHER, 'vpn.acme-shop.de : PSK "{password}"', "password"),
        (".passwd-s3fs", Language.OTHER, "shop:{aws-secret-key}", "password"),
        ("pgbouncer/userlist.txt", Language.TEXT, '"shop" "{password}"', "password"),
        (".ftpconfig", Language.OTHER, '{"host": "ftp.acme-shop.de", "user": "web", "pass": "{password}"}', "password"),
        (".vscode/sftp.json", Language.JSON, '{"host": "ftp.acme-shop.de", "password": "gartenzwerg"}', "password"),
        ("filezilla/sitemanager.xml", Language.XML, "<Host>ftp.acme-shop.de</Host><Pass>gartenzwerg</Pass>", "password"),
        ("filezilla.xml", Language.XML, '<Pass encoding="base64">Z2FydGVuendlcmc=</Pass>', "password"),
        ("WinSCP.ini", Language.INI, "[Sessions\\shop]\nHostName=ftp.acme-shop.de\nPassword=A35C465759FD3C78E2B6A35B2D2A", "password"),
        ("confCons.xml", Language.XML, '<Node Hostname="pc1.acme-shop.de" Password="{base64-password}" />', "password"),
        ("robomongo.json", Language.JSON, '{"serverHost": "db.acme-shop.de", "userPassword": "gartenzwerg"}', "password"),
        (".my.cnf", Language.OTHER, "[client]\nhost=db.acme-shop.de\npassword=gartenzwerg", "password"),
        (".msmtprc", Language.OTHER, "host smtp.acme-shop.de\nuser bot\npassword gartenzwerg", "password"),
        (".fetchmailrc", Language.OTHER, 'poll imap.acme-shop.de user "ada" password "gartenzwerg"', "password"),
        (".irssi/config", Language.OTHER, 'chat = {\n  address = "irc.acme-shop.de";\n  password = "gartenzwerg";\n};', "password"),
        ("server.properties", Language.INI, "motd=Garten\nrcon.password=gartenzwerg", "password"),
        ("wpa_supplicant.conf", Language.INI, 'network={\n ssid="garten"\n psk="gartenzwerg"\n}', "password"),
        ("rclone.conf", Language.INI, "[nas]\nhost = nas.acme-shop.de\npass = {base64-password}", "password"),
        (".config/hub", Language.OTHER, "github.com:\n- user: ada\n  oauth_token: {hex-key}", "password"),
        ("firefox/logins.json", Language.JSON, '{"logins": [{"encryptedPassword": "{base64-password}"}]}', "password"),
        ("config/master.key", Language.OTHER, "{hex-key}\n", "signing-key"),
        ("config/config.json", Language.JSON, '{"username": "shop", "password": "{password}", "host": "db.acme-shop.de"}', "password"),
        (
            "backup/dump.sql",
            Language.SQL,
            "-- MySQL dump 10.13\nINSERT INTO `people` VALUES (1,'O\\'Hara','{password-hash}',NULL);",
            "password-hash",
        ),
        (
            "backup/shop.sql",
            Language.SQL,
            "COPY public.people (id, name, password) FROM stdin;\n1\tada\t{hex-key}\n\\.\n",
            "password-hash",
        ),
        ("export/people.csv", Language.TEXT, "id,email,password_hash\n1,ada@acme-shop.de,{password-hash}\n", "password-hash"),
        ("Chrome Passwords.csv", Language.TEXT, "name,url,username,password\nshop,https://acme-shop.de,ada,{password}\n", "password"),
        ("data/users.json", Language.JSON, '[{"id": 1, "passwordHash": "{password-hash}"}]', "password-hash"),
        ("jupyter.json", Language.JSON, '{"password": "argon2:$argon2id$v=19$m=10240,t=10,p=8${api-key}"}', "password-hash"),
        ("sites/settings.php", Language.PHP, "array('user' => 'shop', 'x', 'password' => '{password}');", "password"),
        ("inventory/hosts", Language.OTHER, "web1 ansible_user=root ansible_ssh_pass={password} ansible_port=22", "password"),
        ("app/build.gradle", Language.OTHER, 'storePassword "{password}"', "password"),
        (".curlrc", Language.OTHER, 'user = "ada:{password}"', "password"),
        ("config/default.json", Language.JSON, '{"user": "shop", "pass": "{password}", "host": "db.acme-shop.de"}', "password"),
        ("config.php", Language.PHP, "$dbpasswd = '{password}';", "password"),
        ("hibernate.cfg.xml", Language.XML, '<property name="connection.password">{password}</property>', "password"),
        ("env.xml", Language.XML, "<password><![CDATA[{random-password}]]></password>", "password"),
        ("firmware/arduino_secrets.h", Language.C, '#define SECRET_PASS "{password}"', "password"),
        ("src/crm.js", Language.JAVASCRIPT, "crm.login('ada@acme-shop.de', '{password}', done);", "password"),
        ("import.php", Language.PHP, "$db = new mysqli('db.acme-shop.de', 'shop', '{password}', 'shop');", "password"),
        ("report.py", Language.PYTHON, "requests.get(url, auth=('ada', '{password}'))", "password"),
        ("backup.sh", Language.OTHER, "mysqldump -u shop -p{password} shop > shop.sql", "basic-auth"),
        ("k8s/pull.yaml", Language.YAML, "kind: Secret\ndata:\n  tls.key: {private-key-base64}", "kubernetes-secret"),
        ("k8s/secret.yaml", Language.YAML, "kind: Secret\ndata:\n  smtp-password: {base64-password}", "kubernetes-secret"),
        ("k8s/web.yaml", Language.YAML, "env:\n  - name: API_TOKEN\n    value: {api-key}", "api-key"),
        ("report.ipynb", Language.NOTEBOOK, '{"source": ["api_key = \\"{api-key}\\"\\n"]}', "api-key"),
        ("web.config", Language.XML, '<add key="ClientSecret" value="{api-key}" />', "api-key"),
        ("pom.xml", Language.XML, "<password>{random-password}</password>", "password"),
        (
            "appsettings.json",
            Language.JSON,
            '{"Default": "Server=db.acme-shop.de;Database=shop;User Id=sa;Password={random-password};"}',
            "connection-string",
        ),
        ("dump.sql", Language.SQL, "CREATE USER shop WITH PASSWORD '{random-password}';", "password"),
        ("src/api.ts", Language.TYPESCRIPT, "const key = process.env.API_KEY || '{api-key}';", "api-key"),
        ("src/api.ts", Language.TYPESCRIPT, "headers: { Authorization: 'Bearer {bearer-token}' }", "bearer-token"),
        ("src/api.ts", Language.TYPESCRIPT, "headers: { Authorization: `Basic {basic-auth}` }", "basic-auth"),
        ("src/api.ts", Language.TYPESCRIPT, "fetch('https://api.acme.io/v1?api_key={hex-key}')", "api-key"),
        ("src/db.js", Language.JAVASCRIPT, "connect('{connection-string-with-at}')", "connection-string"),
        ("app.py", Language.PYTHON, "weather = 'https://api.acme.io/data?q=x&appid={hex-key}'", "api-key"),
        ("main.go", Language.GO, 'password := "{password}"', "password"),
        ("infra/main.tf", Language.OTHER, 'password = "{password}"', "password"),
        ("application.properties", Language.INI, "spring.datasource.password={password}", "password"),
        ("config/db.yml", Language.YAML, "production:\n  password: {password}", "password"),
        ("app.py", Language.PYTHON, "config = os.getenv('API_TOKEN', '{api-key}')", "api-key"),
        ("app.py", Language.PYTHON, "class S:\n    password: str = '{random-password}'", "password"),
    ],
)
def test_files_with_a_layout_of_their_own(path: str, language: Language, text: str, kind: str) -> None:
    for name, value in FAKES.items():
        text = text.replace("{" + name + "}", value)
    found = found_in(path, text, language)
    assert [(secret.kind, secret.certainty) for secret in found] == [(kind, "working")]


@pytest.mark.parametrize(
    "line",
    [
        'SECRET_KEY = os.environ["SECRET_KEY"]', "password = form.cleaned_data['password']", 'api_key = "your-api-key-here"', 'token = "xxxxxxxxxxxxxxxxxxxx"',
        'TOKEN_URL = "https://login.example.com/oauth/token"', 'PASSWORD_FIELD = "new-password-field-2"', 'password: "Your password must have 8 characters"',
        'const token = localStorage.getItem("auth-token-v2")', 'integrity = "sha512-XI5MPzVNApjAyhQzphX8BkmKsKUxD4LdyK24iZeQGinBN9yTQT3bFlCBy/aVx2Hr"',
        'key = "d41d8cd98f00b204e9800998ecf8427e"', 'ETAG = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"', 'api_key: "string"',
        'url = "postgres://user:password@host:5432/dbname"', '@delete-access-token="displayDeleteAccessTokenConfirmationModal"', 'PASSWORD_HASHER = "argon2id-v19"',
        "id = 'AKIAIOSFODNN7EXAMPLE'", 'token = "01234567890123456789abcdef"', "secretName: my-app-tls-secret-2024", 'license_key = "cc-by-nc-sa-3.0-igo"', "ftp.login('anonymous', 'me1@acme')", 'JWT_SECRET = "JWT_SECRET"',
        '<input type="password" name="password1" autocomplete="new-password">', "password = getpass('Password: ')", 'next_page_token = "CAUQAA1b2c3d4e5f6"',
        'const token = "0xaAf8719F68130D06C45dE4Cee2a58e95401e83ac"', 'STORAGE_TOKEN_KEY = "auth_token_v2"', 'PASSWORD_REGEX = "^(?=.*[A-Z])(?=.*[0-9]).{8,}$"',
        'JWT_SECRET = "my_super_secret_jwt_key_2024"', 'uri = "mongodb+srv://<user>:<password>@cluster0.x7rq2.mongodb.net/shop"',
        'passwordKey: "auth.login.password2.label"', 'key = "primary-key-of-the-table-2"', "tokens = 'max_tokens_2048_default'",
    ],
)  # fmt: skip
def test_look_alikes_are_left_alone(line: str) -> None:
    assert found_in("src/app.ts", line, Language.TYPESCRIPT) == []
    assert found_in("app.py", line) == []


@pytest.mark.parametrize("path", ["locales/de.json", "src/i18n/en.ts", "package-lock.json", "node_modules/x/index.js"])
def test_translations_locks_and_other_peoples_code_name_no_secrets(path: str) -> None:
    role = Role.VENDORED if "node_modules" in path else Role.CONFIG
    assert found_in(path, '{"password": "' + FAKES["password"] + '"}', Language.JSON, role) == []


def test_where_a_value_stands_decides_what_it_counts() -> None:
    named = f'API_TOKEN = "{FAKES["api-key"]}"\n'
    assert [secret.certainty for secret in found_in("shop/api.py", named)] == ["working"]
    assert [secret.certainty for secret in found_in("tests/test_api.py", named, role=Role.TEST)] == ["test"]
    assert [secret.certainty for secret in found_in("README.md", f"`API_TOKEN={FAKES['api-key']}`", Language.MARKDOWN, Role.DOC)] == [
        "test"
    ]
    assert [secret.certainty for secret in in_env(f"SECRET_KEY={FAKES['signing-key']}", ".env.example")] == ["test"]
    assert in_env(f"DB_PASSWORD={FAKES['password']}", ".env.example") == []
    assert [secret.certainty for secret in in_env("POSTGRES_PASSWORD=postgres")] == ["local"]
    key = f"KEY = '''{FAKES['private-key']}'''"
    assert [secret.certainty for secret in found_in("tests/test_tls.py", key, role=Role.TEST)] == ["test"]
    remote = f"URL = '{FAKES['connection-string']}'"
    assert [secret.certainty for secret in found_in("tests/test_store.py", remote, role=Role.TEST)] == ["working"]


def test_a_checksum_that_does_not_fit_is_said() -> None:
    right, odd = (found_in("a.py", f"x = '{FAKES[name]}'")[0] for name in ("github-token", "github-token-odd-checksum"))
    assert "checksum" not in right.reason
    assert "checksum does not fit" in odd.reason


def test_the_same_google_key_is_a_pages_or_a_paid_one() -> None:
    key = FAKES["google-api-key"]
    assert found_in("src/fb.ts", f'const c = {{ apiKey: "{key}", authDomain: "x.firebaseapp.com" }}')[0].certainty == "publishable"
    assert found_in("src/ai.ts", f'const GEMINI_API_KEY = "{key}";')[0].certainty == "working"


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1",
        "db",
        "redis:6379",
        "[::1]",
        "db.internal",
        "example.com",
        "postgres.default.svc.cluster.local",
        "192.168.1.4",
    ],
)
def test_hosts_of_the_own_machine_or_network(host: str) -> None:
    assert is_local(host)


@pytest.mark.parametrize("host", ["db.acme-shop.de", "ep-cool-1.eu-central-1.aws.neon.tech", "8.8.8.8"])
def test_hosts_on_the_internet(host: str) -> None:
    assert not is_local(host)


def test_names_of_secrets() -> None:
    for name in ("DB_PASSWORD", "dbPass", "smtp-pwd", "adminPassword2"):
        assert kind_of_name(name) is NameKind.PASSWORD or name == "adminPassword2", name
    for name in ("SECRET_KEY", "jwtSecret", "session_secret", "app.encryptionKey", "DJANGO_SECRET_KEY"):
        assert kind_of_name(name) is NameKind.SIGNING, name
    for name in ("OPENAI_API_KEY", "stripeSecretKey", "clientSecret", "auth-token", "GITHUB_TOKEN"):
        assert kind_of_name(name) is NameKind.KEY, name
    for name in (
        "password_field",
        "token_url",
        "primary_key",
        "max_tokens",
        "csrf_token",
        "SUPABASE_ANON_KEY",
        "passwordReset",
        "secret_name",
        "compass",
        "next_page_token",
    ):
        assert kind_of_name(name) is None, name


def test_shapes_of_values() -> None:
    assert all(
        is_placeholder(value)
        for value in ("${X}", "<your key>", "your-api-key", "changeme", "xxxxxxxx", "sk-...", "insert_token_here", "{{ secrets.X }}")
    )
    assert not any(is_placeholder(FAKES[name]) for name in ("password", "api-key", "hex-key", "signing-key"))
    assert all(is_common(value) for value in ("admin", "postgres", "Password123!", "admin2024"))
    assert all(is_monotonous(value) for value in ("1234567890", "aaaa-aaaa", "abcdefgh12345678"))
    assert looks_random(FAKES["api-key"])
    assert not looks_random("displayDeleteAccessTokenConfirmationModal")


def test_this_repositorys_dummies_are_not_found_in_it() -> None:
    source = Path(__file__).parents[1] / "support" / "fakes.py"
    assert found_in("support/fakes.py", source.read_text()) == []


def test_hostile_texts_take_no_time() -> None:
    texts = (
        "secret." * 100_000,
        'password="' * 60_000,
        "-----BEGIN PRIVATE KEY-----\n" * 20_000,
        "postgres://" + "a" * 500_000 + ":@",
        "secret" + " " * 500_000 + "=",
    )
    for text in texts:
        started = time.process_time()
        assert found_in("a.yaml", text, Language.YAML) == []
        assert time.process_time() - started < 10, text[:20]


def test_key_stores_are_told_by_their_names(tmp_path: Path) -> None:
    root = from_texts(
        tmp_path / "app",
        {
            "deploy/release.jks": b"\xfe\xed\xfe\xed" + bytes(range(256)) * 4,
            "android/debug.keystore": b"\xfe\xed\xfe\xed" + bytes(range(256)) * 4,
        },
    )
    reading = read_tree(root)
    known = secrets(Context(root, Cache(None), "2026-03-01"), reading.snapshot, reading.texts)
    assert [(secret.path, secret.certainty) for secret in known.value.found] == [
        ("android/debug.keystore", "test"),
        ("deploy/release.jks", "working"),
    ]


def test_a_file_is_searched_once_and_its_values_are_numbered_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"a.py": f"KEY = '{FAKES['stripe-key']}'\n", "b/.env": f"STRIPE_KEY={FAKES['stripe-key']}\nTOKEN={FAKES['github-token']}\n"}
    root = from_texts(tmp_path / "app", texts)
    cache = Cache(tmp_path / "cache")
    searched: list[str] = []

    def located(text: str, surroundings: Surroundings, today: int) -> list[Located]:
        searched.append(surroundings.path)
        return located_credentials(text, surroundings, today)

    monkeypatch.setattr("auditor.evidence.secrets.located_credentials", located)
    results = []
    for content in (texts["a.py"], texts["a.py"], "KEY = ''\n"):
        (root / "a.py").write_text(content)
        reading = read_tree(root)
        found = secrets(Context(root, cache, "2026-03-01"), reading.snapshot, reading.texts).value.found
        results.append([(secret.path, secret.line, secret.root) for secret in found])
    assert searched == ["a.py", "b/.env", "a.py"]
    assert results[0] == results[1] == [("a.py", 1, 1), ("b/.env", 1, 1), ("b/.env", 2, 2)]
    assert results[2] == [("b/.env", 1, 1), ("b/.env", 2, 2)]
    cache.close()
    stored = b"".join(file.read_bytes() for file in (tmp_path / "cache").iterdir())
    assert FAKES["stripe-key"][8:].encode() not in stored


def test_a_token_that_runs_out_is_looked_at_again_each_day(tmp_path: Path) -> None:
    root = from_texts(tmp_path / "app", {"a.py": f"TOKEN = '{FAKES['jwt']}'\n"})
    reading = read_tree(root)
    cache = Cache(tmp_path / "cache")
    certainties = [
        [secret.certainty for secret in secrets(Context(root, cache, date), reading.snapshot, reading.texts).value.found]
        for date in ("2026-03-01", "2101-03-01")
    ]
    assert certainties == [["working"], ["local"]]


def test_the_same_key_in_several_files_is_named_as_one(tmp_path: Path) -> None:
    block = FAKES["private-key"]
    texts = {"a.pem": block, "b.env": f'KEY="{FAKES["private-key"].replace(chr(10), chr(92) + "n")}"\n', "c.pem": FAKES["rsa-private-key"]}
    report = audit(from_texts(tmp_path / "app", texts), only=["secrets.none-committed"], use_cache=False, workers=1)
    outcome = report.outcomes[0]
    assert outcome.reason.startswith("2 values in the tracked files look like a working credential, in 3 places")
    assert ["`a.pem`, line 1" in finding.message for finding in outcome.findings] == [False, True, False]


@pytest.mark.parametrize("name", sorted(FAKES))
def test_excerpts_never_show_a_value(name: str) -> None:
    value = FAKES[name].split("\n", maxsplit=1)[0]
    if name in {"connection-string-local", "gcp-service-account"} or "-----" in value:
        return
    for line in (
        f"API_KEY={value}",
        f'key = "{value}"',
        f"password: {value}",
        f"<password>{value}</password>",
        f"machine x login y password {value}",
    ):
        assert value not in mask(line, strict=True), line


def leaking_repository(target: Path) -> Path:
    texts: dict[str, str] = {
        "README.md": "# Leaks\n\nEverything that must not be shown.\n",
        "app.py": "import os\n\nprint(os.environ['HOME'])\n",
    }
    for name, value in FAKES.items():
        plain = value.replace("\\", "\\\\")
        texts[f"settings/{name}.py"] = (
            f'"""Settings."""\n\nDB_PASSWORD = """{value}"""\nAPI_KEY = "{plain.splitlines()[0]}"\n\n\ndef login(password: str) -> bool:\n    return password == "{plain.splitlines()[0]}"\n'
        )
        texts[f"env/{name}/.env"] = f"SECRET_KEY={value.splitlines()[0]}\nDB_PASSWORD={value.splitlines()[0]}\n"
        texts[f"docs/{name}.md"] = f"# {name}\n\n```\n{value}\n```\n"
        texts[f"web/{name}.ts"] = f"export const secretKey = process.env.SECRET_KEY || `{plain}`;\n"
    texts["docker-compose.yml"] = "services:\n  web:\n    build: .\n    environment:\n" + "".join(
        f"      SECRET_{number}_PASSWORD: '{value.splitlines()[0]}'\n" for number, value in enumerate(FAKES.values())
    )
    return from_texts(target, texts)


def pieces(value: str) -> list[str]:
    """What must not be seen: every long run of a value's characters, so that a part of it does not pass either."""
    runs = [
        run
        for line in value.replace("\\n", "\n").split("\n")
        for run in line.split('"')
        if len(run) >= 14 and "-----" not in run and not run.startswith((" ", "robot@", "shop-prod"))
    ]
    return [
        run
        for entry in runs
        for run in ([entry] if "://" not in entry else [entry.split("://")[1].split("@")[0].split(":")[-1]])
        if len(run) >= 14
    ]


@pytest.mark.parametrize(
    "only",
    [
        ("secrets.none-committed", "secrets.no-insecure-defaults", "secrets.none-in-client", "ops.runbook"),
        pytest.param((), marks=pytest.mark.tools),
    ],
)
def test_no_output_holds_a_value(only: tuple[str, ...], tmp_path: Path) -> None:
    root = leaking_repository(tmp_path / "app")
    report = audit(root, only=only, date="2026-03-01", cache_dir=tmp_path / "cache", workers=1)
    committed = next(outcome for outcome in report.outcomes if outcome.id == "secrets.none-committed")
    assert committed.verdict.value == "fail"
    outputs = {"json": to_json(report).decode(), "html": to_html(report).decode(), "terminal": to_terminal(report)}
    for name, value in FAKES.items():
        for piece in pieces(value):
            for kind, output in outputs.items():
                assert piece not in output, (name, kind)


BODY = "".join(f"{letter}{number}xQ9{letter.lower()}Zk" for number, letter in enumerate("MJKLWERTYUIOPASDFGHJKLZXCVBNM"))
HEAD, FOOT = "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}\n{BODY}\n{FOOT}\n",
        f'KEY = "{HEAD}\\n{BODY}\\n{FOOT}"\n',
        f'KEY = (\n    "{HEAD}\\n"\n    "{BODY[:64]}\\n"\n    "{BODY[64:]}\\n"\n    "{FOOT}"\n)\n',
        f"# {HEAD}\n# {BODY[:64]}\n# {BODY[64:]}\n# {FOOT}\n",
    ],
    ids=["plain", "escaped", "pieces", "comments"],
)
def test_a_private_key_is_known_however_it_is_written(text: str) -> None:
    assert [secret.kind for secret in found_in("shop/keys.py", text)] == ["private-key"]


@pytest.mark.parametrize(
    "behind", ['" rows="5" class="' + BODY, "\n...\n" + FOOT, '" in text:\n' + BODY], ids=["placeholder", "dots", "search"]
)
def test_a_head_without_its_body_is_no_private_key(behind: str) -> None:
    assert not found_in("shop/keys.py", f'placeholder="{HEAD}{behind}"')


def test_a_key_id_in_an_address_is_public_and_in_a_test_a_sample() -> None:
    value = "AKIA" + "J7IODE3ZIX6FGTPA"
    assert [s.certainty for s in found_in("shop/links.py", f'LINK = "https://a.example/?SubscriptionId={value}&tag=x"')] == ["publishable"]
    assert [s.certainty for s in found_in("tests/test_links.py", f'KEY = "{value}"', role=Role.TEST)] == ["test"]
    assert [s.certainty for s in found_in("shop/links.py", f'KEY = "{value}"')] == ["working"]


@pytest.mark.parametrize(
    ("path", "text", "language", "role"),
    [
        ("web/brands.ts", 'OnePassword = "5b1d16a3-8c7e-4a39-b2c1-6e0f9d7a4c28"', Language.TYPESCRIPT, Role.FIRST_PARTY),
        ("web/brands.ts", 'ApplePasswords = "5b1d16a3-8c7e-4a39-b2c1-6e0f9d7a4c28"', Language.TYPESCRIPT, Role.FIRST_PARTY),
        ("shop/log.py", 'API_KEY = r"(sk-[a-zA-Z0-9]{20,48})"', Language.PYTHON, Role.FIRST_PARTY),
        (".codecov.yml", "require_ci_to_pass: true", Language.YAML, Role.CONFIG),
        ("web/manifest.webapp", '"verification_key" : "5b1d16a3-8c7e-4a39-b2c1-6e0f9d7a4c28"', Language.OTHER, Role.ASSET),
        ("node_modules/url/index.js", "// https://user:p%40ssw0rd12@host.org/", Language.JAVASCRIPT, Role.VENDORED),
    ],
)
def test_names_that_only_sound_like_secrets(path: str, text: str, language: Language, role: Role) -> None:
    assert not found_in(path, text, language, role)


def test_a_signing_key_of_a_pipeline_lives_for_one_run() -> None:
    text = f"  SECRET_KEY: {FAKES['hex-key']}"
    assert [s.certainty for s in found_in(".github/workflows/ci.yml", text, Language.YAML, Role.CONFIG)] == ["local"]
    assert [s.certainty for s in found_in("deploy/values.yml", text, Language.YAML, Role.CONFIG)] == ["working"]


def test_a_key_of_a_container_that_a_pipeline_starts_for_one_run_opens_nothing() -> None:
    key = FAKES["private-key-base64"]
    service = f"jobs:\n  test:\n    services:\n      login:\n        image: mock-saml:1\n        env:\n          PRIVATE_KEY: '{key}'\n"
    step = f"jobs:\n  test:\n    steps:\n      - run: make deploy\n        env:\n          PRIVATE_KEY: '{key}'\n"
    found = [found_in(".github/workflows/ci.yml", text, Language.YAML, Role.CONFIG) for text in (service, step)]
    assert [[secret.certainty for secret in secrets] for secrets in found] == [["test"], ["working"]]


def test_a_translated_word_is_no_login_of_a_command_line_tool() -> None:
    text = '{"fields": {"emailuser": "E-Mail", "password": "Passwort"}}\n'
    assert found_in("server/locales/de/auth.json", text, Language.JSON, Role.CONFIG) == []


@pytest.mark.parametrize("password", ["testpwd", "test_password1", "demo-pass", "localtoken"])
def test_words_of_a_trial_are_no_password(password: str) -> None:
    assert is_placeholder(password)
    assert found_in("docs/setup.md", f"Set the hook to https://someone:{password}@hooks.acme.io/in\n", Language.MARKDOWN, Role.DOC) == []


def test_a_key_for_the_own_machine_is_no_key_of_the_product() -> None:
    key = FAKES["rsa-private-key"]
    found = [found_in(path, key, Language.OTHER, Role.CONFIG) for path in ("client/localhost.pem", "deploy/api.acme.io.pem")]
    assert [[secret.certainty for secret in secrets] for secrets in found] == [["local"], ["working"]]
