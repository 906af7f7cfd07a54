"""What names of tables and columns say: which table a key means, what is money, what is a state, what is kept as a record of the past."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from auditor.model.tables import Column, Table

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_KEY_END = frozenset({"id", "uuid", "fk"})
_OUTSIDE_WORDS = """
    stripe paypal external ext google github gitlab facebook apple twitter telegram discord slack oauth provider remote vendor auth0 clerk firebase supabase aws s3
    openai anthropic twilio sendgrid shopify hubspot salesforce zoom jira linear notion plaid braintree mollie razorpay correlation trace request
    legacy old source origin third foreign ldap saml oidc sub azure microsoft whatsapp instagram youtube tiktok spotify amazon ebay
    polar lemonsqueezy paddle asaas mercadopago
    """
_OUTSIDE = frozenset(_OUTSIDE_WORDS.split())
"""Words of a key that is another system's."""
_PAST_WORDS = """
    log logs audit event events history histories activity activities tracking tracker metric metrics analytics archive archived snapshot snapshots backup backups cache
    temp tmp staging import imports stat stats statistics visit visits view views click clicks read reads search searches queue jobs outbox trace traces telemetry report reports
    transition transitions webhook webhooks delivery deliveries notification notifications usage
    """
_PAST = frozenset(_PAST_WORDS.split())
"""Words of tables that keep what happened: their rows outlive what they speak of, and repeats are the truth."""
_MONEY = re.compile(
    r"^(?:unit|base|net|gross|sale|sales|list|cost|purchase|selling|original|final|regular|retail|wholesale|discount|discounted|total|sub|grand|monthly|yearly|annual|hourly|order|item|line|paid)?_?"
    r"(?:price|prices|salary|wage|balance|subtotal|mrp|revenue|refund|invoice_total|order_total|grand_total|tuition|deposit)$"
    r"|^(?:amount|total|price|balance)_(?:paid|due|amount|price|cost|usd|eur|gbp|brl|inr|spent|tax|value|in_\w+)$|^(?:paid|due|tax|discount|refund|payment|invoice|order|total|net|gross|vat|shipping|tip|fee|credit|debit|bill)_(?:amount|total|fee|cost|price)$"
    r"|^(?:shipping|delivery|service|booking|transaction|processing|late|membership|course)_(?:fee|cost|fees|costs)$"
)
_MONEY_IN = re.compile(r"^(?:amount|total|cost|fee|fees|tax|cgst|sgst|igst|gst_amount|vat|tip|discount|value|sum|spent|expense)$")
_BILLS_WORDS = "invoice invoices payment payments order orders transaction transactions expense expenses bill bills quotation quotations refund refunds payout payouts purchase purchases sale sales salary budget budgets loan loans wallet wallets checkout receipt receipts donation donations order_item order_items"
_BILLS = frozenset(_BILLS_WORDS.split())
_NO_MONEY = re.compile(r"percent|rate|ratio|_pct|count|quantity|qty|weight|score")
FLOATS = frozenset(
    {"float", "real", "double", "double precision", "double_precision", "float8", "float4", "floatfield", "doubleprecision", "doublefield"}
)
"""Types that cannot hold a cent exactly."""
_STATES = re.compile(r"^(?:\w+_)?(?:status|state|role|priority|visibility|severity)$")
_TEXTS = re.compile(r"^(?:str|string|text|varchar|char|character varying|charfield|textfield|unicode|bpchar|citext|nvarchar|\w*varchar)$")
_NUMBERS = re.compile(r"int|serial|autofield|number")
_JSON = re.compile(r"^(?:json|jsonb|jsonfield|array|object|mutablejson|arrayfield|.*\[\])$")
_LINES = frozenset({"items", "line_items", "order_items", "lines", "products", "cart_items", "invoice_items", "bill_items"})
_IDENTITIES = frozenset({"email", "email_address", "username", "user_name", "login", "mail", "login_name"})
_SECRETS = re.compile(r"^(?:hashed_?|encrypted_?)?(?:password|passwd|pwd|pass)(?:_?(?:hash|hashed|digest))?$")
_ACCOUNTS_WORDS = "user users account accounts admin admins member members customer customers employee employees teacher teachers student students physician physicians patient patients doctor doctors profile profiles staff owner owners operator operators"
_ACCOUNTS = frozenset(_ACCOUNTS_WORDS.split())


def words(name: str) -> tuple[str, ...]:
    """The words of a name, in lower case: `orderItemId` and `order_item_id` alike."""
    return tuple(found.lower() for found in _WORDS.findall(name))


def snaked(name: str) -> str:
    """The words of a name joined by underscores."""
    return "_".join(words(name))


def singular(word: str) -> str:
    """An English noun in the singular, as far as table names need it."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "uses")) and len(word) > 5:
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3 else word


def is_past(table: Table) -> bool:
    """Whether a table keeps what happened."""
    return bool(_PAST & {*words(table.name), *words(table.table)})


class TableNames:
    """Finds the table that the name of a column means."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self._by_word: defaultdict[str, list[Table]] = defaultdict(list)
        self._accounts: list[Table] = []
        for table in tables:
            for name in {self._key(table.name), self._key(table.table)} - {""}:
                self._by_word[name].append(table)
            if identities(table):
                self._accounts.append(table)

    @staticmethod
    def _key(name: str) -> str:
        parts = words(name.rsplit(".", 1)[-1])
        return "_".join((*parts[:-1], singular(parts[-1]))) if parts else ""

    def named(self, name: str) -> list[Table]:
        """The tables of that name, in the singular or the plural."""
        return self._by_word.get(self._key(name), [])

    def meant(self, column: Column, owner: Table) -> Table | None:
        """The table whose key a column holds by its name (`user_id`, `senderUserId`); None for keys of other systems and for what means no table."""
        parts = words(column.attribute or column.name)
        if len(parts) < 2 or parts[-1] not in _KEY_END or _OUTSIDE & set(parts[:-1]):
            return None
        stem = parts[:-1]
        if owner.column("_".join((*stem, "type"))) is not None or owner.column(f"{''.join(stem)}Type") is not None:
            return None  # which table it is stands in another column
        for start in range(len(stem)):
            found = [table for table in self.named("_".join(stem[start:])) if table.mapper == owner.mapper]
            if len(found) == 1 and _fits(column, found[0]):
                target = found[0]
                own = target is owner and start == 0 and len(stem) == 1  # the table's own number at somebody else's
                same = target.column(column.name)  # then it is the number that the target, too, has at somebody else's
                return None if own or (same is not None and not same.primary and target is not owner) else target
        return self._account(column, owner) if stem == ("user",) else None

    def _account(self, column: Column, owner: Table) -> Table | None:
        """The one table of accounts, where none is named "user"."""
        found = [table for table in self._accounts if table.mapper == owner.mapper and table is not owner and "user" in words(table.name)]
        return found[0] if len(found) == 1 and not self.named("user") and _fits(column, found[0]) else None


def _fits(column: Column, target: Table) -> bool:
    """Whether a column can hold the key of a table: not a text where the key is a number."""
    key = next((each for each in target.columns if each.primary), None)
    if key is None or not key.type or not column.type:
        return True
    return (_TEXTS.match(column.type) is not None) <= (_NUMBERS.search(key.type) is None)


def is_money(column: Column, table: Table) -> bool:
    """Whether a column holds an amount of money, by its name and its table's."""
    name = snaked(column.attribute or column.name)
    if _NO_MONEY.search(name) or is_past(table):
        return False
    owner = {*words(table.name), *words(table.table)}
    return _MONEY.match(name) is not None or (_MONEY_IN.match(name) is not None and bool(owner & _BILLS))


def is_state(column: Column) -> bool:
    """Whether a column holds one of a few words."""
    return _STATES.match(snaked(column.attribute or column.name)) is not None and _TEXTS.match(column.type) is not None


def holds_items(column: Column, table: Table) -> bool:
    """Whether a bill keeps its lines inside of one value."""
    return (
        snaked(column.name) in _LINES
        and bool(_BILLS & {*words(table.name), *words(table.table)})
        and (_JSON.match(column.type) is not None or is_text(column))
    )


def is_blob(column: Column) -> bool:
    """Whether a column holds a structure or a list."""
    return _JSON.match(column.type) is not None


def is_text(column: Column) -> bool:
    """Whether a column holds plain text."""
    return _TEXTS.match(column.type) is not None


def identities(table: Table) -> list[Column]:
    """The columns by which people log in; none for tables that hold no accounts."""
    keeps_secret = any(_SECRETS.match(snaked(column.attribute or column.name)) for column in table.columns)
    own = {words(table.name)[-1:], words(table.table)[-1:]}
    people = any(word in _ACCOUNTS or word.endswith(("user", "users")) for last in own for word in last)
    foreign = "account" in "".join(words(table.name)) and len(words(table.name)) > 1 and not {"user", "customer"} & set(words(table.name))
    if not keeps_secret or not people or foreign:
        return []
    return [column for column in table.columns if snaked(column.attribute or column.name) in _IDENTITIES]
