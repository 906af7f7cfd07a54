"""Credential formats of vendors, by their fixed beginnings. Sources: the vendors' own pages on token formats and secret scanning partner lists.

Each format has literal anchors, so that a file is searched with a pattern only when an anchor occurs in it at all.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from auditor.languages.credentials.match import Match, Strength
from auditor.placeholders import entropy, is_monotonous, is_placeholder

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Format:
    """One format. `verify` tells whether a checksum or an inner structure fits (None: the format has none)."""

    kind: str
    title: str
    anchors: tuple[str, ...]
    pattern: re.Pattern[str]
    verify: Callable[[str], bool] | None = None
    public: bool = False
    note: str = ""
    bits: float = 3.0
    """Least entropy per character of a drawn value."""
    leading: bool = True
    """The value begins with the anchor, so that only these places need to be tried."""


def _checksum_of_github(token: str) -> bool:
    """CRC-32 of the random part in base 62 stands in the last six characters (GitHub and npm tokens)."""
    body = token.split("_", 1)[1]
    number = binascii.crc32(body[:-6].encode())
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    return digits.rjust(6, "0") == body[-6:]


def _discord_id(token: str) -> bool:
    """The first part is the bot's numeric id in base 64."""
    try:
        return base64.b64decode(token.split(".", maxsplit=1)[0] + "==").decode("ascii").isdigit()
    except (binascii.Error, ValueError):
        return False


def _aws_id(token: str) -> bool:
    return bool(re.search(r"\d|[A-Z]{3}", token[4:])) and entropy(token[4:]) > 2.6


def _format(
    kind: str,
    title: str,
    anchors: str,
    pattern: str,
    *,
    verify: Callable[[str], bool] | None = None,
    public: bool = False,
    note: str = "",
    bits: float = 3.0,
    leading: bool = True,
) -> Format:
    edge = r"(?<![A-Za-z0-9_-])" if pattern[0] != "(" or pattern.startswith("(?:") else ""
    return Format(
        kind, title, tuple(anchors.split()), re.compile(f"{edge}(?:{pattern})(?![A-Za-z0-9])"), verify, public, note, bits, leading
    )


FORMATS: tuple[Format, ...] = (
    _format("aws-access-key", "an AWS access key id", "AKIA ASIA", r"(?:AKIA|ASIA)[A-Z2-7]{16}", verify=_aws_id),
    _format("github-token", "a GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9]{36}", verify=_checksum_of_github),
    _format("github-token", "a fine-grained GitHub token", "github_pat_", r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    _format("gitlab-token", "a GitLab token", "glpat- glptt- gldt- glrt- glcbt-", r"gl(?:pat|ptt|dt|rt|cbt)-[A-Za-z0-9_-]{20,60}"),
    _format("slack-token", "a Slack token", "xoxb- xoxp- xoxa- xoxr- xoxs- xoxe- xapp-", r"(?:xox[bpars]-(?:\d{6,14}-){1,3}[A-Za-z0-9]{16,64}|xapp-\d-[A-Z0-9]{8,14}-\d{8,16}-[a-f0-9]{40,80})"),
    _format("slack-webhook", "a Slack webhook", "hooks.slack.com/", r"hooks\.slack\.com/(?:services|workflows)/T[A-Z0-9]{8,12}/[AB][A-Z0-9]{8,12}/[A-Za-z0-9]{20,32}"),
    _format("stripe-key", "a secret key of Stripe or Clerk", "sk_live_ rk_live_ sk_prod_", r"(?:sk|rk)_(?:live|prod)_[A-Za-z0-9]{16,200}"),
    _format("stripe-test-key", "a test-mode secret key of Stripe or Clerk", "sk_test_ rk_test_", r"(?:sk|rk)_test_[A-Za-z0-9]{16,200}", note="it opens the test account only"),
    _format("stripe-webhook-secret", "a webhook signing secret", "whsec_", r"whsec_[A-Za-z0-9+/=]{24,100}"),
    _format("openai-key", "an OpenAI key", "T3BlbkFJ", r"sk-(?:(?:proj|svcacct|admin|None)-)?[A-Za-z0-9_-]{18,90}T3BlbkFJ[A-Za-z0-9_-]{18,90}", verify=lambda _token: True, leading=False),
    _format("openai-key", "an OpenAI key", "sk-proj- sk-svcacct- sk-admin-", r"sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{32,200}"),
    _format("anthropic-key", "an Anthropic key", "sk-ant-", r"sk-ant-(?:(?:api|admin|sid|oat)\d\d-)?[A-Za-z0-9_-]{32,140}"),
    _format("openrouter-key", "an OpenRouter key", "sk-or-", r"sk-or-(?:v1-)?[0-9a-f]{48,64}"),
    _format("openai-key", "a key in OpenAI's form", "sk-", r"sk-[A-Za-z0-9]{32,64}", bits=3.4),
    _format("groq-key", "a Groq key", "gsk_", r"gsk_[A-Za-z0-9]{40,60}"),
    _format("perplexity-key", "a Perplexity key", "pplx-", r"pplx-[A-Za-z0-9]{40,64}"),
    _format("xai-key", "an xAI key", "xai-", r"xai-[A-Za-z0-9]{60,100}"),
    _format("replicate-key", "a Replicate token", "r8_", r"r8_[A-Za-z0-9]{37}"),
    _format("huggingface-token", "a Hugging Face token", "hf_", r"hf_[A-Za-z0-9]{34,40}", bits=3.6),
    _format("tavily-key", "a Tavily key", "tvly-", r"tvly-(?:dev-|prod-)?[A-Za-z0-9]{28,48}"),
    _format("elevenlabs-key", "an ElevenLabs key", "sk_", r"sk_[0-9a-f]{48}"),
    _format("langsmith-key", "a LangSmith key", "lsv2_", r"lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}"),
    _format("pinecone-key", "a Pinecone key", "pcsk_", r"pcsk_[A-Za-z0-9_]{50,90}"),
    _format("twilio-key", "a Twilio key", "SK", r"SK[0-9a-f]{32}", bits=2.8),
    _format("sendgrid-key", "a SendGrid key", "SG.", r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    _format("mailgun-key", "a Mailgun key", "key-", r"key-[0-9a-f]{32}"),
    _format("mailchimp-key", "a Mailchimp key", "-us", r"[0-9a-f]{32}-us\d{1,2}", leading=False),
    _format("brevo-key", "a Brevo key", "xkeysib- xsmtpsib-", r"x(?:key|smtp)sib-[0-9a-f]{64}-[A-Za-z0-9]{16}"),
    _format("resend-key", "a Resend key", "re_", r"re_[A-Za-z0-9]{6,10}_[A-Za-z0-9]{20,30}", bits=3.6),
    _format("npm-token", "an npm token", "npm_", r"npm_[A-Za-z0-9]{36}", verify=_checksum_of_github),
    _format("pypi-token", "a PyPI upload token", "pypi-AgE", r"pypi-AgE[A-Za-z0-9_-]{50,300}", verify=lambda _token: True),
    _format("telegram-token", "a Telegram bot token", ":AA", r"\d{8,11}:AA[A-Za-z0-9_-]{33}", leading=False),
    _format("discord-token", "a Discord bot token", "iscord DISCORD", r"[MNO][A-Za-z\d_-]{23,27}\.[A-Za-z\d_-]{6}\.[A-Za-z\d_-]{27,40}", verify=_discord_id, leading=False),
    _format("discord-webhook", "a Discord webhook", "discord.com/api/webhooks/ discordapp.com/api/webhooks/", r"(?:discord|discordapp)\.com/api/webhooks/\d{17,20}/[A-Za-z0-9_-]{60,80}"),
    _format("google-oauth-secret", "a Google OAuth client secret", "GOCSPX-", r"GOCSPX-[A-Za-z0-9_-]{24,32}"),
    _format("google-oauth-token", "a Google OAuth token", "ya29. 1//0", r"(?:ya29\.[A-Za-z0-9_-]{40,300}|1//0[A-Za-z0-9_-]{40,120})"),
    _format("google-api-key", "a Google API key", "AIza", r"AIza[A-Za-z0-9_-]{35}"),
    _format("azure-storage-key", "an Azure storage or service bus key", "AccountKey= SharedAccessKey=", r"(?:Account|SharedAccess)Key=[A-Za-z0-9+/]{40,90}={0,2}", verify=lambda token: len(token) > 50),
    _format("azure-client-secret", "an Azure client secret", "Q~", r"[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}", bits=3.6, leading=False),
    _format("supabase-secret", "a Supabase secret key or access token", "sb_secret_ sbp_", r"(?:sb_secret_[A-Za-z0-9_-]{20,60}|sbp_(?:v0_)?[0-9a-f]{40})"),
    _format("supabase-publishable", "a Supabase publishable key", "sb_publishable_", r"sb_publishable_[A-Za-z0-9_-]{20,60}", public=True),
    _format("stripe-publishable", "a Stripe or Clerk publishable key", "pk_live_ pk_test_", r"pk_(?:live|test)_[A-Za-z0-9=$]{16,200}", public=True),
    _format("mapbox-public-token", "a Mapbox public token", "pk.eyJ", r"pk\.eyJ[A-Za-z0-9_-]{20,120}\.[A-Za-z0-9_-]{20,40}", public=True),
    _format("mapbox-secret-token", "a Mapbox secret token", "sk.eyJ", r"sk\.eyJ[A-Za-z0-9_-]{20,120}\.[A-Za-z0-9_-]{20,40}"),
    _format("digitalocean-token", "a DigitalOcean token", "dop_v1_ doo_v1_ dor_v1_", r"do[opr]_v1_[0-9a-f]{64}"),
    _format("doppler-token", "a Doppler token", "dp.pt. dp.st. dp.ct.", r"dp\.(?:pt|st|ct)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}"),
    _format("databricks-token", "a Databricks token", "dapi", r"dapi[0-9a-f]{32}(?:-\d)?"),
    _format("fly-token", "a Fly.io token", "FlyV1 fm2_", r"fm2_[A-Za-z0-9+/=]{60,1000}"),
    _format("vault-token", "a Vault token", "hvs. hvb.", r"hv[sb]\.[A-Za-z0-9_-]{24,200}"),
    _format("netlify-token", "a Netlify token", "nfp_", r"nfp_[A-Za-z0-9]{36,40}"),
    _format("vercel-token", "a Vercel Blob token", "vercel_blob_rw_", r"vercel_blob_rw_[A-Za-z0-9]{16}_[A-Za-z0-9]{30}"),
    _format("linear-key", "a Linear key", "lin_api_", r"lin_api_[A-Za-z0-9]{40}"),
    _format("notion-token", "a Notion token", "ntn_ secret_", r"(?:ntn_[A-Za-z0-9]{40,50}|secret_[A-Za-z0-9]{43})", bits=3.6),
    _format("airtable-token", "an Airtable token", "pat", r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}"),
    _format("shopify-token", "a Shopify token", "shpat_ shpca_ shppa_ shpss_", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    _format("square-token", "a Square token", "sq0atp- sq0csp- EAAA", r"(?:sq0atp-[A-Za-z0-9_-]{22}|sq0csp-[A-Za-z0-9_-]{43}|EAAA[A-Za-z0-9_-]{60})"),
    _format("facebook-token", "a Facebook access token", "EAA", r"EAA[A-Za-z0-9]{120,400}"),
    _format("sentry-token", "a Sentry auth token", "sntrys_ sntryu_", r"sntry[su]_[A-Za-z0-9+/=_]{60,300}"),
    _format("posthog-project-key", "a PostHog project key", "phc_", r"phc_[A-Za-z0-9]{40,50}", public=True),
    _format("posthog-key", "a PostHog personal key", "phx_", r"phx_[A-Za-z0-9]{40,50}"),
    _format("docker-token", "a Docker Hub token", "dckr_pat_", r"dckr_pat_[A-Za-z0-9_-]{27}"),
    _format("planetscale-token", "a PlanetScale password or token", "pscale_", r"pscale_(?:pw|tkn|oauth)_[A-Za-z0-9_.-]{32,64}"),
    _format("neon-password", "a Neon database password", "npg_", r"npg_[A-Za-z0-9]{10,24}"),
    _format("atlassian-token", "an Atlassian token", "ATATT3", r"ATATT3[A-Za-z0-9_=-]{60,250}"),
    _format("newrelic-key", "a New Relic key", "NRAK-", r"NRAK-[A-Z0-9]{27}"),
    _format("grafana-token", "a Grafana token", "glsa_ glc_", r"(?:glsa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8}|glc_[A-Za-z0-9+/=]{40,400})"),
    _format("age-key", "an age private key", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}", verify=lambda _token: True),
    _format("firebase-server-key", "a Firebase server key", ":APA91b", r"AAAA[A-Za-z0-9_-]{7}:APA91b[A-Za-z0-9_-]{100,160}", leading=False),
    _format("postman-key", "a Postman key", "PMAK-", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    _format("rubygems-key", "a RubyGems key", "rubygems_", r"rubygems_[0-9a-f]{48}"),
    _format("razorpay-key", "a Razorpay key id", "rzp_live_ rzp_test_", r"rzp_(?:live|test)_[A-Za-z0-9]{14}", public=True),
)  # fmt: skip

_BROWSER_KEY = re.compile(
    r"authDomain|storageBucket|messagingSenderId|firebase|maps\.google|google_?maps|mobilesdk_app_id|GOOGLE_APP_ID|REVERSED_CLIENT_ID",
    re.IGNORECASE,
)
_PAID_KEY = re.compile(r"gemini|genai|generative|palm|vertex|youtube|translate|server", re.IGNORECASE)
_DOCUMENTED = re.compile(
    r"EXAMPLE|4eC39HqLyjWDarjtT1zdp7dc|BQokikJOvBiI2HlWgH4olfQ2|Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsu", re.IGNORECASE
)
"""Parts of the sample keys of AWS, Stripe and the Azure storage emulator that stand in everybody's documentation."""


_IN_ADDRESS = re.compile(r"(?:[?&]|&amp;|u0026)[\w-]{2,40}=\Z")
"""What stands before the value of a parameter of an address: signed addresses name the key id, never the key."""


def vendor_matches(text: str) -> Iterator[Match]:
    """Every value in `text` that has the form of a vendor's credential and is no stand-in."""
    for form in FORMATS:
        for anchor in form.anchors:
            if anchor in text:
                for found in _leading(form, anchor, text) if form.leading else form.pattern.finditer(text):
                    yield from _judged(form, found)


def _leading(form: Format, anchor: str, text: str) -> Iterator[re.Match[str]]:
    """Matches that begin at an occurrence of the anchor: trying these places is far quicker than searching the text."""
    position = text.find(anchor)
    while position >= 0:
        found = form.pattern.match(text, position)
        if found:
            yield found
        position = text.find(anchor, found.end() if found else position + len(anchor))


def _judged(form: Format, found: re.Match[str]) -> Iterator[Match]:
    value = found[0]
    if _DOCUMENTED.search(value) or _is_filler(form, value):
        return
    fits = form.verify is None or form.verify(value)
    if form.verify in {_discord_id, _aws_id} and not fits:
        return
    proven = fits and form.verify not in {None, _aws_id}  # an access key id is letters and digits only: any text may hold such a run
    reason = f"it has the form of {form.title}"
    if form.verify is _checksum_of_github and not proven:
        reason += ", though its checksum does not fit"
    elif form.note:
        reason += f"; {form.note}"
    public = form.public
    if form.verify is _aws_id and _IN_ADDRESS.search(found.string, max(0, found.start() - 60), found.start()):
        public, reason = True, "it is the public half of an AWS key pair, in the address of a request"
    if form.kind == "google-api-key" and _for_browsers(found):
        public, reason = True, "it is the key of a Firebase or Maps page, which is made to be published and restricted"
    strength = Strength.PROVEN if proven else Strength.FORMAT
    yield Match(form.kind, found.start(), found.end(), value, strength, reason, public=public)


def _for_browsers(found: re.Match[str]) -> bool:
    """Google's keys look the same for pages and for paid services; the neighbouring entries tell them apart."""
    around = found.string[max(0, found.start() - 300) : found.end() + 300]
    return bool(_BROWSER_KEY.search(around)) and not _PAID_KEY.search(found.string[max(0, found.start() - 60) : found.start()])


def _is_filler(form: Format, value: str) -> bool:
    """Stand-ins such as `ghp_xxxxxxxx`, `sk-proj-your-key-here`, `AKIA1234567890123456`, and words written with dashes."""
    body = value
    for anchor in form.anchors:
        if value.startswith(anchor):
            body = value[len(anchor) :]
    if is_monotonous(body) or is_placeholder(body):
        return True
    longest = re.split(r"[./:_=-]", body)
    if len(longest) >= 4 and all(part.isalpha() and part.islower() for part in longest if part):
        return True
    return entropy(max(longest, key=len)) < form.bits
