"""Recordings as one table in DuckDB: what the queries of docs/exports.md answer is what the JSON says.

Usage: tables.py FOLDER; there are N.parquet and N.json for each recording, and exports.md.
"""
import json
import pathlib
import re
import sys

import duckdb

folder = pathlib.Path(sys.argv[1])
db = duckdb.connect()
db.execute(f"CREATE VIEW runs AS SELECT * FROM read_parquet('{folder}/*.parquet')")


def query(sql, *args):
    return db.execute(sql, args).fetchall()


def sums(rows, *keys):
    out = {}
    for row in rows:
        key = tuple(row[key] for key in keys)
        was = out.get(key, (0, 0))
        out[key] = (was[0] + row["count"], was[1] + row["bytes"])
    return out


summaries = {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}
assert summaries and query("SELECT count(DISTINCT recording) FROM runs") == [(len(summaries),)]
for name, summary in summaries.items():
    found = query(
        'SELECT kind, "from", "to", evidence, deferred, sum(count), sum(bytes) FROM runs '
        "WHERE recording = ? AND row = 'hop' GROUP BY ALL", name)
    expected = sums(summary["hops"], "kind", "from", "to", "evidence", "deferred")
    assert {row[:5]: row[5:] for row in found} == expected, name
    found = query("SELECT name, count, bytes, errors FROM runs WHERE recording = ? AND row = 'call'", name)
    assert found == [tuple(c[k] for k in ("name", "calls", "bytes", "errors")) for c in summary["syscalls"]], name
    totals = dict(query("SELECT name, count FROM runs WHERE recording = ? AND row = 'total'", name))
    assert totals["crossings"] == summary["crossings"]["total"], name
    assert totals["page_faults_minor"] == summary["page_faults"]["minor"], name
    assert totals["duration_ns"] == summary["duration_ns"], name
    assert totals["bytes_returned"] == summary["ledger"]["returned"], name
    for thing, table in (("file", "files"), ("socket", "sockets"), ("process", "processes")):
        (found,) = query("SELECT coalesce(sum(bytes), 0) FROM runs WHERE recording = ? AND thing = ?", name, thing)
        rows = summary.get("by_name", {}).get(table, [])
        assert found == (sum(hop["bytes"] for row in rows for hop in row["hops"]),), (name, thing)
    (lines,) = query("SELECT sum(bytes), sum(crossings) FROM runs WHERE recording = ? AND row = 'line'", name)
    copied = sum(hop["bytes"] for hop in summary["hops"] if hop["kind"] == "copy")
    assert lines == (copied, summary["crossings"]["total"]), (name, lines)

# Every query of the document runs, and answers something.
document = (folder / "exports.md").read_text()
queries = re.findall(r"```sql\n(.*?)```", document, re.S)
assert len(queries) >= 6, queries
for sql in queries:
    assert query(sql.replace("'runs/*.parquet'", f"'{folder}/*.parquet'")), sql

# The first of them is "what was copied, moved by DMA, shared", by run.
first = {row[0]: row[1:] for row in query(queries[0].replace("'runs/*.parquet'", f"'{folder}/*.parquet'"))}
for name, summary in summaries.items():
    def moved(kind):
        hops = [h for h in summary["hops"] if h["kind"] == kind and h.get("engine") != "software"]
        return sum(hop["bytes"] for hop in hops)
    assert first[name] == (moved("copy"), moved("dma"), moved("share")), (name, first[name])
