//! Addresses of the kernel's functions, from `/proc/kallsyms`.

use std::io;
use std::path::Path;

/// The kernel's text symbols, by address.
pub struct Symbols {
    /// Address, and where in `text` the name is.
    rows: Vec<(u64, usize, usize)>,
    text: String,
}

impl Symbols {
    /// Reads them: some ten milliseconds.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn load() -> io::Result<Self> {
        std::fs::read_to_string(Path::new("/proc/kallsyms")).map(Self::parse)
    }

    fn parse(text: String) -> Self {
        let base = text.as_ptr() as usize;
        let mut rows: Vec<_> = text
            .lines()
            .filter_map(|line| {
                let mut words = line.split_ascii_whitespace();
                let (address, kind, name) = (words.next()?, words.next()?, words.next()?);
                if !matches!(kind, "t" | "T" | "w" | "W") {
                    return None;
                }
                let address = u64::from_str_radix(address, 16).ok()?;
                let start = name.as_ptr() as usize - base;
                Some((address, start, start + name.len()))
            })
            .collect();
        rows.sort_unstable();
        Self { rows, text }
    }

    fn name(&self, row: &(u64, usize, usize)) -> &str {
        self.text.get(row.1..row.2).unwrap_or_default()
    }

    /// Address of a function; 0 if the kernel hides it (`kptr_restrict`), `None` if there is none.
    pub fn address(&self, name: &str) -> Option<u64> {
        let mut rows = self.rows.iter();
        Some(rows.find(|row| self.name(row) == name)?.0)
    }

    /// The functions that `wanted` picks, in order: name, address, and address of what follows. Names of
    /// the same address are one function. Empty if the kernel hides addresses.
    pub fn ranges(&self, wanted: impl Fn(&str) -> bool) -> Vec<(&str, u64, u64)> {
        let mut ranges: Vec<(&str, u64, u64)> = Vec::new();
        for (i, row) in self.rows.iter().enumerate() {
            let (name, start) = (self.name(row), row.0);
            if start == 0 || !wanted(name) || ranges.last().is_some_and(|last| last.1 == start) {
                continue;
            }
            let end = self.rows[i..].iter().find(|next| next.0 > start);
            if let Some(end) = end {
                ranges.push((name, start, end.0));
            }
        }
        ranges
    }
}

#[cfg(test)]
mod tests {
    use super::Symbols;

    const TEXT: &str = "\
        ffffffff81000300 T next\n\
        ffffffff81000100 T memcpy\n\
        ffffffff81000100 T __memcpy\n\
        ffffffff81000080 D memcpy_data\n\
        ffffffffc0000000 t other\t[module]\n";

    #[test]
    fn functions_end_where_the_next_begins() {
        let symbols = Symbols::parse(TEXT.to_owned());
        assert_eq!(symbols.address("next"), Some(0xffff_ffff_8100_0300));
        assert_eq!(symbols.address("memcpy_data"), None);
        let found = symbols.ranges(|name| name.contains("memcpy"));
        let [(_, start, end)] = found[..] else {
            panic!("{found:?}")
        };
        assert_eq!((start, end), (0xffff_ffff_8100_0100, 0xffff_ffff_8100_0300));
    }

    #[test]
    fn hidden_addresses_are_no_ranges() {
        let symbols = Symbols::parse("0000000000000000 T memcpy\n".to_owned());
        assert_eq!(symbols.address("memcpy"), Some(0));
        assert_eq!(symbols.ranges(|_| true), []);
    }
}
