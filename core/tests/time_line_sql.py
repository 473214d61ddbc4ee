"""Asks trace_processor in SQL of every FOLDER/N.pftrace, and compares with FOLDER/N.json.

The program is named by BYTEHOP_TRACE_PROCESSOR.
"""

import json
import os
import pathlib
import sys
from collections import Counter

from perfetto.trace_processor import TraceProcessor, TraceProcessorConfig

# Members of `hop` (a device's transfer) and of each of `hops` (a call's), one a row.
HOPS = """
SELECT slice.id AS id, args.key AS key, args.string_value AS text, args.int_value AS number
FROM slice JOIN args USING (arg_set_id)
WHERE args.key GLOB 'debug.hop.*' OR args.key GLOB 'debug.hops*.*'
"""
COUNTERS = """
SELECT track.name AS name, max(counter.value) AS total
FROM counter JOIN counter_track AS track ON counter.track_id = track.id GROUP BY track.name
"""
CALLS = """
SELECT slice.name AS name, count(*) AS calls
FROM slice JOIN track ON slice.track_id = track.id
WHERE track.name = 'kernel, on its behalf' GROUP BY slice.name
"""


def check(path):
    summary = json.loads(path.with_suffix(".json").read_text())
    config = TraceProcessorConfig(bin_path=os.environ["BYTEHOP_TRACE_PROCESSOR"])
    with TraceProcessor(trace=str(path), config=config) as processor:
        found = {}
        for row in processor.query(HOPS):
            hop, member = row.key.rsplit(".", 1)
            value = row.number if row.text is None else row.text
            found.setdefault((row.id, hop), {})[member] = value
        counters = {row.name: row.total for row in processor.query(COUNTERS)}
        calls = {row.name: row.calls for row in processor.query(CALLS)}
    hops, expected = Counter(), Counter()
    for hop in found.values():
        hops[(hop["kind"], hop["from"], hop["to"], hop["evidence"], hop["by"])] += hop["bytes"]
    for hop in summary["hops"]:
        by = hop.get("probe", hop.get("rule"))
        expected[(hop["kind"], hop["from"], hop["to"], hop["evidence"], by)] += hop["bytes"]
    assert +hops == +expected, f"{hops}\n{expected}"
    total = sum(hop["bytes"] for hop in summary["hops"] if hop["kind"] == "copy")
    assert counters.get("bytes copied by the CPU in the kernel", 0) == total, counters
    total = sum(h["bytes"] for h in summary["hops"] if h["kind"] == "dma" and h.get("engine") != "software")
    assert counters.get("bytes moved by DMA", 0) == total, counters
    names = {row["name"]: row["calls"] for row in summary["syscalls"]}
    assert {name: n for name, n in calls.items() if name in names} == names


paths = sorted(pathlib.Path(sys.argv[1]).glob("*.pftrace"))
assert paths
for path in paths:
    try:
        check(path)
    except AssertionError as error:
        sys.exit(f"{path.name}: {error}")
