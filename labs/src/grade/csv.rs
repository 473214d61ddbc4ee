//! Grades as CSV (RFC 4180) that a spreadsheet may open.

use std::collections::{BTreeMap, BTreeSet};

use super::{Grade, Roster};
use crate::lab::Lab;
use crate::result::Result;

/// A course system whose gradebook imports a row for each student.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Columns are chosen when importing: by `ID number`, then a grade and its feedback for each lab.
    Moodle,
    /// Columns have to be these, in this order; a lab's is made as an assignment, or taken for it.
    Canvas,
}

/// A row for each student: 1 or 0 for each lab that anybody handed in, empty where nothing was. Of several results
/// for a lab, the best counts. What has no student is left out: the long form has it.
pub fn by_student(grades: &[Grade], labs: &[Lab], roster: &Roster, system: System) -> String {
    let mut best: BTreeMap<(&str, &str), &Grade> = BTreeMap::new();
    let of_students = grades.iter().filter(|grade| !grade.student.is_empty());
    for grade in of_students.filter(|grade| !grade.lab.is_empty()) {
        let there = best.entry((&grade.student, &grade.lab)).or_insert(grade);
        if grade.passed && !there.passed {
            *there = grade;
        }
    }
    let known = |id: &str| labs.iter().any(|lab| lab.id == id);
    let columns: BTreeSet<&str> = best
        .keys()
        .map(|(_, lab)| *lab)
        .filter(|id| known(id))
        .collect();
    let students = grades.iter().map(|grade| grade.student.as_str());
    let students: BTreeSet<&str> = students
        .chain(roster.0.iter().map(String::as_str))
        .filter(|id| !id.is_empty())
        .collect();

    let mut head: Vec<String> = match system {
        System::Moodle => vec!["ID number".to_owned()],
        System::Canvas => ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
            .map(str::to_owned)
            .into(),
    };
    for lab in &columns {
        head.push((*lab).to_owned());
        if system == System::Moodle {
            head.push(format!("{lab} (feedback)"));
        }
    }
    let mut rows = vec![head];
    for id in students {
        let name = roster.1.get(id).map_or(id, String::as_str);
        let mut row: Vec<String> = match system {
            System::Moodle => vec![id.to_owned()],
            System::Canvas => [name, "", id, "", ""].map(str::to_owned).into(),
        };
        for lab in &columns {
            let grade = best.get(&(id, *lab));
            row.push(grade.map_or_else(String::new, |grade| {
                if grade.passed { "1" } else { "0" }.to_owned()
            }));
            if system == System::Moodle {
                row.push(grade.map_or_else(String::new, |grade| grade.remarks.join("; ")));
            }
        }
        rows.push(row);
    }
    let lines = rows.iter().map(|row| {
        let row: Vec<String> = row.iter().map(|field| quoted(field)).collect();
        row.join(",") + "\r\n"
    });
    format!("\u{feff}{}", lines.collect::<String>())
}

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
