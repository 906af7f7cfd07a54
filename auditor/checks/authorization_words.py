"""Words by which code that looks at the caller is recognised: refusals, guards of well-known libraries, conditions on an identity."""

from __future__ import annotations

import re

REFUSES = re.compile(
    r"(?<![\w./-])40[13](?![\w.%-])|unauthori[sz]ed|(?<!csrf)forbidden|permission_?-?denied|access_?-?denied|not_?-? ?authenticated|unauthenticated|authentication_?-? ?(?:failed|required)"
    r"|not_? ?(?:logged|signed)_? ?in|not_? ?authori[sz]ed|not_? ?allowed_? ?to|(?:log|sign)_?in_?required|invalid_? ?(?:api_?)?(?:token|key|credentials)|redirect\w*\([^\n]{0,80}(?:log-?_?in|sign-?_?in|auth)",
    re.IGNORECASE,
)
"""Text by which a function turns a caller away: a status, an exception, a message, a way to the login page."""
IDENTITY = re.compile(
    r"getServerSession|getSession\(|getUser\(|get_current_user|getCurrentUser|currentUser|current_user|request\.user|req\.user|context\.auth|request\.auth|ctx\.(?:session|user)|auth\(\)|session\.(?:get|user)|session\[|verifyIdToken|verify_id_token|jwt\.(?:verify|decode)|jwtVerify|decode_token|verifyToken|[gG]et_?[tT]oken\w*\(\s*(?:\{\s*)?(?:req\b|request\b|ctx\b|context\b)|locals\.(?:user|session)"
    r"|headers?(?:\.|\[|\()|cookies?(?:\.|\[|\()|[aA]uthorization|extract_?[tT]oken"
)
SUBJECT = re.compile(
    r"user|session|auth|token|profile|member|account|admin|uid|caller|identity|claims|payload|decoded|principal|viewer|\bme\b|logged|role|permission",
    re.IGNORECASE,
)
"""What a test about the caller calls them."""
KNOWN_ONE = re.compile(
    r"^(?:[\w.]+\.)?(?:(?:current_?)?user|session|account|member|authed\(\)|is_?authenticated(?:\(\))?|is_?logged_?in(?:\(\))?|logged_?in|token|auth_?header|authorization|session_\w+)$",
    re.IGNORECASE,
)
"""A test that holds for everybody who is known, and for nobody else."""
NEGATIVE = re.compile(
    r"!|\bnot\b(?!\s+None\b)|\bis None\b|===?\s*(?:null|undefined|None|false|False|0|\"\"|'')|<\s*[\d\w]|isAnonymous|is_anonymous|unauthenticated|[eE]xpired|[iI]nvalid|missing|denied|[eE]rror|forbidden|revoked|isNil|isEmpty"
    r"|typeof\s+[\w.]+\s*===?\s*['\"]string['\"]|isinstance\([\w.]+,\s*(?:str|Response|\w*Error)\)|instanceof\s+(?:Next)?Response"
)
"""What makes a test hold for those who are not known or not allowed; a text or an answer in place of a caller is why there is none."""
OTHER_REASON = re.compile(
    r"\w*(?:captcha|turnstile|csrf|xsrf|origin\b|referer|throttl|rate_?limit|quota|attempts|feature|maintenance|content_?-?type|mime|file_?size|filesize|extension|subscription|credits?\b|balance|stock)\w*",
    re.IGNORECASE,
)
"""Reasons to refuse that have nothing to do with who is calling."""
PROOF = re.compile(
    r"session|cookie|header|authoriz|authentic|\bauth\b|bearer|jwt|token|api_?-?key|password|passwd|signature|secret|credential|current_?user|req(?:uest)?\.user|ctx\.(?:user|state)|locals\.|context\.|getUser|get_user|identity|principal|\bg\.|role|admin|permission|is_staff|logged",
    re.IGNORECASE,
)
"""Something a caller can be recognised by."""
SENT = re.compile(
    r"(?:await\s+)?\b(?:req|request|ctx\.request|c\.req|ctx|event|self\.request)\.(?:body|params|query|json|form|args|param|match_info|GET|POST|data|values|path_params|query_params|nextUrl\.searchParams|get_json)\b"
    r"(?:\(\))?(?:\??\.\w+|\[['\"]?\w+['\"]?\]|\(\s*['\"][\w-]*['\"]\s*(?:,[^()]{0,40})?\)){0,3}|\bsearchParams\.get\([^()]{0,60}\)"
)
"""A value anybody can send, with the field that is taken of it."""
EDITABLE = re.compile(
    r"headers?(?:\.get)?\s*[\[(.]\s*['\"]?(?:x-)?(?:user-?)?(?:role|roles|admin|is-?admin|user-?id|username)['\"]?\s*[\])]?|cookies?(?:\(\))?(?:\.get)?\s*[\[(.]\s*['\"]?(?:role|is_?admin|admin|user_?id|user|username|env|logged_?in|isLoggedIn)\b['\"]?\s*[\])]?"
    r"|(?:user_metadata|userMetadata|unsafe_metadata|unsafeMetadata|raw_user_meta_data)\??\.\w+|localStorage\.getItem\([^()]{0,60}\)|jwtDecode\([^()]{0,80}\)|JSON\.parse\(\s*(?:atob|Buffer\.from)\([^()]{0,80}\)",
    re.IGNORECASE,
)
"""A claim the caller writes as they like: a header or cookie that names a role, metadata of an account its owner may change, a token nobody verified."""
SIGNED = re.compile(
    r"BadSignature|InvalidSignature|BadTimeSignature|SignatureExpired|InvalidToken|JWTError|ExpiredSignature|PyJWTError|jwt\.verify|jwtVerify|verifyIdToken|verify_id_token|\w*unsign\w*|signing\.loads|verify_signature|constructEvent|construct_event"
)
"""What is tried, or fails, where something signed is checked."""
EITHER = re.compile(r"\?\s*$|\?[^?]*$|\|\|\s*$|\bor\s*$|:\s*$|&&\s*$")
LEAVES = re.compile(
    r"\b(?:raise|throw|abort|redirect|sendStatus|reject|HTTPException|createError)\b|\b(?:res|reply|response|resp|ctx|self|handler)\.\w+|\bnext\(\s*(?:new|err)|\berror\(",
    re.IGNORECASE,
)
"""A refusal that needs no caller to pass it on."""
GOES = re.compile(
    r"(?:^|\.)(?:redirect\w*|abort|notFound|unauthorized|forbidden|sendStatus|status|stop|close|disconnect|error|exit)(?:\(\)\.\w+)*$"
)
"""Calls that end a request."""
CONDITION = re.compile(
    r"\bif\s*\(?\s*(?:!\s*|not\s+)\(?(?:await\s+)?[\w.?!\[\]'\"]{0,60}(?:user|session|auth\w*|token|profile|member|account|admin|uid|userId|user_id|caller|identity|claims|payload|decoded)\b|\b(?:user|session|authError|userError)\w*\s*(?:===?|is)\s*(?:null|undefined|None)",
    re.IGNORECASE,
)
UNKNOWN_CALLER = re.compile(
    r"\b(?:not\s+|!\s*)\(?(?:await\s+)?[\w.]{0,60}(?:authed|authenticat\w*|logged_?in|authoriz\w*|(?:verify|valid|check)\w*\(|compare_digest)|(?:!=|!==)\s*[\w.]{0,60}(?:key|token|secret|password)\b",
    re.IGNORECASE,
)
OWN_CLIENT = re.compile(r"createClient\([^;]{0,400}?headers\s*:\s*\{\s*['\"]?[Aa]uthorization")
"""A database client that carries the caller's own token, so that the row policies decide."""
CALLED = re.compile(
    r"(?:^|\.)(?:auth\.protect|require_?(?:[uU]ser|[aA]uth|[aA]dmin|[sS]ession|[rR]ole|[lL]ogin|[pP]ermission)\w*|ensure_?(?:[aA]uth|[lL]ogged)\w*|assert_?\w*(?:[aA]uth|[aA]ccess|[pP]ermission)\w*|protectRoute|checkAuth|verifyAuth\w*)$"
)
CALLER = re.compile(
    r"session|cookie|token|\buser|[uU]ser\b|_user|auth|api_?-?key|header|bearer|principal|identity|jwt|credential|secret|signature|login|logged|admin|role|permission|owner|member",
    re.IGNORECASE,
)
KNOWN = re.compile(
    r"^(?:login_required|fresh_login_required|jwt_required|fresh_jwt_required|jwt_refresh_token_required|permission_required|user_passes_test|staff_member_required|superuser_required|LoginRequiredMixin|PermissionRequiredMixin|UserPassesTestMixin"
    r"|IsAuthenticated|IsAdminUser|DjangoModelPermissions|DjangoObjectPermissions|IsAuthenticatedOrReadOnly|roles_required|roles_accepted|auth_required|auth_token_required|requires_auth|token_required|admin_required|superuser_required"
    r"|passport\.authenticate|passport\.session|expressjwt|express-jwt|requireAuth|ClerkExpressRequireAuth|ClerkExpressWithAuth|requiresAuth|basicAuth|bearerAuth|ensureLoggedIn|keycloak\.protect|verifyJWT|fastify\.authenticate|app\.authenticate|fastify\.jwtVerify"
    r"|AuthGuard|AuthGuard\(\)|HTTPBasic|HTTPBearer|HTTPBasicAuth|JWTBearer|Authorized|auth\.login_required|requires_scope|require_oauth|authorization_required|connexion\.security|tornado\.web\.authenticated|requires|site\.admin_view|admin\.site\.urls)$"
)
"""Guards of well-known libraries, all of which refuse."""
NAMED = re.compile(
    r"auth(?!or)|login|logged|signed_?in|permission|admin|staff|superuser|require_?\w*(?:user|role|key|token)|protect|guard|current_?\w*user|principal|jwt|verify_?\w*(?:token|key|user)|api_?key|bearer|private|restricted|credential",
    re.IGNORECASE,
)
NO_GUARD = re.compile(
    r"csrf|cors|throttl|rate_?limit|limiter|optional|maybe|exempt|public|allow_?any|skip_?auth|sensitive_post|author(?!i)|multer|upload|log(?:ger|ging)$",
    re.IGNORECASE,
)
ANONYMOUS = re.compile(r"anonymous", re.IGNORECASE)
"""A name that tells of strangers; whether a function of that name refuses anybody is for its body to say."""
ASKED = frozenset({"has_permission", "has_object_permission", "canActivate", "test_func", "can_activate", "is_accessible"})
"""Methods a framework asks whether a caller may go on."""
OPENED = re.compile(
    r"^(?:Public|IsPublic|SkipAuth|NoAuth|AllowAnonymous|Anonymous|AllowAny|public|skip_auth|login_not_required|allow_anonymous|exempt)$"
)
DEPENDS = re.compile(r"\b(?:Depends|Security)\(\s*([\w.]+)")
MIDDLEWARE_FILE = re.compile(r"(?:^|/)(?:middleware|proxy)\.[cm]?[jt]s$")
HOOKS_FILE = re.compile(r"(?:^|/)(?:src/)?hooks\.server\.[jt]s$|(?:^|/)server/middleware/[^/]+\.[jt]s$")
DIRECTIVE = re.compile(
    r"^[ \t]{0,20}(?P<field>\w{1,80})[ \t]*(?:\([^)]{0,400}\))?[ \t]*:[ \t]*[\w\[\]!]{1,100}[ \t]+@(?P<directive>\w{1,60})", re.MULTILINE
)
APP_GUARD = re.compile(r"provide:\s*APP_GUARD,\s*(?:useClass|useExisting):\s*(\w+)")
GLOBAL_GUARD = re.compile(r"useGlobalGuards\(\s*(?:new\s+)?([\w.]+)")
DEFAULT_PERMISSIONS = re.compile(r"DEFAULT_PERMISSION_CLASSES['\"]?\s*[:=]\s*[\[(]([^\])]{0,400})")
REST_VIEW = re.compile(r"api_view|APIView|ViewSet|generics\.")
