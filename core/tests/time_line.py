"""Reads every FOLDER/N.pftrace by Perfetto's own protocol, and compares it with FOLDER/N.json."""

import json
import pathlib
import sys
from collections import Counter

from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import Trace, TrackEvent


def members(annotation):
    def value(entry):
        return getattr(entry, entry.WhichOneof("value"))

    return {entry.name: value(entry) for entry in annotation.dict_entries}


def check(path):
    summary = json.loads(path.with_suffix(".json").read_text())
    trace = Trace()
    trace.ParseFromString(path.read_bytes())
    tracks, hops, counters, calls, open_slices = {}, Counter(), {}, Counter(), {}
    flows, ends = Counter(), Counter()
    events = []
    for packet in trace.packet:
        assert packet.trusted_packet_sequence_id == 1
        if packet.HasField("track_descriptor"):
            descriptor = packet.track_descriptor
            assert descriptor.parent_uuid in tracks or not descriptor.HasField("parent_uuid")
            tracks[descriptor.uuid] = descriptor
            continue
        event = packet.track_event
        assert event.track_uuid in tracks, "a track is declared before it is used"
        events.append((packet.timestamp, event))
        track = tracks[event.track_uuid]
        if event.type == TrackEvent.TYPE_COUNTER:
            assert event.counter_value >= counters.get(track.name, 0)
            counters[track.name] = event.counter_value
        elif event.type != TrackEvent.TYPE_SLICE_END:
            if track.name == "kernel, on its behalf":
                calls[event.name] += 1
            for annotation in event.debug_annotations:
                found = []
                if annotation.name == "hops":
                    found = [members(hop) for hop in annotation.array_values]
                elif annotation.name == "hop":
                    found = [members(annotation)]
                for hop in found:
                    key = (hop["kind"], hop["from"], hop["to"], hop["evidence"], hop["by"], bool(hop["deferred"]))
                    hops[key] += hop["bytes"]
            for flow in event.flow_ids:
                flows[flow] += 1
            for flow in event.terminating_flow_ids:
                ends[flow] += 1
    # Slices of a track lie beside or within each other, never across.
    order = {TrackEvent.TYPE_SLICE_END: 0}
    for ts, event in sorted(events, key=lambda e: (e[0], order.get(e[1].type, 1))):
        stack = open_slices.setdefault(event.track_uuid, 0)
        if event.type == TrackEvent.TYPE_SLICE_BEGIN:
            assert stack == 0, f"{tracks[event.track_uuid].name}: slices overlap at {ts}"
            open_slices[event.track_uuid] = 1
        elif event.type == TrackEvent.TYPE_SLICE_END:
            assert stack == 1
            open_slices[event.track_uuid] = 0
    assert not any(open_slices.values())
    assert all(flow in flows for flow in ends), "flows end that have begun"

    expected = Counter()
    for hop in summary["hops"]:
        by = hop.get("probe", hop.get("rule"))
        expected[(hop["kind"], hop["from"], hop["to"], hop["evidence"], by, hop["deferred"])] += hop["bytes"]
    assert +hops == +expected, f"{hops}\n{expected}"
    total = sum(hop["bytes"] for hop in summary["hops"] if hop["kind"] == "copy")
    assert counters.get("bytes copied by the CPU in the kernel", 0) == total
    total = sum(h["bytes"] for h in summary["hops"] if h["kind"] == "dma" and h.get("engine") != "software")
    assert counters.get("bytes moved by DMA", 0) == total
    assert calls == Counter({row["name"]: row["calls"] for row in summary["syscalls"]})


paths = sorted(pathlib.Path(sys.argv[1]).glob("*.pftrace"))
assert paths
for path in paths:
    try:
        check(path)
    except AssertionError as error:
        sys.exit(f"{path.name}: {error!r} at line {error.__traceback__.tb_next.tb_lineno}")
