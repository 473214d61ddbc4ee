//! A chart for the terminal, and for those who read it line by line: a table follows it.

use bytehop_core::i18n::Lang;

use super::{Chart, bytes, cost};
use crate::words;

/// Rows for one power of ten, and columns for one size: each series has one of its own.
const ROWS: i32 = 4;
const LEFT: usize = 8;

/// What stands for each series; told apart without colour.
const MARKS: [char; 4] = ['o', '+', '#', 'x'];
const SPREAD: char = '│';

/// The chart, its legend, the conclusions, and the numbers, as Markdown.
pub fn text(chart: &Chart, lang: Lang) -> String {
    let mut out = format!("{}\n\n```\n", words::chart_axis(lang));
    out += &drawing(chart);
    out.push('\n');
    for (series, mark) in chart.series.iter().zip(MARKS) {
        out += &format!("  {mark}  {}\n", series.title.get(lang));
    }
    out += &format!(
        "  {SPREAD}  {}\n```\n\n",
        words::chart_spread(lang, chart.samples())
    );
    for line in chart.conclusions(lang) {
        out += &format!("- {line}\n");
    }
    out + &table(chart, lang)
}

fn drawing(chart: &Chart) -> String {
    let sizes = chart.sizes();
    let (low, high) = chart.decades();
    let step = chart.series.len().min(MARKS.len()) + 2;
    let rows = ((high - low) * ROWS) as usize + 1;
    let mut canvas = vec![vec![' '; sizes.len() * step]; rows];
    let row = |ns: f64| {
        let from_top = (f64::from(high) - ns.log10()) * f64::from(ROWS);
        (from_top.round().max(0.0) as usize).min(rows - 1)
    };
    for (i, (series, mark)) in chart.series.iter().zip(MARKS).enumerate() {
        for point in &series.points {
            let column = sizes.iter().position(|size| *size == point.size);
            let column = column.unwrap_or(0) * step + i + 1;
            for line in &mut canvas[row(point.high)..=row(point.low)] {
                line[column] = SPREAD;
            }
            canvas[row(point.median)][column] = mark;
        }
    }
    let mut out = String::new();
    for (i, line) in canvas.iter().enumerate() {
        let label = match i as i32 % ROWS {
            0 => decade(high - i as i32 / ROWS),
            _ => String::new(),
        };
        let axis = if label.is_empty() { '│' } else { '┤' };
        let line: String = line.iter().collect();
        out += format!("{label:>LEFT$} {axis}{line}").trim_end();
        out.push('\n');
    }
    out += &format!("{:LEFT$} └{}\n", "", "─".repeat(sizes.len() * step));
    let labels = sizes.iter().map(|size| format!("{:^step$}", short(*size)));
    out += format!("{:LEFT$}  {}", "", labels.collect::<String>()).trim_end();
    out.push('\n');
    out
}

fn decade(power: i32) -> String {
    let digits = usize::try_from(-power).unwrap_or(0);
    format!("{:.digits$}", 10f64.powi(power))
}

/// A size that fits below its column: `64`, `4K`, `16M`.
fn short(size: u64) -> String {
    bytes(size, Lang::En)
        .replace(" B", "")
        .replace("iB", "")
        .replace(' ', "")
}

fn table(chart: &Chart, lang: Lang) -> String {
    let mut header = format!("| {} |", words::chart_size(lang));
    for mark in MARKS.iter().take(chart.series.len()) {
        header += &format!(" `{mark}` |");
    }
    let rule = "---:|".repeat(chart.series.len() + 1);
    let mut out = format!("\n{}\n\n{header}\n|{rule}\n", words::chart_table(lang));
    for size in chart.sizes() {
        out += &format!("| {} |", bytes(size, lang));
        for series in &chart.series {
            let point = series.points.iter().find(|point| point.size == size);
            out += &point.map_or_else(
                || "  |".to_owned(),
                |point| {
                    let spread = (point.high - point.low) / 2.0 / point.median * 100.0;
                    format!(" {} ±{spread:.0}% |", cost(point.median))
                },
            );
        }
        out.push('\n');
    }
    out
}
