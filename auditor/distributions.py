"""What is known about package names without an index: import names of distributions, what arrives with what, which names are popular.

The tables hold well-known public facts; a name that is missing here is never evidence against a package.
"""

from __future__ import annotations

import re

_IMPORTS_OF = """
attr: attrs
attrs: attrs
bs4: beautifulsoup4
bson: pymongo
cairo: pycairo
clickhouse_driver: clickhouse-driver
corsheaders: django-cors-headers
crispy_forms: django-crispy-forms
Crypto: pycryptodome pycrypto
Cryptodome: pycryptodomex
cv2: opencv-python opencv-python-headless opencv-contrib-python opencv-contrib-python-headless
dateutil: python-dateutil
debug_toolbar: django-debug-toolbar
decouple: python-decouple
discord: discord-py py-cord
dj_database_url: dj-database-url
django_filters: django-filter
docx: python-docx
dotenv: python-dotenv python-dotenv-vault
environ: django-environ environ-config
faiss: faiss-cpu faiss-gpu
fitz: pymupdf
flask_bcrypt: flask-bcrypt
flask_cors: flask-cors
flask_jwt_extended: flask-jwt-extended
flask_login: flask-login
flask_mail: flask-mail flask-mailman
flask_migrate: flask-migrate
flask_restx: flask-restx
flask_sqlalchemy: flask-sqlalchemy
flask_wtf: flask-wtf
fontTools: fonttools
git: gitpython
gi: pygobject
github: pygithub
gitlab: python-gitlab
googleapiclient: google-api-python-client
grpc: grpcio
grpc_status: grpcio-status
grpc_tools: grpcio-tools
haystack: django-haystack haystack-ai
health_check: django-health-check
igraph: python-igraph igraph
import_export: django-import-export
IPython: ipython
jose: python-jose
jwt: pyjwt
kafka: kafka-python kafka-python-ng
ldap: python-ldap
Levenshtein: levenshtein python-levenshtein
lxml_html_clean: lxml-html-clean
magic: python-magic python-magic-bin
memcache: python-memcached
model_bakery: model-bakery
mpl_toolkits: matplotlib
multipart: python-multipart multipart
MySQLdb: mysqlclient
mysql: mysql-connector-python mysql-connector
nacl: pynacl
nats: nats-py
OpenSSL: pyopenssl
oauth2_provider: django-oauth-toolkit
odf: odfpy
onelogin: python3-saml
osgeo: gdal
past: future
PIL: pillow
pkg_resources: setuptools
playhouse: peewee
pptx: python-pptx
prometheus_client: prometheus-client
psycopg: psycopg psycopg-binary
psycopg2: psycopg2 psycopg2-binary
pyasn1_modules: pyasn1-modules
pydantic_settings: pydantic-settings
pylab: matplotlib
pymysql: pymysql
PyPDF2: pypdf2
PyQt5: pyqt5
PyQt6: pyqt6
PySide6: pyside6
pythoncom: pywin32
pywintypes: pywin32
ratelimit: django-ratelimit ratelimit
rest_framework: djangorestframework
rest_framework_simplejwt: djangorestframework-simplejwt
ruamel: ruamel-yaml
saml2: pysaml2
sentry_sdk: sentry-sdk raven
serial: pyserial
simple_history: django-simple-history
skimage: scikit-image
sklearn: scikit-learn
slack: slackclient slack-sdk
slack_sdk: slack-sdk slack-bolt
slugify: python-slugify
snappy: python-snappy
social_core: social-auth-core social-auth-app-django
social_django: social-auth-app-django
socketio: python-socketio
engineio: python-engineio
socks: pysocks
speech_recognition: speechrecognition
sqlalchemy_utils: sqlalchemy-utils
storages: django-storages
talib: ta-lib
telebot: pytelegrambotapi
telegram: python-telegram-bot
tensorflow: tensorflow tensorflow-cpu tensorflow-gpu
tlz: toolz
tree_sitter: tree-sitter
usb: pyusb
vertexai: google-cloud-aiplatform
websocket: websocket-client
win32api: pywin32
win32com: pywin32
win32con: pywin32
wx: wxpython
xdist: pytest-xdist
yaml: pyyaml
zmq: pyzmq
zoneinfo: tzdata
_cffi_backend: cffi
_pytest: pytest
pytest_asyncio: pytest-asyncio
_yaml: pyyaml
dns: dnspython
ibm_db: ibm-db
jnius: pyjnius
qdrant_client: qdrant-client
rapidjson: python-rapidjson
sass: libsass
smbus: smbus smbus-cffi smbus2
soundfile: soundfile pysoundfile
stdnum: python-stdnum
twitter: python-twitter
user_agents: user-agents
webdav3: webdavclient3
whois: python-whois
xlsxwriter: xlsxwriter
zope: zope-interface
"""

NAMESPACES = frozenset(
    {"google", "azure", "zope", "ruamel", "jaraco", "backports", "sphinxcontrib", "opentelemetry", "airflow", "llama_index", "aws_cdk"}
)
"""Top-level names shared by many distributions: an import is told apart by up to three parts of its dotted name."""

_NAMESPACE_DISTRIBUTIONS = """
google.protobuf: protobuf
google.auth: google-auth
google.oauth2: google-auth
google.api_core: google-api-core
google.genai: google-genai
google.generativeai: google-generativeai
google.ai: google-ai-generativelanguage
google.adk: google-adk
google.cloud.firestore: google-cloud-firestore firebase-admin
google.cloud.exceptions: google-cloud-core
google.rpc: googleapis-common-protos
google_auth_oauthlib: google-auth-oauthlib
azure.storage.blob: azure-storage-blob
azure.identity: azure-identity
azure.core: azure-core
opentelemetry.trace: opentelemetry-api
opentelemetry.metrics: opentelemetry-api
opentelemetry.context: opentelemetry-api
opentelemetry.propagate: opentelemetry-api
opentelemetry.sdk: opentelemetry-sdk
opentelemetry.semconv: opentelemetry-semantic-conventions
ruamel.yaml: ruamel-yaml
zope.interface: zope-interface
"""

_ARRIVES_WITH_PYPI = """
flask: werkzeug jinja2 markupsafe itsdangerous click blinker
flask-sqlalchemy: sqlalchemy flask
flask-migrate: alembic flask flask-sqlalchemy sqlalchemy mako
flask-login: flask werkzeug
flask-wtf: wtforms flask itsdangerous
flask-restx: aniso8601 jsonschema werkzeug flask pytz
flask-restful: aniso8601 pytz flask
flask-cors: flask werkzeug
flask-bcrypt: bcrypt flask
flask-jwt-extended: pyjwt flask werkzeug
flask-marshmallow: marshmallow flask
marshmallow-sqlalchemy: marshmallow sqlalchemy
flask-socketio: python-socketio python-engineio flask
flask-caching: cachelib flask
fastapi: starlette pydantic pydantic-core typing-extensions anyio annotated-types annotated-doc
starlette: anyio
fastapi-users: pwdlib pyjwt python-multipart fastapi email-validator
pydantic: pydantic-core typing-extensions annotated-types
pydantic-settings: pydantic python-dotenv pydantic-core
sqlmodel: sqlalchemy pydantic pydantic-core
alembic: sqlalchemy mako
requests: urllib3 certifi idna charset-normalizer
httpx: httpcore anyio certifi idna h11 sniffio
aiohttp: yarl multidict aiosignal frozenlist attrs async-timeout
boto3: botocore s3transfer jmespath python-dateutil urllib3
botocore: jmespath python-dateutil urllib3
django: asgiref sqlparse
djangorestframework: django pytz
djangorestframework-simplejwt: pyjwt django
django-allauth: requests oauthlib requests-oauthlib pyjwt
celery: kombu billiard vine amqp click python-dateutil
redis: async-timeout
pandas: numpy python-dateutil pytz
scikit-learn: numpy scipy joblib threadpoolctl
scipy: numpy
matplotlib: numpy pillow python-dateutil pyparsing cycler
seaborn: matplotlib numpy pandas
statsmodels: numpy scipy pandas patsy
torch: numpy sympy networkx jinja2
transformers: numpy tokenizers huggingface-hub tqdm requests pyyaml safetensors regex
sentence-transformers: torch transformers numpy scikit-learn scipy huggingface-hub pillow tqdm
streamlit: pandas numpy altair pillow requests protobuf tornado toml gitpython pyarrow tenacity
gradio: fastapi pydantic httpx numpy pandas pillow uvicorn huggingface-hub
langchain: langchain-core langchain-text-splitters pydantic sqlalchemy requests pyyaml tenacity
langchain-openai: openai tiktoken langchain-core
langchain-community: langchain-core langchain sqlalchemy requests aiohttp numpy pyyaml
langgraph: langchain-core pydantic
openai: httpx pydantic pydantic-core anyio typing-extensions tqdm
anthropic: httpx pydantic pydantic-core anyio typing-extensions
mcp: pydantic httpx starlette anyio uvicorn pydantic-settings
openai-agents: openai pydantic mcp
uvicorn: click h11
rich: pygments markdown-it-py
typer: click rich typing-extensions
jinja2: markupsafe
mako: markupsafe
wtforms: markupsafe
beautifulsoup4: soupsieve
cryptography: cffi
pyopenssl: cryptography
python-jose: rsa ecdsa pyasn1
authlib: cryptography
google-auth: rsa pyasn1 cachetools requests
google-api-python-client: google-auth google-api-core httplib2 uritemplate google-auth-httplib2 googleapis-common-protos
google-auth-oauthlib: google-auth requests-oauthlib
google-cloud-storage: google-auth google-api-core google-cloud-core requests
google-cloud-firestore: google-auth google-api-core google-cloud-core
google-cloud-aiplatform: google-cloud-storage google-auth google-api-core protobuf
firebase-admin: google-auth google-api-core google-cloud-firestore google-cloud-storage cachecontrol pyjwt requests
supabase: postgrest gotrue storage3 realtime supafunc supabase-auth supabase-functions httpx pydantic
psycopg: typing-extensions
minio: urllib3 certifi argon2-cffi pycryptodome
sentry-sdk: urllib3 certifi
stripe: requests typing-extensions
twilio: requests pyjwt aiohttp
selenium: urllib3 trio certifi websocket-client
playwright: greenlet pyee
pytest: pluggy iniconfig packaging
aiogram: aiohttp pydantic magic-filter aiofiles
python-telegram-bot: httpx
discord-py: aiohttp
scrapy: twisted lxml parsel w3lib itemadapter cssselect
opentelemetry-sdk: opentelemetry-api opentelemetry-semantic-conventions
pymongo: dnspython
motor: pymongo
beanie: motor pymongo pydantic
apscheduler: tzlocal pytz
jsonschema: attrs referencing rpds-py
tortoise-orm: pypika-tortoise aiosqlite iso8601 pytz
strawberry-graphql: graphql-core python-dateutil
graphene: graphql-core graphql-relay
litellm: openai httpx pydantic tiktoken jinja2 aiohttp
crewai: pydantic openai litellm
chromadb: pydantic numpy httpx onnxruntime
plotly: packaging narwhals
dash: flask plotly werkzeug
pdfplumber: pdfminer-six pillow pypdfium2
weasyprint: pydyf tinycss2 pillow
"""

_ARRIVES_WITH_NPM = """
next: react react-dom postcss @swc/helpers
express: body-parser cookie cookie-signature debug qs send serve-static accepts path-to-regexp
vite: rollup esbuild postcss
vitest: vite chai @vitest/expect
nuxt: vue vue-router @nuxt/kit h3 nitropack ofetch defu pathe ufo unhead
vue: @vue/runtime-core @vue/runtime-dom @vue/reactivity @vue/shared @vue/compiler-sfc
react-router-dom: react-router @remix-run/router
@nestjs/platform-express: express body-parser multer
@supabase/supabase-js: @supabase/postgrest-js @supabase/auth-js @supabase/realtime-js @supabase/storage-js
typescript-eslint: @typescript-eslint/parser @typescript-eslint/eslint-plugin @typescript-eslint/utils
expo: react-native-safe-area-context expo-constants expo-font expo-asset expo-file-system @expo/vector-icons
tailwindcss: postcss
mongoose: mongodb bson
firebase: @firebase/app @firebase/auth @firebase/firestore
ai: @ai-sdk/provider @ai-sdk/provider-utils zod
@tiptap/react: @tiptap/core
@tiptap/starter-kit: @tiptap/core
@reduxjs/toolkit: redux immer reselect redux-thunk
cypress: chai mocha lodash
sequelize: lodash moment uuid
"""

_POPULAR_PYPI = """
aiofiles aiohttp aiosqlite alembic altair amqp aniso8601 annotated-types anthropic anyio apscheduler argon2-cffi asgiref asyncpg attrs authlib
babel backoff bandit bcrypt beautifulsoup4 billiard black blinker bokeh boto3 botocore cachetools celery certifi cffi channels chardet charset-normalizer
chromadb click cloudpickle colorama coverage cryptography cython dash dask databases datasets debugpy deepdiff diskcache django django-allauth django-cors-headers
django-environ django-filter django-redis django-storages djangorestframework docker docutils duckdb ecdsa elasticsearch email-validator factory-boy faker
fastapi feedparser filelock flake8 flask flask-cors flask-login flask-migrate flask-sqlalchemy flask-wtf fonttools fsspec gensim gevent gitpython google-auth
google-cloud-storage gradio graphene greenlet grpcio gspread gunicorn h11 h5py httpcore httptools httpx huggingface-hub humanize hypercorn hypothesis idna
importlib-metadata iniconfig ipython isort itsdangerous jinja2 jmespath joblib jsonschema jupyter keras kombu kubernetes langchain langchain-community
langchain-core langchain-openai langgraph lightgbm litellm llama-index loguru lxml mako markdown markupsafe marshmallow matplotlib mistune mlflow
mongoengine motor mypy mysqlclient nltk numpy oauthlib ollama onnxruntime openai opencv-python openpyxl orjson packaging pandas paramiko passlib pathspec
peewee pendulum phonenumbers pillow pinecone pip pika playwright plotly pluggy polars poetry pre-commit prometheus-client protobuf psutil psycopg
psycopg2 psycopg2-binary pyarrow pyasn1 pycparser pycryptodome pydantic pydantic-core pydantic-settings pygments pyjwt pylint pymongo pymysql pynacl
pyodbc pyopenssl pyparsing pypdf pypdf2 pyserial pyspark pytest pytest-asyncio pytest-cov pytest-django pytest-mock python-dateutil python-dotenv
python-jose python-multipart python-slugify python-telegram-bot pytz pyyaml pyzmq qdrant-client rapidfuzz redis regex reportlab requests requests-oauthlib
responses rich rq rsa ruff s3transfer safetensors scikit-image scikit-learn scipy scrapy seaborn selenium sentence-transformers sentry-sdk setuptools
shapely simplejson six slowapi sniffio sortedcontainers soupsieve spacy sphinx sqlalchemy sqlmodel sqlparse starlette statsmodels streamlit stripe
structlog supabase sympy tabulate tenacity tensorflow textual threadpoolctl tiktoken tokenizers toml tomli toolz torch torchvision tornado tortoise-orm tqdm
transformers trio twilio twisted typer typing-extensions tzdata tzlocal ujson urllib3 uvicorn uvloop virtualenv waitress watchdog watchfiles weasyprint
websocket-client websockets werkzeug wheel whitenoise wrapt wtforms xgboost xlrd xlsxwriter yarl yfinance zipp zstandard
"""

POPULAR_PYPI = frozenset(_POPULAR_PYPI.split())
"""Names whose near misses are suspect."""

_POPULAR_NPM = """
@angular/core @anthropic-ai/sdk @apollo/client @auth0/auth0-react @aws-sdk/client-s3 @babel/core @emotion/react @fastify/cors @headlessui/react
@heroicons/react @hookform/resolvers @mui/material @nestjs/common @nestjs/core @next-auth/prisma-adapter @prisma/client @radix-ui/react-dialog @reduxjs/toolkit
@remix-run/node @sentry/browser @sentry/nextjs @sentry/node @stripe/stripe-js @supabase/ssr @supabase/supabase-js @sveltejs/kit @tanstack/react-query
@tanstack/react-table @testing-library/react @trpc/server @types/node @types/react @vercel/analytics @vitejs/plugin-react ajv antd apollo-server archiver
async autoprefixer aws-sdk axios babel-loader bcrypt bcryptjs bluebird body-parser bootstrap bull bullmq cheerio chalk chart.js chokidar class-validator
class-variance-authority clsx cmdk colors commander compression concurrently cookie-parser core-js cors cron cross-env crypto-js csv-parse d3 date-fns dayjs
debug docusaurus dompurify dotenv drizzle-kit drizzle-orm ejs electron embla-carousel-react esbuild eslint eslint-config-next eslint-config-prettier
eslint-plugin-react express express-rate-limit express-session express-validator fastify fastify-plugin firebase firebase-admin form-data formik
framer-motion fs-extra glob google-auth-library googleapis got graphql graphql-request handlebars helmet highlight.js husky i18next immer ioredis
inquirer jest joi jquery js-yaml jsdom jsonwebtoken jszip jwt-decode knex koa langchain leaflet lint-staged lodash lowdb lru-cache lucide-react luxon
mapbox-gl marked mini-css-extract-plugin minimist mobx mocha moment mongodb mongoose morgan multer mustache mysql mysql2 nanoid next next-auth next-intl
next-themes node-cron node-fetch nodemailer nodemon nuxt openai ora otplib p-limit p-retry papaparse passport passport-jwt passport-local path-to-regexp pg
pino pino-pretty playwright pm2 postcss prettier prisma prop-types puppeteer qrcode qs radix-ui ramda rate-limiter-flexible react react-chartjs-2
react-datepicker react-day-picker react-dom react-dropzone react-hook-form react-hot-toast react-i18next react-icons react-markdown react-native react-query
react-redux react-resizable-panels react-router react-router-dom react-scripts react-select react-toastify recharts redis redux redux-thunk reflect-metadata
resend rimraf rollup rxjs sass sax semver sequelize serve sharp shelljs slugify socket.io socket.io-client sonner sqlite3 stripe styled-components
supertest svelte swagger-ui-express swr tailwind-merge tailwindcss tailwindcss-animate three ts-jest ts-node tslib tsx turbo twilio typeorm
typescript underscore undici unified urql uuid uvicorn validator vaul vite vitest vue vue-router vuetify vuex webpack webpack-cli winston ws xlsx xml2js
yargs yup zod zustand
"""

POPULAR_NPM = frozenset(_POPULAR_NPM.split())
"""Names whose near misses are suspect."""


def _table(text: str) -> dict[str, tuple[str, ...]]:
    lines = (line.split(":", 1) for line in text.strip().splitlines())
    return {key.strip(): tuple(values.split()) for key, values in lines}


DISTRIBUTIONS: dict[str, tuple[str, ...]] = _table(_IMPORTS_OF)
"""Import name -> distributions that supply it, where the names differ."""

NAMESPACE_DISTRIBUTIONS: dict[str, tuple[str, ...]] = _table(_NAMESPACE_DISTRIBUTIONS)
"""Dotted import name in a shared namespace -> distributions."""

ARRIVES_WITH_PYPI: dict[str, tuple[str, ...]] = _table(_ARRIVES_WITH_PYPI)
"""Distribution -> distributions that installing it always brings."""

ARRIVES_WITH_NPM: dict[str, tuple[str, ...]] = _table(_ARRIVES_WITH_NPM)
"""Package -> packages that installing it usually hoists to where an import finds them."""


def normalise(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def distributions_of(import_name: str) -> tuple[str, ...]:
    """Normalised distributions that may supply an import name (dotted for shared namespaces), the likeliest first."""
    parts = import_name.split(".")
    found: list[str] = []
    for length in range(len(parts), 0, -1):
        head = ".".join(parts[:length])
        found.extend(NAMESPACE_DISTRIBUTIONS.get(head, ()))
        found.extend(DISTRIBUTIONS.get(head, ()))
        found.append(normalise(head))
    return tuple(dict.fromkeys(found))


def is_known_import(import_name: str) -> bool:
    """Whether a top-level import name surely belongs to a well-known distribution."""
    return import_name in DISTRIBUTIONS or import_name in NAMESPACES or normalise(import_name) in POPULAR_PYPI
