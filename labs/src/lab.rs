//! A lab: its folder, read.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use bytehop_core::i18n::Lang;

use crate::bundle::BUNDLE;
use crate::chart::{Chart, ChartError};
use crate::comments::{self, Comments};
use crate::guide::{self, Guide, GuideError};
use crate::spec::{Code, Spec, is_name};
use bytehop_core::expr::Expr;

/// The most that a file of a lab may have, and the most files.
const FILE_MAX: u64 = 64 << 20;
const FILES_MAX: usize = 1000;
/// The most that a text may have: all but what was recorded.
const TEXT_MAX: u64 = 1 << 20;

/// A file of a lab.
type Bytes = Cow<'static, [u8]>;

/// A lab and all files of its folder.
#[derive(Clone, Debug)]
pub struct Lab {
    pub id: String,
    pub spec: Spec,
    guides: [Guide; 2],
    /// What the programs' comments are in Chinese.
    comments: Comments,
    /// By path within the folder.
    files: BTreeMap<String, Bytes>,
}

/// Why a lab cannot be used. One line.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    Read {
        path: PathBuf,
        source: io::Error,
    },
    /// What is there is not taken.
    Refused {
        path: PathBuf,
        why: Refusal,
    },
    Missing {
        id: String,
        file: String,
    },
    /// In the words of the format's reader.
    Wrong {
        id: String,
        file: String,
        what: String,
    },
    Guide {
        id: String,
        file: &'static str,
        source: GuideError,
    },
    /// A folder's name, or one in `lab.toml`, that is none.
    NoName {
        id: String,
        name: String,
    },
    NoPrograms {
        id: String,
    },
    Unknown(String),
}

bytehop_core::says! { LabError, lang:
    Self::Read { path, source } => "cannot read {path}: {why}" | "无法读取 {path}：{why}",
        path = path.display(), why = source.say(lang);
    Self::Refused { path, why } => "cannot read {path}: {why}" | "无法读取 {path}：{why}",
        path = path.display(), why = why.say(lang);
    Self::Missing { id, file } => "lab {id}: there is no {file}" | "实验 {id}：没有 {file}";
    Self::Wrong { id, file, what } => "lab {id}: {file}: {what}" | "实验 {id}：{file}：{what}";
    Self::Guide { id, file, source } => "lab {id}: {file}: {what}" | "实验 {id}：{file}：{what}", what = source.say(lang);
    Self::NoName { id, name } =>
        "lab {id}: {name:?} is no name: letters, digits, '-', '_' and '.', a letter or digit first"
        | "实验 {id}：{name:?} 不能用作名字：只能用字母、数字、“-”、“_”和“.”，并以字母或数字开头";
    Self::NoPrograms { id } => "lab {id}: lab.toml: no programs" | "实验 {id}：lab.toml：没有程序";
    Self::Unknown(id) => "there is no lab '{id}'; `bytehop lab list` shows what there is"
        | "没有实验“{id}”；`bytehop lab list` 列出所有实验";
}

/// Why a file of a lab's folder is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Link,
    TooMany,
    TooLarge,
}

bytehop_core::says! { Refusal, lang:
    Self::Link => "a link: a lab's files are in its folder" | "是链接：实验的文件都放在它的目录里";
    Self::TooMany => "too many files" | "文件太多";
    Self::TooLarge => "no ordinary file, or too large" | "不是普通文件，或者太大";
}

impl Lab {
    /// Reads a lab from its files.
    ///
    /// # Errors
    /// If a file is missing or cannot be understood.
    pub fn new(id: &str, files: BTreeMap<String, Bytes>) -> Result<Self, LabError> {
        if !is_name(id) {
            return Err(no_name(id, id));
        }
        let text = |file: &str| -> Result<&str, LabError> {
            let bytes = files.get(file).ok_or_else(|| LabError::Missing {
                id: id.to_owned(),
                file: file.to_owned(),
            })?;
            std::str::from_utf8(bytes).map_err(|e| wrong(id, file, e))
        };
        let spec: Spec = toml::from_str(text("lab.toml")?)
            .map_err(|e| wrong(id, "lab.toml", e.to_string().trim_end().replace('\n', "  ")))?;
        let files_and_programs = spec.files.iter().map(|file| &file.name);
        let names = files_and_programs.chain(spec.sources().map(|program| &program.name));
        for name in names.chain([&spec.change.program]) {
            if !is_name(name) {
                return Err(no_name(id, name));
            }
        }
        if spec.programs.is_empty() {
            return Err(LabError::NoPrograms { id: id.to_owned() });
        }
        // All in one language at least.
        let missing = |code: Code| {
            let paths = spec
                .sources()
                .map(|program| source_path(&program.name, code));
            paths.into_iter().find(|path| !files.contains_key(path))
        };
        if let (Some(file), Some(_)) = (missing(Code::Rust), missing(Code::C)) {
            return Err(LabError::Missing {
                id: id.to_owned(),
                file,
            });
        }
        for path in files.keys().filter(|path| path.starts_with("programs/")) {
            text(path)?;
        }
        let comments = match files.contains_key(comments::FILE) {
            true => toml::from_str(text(comments::FILE)?).map_err(|e| {
                wrong(
                    id,
                    comments::FILE,
                    e.to_string().trim_end().replace('\n', "  "),
                )
            })?,
            false => Comments::new(),
        };
        let guide = |lang| -> Result<Guide, LabError> {
            let file = guide_name(lang);
            let parsed = Guide::parse(text(file)?, lang);
            parsed.map_err(|source| LabError::Guide {
                id: id.to_owned(),
                file,
                source,
            })
        };
        // One language may come first; the other's readers see that one.
        let there = |lang| files.contains_key(guide_name(lang));
        let guides = match (there(Lang::En), there(Lang::Zh)) {
            (false, true) => [guide(Lang::Zh)?, guide(Lang::Zh)?],
            (true, false) => [guide(Lang::En)?, guide(Lang::En)?],
            _ => [guide(Lang::En)?, guide(Lang::Zh)?],
        };
        Ok(Self {
            id: id.to_owned(),
            spec,
            guides,
            comments,
            files,
        })
    }

    /// Reads a lab from its folder; the folder's name is its id.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn open(dir: &Path) -> Result<Self, LabError> {
        let id = dir.file_name().unwrap_or_default().to_string_lossy();
        let mut files = BTreeMap::new();
        read_all(dir, "", &mut files)?;
        Self::new(&id, files)
    }

    pub fn guide(&self, lang: Lang) -> &Guide {
        &self.guides[usize::from(lang == Lang::Zh)]
    }

    /// A file's bytes, by its path within the folder.
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Cow::as_ref)
    }

    /// All files, by path within the folder.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let files = self.files.iter();
        files.map(|(path, bytes)| (path.as_str(), bytes.as_ref()))
    }

    /// A file's text; empty if there is none.
    pub fn text(&self, path: &str) -> &str {
        let bytes = self.file(path).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// Whether all of its programs are there in a language.
    pub fn has(&self, code: Code) -> bool {
        let mut programs = self.spec.sources();
        programs.all(|program| self.files.contains_key(&source_path(&program.name, code)))
    }

    /// The language that a learner wants, if the lab has it; else the other one.
    pub fn code(&self, wanted: Code) -> Code {
        match self.has(wanted) {
            true => wanted,
            false => wanted.other(),
        }
    }

    /// Source of a program as the lab has it.
    pub fn source(&self, program: &str, code: Code) -> &str {
        self.text(&source_path(program, code))
    }

    pub fn solution(&self, code: Code) -> Option<&str> {
        let path = format!("solution/{}.{}", self.spec.change.program, code.extension());
        self.files.contains_key(&path).then(|| self.text(&path))
    }

    /// A program's source with its comments in a language, line for line.
    pub fn source_in(&self, lang: Lang, program: &str, code: Code) -> Cow<'_, str> {
        self.told_in(lang, self.source(program, code))
    }

    /// As [`Self::source_in`], for the solution.
    pub fn solution_in(&self, lang: Lang, code: Code) -> Option<Cow<'_, str>> {
        self.solution(code).map(|text| self.told_in(lang, text))
    }

    fn told_in<'a>(&self, lang: Lang, source: &'a str) -> Cow<'a, str> {
        match lang {
            Lang::Zh if !self.comments.is_empty() => {
                Cow::Owned(comments::translate(source, &self.comments))
            }
            _ => Cow::Borrowed(source),
        }
    }

    pub(crate) fn comments(&self) -> &Comments {
        &self.comments
    }

    /// Programs that must not pass, with their file names.
    pub fn cheats(&self, code: Code) -> impl Iterator<Item = (&str, &str)> {
        let names = self.files.keys().filter(move |path| {
            path.starts_with("cheat/") && Code::of_file(Path::new(path)) == Some(code)
        });
        names.map(|path| (path.as_str(), self.text(path)))
    }

    /// All programs in a language, with their file names: to start from, the solution, cheats.
    pub fn sources(&self, code: Code) -> impl Iterator<Item = (&str, &str)> {
        let folders = ["programs/", "solution/", "cheat/"];
        let names = self.files.keys().filter(move |path| {
            let ours = folders.iter().any(|folder| path.starts_with(folder));
            ours && Code::of_file(Path::new(path)) == Some(code)
        });
        names.map(|path| (path.as_str(), self.text(path)))
    }

    /// What the lab's measuring program once wrote, as a chart; `None` if there is nothing.
    pub fn recorded_chart(&self) -> Option<Result<Chart, ChartError>> {
        let spec = self.spec.chart.as_ref()?;
        let path = format!("recordings/{}.csv", spec.program.name);
        self.file(&path)?;
        Some(Chart::parse(self.text(&path), spec))
    }

    /// The bundled recording of a program, or of the `solution`.
    pub fn recording(&self, program: &str) -> Option<&[u8]> {
        self.file(&format!("recordings/{program}.bhop"))
    }

    /// Every expression with a name for messages, and whether it is read within a question (1), the
    /// change exercise (2), or neither.
    pub(crate) fn expressions(&self) -> Vec<(String, &Expr, Place)> {
        let mut all = Vec::new();
        for (name, values) in &self.spec.params {
            all.extend(
                values
                    .iter()
                    .map(|e| (format!("params.{name}"), e, Place::Constant)),
            );
        }
        for file in &self.spec.files {
            all.push((
                format!("files.{}.size", file.name),
                &file.size,
                Place::Param,
            ));
        }
        for question in &self.spec.questions {
            let id = &question.id;
            let mut add = |what: &str, expr, place| {
                all.push((format!("questions.{id}.{what}"), expr, place));
            };
            add("measure", &question.measure, Place::Run);
            if let Some(textbook) = &question.textbook {
                add("textbook", textbook, Place::Param);
            }
            add("right", &question.right, Place::Question);
            for case in question.explain.iter().chain(&question.differs) {
                if let Some(when) = &case.when {
                    add("when", when, Place::Question);
                }
            }
        }
        for check in &self.spec.change.checks {
            all.push(("change.checks".to_owned(), &check.that, Place::Run));
        }
        for when in self
            .spec
            .change
            .hints
            .iter()
            .filter_map(|h| h.when.as_ref())
        {
            all.push(("change.hints".to_owned(), when, Place::Run));
        }
        all
    }

    /// Names of files that the folder has under `folder/`, without the extension.
    pub(crate) fn stems(&self, folder: &str, extension: &str) -> BTreeSet<&str> {
        let names = self.files.keys();
        names
            .filter_map(|path| path.strip_prefix(folder)?.strip_suffix(extension))
            .collect()
    }
}

/// Where a program's source is, within a lab's folder.
fn source_path(program: &str, code: Code) -> String {
    format!("programs/{program}.{}", code.extension())
}

/// Where an expression stands: what it may refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Constant,
    /// Parameters.
    Param,
    /// Parameters and runs.
    Run,
    /// The same, and `answer`, `measured`, `textbook`.
    Question,
}

fn no_name(id: &str, name: &str) -> LabError {
    LabError::NoName {
        id: id.to_owned(),
        name: name.to_owned(),
    }
}

fn wrong(id: &str, file: &str, what: impl std::fmt::Display) -> LabError {
    LabError::Wrong {
        id: id.to_owned(),
        file: file.to_owned(),
        what: what.to_string(),
    }
}

pub fn guide_name(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "guide.en.md",
        Lang::Zh => "guide.zh.md",
    }
}

fn read_all(dir: &Path, prefix: &str, files: &mut BTreeMap<String, Bytes>) -> Result<(), LabError> {
    let error = |source| LabError::Read {
        path: dir.to_owned(),
        source,
    };
    for entry in std::fs::read_dir(dir).map_err(error)? {
        let entry = entry.map_err(error)?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let path = entry.path();
        let data = path.symlink_metadata().map_err(error)?;
        let refused = |why| {
            Err(LabError::Refused {
                path: path.clone(),
                why,
            })
        };
        // Hidden files and what editors leave are nobody's business.
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if data.is_symlink() {
            return refused(Refusal::Link);
        }
        if files.len() == FILES_MAX {
            return refused(Refusal::TooMany);
        }
        let most = match name.starts_with("recordings/") {
            true => FILE_MAX,
            false => TEXT_MAX,
        };
        if data.is_dir() {
            // A lab's folders are one deep.
            if prefix.is_empty() {
                read_all(&path, &format!("{name}/"), files)?;
            }
        } else if !data.is_file() || data.len() > most {
            return refused(Refusal::TooLarge);
        } else {
            let read = std::fs::read(&path);
            files.insert(
                name,
                Cow::Owned(read.map_err(|source| LabError::Read { path, source })?),
            );
        }
    }
    Ok(())
}

/// The bundled labs, without those that cannot be read, which come second.
pub fn bundled() -> (Vec<Lab>, Vec<LabError>) {
    let mut folders: BTreeMap<&str, BTreeMap<String, Bytes>> = BTreeMap::new();
    for (id, path, content) in BUNDLE {
        let folder = folders.entry(id).or_default();
        folder.insert((*path).to_owned(), Cow::Borrowed(*content));
    }
    sorted(folders.into_iter().map(|(id, files)| Lab::new(id, files)))
}

/// The labs of a folder of folders; folders without a `lab.toml` are none.
///
/// # Errors
/// If the folder cannot be read.
pub fn in_folder(dir: &Path) -> Result<(Vec<Lab>, Vec<LabError>), LabError> {
    let error = |source| LabError::Read {
        path: dir.to_owned(),
        source,
    };
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(error)? {
        let path = entry.map_err(error)?.path();
        if path.join("lab.toml").is_file() {
            folders.push(path);
        }
    }
    Ok(sorted(folders.iter().map(|path| Lab::open(path))))
}

fn sorted(labs: impl Iterator<Item = Result<Lab, LabError>>) -> (Vec<Lab>, Vec<LabError>) {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for lab in labs {
        match lab {
            Ok(lab) => good.push(lab),
            Err(e) => bad.push(e),
        }
    }
    good.sort_by(|a, b| (a.spec.order, &a.id).cmp(&(b.spec.order, &b.id)));
    (good, bad)
}

/// All labs: the bundled ones, and those of `dirs`, which replace others of the same id.
///
/// # Errors
/// If a folder cannot be read.
pub fn all(dirs: &[PathBuf]) -> Result<(Vec<Lab>, Vec<LabError>), LabError> {
    let (mut labs, mut errors) = bundled();
    for dir in dirs {
        let (more, wrong) = in_folder(dir)?;
        labs.retain(|lab| more.iter().all(|other| other.id != lab.id));
        labs.extend(more);
        errors.extend(wrong);
    }
    labs.sort_by(|a, b| (a.spec.order, &a.id).cmp(&(b.spec.order, &b.id)));
    Ok((labs, errors))
}

/// The short hash that ties a translation to its original.
pub fn hash_of_original(lab: &Lab) -> String {
    guide::hash(lab.text(guide_name(Lang::En)))
}
