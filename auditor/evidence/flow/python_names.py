"""Names of Python and its frameworks that the flow analysis knows: harmless results, cleaners, decoders, what a server sets itself."""

from __future__ import annotations

import re

from auditor.evidence.flow.values import ALL

TRUSTED = frozenset(
    [
        "method",
        "user",
        "session",
        "app",
        "state",
        "endpoint",
        "url_rule",
        "blueprint",
        "blueprints",
        "remote_addr",
        "client",
        "is_secure",
        "scheme",
        "content_length",
        "is_json",
        "csrf_token",
        "resolver_match",
        "identity",
        "tenant",
        "registry",
        "transport",
        "loop",
        "auth_user",
        "user_id",
        "current_user",
        "view_args_types",
        "environ_base",
        "accepted_renderer",
        "version",
        "request_id",
        "id",
        "retries",
        "root_id",
        "parent_id",
        "is_xhr",
        "path",
        "base_url",
        "script_root",
        "max_content_length",
        "routing_exception",
        "url_root",
        "host_url",
    ]
)
"""Attributes of a request that the server sets itself."""
_OF_REQUESTS = """
args form values json data files cookies headers view_args query_string get_json get_data stream input_stream environ authorization referrer user_agent content_type mimetype host url full_path
root_url access_route GET POST FILES COOKIES META REQUEST body path_info get_full_path build_absolute_uri get_host get_raw_uri get_signed_cookie read
readline readlines content_params encoding query_params path_params scope query rel_url match_info post text path_qs raw_path content multipart reader params matchdict json_body text_body
arguments body_arguments query_arguments uri full_url get_argument get_arguments get_query_argument get_body_argument media get_param get_media bounded_stream forms raw_body raw_url
context get accept accept_languages accept_mimetypes if_match if_none_match range receive receive_json receive_text iter_json iter_text parsed_body parsed_args validated_args
"""
SENT = frozenset(_OF_REQUESTS.split())
"""Attributes of a request, in all frameworks, that hold what was sent; any other one (`request.event`) was put there by the program itself."""
ROUTED = frozenset({"method", "path", "endpoint", "scheme", "is_secure", "is_json", "is_xhr", "content_length", "script_root"})
"""Those of them whose few values follow from the route that was matched or from the protocol."""
OWN_ADDRESS = frozenset({"full_path", "url", "uri", "build_absolute_uri", "get_full_path", "get_raw_uri"})
"""The address that was called: it leads to this site."""
HANDLER_METHODS = frozenset(
    {
        "get",
        "post",
        "put",
        "patch",
        "delete",
        "head",
        "options",
        "dispatch",
        "list",
        "create",
        "retrieve",
        "update",
        "destroy",
        "on_get",
        "on_post",
        "on_put",
        "on_delete",
        "on_patch",
    }
)
NUMBERS = frozenset(
    [
        "int",
        "float",
        "bool",
        "len",
        "ord",
        "hash",
        "id",
        "abs",
        "round",
        "isinstance",
        "issubclass",
        "hasattr",
        "callable",
        "uuid.UUID",
        "uuid.uuid4",
        "uuid.uuid1",
        "datetime.datetime.strptime",
        "datetime.datetime.fromisoformat",
        "datetime.date.fromisoformat",
        "datetime.strptime",
        "datetime.fromisoformat",
        "date.fromisoformat",
        "decimal.Decimal",
        "Decimal",
        "UUID",
        "bson.ObjectId",
        "bson.objectid.ObjectId",
        "ObjectId",
        "werkzeug.security.generate_password_hash",
        "werkzeug.security.check_password_hash",
        "bcrypt.hashpw",
        "bcrypt.checkpw",
        "hmac.new",
        "secrets.token_hex",
        "ipaddress.ip_address",
        "django.utils.dateparse.parse_date",
        "any",
        "all",
        "min",
        "max",
    ]
)
RAISING = frozenset(
    [
        "int",
        "float",
        "uuid.UUID",
        "UUID",
        "decimal.Decimal",
        "Decimal",
        "datetime.datetime.strptime",
        "datetime.datetime.fromisoformat",
        "datetime.strptime",
        "datetime.fromisoformat",
        "bson.ObjectId",
        "bson.objectid.ObjectId",
        "ObjectId",
        "ipaddress.ip_address",
    ]
)
HARMLESS_METHODS = frozenset(
    [
        "isdigit",
        "isalnum",
        "isalpha",
        "isnumeric",
        "isdecimal",
        "isidentifier",
        "startswith",
        "endswith",
        "hexdigest",
        "digest",
        "count",
        "index",
        "find",
        "exists",
        "is_file",
        "is_dir",
        "total_seconds",
        "timestamp",
        "bit_length",
        "__len__",
        "verify",
        "check_password",
    ]
)
CLEANERS: dict[str, frozenset[str]] = {
    "html.escape": frozenset({"markup"}),
    "markupsafe.escape": frozenset({"markup"}),
    "flask.escape": frozenset({"markup"}),
    "django.utils.html.escape": frozenset({"markup"}),
    "django.utils.html.conditional_escape": frozenset({"markup"}),
    "django.utils.html.format_html": frozenset({"markup"}),
    "xml.sax.saxutils.escape": frozenset({"markup"}),
    "bleach.clean": frozenset({"markup"}),
    "nh3.clean": frozenset({"markup"}),
    "flask.render_template": frozenset({"markup"}),
    "flask.jsonify": frozenset({"markup"}),
    "django.shortcuts.render": frozenset({"markup"}),
    "django.template.loader.render_to_string": frozenset({"markup"}),
    "django.template.loader.get_template().render": frozenset({"markup"}),
    "urllib.parse.quote": frozenset({"markup", "path", "url", "redirect"}),
    "urllib.parse.quote_plus": frozenset({"markup", "path", "url", "redirect"}),
    "urllib.parse.urlencode": frozenset({"markup", "path", "url", "redirect"}),
    "shlex.quote": frozenset({"command"}),
    "pipes.quote": frozenset({"command"}),
    "os.path.basename": frozenset({"path"}),
    "ntpath.basename": frozenset({"path"}),
    "werkzeug.utils.secure_filename": frozenset({"path"}),
    "werkzeug.utils.safe_join": frozenset({"path"}),
    "werkzeug.security.safe_join": frozenset({"path"}),
    "flask.safe_join": frozenset({"path"}),
    "django.utils._os.safe_join": frozenset({"path"}),
    "django.utils.text.get_valid_filename": frozenset({"path"}),
    "ldap.filter.escape_filter_chars": frozenset({"ldap"}),
    "ldap3.utils.conv.escape_filter_chars": frozenset({"ldap"}),
    "ldap.dn.escape_dn_chars": frozenset({"ldap"}),
    "psycopg2.sql.Identifier": frozenset({"sql"}),
    "psycopg2.sql.Literal": frozenset({"sql"}),
    "psycopg.sql.Identifier": frozenset({"sql"}),
    "psycopg.sql.Literal": frozenset({"sql"}),
    "ast.literal_eval": frozenset({"code"}),
    "re.escape": frozenset({"pattern"}),
    **dict.fromkeys(("base64.b64encode", "base64.urlsafe_b64encode", "base64.b32encode", "base64.b16encode", "binascii.hexlify"), ALL),
}
"""Function -> weaknesses its result can no longer cause."""
OWN_ROUTES = frozenset({"flask.url_for", "quart.url_for", "django.urls.reverse", "django.shortcuts.reverse", "django.urls.reverse_lazy"})
DECODERS = frozenset(
    [
        "base64.b64decode",
        "base64.decodebytes",
        "base64.a85decode",
        "base64.b85decode",
        "codecs.decode",
        "base64.urlsafe_b64decode",
        "base64.b32decode",
        "base64.b16decode",
        "binascii.unhexlify",
        "urllib.parse.unquote",
        "urllib.parse.unquote_plus",
        "html.unescape",
        "bytes.fromhex",
    ]
)
"""Functions whose result may hold again what an encoding had made harmless."""
CLEANING_NAMES: tuple[tuple[re.Pattern[str], frozenset[str]], ...] = (
    (
        re.compile(r"(?:^|\.)(?:secure_filename|safe_join|sanitize_filename|get_valid_filename|slugify)$"),
        frozenset({"path", "markup", "command"}),
    ),
    (
        re.compile(
            r"(?:^|\.)(?:(?:escape|sanitize|clean|encode)_(?:for_)?(?:html|markup|xml)|html_escape|escape|bleach_clean|striptags|strip_tags)$"
        ),
        frozenset({"markup"}),
    ),
    (re.compile(r"(?:^|[.~])_?(?:sanitize|safe|secure|clean|normalize|validate)_(?:path|file|filename|pathname)$"), frozenset({"path"})),
    (re.compile(r"(?:^|[.~])_?(?:sanitize|safe|clean|validate)_\w*(?:url|redirect|next)$"), frozenset({"url", "redirect"})),
    (re.compile(r"(?:^|\.)(?:quote_ident|quote_identifier|quote_name|escape_string|mogrify)$"), frozenset({"sql"})),
    (re.compile(r"(?:^|\.)escape_(?:filter|ldap|dn)\w*$"), frozenset({"ldap"})),
    (re.compile(r"(?:^|\.)(?:escape|quote)_xpath\w*$"), frozenset({"xpath"})),
)
