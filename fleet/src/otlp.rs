//! The counters as a request of OTLP: `opentelemetry/proto/collector/metrics/v1/metrics_service.proto`, whose
//! numbers of fields these are.

use bytehop_core::proto::Message;

use crate::metrics::{About, Family, Kind, Point, Unit, families};
use crate::rows::Rows;

/// `AGGREGATION_TEMPORALITY_CUMULATIVE`: what could not be sent is in what is sent next.
const CUMULATIVE: u64 = 2;

pub fn request(rows: &Rows, about: &About) -> Vec<u8> {
    let scope = Message::default()
        .text(1, "bytehop")
        .text(2, &about.bytehop);
    let mut metrics = Message::default().message(1, &scope);
    for family in families(rows, about) {
        // Each point has its time, and what an info tells is the resource's.
        let is_told = family.unit != Unit::Nanoseconds && family.kind != Kind::Info;
        if is_told && !family.points.is_empty() {
            metrics = metrics.message(2, &metric(&family, rows, about));
        }
    }
    let resource_metrics = Message::default()
        .message(1, &resource(about))
        .message(2, &metrics);
    Message::default().message(1, &resource_metrics).bytes()
}

fn resource(about: &About) -> Message {
    let attributes = [
        ("service.name", "bytehop"),
        ("service.version", about.bytehop.as_str()),
        ("host.name", &about.host),
        ("host.arch", &about.arch),
        ("os.type", "linux"),
        ("os.version", &about.kernel),
        ("bytehop.level", &about.level),
    ];
    attributes
        .into_iter()
        .fold(Message::default(), |message, (key, value)| {
            message.message(1, &attribute(key, value))
        })
}

fn metric(family: &Family, rows: &Rows, about: &About) -> Message {
    let unit = match family.unit {
        Unit::Bytes => "By".to_owned(),
        Unit::Nanoseconds => "ns".to_owned(),
        Unit::Things("1") => "1".to_owned(),
        Unit::Things(thing) => format!("{{{thing}}}"),
    };
    let points = family.points.iter();
    let data = points.fold(Message::default(), |data, point| {
        data.message(1, &number(point, rows))
    });
    let (field, data) = match family.kind {
        Kind::Counter => (7, data.uint(2, CUMULATIVE).uint(3, 1)),
        Kind::Gauge | Kind::Info => (5, data),
    };
    Message::default()
        .text(1, &format!("bytehop.{}", family.name))
        .text(2, about.lang.of(&family.help))
        .text(3, &unit)
        .message(field, &data)
}

fn number(point: &Point, rows: &Rows) -> Message {
    let mut message = Message::default()
        .fixed64(2, point.since_ns)
        .fixed64(3, rows.now_ns())
        // Signed: beyond that no sum of bytes gets in a thousand years.
        .fixed64(6, point.value.min(i64::MAX.cast_unsigned()));
    for (key, value) in &point.labels {
        message = message.message(7, &attribute(key, value));
    }
    message
}

fn attribute(key: &str, value: &str) -> Message {
    let value = Message::default().text(1, value);
    Message::default().text(1, key).message(2, &value)
}
