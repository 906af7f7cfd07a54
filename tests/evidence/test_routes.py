"""Evidence ROUTES: full paths, methods, handlers and what runs before them, for each framework as people write it."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.cache import Cache
from auditor.evidence.registry import Context
from auditor.gather import gather
from auditor.model.evidence import Route, RouteKind, Routes
from auditor.model.need import Known
from auditor.model.needs import ROUTES
from auditor.snapshot import read_tree
from tests.support.repositories import from_texts

NEXT = '{"name": "web", "dependencies": {"next": "15", "react": "19"}}'
SVELTE = '{"name": "web", "devDependencies": {"@sveltejs/kit": "2", "svelte": "5"}}'


def routes_of(tmp_path: Path, texts: dict[str, str]) -> Routes:
    root = from_texts(tmp_path / "app", texts)
    found = gather(Context(root, Cache(None), "2026-03-01", workers=1), read_tree(root), [ROUTES])["routes"]
    assert isinstance(found, Known), found
    return found.value


def shown(routes: Routes) -> list[str]:
    return sorted(f"{route.method} {route.path} {route.handler}".strip() for route in routes.routes)


def only(routes: Routes, path: str, method: str = "") -> Route:
    return next(route for route in routes.routes if route.path == path and method in {"", route.method})


def test_fastapi_prefixes_of_router_and_include_and_dependencies(tmp_path: Path) -> None:
    found = routes_of(
        tmp_path,
        {
            "app/__init__.py": "",
            "app/config.py": 'API = "/api"\n',
            "app/main.py": "from fastapi import FastAPI, Depends\nfrom app.config import API\nfrom app.routers import items, users\n\napp = FastAPI()\n"
            "app.include_router(items.router, prefix=API)\n"
            'app.include_router(users.router, prefix=f"{API}/v2", dependencies=[Depends(admin)])\n\n\n@app.get("/health")\ndef health():\n    return 1\n',
            "app/routers/__init__.py": "",
            "app/routers/items.py": "from fastapi import APIRouter, Depends\n\nrouter = APIRouter(prefix='/items')\n\n\n@router.post('/{id}')\n"
            "async def change(id: int, user: User = Depends(current_user)):\n    return id\n\n\n@router.websocket('/live')\nasync def live(ws):\n    pass\n",
            "app/routers/users.py": "from typing import Annotated\nfrom fastapi import APIRouter, Depends\n\nCaller = Annotated[User, Depends(caller)]\nrouter = APIRouter()\n\n\n"
            "@router.get('/users')\ndef listed(user: Caller):\n    return []\n",
        },
    )
    assert shown(found) == ["ANY /api/items/live live", "GET /api/v2/users listed", "GET /health health", "POST /api/items/{id} change"]
    assert only(found, "/api/v2/users").through == ("admin", "caller")
    assert only(found, "/api/items/{id}").through == ("current_user",)
    assert only(found, "/api/items/live").kind is RouteKind.WEBSOCKET
    assert not found.unresolved


def test_flask_blueprints_classes_and_add_url_rule(tmp_path: Path) -> None:
    found = routes_of(
        tmp_path,
        {
            "shop/__init__.py": "from flask import Flask\n\n\ndef create_app():\n    app = Flask(__name__)\n    from .admin import bp\n    app.register_blueprint(bp, url_prefix='/admin')\n"
            "    from .views import Things\n    app.add_url_rule('/things', view_func=Things.as_view('things'))\n    return app\n",
            "shop/admin.py": "from flask import Blueprint\nfrom .guards import login_required\n\nbp = Blueprint('admin', __name__)\n\n\n@bp.before_request\ndef check():\n    pass\n\n\n"
            "@bp.route('/users/<int:id>', methods=['POST', 'DELETE'])\n@login_required\ndef user(id):\n    return ''\n",
            "shop/guards.py": "def login_required(f):\n    return f\n",
            "shop/views.py": "from flask.views import MethodView\n\n\nclass Things(MethodView):\n    def get(self):\n        return ''\n\n    def post(self):\n        return ''\n",
        },
    )
    assert shown(found) == [
        "DELETE /admin/users/<int:id> user",
        "GET /things Things.get",
        "POST /admin/users/<int:id> user",
        "POST /things Things.post",
    ]
    assert only(found, "/admin/users/<int:id>", "POST").through == ("check", "login_required")


def test_flask_restx_namespaces(tmp_path: Path) -> None:
    code = (
        "from flask import Flask, Blueprint\nfrom flask_restx import Api, Namespace, Resource\n\napp = Flask(__name__)\nbp = Blueprint('api', __name__, url_prefix='/api')\n"
        "api = Api(bp)\napp.register_blueprint(bp)\nteams = Namespace('teams')\napi.add_namespace(teams, '/teams')\n\n\n@teams.route('/<id>')\nclass Team(Resource):\n"
        "    @admins_only\n    def delete(self, id):\n        return 1\n"
    )
    found = routes_of(tmp_path, {"app.py": code})
    assert shown(found) == ["DELETE /api/teams/<id> Team.delete"]
    assert only(found, "/api/teams/<id>").through == ("admins_only",)


def test_django_includes_lists_classes_and_view_sets(tmp_path: Path) -> None:
    found = routes_of(
        tmp_path,
        {
            "manage.py": "import django\n",
            "site1/__init__.py": "",
            "site1/urls.py": "from django.urls import include, path\nfrom rest_framework.routers import DefaultRouter\nfrom shop import views\n\nrouter = DefaultRouter()\n"
            "router.register('items', views.ItemViewSet)\ninner = [\n    path('pause/', views.pause),\n]\nurlpatterns = [\n    path('shop/', include('shop.urls')),\n"
            "    path('api/', include(router.urls)),\n    path('v1/', include(inner)),\n]\n",
            "shop/__init__.py": "",
            "shop/urls.py": "from django.urls import path, re_path\nfrom django.contrib.auth.decorators import login_required\nfrom . import views\n\nurlpatterns = [\n"
            "    path('<int:pk>/', login_required(views.detail)),\n    re_path(r'^edit/$', views.Edit.as_view()),\n]\n",
            "shop/views.py": "from django.views.generic import UpdateView\nfrom rest_framework import viewsets\nfrom rest_framework.decorators import action\nfrom django.views.decorators.http import require_POST\n\n\n"
            "def detail(request, pk):\n    pass\n\n\n@require_POST\ndef pause(request):\n    pass\n\n\nclass Edit(UpdateView):\n    def post(self, request):\n        pass\n\n\n"
            "class ItemViewSet(viewsets.ReadOnlyModelViewSet):\n    permission_classes = [IsAdmin]\n\n    @action(detail=True, methods=['post'])\n    def publish(self, request, pk):\n        pass\n",
        },
    )
    assert shown(found) == [
        "ANY /shop/<int:pk>/ detail",
        "GET /api/items ItemViewSet",
        "GET /api/items/{pk} ItemViewSet",
        "POST /api/items/{pk}/publish ItemViewSet.publish",
        "POST /shop/edit/ Edit.post",
        "POST /v1/pause/ pause",
    ]
    assert only(found, "/shop/<int:pk>/").through == ("login_required",)
    assert "IsAdmin" in only(found, "/api/items").through


def test_express_nested_mounts_chains_and_order_of_middleware(tmp_path: Path) -> None:
    found = routes_of(
        tmp_path,
        {
            "package.json": '{"name": "api", "dependencies": {"express": "4"}}',
            "server.js": "const express = require('express');\nconst app = express();\napp.get('/open', (req, res) => res.send(''));\napp.use(helmet());\n"
            "app.use('/api', auth, require('./routes'));\napp.get('view engine');\napp.listen(1);\n",
            "routes/index.js": "const router = require('express').Router();\nconst users = require('./users');\nrouter.use('/users', users);\nmodule.exports = router;\n",
            "routes/users.js": "const { Router } = require('express');\nconst controller = require('../controllers/users');\nconst router = Router();\n"
            "router.route('/:id').get(controller.show).delete(isAdmin, controller.remove);\nrouter.post('/', wrap(async (req, res) => res.json({})));\nmodule.exports = router;\n",
            "controllers/users.js": "exports.show = (req, res) => res.json({});\nconst remove = async (req, res) => res.end();\nmodule.exports.remove = remove;\n",
        },
    )
    assert [entry.split(" ")[0:2] for entry in shown(found)] == [
        ["DELETE", "/api/users/:id"],
        ["GET", "/api/users/:id"],
        ["GET", "/open"],
        ["POST", "/api/users"],
    ]
    removal = only(found, "/api/users/:id", "DELETE")
    assert (removal.place.path, removal.place.line) == ("controllers/users.js", 2)
    assert removal.registered is not None
    assert removal.registered.path == "routes/users.js"
    assert removal.through == ("helmet", "auth", "isAdmin")
    assert only(found, "/open").through == ()


def test_a_client_that_is_called_like_a_router_is_no_route(tmp_path: Path) -> None:
    texts = {
        "package.json": '{"name": "a", "dependencies": {"express": "4", "axios": "1"}}',
        "server.js": "import express from 'express';\nimport axios from 'axios';\nconst app = express();\nconst api = axios.create({});\napi.get('/users', (x) => x);\n"
        "api.post('/users', { a: 1 });\ncache.get('/key', () => 1);\nconst db = new sqlite3.Database('a');\ndb.get('SELECT 1', (e, row) => row);\napp.get('/a', (req, res) => res.end());\n",
    }
    assert [route.path for route in routes_of(tmp_path, texts).routes] == ["/a"]


def test_fastify_plugins_koa_and_hono(tmp_path: Path) -> None:
    fastify = routes_of(
        tmp_path / "fastify",
        {
            "package.json": '{"name": "a", "dependencies": {"fastify": "5"}}',
            "server.ts": "import Fastify from 'fastify';\nimport users from './users';\nconst server = Fastify();\nserver.register(users, { prefix: '/users' });\n"
            "server.route({ method: ['GET', 'POST'], url: '/x', preHandler: [auth], handler: async () => 1 });\n",
            "users.ts": "export default async function users(fastify: any) {\n  fastify.get('/:id', { preHandler: auth }, async () => 1);\n}\n",
        },
    )
    assert [f"{r.method} {r.path} {r.through}" for r in fastify.routes] == [
        "GET /x ('auth',)",
        "POST /x ('auth',)",
        "GET /users/:id ('auth',)",
    ]
    koa = routes_of(
        tmp_path / "koa",
        {
            "package.json": '{"name": "a", "dependencies": {"koa": "2", "@koa/router": "12"}}',
            "app.js": "const Koa = require('koa');\nconst Router = require('@koa/router');\nconst app = new Koa();\nconst router = new Router({ prefix: '/v1' });\n"
            "router.get('/a', async (ctx) => {});\napp.use(router.routes());\n",
        },
    )
    assert [route.path for route in koa.routes] == ["/v1/a"]
    hono = routes_of(
        tmp_path / "hono",
        {
            "package.json": '{"name": "a", "dependencies": {"hono": "4"}}',
            "app.ts": "import { Hono } from 'hono';\nimport { books } from './books';\nconst app = new Hono().basePath('/api');\napp.route('/books', books);\nexport default app;\n",
            "books.ts": "import { Hono } from 'hono';\nexport const books = new Hono();\nbooks.get('/:id', (c) => c.json({}));\n",
        },
    )
    assert [route.path for route in hono.routes] == ["/api/books/:id"]


def test_nest_controllers_guards_and_resolvers(tmp_path: Path) -> None:
    found = routes_of(
        tmp_path,
        {
            "package.json": '{"name": "a", "dependencies": {"@nestjs/core": "10", "@nestjs/common": "10"}}',
            "src/main.ts": "import { NestFactory } from '@nestjs/core';\nconst app = await NestFactory.create(AppModule);\napp.setGlobalPrefix('v1');\n",
            "src/a.controller.ts": "import { Controller, Get, Post, UseGuards } from '@nestjs/common';\n\n@UseGuards(JwtGuard)\n@Controller('cats')\nexport class Cats {\n"
            "  @Get(':id')\n  one() {}\n\n  @Post()\n  @UseGuards(AdminGuard)\n  make() {}\n}\n",
            "src/a.resolver.ts": "import { Resolver, Mutation } from '@nestjs/graphql';\n\n@Resolver()\nexport class Dogs {\n  @Mutation(() => Boolean)\n  remove() {}\n}\n",
        },
    )
    assert shown(found) == ["GET /v1/cats/:id Cats.one", "POST /graphql/remove Dogs.remove", "POST /v1/cats Cats.make"]
    assert only(found, "/v1/cats").through == ("JwtGuard", "AdminGuard")


def test_next_routes_pages_and_actions(tmp_path: Path) -> None:
    found = routes_of(
        tmp_path,
        {
            "package.json": NEXT,
            "src/app/(shop)/cart/[id]/route.ts": "export async function POST(req: Request) {}\nexport const GET = withAuth(async () => new Response());\nexport const dynamic = 'x';\n",
            "src/app/(shop)/page.tsx": "export default function Page() { return <p/>; }\n",
            "src/app/actions.ts": "'use server';\nexport async function save(form: FormData) {}\nasync function hidden() {}\n",
            "src/pages/api/old.ts": "export default function handler(req, res) { res.end(); }\n",
            "src/pages/_app.tsx": "export default function App() { return null; }\n",
            "src/app/api/webhooks/pay/route.ts": "export async function POST() {}\n",
        },
    )
    assert shown(found) == [
        "ANY /api/old handler",
        "GET / Page",
        "GET /cart/[id] GET",
        "POST /api/webhooks/pay POST",
        "POST /cart/[id] POST",
        "POST action:save save",
    ]
    assert only(found, "/cart/[id]", "GET").through == ("withAuth",)
    assert only(found, "/api/webhooks/pay").kind is RouteKind.WEBHOOK
    assert only(found, "action:save").kind is RouteKind.ACTION


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (
            {
                "package.json": SVELTE,
                "src/routes/api/x/+server.ts": "export const GET = async () => new Response();\n",
                "src/routes/login/+page.server.ts": "export const actions = { default: async () => {} };\n",
            },
            ["GET /api/x GET", "POST /login?/default default"],
        ),
        (
            {"supabase/functions/pay/index.ts": "Deno.serve(async (req) => new Response('x'));\n", "package.json": '{"name": "a"}'},
            ["ANY /functions/v1/pay pay"],
        ),
        (
            {
                "package.json": '{"name": "a", "dependencies": {"vite": "5"}}',
                "api/send.ts": "export default async function handler(req, res) { res.end(); }\n",
                "index.html": "<p>",
            },
            ["ANY /api/send handler"],
        ),
        (
            {
                "package.json": '{"name": "a", "dependencies": {"socket.io": "4"}}',
                "server.js": "const { Server } = require('socket.io');\nconst io = new Server(1);\nio.on('connection', (socket) => { socket.on('say', (m) => io.emit(m)); });\n",
            },
            ["ANY say"],
        ),
        (
            {"app.py": "import streamlit as st\nst.set_page_config()\n", "pages/1_Sales.py": "import streamlit as st\nst.write(1)\n"},
            ["GET /", "GET /Sales"],
        ),
        (
            {
                "app.py": "from aiohttp import web\n\n\nasync def hello(request):\n    return 1\n\n\napp = web.Application()\napp.router.add_get('/hi', hello)\napp.add_routes([web.post('/x', hello)])\n"
            },
            ["GET /hi hello", "POST /x hello"],
        ),
        (
            {
                "app.py": "import tornado.web\n\n\nclass Main(tornado.web.RequestHandler):\n    def get(self):\n        pass\n\n\napp = tornado.web.Application([(r'/', Main)])\n"
            },
            ["GET / Main.get"],
        ),
        (
            {
                "bot.py": "from aiogram import Router, F\nfrom aiogram.filters import Command\n\nrouter = Router()\n\n\n@router.message(Command('ban', 'kick'))\nasync def ban(message):\n    pass\n\n\n@router.message(F.text)\nasync def talk(message):\n    pass\n\n\n@router.callback_query(F.data == 'x')\nasync def pressed(query):\n    pass\n",
                "old.py": "import telebot\n\nbot = telebot.TeleBot('x')\n\n\n@bot.message_handler(commands=['start'])\ndef start(message):\n    pass\n",
                "chat.py": "from discord.ext import commands\n\nbot = commands.Bot()\n\n\n@bot.command()\nasync def hello(context):\n    pass\n",
                "app.py": "from telegram.ext import CommandHandler\nfrom handlers import stop\n\napp.add_handler(CommandHandler('stop', stop))\n",
                "handlers.py": "async def stop(update, context):\n    pass\n",
            },
            ["ANY /ban ban", "ANY /hello hello", "ANY /start start", "ANY /stop stop"],
        ),
        (
            {
                "package.json": '{"name": "a", "dependencies": {"telegraf": "4", "discord.js": "14"}}',
                "bot.js": "const { Telegraf } = require('telegraf');\nconst bot = new Telegraf('x');\nbot.command('stop', admins, (ctx) => ctx.reply('x'));\nbot.action('pressed', (ctx) => ctx.reply('x'));\n",
                "chat.js": "const { Client } = require('discord.js');\nconst client = new Client();\nclient.on('interactionCreate', async (interaction) => {});\n",
            },
            ["ANY /interactionCreate", "ANY /stop"],
        ),
    ],
)
def test_other_frameworks(tmp_path: Path, texts: dict[str, str], expected: list[str]) -> None:
    assert shown(routes_of(tmp_path, texts)) == expected


def test_a_computed_path_is_unresolved_and_the_route_still_there(tmp_path: Path) -> None:
    code = "from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get(path_for('x'))\ndef x():\n    pass\n"
    found = routes_of(tmp_path, {"main.py": code})
    assert [route.path for route in found.routes] == ["{}"]
    assert [where for where, _ in found.unresolved] == ["main.py:6"]


def test_a_list_of_entries_wrapped_in_itself(tmp_path: Path) -> None:
    found = routes_of(
        tmp_path,
        {
            "manage.py": "import django\n",
            "shop/__init__.py": "",
            "shop/views.py": "def show(request):\n    pass\n\n\ndef pay(request):\n    pass\n",
            "shop/urls.py": "from django.urls import include, path\nfrom shop import views\n\nurlpatterns = [path('show', views.show)]\nurlpatterns = [path('', include((urlpatterns, 'shop')))]\nurlpatterns += [path('pay', views.pay)]\n",
        },
    )
    assert shown(found) == ["ANY /pay pay", "ANY /show show"]


def test_routers_that_mount_each_other_end(tmp_path: Path) -> None:
    code = "from fastapi import APIRouter\n\na = APIRouter()\nb = APIRouter()\na.include_router(b, prefix='/b')\nb.include_router(a, prefix='/a')\n\n\n@a.get('/x')\ndef x():\n    pass\n"
    assert len(routes_of(tmp_path, {"main.py": code}).routes) <= 6


FORGOTTEN = "from fastapi import APIRouter\n\nrouter = APIRouter()\n\n\n@router.delete('/{id}')\ndef drop(id: int):\n    return id\n"
MAIN = "from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get('/health')\ndef health():\n    return 1\n"


def test_a_router_that_nothing_includes_or_imports_is_unmounted(tmp_path: Path) -> None:
    found = routes_of(tmp_path, {"app/__init__.py": "", "app/main.py": MAIN, "app/old.py": FORGOTTEN})
    assert shown(found) == ["GET /health health"]
    assert [route.path for route in found.unmounted] == ["/{id}"]


@pytest.mark.parametrize(
    "line",
    [
        "from app import old\nplugins = [old]\n",
        "from app.old import router\n",
        "import importlib\nimportlib.import_module('app.' + name)\n",
        "MODULES = ['app.old']\n",
    ],
)
def test_a_router_that_something_may_mount_is_served(tmp_path: Path, line: str) -> None:
    found = routes_of(tmp_path, {"app/__init__.py": "", "app/main.py": MAIN, "app/old.py": FORGOTTEN, "app/more.py": line})
    assert "DELETE /{id} drop" in shown(found)
    assert not found.unmounted


def test_routers_of_a_library_wait_for_its_users(tmp_path: Path) -> None:
    found = routes_of(tmp_path, {"lib/__init__.py": "", "lib/routes.py": FORGOTTEN})
    assert shown(found) == ["DELETE /{id} drop"]


def test_an_express_router_that_nobody_requires_is_unmounted(tmp_path: Path) -> None:
    router = "const express = require('express');\nconst router = express.Router();\nrouter.post('/x', (a, b) => b.end());\nmodule.exports = router;\n"
    server = "const express = require('express');\nconst app = express();\napp.use('/kept', require('./kept'));\napp.listen(3000);\n"
    manifest = '{"name": "s", "dependencies": {"express": "4"}}'
    found = routes_of(tmp_path, {"package.json": manifest, "server.js": server, "kept.js": router, "left.js": router})
    assert shown(found) == ["POST /kept/x"]
    assert [route.path for route in found.unmounted] == ["/x"]


def test_what_is_mounted_and_not_read_is_known(tmp_path: Path) -> None:
    main = MAIN + "\n\napp.include_router(users.get_auth_router(backend), prefix='/auth')\n"
    assert [prefix for prefix, _ in routes_of(tmp_path, {"main.py": main}).opaque] == ["/auth"]


def test_django_rest_routers_inside_a_list_of_entries(tmp_path: Path) -> None:
    urls = "from django.urls import include, path\nfrom rest_framework.routers import DefaultRouter\nfrom shop.views import Orders\n\nrouter = DefaultRouter()\nrouter.register('orders', Orders)\nurlpatterns = [path('api/', include([path('x/', Orders.as_view()), *router.urls]))]\n"
    views = "from rest_framework import viewsets\n\n\nclass Orders(viewsets.ReadOnlyModelViewSet):\n    pass\n"
    found = routes_of(tmp_path, {"shop/__init__.py": "", "shop/urls.py": urls, "shop/views.py": views})
    assert "/api/orders" in {route.path.rstrip("/") for route in found.routes}
