"""Dummy credentials by name, put together when the tests run, so that no scanner (ours included) sees one in this repository.

None of them opens anything: the random parts are digests of a constant text. Fixtures name them as `@@FAKE:name@@`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json

LOWER_HEX = "0123456789abcdef"
UPPER_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
DIGITS = "123456789"


def drawn(seed: str, length: int, alphabet: str = BASE62) -> str:
    """`length` characters of `alphabet` that look drawn at random, the same in every run."""
    stream = b"".join(hashlib.sha512(f"dummy {seed} {block}".encode()).digest() for block in range(length // 64 + 1))
    return "".join(alphabet[byte % len(alphabet)] for byte in stream[:length])


def with_checksum(prefix: str, seed: str) -> str:
    """A token as GitHub and npm make them: the last six characters are the CRC-32 of the rest, in base 62."""
    body = drawn(seed, 30)
    number, digits = binascii.crc32(body.encode()), ""
    while number:
        number, rest = divmod(number, 62)
        digits = BASE62[rest] + digits
    return prefix + body + digits.rjust(6, "0")


def token(payload: dict, seed: str) -> str:
    """A JSON web token with a made-up signature."""
    parts = [json.dumps({"alg": "HS256", "typ": "JWT"}), json.dumps(payload)]
    encoded = [base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, drawn(seed, 43)])


def armoured(label: str, seed: str) -> str:
    """A private key block whose body is no key."""
    body = base64.b64encode(drawn(seed, 600).encode()).decode()
    lines = [body[start : start + 64] for start in range(0, len(body), 64)]
    dashes = "-" * 5
    return "\n".join([f"{dashes}BEGIN {label}{dashes}", *lines, f"{dashes}END {label}{dashes}"])


def address(scheme: str, user: str, password: str, host: str) -> str:
    """A connection string with a password in it."""
    return scheme + "://" + user + ":" + password + "@" + host


_PROJECT = "hkqzvbnmwsxedcrfvtgb"
_EXPIRES = 4_102_444_800

FAKES: dict[str, str] = {
    "aws-access-key": "AK" + "IA" + drawn("aws id", 16, UPPER_BASE32),
    "aws-secret-key": drawn("aws secret", 40),
    "github-token": with_checksum("gh" + "p_", "github"),
    "github-token-odd-checksum": "gh" + "p_" + drawn("github odd", 36),
    "github-fine-grained": "github" + "_pat_" + drawn("github fine a", 22) + "_" + drawn("github fine b", 59),
    "gitlab-token": "gl" + "pat-" + drawn("gitlab", 20),
    "slack-token": "xo" + "xb-" + drawn("slack a", 12, DIGITS) + "-" + drawn("slack b", 12, DIGITS) + "-" + drawn("slack c", 24),
    "slack-webhook": "https://hooks." + "slack.com/services/T" + drawn("hook a", 9, UPPER_BASE32) + "/B" + drawn("hook b", 9, UPPER_BASE32) + "/" + drawn("hook c", 24),
    "stripe-key": "sk" + "_live_" + drawn("stripe", 40),
    "stripe-test-key": "sk" + "_test_" + drawn("stripe test", 40),
    "stripe-webhook-secret": "wh" + "sec_" + drawn("stripe hook", 32),
    "stripe-publishable": "pk" + "_live_" + drawn("stripe public", 40),
    "openai-key": "sk-" + "proj-" + drawn("openai a", 74) + "T3Blbk" + "FJ" + drawn("openai b", 74),
    "openai-legacy-key": "sk-" + drawn("openai old a", 20) + "T3Blbk" + "FJ" + drawn("openai old b", 20),
    "anthropic-key": "sk-" + "ant-api03-" + drawn("anthropic", 93) + "AA",
    "openrouter-key": "sk-" + "or-v1-" + drawn("openrouter", 64, LOWER_HEX),
    "groq-key": "gs" + "k_" + drawn("groq", 52),
    "perplexity-key": "pp" + "lx-" + drawn("perplexity", 48),
    "xai-key": "xa" + "i-" + drawn("xai", 80),
    "replicate-key": "r" + "8_" + drawn("replicate", 37),
    "huggingface-token": "h" + "f_" + drawn("hugging", 34),
    "tavily-key": "tv" + "ly-" + drawn("tavily", 32),
    "elevenlabs-key": "s" + "k_" + drawn("eleven", 48, LOWER_HEX),
    "langsmith-key": "ls" + "v2_pt_" + drawn("langsmith a", 32, LOWER_HEX) + "_" + drawn("langsmith b", 10, LOWER_HEX),
    "pinecone-key": "pc" + "sk_" + drawn("pinecone", 70),
    "twilio-key": "S" + "K" + drawn("twilio", 32, LOWER_HEX),
    "sendgrid-key": "S" + "G." + drawn("sendgrid a", 22) + "." + drawn("sendgrid b", 43),
    "mailgun-key": "ke" + "y-" + drawn("mailgun", 32, LOWER_HEX),
    "mailchimp-key": drawn("mailchimp", 32, LOWER_HEX) + "-u" + "s14",
    "brevo-key": "xkey" + "sib-" + drawn("brevo a", 64, LOWER_HEX) + "-" + drawn("brevo b", 16),
    "resend-key": "r" + "e_" + drawn("resend a", 8) + "_" + drawn("resend b", 24),
    "npm-token": with_checksum("np" + "m_", "npm"),
    "pypi-token": "py" + "pi-AgEIcHlwaS5vcmc" + drawn("pypi", 150),
    "telegram-token": drawn("telegram a", 10, DIGITS) + ":A" + "A" + drawn("telegram b", 33),
    "discord-token": base64.b64encode(drawn("discord a", 19, DIGITS).replace("9", "1").encode()).decode().rstrip("=").replace("+", "x") + "." + drawn("discord b", 6) + "." + drawn("discord c", 38),
    "discord-webhook": "https://discord" + ".com/api/webhooks/" + drawn("discord hook a", 18, DIGITS) + "/" + drawn("discord hook b", 68),
    "google-oauth-secret": "GO" + "CSPX-" + drawn("google oauth", 28),
    "google-oauth-token": "ya" + "29." + drawn("google token", 120),
    "google-api-key": "AI" + "za" + drawn("google api", 35),
    "azure-storage-key": "Account" + "Key=" + drawn("azure storage", 86) + "==",
    "azure-client-secret": drawn("azure a", 3) + "8" + "Q~" + drawn("azure b", 34),
    "supabase-secret": "sb" + "_secret_" + drawn("supabase secret", 30),
    "supabase-publishable": "sb" + "_publishable_" + drawn("supabase public", 30),
    "mapbox-public-token": "pk." + "eyJ1Ijoi" + drawn("mapbox a", 40) + "." + drawn("mapbox b", 22),
    "mapbox-secret-token": "sk." + "eyJ1Ijoi" + drawn("mapbox c", 40) + "." + drawn("mapbox d", 22),
    "digitalocean-token": "do" + "p_v1_" + drawn("ocean", 64, LOWER_HEX),
    "doppler-token": "dp" + ".pt." + drawn("doppler", 43),
    "databricks-token": "da" + "pi" + drawn("databricks", 32, LOWER_HEX),
    "fly-token": "fm" + "2_" + drawn("fly", 200),
    "vault-token": "hv" + "s." + drawn("vault", 95),
    "netlify-token": "nf" + "p_" + drawn("netlify", 36),
    "vercel-token": "vercel" + "_blob_rw_" + drawn("vercel a", 16) + "_" + drawn("vercel b", 30),
    "linear-key": "lin" + "_api_" + drawn("linear", 40),
    "notion-token": "nt" + "n_" + drawn("notion", 46),
    "airtable-token": "pa" + "t" + drawn("airtable a", 14) + "." + drawn("airtable b", 64, LOWER_HEX),
    "shopify-token": "shp" + "at_" + drawn("shopify", 32, LOWER_HEX),
    "square-token": "sq0" + "atp-" + drawn("square", 22),
    "facebook-token": "EA" + "A" + drawn("facebook", 180),
    "sentry-token": "sn" + "trys_" + drawn("sentry", 120),
    "posthog-key": "ph" + "x_" + drawn("posthog", 43),
    "posthog-project-key": "ph" + "c_" + drawn("posthog project", 43),
    "docker-token": "dckr" + "_pat_" + drawn("docker", 27),
    "planetscale-token": "pscale" + "_pw_" + drawn("planetscale", 43),
    "neon-password": "np" + "g_" + drawn("neon", 12),
    "atlassian-token": "ATA" + "TT3xFfGF0" + drawn("atlassian", 180),
    "newrelic-key": "NR" + "AK-" + drawn("newrelic", 27, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
    "grafana-token": "gl" + "sa_" + drawn("grafana a", 32) + "_" + drawn("grafana b", 8, LOWER_HEX),
    "age-key": "AGE-SECRET" + "-KEY-1" + drawn("age", 58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"),
    "firebase-server-key": "AAAA" + drawn("firebase a", 7) + ":APA" + "91b" + drawn("firebase b", 134),
    "postman-key": "PM" + "AK-" + drawn("postman a", 24, LOWER_HEX) + "-" + drawn("postman b", 34, LOWER_HEX),
    "rubygems-key": "ruby" + "gems_" + drawn("rubygems", 48, LOWER_HEX),
    "aws-bedrock-key": "AB" + "SK" + drawn("bedrock", 128),
    "alibaba-key": "LT" + "AI" + drawn("alibaba", 20),
    "gcp-hmac-key": "GO" + "OG1E" + drawn("gcp hmac", 55, UPPER_BASE32),
    "azure-service-key": drawn("azure ai a", 52) + "JQ" + "QJ99" + drawn("azure ai b", 26),
    "azure-devops-token": drawn("devops a", 76) + "AZ" + "DO" + drawn("devops b", 4),
    "azure-signature": "https://acmeshop.blob.core.windows.net/exports?sp=racwdl&st=2024-01-01&se=2099-01-01&spr=https&sv=2022-11-02&sr=c&s" + "ig=" + drawn("sas", 43) + "%3D",
    "cloudflare-origin-key": "v1" + ".0-" + drawn("origin a", 24, LOWER_HEX) + "-" + drawn("origin b", 146, LOWER_HEX),
    "heroku-key": "HR" + "KU-" + drawn("heroku", 60),
    "render-key": "rn" + "d_" + drawn("render", 32),
    "neon-key": "na" + "pi_" + drawn("neon key", 64, "abcdefghijklmnopqrstuvwxyz0123456789"),
    "terraform-token": drawn("terraform a", 14) + ".atlas" + "v1." + drawn("terraform b", 67),
    "pulumi-token": "pu" + "l-" + drawn("pulumi", 40, LOWER_HEX),
    "tailscale-key": "ts" + "key-auth-" + drawn("tailscale a", 14) + "-" + drawn("tailscale b", 32),
    "dynatrace-token": "dt" + "0c01." + drawn("dynatrace a", 24, UPPER_BASE32) + "." + drawn("dynatrace b", 64, UPPER_BASE32),
    "sonar-token": "sq" + "p_" + drawn("sonar", 40, LOWER_HEX),
    "circleci-token": "CCI" + "PAT_" + drawn("circle a", 22) + "_" + drawn("circle b", 40, LOWER_HEX),
    "buildkite-token": "bk" + "ua_" + drawn("buildkite", 40, LOWER_HEX),
    "bitbucket-token": "AT" + "BB" + drawn("bitbucket a", 24) + drawn("bitbucket b", 8, "0123456789ABCDEF"),
    "artifactory-key": "AK" + "Cp" + drawn("artifactory", 69),
    "nuget-key": "oy" + "2" + drawn("nuget", 43, "abcdefghijklmnopqrstuvwxyz0123456789"),
    "crates-token": "ci" + "o" + drawn("crates", 32),
    "cerebras-key": "cs" + "k-" + drawn("cerebras", 48, "abcdefghijklmnopqrstuvwxyz0123456789"),
    "nvidia-key": "nv" + "api-" + drawn("nvidia", 64),
    "together-key": "tg" + "p_v1_" + drawn("together", 43),
    "fireworks-key": "f" + "w_" + drawn("fireworks", 24),
    "jina-key": "ji" + "na_" + drawn("jina a", 32, LOWER_HEX) + drawn("jina b", 28),
    "firecrawl-key": "f" + "c-" + drawn("firecrawl", 32, LOWER_HEX),
    "langfuse-key": "sk-" + "lf-" + drawn("langfuse a", 8, LOWER_HEX) + "-4a1f-9b3c-8d2e-" + drawn("langfuse b", 12, LOWER_HEX),
    "e2b-key": "e2" + "b_" + drawn("e2b", 40, LOWER_HEX),
    "wandb-key": "wandb" + "_v1_" + drawn("wandb", 77),
    "hubspot-token": "pat" + "-na1-" + drawn("hubspot a", 8, LOWER_HEX) + "-4a1f-9b3c-8d2e-" + drawn("hubspot b", 12, LOWER_HEX),
    "figma-token": "fi" + "gd_" + drawn("figma", 43),
    "typeform-token": "tf" + "p_" + drawn("typeform", 44),
    "contentful-token": "CF" + "PAT-" + drawn("contentful", 43),
    "dropbox-token": "s" + "l." + drawn("dropbox", 140),
    "salesforce-token": "00" + "D" + drawn("salesforce a", 12) + "!" + drawn("salesforce b", 96),
    "plaid-token": "access" + "-production-" + drawn("plaid a", 8, LOWER_HEX) + "-4a1f-9b3c-8d2e-" + drawn("plaid b", 12, LOWER_HEX),
    "braintree-token": "access_token" + "$production$" + drawn("braintree a", 16, "abcdefghijklmnopqrstuvwxyz0123456789") + "$" + drawn("braintree b", 32, LOWER_HEX),
    "flutterwave-key": "FLW" + "SECK-" + drawn("flutterwave", 32, LOWER_HEX) + "-X",
    "mercadopago-token": "APP" + "_USR-" + drawn("mercado a", 16, DIGITS) + "-112233-" + drawn("mercado b", 32, LOWER_HEX) + "-" + drawn("mercado c", 9, DIGITS),
    "xendit-key": "xnd" + "_production_" + drawn("xendit", 56),
    "paddle-key": "pdl_live" + "_apikey_" + drawn("paddle a", 26, "abcdefghijklmnopqrstuvwxyz0123456789") + "_" + drawn("paddle b", 22) + "_" + drawn("paddle c", 3),
    "polar-token": "polar" + "_oat_" + drawn("polar", 44),
    "duffel-token": "duffel" + "_live_" + drawn("duffel", 43),
    "shippo-token": "shippo" + "_live_" + drawn("shippo", 40, LOWER_HEX),
    "easypost-key": "EZ" + "AK" + drawn("easypost", 54),
    "mailersend-token": "ml" + "sn." + drawn("mailersend", 64, LOWER_HEX),
    "telnyx-key": "KE" + "Y0" + drawn("telnyx a", 31, "0123456789ABCDEF") + "_" + drawn("telnyx b", 22),
    "1password-token": "op" + "s_" + base64.b64encode(json.dumps({"signInAddress": "acme.1password.eu", "key": drawn("onepassword", 150)}).encode()).decode().rstrip("="),
    "inngest-key": "sign" + "key-prod-" + drawn("inngest", 64, LOWER_HEX),
    "trigger-key": "tr" + "_prod_" + drawn("trigger", 24),
    "prefect-key": "pn" + "u_" + drawn("prefect", 36),
    "adafruit-key": "ai" + "o_" + drawn("adafruit", 28),
    "twitter-token": "A" * 22 + drawn("twitter", 80),
    "nostr-key": "ns" + "ec1" + drawn("nostr", 58, "acdefghjklmnpqrstuvwxyz023456789"),
    "private-key-base64": base64.b64encode(armoured("PRIVATE" + " KEY", "base64 key").encode()).decode(),
    "putty-key": "PuTTY-User" + "-Key-File-3: ssh-ed25519\nEncryption: none\nComment: deploy\nPublic-Lines: 1\n" + drawn("putty public", 64) + "\nPrivate-Lines: 2\n" + drawn("putty a", 64) + "\n" + drawn("putty b", 44) + "\nPrivate-MAC: " + drawn("putty mac", 64, LOWER_HEX),
    "openvpn-key": "-" * 5 + "BEGIN OpenVPN " + "Static key V1" + "-" * 5 + "\n" + "\n".join(drawn(f"openvpn {line}", 32, LOWER_HEX) for line in range(16)),
    "crypt-hash": "$6$" + drawn("crypt salt", 16) + "$" + drawn("crypt", 86),
    "razorpay-key": "rzp" + "_live_" + drawn("razorpay", 14),
    "jwt": token({"sub": "acct_81f3c", "scope": "admin", "iat": 1_700_000_000, "exp": _EXPIRES}, "jwt"),
    "jwt-expired": token({"sub": "acct_81f3c", "scope": "admin", "iat": 1_600_000_000, "exp": 1_600_003_600}, "jwt old"),
    "jwt-anon": token({"iss": "supabase", "ref": _PROJECT, "role": "anon", "iat": 1_700_000_000, "exp": _EXPIRES}, "jwt anon"),
    "jwt-service-role": token({"iss": "supabase", "ref": _PROJECT, "role": "service" + "_role", "iat": 1_700_000_000, "exp": _EXPIRES}, "jwt service"),
    "private-key": armoured("PRIVATE" + " KEY", "pkcs8"),
    "rsa-private-key": armoured("RSA PRIVATE" + " KEY", "rsa"),
    "openssh-private-key": armoured("OPENSSH PRIVATE" + " KEY", "openssh"),
    "encrypted-private-key": armoured("ENCRYPTED PRIVATE" + " KEY", "encrypted"),
    "private-key-one-line": armoured("PRIVATE" + " KEY", "one line").replace("\n", "\\n") + "\\n",
    "gcp-service-account": json.dumps(
        {
            "type": "service" + "_account",
            "project_id": "shop-prod-4711",
            "private_key_id": drawn("gcp id", 40, LOWER_HEX),
            "private_key": armoured("PRIVATE" + " KEY", "gcp") + "\n",
            "client_email": "robot@shop-prod-4711.iam.gserviceaccount.com",
        },
        indent=2,
    ),
    "connection-string": address("postgresql", "app_owner", drawn("database", 16), "db-1.c9akq.eu-central-1.rds.amazonaws.com:5432/shop"),
    "connection-string-mongodb": address("mongodb+srv", "app_owner", drawn("mongo", 16), "cluster0.x7rq2.mongodb.net/shop"),
    "connection-string-redis": address("rediss", "default", drawn("redis", 32), "eu1-calm-fox-38291.upstash.io:6379"),
    "connection-string-with-at": address("mongodb+srv", "shop", "Ki7" + "@" + "x9Qm2", "cluster1.k3x9a.mongodb.net/shop"),
    "connection-string-local": address("postgresql", "shop", "sh" + "op", "localhost:5432/shop"),
    "url-password": address("https", "deploy", drawn("git password", 24), "git.acme-shop.de/acme/shop.git"),
    "password": "Wint" + "er!" + "Reifen" + "77",
    "random-password": drawn("random password", 20),
    "hex-key": drawn("hex key", 32, LOWER_HEX),
    "api-key": drawn("api key", 40),
    "signing-key": drawn("signing key", 50),
    "basic-auth": base64.b64encode(("reporter:" + drawn("basic", 14)).encode()).decode(),
    "bearer-token": drawn("bearer", 44),
    "mail-app-password": " ".join(drawn(f"mail {part}", 4, "abcdefghijklmnopqrstuvwxyz") for part in "abcd"),
    "password-hash": "$2" + "b$12$" + drawn("hash", 53),
    "base64-password": base64.b64encode(drawn("kubernetes", 22).encode()).decode(),
    "uuid-key": "-".join(drawn(f"uuid {part}", length, LOWER_HEX) for part, length in zip("abcde", (8, 4, 4, 4, 12), strict=True)),
}  # fmt: skip
"""Name of the kind -> the dummy. Names follow `Secret.kind` where there is one of the same name."""
