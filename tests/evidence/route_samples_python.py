"""Small applications as people write them in each Python framework, with every entry they have: method, path, what runs before it."""

SAMPLES: dict[str, tuple[dict[str, str], list[str]]] = {
    "fastapi nested": (
        {
            "main.py": """\
from fastapi import FastAPI, APIRouter, Depends, Security, WebSocket
from auth import require_user, scopes
from sub import sub_app
from things import Things

inner = APIRouter(prefix="/inner", dependencies=[Depends(require_user)])
outer = APIRouter(prefix="/outer")

@inner.get("/a")
async def a(): ...

@inner.api_route("/b", methods=["GET", "POST"])
async def b(user=Security(scopes, scopes=["x"])): ...

outer.include_router(inner, prefix="/mid")
app = FastAPI(dependencies=[Depends(require_user)])
app.include_router(outer, prefix="/v1", dependencies=[Depends(scopes)])
app.mount("/sub", sub_app)

async def late(): ...
app.add_api_route("/late", late, methods=["POST"], dependencies=[Depends(require_user)])

@app.websocket("/ws")
async def ws(socket: WebSocket): ...
app.include_router(Things().router, prefix="/things")
""",
            "auth.py": """\
def require_user(): ...
def scopes(): ...
""",
            "sub.py": """\
from fastapi import FastAPI
sub_app = FastAPI()

@sub_app.delete('/x/{id}')
def x(id: int): ...
""",
            "things.py": """\
from fastapi import APIRouter
class Things:
    def __init__(self):
        self.router = APIRouter()
        self.router.add_api_route("/list", self.list, methods=["GET"])
        self.router.add_api_route("/new", self.new, methods=["POST"])
    def list(self): ...
    def new(self): ...
""",
        },
        [
            "ANY /ws < require_user",
            "DELETE /sub/x/{id}",
            "GET /things/list < require_user",
            "GET /v1/outer/mid/inner/a < require_user, scopes",
            "GET /v1/outer/mid/inner/b < require_user, scopes",
            "POST /late < require_user",
            "POST /things/new < require_user",
            "POST /v1/outer/mid/inner/b < require_user, scopes",
        ],
    ),
    "flask nested+restful+smorest": (
        {
            "app.py": """\
from flask import Flask, Blueprint
from flask.views import MethodView
from flask_restful import Api, Resource
from flask_login import login_required
import smo

parent = Blueprint("parent", __name__, url_prefix="/parent")
child = Blueprint("child", __name__, url_prefix="/child")

@child.before_request
def gate(): ...

@child.post("/make")
@login_required
def make(): ...
parent.register_blueprint(child)

class Item(MethodView):
    decorators = [login_required]
    def get(self, id): ...
    def delete(self, id): ...

class Thing(Resource):
    method_decorators = [login_required]
    def put(self, id): ...

def create_app():
    app = Flask(__name__)
    app.register_blueprint(parent)
    app.add_url_rule("/items/<id>", view_func=Item.as_view("item"))
    app.add_url_rule("/old", "old", old, methods=["POST"])
    api = Api(app, prefix="/api")
    api.add_resource(Thing, "/things/<id>", "/thing/<id>")
    smo.init(app)
    return app

def old(): ...
""",
            "smo.py": """\
from flask_smorest import Api, Blueprint
from flask.views import MethodView
blp = Blueprint("pets", __name__, url_prefix="/pets")

@blp.route("/<id>")
class Pet(MethodView):
    @blp.response(200)
    def get(self, id): ...
    @blp.arguments(dict)
    def put(self, data, id): ...

def init(app):
    api = Api(app)
    api.register_blueprint(blp)
""",
        },
        [
            "DELETE /items/<id> < login_required, MethodView",
            "GET /items/<id> < login_required, MethodView",
            "GET /pets/<id> < blp.response",
            "POST /old",
            "POST /parent/child/make < gate, login_required",
            "PUT /api/thing/<id> < login_required, Resource",
            "PUT /api/things/<id> < login_required, Resource",
            "PUT /pets/<id> < blp.arguments",
        ],
    ),
    "connexion": (
        {
            "app.py": """\
import connexion
app = connexion.FlaskApp(__name__, specification_dir='spec/')
app.add_api('api.yaml')
""",
            "spec/api.yaml": """\
openapi: 3.0.0
servers:
  - url: /v1
components:
  securitySchemes:
    bearer: {type: http, scheme: bearer, x-bearerInfoFunc: auth.check}
security:
  - bearer: []
paths:
  /users:
    get:
      operationId: api.users.listed
    post:
      operationId: api.users.make
      security: []
  /users/{id}:
    x-openapi-router-controller: api.users
    delete:
      operationId: remove
""",
            "auth.py": "def check(token): ...\n",
            "api/__init__.py": "",
            "api/users.py": """\
def listed(): ...
def make(body): ...
def remove(id): ...
""",
        },
        [
            "DELETE /v1/users/{id} < connexion.security",
            "GET /v1/users < connexion.security",
            "POST /v1/users",
        ],
    ),
    "django all": (
        {
            "manage.py": "import django\n",
            "site1/settings.py": 'MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware", "django.contrib.auth.middleware.LoginRequiredMiddleware"]\n',
            "site1/urls.py": 'from django.contrib import admin\nfrom django.contrib.auth.decorators import login_required, permission_required\nfrom django.urls import include, path, re_path\nfrom shop import views\nfrom shop.api import router\nextra = [path("deep/", views.deep)]\nurlpatterns = [\n    path("admin/", admin.site.urls),\n    path("shop/", include(("shop.urls", "shop"), namespace="shop")),\n    path("x/", include([path("inline/", login_required(views.inline)), path("two/", views.two)])),\n    path("mix/", views.Mix.as_view()),\n    path("dec/", views.Dec.as_view()),\n    re_path(r"^old/(?P<pk>\\d+)/$", permission_required("shop.x")(views.old)),\n    path("api/", include(router.urls)),\n    path("fbv/", views.fbv),\n    path("gen/", views.Gen.as_view()),\n]\nurlpatterns += [path("plus/", views.plus)]\nurlpatterns += extra\n',
            "shop/__init__.py": "",
            "shop/urls.py": """\
from django.urls import path
from .views import deep
app_name='shop'
urlpatterns = [path('<int:pk>/deep/', deep, name='deep')]
""",
            "shop/views.py": """\
from django.contrib.auth.decorators import login_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.utils.decorators import method_decorator
from django.views import View
from rest_framework.decorators import api_view, permission_classes
from rest_framework import generics
from rest_framework.permissions import IsAuthenticated
def deep(request, pk=None): ...
def inline(request): ...
def two(request): ...
def old(request, pk): ...
def plus(request): ...
class Mix(LoginRequiredMixin, View):
    def post(self, request): ...
@method_decorator(login_required, name="dispatch")
class Dec(View):
    def delete(self, request): ...
    @method_decorator(login_required)
    def get(self, request): ...
@api_view(["GET", "POST"])
@permission_classes([IsAuthenticated])
def fbv(request): ...
class Gen(generics.ListCreateAPIView):
    permission_classes = (IsAuthenticated,)
""",
            "shop/api.py": """\
from rest_framework import routers, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import IsAdminUser
class OrderViewSet(viewsets.ModelViewSet):
    permission_classes = [IsAdminUser]
    @action(detail=False, methods=["post"], url_path="wipe-all", permission_classes=[])
    def wipe(self, request): ...
    @action(methods=["get", "delete"], detail=True)
    def notes(self, request, pk): ...
class Ping(viewsets.ViewSet):
    def list(self, request): ...
router = routers.SimpleRouter()
router.register(r"orders", OrderViewSet)
router.register("pings", Ping, basename="ping")
""",
        },
        [
            "ANY /admin/",
            "ANY /deep/",
            "ANY /old/(?P<pk>\\d+)/ < permission_required",
            "ANY /plus/",
            "ANY /shop/<int:pk>/deep/",
            "ANY /x/inline/ < login_required",
            "ANY /x/two/",
            "DELETE /api/orders/{pk} < IsAdminUser, viewsets.ModelViewSet",
            "DELETE /api/orders/{pk}/notes < IsAdminUser, viewsets.ModelViewSet",
            "DELETE /dec/ < method_decorator, login_required, View",
            "GET /api/orders < IsAdminUser, viewsets.ModelViewSet",
            "GET /api/orders/{pk} < IsAdminUser, viewsets.ModelViewSet",
            "GET /api/orders/{pk}/notes < IsAdminUser, viewsets.ModelViewSet",
            "GET /api/pings < viewsets.ViewSet",
            "GET /dec/ < method_decorator, login_required, View, method_decorator, login_required",
            "GET /fbv/ < api_view, permission_classes, IsAuthenticated",
            "GET /gen/ < IsAuthenticated, generics.ListCreateAPIView",
            "PATCH /api/orders/{pk} < IsAdminUser, viewsets.ModelViewSet",
            "POST /api/orders < IsAdminUser, viewsets.ModelViewSet",
            "POST /api/orders/wipe-all < viewsets.ModelViewSet, AllowAny",
            "POST /fbv/ < api_view, permission_classes, IsAuthenticated",
            "POST /gen/ < IsAuthenticated, generics.ListCreateAPIView",
            "POST /mix/ < LoginRequiredMixin, View",
            "PUT /api/orders/{pk} < IsAdminUser, viewsets.ModelViewSet",
        ],
    ),
    "aiohttp": (
        {
            "app.py": """\
from aiohttp import web
import handlers
routes = web.RouteTableDef()
@routes.get("/a")
async def a(request): ...
@routes.view("/v")
class V(web.View):
    async def get(self): ...
    async def post(self): ...
@web.middleware
async def auth(request, handler): ...
def make():
    app = web.Application(middlewares=[auth])
    app.add_routes(routes)
    app.add_routes([web.post("/b", handlers.b), web.delete("/c/{id}", handlers.c)])
    app.router.add_route("*", "/d", handlers.d)
    app.router.add_get("/e", handlers.e)
    admin = web.Application()
    admin.router.add_post("/wipe", handlers.wipe)
    app.add_subapp("/admin/", admin)
    return app
""",
            "handlers.py": """\
async def b(r): ...
async def c(r): ...
async def d(r): ...
async def e(r): ...
async def wipe(r): ...
""",
        },
        [
            "ANY /d < auth",
            "DELETE /c/{id} < auth",
            "GET /a < auth",
            "GET /e < auth",
            "GET /v < auth",
            "POST /admin/wipe < auth",
            "POST /b < auth",
            "POST /v < auth",
        ],
    ),
    "pyramid": (
        {
            "app.py": """\
from pyramid.config import Configurator
from pyramid.view import view_config
def main(global_config, **settings):
    config = Configurator(settings=settings)
    config.add_route("item", "/items/{id}")
    config.add_route("home", "/")
    config.add_view(home, route_name="home", request_method="POST")
    config.scan()
    return config.make_wsgi_app()
def home(request): ...
@view_config(route_name="item", request_method="DELETE", permission="edit", renderer="json")
def item(request): ...
""",
        },
        [
            "DELETE /items/{id} < permission_required",
            "POST /",
        ],
    ),
    "starlette": (
        {
            "app.py": """\
from starlette.applications import Starlette
from starlette.routing import Route, Mount, WebSocketRoute
from starlette.middleware import Middleware
from starlette.authentication import requires
@requires("authenticated")
async def home(request): ...
async def ws(s): ...
async def user(request): ...
class Ep:
    async def get(self, r): ...
app = Starlette(routes=[
    Route("/", home),
    Mount("/users", routes=[Route("/{id}", user, methods=["DELETE"])]),
    WebSocketRoute("/ws", ws),
    Route("/ep", Ep),
])
""",
        },
        [
            "ANY /ws",
            "DELETE /users/{id}",
            "GET / < requires",
            "GET /ep",
        ],
    ),
    "quart sanic tornado falcon litestar bottle": (
        {
            "q.py": """\
from quart import Quart
app = Quart(__name__)
@app.post('/q')
async def q(): ...
""",
            "s.py": """\
from sanic import Sanic, Blueprint
app = Sanic("x")
bp = Blueprint("b", url_prefix="/bp")
@bp.delete("/s/<id:int>")
async def s(request, id): ...
app.blueprint(bp)
@app.middleware("request")
async def check(request): ...
app.add_route(h, "/h", methods=["POST"])
async def h(request): ...
""",
            "t.py": 'import tornado.web\nclass H(tornado.web.RequestHandler):\n    @tornado.web.authenticated\n    def get(self): ...\n    def post(self): ...\napp = tornado.web.Application([(r"/t/(\\d+)", H), tornado.web.url(r"/u", H)])\n',
            "f.py": """\
import falcon
class R:
    def on_get(self, req, resp): ...
    def on_delete(self, req, resp): ...
app = falcon.App(middleware=[Auth()])
app.add_route("/f/{id}", R())
class Auth:
    def process_request(self, req, resp): ...
""",
            "l.py": """\
from litestar import Litestar, Controller, Router, get, post, delete
def guard(c, h): ...
class C(Controller):
    path = "/c"
    guards = [guard]
    @get("/{id:int}")
    async def one(self, id: int) -> dict: ...
    @post()
    async def make(self, data: dict) -> dict: ...
@delete("/d/{id:int}", guards=[guard])
async def d(id: int) -> None: ...
api = Router(path="/api", route_handlers=[C], guards=[guard])
app = Litestar(route_handlers=[api, d])
""",
            "b.py": """\
from bottle import route, run, post, Bottle
@route('/b/<id>', method='DELETE')
def b(id): ...
@post('/bb')
def bb(): ...
""",
        },
        [
            "DELETE /b/<id>",
            "DELETE /bp/s/<id:int>",
            "DELETE /d/{id:int} < guard",
            "DELETE /f/{id} < Auth",
            "GET /api/c/{id:int} < guard",
            "GET /f/{id} < Auth",
            "GET /t/(\\d+) < tornado.web.RequestHandler, tornado.web.authenticated",
            "GET /u < tornado.web.RequestHandler, tornado.web.authenticated",
            "POST /api/c < guard",
            "POST /bb",
            "POST /h",
            "POST /q",
            "POST /t/(\\d+) < tornado.web.RequestHandler",
            "POST /u < tornado.web.RequestHandler",
        ],
    ),
    "strawberry graphene ariadne": (
        {
            "st.py": """\
import strawberry
from strawberry.permission import BasePermission
from strawberry.fastapi import GraphQLRouter
from fastapi import FastAPI
class IsAuth(BasePermission):
    def has_permission(self, source, info, **kw): ...
@strawberry.type
class Query:
    @strawberry.field(permission_classes=[IsAuth])
    def me(self, info) -> str: ...
    @strawberry.field
    def users(self) -> list[str]: ...
@strawberry.type
class Mutation:
    @strawberry.mutation
    def delete_user(self, id: int) -> bool: ...
schema = strawberry.Schema(query=Query, mutation=Mutation)
app = FastAPI()
app.include_router(GraphQLRouter(schema), prefix="/graphql")
""",
            "gr.py": """\
import graphene
from graphql_jwt.decorators import login_required
class DeletePost(graphene.Mutation):
    class Arguments:
        id = graphene.ID()
    ok = graphene.Boolean()
    @login_required
    def mutate(self, info, id): ...
class Query(graphene.ObjectType):
    posts = graphene.List(graphene.String)
    def resolve_posts(self, info): ...
class Mutation(graphene.ObjectType):
    delete_post = DeletePost.Field()
schema = graphene.Schema(query=Query, mutation=Mutation)
""",
            "ar.py": """\
from ariadne import QueryType, MutationType, make_executable_schema
query = QueryType()
mutation = MutationType()
@query.field("orders")
def orders(_, info): ...
@mutation.field("dropOrder")
def drop(_, info, id): ...
""",
        },
        [
            "GET /graphql/me < IsAuth",
            "GET /graphql/orders",
            "GET /graphql/posts",
            "GET /graphql/users",
            "POST /graphql/DeletePost < login_required",
            "POST /graphql/delete_user",
            "POST /graphql/dropOrder",
        ],
    ),
}
