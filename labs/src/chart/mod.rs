//! Charts of time per byte over sizes, from what a measuring program wrote: the data, and what can be
//! concluded from it. Drawn by [`text()`] and [`svg()`].

mod svg;
mod text;

use std::collections::BTreeMap;

use bytehop_core::i18n::Lang;

pub use svg::svg;
pub use text::text;

use crate::spec;
use crate::words;
use bytehop_core::expr::value::{Unit, Value};

/// The first line of a measuring program's output; then one line for each sample.
const HEADER: &str = "way,size,bytes,ns";

/// What was measured, in the order of the lab's series.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    pub title: spec::Text,
    pub series: Vec<Series>,
}

/// One way of doing it.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    pub title: spec::Text,
    /// Number of the series that it is compared with.
    pub against: Option<usize>,
    /// From the smallest size up; not empty.
    pub points: Vec<Point>,
}

/// The samples at one size, in ns per byte.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Bytes.
    pub size: u64,
    /// A quarter of the samples is below.
    pub low: f64,
    pub median: f64,
    /// A quarter of the samples is above.
    pub high: f64,
    pub samples: usize,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChartError {
    Header,
    Line(usize),
    Empty(String),
}

bytehop_core::says! { ChartError, lang:
    Self::Header => "the first line of the measurements is not '{HEADER}'" | "测量数据的第一行不是“{HEADER}”";
    Self::Line(n) => "line {n} of the measurements is not 'way,size,bytes,ns'"
        | "测量数据的第 {n} 行不是“way,size,bytes,ns”";
    Self::Empty(name) => "the measurements have nothing about '{name}'" | "测量数据中没有“{name}”";
}

/// Where one way is faster than the other: told apart only where the middle halves of their samples
/// don't overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crossover {
    /// Faster at all sizes.
    Always,
    /// Faster at this size and at all greater ones; at the next smaller one not.
    From(u64),
    /// Slower at all sizes.
    Never,
    /// Slower at the greatest size and at all down to this one.
    SlowerFrom(u64),
    /// At the greatest size, it can't be told apart.
    None,
}

impl Chart {
    /// Reads a measuring program's output.
    ///
    /// # Errors
    /// If it is none, or lacks a series.
    pub fn parse(csv: &str, spec: &spec::Chart) -> Result<Self, ChartError> {
        let mut lines = csv.lines();
        if lines.next().map(str::trim) != Some(HEADER) {
            return Err(ChartError::Header);
        }
        let mut samples: BTreeMap<&str, BTreeMap<u64, Vec<f64>>> = BTreeMap::new();
        for (i, line) in lines.enumerate() {
            let (way, size, cost) = sample(line).ok_or(ChartError::Line(i + 2))?;
            let sizes = samples.entry(way).or_default();
            sizes.entry(size).or_default().push(cost);
        }
        let series = spec.series.iter().map(|series| {
            let sizes = samples.remove(series.name.as_str());
            let sizes = sizes.ok_or_else(|| ChartError::Empty(series.name.clone()))?;
            let points = sizes.into_iter().map(|(size, costs)| point(size, costs));
            let against = series.against.as_ref();
            Ok(Series {
                title: series.title.clone(),
                against: against.and_then(|name| spec.series.iter().position(|s| s.name == *name)),
                points: points.collect(),
            })
        });
        Ok(Self {
            title: spec.program.title.clone(),
            series: series.collect::<Result<_, _>>()?,
        })
    }

    /// What the chart shows, in words: one line for each comparison.
    pub fn conclusions(&self, lang: Lang) -> Vec<String> {
        let compared = self.series.iter().filter_map(|series| {
            let other = self.series.get(series.against?)?;
            let (one, two) = (series.title.get(lang), other.title.get(lang));
            Some(match crossover(series, other) {
                Crossover::Always => words::chart_always(lang, one, two),
                Crossover::From(size) => words::chart_from(lang, one, two, bytes(size, lang)),
                Crossover::Never => words::chart_never(lang, one, two),
                Crossover::SlowerFrom(size) => {
                    words::chart_slower_from(lang, one, two, bytes(size, lang))
                }
                Crossover::None => words::chart_none(lang, one, two),
            })
        });
        compared.collect()
    }

    /// All sizes measured, from the smallest up.
    fn sizes(&self) -> Vec<u64> {
        let points = self.series.iter().flat_map(|series| &series.points);
        let mut sizes: Vec<u64> = points.map(|point| point.size).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    /// Samples at each size, at least.
    fn samples(&self) -> usize {
        let points = self.series.iter().flat_map(|series| &series.points);
        points.map(|point| point.samples).min().unwrap_or(0)
    }

    /// Powers of ten around all that is drawn.
    fn decades(&self) -> (i32, i32) {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let least = points().map(|p| p.low).fold(f64::INFINITY, f64::min);
        let most = points().map(|p| p.high).fold(0.0, f64::max);
        let low = least.log10().floor() as i32;
        (low, (most.log10().ceil() as i32).max(low + 1))
    }
}

/// `way,size,bytes,ns`: the way, the size, and ns per byte (above zero: axes are logarithmic).
fn sample(line: &str) -> Option<(&str, u64, f64)> {
    let mut fields = line.trim().split(',');
    let way = fields.next()?;
    let mut number = || fields.next()?.parse::<u64>().ok().filter(|n| *n > 0);
    let (size, bytes, ns) = (number()?, number()?, number()?);
    fields
        .next()
        .is_none()
        .then(|| (way, size, ns as f64 / bytes as f64))
}

fn point(size: u64, mut costs: Vec<f64>) -> Point {
    costs.sort_by(f64::total_cmp);
    let at = |part: f64| costs[((costs.len() - 1) as f64 * part).round() as usize];
    Point {
        size,
        low: at(0.25),
        median: at(0.5),
        high: at(0.75),
        samples: costs.len(),
    }
}

/// Compares a series with another, at the sizes that both have.
pub fn crossover(series: &Series, other: &Series) -> Crossover {
    let order = |point: &Point| {
        let other = other.points.iter().find(|p| p.size == point.size)?;
        let faster = point.high < other.low;
        let slower = point.low > other.high;
        Some((point.size, i32::from(slower) - i32::from(faster)))
    };
    let orders: Vec<(u64, i32)> = series.points.iter().filter_map(order).collect();
    let Some(&(_, last)) = orders.last().filter(|(_, order)| *order != 0) else {
        return Crossover::None;
    };
    let same = orders.iter().rev().take_while(|(_, order)| *order == last);
    let (n, from) = same.fold((0, 0), |(n, _), (size, _)| (n + 1, *size));
    match (n == orders.len(), last < 0) {
        (true, true) => Crossover::Always,
        (true, false) => Crossover::Never,
        (false, true) => Crossover::From(from),
        (false, false) => Crossover::SlowerFrom(from),
    }
}

/// A size, short: `64 B`, `4 KiB`.
fn bytes(size: u64, lang: Lang) -> String {
    let units = [("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
    let whole = units
        .iter()
        .find(|(_, unit)| size.is_multiple_of(*unit) && size >= *unit);
    match whole {
        Some((name, unit)) => format!("{} {name}", size / unit),
        None => Value::new(size as f64, Unit::Bytes).show(None, lang),
    }
}

/// ns per byte, in three digits.
fn cost(ns: f64) -> String {
    match ns {
        _ if ns >= 100.0 => format!("{ns:.0}"),
        _ if ns >= 10.0 => format!("{ns:.1}"),
        _ if ns >= 1.0 => format!("{ns:.2}"),
        _ => format!("{ns:.3}"),
    }
}

#[cfg(test)]
mod tests;
