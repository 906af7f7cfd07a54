"""The table of vendors' credential formats, each with its fixed beginning and, where it has one, the proof of its inner structure.

Sources: the vendors' own pages on token formats and the patterns they give to secret scanning programs. `vendors` applies the table.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass

from auditor.placeholders import entropy

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Format:
    """One format. `verify` tells whether a checksum or an inner structure fits (None: the format has none).

    `strict`: a value whose structure does not fit is something else. `proves`: a structure that fits is hardly met by chance.
    """

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
    strict: bool = False
    proves: bool = True
    beside: bool = False
    """The anchor is no part of the value: a word that must occur somewhere in the text."""


def checksum_of_github(token: str) -> bool:
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


def _azure_key(pair: str) -> bool:
    """Storage and Cosmos accounts have keys of 64 bytes, service buses of 32 or 36."""
    try:
        return len(base64.b64decode(pair.split("=", 1)[1])) in {32, 36, 64}
    except (binascii.Error, ValueError):
        return False


def _pypi_macaroon(token: str) -> bool:
    """A macaroon of the second format whose place is pypi.org or the test index."""
    try:
        head = base64.urlsafe_b64decode(token.removeprefix("pypi-")[:32] + "==")
    except (binascii.Error, ValueError):
        return False
    return head[:2] == b"\x02\x01" and b"pypi.org" in head


def _decodes_to_json(token: str) -> bool:
    """Whether the part after the first underscore begins with JSON in base 64."""
    try:
        return base64.b64decode(token.split("_", 1)[1][:8]).startswith((b'{"', b"{ "))
    except (binascii.Error, ValueError):
        return False


def aws_id(token: str) -> bool:
    """Whether the part after the prefix is drawn: an access key id is letters and digits only, and any text may hold such a run."""
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
    strict: bool = False,
    proves: bool = True,
    beside: bool = False,
) -> Format:
    edge = r"(?<![A-Za-z0-9_-])" if pattern[0] != "(" or pattern.startswith("(?:") else ""
    return Format(
        kind,
        title,
        tuple(anchors.split()),
        re.compile(f"{edge}(?:{pattern})(?![A-Za-z0-9])"),
        verify,
        public,
        note,
        bits,
        leading,
        strict,
        proves,
        beside,
    )


FORMATS: tuple[Format, ...] = (
    _format("aws-access-key", "an AWS access key id", "AKIA ASIA", r"(?:AKIA|ASIA)[A-Z2-7]{16}", verify=aws_id, strict=True, proves=False),
    _format("github-token", "a GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9]{36}", verify=checksum_of_github),
    _format("github-token", "a fine-grained GitHub token", "github_pat_", r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    _format("gitlab-token", "a GitLab token", "glpat- glptt- gldt- glrt- glcbt- gloas- glsoat- glagent- glimt- glft- GR1348941", r"(?:gl(?:pat|ptt|dt|rt|cbt|oas|soat|agent|imt|ft)-[A-Za-z0-9_-]{20,64}(?:\.[0-9a-z]{2}\.[0-9a-z]{7,9})?|GR1348941[A-Za-z0-9_-]{20})"),
    _format("slack-token", "a Slack token", "xoxb- xoxp- xoxa- xoxr- xoxs- xoxe xoxd- xapp-", r"(?:xox[bpars]-(?:\d{6,14}-){1,3}[A-Za-z0-9]{16,64}|xapp-\d-[A-Z0-9]{8,14}-\d{8,16}-[a-f0-9]{40,80}|xoxe(?:\.xox[bp])?-\d-[A-Za-z0-9]{100,200}|xoxd-[A-Za-z0-9%+/=]{60,300})"),
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
    _format("npm-token", "an npm token", "npm_", r"npm_[A-Za-z0-9]{36}", verify=checksum_of_github),
    _format("pypi-token", "a PyPI upload token", "pypi-AgE", r"pypi-AgE[A-Za-z0-9_-]{50,300}", verify=_pypi_macaroon),
    _format("telegram-token", "a Telegram bot token", ":AA", r"\d{8,11}:AA[A-Za-z0-9_-]{33}", leading=False),
    _format("discord-token", "a Discord bot token", "iscord DISCORD", r"[MNO][A-Za-z\d_-]{23,27}\.[A-Za-z\d_-]{6}\.[A-Za-z\d_-]{27,40}", verify=_discord_id, strict=True, leading=False, beside=True),
    _format("discord-webhook", "a Discord webhook", "discord.com/api/webhooks/ discordapp.com/api/webhooks/", r"(?:discord|discordapp)\.com/api/webhooks/\d{17,20}/[A-Za-z0-9_-]{60,80}"),
    _format("google-oauth-secret", "a Google OAuth client secret", "GOCSPX-", r"GOCSPX-[A-Za-z0-9_-]{24,32}"),
    _format("google-oauth-token", "a Google OAuth token", "ya29. 1//0", r"(?:ya29\.[A-Za-z0-9_-]{40,300}|1//0[A-Za-z0-9_-]{40,120})"),
    _format("google-api-key", "a Google API key", "AIza", r"AIza[A-Za-z0-9_-]{35}"),
    _format("azure-storage-key", "an Azure storage or service bus key", "AccountKey= SharedAccessKey=", r"(?:Account|SharedAccess)Key=[A-Za-z0-9+/]{40,90}={0,2}", verify=_azure_key),
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
    _format("sentry-token", "a Sentry auth token", "sntrys_ sntryu_", r"sntry[su]_[A-Za-z0-9+/=_]{60,300}", verify=_decodes_to_json),
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
    _format("aws-bedrock-key", "an AWS Bedrock key", "ABSK", r"ABSK[A-Za-z0-9+/]{109,269}={0,2}"),
    _format("alibaba-key", "an Alibaba Cloud access key id", "LTAI", r"LTAI[A-Za-z0-9]{16,24}", verify=aws_id, strict=True, proves=False),
    _format("gcp-hmac-key", "an access key id of Google Cloud Storage", "GOOG1E", r"GOOG1E[A-Z2-7]{55}"),
    _format("azure-service-key", "a key of an Azure service", "JQQJ99 +ASt +ACR AzFu AzSe", r"(?:[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{26}|[A-Za-z0-9+/]{76}\+ASt[A-Za-z0-9+/]{6}==|[A-Za-z0-9+/]{42}\+ACR[A-Za-z0-9]{6}|[A-Za-z0-9_-]{44}AzFu[A-Za-z0-9_-]{5}[AQgw]=?=?|[A-Za-z0-9]{42}AzSe[A-D][A-Za-z0-9]{5})", verify=lambda _token: True, leading=False),
    _format("azure-devops-token", "an Azure DevOps token", "AZDO", r"[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}", verify=lambda _token: True, leading=False),
    _format("cloudflare-origin-key", "a Cloudflare origin certificate key", "v1.0-", r"v1\.0-[0-9a-f]{24}-[0-9a-f]{146}"),
    _format("heroku-key", "a Heroku key", "HRKU-", r"HRKU-[A-Za-z0-9_-]{36,64}"),
    _format("render-key", "a Render key", "rnd_", r"rnd_[A-Za-z0-9]{28,40}"),
    _format("neon-key", "a Neon key", "napi_", r"napi_[a-z0-9]{60,70}"),
    _format("terraform-token", "a Terraform Cloud token", ".atlasv1.", r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,70}", leading=False),
    _format("pulumi-token", "a Pulumi token", "pul-", r"pul-[0-9a-f]{40}"),
    _format("tailscale-key", "a Tailscale key", "tskey-", r"tskey-(?:auth|api|client|scim|webhook)-[A-Za-z0-9]{8,20}-[A-Za-z0-9]{20,40}"),
    _format("dynatrace-token", "a Dynatrace token", "dt0", r"dt0[a-z]\d\d\.[A-Z0-9]{24}\.[A-Z0-9]{64}"),
    _format("newrelic-key", "a New Relic licence key", "FFFFNRAL NRAL", r"[0-9a-f]{36}(?:FFFF)?NRAL", leading=False),
    _format("sonar-token", "a SonarQube token", "sqp_ squ_ sqa_", r"sq[pua]_[0-9a-f]{40}"),
    _format("circleci-token", "a CircleCI token", "CCIPAT_", r"CCIPAT_[A-Za-z0-9]{22}_[0-9a-f]{40}"),
    _format("buildkite-token", "a Buildkite token", "bkua_", r"bkua_[0-9a-f]{40}"),
    _format("bitbucket-token", "a Bitbucket app password", "ATBB", r"ATBB[A-Za-z0-9]{24}[A-F0-9]{8}"),
    _format("atlassian-token", "an Atlassian token", "ATCTT3", r"ATCTT3[A-Za-z0-9_=-]{60,250}"),
    _format("artifactory-key", "an Artifactory key", "AKCp", r"AKCp[A-Za-z0-9]{60,80}"),
    _format("nuget-key", "a NuGet key", "oy2", r"oy2[a-z0-9]{43}", bits=3.6),
    _format("crates-token", "a crates.io token", "cio", r"cio[A-Za-z0-9]{32}", bits=3.8),
    _format("cerebras-key", "a Cerebras key", "csk-", r"csk-[a-z0-9]{40,60}"),
    _format("nvidia-key", "an NVIDIA key", "nvapi-", r"nvapi-[A-Za-z0-9_-]{56,80}"),
    _format("together-key", "a Together key", "tgp_v1_", r"tgp_v1_[A-Za-z0-9_-]{40,50}"),
    _format("fireworks-key", "a Fireworks key", "fw_", r"fw_[A-Za-z0-9]{22,28}", bits=3.8),
    _format("jina-key", "a Jina key", "jina_", r"jina_[0-9a-f]{32}[A-Za-z0-9_-]{28}"),
    _format("firecrawl-key", "a Firecrawl key", "fc-", r"fc-[0-9a-f]{32}"),
    _format("langfuse-key", "a Langfuse secret key", "sk-lf-", r"sk-lf-[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", bits=2.3),
    _format("e2b-key", "an E2B key", "e2b_", r"e2b_[0-9a-f]{40}"),
    _format("wandb-key", "a Weights & Biases key", "wandb_v1_", r"wandb_v1_[A-Za-z0-9_-]{60,90}"),
    _format("hubspot-token", "a HubSpot token", "pat-na pat-eu", r"pat-(?:na|eu)\d-[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", bits=2.3),
    _format("figma-token", "a Figma token", "figd_", r"figd_[A-Za-z0-9_-]{40,50}"),
    _format("typeform-token", "a Typeform token", "tfp_", r"tfp_[A-Za-z0-9_.-]{40,60}"),
    _format("contentful-token", "a Contentful token", "CFPAT-", r"CFPAT-[A-Za-z0-9_-]{43}"),
    _format("dropbox-token", "a Dropbox token", "sl.", r"sl\.(?:u\.)?[A-Za-z0-9_-]{130,1200}"),
    _format("salesforce-token", "a Salesforce session or access token", "00D", r"00D[A-Za-z0-9]{12,15}![A-Za-z0-9._]{80,130}"),
    _format("plaid-token", "a Plaid access token", "access-sandbox- access-development- access-production-", r"access-(?:sandbox|development|production)-[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", bits=2.3),
    _format("braintree-token", "a Braintree access token", "access_token$", r"access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}"),
    _format("flutterwave-key", "a Flutterwave secret key", "FLWSECK", r"FLWSECK(?:_TEST)?-[0-9a-fA-F]{32}-X"),
    _format("mercadopago-token", "a Mercado Pago token", "APP_USR-", r"APP_USR-\d{12,20}-\d{6}-[0-9a-f]{32}-\d{6,12}"),
    _format("xendit-key", "a Xendit secret key", "xnd_production_ xnd_development_", r"xnd_(?:production|development)_[A-Za-z0-9]{40,80}"),
    _format("paddle-key", "a Paddle key", "pdl_live_apikey_ pdl_sdbx_apikey_", r"pdl_(?:live|sdbx)_apikey_[a-z0-9]{26}_[A-Za-z0-9]{22}_[A-Za-z0-9]{3}"),
    _format("polar-token", "a Polar token", "polar_oat_", r"polar_(?:oat|pat)_[A-Za-z0-9_-]{40,60}"),
    _format("duffel-token", "a Duffel token", "duffel_", r"duffel_(?:test|live)_[A-Za-z0-9_-]{43}"),
    _format("shippo-token", "a Shippo token", "shippo_live_ shippo_test_", r"shippo_(?:live|test)_[0-9a-f]{40}"),
    _format("easypost-key", "an EasyPost key", "EZAK EZTK", r"EZ[AT]K[A-Za-z0-9]{54}"),
    _format("mailersend-token", "a MailerSend token", "mlsn.", r"mlsn\.[0-9a-f]{64}"),
    _format("telnyx-key", "a Telnyx key", "KEY0", r"KEY0[0-9A-Za-z]{30,34}_[A-Za-z0-9]{22}"),
    _format("1password-token", "a 1Password service account token", "ops_eyJ", r"ops_eyJ[A-Za-z0-9_-]{200,1500}", verify=_decodes_to_json),
    _format("inngest-key", "an Inngest signing key", "signkey-", r"signkey-(?:prod|test|branch)-[0-9a-f]{64}"),
    _format("trigger-key", "a Trigger.dev key", "tr_prod_ tr_dev_ tr_stg_", r"tr_(?:prod|dev|stg)_[A-Za-z0-9]{20,30}"),
    _format("prefect-key", "a Prefect key", "pnu_ pnb_", r"pn[ub]_[A-Za-z0-9]{36}"),
    _format("adafruit-key", "an Adafruit IO key", "aio_", r"aio_[A-Za-z0-9]{28}"),
    _format("twitter-token", "a Twitter bearer token", "AAAAAAAAAAAAAAAAAAAAA", r"A{21,22}[A-Za-z0-9%]{60,120}"),
    _format("nostr-key", "a Nostr private key", "nsec1", r"nsec1[ac-hj-np-z02-9]{58}"),
)  # fmt: skip
