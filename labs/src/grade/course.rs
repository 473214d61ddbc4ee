//! Answers from the course's web site: what a browser kept, saved as a file. Nothing was run there, so that no
//! check is passed by it; the answers are judged again, on the labs' recordings.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use bytehop_core::i18n::{Lang, Say};
use serde::Deserialize;

use super::{Grade, TEXT_MAX, read, refused, words};
use crate::lab::Lab;
use crate::runs::{Replay, RunError};
use crate::session::Session;

/// What a file holds (`web/page/course.js` writes it).
#[derive(Deserialize)]
struct File {
    bytehop_course: u32,
    #[serde(default)]
    student: String,
    #[serde(default)]
    labs: BTreeMap<String, State>,
}

#[derive(Deserialize)]
struct State {
    #[serde(default)]
    answers: BTreeMap<String, String>,
}

/// Whether a file is one, by its name; browsers number what is saved twice.
pub fn is_one(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".txt").unwrap_or(&name);
    name.contains(".course") && name.ends_with(".json")
}

/// Judges such files; a lab's recordings are read once.
pub struct Judge<'a> {
    labs: &'a [Lab],
    lang: Lang,
    ready: BTreeMap<String, Session>,
}

impl<'a> Judge<'a> {
    pub fn new(labs: &'a [Lab], lang: Lang) -> Self {
        Self {
            labs,
            lang,
            ready: BTreeMap::new(),
        }
    }

    /// A row for each lab that was begun.
    pub fn grade(&mut self, path: &Path) -> Vec<Grade> {
        let lang = self.lang;
        // Nobody should take it for a traced run.
        let not_traced = words::not_traced(lang).to_owned();
        let bytes = match read(path, TEXT_MAX, lang) {
            Ok(bytes) => bytes,
            Err(why) => return vec![refused(path.to_owned(), why)],
        };
        let file = match serde_json::from_slice::<File>(&bytes) {
            Ok(file) if file.bytehop_course == 1 => file,
            Ok(_) => return vec![refused(path.to_owned(), words::later(lang))],
            Err(_) => return vec![refused(path.to_owned(), words::no_course(lang))],
        };
        let of = |lab: &str, right: usize, questions: usize, remarks: Vec<String>| Grade {
            file: path.to_owned(),
            student: file.student.clone(),
            lab: lab.to_owned(),
            right,
            questions,
            remarks,
            ..Grade::default()
        };
        let begun = file
            .labs
            .iter()
            .filter(|(_, state)| !state.answers.is_empty());
        let mut rows: Vec<Grade> = begun
            .map(|(id, state)| match self.judged(id, &state.answers) {
                Ok((right, questions)) => of(id, right, questions, vec![not_traced.clone()]),
                Err(why) => of(id, 0, 0, vec![not_traced.clone(), why]),
            })
            .collect();
        if rows.is_empty() {
            rows.push(of("", 0, 0, vec![words::no_answers(lang).to_owned()]));
        }
        if file.student.trim().is_empty() {
            for row in &mut rows {
                row.remarks.push(words::no_name(lang).to_owned());
            }
        }
        rows
    }

    /// Questions answered rightly, of all.
    fn judged(
        &mut self,
        id: &str,
        answers: &BTreeMap<String, String>,
    ) -> Result<(usize, usize), String> {
        let lab = self.labs.iter().find(|lab| lab.id == id);
        let lab = lab.ok_or_else(|| words::no_lab(self.lang, id))?;
        let mut session = self.session(lab).map_err(|e| e.say(self.lang))?;
        for question in &lab.spec.questions {
            if let Some(answer) = answers.get(&question.id) {
                session.answer(question, answer);
            }
        }
        let verdicts = session.verdicts();
        let right = verdicts.iter().filter(|verdict| verdict.right).count();
        Ok((right, verdicts.len()))
    }

    /// A lab with its recordings, nothing answered.
    fn session(&mut self, lab: &Lab) -> Result<Session, RunError> {
        if let Some(session) = self.ready.get(&lab.id) {
            return Ok(session.clone());
        }
        let session = Replay::session(Arc::new(lab.clone()), self.lang)?;
        self.ready.insert(lab.id.clone(), session.clone());
        Ok(session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grade::{Roster, csv, grade};
    use crate::lab::bundled;

    #[test]
    fn rows_of_a_browser() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        let (labs, _) = bundled();
        let first = &labs.iter().find(|lab| lab.id == "first-hops").unwrap().spec;
        let answers: Vec<String> = first
            .questions
            .iter()
            .map(|question| format!("{:?}: \"999\"", question.id))
            .collect();
        write(
            "s1.course (1).json",
            &format!(
                "{{\"bytehop_course\":1,\"student\":\"s1\",\"labs\":{{\"first-hops\":{{\"step\":4,\"answers\":{{{}}}}},\
                 \"no-lab\":{{\"answers\":{{\"a\":\"1\"}}}},\"modes\":{{\"step\":1}}}}}}",
                answers.join(",")
            ),
        );
        write(
            "s2.course.json",
            "{\"bytehop_course\":1,\"student\":\"s2\"}",
        );
        write("s3.course.json", "{\"bytehop_course\":9}");
        write("s4.course.json", "{\"a\":1}");
        let roster = Roster::of("s1\n");
        let rows = grade(&[dir.path().to_owned()], &labs, Some(&roster), Lang::En);
        let not_traced = words::not_traced(Lang::En);
        let told: Vec<String> = rows
            .iter()
            .map(|row| format!("{} {} {}", row.student, row.lab, row.remarks.join("; ")))
            .collect();
        assert_eq!(
            told,
            [
                format!("s1 first-hops {not_traced}"),
                format!("s1 no-lab {not_traced}; there is no lab 'no-lab'"),
                "s2  no question was answered; s2 is not on the list".to_owned(),
                "  of a later bytehop".to_owned(),
                "  not a file of the course".to_owned(),
            ]
        );
        assert_eq!(
            (rows[0].right, rows[0].questions),
            (0, first.questions.len())
        );
        assert!(rows.iter().all(|row| !row.passed));
        assert_eq!(csv(&rows).lines().count(), 6);
    }
}
