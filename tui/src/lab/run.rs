//! The labs' loop: keys and runs in, frames out. Programs run in a thread of their own.

mod learner;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use bytehop_core::i18n::{Lang, Say};
use bytehop_core::model::Summary;
use labs::chart::Chart;
use labs::guide::Step;
use labs::lab::Lab;
use labs::progress::Progress;
use labs::runs::{Checked, RunError, Runs, Whose, WorkError};
use labs::session::{Origin, Output, Session};
use labs::spec::{Code, Text};
use labs::words as texts;

use super::model::{Labs, Open, Said, path_area};
use super::update::{self, Effect};
use super::view::draw;
use crate::app::{App, Other};
use crate::options::Options;
use crate::run::{ViewError, needs_terminal};
use crate::store::Store;
use crate::terminal::{Asked, Console, Screen, outside, size};
use crate::words;

/// What the labs need from outside.
pub struct Setup {
    pub labs: Vec<Arc<Lab>>,
    /// The lab to open at once.
    pub open: Option<String>,
    pub runner: Arc<dyn Runs>,
    pub progress: Progress,
    pub seed: Option<String>,
    /// The language of the programs.
    pub code: Code,
}

/// What comes from the thread that runs programs.
enum News {
    Says(String),
    Ran(String, Box<(Summary, Origin)>),
    /// The lab's chart, measured here.
    Charted(Box<Chart>),
    AllRan,
    Checked(Box<Checked>),
    /// The recorded solution, where nothing can be traced.
    Replayed(Box<Summary>),
    /// The program does not compile.
    NotBuilt(String),
    Failed(String),
    /// Somebody wanted it to end.
    Stopped(String),
}

impl News {
    /// Whether nothing comes after it.
    fn is_last(&self) -> bool {
        !matches!(self, Self::Says(_) | Self::Ran(..) | Self::Charted(_))
    }
}

/// Titles of labs, by id.
fn titles(labs: &[Arc<Lab>]) -> BTreeMap<String, Text> {
    let titles = labs.iter();
    titles
        .map(|lab| (lab.id.clone(), lab.spec.title.clone()))
        .collect()
}

/// Shows the labs until the user quits; the exit status: 128 and the number of the signal that ended it.
///
/// # Errors
/// If there is no terminal, or it does not do what is asked of it; it is as before in any case.
pub fn run(setup: Setup, options: &Options) -> Result<i32, ViewError> {
    needs_terminal()?;
    let look = options.look();
    let states = setup.labs.iter().map(|lab| setup.progress.of(&lab.id));
    let mut labs = Labs::new(setup.labs.clone(), states.collect(), look, size()?);
    labs.code = setup.code;
    labs.replay = setup.runner.cannot().map(str::to_owned);
    let warning = setup.progress.warning.as_ref();
    labs.note = warning.map(|warning| warning.say(look.lang));
    let (sender, news) = channel();
    let mut ui = Ui {
        labs,
        runner: setup.runner,
        progress: setup.progress,
        seed: setup.seed,
        sender,
        news,
        running: false,
        visit: 0,
        started: 0,
        worker: None,
        saved: None,
        options: options.clone(),
    };
    if let Some(id) = setup.open {
        ui.labs.at = setup.labs.iter().position(|lab| lab.id == id).unwrap_or(0);
        ui.open();
    }
    let result = ui.run();
    // What runs is ended, and what was made for it removed.
    ui.runner.stop(SIGTERM);
    if let Some(worker) = ui.worker.take() {
        let _ = worker.join();
    }
    result
}

struct Ui {
    labs: Labs,
    runner: Arc<dyn Runs>,
    progress: Progress,
    seed: Option<String>,
    sender: Sender<News>,
    news: Receiver<News>,
    running: bool,
    /// How many times a lab was opened, and at which time what runs was started: what an earlier visit
    /// ran is not this one's.
    visit: u64,
    started: u64,
    worker: Option<JoinHandle<()>>,
    /// When the learner's program was changed last.
    saved: Option<SystemTime>,
    options: Options,
}

/// As keyboards and the end of a session send them.
const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;
/// How long to wait for a key where nothing moves.
const IDLE: Duration = Duration::from_millis(150);
/// A thirtieth of a second, while something does.
const TICK: Duration = Duration::from_millis(33);

impl Ui {
    fn run(&mut self) -> Result<i32, ViewError> {
        let mut console = Console::open()?;
        let mut screen = Screen::enter(self.options.mouse)?;
        loop {
            screen.terminal.draw(|frame| {
                let area = frame.area();
                if (area.width, area.height) != self.labs.size {
                    update::resize(&mut self.labs, (area.width, area.height));
                }
                draw(&self.labs, frame.buffer_mut());
            })?;
            let path = self.labs.open.as_ref().and_then(|open| open.path.as_ref());
            let moving = path.is_some_and(|path| path.is_moving());
            let wait = if moving || self.running { TICK } else { IDLE };
            if !console.wait(None, wait)? {
                return Ok(0);
            }
            while let Some(event) = console.event() {
                let effect = update::event(&mut self.labs, &event);
                match effect {
                    Some(Effect::Quit) => return Ok(0),
                    Some(Effect::Suspend) => screen.suspend()?,
                    Some(Effect::Redraw) => screen.redraw()?,
                    Some(Effect::Edit) => self.edit(&mut screen)?,
                    Some(Effect::EditAt(file, line)) => {
                        let editor = self.options.editor.as_ref();
                        let at = (file.as_str(), line);
                        let lang = self.labs.look.lang;
                        let note = outside::edit(&mut screen, editor, at, lang)?;
                        self.note_on_path(note);
                    }
                    Some(Effect::Copy(text)) => {
                        let note = outside::copy(&text, self.labs.look.lang)?;
                        self.note_on_path(Some(note));
                    }
                    Some(effect) => self.apply(effect),
                    None => {}
                }
            }
            if moving {
                update::tick(&mut self.labs);
            }
            while let Ok(news) = self.news.try_recv() {
                self.take(news);
            }
            self.look_at_program();
            while let Some(asked) = console.asked() {
                match asked {
                    Asked::Quit(signal) => return Ok(128 + signal),
                    Asked::Suspend => screen.suspend()?,
                    Asked::Resume => screen.resume()?,
                    // Each frame asks for it.
                    Asked::Size => {}
                }
            }
        }
    }

    fn apply(&mut self, effect: Effect) {
        match effect {
            Effect::Open => self.open(),
            Effect::Save => self.save(),
            Effect::Observe => self.observe(),
            Effect::Load => self.load(),
            Effect::Check => self.check(),
            Effect::Code => self.other_code(),
            Effect::Reset => self.reset(),
            Effect::Stop => {
                self.runner.stop(SIGINT);
            }
            Effect::Edit
            | Effect::EditAt(..)
            | Effect::Copy(_)
            | Effect::Quit
            | Effect::Suspend
            | Effect::Redraw => {}
        }
    }

    /// Says what came of a key of the path view.
    fn note_on_path(&mut self, note: Option<String>) {
        let path = self.labs.open.as_mut().and_then(|open| open.path.as_mut());
        if let Some(path) = path {
            path.note = note;
        }
    }

    fn open(&mut self) {
        let Some(lab) = self.labs.labs.get(self.labs.at).cloned() else {
            return;
        };
        let state = self.progress.of(&lab.id);
        let lang = self.labs.look.lang;
        let session = Session::new(lab.clone(), lang, self.seed.clone());
        let mut session = session.in_code(self.labs.code);
        session.folder = self.runner.folder(&lab);
        session.titles = titles(&self.labs.labs);
        for question in &lab.spec.questions {
            if let Some(text) = state.answers.get(&question.id) {
                session.answer(question, text);
            }
        }
        session.editable = self.labs.replay.is_none();
        let mut open = Open::new(session, &state);
        self.visit += 1;
        // What was answered before is not asked again.
        let unanswered = |q: &labs::spec::Question| !open.session.answers.contains_key(&q.id);
        open.question = lab.spec.questions.iter().position(unanswered);
        self.labs.open = Some(open);
        self.saved = self.modified();
    }

    fn save(&mut self) {
        let Some(open) = &self.labs.open else {
            return;
        };
        let id = open.session.lab.id.clone();
        let answers = open.session.answers.iter();
        let answers = answers
            .map(|(id, value)| (id.clone(), value.number.to_string()))
            .collect();
        let (step, solved) = (open.step as u8, open.solved);
        let kept = self.progress.update(&id, |state| {
            state.answers = answers;
            state.step = state.step.max(step);
            state.solved |= solved;
        });
        if let Err(e) = kept {
            self.labs.note = Some(e.say(self.labs.look.lang));
        }
        if let Some(state) = self.labs.states.get_mut(self.labs.at) {
            *state = self.progress.of(&id);
        }
    }

    /// Runs all programs, each as its turn comes.
    fn observe(&mut self) {
        self.save();
        let Some(open) = self.labs.open.as_ref().filter(|_| !self.running) else {
            return;
        };
        let mut session = open.session.clone();
        let lang = self.labs.look.lang;
        self.work(move |runner, say| {
            if runner.cannot().is_none() {
                say(News::Says(words::lab_building(lang).to_owned()));
                // If it fails, each program's own attempt says why, and its recording stands in.
                let _ = runner.build(&session);
            }
            for program in session.lab.spec.programs.clone() {
                let title = program.title.get(lang);
                say(News::Says(words::lab_running(lang, title)));
                runner.observe(&mut session, &program.name)?;
                let run = session.runs.get(&program.name).cloned();
                let origin = session.origins.get(&program.name).cloned();
                if let (Some(run), Some(origin)) = (run, origin) {
                    say(News::Ran(program.name, Box::new((run, origin))));
                }
            }
            if let Some(chart) = runner.chart(&session) {
                say(News::Charted(Box::new(chart)));
            }
            say(News::AllRan);
            Ok(())
        });
    }

    fn check(&mut self) {
        let Some(open) = self.labs.open.as_mut().filter(|_| !self.running) else {
            return;
        };
        if self.labs.replay.is_none() {
            open.step = Step::Change;
            open.scroll = usize::MAX / 2;
        }
        // Until there is a new verdict, there is none.
        open.outcome = None;
        open.said = None;
        let mut session = open.session.clone();
        let observed = open.observed;
        let lang = self.labs.look.lang;
        self.work(move |runner, say| {
            if runner.cannot().is_none() {
                say(News::Says(words::lab_checking(lang).to_owned()));
            }
            // Conditions may compare with the originals.
            if !observed {
                for program in session.lab.spec.programs.clone() {
                    runner.observe(&mut session, &program.name)?;
                    let run = session.runs.get(&program.name).cloned();
                    let origin = session.origins.get(&program.name).cloned();
                    if let (Some(run), Some(origin)) = (run, origin) {
                        say(News::Ran(program.name, Box::new((run, origin))));
                    }
                }
            }
            if runner.cannot().is_some() {
                let run = runner.replay(&session, "solution")?;
                say(News::Replayed(Box::new(run)));
                return Ok(());
            }
            match runner.check(&mut session, Whose::Learner) {
                Ok(checked) => {
                    let _ = runner.keep_result(&session, &checked);
                    say(News::Checked(Box::new(checked)));
                    Ok(())
                }
                Err(RunError::Work(WorkError::Build(said))) => {
                    say(News::NotBuilt(said));
                    Ok(())
                }
                Err(e) => Err(e),
            }
        });
    }

    /// Does something in the background, one thing at a time.
    fn work(
        &mut self,
        job: impl FnOnce(&dyn Runs, &dyn Fn(News)) -> Result<(), RunError> + Send + 'static,
    ) {
        self.running = true;
        self.started = self.visit;
        self.runner.begin();
        self.labs.busy = Some("…".to_owned());
        let lang = self.labs.look.lang;
        let (sender, runner) = (self.sender.clone(), self.runner.clone());
        self.worker = Some(std::thread::spawn(move || {
            let say = |news| {
                // Nobody listens any more: we are about to end.
                let _ = sender.send(news);
            };
            match job(&*runner, &say) {
                Ok(()) => {}
                Err(e) if e.is_stopped() => say(News::Stopped(e.say(lang))),
                Err(e) => say(News::Failed(e.say(lang))),
            }
        }));
    }

    fn take(&mut self, news: News) {
        if self.started != self.visit || self.labs.open.is_none() {
            if news.is_last() {
                self.labs.busy = None;
                self.running = false;
            }
            return;
        }
        if let News::Says(text) = news {
            self.labs.busy = Some(text);
            return;
        }
        if let News::Charted(chart) = news {
            if let Some(open) = &mut self.labs.open {
                open.session.chart = Some((*chart, Origin::Live));
            }
            return;
        }
        if let News::Ran(name, run) = news {
            if let Some(open) = &mut self.labs.open {
                let (summary, origin) = *run;
                open.session.observe(&name, summary, origin);
            }
            return;
        }
        self.labs.busy = None;
        self.running = false;
        let lang = self.labs.look.lang;
        let Some(open) = &mut self.labs.open else {
            return;
        };
        match news {
            News::AllRan => {
                open.observed = true;
                open.checked = false;
                let unseen = path_area(self.labs.size, open.guide).width == 0;
                let recorded = open
                    .session
                    .origins
                    .values()
                    .find_map(|origin| match origin {
                        Origin::Recorded(why) => Some(why.clone()),
                        Origin::Live => None,
                    });
                self.labs.note = match recorded {
                    Some(Some(why)) => Some(texts::because(lang, why)),
                    Some(None) => unseen.then(|| words::lab_recorded(lang).to_owned()),
                    None => unseen.then(|| words::lab_ran(lang).to_owned()),
                };
                self.load();
            }
            News::Checked(checked) => {
                let Checked { run, outcome, .. } = *checked;
                open.observed = true;
                open.said = (!run.stderr.is_empty() && run.summary.exit_status != Some(0))
                    .then_some((Said::Errors, run.stderr));
                open.session.last = Some(run.summary);
                let passed = outcome.passed();
                open.outcome = Some(outcome);
                if passed {
                    open.solved = true;
                    open.step = Step::Check;
                    open.scroll = 0;
                }
                self.save();
            }
            News::Replayed(run) => {
                open.outcome = Some(open.session.judge(&run, Output::NotCompared));
                open.session.last = Some(*run);
                open.step = Step::Check;
                open.scroll = 0;
            }
            News::NotBuilt(said) => {
                open.said = Some((Said::NotBuilt, said));
            }
            News::Failed(why) => {
                self.labs.note = Some(first_line(&why));
                if open.step == Step::Change {
                    open.said = Some((Said::NotChecked, why));
                }
            }
            News::Stopped(said) => self.labs.note = Some(said),
            News::Says(_) | News::Ran(..) | News::Charted(_) => {}
        }
    }

    /// The calls and hops of a run of this session, or of the lab's recording.
    fn store(&self, lab: &Lab, name: &str) -> Result<Store, String> {
        let lang = self.labs.look.lang;
        let open = |path: &Path| Store::open(path).map_err(|e| e.say(lang));
        if let Some(path) = self.runner.recording(name) {
            return open(&path);
        }
        let missing = || RunError::NoRecording(name.to_owned()).say(lang);
        let bytes = lab.recording(name).ok_or_else(missing)?;
        let mut file = tempfile::NamedTempFile::new().map_err(|e| e.say(lang))?;
        file.write_all(bytes).map_err(|e| e.say(lang))?;
        open(file.path())
    }

    /// The end of the path of a run's source, and what the lab has there.
    fn source_of(&self, name: &str, open: &Open) -> (String, String) {
        let lab = open.lab();
        let (id, changed) = (&lab.id, &lab.spec.change.program);
        let lang = self.labs.look.lang;
        // Recordings are of the programs in Rust.
        let code = match open.session.is_recorded(name) || self.labs.replay.is_some() {
            true => lab.code(Code::Rust),
            false => open.session.code,
        };
        let end = code.extension();
        match name {
            "check" => (format!("/{id}/{changed}.{end}"), String::new()),
            "solution" => {
                let text = lab.solution_in(lang, code).unwrap_or_default();
                (format!("/{id}-{changed}.{end}"), text.into_owned())
            }
            name => {
                let text = lab.source_in(lang, name, code).into_owned();
                (format!("/{id}-{name}.{end}"), text)
            }
        }
    }

    /// Loads the path that is to be shown.
    fn load(&mut self) {
        let look = self.labs.look;
        let Some(open) = &self.labs.open else {
            return;
        };
        let checked = match self.labs.replay {
            Some(_) => "solution",
            None => "check",
        };
        let name = match (open.checked, open.lab().spec.programs.get(open.program)) {
            (true, _) => checked,
            (false, Some(program)) => &program.name,
            (false, None) => return,
        };
        match self.store(open.lab(), name) {
            Ok(mut store) => {
                let source = self.source_of(name, open);
                store.prefer(&source.0);
                let mut app = App::new(store, look, (0, 0));
                show_source(&mut app, &source);
                self.options.apply(&mut app);
                if let Some(other) = original(open, look.lang) {
                    app.compare_with(other);
                }
                update::load(&mut self.labs, Some(app));
            }
            Err(e) => self.labs.note = Some(e),
        }
    }
}

/// Gives the path view a program's source where the file that the recording names is not here.
fn show_source(app: &mut App, (end, text): &(String, String)) {
    let files = app.store.annotation.files.iter();
    let here = |path: &&String| path.ends_with(end.as_str()) && !Path::new(path).is_file();
    let missing: Vec<String> = files.map(|file| &file.path).filter(here).cloned().collect();
    for path in missing.into_iter().filter(|_| !text.is_empty()) {
        let lines = text.lines().map(str::to_owned).collect();
        app.texts.insert(path, Some(lines));
    }
}

/// What the learner's run is compared with, when that is shown.
pub fn original(open: &Open, lang: Lang) -> Option<Other> {
    let name = &open.lab().spec.change.program;
    let summary = open.session.runs.get(name).filter(|_| open.checked)?;
    Some(Other {
        summary: summary.clone(),
        names: [name.clone(), words::lab_learner(lang).to_owned()],
    })
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
