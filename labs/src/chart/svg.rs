//! A chart as SVG: for handouts. Colours follow the page; lines are told apart by dashes and marks.

use std::fmt::Write as _;

use bytehop_core::i18n::Lang;

use super::{Chart, Series, bytes};
use crate::words;

const WIDTH: f64 = 720.0;
const PLOT: Area = Area {
    left: 70.0,
    top: 40.0,
    right: 700.0,
    bottom: 360.0,
};
/// Of the legend and of the conclusions below the plot.
const LINE: f64 = 20.0;

/// Colour (readable on light and dark), dashes, and mark of each series.
const LOOKS: [(&str, &str, char); 4] = [
    ("#c2410c", "none", 'o'),
    ("#2563eb", "none", '+'),
    ("#ca8a04", "6 4", '#'),
    ("#0d9488", "6 4", 'x'),
];

struct Area {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

/// The whole picture; the text within it is the page's.
pub fn svg(chart: &Chart, lang: Lang) -> String {
    let conclusions = chart.conclusions(lang);
    let below = chart.series.len() + 1 + conclusions.len();
    let height = PLOT.bottom + 60.0 + LINE * below as f64;
    let title = escape(chart.title.get(lang));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         font-family=\"system-ui, 'Noto Sans CJK SC', sans-serif\" font-size=\"13\" \
         fill=\"currentColor\">\n<title>{title}</title>\n"
    );
    let axis = escape(words::chart_axis(lang));
    let _ = writeln!(out, "<text x=\"8\" y=\"22\">{axis}</text>");
    let scale = Scale::new(chart);
    axes(&mut out, chart, &scale, lang);
    for (series, look) in chart.series.iter().zip(LOOKS) {
        line(&mut out, series, look, &scale);
    }
    let mut y = PLOT.bottom + 60.0;
    for (series, (colour, dashes, mark)) in chart.series.iter().zip(LOOKS) {
        let title = escape(series.title.get(lang));
        let _ = writeln!(
            out,
            "<path d=\"M{} {}h40\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dashes}\"/>\
             <text x=\"{}\" y=\"{y}\">{mark}  {title}</text>",
            PLOT.left,
            y - 4.0,
            PLOT.left + 50.0
        );
        y += LINE;
    }
    let spread = words::chart_spread(lang, chart.samples());
    for text in [spread]
        .into_iter()
        .chain(conclusions.iter().map(|line| format!("→ {line}")))
    {
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{y}\">{}</text>",
            PLOT.left,
            escape(&text)
        );
        y += LINE;
    }
    out + "</svg>\n"
}

/// Logarithmic on both axes.
struct Scale {
    sizes: (f64, f64),
    decades: (f64, f64),
}

impl Scale {
    fn new(chart: &Chart) -> Self {
        let sizes = chart.sizes();
        let log = |size: Option<&u64>| size.map_or(0.0, |size| (*size as f64).log2());
        let (low, high) = chart.decades();
        Self {
            sizes: (log(sizes.first()), log(sizes.last())),
            decades: (f64::from(low), f64::from(high)),
        }
    }

    fn x(&self, size: u64) -> f64 {
        let (low, high) = self.sizes;
        let part = ((size as f64).log2() - low) / (high - low).max(1.0);
        PLOT.left + 20.0 + part * (PLOT.right - PLOT.left - 40.0)
    }

    fn y(&self, ns: f64) -> f64 {
        let (low, high) = self.decades;
        PLOT.bottom - (ns.log10() - low) / (high - low) * (PLOT.bottom - PLOT.top)
    }
}

fn axes(out: &mut String, chart: &Chart, scale: &Scale, lang: Lang) {
    let (low, high) = chart.decades();
    for power in low..=high {
        let y = scale.y(10f64.powi(power));
        let digits = usize::try_from(-power).unwrap_or(0);
        let _ = writeln!(
            out,
            "<path d=\"M{} {y:.1}H{}\" stroke=\"currentColor\" stroke-opacity=\"0.25\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{:.digits$}</text>",
            PLOT.left,
            PLOT.right,
            PLOT.left - 8.0,
            y + 4.0,
            10f64.powi(power)
        );
    }
    let _ = writeln!(
        out,
        "<path d=\"M{} {}V{}\" stroke=\"currentColor\"/>",
        PLOT.left, PLOT.top, PLOT.bottom
    );
    for size in chart.sizes() {
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            scale.x(size),
            PLOT.bottom + 20.0,
            bytes(size, lang)
        );
    }
}

/// A series: the middle half of the samples as a band, the medians as a line with marks.
fn line(
    out: &mut String,
    series: &Series,
    (colour, dashes, mark): (&str, &str, char),
    scale: &Scale,
) {
    let place = |size, ns| format!("{:.1} {:.1}", scale.x(size), scale.y(ns));
    let over = series.points.iter().map(|p| place(p.size, p.high));
    let under = series.points.iter().rev().map(|p| place(p.size, p.low));
    let band: Vec<String> = over.chain(under).collect();
    let medians: Vec<String> = series
        .points
        .iter()
        .map(|p| place(p.size, p.median))
        .collect();
    let _ = writeln!(
        out,
        "<path d=\"M{}Z\" fill=\"{colour}\" fill-opacity=\"0.2\"/>\
         <path d=\"M{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-dasharray=\"{dashes}\"/>",
        band.join("L"),
        medians.join("L")
    );
    for point in &series.points {
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"{colour}\">{mark}</text>",
            scale.x(point.size),
            scale.y(point.median) + 4.0
        );
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
