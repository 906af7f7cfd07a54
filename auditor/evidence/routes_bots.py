"""Commands of chat bots: whoever can write to the bot can send them. Telegram, Discord and Slack libraries of both languages. Part of the evidence ROUTES.

Buttons are no entries: the chat's server takes a press only from whom it showed the button.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from auditor.evidence.route_names import Names
from auditor.evidence.route_table import Table, place_of
from auditor.evidence.routes_script import ScriptRoutes
from auditor.languages.migrations import last
from auditor.model.evidence import Route, RouteKind
from auditor.model.syntax import Call, FileFacts, Value, ValueKind

_PYTHON = {
    "telegram": "telegram", "aiogram": "telegram", "telebot": "telegram", "pyrogram": "telegram", "telethon": "telegram",
    "discord": "discord", "nextcord": "discord", "disnake": "discord", "interactions": "discord", "slack_bolt": "slack",
}  # fmt: skip
_SCRIPT = {
    "telegraf": "telegram", "grammy": "telegram", "node-telegram-bot-api": "telegram", "discord.js": "discord", "@slack/bolt": "slack",
}  # fmt: skip
_DECORATED = frozenset({"command", "hybrid_command", "slash_command"})
_DECORATED_IF_NAMED = frozenset({"message_handler", "message", "on_message"})
_SCRIPT_VERBS = frozenset({"command", "onText"})
_EVENTS = frozenset({"interactionCreate", "messageCreate", "message"})
_LAYER = re.compile(r"\.(?:message|update)\.(?:filter|middleware|outer_middleware)$|(?:^|\.)bot\.use$")


def python_commands(names: Names, table: Table, files: Iterable[FileFacts]) -> None:
    """Decorated commands, and handlers given to a `CommandHandler`; other decorators, filters and middleware run before.

    Middleware counts for every command, whichever router it was given to: routers of bots are tied together while the program runs.
    """
    mine = [(facts, library) for facts in files if (library := _library(facts, _PYTHON))]
    layers = tuple(_layers(facts for facts, _ in mine))
    for facts, library in mine:
        for index, definition in enumerate(facts.definitions):
            for decorator in definition.decorators:
                verb, said = last(decorator.callee), next(_said(names, facts, decorator), "")
                if "." in decorator.callee and (verb in _DECORATED or (verb in _DECORATED_IF_NAMED and said)):
                    others = tuple(entry.callee for entry in definition.decorators if entry is not decorator)
                    before = (*layers, *others, *_asked(decorator))
                    table.add(None, _command(facts, index, said or definition.name, library, before), definition.line)
        for call in facts.calls:
            handler = call.argument("callback", 1)
            if last(call.callee) == "CommandHandler" and handler is not None and handler.literal:
                spot = names.spot(facts.path, handler.literal)
                home, index = (names.facts[spot.path], names.definition(spot)) if spot is not None else (facts, -1)
                command = next(_said(names, facts, call), last(handler.literal))
                table.add(None, _command(home, index, command, library, (*layers, *_asked(call)), call.line), call.line)


def script_commands(routes: ScriptRoutes, table: Table, files: Iterable[FileFacts]) -> None:
    """`bot.command("ban", admins, handler)`, `bot.onText(/…/, handler)` and the one handler for all interactions."""
    mine = [(facts, library) for facts in files if (library := _library(facts, _SCRIPT))]
    layers = tuple(_layers(facts for facts, _ in mine))
    for facts, library in mine:
        for call in facts.calls:
            verb, first = last(call.callee), call.arguments[0].value if call.arguments else None
            if first is None or len(call.arguments) < 2 or not (verb in _SCRIPT_VERBS or (verb == "on" and first.literal in _EVENTS)):
                continue
            home, index, name = routes.handler(facts, call, call.arguments[-1].value)
            before = (*layers, *(argument.value.literal for argument in call.arguments[1:-1] if argument.value.literal))
            command = re.sub(r"[^\w-]+", "", first.literal) or name or verb
            table.add(None, replace(_command(home, index, command, library, before, call.line), handler=name), call.line)


def _library(facts: FileFacts, known: dict[str, str]) -> str:
    """The chat a file speaks to, "" when none."""
    heads = (statement.module if known is _SCRIPT else statement.module.split(".", maxsplit=1)[0] for statement in facts.imports)
    return next((known[head] for head in heads if head in known), "")


def _layers(files: Iterable[FileFacts]) -> Iterator[str]:
    """What bots and routers run before every command."""
    for facts in files:
        for call in facts.calls:
            if _LAYER.search(call.callee):
                yield from _asked(call)


def _command(  # noqa: PLR0917 - one entry and what is known of it
    facts: FileFacts, index: int, name: str, library: str, before: tuple[str, ...], line: int = 0
) -> Route:
    definition = facts.definitions[index] if index >= 0 else None
    place = place_of(facts.path, definition.line if definition is not None else line)
    handler = definition.qualname if definition is not None else ""
    return Route(RouteKind.COMMAND, "ANY", f"/{name.strip('/')}", handler, place, library, index, None, before)


def _said(names: Names, facts: FileFacts, call: Call) -> Iterator[str]:
    """The commands a decorator or handler names: a text, a list of them, `commands=[...]`, `Command("x")`."""
    given: list[Value] = [argument.value for argument in call.arguments if argument.name in {"", "command", "commands", "name"}]
    for value in given:
        inner = [item for _, item in value.items]
        if value.kind is ValueKind.CALL and last(value.literal) not in {"Command", "CommandStart"}:
            continue
        for each in (value, *inner):
            text = names.text(facts.path, each) if each.kind is ValueKind.STRING else None
            if text:
                yield text


def _asked(call: Call) -> Iterator[str]:
    """What a registration asks of the sender: names in its arguments."""
    for argument in call.arguments:
        yield from argument.value.names or ((argument.value.literal,) if argument.value.kind is ValueKind.CALL else ())
