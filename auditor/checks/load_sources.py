"""Where the rows of a load come from, what is known of them, and what becomes of those that fail: reads of files, services, tables and streams.

The loads themselves stand in `bulk_loads`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.database_calls import database_calls
from auditor.checks.loads import Load
from auditor.checks.model_names import words
from auditor.checks.reach import within
from auditor.checks.row_loads import text_of
from auditor.checks.stored_writes import steps
from auditor.model.syntax import Call, FileFacts, Handler, HandlerEffect, ImportKind, ValueKind
from auditor.model.verdict import Place

_ORCHESTRATORS = re.compile(
    r"^(?:airflow|dagster|prefect|luigi|pyspark|dlt|kedro|metaflow|mage_ai|apache_beam|petl|bonobo|singer_sdk|airbyte_cdk|awswrangler|awsglue|databricks|delta|great_expectations|sqlmesh|meltano|faust|bytewax|pyflink)(?:\.|$)"
)
_READS = re.compile(
    r"(?:^|\.)(?:read_csv|read_excel|read_json|read_parquet|read_sql|read_sql_query|read_sql_table|read_gbq|read_table|read_html|read_xml|scan_csv|scan_parquet|read_database|DictReader|createReadStream|get_object|download_file|download_fileobj|"
    r"urlopen|urlretrieve|json_normalize|csvParse|parse_csv)$|^csv\.reader$|^(?:csvParser|fastcsv\.parse|Papa\.parse)$|^(?:requests|httpx)\.(?:get|post|request|stream)$|^(?:fetch|await fetch|axios|axios\.get|got|got\.get|ky\.get)$|"
    r"\.read(?:Stream)?\.(?:\w+\(\)\.)*(?:load|csv|json|parquet|jdbc|table|text|orc)$|^(?:new )?(?:KafkaConsumer|AIOKafkaConsumer|Consumer|DeserializingConsumer)$|(?:^|\.)(?:fetchmany|server_side_cursor)$|^spark\.(?:table|sql)$"
)
_READERS = re.compile(
    r"^(?:csv-parse|csv-parser|csvtojson|fast-csv|papaparse|xlsx|exceljs|unzipper|JSONStream|stream-json|aiohttp|httpx|requests)(?:[./]|$)"
)
"""Packages with which a job gets rows from elsewhere."""
_FRAME_READS = re.compile(
    r"(?:^|\.)(?:read_csv|read_excel|read_json|read_table|scan_csv|json_normalize|read_html|read_xml)$|\.read(?:Stream)?\.(?:\w+\(\)\.)*(?:load|csv|json)$"
)
"""Reads of formats that bring no types of their own."""
_SPARK_JDBC = re.compile(r"\.read\.(?:\w+\(\)\.)*(?:load|jdbc)$")
_WHOLE_FRAME = re.compile(r"(?:^|\.)(?:read_sql|read_sql_query|read_sql_table|read_database)$")
_WHOLE_TABLE = re.compile(
    r"^\s*(?:select\b(?![\s\S]{0,4000}\b(?:where|limit|group\s+by|having|join)\b)[\s\S]{1,3000}?\bfrom\s+[\w.\"`\[\]{}]+\s*;?\s*$|[\w.\"{}]+\s*$)",
    re.IGNORECASE,
)
_MARKS = re.compile(
    r"water_?mark|high_?water|last_?(?:run|sync\w*|id|seen|updated|processed|loaded|load|timestamp|value|modified|extract\w*|fetched|date|success\w*|cursor|offset|ingest\w*)|max_(?:date|id|ts|time\w*|updated\w*|loaded\w*)|(?:^|_)since(?:_|$)|checkpoint|bookmark|incremental|"
    r"updated_(?:after|since|at)|modified_(?:after|since)|data_interval|logical_date|execution_date|partition_(?:date|key|time)|(?:^|_)ds(?:_nodash)?$|load_date|run_date|cursor_(?:field|value|path)|resume|already_(?:loaded|processed|imported|seen)|processed_(?:files|ids|keys)|existing_\w+|seen_\w+|new_(?:rows|records|items)_only",
    re.IGNORECASE,
)
"""Names that say how far an earlier run came, or which part this run is about."""
_MARK_TEXT = re.compile(
    r"\bmax\s*\(\s*[\w.\"]+\s*\)|\{\{\s*(?:ds|data_interval|prev_|execution_date|logical_date|ts\b|params\.|run_id)|watermark|checkpoint",
    re.IGNORECASE,
)
_KNOWS = re.compile(
    r"^(?:schema|dtype|dtypes|usecols|columns|names|parse_dates|converters|schema_overrides|infer_schema_length|source_format|field_mapping|autodetect|schema_fields)$"
)
_CHECKS = re.compile(
    r"(?:^|\.)(?:StructType|StructField|DataFrameSchema|DataFrameModel|model_validate|parse_obj|validate_python|validate|validate_\w+|expect_\w+|astype|cast|withColumnRenamed|rename|select|selectExpr|to_numeric|to_datetime|SchemaField|LoadJobConfig|schema|safeParse|issubset|difference|checkpoint|enforce_schema|ensure_columns|check_columns)$"
)
_VALIDATORS = re.compile(
    r"^(?:pandera|great_expectations|pydantic|marshmallow|cerberus|jsonschema|dataclasses_json|msgspec|zod|ajv|joi|soda|deequ|pydeequ)(?:[./]|$)"
)
_GUESSES = re.compile(r"^inferSchema$|^infer_schema$|^inferschema$")
_ENTERED_BY_HAND = re.compile(
    r"(?:^|/)(?:management/commands|commands|scripts?|bin|jobs?|tasks?|workers?|crons?|pipelines?|etl|ingest\w*|connectors?|loaders?|extract\w*|import\w*|sync\w*|dags?|flows?|assets|spark|glue)(?:/|[\w-]*\.\w+$)",
    re.IGNORECASE,
)
_MOVES = frozenset(
    [
        "sync",
        "import",
        "imports",
        "importer",
        "ingest",
        "ingestion",
        "etl",
        "harvest",
        "harvester",
        "crawl",
        "crawler",
        "scrape",
        "scraper",
        "collector",
        "loader",
        "connector",
        "connectors",
        "pipeline",
        "pipelines",
    ]
)
"""Words of files and folders that move rows."""
_BRINGS = frozenset({"sync", "import", "imports", "importer", "ingest", "ingestion", "etl", "connector", "connectors"})
"""The same, in the narrowest sense."""
_CLOCK = re.compile(
    r"^(?:node-cron|cron|croner|node-schedule|@nestjs/schedule|apscheduler|schedule|celery|rq|huey|bullmq|bull|agenda|node-resque)(?:[./]|$)"
)
_ROUTES = re.compile(
    r"^(?:express|fastify|hono|koa|fastapi|flask|django\.(?:views|http|shortcuts|urls)|starlette|rest_framework|aiohttp\.web|next/server|@nestjs/common|streamlit|gradio|discord|telegram)(?:[./]|$)"
)
_AUTO_COMMITS = re.compile(r"^(?:new )?(?:\w+\.)?(?:Consumer|DeserializingConsumer|KafkaConsumer|AIOKafkaConsumer)$")
_DROPS = frozenset({HandlerEffect.EMPTY, HandlerEffect.CONTINUE, HandlerEffect.RETURN_CONSTANT, HandlerEffect.PRINT})


def is_orchestrated(facts: FileFacts) -> bool:
    """Whether a file is written for a tool that runs pipelines."""
    return any(entry.kind is not ImportKind.TYPE_ONLY and _ORCHESTRATORS.match(entry.module) for entry in facts.imports)


def reads_from_outside(facts: FileFacts) -> Place | None:
    """Where a file reads many rows from a file, a service, another database or a stream."""
    brought = (entry.line for entry in facts.imports if entry.kind is not ImportKind.TYPE_ONLY and _READERS.match(entry.module))
    line = next((call.line for call in facts.calls if _READS.search(call.callee)), None) or next(brought, None)
    return Place(facts.path, line) if line is not None else None


def moves_rows(facts: FileFacts) -> bool:
    """Whether a file says by its name that it moves rows, and gets them from outside."""
    named = {word for part in facts.path.split("/")[-2:] for word in words(part)}
    moves = bool(_BRINGS & named) and is_job(facts) and reads_from_outside(facts) is not None
    return moves and bool(database_calls((facts,)))


def is_job(facts: FileFacts) -> bool:
    """Whether a file is run by a person or by the clock, and answers no requests."""
    if answers_requests(facts):
        return False
    by_clock = any(_CLOCK.match(entry.module) for entry in facts.imports)
    named = {word for part in facts.path.split("/")[-3:] for word in words(part)}
    return (
        by_clock
        or bool(_MOVES & named)
        or facts.main_lines != (0, 0)
        or _runs_by_itself(facts)
        or _ENTERED_BY_HAND.search(facts.path) is not None
    )


def answers_requests(facts: FileFacts) -> bool:
    """Whether a file is written for a framework that answers people."""
    return any(_ROUTES.match(entry.module) for entry in facts.imports if entry.kind is not ImportKind.TYPE_ONLY)


def _runs_by_itself(facts: FileFacts) -> bool:
    """Whether loading the file starts its work."""
    own = {definition.name for definition in facts.definitions if definition.parent < 0}
    return any(call.scope < 0 and (call.callee in own or _READS.search(call.callee)) for call in facts.calls)


def knows_how_far(facts: FileFacts, scope: int) -> bool:
    """Whether a function, or what calls it in the same file, speaks of how far an earlier run came or which part it is about."""
    scopes = within(facts, scope)
    name = facts.definitions[scope].name if scope >= 0 else ""
    scopes |= {call.scope for call in facts.calls if name and call.callee.rpartition(".")[2] == name}
    scopes |= {facts.definitions[each].parent for each in scopes if each >= 0}
    return any(_MARKS.search(word) for word in _spoken(facts, scopes)) or any(
        _MARK_TEXT.search(literal.text) for literal in facts.literals if literal.scope in scopes
    )


def _spoken(facts: FileFacts, scopes: frozenset[int]) -> Iterator[str]:
    for index in scopes:
        if index >= 0:
            yield facts.definitions[index].name
            yield from (parameter.name for parameter in facts.definitions[index].parameters)
    for entry in facts.assignments:
        if entry.scope in scopes:
            yield entry.target
    for call in facts.calls:
        if call.scope in scopes:
            yield call.callee
            for argument in call.arguments:
                yield argument.name
                yield from (key for key, _ in argument.value.items)
                yield from argument.value.names


def whole_reads(facts: FileFacts) -> Iterator[tuple[Place, str]]:
    """Reads of a whole table of another database, with its name."""
    for call in facts.calls:
        if _WHOLE_FRAME.search(call.callee):
            value = call.argument("sql", 0) or call.argument("query", 0)
            text = text_of(facts, call, value) if value is not None else ""
            params = call.argument("params") is not None or call.argument("chunksize") is not None
            if text and not params and _WHOLE_TABLE.match(text):
                yield Place(facts.path, call.line, call.end_line), _table_of(text)
        elif _SPARK_JDBC.search(call.callee):
            table = _jdbc_table(facts, call)
            if table and _WHOLE_TABLE.match(table):
                yield Place(facts.path, call.line, call.end_line), table


def _table_of(text: str) -> str:
    found = re.search(r"\bfrom\s+([\w.\"`\[\]{}]+)", text, re.IGNORECASE)
    return (found[1] if found else text).strip()


def _jdbc_table(facts: FileFacts, call: Call) -> str:
    """The table Spark reads over JDBC; "" where it reads a part, or something else."""
    chain = steps(facts, call)
    options = {a.value.literal: each.argument("", 1) for each in chain for a in each.arguments[:1] if each.callee.endswith(".option")}
    named = {a.name: a.value for each in chain for a in each.arguments if a.name}
    if {"query", "predicates", "partitionColumn", "lowerBound", "pushDownPredicate"} & (set(options) | set(named)):
        return ""
    value = options.get("dbtable") or named.get("dbtable") or (named.get("table") if "jdbc" in call.callee else None)
    if value is None or value.kind not in {ValueKind.STRING, ValueKind.NAME}:
        return ""
    text = text_of(facts, call, value)
    return text or ""


def guessed(facts: FileFacts) -> Place | None:
    """Where a file takes columns and types as they come; None where anything states or checks them."""
    validated = any(_VALIDATORS.match(entry.module) for entry in facts.imports)
    for call in facts.calls:
        last = call.callee.rpartition(".")[2]
        known = any(_KNOWS.match(argument.name) for argument in call.arguments) or _CHECKS.search(call.callee) or last == "schema"
        if known and not any(_GUESSES.match(argument.name) for argument in call.arguments):
            return None
    if validated or any("columns" in branch.test or "schema" in branch.test for branch in facts.branches):
        return None
    reads = [call for call in facts.calls if _FRAME_READS.search(call.callee)]
    return Place(facts.path, reads[0].line, reads[0].end_line) if reads else None


def passed_over(facts: FileFacts, loads: list[Load]) -> Iterator[Handler]:
    """Handlers round a load after which the run goes on as if it had worked."""
    for handler in facts.handlers:
        start = handler.line - handler.tried_lines - 1
        inside = [load for load in loads if start <= load.line < handler.line and load.scope in within(facts, handler.scope)]
        if inside and handler.effect in _DROPS and not handler.comment and not _tells(handler):
            yield handler


def _tells(handler: Handler) -> bool:
    """Whether what is returned tells the caller that it failed: an exit code, false."""
    value = handler.returned
    return value is not None and ((value.kind is ValueKind.NUMBER and value.literal != "0") or value.text in {"False", "false"})


def commits_before_work(facts: FileFacts) -> Iterator[Call]:
    """Consumers of streams that note a message as done when it is fetched."""
    if not any(re.match(r"^(?:confluent_kafka|kafka|aiokafka)(?:\.|$)", entry.module) for entry in facts.imports):
        return
    for call in facts.calls:
        if not _AUTO_COMMITS.match(call.callee):
            continue
        settings = {a.name: a.value.text for a in call.arguments if a.name}
        for argument in call.arguments:
            given = argument.value
            if given.kind is ValueKind.NAME:
                given = next((e.value for e in facts.assignments if e.target == given.literal and e.value is not None), given)
            settings |= {key: value.text for key, value in given.items}
            if given.kind is not ValueKind.COLLECTION and not argument.name and "Kafka" not in call.callee:
                settings["enable.auto.commit"] = "False"  # settings that are not in sight
        off = [settings.get(key) for key in ("enable.auto.commit", "enable_auto_commit", "enable.auto.offset.store")]
        if not any(value in {"False", '"false"', "'false'", "false"} for value in off):
            yield call
