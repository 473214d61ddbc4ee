"""A collector of OTLP over HTTP that decodes by OpenTelemetry's own protocol buffers: a line of JSON a request.

Usage: collector.py FILE; prints its port.
"""
import http.server
import json
import sys

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest as Request,
    ExportMetricsServiceResponse as Response,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE

OUT = open(sys.argv[1], "a", buffering=1)


def text(attributes):
    return {a.key: a.value.string_value for a in attributes}


class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["Content-Type"] == "application/x-protobuf", self.headers
        request = Request.FromString(body)
        # Nothing in it that the protocol does not know.
        assert request.SerializeToString(deterministic=True) == body
        (resource,) = request.resource_metrics
        (scope,) = resource.scope_metrics
        points = []
        for metric in scope.metrics:
            kind = metric.WhichOneof("data")
            data = getattr(metric, kind)
            if kind == "sum":
                assert data.is_monotonic, metric
                assert data.aggregation_temporality == AGGREGATION_TEMPORALITY_CUMULATIVE, metric
            for point in data.data_points:
                points.append({
                    "metric": metric.name,
                    "unit": metric.unit,
                    "kind": kind,
                    "value": point.as_int,
                    "since": point.start_time_unix_nano,
                    "at": point.time_unix_nano,
                    **text(point.attributes),
                })
        line = {"path": self.path, "resource": text(resource.resource.attributes), "points": points}
        OUT.write(json.dumps(line) + "\n")
        answer = Response().SerializeToString()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Collector)
print(server.server_address[1], flush=True)
server.serve_forever()
