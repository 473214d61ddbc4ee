//! `--expect`: budgets read, judged, and told.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use bytehop_core::budget::{self, Budgets, NoSize, Sizes, Verdict};
use bytehop_core::i18n::Lang;
use bytehop_core::model::Summary;
use bytehop_core::report::{self, Style};

use crate::cli::BudgetArgs;
use crate::fail::{FAILED, Fail, Trouble, USAGE};
use crate::output::complain;

/// Status where a budget does not hold.
const BROKEN: u8 = 1;

/// The budgets of a run, and what they need besides the trace.
#[derive(Debug)]
pub struct Expected {
    pub sink: Budgets,
    junit: Option<File>,
    /// Sizes of files before the run, which may remove them.
    before: Sizes,
}

impl BudgetArgs {
    /// Reads what is expected; `create` makes a file that belongs to the user. `None`: nothing is.
    pub fn read(
        &self,
        create: impl FnOnce(&Path) -> Result<File, Fail>,
    ) -> Result<Option<Expected>, Fail> {
        let mut all = self.expect.clone();
        for path in &self.expect_file {
            let text = fs::read_to_string(path)
                .map_err(|e| Fail::new(USAGE, Trouble::Read(path.clone(), e)))?;
            let listed = budget::parse_list(&text);
            all.extend(listed.map_err(|(line, e)| {
                let place = format!("{}:{line}", path.display());
                Fail::new(USAGE, Trouble::Listed(place, e))
            })?);
        }
        if all.is_empty() {
            return match (&self.junit, self.expect_file.is_empty()) {
                (None, true) => Ok(None),
                (Some(_), true) => Err(Fail::new(USAGE, Trouble::JunitAlone)),
                // A list that lost its lines would let everything pass.
                (_, false) => Err(Fail::new(USAGE, Trouble::NoBudget)),
            };
        }
        let sink = Budgets::new(all);
        let before = sizes(&sink);
        let junit = self.junit.as_deref().map(create).transpose()?;
        Ok(Some(Expected {
            sink,
            junit,
            before,
        }))
    }

    pub fn is_some(&self) -> bool {
        !self.expect.is_empty() || !self.expect_file.is_empty() || self.junit.is_some()
    }
}

fn sizes(budgets: &Budgets) -> Sizes {
    let size = |path: &str| match fs::metadata(path) {
        Ok(meta) if meta.is_file() => Ok(meta.len()),
        Ok(_) => Err(NoSize::NotAFile),
        Err(e) => Err(e.into()),
    };
    let files = budgets.files();
    files.map(|path| (path.to_owned(), size(path))).collect()
}

impl Expected {
    /// Judges the run, whose sink this was. Files have the size that they have now, or had before the run.
    pub fn judge(&self, summary: &Summary) -> Vec<Verdict> {
        let mut sizes = sizes(&self.sink);
        for (path, size) in &mut sizes {
            if let (Err(_), Some(Ok(before))) = (&size, self.before.get(path)) {
                *size = Ok(*before);
            }
        }
        self.sink.judge(summary, &sizes)
    }

    /// A line for each that does not hold (`aloud`), the XML; the failure if there is any.
    pub fn tell(
        &mut self,
        verdicts: &[Verdict],
        summary: &Summary,
        style: &Style,
        aloud: bool,
    ) -> Result<(), Fail> {
        let lines = verdicts.iter().filter_map(|v| report::budget(v, style));
        let all_hold = verdicts.iter().all(Verdict::held);
        if aloud {
            lines.for_each(|line| complain(&line));
            if all_hold && style.detail != report::Detail::Quiet {
                complain(&report::budgets_hold(verdicts.len(), style.lang));
            }
        }
        if let Some(file) = &mut self.junit {
            let name = summary.command.join(" ");
            let seconds = summary.duration_ns as f64 / 1e9;
            let xml = report::junit(verdicts, &name, seconds, Lang::En);
            file.write_all(xml.as_bytes())
                .map_err(|e| Fail::new(FAILED, Trouble::Junit(e)))?;
        }
        match all_hold {
            true => Ok(()),
            false => Err(Fail::silent(BROKEN)),
        }
    }
}
