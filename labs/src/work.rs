//! The learner's copy of the programs: a folder that they own, in which cargo or a C compiler builds.
//!
//! ```text
//! ~/bytehop-labs/
//!   Cargo.toml, Cargo.lock    ours, written anew each time (for Rust)
//!   support/                  ours: what the programs share
//!   first-hops/copy.rs        the learner's: never overwritten once it was changed (in C: copy.c)
//!   .originals/, .given/      ours: the programs as they were, and those that `--program` names
//!   target/                   what was built
//! ```

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use bytehop_core::i18n::Lang;
use tracer::user::Identity;

use crate::bundle::{C_SUPPORT, LOCK, SUPPORT};
use crate::compile::{self, Builder, run_builder};
use crate::lab::Lab;
use crate::own::Owner;
use crate::progress::{self, InFile, Keep, Progress};
use crate::runs::{Whose, WorkError};
use crate::spec::Code;

/// Name of the folder, in the current one or in the learner's home.
pub const FOLDER: &str = "bytehop-labs";

impl Whose {
    /// The cargo package that has it. A lab may be called as a library is (`io-uring`); a package of
    /// its own name would then be ambiguous.
    fn package(self, lab: &str) -> String {
        match self {
            Self::Original => "originals".to_owned(),
            Self::Given => "given".to_owned(),
            Self::Learner => format!("my-{lab}"),
        }
    }

    fn binary(self, lab: &str, program: &str) -> String {
        match self {
            Self::Original => format!("{lab}-{program}"),
            Self::Learner => format!("my-{lab}-{program}"),
            Self::Given => format!("given-{lab}-{program}"),
        }
    }

    fn folder(self) -> Option<&'static str> {
        match self {
            Self::Original => Some(".originals"),
            Self::Given => Some(".given"),
            Self::Learner => None,
        }
    }
}

/// The learner's folder.
#[derive(Clone, Debug)]
pub struct Work {
    pub dir: PathBuf,
    /// What builds are started by.
    pub owner: Owner,
    /// What the programs' comments are in.
    pub lang: Lang,
    identity: Identity,
}

impl Work {
    /// `given`, else `./bytehop-labs` if it is there, else the one in the learner's home.
    pub fn locate(given: Option<&Path>, identity: &Identity) -> Self {
        let here = Path::new(FOLDER);
        let home = || {
            let home = identity.var("HOME").filter(|home| !home.is_empty());
            home.map_or_else(PathBuf::new, PathBuf::from).join(FOLDER)
        };
        let dir = match given {
            Some(dir) => dir.to_owned(),
            None if is_ours(here) => here.to_owned(),
            None => home(),
        };
        Self {
            dir: std::path::absolute(&dir).unwrap_or(dir),
            owner: Owner::default(),
            lang: Lang::En,
            identity: identity.clone(),
        }
    }

    /// Where a program's source is.
    pub fn source(&self, lab: &str, program: &str, whose: Whose, code: Code) -> PathBuf {
        let end = code.extension();
        match whose.folder() {
            None => self.dir.join(lab).join(format!("{program}.{end}")),
            Some(folder) => self.dir.join(folder).join(format!("{lab}-{program}.{end}")),
        }
    }

    /// Makes the folder, or brings it up to date. What the learner has changed stays. Labs that have no programs
    /// in this language have them in the other.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn prepare<'a>(
        &self,
        labs: impl Iterator<Item = &'a Lab> + Clone,
        code: Code,
    ) -> Result<(), WorkError> {
        let of = |code| labs.clone().filter(move |lab| lab.code(code) == code);
        let others = of(code.other()).any(|lab| !lab.has(code));
        if code == Code::C || others {
            self.prepare_c(of(Code::C))?;
        }
        if code == Code::Rust || others {
            self.prepare_rust(of(Code::Rust))?;
        }
        self.write(Path::new(".gitignore"), "target\n")
    }

    /// The learner's copy of a program and ours: theirs is brought up to date unless they changed it.
    fn write_program(&self, lab: &Lab, program: &str, code: Code) -> Result<(), WorkError> {
        let source = &*lab.source_in(self.lang, program, code);
        let theirs = self.source(&lab.id, program, Whose::Learner, code);
        let before = self.source(&lab.id, program, Whose::Original, code);
        let unchanged = match (fs::read(&theirs), fs::read(&before)) {
            (Ok(theirs), Ok(before)) => theirs == before,
            (theirs, _) => theirs.is_err(),
        };
        if unchanged {
            self.write(&theirs, source)?;
        }
        self.write(&before, source)
    }

    fn prepare_c<'a>(&self, labs: impl Iterator<Item = &'a Lab>) -> Result<(), WorkError> {
        for (name, text) in C_SUPPORT {
            self.write(&Path::new(compile::SUPPORT).join(name), text)?;
        }
        self.write(Path::new("compile_flags.txt"), compile::EDITOR_FLAGS)?;
        for lab in labs {
            for program in lab.spec.sources() {
                self.write_program(lab, &program.name, Code::C)?;
            }
        }
        Ok(())
    }

    fn prepare_rust<'a>(&self, labs: impl Iterator<Item = &'a Lab>) -> Result<(), WorkError> {
        let mut members = vec!["support".to_owned(), ".originals".to_owned()];
        for (path, text) in SUPPORT {
            self.write(&Path::new("support").join(path), text)?;
        }
        let mut originals = Vec::new();
        for lab in labs {
            let mut own = Vec::new();
            for program in lab.spec.sources().map(|program| &program.name) {
                self.write_program(lab, program, Code::Rust)?;
                own.push((
                    Whose::Learner.binary(&lab.id, program),
                    format!("{program}.rs"),
                ));
                originals.push((
                    Whose::Original.binary(&lab.id, program),
                    format!("{}-{program}.rs", lab.id),
                ));
            }
            self.write(
                &Path::new(&lab.id).join("Cargo.toml"),
                &package(&Whose::Learner.package(&lab.id), &own),
            )?;
            members.push(lab.id.clone());
        }
        self.write(
            Path::new(".originals/Cargo.toml"),
            &package("originals", &originals),
        )?;
        if self.dir.join(".given/Cargo.toml").is_file() {
            members.push(".given".to_owned());
        }
        self.write(Path::new("Cargo.toml"), &workspace(&members))?;
        if !self.dir.join("Cargo.lock").exists() {
            self.write(Path::new("Cargo.lock"), LOCK)?;
        }
        Ok(())
    }

    /// Has the compiler read all programs that a lab has in C; what it says of each that does not compile.
    ///
    /// # Errors
    /// If there is no compiler, or it was kept from its work.
    pub fn read_c(&self, lab: &Lab) -> Result<Vec<String>, WorkError> {
        self.prepare_c([].into_iter())?;
        let dir = self.dir.join(&lab.id);
        let mut sources = Vec::new();
        for (name, text) in lab.sources(Code::C) {
            self.write(&dir.join(name), text)?;
            sources.push(dir.join(name));
        }
        if sources.is_empty() {
            return Ok(Vec::new());
        }
        let sources: Vec<&Path> = sources.iter().map(PathBuf::as_path).collect();
        match compile::read(&self.owner, &self.identity, &self.dir, &sources) {
            Ok(()) => Ok(Vec::new()),
            Err(WorkError::Build(said)) => {
                let errors = said.lines().filter(|line| line.contains("error:"));
                Ok(errors.map(str::to_owned).collect())
            }
            Err(e) => Err(e),
        }
    }

    /// Takes a file as a program of a lab, to be built with [`Whose::Given`].
    ///
    /// # Errors
    /// If it cannot be read, or the copy cannot be written.
    pub fn give(&self, lab: &str, program: &str, code: Code, file: &Path) -> Result<(), WorkError> {
        let text = self.identity.with_file_rights(|| fs::read_to_string(file));
        let text = text.map_err(|source| WorkError::Read {
            path: file.to_owned(),
            source,
        })?;
        self.give_text(lab, program, code, &text)
    }

    /// Takes a program's source, as [`Self::give`] takes a file's.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn give_text(
        &self,
        lab: &str,
        program: &str,
        code: Code,
        text: &str,
    ) -> Result<(), WorkError> {
        self.write(&self.source(lab, program, Whose::Given, code), text)?;
        if code == Code::C {
            return Ok(());
        }
        let binary = [(
            Whose::Given.binary(lab, program),
            format!("{lab}-{program}.rs"),
        )];
        self.write(Path::new(".given/Cargo.toml"), &package("given", &binary))?;
        let path = self.dir.join("Cargo.toml");
        let manifest = fs::read_to_string(&path).unwrap_or_default();
        match manifest.contains("\".given\"") {
            true => Ok(()),
            false => self.write(
                &path,
                &manifest.replace("\".originals\"", "\".originals\", \".given\""),
            ),
        }
    }

    /// Puts a lab's programs back as they were.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn reset(&self, lab: &Lab) -> Result<(), WorkError> {
        for code in Code::ALL.into_iter().filter(|code| lab.has(*code)) {
            for program in lab.spec.sources() {
                let path = self.source(&lab.id, &program.name, Whose::Learner, code);
                // In the language that was never chosen there is nothing to put back.
                if path.exists() || code == lab.code(Code::Rust) {
                    self.write(&path, &lab.source_in(self.lang, &program.name, code))?;
                }
            }
        }
        Ok(())
    }

    /// Whether the learner has changed a lab's program.
    pub fn is_changed(&self, lab: &Lab, program: &str, code: Code) -> bool {
        let text = fs::read_to_string(self.source(&lab.id, program, Whose::Learner, code));
        let ours = |lang| lab.source_in(lang, program, code);
        text.is_ok_and(|text| [Lang::En, Lang::Zh].iter().all(|lang| text != *ours(*lang)))
    }

    /// Builds programs, and gives their executables, by name.
    ///
    /// # Errors
    /// If there is no cargo or no compiler, or it fails: its message.
    pub fn build(
        &self,
        lab: &str,
        programs: &[&str],
        whose: Whose,
        code: Code,
    ) -> Result<BTreeMap<String, PathBuf>, WorkError> {
        let paths = || {
            let paths = programs.iter().map(|program| {
                let path = self.executable(lab, program, whose, code);
                ((*program).to_owned(), path)
            });
            paths.collect()
        };
        // Also where there is no cargo: a machine that was handed the folder as it is.
        let fresh = |program: &&str| self.is_fresh(lab, program, whose, code);
        if programs.iter().all(fresh) {
            return Ok(paths());
        }
        if code == Code::C {
            for program in programs.iter().filter(|program| !fresh(program)) {
                let source = self.source(lab, program, whose, code);
                let to = self.executable(lab, program, whose, code);
                self.make_room(&to)?;
                // What a linker that was ended left behind must not pass for a program.
                let unfinished = to.with_extension("unfinished");
                let (owner, identity) = (&self.owner, &self.identity);
                compile::compile(owner, identity, &self.dir, &source, &unfinished)?;
                let renamed = identity.with_file_rights(|| fs::rename(&unfinished, &to));
                renamed.map_err(|source| WorkError::Write { path: to, source })?;
            }
            return Ok(paths());
        }
        let offline = self.cargo(lab, programs, whose, true)?;
        // Libraries that were never fetched: with the network, then.
        let built = match offline {
            Err(said) if said.contains("--offline") || said.contains("offline mode") => {
                match self.cargo(lab, programs, whose, false)? {
                    // What cargo says about the network helps nobody. It compiles once it has them.
                    Err(said) if !said.contains("could not compile") => {
                        return Err(WorkError::NoLibraries);
                    }
                    built => built,
                }
            }
            built => built,
        };
        built.map_err(|said| match is_about_program(&said) {
            _ if is_without_compiler(&said) => WorkError::NoRustc,
            true => WorkError::Build(said),
            false => WorkError::Cargo(said),
        })?;
        if whose == Whose::Given {
            for program in programs {
                let from = self.target().join(whose.binary(lab, program));
                self.keep(&from, &self.executable(lab, program, whose, code))?;
            }
        }
        Ok(paths())
    }

    fn target(&self) -> PathBuf {
        self.dir.join("target/debug")
    }

    /// Where a program's executable is, once it was built. Given programs come and go under one name:
    /// what was made of each is kept under its source's hash.
    fn executable(&self, lab: &str, program: &str, whose: Whose, code: Code) -> PathBuf {
        let name = whose.binary(lab, program);
        if whose != Whose::Given {
            return match code {
                Code::Rust => self.target().join(name),
                Code::C => self.dir.join("target/c").join(name),
            };
        }
        let source = fs::read_to_string(self.source(lab, program, whose, code)).unwrap_or_default();
        let folder = self
            .dir
            .join("target/given")
            .join(crate::guide::hash(&source));
        folder.join(name)
    }

    /// Whether an executable is newer than all that it was made from.
    fn is_fresh(&self, lab: &str, program: &str, whose: Whose, code: Code) -> bool {
        let time = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
        let Some(made) = time(&self.executable(lab, program, whose, code)) else {
            return false;
        };
        let (folder, files) = match code {
            Code::Rust => ("support", SUPPORT),
            Code::C => (compile::SUPPORT, C_SUPPORT),
        };
        let support = files
            .iter()
            .map(|(path, _)| self.dir.join(folder).join(path));
        // The given source is told by its hash, not by its time.
        let own = (whose != Whose::Given).then(|| self.source(lab, program, whose, code));
        let mut sources = support.chain(own);
        sources.all(|path| time(&path).is_some_and(|changed| changed < made))
    }

    /// Makes the folder of an executable.
    fn make_room(&self, to: &Path) -> Result<(), WorkError> {
        let Some(folder) = to.parent() else {
            return Ok(());
        };
        let made = self
            .identity
            .with_file_rights(|| fs::create_dir_all(folder));
        made.map_err(|source| WorkError::Write {
            path: folder.to_owned(),
            source,
        })
    }

    fn keep(&self, from: &Path, to: &Path) -> Result<(), WorkError> {
        let error = |source| WorkError::Write {
            path: to.to_owned(),
            source,
        };
        self.identity
            .with_file_rights(|| {
                if let Some(parent) = to.parent() {
                    private_folder(parent)?;
                }
                // Not over one that may be running.
                let _ = fs::remove_file(to);
                fs::copy(from, to).map(|_| ())
            })
            .map_err(error)
    }

    fn cargo(
        &self,
        lab: &str,
        programs: &[&str],
        whose: Whose,
        offline: bool,
    ) -> Result<Result<(), String>, WorkError> {
        let mut args: Vec<OsString> = [
            "build",
            "--quiet",
            "--color=never",
            "--target-dir",
            "target",
            "-p",
            &whose.package(lab),
        ]
        .map(OsString::from)
        .into();
        if offline {
            args.push("--offline".into());
        }
        args.extend(brought(std::env::current_exe().ok().as_deref()));
        for program in programs {
            args.extend(["--bin".into(), whose.binary(lab, program).into()]);
        }
        let (owner, identity, failed) = (&self.owner, &self.identity, WorkError::NoStart);
        match run_builder(owner, identity, &self.dir, "cargo", args, failed)? {
            Builder::Done => Ok(Ok(())),
            Builder::NotThere => Err(WorkError::NoCargo),
            Builder::Refused(said) => Ok(Err(said)),
        }
    }

    /// Writes a file as the learner, if it is not already so.
    fn write(&self, path: &Path, text: &str) -> Result<(), WorkError> {
        let path = self.dir.join(path);
        let error = |source| WorkError::Write {
            path: path.clone(),
            source,
        };
        self.identity
            .with_file_rights(|| {
                if fs::read(&path).is_ok_and(|old| old == text.as_bytes()) {
                    return Ok(());
                }
                if let Some(parent) = path.parent() {
                    private_folder(parent)?;
                }
                fs::write(&path, text)
            })
            .map_err(error)
    }
}

/// Whether a folder is one of ours.
fn is_ours(dir: &Path) -> bool {
    let marks = ["Cargo.toml", "compile_flags.txt"];
    marks.iter().any(|name| dir.join(name).is_file())
}

/// The language of those who have not chosen: Rust, unless this machine can only build C.
pub fn usual_code(identity: &Identity) -> Code {
    let rust = ["cargo", "rustc"].map(|name| compile::on_path(identity, name));
    match rust == [true, true] || !compile::is_there(identity) {
        true => Code::Rust,
        false => Code::C,
    }
}

/// The learner's progress, read and written as them.
pub fn progress(identity: &Identity) -> Progress {
    Progress::open(Theirs {
        file: InFile(progress::file(|name| {
            identity.var(name).map(OsStr::to_owned)
        })),
        identity: identity.clone(),
    })
}

/// The learner's file, with their rights.
#[derive(Debug)]
struct Theirs {
    file: InFile,
    identity: Identity,
}

impl Keep for Theirs {
    fn path(&self) -> &Path {
        self.file.path()
    }

    fn read(&self) -> io::Result<String> {
        self.identity.with_file_rights(|| self.file.read())
    }

    fn write(&self, text: &str) -> io::Result<()> {
        self.identity.with_file_rights(|| self.file.write(text))
    }

    fn set_aside(&self) -> io::Result<PathBuf> {
        self.identity.with_file_rights(|| self.file.set_aside())
    }
}

/// Options by which cargo takes libraries that a package of ours brought, with no network and no cache of
/// its own: `share/bytehop/vendor` beside the `bin` that we are in.
fn brought(program: Option<&Path>) -> Vec<OsString> {
    let prefix = program.and_then(|program| program.parent()?.parent());
    let folder = prefix.map(|prefix| prefix.join("share/bytehop/vendor"));
    let Some(folder) = folder.filter(|folder| folder.is_dir()) else {
        return Vec::new();
    };
    let quoted = toml::Value::String(folder.to_string_lossy().into_owned());
    vec![
        "--config".into(),
        "source.crates-io.replace-with='bytehop'".into(),
        "--config".into(),
        format!("source.bytehop.directory={quoted}").into(),
    ]
}

/// Makes folders that nobody else looks into; those that are there stay as they are.
pub(crate) fn private_folder(dir: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
}

/// Whether the compiler refused the program: cargo says so last. Without a linker, without room on the disk
/// or without a working toolchain it is not the program's fault.
fn is_about_program(said: &str) -> bool {
    let elsewhere = [
        "error: linker `",
        "No space left on device",
        "Read-only file system",
        "Disk quota exceeded",
        "Cannot allocate memory",
        "could not compile `support`",
    ];
    said.contains("could not compile") && !elsewhere.iter().any(|what| said.contains(what))
}

/// Whether cargo found no compiler to call: it is there without rustc, rustup without a toolchain, or a toolchain
/// without its library.
fn is_without_compiler(said: &str) -> bool {
    let signs = [
        "could not execute process `rustc",
        "rustup could not choose a version of",
        "no default toolchain",
        "no default is configured",
        "' is not installed",
        "can't find crate for `std`",
    ];
    signs.iter().any(|sign| said.contains(sign))
}

fn package(name: &str, binaries: &[(String, String)]) -> String {
    let mut text = format!(
        "# Written by bytehop.\n\n[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
         autobins = false\n\n[dependencies]\nio-uring.workspace = true\nnix.workspace = true\n\
         support.workspace = true\n"
    );
    for (name, path) in binaries {
        text += &format!("\n[[bin]]\nname = \"{name}\"\npath = \"{path}\"\n");
    }
    text
}

fn workspace(members: &[String]) -> String {
    let members: Vec<String> = members.iter().map(|name| format!("\"{name}\"")).collect();
    format!(
        "# Written by bytehop. Change the programs in the labs' folders.\n\n\
         [workspace]\nmembers = [{}]\nresolver = \"3\"\n\n\
         [workspace.package]\nversion = \"0.1.0\"\nedition = \"2024\"\nrust-version = \"1.95\"\n\
         license = \"MIT OR Apache-2.0\"\n\n\
         [workspace.lints.rust]\nunused_must_use = \"deny\"\n\n\
         [workspace.dependencies]\n{}\n{}\nsupport = {{ path = \"support\" }}\n\n\
         # As fast as a release, and still with line numbers.\n\
         [profile.dev]\nopt-level = 1\ndebug = 1\n",
        members.join(", "),
        dependency("nix"),
        dependency("io-uring"),
    )
}

/// The line of our own manifest that names a library.
fn dependency(name: &str) -> &'static str {
    const MANIFEST: &str = include_str!("../../Cargo.toml");
    let mut lines = MANIFEST.lines();
    let line = lines.find(|line| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(" ="))
    });
    line.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use bytehop_core::i18n::Say;

    use super::*;

    #[test]
    fn libraries_of_a_package_are_taken() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("bin/bytehop");
        assert!(brought(Some(&program)).is_empty());
        fs::create_dir_all(dir.path().join("share/bytehop/vendor")).unwrap();
        let options = brought(Some(&program));
        assert_eq!(options.len(), 4);
        let directory = options[3].to_string_lossy();
        assert!(
            directory.starts_with("source.bytehop.directory=\"/"),
            "{directory}"
        );
    }

    /// What cargo itself says on a machine without the libraries and without a network is not passed on.
    #[test]
    fn libraries_that_cannot_be_fetched() {
        let dir = tempfile::tempdir().unwrap();
        let mut env: Vec<_> = std::env::vars_os().collect();
        let home = dir.path().join("cargo");
        env.extend([
            ("CARGO_HOME".into(), home.into_os_string()),
            // Nobody listens there.
            ("CARGO_HTTP_PROXY".into(), "http://127.0.0.1:9".into()),
            ("CARGO_NET_RETRY".into(), "0".into()),
        ]);
        let identity = Identity {
            credentials: None,
            env,
        };
        let work = Work::locate(Some(&dir.path().join("labs")), &identity);
        let (labs, _) = crate::lab::bundled();
        work.prepare(labs.iter(), Code::Rust).unwrap();
        for whose in [Whose::Original, Whose::Learner] {
            let built = work.build("first-hops", &["copy"], whose, Code::Rust);
            assert!(matches!(built, Err(WorkError::NoLibraries)), "{built:?}");
        }
        let zh = WorkError::NoLibraries.say(Lang::Zh);
        assert!(zh.contains("联网"), "{zh}");
    }

    /// A machine with cargo alone: one line that says what to install, and no word of cargo's.
    #[test]
    fn cargo_without_a_compiler() {
        let dir = tempfile::tempdir().unwrap();
        let tools = dir.path().join("bin");
        fs::create_dir(&tools).unwrap();
        let script = |name: &str, text: &str| {
            use std::os::unix::fs::PermissionsExt;
            let path = tools.join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        };
        let mut env: Vec<_> = std::env::vars_os()
            .filter(|(name, _)| {
                !["PATH", "RUSTC", "RUSTUP_TOOLCHAIN"]
                    .iter()
                    .any(|n| name == n)
            })
            .collect();
        env.push(("PATH".into(), tools.clone().into_os_string()));
        let identity = Identity {
            credentials: None,
            env,
        };
        let work = Work::locate(Some(&dir.path().join("labs")), &identity);
        let (labs, _) = crate::lab::bundled();
        work.prepare(labs.iter(), Code::Rust).unwrap();
        // What cargo and rustup say, each in its case.
        for said in [
            "error: could not execute process `rustc -vV` (never executed)",
            "error: rustup could not choose a version of cargo to run, because one wasn't specified explicitly, and no default is configured.",
            "error: toolchain 'stable-x86_64-unknown-linux-gnu' is not installed",
            "error: 'rustc' is not installed for the toolchain 'stable-x86_64-unknown-linux-gnu'.",
        ] {
            script(
                "cargo",
                &format!(
                    "#!/bin/sh\necho \"{}\" >&2\nexit 101\n",
                    said.replace('`', "\\`")
                ),
            );
            let built = work.build("first-hops", &["copy"], Whose::Learner, Code::Rust);
            assert!(matches!(built, Err(WorkError::NoRustc)), "{built:?}");
        }
        for lang in [Lang::En, Lang::Zh] {
            let said = WorkError::NoRustc.say(lang);
            assert!(
                said.lines().count() == 1 && said.contains("rustup.rs"),
                "{said}"
            );
        }
        // The language of those who have not chosen is then C, if that can be built.
        assert_eq!(usual_code(&identity), Code::Rust);
        script("cc", "#!/bin/sh\n");
        assert_eq!(usual_code(&identity), Code::C);
        script("rustc", "#!/bin/sh\n");
        assert_eq!(usual_code(&identity), Code::Rust);
    }

    /// The real cargo, where no rustc is to be found.
    #[test]
    fn the_real_cargo_without_a_compiler() {
        let dir = tempfile::tempdir().unwrap();
        let mut env: Vec<_> = std::env::vars_os().collect();
        env.push(("RUSTC".into(), "rustc-that-is-not-there".into()));
        let identity = Identity {
            credentials: None,
            env,
        };
        let work = Work::locate(Some(&dir.path().join("labs")), &identity);
        let (labs, _) = crate::lab::bundled();
        work.prepare(labs.iter(), Code::Rust).unwrap();
        let built = work.build("first-hops", &["copy"], Whose::Learner, Code::Rust);
        assert!(matches!(built, Err(WorkError::NoRustc)), "{built:?}");
    }
}
