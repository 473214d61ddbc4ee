//! The modules of one crate, and which of them use which.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::tokens::{Token, tokens};

/// Aliases that lead on to aliases, at most.
const HOPS: usize = 16;

/// The crate's root, as a module's name.
pub const ROOT: &str = "crate";

/// A module: a file, or an inline one in its parent's file.
#[derive(Debug, Default)]
struct Module {
    parent: Option<usize>,
    /// Index into [`Modules::files`].
    file: usize,
    children: HashMap<String, usize>,
    items: BTreeSet<String>,
    /// What `use` brought in, by its name here.
    aliases: HashMap<String, Vec<String>>,
    globs: Vec<Vec<String>>,
}

/// A path in the code.
#[derive(Debug)]
struct Mention {
    module: usize,
    path: Vec<String>,
    line: usize,
    /// Of a `use`, not of an expression or a type.
    imports: bool,
}

#[derive(Debug, Default)]
pub struct Modules {
    modules: Vec<Module>,
    mentions: Vec<Mention>,
    pub files: Vec<File>,
}

#[derive(Debug)]
pub struct File {
    /// As in `reconstruct::threads`; the crate's root is [`ROOT`].
    pub name: String,
    pub path: PathBuf,
}

/// From a file to those that it uses, each with the first line that does.
pub type Uses = BTreeMap<usize, BTreeMap<usize, usize>>;

impl Modules {
    /// Reads a crate from its root file on.
    ///
    /// # Errors
    /// If a file of it can't be read.
    pub fn read(root: &Path) -> Result<Self> {
        let mut modules = Self::default();
        let folder = root.parent().unwrap_or(Path::new("")).to_owned();
        modules.file(root.to_owned(), &folder, None, ROOT.into())?;
        Ok(modules)
    }

    /// Reads a file and those of its modules; these lie in `folder`.
    fn file(
        &mut self,
        path: PathBuf,
        folder: &Path,
        parent: Option<usize>,
        name: String,
    ) -> Result<usize> {
        let source = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let file = self.files.len();
        self.files.push(File { name, path });
        let module = self.module(parent, file);
        let tokens = tokens(&source);
        let mut walk = Walk {
            modules: self,
            tokens: &tokens,
            at: 0,
            file,
        };
        for (module, name, path) in walk.body(module, folder)? {
            self.declared(module, &name, path, folder)?;
        }
        Ok(module)
    }

    /// Reads the file of `mod name;`, if there is one.
    fn declared(
        &mut self,
        module: usize,
        name: &str,
        at: Option<PathBuf>,
        folder: &Path,
    ) -> Result<()> {
        // Inline modules are folders on the way.
        let mut folder = folder.to_owned();
        let (mut inline, mut up) = (Vec::new(), module);
        while let Some(parent) = self.modules[up].parent {
            if self.modules[parent].file != self.modules[up].file {
                break;
            }
            let own = self.modules[parent].children.iter();
            inline.extend(own.filter(|(_, m)| **m == up).map(|(name, _)| name.clone()));
            up = parent;
        }
        folder.extend(inline.iter().rev());

        let flat = folder.join(format!("{name}.rs"));
        let path = match at {
            Some(path) => path,
            None if flat.is_file() => flat,
            None => folder.join(name).join("mod.rs"),
        };
        let outer = &self.files[self.modules[module].file].name;
        let full = match outer.as_str() {
            ROOT => name.to_owned(),
            outer => format!("{outer}::{name}"),
        };
        let child = self.file(path, &folder.join(name), Some(module), full)?;
        self.modules[module].children.insert(name.to_owned(), child);
        Ok(())
    }

    fn module(&mut self, parent: Option<usize>, file: usize) -> usize {
        self.modules.push(Module {
            parent,
            file,
            ..Module::default()
        });
        self.modules.len() - 1
    }

    /// Who uses whom.
    pub fn uses(&self) -> Uses {
        let mut uses = Uses::new();
        for mention in &self.mentions {
            let Some((to, item)) = self.resolve(mention.module, &mention.path, HOPS) else {
                continue;
            };
            // That a module is named says nothing yet: what is taken from it does.
            if mention.imports && !item {
                continue;
            }
            let from = self.modules[mention.module].file;
            let to = self.modules[to].file;
            if from != to {
                let line = uses.entry(from).or_default().entry(to);
                line.or_insert(mention.line);
            }
        }
        uses
    }

    /// The module whose item a path names (true), or that it names itself (false). None: not of this
    /// crate.
    fn resolve(&self, from: usize, path: &[String], hops: usize) -> Option<(usize, bool)> {
        let hops = hops.checked_sub(1)?;
        let mut at = from;
        let mut rest = path;
        let mut anchored = false;
        while let [first, tail @ ..] = rest {
            at = match first.as_str() {
                "crate" => 0,
                "self" => at,
                "super" => self.modules[at].parent?,
                _ => break,
            };
            anchored = true;
            rest = tail;
        }
        while let [first, tail @ ..] = rest {
            let module = &self.modules[at];
            if let Some(child) = module.children.get(first) {
                (at, rest, anchored) = (*child, tail, true);
                continue;
            }
            if module.items.contains(first) {
                return Some((at, true));
            }
            if let Some(alias) = module.aliases.get(first) {
                let onward = [alias, tail].concat();
                return match onward == path {
                    true => None,
                    false => self.resolve(at, &onward, hops),
                };
            }
            let through = module.globs.iter().filter_map(|glob| {
                let (target, _) = self.resolve(at, glob, hops)?;
                (target != at && self.has(target, first))
                    .then(|| self.resolve(target, &[&["self".to_owned()], rest].concat(), hops))?
            });
            // A name that nothing here explains may be a macro's work; without `crate::` and the like
            // it is another crate's.
            return through
                .into_iter()
                .next()
                .or(anchored.then_some((at, true)));
        }
        anchored.then_some((at, false))
    }

    fn has(&self, module: usize, name: &str) -> bool {
        let module = &self.modules[module];
        module.items.contains(name)
            || module.children.contains_key(name)
            || module.aliases.contains_key(name)
    }
}

/// One file on its way into [`Modules`].
struct Walk<'a> {
    modules: &'a mut Modules,
    tokens: &'a [(Token, usize)],
    at: usize,
    file: usize,
}

/// `mod name;`, in this module, and where its file is if that is said.
type Declared = (usize, String, Option<PathBuf>);

impl Walk<'_> {
    fn peek(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.at + ahead).map(|(token, _)| token)
    }

    fn word(&self, ahead: usize) -> Option<&str> {
        self.peek(ahead).and_then(Token::word)
    }

    fn is(&self, ahead: usize, mark: char) -> bool {
        self.peek(ahead).is_some_and(|token| token.is(mark))
    }

    /// Up to the brace that closes this module, or the end.
    fn body(&mut self, module: usize, folder: &Path) -> Result<Vec<Declared>> {
        let mut declared = Vec::new();
        let mut depth = 0_usize;
        let mut path = None;
        while let Some(token) = self.peek(0).cloned() {
            match token {
                Token::Mark('{') => depth += 1,
                Token::Mark('}') if depth == 0 => {
                    self.at += 1;
                    break;
                }
                Token::Mark('}') => depth -= 1,
                Token::Mark('#') if self.is(1, '[') => {
                    match self.attribute() {
                        Attribute::Test => self.skip_item(),
                        Attribute::Path(file) => path = Some(folder.join(file)),
                        Attribute::Other => {}
                    }
                    continue;
                }
                Token::Word(word) => match word.as_str() {
                    // `pub(in crate::a)` uses nothing.
                    "pub" if self.is(1, '(') => {
                        self.at += 1;
                        self.skip_to(')');
                        continue;
                    }
                    "use" => {
                        self.at += 1;
                        self.tree(module, &mut Vec::new());
                        continue;
                    }
                    "mod" if self.word(1).is_some() => {
                        let name = self.word(1).unwrap_or_default().to_owned();
                        if self.is(2, ';') {
                            declared.push((module, name, path.take()));
                        } else if self.is(2, '{') {
                            let inner = self.modules.module(Some(module), self.file);
                            self.modules.modules[module].children.insert(name, inner);
                            self.at += 3;
                            declared.extend(self.body(inner, folder)?);
                            continue;
                        }
                        self.at += 2;
                        continue;
                    }
                    _ => {
                        self.code(module, &word, depth);
                        continue;
                    }
                },
                _ => {}
            }
            self.at += 1;
        }
        Ok(declared)
    }

    /// A word of the code: what it defines, or the path that it begins.
    fn code(&mut self, module: usize, word: &str, depth: usize) {
        const ITEMS: [&str; 9] = [
            "fn",
            "struct",
            "enum",
            "trait",
            "union",
            "type",
            "const",
            "static",
            "macro_rules",
        ];
        if depth == 0 && ITEMS.contains(&word) {
            let name = match self.is(1, '!') {
                true => self.word(2),
                false => self.word(1),
            };
            let name = name.map(str::to_owned);
            self.modules.modules[module].items.extend(name);
            self.at += 1;
            return;
        }
        let follows = self.at > 0
            && matches!(self.tokens[self.at - 1].0, Token::Path | Token::Mark('.'))
            // `0..crate::MOST`
            && !(self.at > 1 && self.tokens[self.at - 2].0.is('.'));
        let line = self.tokens[self.at].1;
        let mut path = vec![word.to_owned()];
        self.at += 1;
        while self.peek(0) == Some(&Token::Path) {
            let Some(next) = self.word(1) else { break };
            path.push(next.to_owned());
            self.at += 2;
        }
        if path.len() > 1 && !follows {
            self.modules.mentions.push(Mention {
                module,
                path,
                line,
                imports: false,
            });
        }
    }

    /// A tree of `use`, and the semicolon at its end.
    fn tree(&mut self, module: usize, prefix: &mut Vec<String>) {
        let depth = prefix.len();
        loop {
            let line = self.tokens.get(self.at).map_or(0, |(_, line)| *line);
            match self.peek(0).cloned() {
                Some(Token::Word(word)) => {
                    self.at += 1;
                    prefix.push(word);
                    if self.peek(0) == Some(&Token::Path) {
                        continue;
                    }
                    let mut name = prefix.last().cloned();
                    if name.as_deref() == Some("self") && prefix.len() > 1 {
                        prefix.pop();
                        name = prefix.last().cloned();
                    }
                    if self.word(0) == Some("as") {
                        name = self.word(1).map(str::to_owned);
                        self.at += 2;
                    }
                    self.used(module, prefix.clone(), name.unwrap_or_default(), line);
                    prefix.truncate(depth);
                }
                Some(Token::Path) => self.at += 1,
                Some(Token::Mark('*')) => {
                    self.at += 1;
                    self.modules.modules[module].globs.push(prefix.clone());
                    let path = [prefix.as_slice(), &["*".to_owned()]].concat();
                    self.modules.mentions.push(Mention {
                        module,
                        path,
                        line,
                        imports: true,
                    });
                    prefix.truncate(depth);
                }
                Some(Token::Mark('{')) => {
                    self.at += 1;
                    self.tree(module, prefix);
                    prefix.truncate(depth);
                }
                Some(Token::Mark(',')) => self.at += 1,
                // `}` of this level, or the end.
                _ => {
                    self.at += 1;
                    return;
                }
            }
        }
    }

    fn used(&mut self, module: usize, path: Vec<String>, name: String, line: usize) {
        if name != "_" {
            let aliases = &mut self.modules.modules[module].aliases;
            aliases.insert(name, path.clone());
        }
        self.modules.mentions.push(Mention {
            module,
            path,
            line,
            imports: true,
        });
    }

    fn attribute(&mut self) -> Attribute {
        let start = self.at;
        self.skip_to(']');
        let inside: Vec<&Token> = self.tokens[start..self.at].iter().map(|(t, _)| t).collect();
        let has = |word: &str| inside.iter().any(|token| token.word() == Some(word));
        match inside.get(2).and_then(|token| token.word()) {
            Some("cfg") if has("test") && !has("not") && !has("any") => Attribute::Test,
            Some("path") => match inside.get(4) {
                Some(Token::Text(file)) => Attribute::Path(file.clone()),
                _ => Attribute::Other,
            },
            _ => Attribute::Other,
        }
    }

    /// Past the next such bracket that closes what is opened from here on.
    fn skip_to(&mut self, close: char) {
        let mut depth = 0_usize;
        while let Some(token) = self.peek(0) {
            match token {
                Token::Mark('(' | '[' | '{') => depth += 1,
                Token::Mark(')' | ']' | '}') => depth = depth.saturating_sub(1),
                _ => {}
            }
            let closes = token.is(close) && depth == 0;
            self.at += 1;
            if closes {
                return;
            }
        }
    }

    /// Past an item with its attributes: to a semicolon, or to the brace that ends a body.
    fn skip_item(&mut self) {
        while self.is(0, '#') {
            self.skip_to(']');
        }
        let mut body_ends = true;
        while let Some(token) = self.peek(0) {
            match token {
                Token::Mark(';') => {
                    self.at += 1;
                    return;
                }
                Token::Mark('=') => body_ends = false,
                Token::Word(word) if word == "use" => body_ends = false,
                Token::Mark('(') => {
                    self.skip_to(')');
                    continue;
                }
                Token::Mark('[') => {
                    self.skip_to(']');
                    continue;
                }
                Token::Mark('{') => {
                    self.skip_to('}');
                    if body_ends {
                        return;
                    }
                    continue;
                }
                // The end of the module that it stands in.
                Token::Mark('}') => return,
                _ => {}
            }
            self.at += 1;
        }
    }
}

enum Attribute {
    Test,
    Path(String),
    Other,
}
