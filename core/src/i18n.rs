//! The languages that bytehop speaks, and the tables that hold its messages.
//!
//! Each part of the program keeps its own messages beside the code that shows them, in one call of
//! [`messages!`](crate::messages): every message is a function of a [`Lang`], and one without a text
//! for each language does not compile. [`problems`] finds what the compiler cannot: a placeholder
//! that only one of the texts uses. A table's test is `assert_eq!(problems(TABLE), [""; 0])`.
//!
//! Terms follow the Chinese column of the domain model. Names of calls, flags, kernel functions and
//! probes stay English.

use std::str::FromStr;

/// A language of the user interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lang {
    #[default]
    En,
    /// Simplified Chinese.
    Zh,
}

impl Lang {
    /// The language to use: `flag` (`--lang`), else `BYTEHOP_LANG`, else what the user's `file` says, else the locale
    /// of the environment.
    pub fn from_env(flag: Option<Lang>, file: impl FnOnce() -> Option<Lang>) -> Lang {
        Self::choose(flag, |name| std::env::var(name).ok(), file)
    }

    /// As `--lang` has it.
    pub const fn name(self) -> &'static str {
        self.of(&["en", "zh"])
    }

    /// As documents have it (BCP 47).
    pub const fn tag(self) -> &'static str {
        self.of(&["en", "zh-Hans"])
    }

    pub const fn other(self) -> Self {
        match self {
            Self::En => Self::Zh,
            Self::Zh => Self::En,
        }
    }

    /// The one of two texts (English and Chinese) that is in this language.
    pub const fn of<'a>(self, [en, zh]: &[&'a str; 2]) -> &'a str {
        match self {
            Self::En => en,
            Self::Zh => zh,
        }
    }

    /// Stands after a heading, before what it names.
    pub const fn colon(self) -> &'static str {
        self.of(&[": ", "："])
    }

    /// Stands between two parts of a sentence.
    pub const fn comma(self) -> &'static str {
        self.of(&[", ", "，"])
    }

    /// Stands between the things of a list.
    pub const fn list(self) -> &'static str {
        self.of(&[", ", "、"])
    }

    /// [`Self::from_env`] with the environment as an argument. The first variable that is set and
    /// not empty decides, as `setlocale` does; a language that we do not speak gives English.
    pub fn choose(
        flag: Option<Lang>,
        env: impl Fn(&str) -> Option<String>,
        file: impl FnOnce() -> Option<Lang>,
    ) -> Lang {
        let set = |name| env(name).filter(|value| !value.is_empty());
        let ours = || set("BYTEHOP_LANG").and_then(|value| value.parse().ok());
        let locale = || {
            set("LC_ALL")
                .or_else(|| set("LC_MESSAGES"))
                .or_else(|| set("LANG"))
        };
        flag.or_else(ours)
            .or_else(file)
            .or_else(|| locale()?.parse().ok())
            .unwrap_or_default()
    }
}

/// The language is neither `en` nor `zh`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct UnknownLang(pub String);

crate::says! { UnknownLang, lang:
    Self(name) => "unknown language '{name}': en or zh" | "未知的语言“{name}”：可用 en 或 zh";
}

/// An error, in the reader's language; its `Display` is the English text.
pub trait Say: std::fmt::Debug {
    /// One line for people.
    fn say(&self, lang: Lang) -> String;
}

/// In the words of a system or a program that is not ours.
impl Say for String {
    fn say(&self, _: Lang) -> String {
        self.clone()
    }
}

impl FromStr for Lang {
    type Err = UnknownLang;

    /// Reads `en`, `zh`, or a locale name that begins with one of them (`zh_CN.UTF-8`).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let language = text.split(['_', '-', '.', '@']).next().unwrap_or_default();
        match language.to_ascii_lowercase().as_str() {
            "en" => Ok(Lang::En),
            "zh" => Ok(Lang::Zh),
            _ => Err(UnknownLang(text.to_owned())),
        }
    }
}

/// One message of a table, for [`problems`].
pub struct Entry {
    pub name: &'static str,
    /// Names of its arguments.
    pub args: &'static [&'static str],
    /// Its texts; English ones first, Chinese last.
    pub texts: &'static [&'static str],
}

/// What is wrong with a table, one sentence each: an empty text, an argument that a text leaves out,
/// a term that we do not use, an English sentence in a Chinese text.
pub fn problems(table: &[Entry]) -> Vec<String> {
    let mut found = Vec::new();
    for Entry { name, args, texts } in table {
        for text in *texts {
            if text.trim().is_empty() {
                found.push(format!("{name}: an empty text"));
            }
            for arg in *args {
                if !text.contains(&format!("{{{arg}}}")) {
                    found.push(format!("{name}: '{text}' does not use {{{arg}}}"));
                }
            }
            if ["用户模式", "内核模式"]
                .iter()
                .any(|term| text.contains(term))
            {
                found.push(format!("{name}: '{text}': write 用户态, 内核态"));
            }
        }
        if let Some(chinese) = texts.last().filter(|text| is_english(text)) {
            found.push(format!("{name}: '{chinese}' is English"));
        }
    }
    found
}

/// Whether a text has an English sentence: two plain words beside each other. Names (calls, probes, files)
/// have other characters; what stands in backquotes is typed as it is.
pub fn is_english(text: &str) -> bool {
    let plain = |word: &&str| {
        word.len() > 1 && *word != "bytehop" && word.chars().all(|c| c.is_ascii_lowercase())
    };
    text.split('`').step_by(2).any(|prose| {
        let words: Vec<&str> = prose.split(' ').collect();
        words.windows(2).any(|pair| pair.iter().all(plain))
    })
}

/// Gives an error its words, both languages of each variant beside each other: `Say`, `Display` (in
/// English), and `TEXTS` for [`problems`].
///
/// ```
/// use bytehop_core::i18n::{Lang, Say, problems};
/// #[derive(Debug, thiserror::Error)]
/// enum Wrong {
///     Absent { file: std::path::PathBuf },
///     Other(#[from] std::io::Error),
/// }
/// bytehop_core::says! { Wrong, lang:
///     Self::Absent { file } => "there is no {file}" | "没有 {file}", file = file.display();
///     Self::Other(e) => { e.say(lang) };
/// }
/// let wrong = Wrong::Absent { file: "x".into() };
/// assert_eq!((wrong.to_string(), wrong.say(Lang::Zh)), ("there is no x".into(), "没有 x".into()));
/// assert!(problems(Wrong::TEXTS).is_empty());
/// ```
#[macro_export]
macro_rules! says {
    ($type:ty, $lang:ident: $(
        $pattern:pat => $({ $whole:expr })? $($en:literal | $zh:literal $(, $name:ident = $value:expr)*)?;
    )*) => {
        impl $crate::i18n::Say for $type {
            fn say(&self, $lang: $crate::i18n::Lang) -> String {
                match self { $(
                    $pattern => $crate::says!(
                        @text $lang, $({ $whole })? $($en | $zh $(, $name = $value)*)?
                    ),
                )* }
            }
        }

        impl ::core::fmt::Display for $type {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(&$crate::i18n::Say::say(self, $crate::i18n::Lang::En))
            }
        }

        impl $type {
            /// For `bytehop_core::i18n::problems`.
            #[allow(dead_code, reason = "only tests read it")]
            pub const TEXTS: &'static [$crate::i18n::Entry] = &[$($(
                $crate::i18n::Entry {
                    name: stringify!($pattern),
                    args: &[$(stringify!($name)),*],
                    texts: &[$en, $zh],
                },
            )?)*];
        }
    };
    (@text $lang:ident, { $whole:expr }) => { $whole };
    (@text $lang:ident, $en:literal | $zh:literal $(, $name:ident = $value:expr)*) => {
        match $lang {
            $crate::i18n::Lang::En => format!($en $(, $name = $value)*),
            $crate::i18n::Lang::Zh => format!($zh $(, $name = $value)*),
        }
    };
}

/// Defines a table of messages: a function per message, and `TABLE` for [`problems`].
///
/// ```
/// mod words {
///     bytehop_core::messages! {
///         /// A plain message: `title(lang)`.
///         title: "title" | "标题";
///         /// With arguments (anything that can be displayed): `found(lang, "x")`.
///         found(what): "found {what}" | "找到 {what}";
///         /// With a number, for which English has two forms: `pages(lang, 2)`.
///         pages[n]: "{n} page" / "{n} pages" | "{n} 页";
///     }
/// }
/// use bytehop_core::i18n::{Lang, problems};
/// assert_eq!(words::title(Lang::Zh), "标题");
/// assert_eq!(words::found(Lang::En, 1), "found 1");
/// assert_eq!(words::pages(Lang::En, 1200), "1,200 pages");
/// assert!(problems(words::TABLE).is_empty());
/// ```
#[macro_export]
macro_rules! messages {
    ($(
        $(#[$doc:meta])*
        $name:ident $(($($arg:ident),+))? $([$n:ident])? : $en:literal $(/ $many:literal)? | $zh:literal;
    )*) => {
        $(
            $crate::messages!(@fn [$(#[$doc])*] $name $(($($arg),+))? $([$n])? : $en $(/ $many)? | $zh);
        )*

        /// All messages, for `bytehop_core::i18n::problems`.
        #[allow(dead_code, reason = "only the table's test reads it")]
        pub const TABLE: &[$crate::i18n::Entry] = &[$(
            $crate::i18n::Entry {
                name: stringify!($name),
                args: &[$($(stringify!($arg)),+)? $(stringify!($n))?],
                texts: &[$en, $($many,)? $zh],
            },
        )*];
    };
    (@fn [$($doc:tt)*] $name:ident : $en:literal | $zh:literal) => {
        $($doc)*
        pub fn $name(lang: $crate::i18n::Lang) -> &'static str {
            match lang {
                $crate::i18n::Lang::En => $en,
                $crate::i18n::Lang::Zh => $zh,
            }
        }
    };
    (@fn [$($doc:tt)*] $name:ident ($($arg:ident),+) : $en:literal | $zh:literal) => {
        $($doc)*
        pub fn $name(lang: $crate::i18n::Lang, $($arg: impl ::core::fmt::Display),+) -> String {
            match lang {
                $crate::i18n::Lang::En => format!($en),
                $crate::i18n::Lang::Zh => format!($zh),
            }
        }
    };
    (@fn [$($doc:tt)*] $name:ident [$n:ident] : $one:literal / $many:literal | $zh:literal) => {
        $($doc)*
        pub fn $name(lang: $crate::i18n::Lang, $n: u64) -> String {
            let one = $n == 1;
            let $n = $crate::units::count($n);
            match lang {
                $crate::i18n::Lang::En if one => format!($one),
                $crate::i18n::Lang::En => format!($many),
                $crate::i18n::Lang::Zh => format!($zh),
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_is_chosen_in_order() {
        type Environment = &'static [(&'static str, &'static str)];
        let cases: [(Option<Lang>, Environment, Lang); 9] = [
            (None, &[], Lang::En),
            (None, &[("LANG", "zh_CN.UTF-8")], Lang::Zh),
            (None, &[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C")], Lang::En),
            (None, &[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "")], Lang::Zh),
            (
                None,
                &[("LANG", "de_DE"), ("LC_MESSAGES", "zh_CN")],
                Lang::Zh,
            ),
            (
                None,
                &[("LANG", "en_GB.UTF-8"), ("BYTEHOP_LANG", "zh")],
                Lang::Zh,
            ),
            (
                None,
                &[("LANG", "zh_CN.UTF-8"), ("BYTEHOP_LANG", "klingon")],
                Lang::Zh,
            ),
            (
                None,
                &[("LC_ALL", "zh_CN.UTF-8"), ("BYTEHOP_LANG", "en")],
                Lang::En,
            ),
            (Some(Lang::En), &[("BYTEHOP_LANG", "zh")], Lang::En),
        ];
        for (flag, env, expected) in cases {
            let lookup = |name: &str| Some(env.iter().find(|(key, _)| *key == name)?.1.to_owned());
            let chosen = Lang::choose(flag, lookup, || None);
            assert_eq!(chosen, expected, "{flag:?} {env:?}");
        }
    }

    #[test]
    fn language_names() {
        for name in [
            "zh",
            "ZH",
            "zh_CN",
            "zh-Hans",
            "zh_CN.UTF-8",
            "zh.UTF-8",
            "zh@x",
        ] {
            assert_eq!(name.parse(), Ok(Lang::Zh), "{name}");
        }
        for name in ["", "C", "POSIX", "zhu", "english"] {
            assert!(name.parse::<Lang>().is_err(), "{name}");
        }
    }

    #[test]
    fn bad_tables_are_found() {
        let bad = |texts| {
            problems(&[Entry {
                name: "m",
                args: &["n"],
                texts,
            }])
            .len()
        };
        assert_eq!(bad(&["{n} a", "{n} 个"]), 0);
        assert_eq!(bad(&["a", "{n} 个"]), 1);
        assert_eq!(bad(&["{n} a", " "]), 2);
        assert_eq!(bad(&["{n} a", "{n} 用户模式"]), 1);
        assert_eq!(bad(&["{n} a", "{n} 个 not yet done"]), 1);
        assert_eq!(bad(&["{n} a", "{n} 个：`bytehop lab list`"]), 0);
    }
}
