"""Small applications as people write them in each script framework, with every entry they have: method, path, what runs before it."""

SAMPLES: dict[str, tuple[dict[str, str], list[str]]] = {
    "express nested": (
        {
            "package.json": '{"name": "x", "dependencies": {"express": "4"}}',
            "src/app.ts": """\
import express from "express";
import { authenticate, requireRole } from "./mw";
import usersRouter from "./routes/users";
import { adminRouter } from "./routes/admin";
import * as ctl from "./ctl";
import { OrderController } from "./orders";
const app = express();
app.get("/open", ctl.open);
app.use("/users", usersRouter);
app.use(authenticate);
app.use("/admin", requireRole("admin"), adminRouter);
app.post("/many", [authenticate, requireRole("x")], ctl.many);
app.route("/chain").get(ctl.a).post(authenticate, ctl.b);
const orders = new OrderController();
app.delete("/orders/:id", orders.remove);
app.put("/orders/:id", orders.update.bind(orders));
app.all("/everything", (req, res) => { res.send("x"); });
export default app;
""",
            "src/mw.ts": """\
export function authenticate(req,res,next){}
export const requireRole = (r: string) => (req,res,next) => {};
""",
            "src/ctl.ts": """\
export const open = (req,res)=>{};
export async function many(req,res){}
export function a(req,res){}
export function b(req,res){}
""",
            "src/orders.ts": "export class OrderController { remove = async (req,res) => {}; update(req,res){} }\n",
            "src/routes/users.ts": """\
import { Router } from "express";
import { authenticate } from "../mw";
const router = Router();
router.get("/", (req,res)=>{});
router.use(authenticate);
router.delete("/:id", (req,res)=>{});
export default router;
""",
            "src/routes/admin.ts": """\
import { Router } from "express";
import nested from "./nested";
export const adminRouter = Router();
adminRouter.use("/nested", nested);
adminRouter.param("id", (req,res,next)=>next());
""",
            "src/routes/nested.ts": """\
import express from 'express';
const r = express.Router({mergeParams:true});
r.patch('/deep', async (req,res)=>{});
export = r;
""",
        },
        [
            "ANY /everything < authenticate",
            "DELETE /orders/:id < authenticate",
            "DELETE /users/:id < authenticate",
            "GET /chain < authenticate",
            "GET /open",
            "GET /users",
            "PATCH /admin/nested/deep < authenticate, requireRole",
            "POST /chain < authenticate",
            "POST /many < authenticate, requireRole",
            "PUT /orders/:id < authenticate",
        ],
    ),
    "express commonjs factories": (
        {
            "package.json": '{"name": "x", "dependencies": {"express": "4"}}',
            "server.js": """\
const express = require("express");
const app = express();
require("./routes")(app);
const api = require("./api");
app.use("/api/v1", api());
["users","posts"].forEach((n) => app.use(`/${n}`, require(`./r/${n}`)));
app.use("/static-loop", require("./r/users"));
class Server { constructor(){ this.app = express(); this.routes(); } routes(){ this.app.post("/cls", this.handle); this.app.use("/r", require("./r/posts")); } handle(req,res){} }
""",
            "routes/index.js": """\
const c = require('../c');
module.exports = (app) => { app.get('/one', c.one); app.post('/two', c.guard, c.two); };
""",
            "c.js": """\
exports.one = (req,res)=>{};
exports.two = function(req,res){};
module.exports.guard = (req,res,next)=>{};
""",
            "api.js": """\
const { Router } = require('express');
module.exports = () => { const api = Router(); api.get('/ping', (req,res)=>{}); api.use('/sub', require('./r/posts')); return api; };
""",
            "r/users.js": """\
const router = require('express').Router();
router.put('/:id', (req,res)=>{});
module.exports = router;
""",
            "r/posts.js": """\
const router = require('express').Router();
router.delete('/:id', (req,res)=>{});
module.exports = router;
""",
        },
        [
            "DELETE /api/v1/sub/:id",
            "DELETE /r/:id",
            "GET /api/v1/ping",
            "GET /one",
            "POST /cls",
            "POST /two < c.guard",
            "PUT /static-loop/:id",
        ],
    ),
    "fastify": (
        {
            "package.json": '{"name": "x", "dependencies": {"fastify": "4"}}',
            "app.ts": """\
import Fastify from "fastify";
import users from "./users";
import { guard } from "./guard";
const app = Fastify();
app.register(users, { prefix: "/users" });
app.register(async (child) => {
  child.addHook("preHandler", guard);
  child.post("/inside", async (req, reply) => {});
}, { prefix: "/in" });
app.get("/p", { preHandler: [guard] }, async () => {});
app.route({ method: ["POST","PUT"], url: "/r", onRequest: guard, handler: async () => {} });
app.delete("/outside", async () => {});
""",
            "guard.ts": "export async function guard(req, reply) { if (!req.user) reply.code(401).send(); }\n",
            "users.ts": """\
import type { FastifyInstance } from "fastify";
import fp from "fastify-plugin";
import posts from "./posts";
export default async function users(fastify: FastifyInstance) {
  fastify.addHook("onRequest", fastify.authenticate);
  fastify.get("/:id", async () => {});
  await fastify.register(posts, { prefix: "/posts" });
}
""",
            "posts.ts": """\
export default async function (fastify, opts) {
  fastify.delete('/:id', { onRequest: [fastify.authenticate] }, async () => {});
}
""",
        },
        [
            "DELETE /outside",
            "DELETE /users/posts/:id < fastify.authenticate",
            "GET /p < guard",
            "GET /users/:id < fastify.authenticate",
            "POST /in/inside < guard",
            "POST /r < guard",
            "PUT /r < guard",
        ],
    ),
    "koa hono": (
        {
            "package.json": '{"name": "x", "dependencies": {"koa": "2", "@koa/router": "12", "hono": "4"}}',
            "k.js": """\
const Koa = require("koa"); const Router = require("@koa/router");
const app = new Koa(); const router = new Router({ prefix: "/k" });
const nested = new Router();
nested.del("/:id", async (ctx) => {});
router.use(auth);
router.post("/a", auth, async (ctx) => {});
router.use("/n", nested.routes(), nested.allowedMethods());
app.use(auth2);
app.use(router.routes());
""",
            "h.ts": """\
import { Hono } from "hono";
import { jwt } from "hono/jwt";
import books from "./books";
const app = new Hono().basePath("/api");
app.use("/admin/*", jwt({ secret: "x" }));
app.post("/admin/x", (c) => c.text("x"));
app.route("/books", books);
app.on(["PUT","DELETE"], "/o/:id", auth, (c) => c.text("x"));
const sub = new Hono(); sub.get("/s", (c) => c.text("x")); app.route("/sub", sub);
export default app;
""",
            "books.ts": """\
import { Hono } from "hono";
const books = new Hono()
  .use(guard)
  .get("/", (c) => c.json([]))
  .delete("/:id", (c) => c.json([]));
export default books;
""",
        },
        [
            "DELETE /api/books/:id < guard",
            "DELETE /api/o/:id < auth",
            "DELETE /k/n/:id < auth2, auth",
            "GET /api/books < guard",
            "GET /api/sub/s",
            "POST /api/admin/x < jwt",
            "POST /k/a < auth2, auth",
            "PUT /api/o/:id < auth",
        ],
    ),
    "nest": (
        {
            "package.json": '{"name": "x", "dependencies": {"@nestjs/common": "10", "@nestjs/core": "10", "@nestjs/graphql": "12"}}',
            "main.ts": """\
import { NestFactory } from "@nestjs/core";
async function b(){ const app = await NestFactory.create(M); app.setGlobalPrefix("api"); app.useGlobalGuards(new G()); }
""",
            "c.ts": """\
import { Controller, Get, Post, Delete, UseGuards, Param, Body, Version } from "@nestjs/common";
import { Resolver, Query, Mutation } from "@nestjs/graphql";
@UseGuards(AuthGuard("jwt"), RolesGuard)
@Controller({ path: "cats", version: "1" })
export class Cats {
  @Public() @Get() all() {}
  @Post(":id/x") @Roles("admin") make(@Param("id") id: string) {}
  @Delete([":id", "all"]) del() {}
}
@Controller()
export class Root { @Get("health") h() {} }
@Resolver(() => Cat)
export class R { @Query(() => [Cat], { name: "cats" }) list() {} @UseGuards(G) @Mutation(() => Cat) removeCat() {} }
""",
        },
        [
            "DELETE /api/cats/:id < AuthGuard, RolesGuard",
            "DELETE /api/cats/all < AuthGuard, RolesGuard",
            "GET /api/cats < AuthGuard, RolesGuard, Public",
            "GET /api/health",
            "GET /graphql/list",
            "POST /api/cats/:id/x < AuthGuard, RolesGuard, Roles",
            "POST /graphql/removeCat < G",
        ],
    ),
    "next": (
        {
            "package.json": '{"name": "x", "dependencies": {"next": "14", "react": "18"}}',
            "middleware.ts": """\
import { NextResponse } from "next/server";
export function middleware(req) { if (!req.cookies.get("session")) return NextResponse.redirect("/login"); }
export const config = { matcher: ["/dashboard/:path*", "/api/:path*"] };
""",
            "app/api/items/[id]/route.ts": """\
import { withAuth } from "@/lib/a";
export const DELETE = withAuth(async (req, { params }) => {});
export async function GET(req) {}
const h = async () => {};
export { h as PUT, h as PATCH };
""",
            "app/api/auth/[...nextauth]/route.ts": """\
import NextAuth from "next-auth";
const handler = NextAuth({});
export { handler as GET, handler as POST };
""",
            "app/(shop)/cart/actions.ts": """\
"use server";
export async function add(id: string) {}
export const drop = async (id: string) => {};
async function hidden() {}
""",
            "app/page.tsx": 'export default function Page() { async function inline(formData: FormData) { "use server"; await db.x.create({}); } return <form action={inline} />; }\n',
            "src/pages/api/old.ts": "export default async function handler(req, res) {}\n",
            "pages/api/users/[id].ts": """\
import nc from "next-connect";
const handler = nc().use(auth).get(async (req,res)=>{}).delete(async (req,res)=>{});
export default handler;
""",
            "pages/api/plain.js": 'export default function handler(req, res) { if (req.method === "POST") {} }\n',
            "lib/a.ts": "export const withAuth = (h) => h;\n",
            "lib/safe.ts": """\
"use server";
import { actionClient } from "./c";
export const save = actionClient.schema(x).action(async ({ parsedInput }) => {});
""",
        },
        [
            "ANY /api/old",
            "ANY /api/plain",
            "ANY /api/users/[id] < nc, auth",
            "DELETE /api/items/[id] < withAuth",
            "GET /",
            "GET /api/auth/[...nextauth] < NextAuth",
            "GET /api/items/[id]",
            "PATCH /api/items/[id]",
            "POST /api/auth/[...nextauth] < NextAuth",
            "POST action:add",
            "POST action:drop",
            "POST action:inline",
            "POST action:save < actionClient",
            "PUT /api/items/[id]",
        ],
    ),
    "trpc": (
        {
            "package.json": '{"name": "x", "dependencies": {"@trpc/server": "10"}}',
            "r.ts": """\
import { router, publicProcedure, protectedProcedure } from "./t";
import { z } from "zod";
export const appRouter = router({
  list: publicProcedure.query(() => []),
  remove: protectedProcedure.input(z.object({ id: z.string() })).mutation(({ input }) => {}),
  nested: router({ wipe: publicProcedure.mutation(async () => {}) }),
});
export const other = createTRPCRouter({
  save: adminProcedure.input(z.string()).mutation(handler),
});
""",
            "t.ts": """\
import { initTRPC, TRPCError } from "@trpc/server";
const t = initTRPC.create();
export const router = t.router; export const publicProcedure = t.procedure;
const isAuthed = t.middleware(({ ctx, next }) => { if (!ctx.user) throw new TRPCError({ code: "UNAUTHORIZED" }); return next(); });
export const protectedProcedure = t.procedure.use(isAuthed);
""",
        },
        [
            "GET /trpc/list < publicProcedure",
            "POST /trpc/remove < protectedProcedure",
            "POST /trpc/save < adminProcedure",
            "POST /trpc/wipe < publicProcedure",
        ],
    ),
    "graphql": (
        {
            "package.json": '{"name": "x", "dependencies": {"@apollo/server": "4", "graphql": "16", "type-graphql": "2"}}',
            "a.js": """\
import { ApolloServer } from "@apollo/server";
import { resolvers } from "./resolvers";
const server = new ApolloServer({ typeDefs, resolvers });
""",
            "resolvers.js": """\
export const resolvers = {
  Query: { users: async (_, args, ctx) => ctx.db.user.findMany(), me: (_, __, { user }) => user },
  Mutation: {
    deleteUser: async (_, { id }, ctx) => ctx.db.user.delete({ where: { id } }),
    addPost(_, args, ctx) { if (!ctx.user) throw new Error("x"); },
  },
  User: { posts: (u) => u.posts },
};
""",
            "tg.ts": """\
import { Resolver, Query, Mutation, Authorized, Arg } from "type-graphql";
@Resolver()
export class RecipeResolver { @Query(() => [String]) recipes() {} @Authorized("ADMIN") @Mutation(() => Boolean) removeRecipe(@Arg("id") id: string) {} }
""",
        },
        [
            "GET /graphql/me",
            "GET /graphql/recipes",
            "GET /graphql/users",
            "POST /graphql/addPost",
            "POST /graphql/deleteUser",
            "POST /graphql/removeRecipe < Authorized",
        ],
    ),
    "remix sveltekit": (
        {
            "package.json": '{"name": "x", "dependencies": {"@remix-run/node": "2", "@remix-run/react": "2"}}',
            "app/routes/notes.$id.tsx": """\
export async function action({ request }) {}
export const loader = async () => {};
""",
            "app/routes/_auth.login.tsx": "export async function action({ request }) {}\n",
        },
        [
            "GET /notes/:id",
            "POST /login",
            "POST /notes/:id",
        ],
    ),
    "sveltekit": (
        {
            "package.json": '{"name": "w", "devDependencies": {"@sveltejs/kit": "2", "svelte": "5"}}',
            "src/routes/api/x/[id]/+server.ts": """\
export const DELETE = async ({ locals }) => {};
export async function GET() {}
""",
            "src/routes/(app)/todo/+page.server.ts": """\
export const load = async () => {};
export const actions = { default: async ({ request }) => {}, remove: async () => {} };
""",
            "src/hooks.server.ts": 'export const handle = async ({ event, resolve }) => { if (!event.locals.user) throw redirect(303, "/login"); return resolve(event); };\n',
        },
        [
            "DELETE /api/x/[id]",
            "GET /api/x/[id]",
            "GET /todo",
            "POST /todo?/default",
            "POST /todo?/remove",
        ],
    ),
    "nuxt": (
        {
            "package.json": '{"name": "x", "dependencies": {"nuxt": "3"}}',
            "server/api/users/[id].delete.ts": "export default defineEventHandler(async (event) => {});\n",
            "server/api/all.ts": "export default eventHandler((event) => {});\n",
            "server/middleware/auth.ts": "export default defineEventHandler((event) => { if (!event.context.user) throw createError({ statusCode: 401 }); });\n",
        },
        [
            "ANY /api/all < eventHandler",
            "DELETE /api/users/[id] < defineEventHandler",
        ],
    ),
    "astro": (
        {
            "package.json": '{"name": "x", "dependencies": {"astro": "4"}}',
            "src/pages/api/x.ts": """\
import type { APIRoute } from "astro";
export const POST: APIRoute = async ({ request }) => {};
export const GET: APIRoute = () => {};
""",
            "src/actions/index.ts": """\
import { defineAction } from "astro:actions";
export const server = { like: defineAction({ input: z.object({}), handler: async (input) => {} }) };
""",
        },
        [
            "GET /api/x",
            "POST /api/x",
        ],
    ),
    "supabase firebase cloudflare": (
        {
            "package.json": '{"name": "x", "dependencies": {"firebase-functions": "4"}}',
            "supabase/functions/del/index.ts": """\
import { serve } from "https://deno.land/std/http/server.ts";
serve(async (req) => {});
""",
            "supabase/functions/two/index.ts": """\
const handler = async (req: Request) => {};
Deno.serve(handler);
""",
            "functions/index.js": """\
const functions = require("firebase-functions");
exports.pay = functions.https.onCall(async (data, context) => {});
exports.web = functions.region("eu").https.onRequest((req, res) => {});
exports.bg = functions.firestore.document("x").onCreate(() => {});
""",
            "functions/v2.ts": """\
import { onCall, onRequest } from "firebase-functions/v2/https";
export const a = onCall({ cors: true }, async (req) => {});
export const api = onRequest(app);
""",
            "worker/index.ts": "export default { async fetch(request, env, ctx) { return new Response(); } };\n",
            "wrangler.toml": """\
name="x"
main="worker/index.ts"
""",
        },
        [
            "ANY /functions/v1/del",
            "ANY /functions/v1/two",
            "ANY /web",
            "ANY /{}",
            "POST /a",
            "POST /pay",
        ],
    ),
    "sockets behind middleware": (
        {
            "package.json": '{"name": "x", "dependencies": {"socket.io": "4"}}',
            "server.js": """\
const { Server } = require("socket.io");
const { authSocket } = require("./auth");
const io = new Server(3000);
io.use(authSocket);
io.on("connection", (socket) => {
  socket.on("message", (text) => {});
  socket.on("disconnect", () => {});
});
""",
            "auth.js": "exports.authSocket = (socket, next) => (socket.handshake.auth.token ? next() : next(new Error('unauthorized')));\n",
        },
        [
            "ANY message < authSocket",
        ],
    ),
}
