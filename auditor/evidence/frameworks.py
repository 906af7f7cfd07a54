"""Frameworks and platforms this version recognises, and what each says about the kind of the part that uses it. Tables only."""

from __future__ import annotations

from auditor.model.project import Kind

PYTHON_PACKAGES: dict[str, str] = {
    "fastapi": "fastapi", "flask": "flask", "django": "django", "rest_framework": "drf", "ninja": "django-ninja", "starlette": "starlette",
    "aiohttp.web": "aiohttp", "tornado.web": "tornado", "sanic": "sanic", "bottle": "bottle", "falcon": "falcon", "pyramid": "pyramid",
    "litestar": "litestar", "quart": "quart", "robyn": "robyn", "cherrypy": "cherrypy", "web2py": "web2py", "streamlit": "streamlit", "gradio": "gradio", "chainlit": "chainlit",
    "dash": "dash", "nicegui": "nicegui", "reflex": "reflex", "discord": "discord", "telegram": "telegram", "telebot": "telegram", "aiogram": "telegram",
    "slack_bolt": "slack", "PyQt5": "qt", "PyQt6": "qt", "PySide6": "qt", "tkinter": "tkinter", "customtkinter": "tkinter", "kivy": "kivy", "pygame": "pygame",
    "celery": "celery", "rq": "rq", "dramatiq": "dramatiq", "airflow": "airflow", "prefect": "prefect", "dagster": "dagster", "luigi": "luigi", "pyspark": "spark",
    "click": "click", "typer": "typer", "argparse": "argparse", "fire": "fire", "sqlalchemy": "sqlalchemy", "sqlmodel": "sqlmodel", "peewee": "peewee", "tortoise": "tortoise",
    "pymongo": "mongodb", "motor": "mongodb", "mongoengine": "mongodb", "beanie": "mongodb", "supabase": "supabase", "firebase_admin": "firebase",
    "sqlite3": "sqlite", "psycopg2": "postgres", "psycopg": "postgres", "asyncpg": "postgres", "redis": "redis", "openai": "openai", "anthropic": "anthropic",
    "langchain": "langchain", "strawberry": "graphql", "graphene": "graphql", "grpc": "grpc", "mcp": "mcp", "fastmcp": "mcp",
    "chalice": "chalice", "functions_framework": "cloud-functions", "arq": "arq", "dbt": "dbt", "dbt_core": "dbt", "kedro": "kedro", "metaflow": "metaflow", "flet": "flet", "shiny": "shiny", "panel": "panel",
}  # fmt: skip
"""Top-level import (or dotted prefix) -> framework name."""

NPM_PACKAGES: dict[str, str] = {
    "express": "express", "fastify": "fastify", "koa": "koa", "hono": "hono", "@nestjs/core": "nestjs", "@hapi/hapi": "hapi", "restify": "restify", "polka": "polka",
    "next": "nextjs", "nuxt": "nuxt", "@sveltejs/kit": "sveltekit", "@remix-run/node": "remix", "@remix-run/server-runtime": "remix", "@react-router/node": "remix", "@react-router/serve": "remix", "astro": "astro", "@tanstack/react-start": "tanstack-start", "gatsby": "gatsby",
    "react": "react", "react-dom": "react", "vue": "vue", "svelte": "svelte", "@angular/core": "angular", "solid-js": "solid", "preact": "preact", "vite": "vite", "react-scripts": "cra",
    "electron": "electron", "@tauri-apps/api": "tauri", "react-native": "react-native", "expo": "expo", "@ionic/react": "ionic", "@capacitor/core": "capacitor",
    "discord.js": "discord", "telegraf": "telegram", "node-telegram-bot-api": "telegram", "@slack/bolt": "slack", "@supabase/supabase-js": "supabase", "firebase": "firebase", "firebase-admin": "firebase",
    "@prisma/client": "prisma", "prisma": "prisma", "drizzle-orm": "drizzle", "typeorm": "typeorm", "sequelize": "sequelize", "knex": "knex", "mongoose": "mongodb", "mongodb": "mongodb", "pg": "postgres",
    "mysql2": "mysql", "better-sqlite3": "sqlite", "sqlite3": "sqlite", "ioredis": "redis", "redis": "redis", "@trpc/server": "trpc", "@apollo/server": "graphql", "graphql-yoga": "graphql",
    "socket.io": "socketio", "ws": "websocket", "openai": "openai", "@anthropic-ai/sdk": "anthropic", "ai": "ai-sdk", "commander": "commander", "yargs": "yargs", "oclif": "oclif", "bullmq": "bullmq", "vscode": "vscode",
    "@clerk/nextjs": "clerk", "next-auth": "nextauth", "passport": "passport", "convex": "convex", "pocketbase": "pocketbase", "appwrite": "appwrite", "aws-amplify": "amplify", "@modelcontextprotocol/sdk": "mcp",
    "firebase-functions": "firebase-functions", "@strapi/strapi": "strapi", "@adonisjs/core": "adonis", "@keystone-6/core": "keystone", "sails": "sails", "@feathersjs/feathers": "feathers", "payload": "payload",
    "@11ty/eleventy": "eleventy", "@docusaurus/core": "docusaurus", "vitepress": "vitepress", "vuepress": "vuepress", "@hono/node-server": "hono", "srvx": "srvx", "grammy": "telegram", "@tauri-apps/cli": "tauri", "@elysiajs/node": "elysia",
}  # fmt: skip
"""npm package -> framework name."""

CONSTRUCTORS: dict[str, str] = {
    "FastAPI": "fastapi", "fastapi.FastAPI": "fastapi", "Flask": "flask", "flask.Flask": "flask", "Starlette": "starlette", "web.Application": "aiohttp", "aiohttp.web.Application": "aiohttp", "Application": "aiohttp",
    "tornado.web.Application": "tornado", "Sanic": "sanic", "Bottle": "bottle", "falcon.App": "falcon", "falcon.asgi.App": "falcon", "Configurator": "pyramid", "Litestar": "litestar",
    "Quart": "quart", "Robyn": "robyn", "FastMCP": "mcp", "Dash": "dash", "dash.Dash": "dash", "grpc.server": "grpc", "grpc.aio.server": "grpc",
    "express": "express", "fastify": "fastify", "Fastify": "fastify", "new Koa": "koa", "new Hono": "hono", "NestFactory.create": "nestjs", "new Elysia": "elysia", "http.createServer": "node-http",
    "https.createServer": "node-http", "createServer": "node-http", "Deno.serve": "deno", "serve": "deno", "Bun.serve": "bun", "new Server": "socketio", "new WebSocketServer": "websocket", "new ApolloServer": "graphql", "Hapi.server": "hapi", "polka": "polka",
    "Celery": "celery", "celery.Celery": "celery", "Chalice": "chalice", "new Worker": "bullmq", "createYoga": "graphql", "onRequest": "firebase-functions", "onCall": "firebase-functions", "onSchedule": "firebase-functions",
    "functions.https.onRequest": "firebase-functions", "functions.https.onCall": "firebase-functions", "restify.createServer": "restify",
}  # fmt: skip
"""Callee that builds a server -> framework; a part that only imports a framework is not yet a service."""

APPS = frozenset(
    {
        "streamlit",
        "gradio",
        "chainlit",
        "nicegui",
        "reflex",
        "discord",
        "telegram",
        "slack",
        "qt",
        "tkinter",
        "kivy",
        "pygame",
        "electron",
        "tauri",
        "react-native",
        "expo",
        "vscode",
        "dash",
        "flet",
        "shiny",
        "panel",
    }
)
PIPELINES = frozenset({"airflow", "prefect", "dagster", "luigi", "spark", "dbt", "kedro", "metaflow"})
BROWSER_UI = frozenset({"react", "vue", "svelte", "angular", "solid", "preact"})
FULLSTACK = frozenset({"nextjs", "nuxt", "sveltekit", "remix", "tanstack-start"})
STATIC_SITES = frozenset({"astro", "gatsby", "eleventy", "docusaurus", "vitepress", "vuepress"})
SELF_STARTING = frozenset({"strapi", "adonis", "keystone", "sails", "feathers", "payload"})
"""Server frameworks whose own command starts the server: no constructor stands in the code."""
MOBILE = frozenset({"react-native", "expo", "ionic", "capacitor"})
COMMAND_LINES = frozenset({"click", "typer", "argparse", "fire", "commander", "yargs", "oclif"})

KIND_WORDS: dict[Kind, str] = {
    Kind.SERVICE: "a service that answers requests",
    Kind.FULLSTACK: "a service with its own user interface",
    Kind.FRONTEND: "a browser application",
    Kind.APP: "an application",
    Kind.CLI: "a command-line program",
    Kind.LIBRARY: "a library",
    Kind.PIPELINE: "a data pipeline",
}
