//! Quantities with a unit, and how each is known.

use std::collections::BTreeSet;

use crate::i18n::Lang;
use crate::units;

use super::words;

/// What a number counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// Nothing: a count, or a plain number.
    #[default]
    Plain,
    Bytes,
    /// In ns.
    Time,
    /// A ratio of two quantities alike.
    Ratio,
    /// 1 or 0.
    Truth,
}

/// How a value is known: the names of all that it was made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    pub probes: BTreeSet<String>,
    pub rules: BTreeSet<String>,
    /// Sampling methods.
    pub methods: BTreeSet<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Value {
    pub number: f64,
    pub unit: Unit,
    pub known: Known,
}

/// How a value is written, if its unit shall not decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Bytes,
    /// Bytes with all digits.
    Exact,
    Count,
    Time,
    Ratio,
    Percent,
}

impl std::str::FromStr for Format {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "bytes" => Self::Bytes,
            "exact" => Self::Exact,
            "count" => Self::Count,
            "time" => Self::Time,
            "ratio" => Self::Ratio,
            "percent" => Self::Percent,
            _ => return Err(()),
        })
    }
}

impl Value {
    pub fn new(number: f64, unit: Unit) -> Self {
        Self {
            number,
            unit,
            known: Known::default(),
        }
    }

    pub fn plain(number: f64) -> Self {
        Self::new(number, Unit::Plain)
    }

    /// A count that a probe made.
    pub fn measured(number: u64, unit: Unit, probe: &str) -> Self {
        let mut value = Self::new(number as f64, unit);
        value.known.probes.insert(probe.to_owned());
        value
    }

    pub fn truth(truth: bool) -> Self {
        Self::new(f64::from(u8::from(truth)), Unit::Truth)
    }

    pub fn is_true(&self) -> bool {
        self.number != 0.0
    }

    /// Takes over how another value is known that this one depends on.
    pub fn from(mut self, other: &Known) -> Self {
        self.known.probes.extend(other.probes.iter().cloned());
        self.known.rules.extend(other.rules.iter().cloned());
        self.known.methods.extend(other.methods.iter().cloned());
        self
    }

    /// As people read it, without a mark of how it is known.
    pub fn show(&self, format: Option<Format>, lang: Lang) -> String {
        let format = format.unwrap_or(match self.unit {
            Unit::Plain => Format::Count,
            Unit::Bytes => Format::Bytes,
            Unit::Time => Format::Time,
            Unit::Ratio => Format::Ratio,
            Unit::Truth => return words::truth(lang, self.is_true()).to_owned(),
        });
        if self.number < 0.0 {
            let positive = Self::new(-self.number, self.unit);
            return format!("−{}", positive.show(Some(format), lang));
        }
        let whole = self.number.round() as u64;
        match format {
            Format::Bytes => units::bytes(whole),
            Format::Exact => format!("{} B", units::count(whole)),
            Format::Count if self.number.fract() == 0.0 => units::count(whole),
            Format::Count => format!("{:.2}", self.number),
            Format::Time => units::time(whole),
            Format::Ratio => match self.number {
                n if n < 10.0 => format!("×{n:.2}"),
                n => format!("×{n:.1}"),
            },
            Format::Percent => format!("{:.1}%", self.number * 100.0),
        }
    }

    /// With the mark that reports use for what is not measured.
    pub fn marked(&self, format: Option<Format>, lang: Lang) -> String {
        self.known.mark().to_owned() + &self.show(format, lang)
    }
}

impl Known {
    /// Before a number: nothing for what is measured (and for what is no measurement at all), `⇢`
    /// for what a rule concluded, `~` for what was sampled; as on all other screens.
    pub fn mark(&self) -> &'static str {
        if !self.methods.is_empty() {
            "~"
        } else if !self.rules.is_empty() {
            "⇢"
        } else {
            ""
        }
    }

    /// In words, with the names of probes and rules.
    pub fn describe(&self, lang: Lang) -> String {
        let list = |names: &BTreeSet<String>| {
            names
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", ")
        };
        let mut parts = Vec::new();
        if !self.probes.is_empty() {
            parts.push(words::measured_by(lang, list(&self.probes)));
        }
        if !self.rules.is_empty() {
            parts.push(words::inferred_by(lang, list(&self.rules)));
        }
        if !self.methods.is_empty() {
            parts.push(words::estimated_by(lang, list(&self.methods)));
        }
        match parts.is_empty() {
            true => crate::terms::measured(lang).to_owned(),
            false => parts.join(words::semicolon(lang)),
        }
    }
}

/// A number as people type it: `1 MiB`, `1M`, `1,048,576`, `yes`, `否`. `None` if it is none.
pub fn typed(text: &str) -> Option<Value> {
    let text = text.trim().to_lowercase();
    match text.as_str() {
        "y" | "yes" | "true" | "是" | "会" | "对" => return Some(Value::truth(true)),
        "n" | "no" | "false" | "否" | "不" | "不会" | "不是" => {
            return Some(Value::truth(false));
        }
        _ => {}
    }
    let digits: String = text
        .chars()
        .take_while(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '_' | ' '))
        .collect();
    let unit = text[digits.len()..].trim();
    let number: f64 = digits.replace([',', '_', ' '], "").parse().ok()?;
    let (factor, unit) = unit_of(unit)?;
    Some(Value::new(number * factor, unit))
}

/// Units as typed, in small letters. All powers are of 1024: no program reads 1000 bytes at a time.
fn unit_of(name: &str) -> Option<(f64, Unit)> {
    const KIB: f64 = 1024.0;
    Some(match name {
        "" | "x" | "times" | "次" | "calls" => (1.0, Unit::Plain),
        "b" | "byte" | "bytes" | "字节" => (1.0, Unit::Bytes),
        "k" | "kb" | "kib" => (KIB, Unit::Bytes),
        "m" | "mb" | "mib" => (KIB * KIB, Unit::Bytes),
        "g" | "gb" | "gib" => (KIB * KIB * KIB, Unit::Bytes),
        "pages" | "页" => (4096.0, Unit::Bytes),
        "ns" => (1.0, Unit::Time),
        "us" | "µs" => (1e3, Unit::Time),
        "ms" => (1e6, Unit::Time),
        "s" => (1e9, Unit::Time),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_typed() {
        for (text, number) in [
            ("1 MiB", 1048576.0),
            ("1M", 1048576.0),
            ("1,048,576", 1048576.0),
            ("1 048 576 bytes", 1048576.0),
            ("2.5k", 2560.0),
            (" 0 ", 0.0),
            ("yes", 1.0),
            ("否", 0.0),
            ("64 KiB", 65536.0),
        ] {
            assert_eq!(typed(text).map(|v| v.number), Some(number), "{text}");
        }
        for text in ["", "many", "1 mile", "-", "1..2"] {
            assert_eq!(typed(text), None, "{text}");
        }
    }

    #[test]
    fn values_as_shown() {
        let show = |n, unit| Value::new(n, unit).show(None, Lang::En);
        assert_eq!(show(1048576.0, Unit::Bytes), "1.00 MiB");
        assert_eq!(show(1200.0, Unit::Plain), "1,200");
        assert_eq!(show(-832.0, Unit::Bytes), "−832 B");
        assert_eq!(show(16.0, Unit::Ratio), "×16.0");
        assert_eq!(show(1.0, Unit::Truth), "yes");
    }
}
