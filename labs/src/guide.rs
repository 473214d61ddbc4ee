//! Guides: Markdown in five sections, with placeholders in place of numbers.

use bytehop_core::i18n::Lang;
use sha2::{Digest, Sha256};

use bytehop_core::expr::value::Format;
use bytehop_core::expr::{Expr, ParseError};

/// The five steps of a lab.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    #[default]
    Predict,
    Observe,
    Explain,
    Change,
    Check,
}

impl Step {
    pub const ALL: [Step; 5] = [
        Step::Predict,
        Step::Observe,
        Step::Explain,
        Step::Change,
        Step::Check,
    ];

    pub fn title(self, lang: Lang) -> &'static str {
        let (en, zh) = match self {
            Step::Predict => ("Predict", "预测"),
            Step::Observe => ("Observe", "观察"),
            Step::Explain => ("Explain", "解释"),
            Step::Change => ("Change", "修改"),
            Step::Check => ("Check", "检验"),
        };
        match lang {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }

    pub fn next(self) -> Option<Step> {
        Self::ALL.get(self as usize + 1).copied()
    }

    pub fn before(self) -> Option<Step> {
        Self::ALL.get((self as usize).wrapping_sub(1)).copied()
    }
}

/// A guide's sections, as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guide {
    sections: [String; 5],
    /// The hash of the original that this one says to be a translation of.
    pub of: Option<String>,
}

impl Guide {
    /// Cuts a guide into its sections.
    ///
    /// # Errors
    /// If a section is missing or out of order.
    pub fn parse(text: &str, lang: Lang) -> Result<Self, GuideError> {
        let mut guide = Self::default();
        let mut step: Option<Step> = None;
        let mut code = false;
        for line in text.lines() {
            if line.trim_start().starts_with("```") {
                code = !code;
            }
            if let Some(title) = line.strip_prefix("## ").filter(|_| !code) {
                let next = step.map_or(Some(Step::Predict), Step::next);
                let next = next.filter(|next| next.title(lang) == title.trim());
                step = Some(next.ok_or_else(|| {
                    let expected = step.map_or(Some(Step::Predict), Step::next);
                    let expected = expected.map(|step| step.title(lang));
                    GuideError::Section(title.trim().to_owned(), expected)
                })?);
                continue;
            }
            match step {
                Some(step) => {
                    let section = &mut guide.sections[step as usize];
                    section.push_str(line);
                    section.push('\n');
                }
                None if line.starts_with("<!--") => guide.of = hash_in(line),
                None if line.trim().is_empty() => {}
                None => return Err(GuideError::TooEarly),
            }
        }
        if step != Some(Step::Check) {
            let missing = step.map_or(Some(Step::Predict), Step::next);
            let missing = missing.map_or("", |step| step.title(lang));
            return Err(GuideError::Missing(missing));
        }
        for section in &mut guide.sections {
            *section = section.trim().to_owned();
        }
        Ok(guide)
    }

    /// A section's Markdown, its placeholders not filled in.
    pub fn section(&self, step: Step) -> &str {
        &self.sections[step as usize]
    }
}

/// `<!-- of guide.en.md HASH -->`
fn hash_in(line: &str) -> Option<String> {
    let rest = line.strip_prefix("<!-- of guide.en.md ")?;
    Some(rest.strip_suffix("-->")?.trim().to_owned())
}

/// The comment that ties a translation to its original.
pub fn mark_of(hash: &str) -> String {
    format!("<!-- of guide.en.md {hash} -->")
}

/// Eight hexadecimal digits that change with the text.
pub fn hash(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))[..8].to_owned()
}

/// Ties the Chinese guide in a lab's folder to the English one as it is now.
///
/// # Errors
/// If a guide cannot be read or written.
pub fn bless(folder: &std::path::Path) -> std::io::Result<()> {
    let (original, path) = (folder.join("guide.en.md"), folder.join("guide.zh.md"));
    // One may come first.
    if !original.exists() || !path.exists() {
        return Ok(());
    }
    let english = std::fs::read_to_string(original)?;
    let chinese = std::fs::read_to_string(&path)?;
    let text = match chinese.split_once('\n') {
        Some((line, rest)) if hash_in(line).is_some() => rest,
        _ => &chinese,
    };
    let mark = mark_of(&hash(&english));
    std::fs::write(path, format!("{mark}\n\n{}", text.trim_start()))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is wrong with a guide, or with a placeholder.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GuideError {
    /// A section, and the one that should be there.
    Section(String, Option<&'static str>),
    TooEarly,
    Missing(&'static str),
    Format(String),
    Expression(#[from] ParseError),
    Open,
}

bytehop_core::says! { GuideError, lang:
    Self::Section(title, Some(expected)) => "section '{title}' where '{expected}' should be" | "本该是“{expected}”的地方是小节“{title}”";
    Self::Section(title, None) => "section '{title}' after the last one" | "最后一节之后还有小节“{title}”";
    Self::TooEarly => "text before the first section" | "第一节之前有文字";
    Self::Missing(title) => "there is no section '{title}'" | "没有小节“{title}”";
    Self::Format(name) => "no format '{name}'" | "没有格式“{name}”";
    Self::Expression(e) => { e.say(lang) };
    Self::Open => "'{{{{' without '}}}}'" | "“{{{{”没有以“}}}}”结束";
}

/// What stands between `{{` and `}}`.
#[derive(Clone, Debug, PartialEq)]
pub enum Placeholder {
    Measured(Expr, Option<Format>),
    Textbook(String, Option<Format>),
    Answer(String, Option<Format>),
    Param(String, Option<Format>),
    Evidence(Expr),
    Rule(String),
    Program(String),
    Lab(String),
    Kernel,
    Level,
    Device,
    Next,
}

impl std::str::FromStr for Placeholder {
    type Err = GuideError;

    fn from_str(text: &str) -> Result<Self, GuideError> {
        let (what, format) = match text.rsplit_once('|') {
            Some((what, format)) => {
                let format = format.trim();
                let parsed = format.parse::<Format>();
                (
                    what.trim(),
                    Some(parsed.map_err(|()| GuideError::Format(format.to_owned()))?),
                )
            }
            None => (text.trim(), None),
        };
        let expr = |text: &str| text.trim().parse::<Expr>();
        let Some((kind, name)) = what.split_once(':') else {
            return Ok(match what {
                "kernel" => Self::Kernel,
                "level" => Self::Level,
                "device" => Self::Device,
                "next" => Self::Next,
                what => Self::Measured(expr(what)?, format),
            });
        };
        let own = name.trim().to_owned();
        Ok(match kind.trim() {
            "measured" => Self::Measured(expr(name)?, format),
            "evidence" => Self::Evidence(expr(name)?),
            "textbook" => Self::Textbook(own, format),
            "answer" => Self::Answer(own, format),
            "param" => Self::Param(own, format),
            "rule" => Self::Rule(own),
            "program" => Self::Program(own),
            "lab" => Self::Lab(own),
            // `dma device:vda->page_cache`
            _ => Self::Measured(expr(what)?, format),
        })
    }
}

/// Text and placeholders, in turn.
pub fn pieces(text: &str) -> impl Iterator<Item = Result<Placeholder, GuideError>> {
    let inner = text.split("{{").skip(1);
    inner.map(|rest| match rest.split_once("}}") {
        Some((inner, _)) => inner.parse(),
        None => Err(GuideError::Open),
    })
}

/// Fills in the placeholders. What cannot be understood stays as it is: lint finds it.
pub fn fill(text: &str, with: &dyn Fn(&Placeholder) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        rest = match after.split_once("}}") {
            Some((inner, after)) => {
                match inner.parse() {
                    Ok(placeholder) => out.push_str(&with(&placeholder)),
                    Err(_) => {
                        out.push_str("{{");
                        out.push_str(inner);
                        out.push_str("}}");
                    }
                }
                after
            }
            None => {
                out.push_str("{{");
                after
            }
        };
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUIDE: &str = "<!-- of guide.en.md 12345678 -->\n\n## 预测\n\na\n\n## 观察\n\n```\n## 解释\n```\n\n\
        ## 解释\n## 修改\n## 检验\nz\n";

    #[test]
    fn sections() {
        let guide = Guide::parse(GUIDE, Lang::Zh).expect("a guide");
        assert_eq!(guide.of.as_deref(), Some("12345678"));
        assert_eq!(guide.section(Step::Predict), "a");
        assert_eq!(guide.section(Step::Observe), "```\n## 解释\n```");
        assert_eq!(guide.section(Step::Check), "z");
        for (text, error) in [
            ("", "there is no section 'Predict'"),
            ("x\n", "text before the first section"),
            (
                "## Observe\n",
                "section 'Observe' where 'Predict' should be",
            ),
            ("## Predict\n", "there is no section 'Observe'"),
        ] {
            let wrong = Guide::parse(text, Lang::En).expect_err(text);
            assert_eq!(wrong.to_string(), error);
        }
    }

    #[test]
    fn errors_are_in_both_languages() {
        assert_eq!(bytehop_core::i18n::problems(GuideError::TEXTS), [""; 0]);
        assert_eq!(GuideError::Open.to_string(), "'{{' without '}}'");
    }

    #[test]
    fn placeholders_are_filled_in() {
        let with = |placeholder: &Placeholder| match placeholder {
            Placeholder::Measured(expr, format) => format!("<{expr} {format:?}>"),
            Placeholder::Param(name, _) => name.clone(),
            other => format!("{other:?}"),
        };
        assert_eq!(
            fill(
                "a {{param:size}} b {{copy page_cache->user|bytes}} c",
                &with
            ),
            "a size b <copy page_cache->user Some(Bytes)> c"
        );
        assert_eq!(
            fill("{{dma device:vda->page_cache}}", &with),
            "<dma device:vda->page_cache None>"
        );
        assert_eq!(fill("{{kernel}}", &with), "Kernel");
        assert_eq!(fill("{{1 +}} {{", &with), "{{1 +}} {{");
        assert_eq!(
            pieces("{{a|bytes}} {{b|x}} {{")
                .filter(Result::is_err)
                .count(),
            2
        );
    }
}
