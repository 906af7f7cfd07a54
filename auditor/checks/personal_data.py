"""Which tables keep data about people, and which of their columns do. What becomes of the rows stands in `row_removals`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.checks.model_names import identities, is_past, singular, snaked, words
from auditor.model.tables import Column, DataModel, Table

_ABOUT = re.compile(
    r"(?:^|_)(?:e_?mail|e_?mail_?address|mail_address|phone|phone_?(?:number|no)|mobile|mobile_?(?:number|no|phone)|cell_?phone|telephone|whats_?app(?:_?number)?|contact_?(?:number|phone)|"
    r"birth_?date|date_of_birth|dob|birth_?day|ssn|social_security_(?:number|no)|passport(?:_?(?:number|no))?|national_id|aadhaar(?:_?number)?|cpf|nik|"
    r"first_?name|last_?name|given_?name|family_?name|surname|marital_status|blood_(?:type|group)|diagnos[ie]s|allerg(?:y|ies)|medical_(?:history|record|notes?)|"
    r"emergency_contact(?:_?(?:name|phone|number))?|home_address|street_address|postal_address|shipping_address|billing_address|delivery_address)$"
)
"""Names of columns that are about a person wherever they stand."""
_OF_PEOPLE = re.compile(r"^(?:full_?name|display_?name|middle_?name|gender|nationality|birth_?place|occupation)$")
"""Names of columns that are about a person where the table is: languages and licences have full names, too."""
_NAMED_PERSON = re.compile(
    r"^(?:customer|guest|patient|attendee|student|client|buyer|participant|applicant|visitor|employee|member|subscriber|parent|driver|passenger|donor|candidate|recipient|guardian|doctor|teacher)_?(?:full_?)?name$"
)
_ADDRESS = re.compile(r"(?:^|_)(?:ip|ip_?addr(?:ess)?|remote_addr(?:ess)?|client_ip)$")
_NO_PERSON = re.compile(
    r"^(?:smtp|from|sender|support|company|business|store|shop|restaurant|organi[sz]ation|org|vendor|supplier|system|no_?reply|reply_to|bcc|server|service|bot|merchant|host|default|hotel|clinic|school|venue|brand|bill(?:ing)?_?from|site|website|notification|template|test|device|machine|node|target)_"
)
"""First words of columns that hold the address of a firm or a machine."""
_FIRMS_WORDS = """
    company companies store stores shop shops restaurant restaurants vendor vendors supplier suppliers organization organizations organisation organisations setting settings
    config configs configuration configurations smtp template templates tenant tenants brand brands school schools domain domains server servers branch branches office offices
    hotel hotels clinic clinics department departments warehouse warehouses location locations venue venues hospital hospitals university universities business businesses
    merchant merchants site sites campus monitor monitors host hosts node nodes device devices integration integrations airline airlines carrier carriers channel channels
    """
_FIRMS = frozenset(_FIRMS_WORDS.split())
"""Last words of tables that are about firms, places and machines."""
_OCCASIONS = frozenset(
    {"event", "events", "conference", "conferences", "project", "projects", "listing", "listings", "job", "jobs", "page", "pages"}
)
"""Last words of tables whose addresses are where somebody can ask about them."""
_PEOPLE_WORDS = "user account member customer client employee person people patient student teacher guest visitor subscriber contact applicant candidate attendee participant donor parent child driver tenant profile physician doctor author speaker owner"
_PEOPLE = frozenset(_PEOPLE_WORDS.split())
_CONTACT = frozenset({"email", "email_address", "phone", "phone_number", "telephone", "mobile"})
_NO_VALUE = re.compile(r"bool|^bit$|^date|^time|^int|^number$|^bigint|^smallint")
"""Types that can hold no address, for columns that say whether one is wanted or confirmed."""
_DATED = re.compile(r"birth|dob")
_SESSIONS = frozenset(
    {"session", "sessions", "login", "logins", "visitor", "visitors", "token", "tokens", "track", "tracks", "attempt", "attempts"}
)


@dataclass(frozen=True, slots=True)
class PersonalTable:
    """A table that keeps data about people, with the columns that do; `account`: its rows are people who log in."""

    table: Table
    columns: tuple[Column, ...]
    account: bool

    @property
    def name(self) -> str:
        """The table as its declaration calls it."""
        return self.table.name


def personal_tables(model: DataModel) -> tuple[PersonalTable, ...]:
    """All tables about people, in the order of path and line."""
    return tuple(found for table in model.tables if (found := _personal(table)) is not None)


def _personal(table: Table) -> PersonalTable | None:
    bare = not _OCCASIONS.isdisjoint(_last_words(table))
    columns = tuple(c for c in table.columns if _is_personal(c, table) and not (bare and snaked(c.attribute or c.name) in _CONTACT))
    if not (columns or _is_of_people(table)) or _is_firm(table):
        return None
    more = tuple(
        c for c in table.columns if c not in columns and _OF_PEOPLE.match(snaked(c.attribute or c.name)) and not _NO_VALUE.search(c.type)
    )
    return PersonalTable(table, (*columns, *more), bool(identities(table))) if columns or more else None


def _is_personal(column: Column, table: Table) -> bool:
    """Whether a column holds something about a person."""
    name = snaked(column.attribute or column.name)
    if _NO_PERSON.match(name) or (_NO_VALUE.search(column.type) and not _DATED.search(name)) or column.references:
        return False
    if _ABOUT.search(name) or _NAMED_PERSON.match(name):
        return True
    return _ADDRESS.search(name) is not None and _of_visitors(table)


def _is_firm(table: Table) -> bool:
    programs = {"oauth", "mcp", "api", "oidc"} & {*words(table.name), *words(table.table)} and {"client", "clients"} & _last_words(table)
    return bool(programs) or not _FIRMS.isdisjoint(_last_words(table))


def _last_words(table: Table) -> set[str]:
    """The nouns of a table: the last words of its names."""
    return {named[-1] for named in (words(table.name), words(table.table.rsplit(".", 1)[-1])) if named}


def _is_of_people(table: Table) -> bool:
    """Whether the rows of a table are people, by its name."""
    return any(singular(word) in _PEOPLE for word in _last_words(table))


def _of_visitors(table: Table) -> bool:
    """Whether the network addresses in a table are those of visitors, not of machines: it keeps what people did, or belongs to one of them."""
    own = {*words(table.name), *words(table.table)}
    linked = any({"user", "member", "account", "visitor"} & set(words(column.attribute or column.name)) for column in table.columns)
    return is_past(table) or bool(own & _SESSIONS) or linked


def shown(found: PersonalTable, most: int = 3) -> str:
    """`User (email, phone and 2 more)`."""
    names = [column.attribute or column.name for column in found.columns]
    more = len(names) - most
    return f"{found.name} ({', '.join(names[:most])}{f' and {more} more' if more > 0 else ''})"


def written_fields(names: Iterable[str]) -> Iterator[str]:
    """Of the keys of a record that is stored, those that are about a person."""
    for name in names:
        plain = snaked(name)
        if not _NO_PERSON.match(plain) and (_ABOUT.search(plain) or _NAMED_PERSON.match(plain)):
            yield name


def is_about_firms(name: str) -> bool:
    """Whether a table or collection of that name is about firms, places or machines."""
    return bool(words(name)) and singular(words(name)[-1]) in {singular(word) for word in _FIRMS}
