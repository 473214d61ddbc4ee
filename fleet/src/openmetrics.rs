//! The counters as text: OpenMetrics 1.0, and the format of Prometheus that came before it.

use std::fmt::Write;

use crate::metrics::{About, Family, Kind, Point, Unit, families};
use crate::rows::Rows;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    OpenMetrics,
    /// Text format 0.0.4.
    Prometheus,
}

pub fn text(rows: &Rows, about: &About, dialect: Dialect) -> String {
    let mut out = String::new();
    for family in families(rows, about) {
        write_family(&family, about, dialect, &mut out);
    }
    if dialect == Dialect::OpenMetrics {
        out.push_str("# EOF\n");
    }
    out
}

fn write_family(family: &Family, about: &About, dialect: Dialect, out: &mut String) {
    let unit = match family.unit {
        Unit::Bytes => Some("bytes"),
        Unit::Nanoseconds => Some("seconds"),
        Unit::Things(_) => None,
    };
    let mut name = format!("bytehop_{}", family.name);
    if let Some(unit) = unit {
        name.push('_');
        name.push_str(unit);
    }
    let (kind, suffix) = match family.kind {
        Kind::Counter => ("counter", "_total"),
        Kind::Gauge => ("gauge", ""),
        Kind::Info => ("info", "_info"),
    };
    // The older format describes samples, the newer one families.
    let (described, kind) = match (dialect, family.kind) {
        (Dialect::OpenMetrics, _) => (name.clone(), kind),
        (Dialect::Prometheus, Kind::Info) => (format!("{name}{suffix}"), "gauge"),
        (Dialect::Prometheus, _) => (format!("{name}{suffix}"), kind),
    };
    let _ = writeln!(out, "# TYPE {described} {kind}");
    if let (Some(unit), Dialect::OpenMetrics) = (unit, dialect) {
        let _ = writeln!(out, "# UNIT {described} {unit}");
    }
    let help = about.lang.of(&family.help);
    let _ = writeln!(out, "# HELP {described} {}", escaped(help));
    for point in &family.points {
        out.push_str(&name);
        out.push_str(suffix);
        write_point(point, family.unit, out);
    }
}

fn write_point(point: &Point, unit: Unit, out: &mut String) {
    for (i, (label, value)) in point.labels.iter().enumerate() {
        out.push(if i == 0 { '{' } else { ',' });
        let _ = write!(out, "{label}=\"{}\"", escaped(value));
    }
    if !point.labels.is_empty() {
        out.push('}');
    }
    let _ = match unit {
        Unit::Nanoseconds => {
            let (whole, part) = (point.value / 1_000_000_000, point.value % 1_000_000_000);
            writeln!(out, " {whole}.{:03}", part / 1_000_000)
        }
        Unit::Bytes | Unit::Things(_) => writeln!(out, " {}", point.value),
    };
}

/// A text between quotation marks, on one line.
fn escaped(text: &str) -> String {
    text.chars()
        .fold(String::with_capacity(text.len()), |mut out, c| {
            match c {
                '\\' => out.push_str("\\\\"),
                '"' => out.push_str("\\\""),
                '\n' => out.push_str("\\n"),
                c => out.push(c),
            }
            out
        })
}
