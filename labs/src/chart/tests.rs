use std::fmt::Write as _;

use bytehop_core::i18n::Lang;

use super::*;

fn lab_chart() -> spec::Chart {
    let text = |text: &str| spec::Text {
        en: text.to_owned(),
        zh: format!("{text}（中文）"),
    };
    let series = |name: &str, against: Option<&str>| spec::Series {
        name: name.to_owned(),
        title: text(name),
        against: against.map(str::to_owned),
    };
    spec::Chart {
        program: spec::Program {
            name: "measure".to_owned(),
            args: Vec::new(),
            title: text("Cost"),
            needs: Vec::new(),
            cache: None,
        },
        series: vec![series("copy", None), series("share", Some("copy"))],
    }
}

/// `copy` costs 100 ns and 1 ns for each byte, `share` `fixed` ns and a tenth; five samples each.
fn csv(fixed: u64, spread: u64) -> String {
    let mut csv = format!("{HEADER}\n");
    for size in (6..=20).step_by(2).map(|power| 1u64 << power) {
        for sample in 0..5 {
            let off = size * spread * sample / 100;
            let _ = writeln!(csv, "copy,{size},{size},{}", 100 + size + off);
            let _ = writeln!(csv, "share,{size},{size},{}", fixed + size / 10 + off);
        }
    }
    csv
}

fn chart(fixed: u64, spread: u64) -> Chart {
    Chart::parse(&csv(fixed, spread), &lab_chart()).expect("a chart")
}

fn compared(chart: &Chart) -> Crossover {
    crossover(&chart.series[1], &chart.series[0])
}

#[test]
fn crossovers() {
    // 1000 + x / 10 < 100 + x from x = 1000 on; 1024 is the first size measured above it.
    assert_eq!(compared(&chart(1000, 1)), Crossover::From(1024));
    assert_eq!(compared(&chart(10, 1)), Crossover::Always);
    assert_eq!(compared(&chart(10_000_000, 1)), Crossover::Never);
    // Samples that spread so far that the middle halves overlap tell nothing.
    assert_eq!(compared(&chart(1000, 200)), Crossover::None);
    let reversed = chart(1000, 1);
    let slower = crossover(&reversed.series[0], &reversed.series[1]);
    assert_eq!(slower, Crossover::SlowerFrom(1024));
}

#[test]
fn quartiles() {
    let series = &chart(1000, 10).series[0];
    let point = series.points[0];
    assert_eq!((point.size, point.samples), (64, 5));
    // 164, 170, 176, 183, 189 ns for 64 bytes.
    assert_eq!(
        [point.low, point.median, point.high],
        [170.0 / 64.0, 176.0 / 64.0, 183.0 / 64.0]
    );
}

#[test]
fn damaged_measurements() {
    let parse = |csv: &str| Chart::parse(csv, &lab_chart());
    assert_eq!(parse(""), Err(ChartError::Header));
    assert_eq!(parse("size\n"), Err(ChartError::Header));
    for line in [
        "copy,64,64",
        "copy,64,64,0",
        "copy,0,64,1",
        "copy,64,64,1,1",
        "copy,a,64,1",
        "",
    ] {
        let csv = format!("{HEADER}\n{line}\n");
        assert_eq!(parse(&csv), Err(ChartError::Line(2)), "{line}");
    }
    let csv = format!("{HEADER}\ncopy,64,64,5\n");
    assert_eq!(parse(&csv), Err(ChartError::Empty("share".to_owned())));
}

#[test]
fn drawn_as_text() {
    let chart = chart(1000, 20);
    insta::assert_snapshot!("text_en", text(&chart, Lang::En));
    insta::assert_snapshot!("text_zh", text(&chart, Lang::Zh));
    for line in text(&chart, Lang::Zh).lines() {
        assert!(unicode_width::UnicodeWidthStr::width(line) <= 78, "{line}");
    }
}

#[test]
fn drawn_as_svg() {
    let chart = chart(1000, 20);
    insta::assert_snapshot!("svg_en", svg(&chart, Lang::En));
    insta::assert_snapshot!("svg_zh", svg(&chart, Lang::Zh));
}
