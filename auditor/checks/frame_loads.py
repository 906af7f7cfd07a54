"""Loads of data frames: pandas and its kin, Spark and its streams, warehouses' clients and operators, resources of dlt."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.checks.loads import Load, Manner, load_of, mode_of
from auditor.checks.row_loads import emptied, is_keyed
from auditor.checks.stored_writes import steps
from auditor.model.syntax import Call, FileFacts, ValueKind

_SPARK = re.compile(
    r"\.write\.(?:\w+\(\)\.)*(?:save|saveAsTable|insertInto|parquet|csv|json|orc|text|jdbc)$|\.writeTo\(\)\.(?:\w+\(\)\.)*(?:append|create|createOrReplace|overwritePartitions|overwrite)$"
)
_STREAM = re.compile(r"\.writeStream\.(?:\w+\(\)\.)*(?:start|toTable|table)$")
_FRAMES: dict[str, tuple[str, Manner]] = {
    "to_sql": ("if_exists", Manner.REFUSES), "to_gbq": ("if_exists", Manner.REFUSES), "write_database": ("if_table_exists", Manner.REFUSES), "write_deltalake": ("mode", Manner.REFUSES), "write_delta": ("mode", Manner.REFUSES),
    "to_iceberg": ("mode", Manner.ADDS), "insert_rows_json": ("", Manner.ADDS), "insert_df": ("", Manner.ADDS), "load_table_from_dataframe": ("", Manner.ADDS), "load_table_from_uri": ("", Manner.ADDS),
    "load_table_from_file": ("", Manner.ADDS), "load_table_from_json": ("", Manner.ADDS), "write_pandas": ("overwrite", Manner.ADDS),
}  # fmt: skip
"""Last names of calls that load a frame or a file, the argument that says how, and what happens without it."""
_OPERATORS: dict[str, tuple[str, Manner]] = {
    "GCSToBigQueryOperator": ("write_disposition", Manner.REFUSES), "GoogleCloudStorageToBigQueryOperator": ("write_disposition", Manner.REFUSES), "S3ToRedshiftOperator": ("method", Manner.ADDS),
    "BigQueryToBigQueryOperator": ("write_disposition", Manner.REFUSES), "BigQueryExecuteQueryOperator": ("write_disposition", Manner.REFUSES),
}  # fmt: skip
_FILES = frozenset({"to_parquet", "write_parquet", "sink_parquet", "write_table", "write_dataset"})
_UPSERTING = re.compile(r"upsert|conflict|merge|ignore", re.IGNORECASE)


def frame_load(facts: FileFacts, call: Call) -> Load | None:
    """The load a call makes, None where it makes none."""
    last = call.callee.rpartition(".")[2]
    if _SPARK.search(call.callee):
        return _spark(facts, call)
    if _STREAM.search(call.callee):
        return _stream(facts, call)
    if last in _FRAMES:
        return _frame(facts, call, *_FRAMES[last])
    if last in _OPERATORS:
        return _frame(facts, call, *_OPERATORS[last])
    if last in _FILES and "." in call.callee:
        manner = Manner.ADDS if mode_of(call.argument("mode"), Manner.REPLACES) is Manner.ADDS else Manner.REPLACES
        return load_of(facts, call, last, "", manner)
    return None


def _spark(facts: FileFacts, call: Call) -> Load | None:
    chain = steps(facts, call)
    last = call.callee.rpartition(".")[2]
    said = next((c.argument("saveMode", 0) for c in chain if c.callee.endswith(".mode")), None) or call.argument(
        "mode", 2 if last == "jdbc" else -1
    )
    if last in {"append", "createOrReplace", "overwritePartitions", "overwrite", "create"}:
        manner = {"append": Manner.ADDS, "create": Manner.REFUSES}.get(last, Manner.REPLACES)
    elif last == "insertInto":
        overwrite = call.argument("overwrite", 1)
        manner = Manner.REPLACES if overwrite is not None and overwrite.text == "True" else mode_of(said, Manner.ADDS)
    else:
        manner = mode_of(said, Manner.REFUSES)
    return load_of(facts, call, "df.write", _target(chain), manner, frame=True)


def _stream(facts: FileFacts, call: Call) -> Load | None:
    chain = steps(facts, call)
    names = {c.callee.rpartition(".")[2] for c in chain}
    told = {argument.value.literal for c in chain for argument in c.arguments}
    if {"console", "memory"} & told:
        return None
    kept = any("checkpoint" in text.lower() for text in told) or any("checkpoint" in a.name.lower() for c in chain for a in c.arguments)
    kept = kept or any("checkpointLocation" in literal.text for literal in facts.literals)
    manner = Manner.CHOSEN if {"foreachBatch", "foreach"} & names else Manner.MERGES
    return load_of(facts, call, "df.writeStream", _target(chain), manner, frame=True, checkpointed=kept)


def _frame(facts: FileFacts, call: Call, keyword: str, otherwise: Manner) -> Load | None:
    last = call.callee.rpartition(".")[2]
    said = call.argument(keyword) if keyword else None
    manner = mode_of(said, otherwise)
    if last.startswith("load_table_from"):
        manner = _disposition(facts, call)
    method = call.argument("method")
    keyed = any(is_keyed(argument.name) for argument in call.arguments) or (method is not None and _UPSERTING.search(method.text))
    first = call.argument("name", 0) or call.argument("table", 0)
    target = first.literal if first is not None and first.kind in {ValueKind.STRING, ValueKind.TEMPLATE} else ""
    if manner is Manner.ADDS and (keyed or emptied(facts, call, target)):
        manner = Manner.MERGES if keyed else Manner.REPLACES
    return load_of(facts, call, last, target, manner, frame=last not in _OPERATORS)


def _disposition(facts: FileFacts, call: Call) -> Manner:
    """What the settings of a load into BigQuery say, those of the same function before those of the file."""
    for scope in (call.scope, None):
        for each in facts.calls:
            if each.callee.endswith("LoadJobConfig") and scope in {each.scope, None}:
                return mode_of(each.argument("write_disposition"), Manner.ADDS)
        for entry in facts.assignments:
            if entry.target.endswith("write_disposition") and entry.value is not None and scope in {entry.scope, None}:
                return mode_of(entry.value, Manner.ADDS)
    return Manner.ADDS if call.argument("job_config") is None else Manner.CHOSEN


def _target(chain: list[Call]) -> str:
    for each in reversed(chain):
        for name in ("table", "path", "name", "tableName"):
            value = each.argument(name)
            if value is not None and value.literal:
                return value.literal
        last = each.callee.rpartition(".")[2]
        first = each.argument("", 0)
        if first is not None and first.kind in {ValueKind.STRING, ValueKind.TEMPLATE}:
            if last == "option" and first.literal in {"dbtable", "path", "table", "topic"}:
                second = each.argument("", 1)
                return second.literal if second is not None else ""
            if last in {"save", "saveAsTable", "insertInto", "parquet", "csv", "json", "orc", "writeTo", "toTable", "start"}:
                return first.literal
    return ""


def resources(facts: FileFacts) -> Iterator[Load]:
    """Resources of dlt, which say themselves how their rows are written."""
    for index, definition in enumerate(facts.definitions):
        mark = next((each for each in definition.decorators if each.callee in {"dlt.resource", "dlt.transformer", "resource"}), None)
        if mark is None or (mark.callee == "resource" and not any(entry.module == "dlt" for entry in facts.imports)):
            continue
        said = mark.argument("write_disposition")
        incremental = any("incremental" in parameter.annotation for parameter in definition.parameters)
        manner = mode_of(said, Manner.CHOSEN)
        if (said is not None and said.kind is ValueKind.COLLECTION) or (manner is Manner.ADDS and incremental):
            manner = Manner.MERGES
        yield Load(facts.path, definition.line, definition.line, index, "dlt.resource", definition.name, manner)
