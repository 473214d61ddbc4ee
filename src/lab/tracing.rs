//! The labs' side that traces: programs are built, run and judged here.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufWriter, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytehop_core::i18n::{Lang, Say};
use bytehop_core::model::Summary;
use labs::grade::{self, Grade, Roster, System};
use labs::hand_in;
use labs::lab::Lab;
use labs::own::{self, guardian, tidy};
use labs::progress::Progress;
use labs::run::Runner;
use labs::runs::{Replay, RunError, Runs, Whose, WorkError};
use labs::session::{Origin, Session};
use labs::spec::Code;
use labs::text::Text;
use labs::work::{self, Work};
use labs::{recording, result, words};
use tracer::caps;
use tracer::privileges::Privileges;
use tracer::user::Identity;

use super::{Context, ended, fail, lint};
use crate::cli::{self, Columns, LabVerb};
use crate::fail::{FAILED, Fail, NOT_ALLOWED, Trouble, USAGE};
use crate::output::{complain, print};

/// What is done before labs are read, if that is all: its status.
pub fn before(args: &cli::Lab) -> Result<Option<i32>, Fail> {
    match &args.verb {
        Some(LabVerb::Lint { dir, bless }) => {
            let lang = crate::config::lang(args.look.lang);
            return lint::lint(dir.as_deref(), *bless, lang).map(Some);
        }
        Some(LabVerb::Own {
            learner,
            alone,
            command,
        }) => return Ok(Some(guardian::own(command, *learner, *alone))),
        Some(LabVerb::Tidy) => {
            tidy::tidy();
            return Ok(Some(0));
        }
        _ => {}
    }
    if args.elevate {
        tracer::elevate::elevate()?;
    }
    Ok(None)
}

/// Who learns, and where their programs are.
pub struct Side {
    identity: Identity,
    work: Work,
}

impl Side {
    pub fn new(args: &cli::Lab) -> Result<Self, Fail> {
        let identity = Identity::invoking()?;
        let mut work = Work::locate(args.work.as_deref(), &identity);
        work.lang = crate::config::lang(args.look.lang);
        Ok(Self { work, identity })
    }

    pub fn progress(&self) -> Progress {
        work::progress(&self.identity)
    }

    pub fn usual_code(&self) -> Code {
        work::usual_code(&self.identity)
    }

    pub fn folder(&self, lab: &Lab) -> String {
        self.work.dir.join(&lab.id).display().to_string()
    }
}

impl Context<'_> {
    pub fn verb(&self, verb: &LabVerb) -> Result<i32, Fail> {
        match verb {
            LabVerb::List => self.list(),
            LabVerb::Reset { id, yes } => self.reset(id.as_deref(), *yes),
            LabVerb::Export {
                id,
                site,
                output,
                solutions,
            } => match (site, id) {
                (Some(site), _) => self.site(site),
                (None, Some(id)) => self.export(id, output, *solutions),
                (None, None) => Err(Fail::new(USAGE, Trouble::WhichLab)),
            },
            LabVerb::Grade {
                roster,
                rerun,
                format,
                dirs,
            } => self.grade(roster.as_deref(), *rerun, *format, dirs),
            LabVerb::HandIn { output } => self.hand_in(output.as_deref()),
            LabVerb::Record { to, ids } => self.record(to, ids),
            LabVerb::Lint { .. } | LabVerb::Own { .. } | LabVerb::Tidy => Ok(0),
        }
    }

    /// What makes runs; where nothing can be traced, it knows why.
    pub fn runner(&self) -> Result<Runner, Fail> {
        self.runner_as(self.side.identity.clone())
    }

    /// The same with programs that run as somebody else; the learner builds them.
    fn runner_as(&self, identity: Identity) -> Result<Runner, Fail> {
        let failed = |e: io::Error| Fail::new(FAILED, Trouble::PrepareLab(e));
        let bytehop = std::env::current_exe().map_err(failed)?;
        let side = &self.side;
        let mut runner = Runner::new(bytehop, identity, side.work.clone()).map_err(failed)?;
        if let Some(student) = &self.args.student {
            runner.student.clone_from(student);
        }
        runner.cannot = match self.args.replay {
            true => Some(String::new()),
            false => Privileges::check()
                .map_err(|e| Fail::new(FAILED, Trouble::Capabilities(e.into())))?
                .require()
                .err()
                .map(|missing| missing.say(self.lang)),
        };
        if runner.cannot.is_none() {
            let plan = caps::plan(&caps::facts());
            runner.level = plan.level.map(|level| format!("{level:?}"));
            side.work.prepare(self.labs.iter(), self.code)?;
        }
        Ok(runner)
    }

    /// The change exercise alone.
    pub fn check(&self, lab: &Lab, text: &mut Text<'_>) -> Result<i32, Fail> {
        let whose = match &self.args.program {
            Some(file) => {
                let program = &lab.spec.change.program;
                self.side
                    .work
                    .give(&lab.id, program, text.session.code, file)?;
                Whose::Given
            }
            None => Whose::Learner,
        };
        // The conditions may compare with what the originals do.
        text.observe_quietly().map_err(fail)?;
        match text.check(whose) {
            Ok(passed) => Ok(i32::from(!passed)),
            Err(e) => ended(e),
        }
    }

    fn reset(&self, id: Option<&str>, yes: bool) -> Result<i32, Fail> {
        let lang = self.lang;
        let chosen: Vec<&Lab> = match id {
            Some(id) => vec![self.find(id)?],
            None => self.labs.iter().collect(),
        };
        let name = id.unwrap_or(words::labs(lang));
        if !yes {
            if !io::stdin().is_terminal() {
                return Err(Fail::new(USAGE, Trouble::NoOneToAsk));
            }
            print(&format!("{} ", words::reset_ask(lang, name)))?;
            let mut line = String::new();
            let _ = io::stdin().read_line(&mut line);
            if !matches!(line.trim(), "y" | "Y" | "yes" | "是") {
                print(&format!("{}\n", words::nothing_reset(lang)))?;
                return Ok(0);
            }
        }
        let mut progress = self.side.progress();
        for lab in chosen {
            // Only what is there: nobody's folder is made for a reset.
            if self.side.work.dir.join(&lab.id).is_dir() {
                self.side.work.reset(lab)?;
            }
        }
        let kept = progress.reset(id);
        kept.map_err(|e| Fail::new(FAILED, Trouble::Progress(e)))?;
        print(&format!("{}\n", words::reset_done(lang, name)))?;
        Ok(0)
    }

    /// A handout, from the recordings: pictures beside the Markdown, and within the HTML.
    fn export(&self, id: &str, to: &Path, solutions: bool) -> Result<i32, Fail> {
        let lab = self.find(id)?;
        let mut session = self.session(lab);
        session.seed = None;
        session.folder = id.to_owned();
        for program in &lab.spec.programs {
            let summary = Replay::default().replay(&session, &program.name)?;
            session.observe(&program.name, summary, Origin::Recorded(None));
        }
        if let Some(bytes) = lab.recording("solution") {
            session.last = Some(recording::summary_of(bytes)?);
        }
        let lang = self.lang;
        let svg = |_: &str, run: &Summary| tui::svg::path_svg(run, lang, tui::theme::Theme::Light);
        let name = match lang {
            Lang::En => format!("{id}.en"),
            Lang::Zh => format!("{id}.zh"),
        };
        let picture = |program: &str| format!("{name}-{program}.svg");
        let link = |program: &str, _: &Summary| format!("![{program}]({})", picture(program));
        let mut files = vec![
            (
                format!("{name}.md"),
                labs::export::markdown(&session, solutions, &link),
            ),
            (
                format!("{name}.html"),
                labs::export::html(&session, solutions, &svg),
            ),
        ];
        // Pictures show what is asked.
        for (program, run) in session.runs.iter().filter(|_| solutions) {
            files.push((picture(program), svg(program, run)));
        }
        let cannot = |e: io::Error| Fail::new(USAGE, Trouble::WriteIn(to.to_owned(), e));
        for (name, text) in files {
            let path = to.join(&name);
            let written = self.side.identity.with_file_rights(|| {
                fs::create_dir_all(to)?;
                fs::write(&path, text)
            });
            written.map_err(cannot)?;
            print(&format!("{}\n", path.display()))?;
        }
        Ok(0)
    }

    /// All labs as a folder of static pages.
    fn site(&self, to: &Path) -> Result<i32, Fail> {
        let site = bytehop_web::site::site(&self.labs, self.lang);
        let written = self.side.identity.with_file_rights(|| {
            for (name, text) in &site.files {
                let path = to.join(name);
                fs::create_dir_all(path.parent().unwrap_or(to))?;
                fs::write(&path, text)?;
            }
            Ok(())
        });
        let cannot = |e: io::Error| Fail::new(USAGE, Trouble::WriteIn(to.to_owned(), e));
        written.map_err(cannot)?;
        for why in &site.left_out {
            complain(why);
        }
        print(&format!("{}\n", to.join("index.html").display()))?;
        Ok(i32::from(!site.left_out.is_empty()))
    }

    /// All results of the learner, in one file.
    fn hand_in(&self, to: Option<&Path>) -> Result<i32, Fail> {
        let (side, lang) = (&self.side, self.lang);
        let dir = side.work.dir.join("results");
        let read = side.identity.with_file_rights(|| result::in_folder(&dir));
        let results = read.unwrap_or_default();
        let Some(first) = results.first() else {
            return Err(Fail::new(FAILED, Trouble::NoResults(dir)));
        };
        let students: BTreeSet<&str> = results.iter().map(|r| r.student.as_str()).collect();
        if students.len() > 1 {
            let list: Vec<&str> = students.into_iter().collect();
            complain(&words::several_students(lang, list.join(", ")));
        }
        let name = hand_in::name_of(&first.student);
        let to = to.map_or_else(|| PathBuf::from(name), Path::to_owned);
        let cannot = |e: io::Error| Fail::new(FAILED, Trouble::Write(to.clone(), e));
        let file = side.identity.create_file(&to).map_err(cannot)?;
        let packed = side
            .identity
            .with_file_rights(|| hand_in::write(BufWriter::new(file), &dir));
        packed.map_err(cannot)?;
        let labs: Vec<&str> = results.iter().map(|r| r.lab.as_str()).collect();
        let list = labs.join(words::comma(lang));
        print(&format!("{}\n", words::handed_in(lang, to.display(), list)))?;
        Ok(0)
    }

    fn grade(
        &self,
        roster: Option<&Path>,
        rerun: bool,
        columns: Columns,
        dirs: &[PathBuf],
    ) -> Result<i32, Fail> {
        let read = |path: &Path| {
            let cannot = |e| Fail::new(USAGE, Trouble::Read(path.to_owned(), e));
            fs::read_to_string(path)
                .map(|text| Roster::of(&text))
                .map_err(cannot)
        };
        let roster = roster.map(read).transpose()?;
        for dir in dirs {
            fs::symlink_metadata(dir)
                .map_err(|e| Fail::new(USAGE, Trouble::Read(dir.clone(), e)))?;
        }
        let mut grades = grade::grade(dirs, &self.labs, roster.as_ref(), self.lang);
        if rerun {
            self.rerun(&mut grades)?;
        }
        let roster = roster.unwrap_or_default();
        let text = match columns {
            Columns::Csv => grade::csv(&grades),
            Columns::Moodle => grade::by_student(&grades, &self.labs, &roster, System::Moodle),
            Columns::Canvas => grade::by_student(&grades, &self.labs, &roster, System::Canvas),
        };
        print(&text)?;
        Ok(0)
    }

    /// Builds and checks here what was handed in; only what passes here, too, has passed.
    fn rerun(&self, grades: &mut [Grade]) -> Result<(), Fail> {
        let mut runner = self.runner_as(own::nobody(&self.side.identity))?;
        if let Some(why) = &runner.cannot {
            return Err(Fail::new(NOT_ALLOWED, why.clone()));
        }
        runner.alone = true;
        stop_when_told(&runner)?;
        let codes: BTreeSet<Code> = grades.iter().map(Grade::code).collect();
        for code in codes {
            self.side.work.prepare(self.labs.iter(), code)?;
        }
        for grade in grades.iter_mut().filter(|grade| grade.result.is_some()) {
            let Some(lab) = self.labs.iter().find(|lab| lab.id == grade.lab) else {
                continue;
            };
            let seed = grade.result.as_ref().map(|result| result.seed.clone());
            let seed = seed.filter(|seed| !seed.is_empty());
            let session = Session::new(Arc::new(lab.clone()), self.lang, seed);
            let mut session = session.in_code(grade.code());
            let mut failed = match grade.source() {
                Ok(source) => self.rerun_one(&runner, &mut session, source)?,
                Err(why) => Some(why.to_owned()),
            };
            if failed.is_none() && lab.spec.change.output {
                failed = self.other_output(&runner, &session, grade);
            }
            if let Some(why) = failed {
                grade.passed = false;
                let why = grade::words::at_rerun(self.lang, why);
                grade.remarks.push(why);
            }
        }
        Ok(())
    }

    /// Whether what a student says to have seen as output is what the original writes for their data.
    fn other_output(&self, runner: &Runner, session: &Session, grade: &Grade) -> Option<String> {
        let result = grade.result.as_ref()?;
        match runner.original_wrote(session, &result.student, result.wrote.nonce) {
            Ok(wrote) if wrote == result.wrote.sha256 => None,
            Ok(_) => Some(grade::words::other_output(self.lang).to_owned()),
            Err(e) => Some(e.say(self.lang)),
        }
    }

    /// Why a program does not pass here; nothing if it does.
    fn rerun_one(
        &self,
        runner: &Runner,
        session: &mut Session,
        source: &[u8],
    ) -> Result<Option<String>, Fail> {
        let checked = || -> Result<_, RunError> {
            let lab = session.lab.clone();
            let program = &lab.spec.change.program;
            let text = String::from_utf8_lossy(source);
            runner
                .work
                .give_text(&lab.id, program, session.code, &text)?;
            for name in session.compared() {
                runner.observe(session, &name)?;
            }
            runner.check(session, Whose::Given)
        }();
        let outcome = match checked {
            Ok(checked) => checked.outcome,
            Err(e) if e.is_stopped() => return Err(e.into()),
            Err(RunError::Work(WorkError::Build(_))) => {
                return Ok(Some(grade::words::no_build(self.lang).to_owned()));
            }
            Err(e) => {
                let said = e.say(self.lang);
                return Ok(Some(said.lines().next().unwrap_or_default().to_owned()));
            }
        };
        let mut lines = labs::page::outcome_lines(&outcome, self.lang).into_iter();
        Ok(lines.find_map(|(passed, text)| (!passed).then_some(text)))
    }

    /// Traces all programs of labs, and the solutions, and keeps the recordings with the labs.
    fn record(&self, to: &Path, ids: &[String]) -> Result<i32, Fail> {
        let runner = self.runner()?;
        if let Some(why) = &runner.cannot {
            return Err(Fail::new(NOT_ALLOWED, why.clone()));
        }
        let mut code = 0;
        for id in ids {
            let dir = to.join(id);
            let lab = Lab::open(&dir)?;
            self.side.work.prepare(
                self.labs
                    .iter()
                    .filter(|other| other.id != *id)
                    .chain([&lab]),
                Code::Rust,
            )?;
            // Recordings are of the programs in Rust.
            let mut session = self.session(&lab).in_code(Code::Rust);
            session.seed = None;
            for (name, outcome) in runner.record_all(&mut session, &dir) {
                match outcome {
                    Ok(path) => print(&format!("{}\n", path.display()))?,
                    Err(why) => {
                        code = 1;
                        complain(&format!("{id}/{name}: {why}"));
                    }
                }
            }
        }
        Ok(code)
    }
}

/// Ctrl-C and the like end a run in good order, and bytehop at once where nothing runs.
pub fn stop_when_told(runner: &Runner) -> Result<(), Fail> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP]);
    let mut signals = signals.map_err(|e| Fail::new(FAILED, Trouble::Signals(e)))?;
    let interrupt = runner.interrupt();
    std::thread::spawn(move || {
        for signal in signals.forever() {
            // What the session made goes with us.
            if !interrupt.stop(signal) {
                std::process::exit(128 + signal);
            }
        }
    });
    Ok(())
}
