"""Files and names that a framework, a platform or a tool finds by their place or name, so that nothing in the tree has to import or call them."""

from __future__ import annotations

import re

from auditor.model.project import Part

_ANYWHERE = re.compile(
    r"(?:^|/)(?:__init__|__main__|main|app|App|index|server|manage|wsgi|asgi|run|start|cli|setup|conftest|settings|urls|apps|admin|models|views|forms|signals|tasks|celery|celeryconfig|gunicorn\.conf|gunicorn_config|noxfile|fabfile|locustfile|dodo|handler|lambda_function"
    r"|bootstrap|entry|entry-\w+|entrypoint|worker|bot|middleware|proxy|instrumentation(?:-client)?|routing|alembic|env|service-worker|sw|firebase-messaging-sw|background|content|popup|preload|electron|reportWebVitals|setupTests|setupProxy|polyfills|vite-env|hooks\.(?:server|client)|mdx-components)\.(?:pyw?|[cm]?[jt]sx?|vue|svelte)$"
    r"|(?:^|/)\.[^/]+\.[cm]?[jt]s$|\.config\.[\w.]*[cm]?[jt]s$|\.stories\.[jt]sx?$|(?:^|/)\.\w[\w-]*/|[._-]worker\.[cm]?[jt]s$"
)
"""Names that start something whatever the framework is, and settings of tools."""
_PYTHON = re.compile(
    r"(?:^|/)management/commands/|(?:^|/)templatetags/|(?:^|/)(?:locale|locales)/|(?:^|/)(?:alembic|migrations)/|(?:^|/)(?:tests?|conftest)\b|(?:^|/)plugins?/|(?:^|/)(?:dags|spiders|cogs)/|(?:^|/)(?:lookups|checks|context_processors|receivers|sitemaps|feeds|translation|search_indexes|pagination|routers?)\.py$|(?:^|/)settings/"
)
_STREAMLIT = re.compile(r"(?:^|/)pages/[^/]+\.py$")
_NEXT = re.compile(
    r"(?:^|/)(?:pages)/.*\.(?:[jt]sx?|mdx?)$|(?:^|/)app/(?:.*/)?(?:page|layout|template|loading|error|global-error|not-found|forbidden|unauthorized|default|route|sitemap|robots|manifest|icon\d*|apple-icon\d*|opengraph-image\d*|twitter-image\d*|favicon)\.[jt]sx?$"
)
_ROUTE_FOLDERS = re.compile(
    r"(?:^|/)(?:routes?|pages|app)/|(?:^|/)root\.[jt]sx$|(?:^|/)(?:entry|router|routes|start|client|ssr)\.[\w.]*[jt]sx?$"
)
_NUXT = re.compile(
    r"(?:^|/)(?:components|composables|utils|plugins|middleware|layouts|pages|server|stores?|modules|mixins|api|lang|shared|lib)/|(?:^|/)(?:error|app)\.(?:vue|ts)$"
)
_ASTRO = re.compile(r"(?:^|/)(?:pages|content|layouts|middleware|actions)(?:/|\.)")
_SVELTE = re.compile(r"(?:^|/)\+|(?:^|/)(?:routes|params)/|(?:^|/)hooks\.")
_FUNCTIONS = re.compile(r"(?:^|/)(?:api|functions|netlify|edge-functions|lambdas?|supabase|workers?)/")
_EXPO = re.compile(r"(?:^|/)app/|\.(?:ios|android|native|web|windows|macos)\.[jt]sx?$")
_TABLE: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = (
    (("nextjs",), _NEXT),
    (("remix", "react-router", "tanstack-start", "tanstack-router", "solid-start", "gatsby", "redwood", "waku"), _ROUTE_FOLDERS),
    (("nuxt",), _NUXT),
    (("astro",), _ASTRO),
    (("sveltekit", "svelte"), _SVELTE),
    (("expo", "react-native"), _EXPO),
    (("streamlit",), _STREAMLIT),
)
KIT = re.compile(r"(?:^|/)components/(?:ui|primitives)/|(?:^|/)ui/primitives/")
"""Components of a kit that is copied in whole; which of them are used says nothing."""
_NAMES = """
    main handler lambda_handler default setup load register init app application create_app make_app get_app upgrade downgrade run_migrations_offline run_migrations_online
    getServerSideProps getStaticProps getStaticPaths getInitialProps generateMetadata generateStaticParams generateViewport generateImageMetadata generateSitemaps metadata viewport revalidate dynamic
    dynamicParams fetchCache runtime preferredRegion maxDuration config middleware proxy matcher GET POST PUT PATCH DELETE HEAD OPTIONS onRequestError register alt size contentType
    loader action clientLoader clientAction meta links headers shouldRevalidate handle ErrorBoundary HydrateFallback Layout Route Fallback
    load actions prerender ssr csr trailingSlash entries match init reroute transport handleError handleFetch onRequest onRequestGet onRequestPost onCall
    activate deactivate up down install uninstall bind unbind created mounted data setup_module teardown_module setUpModule tearDownModule
    ready urlpatterns handler400 handler403 handler404 handler500 ping healthcheck bootstrap mount unmount head wrapPageElement wrapRootElement onRenderBody createPages onCreateNode
"""
CALLED_BY_NAME = frozenset(_NAMES.split())
"""Functions and values that a framework or platform asks for by their name."""


def is_entry(path: str, part: Part) -> bool:
    """Whether something outside the tree finds the file by its place or name."""
    if _ANYWHERE.search(path) or _FUNCTIONS.search(path):
        return True
    if path.endswith((".py", ".pyw")):
        return bool(_PYTHON.search(path)) or (part.uses("streamlit") and bool(_STREAMLIT.search(path)))
    return any(part.uses(*names) and pattern.search(path) for names, pattern in _TABLE)
