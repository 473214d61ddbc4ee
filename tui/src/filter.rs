//! Which calls are looked for: words that they have, sizes, times.

use bytehop_core::expr::value::{Unit, typed};
use bytehop_core::linux::error_name;

use crate::store::{Call, Store, What};

/// What is asked of a call: every word, and every bound.
///
/// Words depend on a call's signature alone and are asked once for each.
#[derive(Default)]
pub struct Filter {
    words: Vec<String>,
    bounds: Vec<Bound>,
    /// By signature: whether it has the words.
    known: Vec<Option<bool>>,
}

type Test = fn(&u64, &u64) -> bool;

/// `>= 64K`, `< 1ms`.
struct Bound {
    test: Test,
    than: u64,
    /// Of a time, not of a size.
    time: bool,
}

/// Why a comparison cannot be answered: its sign, and what stands behind it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoBound {
    NoNumber(&'static str, String),
    /// Of calls no longer times are kept.
    TooLong(&'static str, String),
}

bytehop_core::says! { NoBound, lang:
    Self::TooLong(sign, text) => "'{sign} {text}': of one call times are kept up to 4.29 s: {sign} 4s"
        | "“{sign} {text}”：单次调用的用时只保留到 4.29 s：{sign} 4s";
    Self::NoNumber(sign, text) => "'{sign} {text}': a size or a time has to follow: {sign} 4096, {sign} 64K, {sign} 1ms"
        | "“{sign} {text}”：后面应是大小或时间：{sign} 4096、{sign} 64K、{sign} 1ms";
}

/// Longer ones first.
const TESTS: [(&str, Test); 5] = [
    (">=", u64::ge),
    ("<=", u64::le),
    (">", u64::gt),
    ("<", u64::lt),
    ("=", u64::eq),
];

impl Filter {
    /// # Errors
    /// If a comparison is with nothing that can be compared.
    pub fn parse(text: &str) -> Result<Self, NoBound> {
        let mut filter = Self::default();
        let text = text.to_lowercase();
        let mut rest = text.split_whitespace().peekable();
        while let Some(word) = rest.next() {
            let test = TESTS.iter().find(|(sign, _)| word.starts_with(sign));
            let Some((sign, test)) = test else {
                filter.words.push(word.to_owned());
                continue;
            };
            let mut number = match &word[sign.len()..] {
                "" => rest.next().unwrap_or_default().to_owned(),
                number => number.to_owned(),
            };
            // A unit of its own.
            let with_unit = |unit: &&str| format!("{number} {unit}");
            let unit = rest.peek().filter(|unit| {
                unit.starts_with(char::is_alphabetic) && typed(&with_unit(unit)).is_some()
            });
            if let Some(unit) = unit {
                number = with_unit(unit);
                rest.next();
            }
            let value = typed(&number).filter(|value| value.unit != Unit::Truth);
            let Some(value) = value else {
                return Err(NoBound::NoNumber(sign, number));
            };
            let (than, time) = (value.number as u64, value.unit == Unit::Time);
            if time && than >= u64::from(u32::MAX) {
                return Err(NoBound::TooLong(sign, number));
            }
            filter.bounds.push(Bound {
                test: *test,
                than,
                time,
            });
        }
        Ok(filter)
    }

    /// Whether every call fits.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.bounds.is_empty()
    }

    pub fn fits(&mut self, store: &Store, call: u32) -> bool {
        let Some(call) = store.call(call as usize) else {
            return false;
        };
        let bounded = self.bounds.iter().all(|bound| {
            let value = match bound.time {
                true => u64::from(call.dur),
                false => call.bytes,
            };
            (bound.test)(&value, &bound.than)
        });
        if !bounded {
            return false;
        }
        let sig = call.sig as usize;
        if self.known.len() <= sig {
            self.known.resize(sig + 1, None);
        }
        if let Some(answer) = self.known.get(sig).copied().flatten() {
            return answer;
        }
        let text = text(store, &call);
        let answer = self.words.iter().all(|word| text.contains(word.as_str()));
        self.known[sig] = Some(answer);
        answer
    }
}

/// All words of a call, in small letters: its name, its error, its thread, the files and the regions.
fn text(store: &Store, call: &Call) -> String {
    let Some(sig) = store.sig(call) else {
        return String::new();
    };
    let mut text = match &sig.what {
        What::Syscall { name, error: 0 } => name.to_string(),
        What::Syscall { name, error } => {
            let error = error_name(u32::from(*error)).unwrap_or_default();
            format!("{name} failed {error}")
        }
        What::Fault { .. } => "fault".to_owned(),
        What::Later => "later deferred".to_owned(),
    };
    text += &format!(" {}", sig.tid);
    let files = [&sig.file, &sig.file2];
    let files = files.into_iter().flatten().filter_map(|f| store.name(f));
    let regions = sig.regions.iter().filter_map(|n| store.region(*n));
    for name in files.chain(regions) {
        text.push(' ');
        text.push_str(name);
    }
    text.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_bounds() {
        let parsed = |text: &str| {
            let filter = Filter::parse(text).expect("a filter");
            let bounds = filter.bounds.iter();
            let bounds: Vec<_> = bounds
                .map(|bound| (bound.than, bound.time, (bound.test)(&4096, &bound.than)))
                .collect();
            (filter.words, bounds)
        };
        let none: [String; 0] = [];
        for (text, words, bounds) in [
            ("read Src", vec!["read", "src"], vec![]),
            (">= 64K", vec![], vec![(65536, false, false)]),
            (">=4k", vec![], vec![(4096, false, true)]),
            ("read = 4096", vec!["read"], vec![(4096, false, true)]),
            ("> 4 KiB EAGAIN", vec!["eagain"], vec![(4096, false, false)]),
            (
                "<= 1ms < 2M",
                vec![],
                vec![(1_000_000, true, true), (2 << 20, false, true)],
            ),
            // A word that begins like a unit is none.
            (">= 4096 map", vec!["map"], vec![(4096, false, true)]),
        ] {
            let (found, all) = parsed(text);
            assert_eq!(found, words, "{text}");
            assert_eq!(all, bounds, "{text}");
        }
        assert_eq!(parsed("").0, none);
        assert!(Filter::parse(" ").expect("a filter").is_empty());
    }

    #[test]
    fn what_cannot_be_compared() {
        for (text, sign, rest) in [
            (">=", ">=", ""),
            ("read >= many", ">=", "many"),
            ("=yes", "=", "yes"),
            ("<-1", "<", "-1"),
        ] {
            let error = Filter::parse(text).err().expect("no filter");
            assert_eq!(error, NoBound::NoNumber(sign, rest.to_owned()));
        }
        let long = Filter::parse("> 5s").err();
        assert_eq!(long, Some(NoBound::TooLong(">", "5s".to_owned())));
    }
}
