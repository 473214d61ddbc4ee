//! Quantities as people read them. Machine-readable output never passes through here.

/// Steps of 1024.
const BYTES: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
/// Steps of 1000.
const TIMES: [&str; 4] = ["ns", "µs", "ms", "s"];

/// A number of bytes in IEC units with three significant digits: `999 B`, `1.00 MiB`, `132 KiB`.
pub fn bytes(n: u64) -> String {
    scaled(n, 1024, &BYTES)
}

/// A time in ns, with three significant digits below a minute: `320 ns`, `12.4 ms`, `2 min 5 s`.
pub fn time(ns: u64) -> String {
    // Rounded to a tenth first, so that 59.96 s does not become "60.0 s".
    let seconds = ns.saturating_add(50_000_000) / 1_000_000_000;
    match seconds {
        0..60 => scaled(ns, 1000, &TIMES),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// A count with thousands separators: `1,234,567`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `n` in the largest unit that leaves at least 1 before the point, rounded to nearest.
fn scaled(n: u64, step: u64, units: &[&str]) -> String {
    let n = u128::from(n);
    let step = u128::from(step);
    let mut unit = 1u128;
    for (i, name) in units.iter().enumerate() {
        let rounded = |scale: u128| divide(n * scale, unit);
        let last = i + 1 == units.len();
        if i == 0 {
            if n < step {
                return format!("{n} {name}");
            }
        } else if rounded(100) < 1000 {
            return format!("{}.{:02} {name}", rounded(100) / 100, rounded(100) % 100);
        } else if rounded(10) < 1000 {
            return format!("{}.{} {name}", rounded(10) / 10, rounded(10) % 10);
        } else if rounded(1) < step || last {
            return format!("{} {name}", rounded(1));
        }
        unit *= step;
    }
    n.to_string()
}

/// `a / b`, rounded to nearest, halves to even, as `printf` rounds.
fn divide(a: u128, b: u128) -> u128 {
    let (quotient, twice) = (a / b, 2 * (a % b));
    quotient + u128::from(twice > b || twice == b && quotient % 2 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_table() {
        let cases = [
            (0, "0 B"),
            (1, "1 B"),
            (1023, "1023 B"),
            (1024, "1.00 KiB"),
            (1536, "1.50 KiB"),
            (10_235, "10.0 KiB"),
            (10_240, "10.0 KiB"),
            (132 << 10, "132 KiB"),
            (1000 << 10, "1000 KiB"),
            ((1 << 20) - 1, "1.00 MiB"),
            (1 << 20, "1.00 MiB"),
            (1_179_648, "1.12 MiB"),
            (5 << 30, "5.00 GiB"),
            (u64::MAX, "16.0 EiB"),
        ];
        for (n, expected) in cases {
            assert_eq!(bytes(n), expected, "{n}");
        }
    }

    #[test]
    fn time_table() {
        let cases = [
            (0, "0 ns"),
            (999, "999 ns"),
            (1000, "1.00 µs"),
            (9_999, "10.0 µs"),
            (99_960, "100 µs"),
            (999_499, "999 µs"),
            (999_500, "1.00 ms"),
            (12_400_000, "12.4 ms"),
            (1_234_567_890, "1.23 s"),
            (59_940_000_000, "59.9 s"),
            (59_999_600_000, "1 min 0 s"),
            (125_000_000_000, "2 min 5 s"),
            (3_600_000_000_000, "1 h 0 min"),
            (u64::MAX, "5124095 h 34 min"),
        ];
        for (ns, expected) in cases {
            assert_eq!(time(ns), expected, "{ns}");
        }
    }

    #[test]
    fn count_table() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
            (100_000, "100,000"),
        ];
        for (n, expected) in cases {
            assert_eq!(count(n), expected);
        }
    }

    /// Larger inputs never read as smaller ones: three digits are enough to compare by eye.
    #[test]
    fn bytes_keep_order_and_precision() {
        for n in (0..64).flat_map(|bit| [(1u64 << bit) - 1, 1 << bit, (1 << bit) + (1 << bit) / 3])
        {
            let text = bytes(n);
            let (number, unit) = text.split_once(' ').expect("a unit");
            let power = BYTES.iter().position(|u| *u == unit).expect("a known unit");
            let value = number.parse::<f64>().expect("a number") * 1024f64.powi(power as i32);
            let off = (value - n as f64).abs();
            assert!(off <= n as f64 * 0.005 + 0.5, "{n} reads as {text}");
        }
    }
}
