//! Grades as CSV (RFC 4180) that a spreadsheet may open.

use super::Grade;
use crate::result::Result;

/// With a byte order mark, by which spreadsheets know UTF-8, and a head line.
pub fn csv(grades: &[Grade]) -> String {
    let mut text = String::from(
        "\u{feff}student,lab,seed,time,right,questions,passed,bytehop,kernel,remarks,notes,file\r\n",
    );
    for grade in grades {
        let result = grade.result.as_ref();
        let of = |get: fn(&Result) -> String| result.map_or_else(String::new, get);
        let row = [
            grade.student.clone(),
            grade.lab.clone(),
            of(|r| r.seed.clone()),
            of(|r| r.time.to_string()),
            grade.right.to_string(),
            grade.questions.to_string(),
            if grade.passed { "yes" } else { "no" }.to_owned(),
            of(|r| r.bytehop.clone()),
            of(|r| r.kernel.clone()),
            grade.remarks.join("; "),
            grade.notes.join("; "),
            grade.file.display().to_string(),
        ];
        let row: Vec<String> = row.iter().map(|field| quoted(field)).collect();
        text.push_str(&row.join(","));
        text.push_str("\r\n");
    }
    text
}

/// One cell. What a student typed must be no formula to a spreadsheet, and no second line or terminal
/// command to anybody.
pub(super) fn quoted(field: &str) -> String {
    let plain = |c: char| match c {
        '\u{fffd}' => c,
        '\n' | '\r' | '\t' => ' ',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    let field: String = field.chars().map(plain).collect();
    // Blanks before a formula are skipped; full-width signs count for some.
    let formula = field
        .trim_start()
        .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    let field = if formula { format!("'{field}") } else { field };
    match field.contains([',', '"']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field,
    }
}
