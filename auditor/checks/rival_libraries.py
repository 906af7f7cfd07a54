"""Libraries that do the same job, by ecosystem: using two of them in one part means learning, updating and repairing everything twice.

Packages of one family (a library and what is built on it) stand together, joined by `+`, and are no rivals. Libraries that merely overlap, or do the
same job for another kind of caller, are left out on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Job:
    """A job in an owner's words, and the family (name shown first) of each package that does it; `least`: how many families make it a contest."""

    name: str
    families: dict[str, str]
    least: int = 2


def _jobs(text: str) -> tuple[Job, ...]:
    jobs = []
    for line in text.strip().splitlines():
        name, _, rest = line.partition(":")
        families = {member: group.split("+")[0] for group in rest.split() for member in group.split("+")}
        jobs.append(Job(name.strip(), families, 3 if name.strip() == "icons" else 2))
    return tuple(jobs)


PYTHON_JOBS = _jobs("""
calling other servers: requests httpx aiohttp pycurl urllib3
mapping records: sqlalchemy+sqlmodel+flask_sqlalchemy peewee+playhouse tortoise pony dataset
mapping documents: mongoengine+flask_mongoengine beanie odmantic
validation: pydantic marshmallow+flask_marshmallow+marshmallow_sqlalchemy cerberus voluptuous schematics msgspec
dates and times: arrow pendulum delorean maya
commands: click+typer+rich_click fire docopt
charts: matplotlib+seaborn plotly bokeh altair pygal
logging: loguru structlog
tokens: jwt jose
hashing passwords: passlib bcrypt pwdlib
background tasks: celery rq+django_rq dramatiq huey+bx_huey
making PDFs: reportlab fpdf weasyprint xhtml2pdf
reading PDFs: PyPDF2 pypdf
web framework: flask+quart fastapi django bottle sanic falcon
PostgreSQL driver: psycopg2 psycopg asyncpg pg8000
MySQL driver: pymysql MySQLdb mysql
""")

SCRIPT_JOBS = _jobs("""
calling other servers: axios got ky superagent request+request-promise needle
dates and times: moment+moment-timezone dayjs date-fns+date-fns-tz luxon
state of the page: redux+@reduxjs/toolkit+react-redux zustand mobx+mobx-react+mobx-react-lite jotai recoil valtio vuex pinia
state from the server: @tanstack/react-query+react-query swr @apollo/client urql
user interface kit: @mui/material+@mui/lab antd @chakra-ui/react @mantine/core react-bootstrap reactstrap semantic-ui-react @nextui-org/react+@heroui/react element-plus vuetify primevue naive-ui
forms: formik react-hook-form react-final-form @tanstack/react-form
validation: zod yup joi valibot superstruct
mapping records: @prisma/client drizzle-orm sequelize+sequelize-typescript typeorm+@nestjs/typeorm @mikro-orm/core objection bookshelf
utilities: lodash+lodash-es underscore ramda remeda radash es-toolkit
icons: lucide-react+lucide-vue-next react-icons @heroicons/react @mui/icons-material @fortawesome/react-fontawesome @tabler/icons-react @phosphor-icons/react react-feather
charts: recharts chart.js+react-chartjs-2+vue-chartjs victory apexcharts+react-apexcharts echarts+echarts-for-react highcharts+highcharts-react-official @nivo/core plotly.js+react-plotly.js
logging: winston pino+pino-http bunyan log4js
short messages to the user: sonner react-hot-toast react-toastify notistack @radix-ui/react-toast
tokens: jsonwebtoken jose fast-jwt
hashing passwords: bcrypt bcryptjs
limits on requests: express-rate-limit rate-limiter-flexible
pages and addresses: react-router-dom+react-router wouter @tanstack/react-router
drag and drop: react-dnd @dnd-kit/core react-beautiful-dnd @hello-pangea/dnd
translations: i18next+react-i18next+next-i18next react-intl next-intl @lingui/core+@lingui/react
Markdown: marked markdown-it showdown remarkable
page framework: react vue svelte @angular/core alpinejs jquery
web framework: express fastify koa @hapi/hapi
""")

TEST_RUNNERS = Job("running tests", {"jest": "jest", "vitest": "vitest", "mocha": "mocha", "ava": "ava", "jasmine": "jasmine"})
BROWSER_TESTS = Job(
    "tests in a browser", {"cypress": "cypress", "@playwright/test": "playwright", "nightwatch": "nightwatch", "testcafe": "testcafe"}
)
