//! Values as JSON, straight into the line: a record has twenty numbers, and millions come a second.

use serde::Serialize;

/// Something that is written as JSON.
pub trait Put {
    fn put(&self, out: &mut Vec<u8>);
}

/// The numbers from 0 to 99, two digits each.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut n = 0;
    while n < 100 {
        pairs[n] = [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8];
        n += 1;
    }
    pairs
};

impl Put for u64 {
    #[inline]
    fn put(&self, out: &mut Vec<u8>) {
        let mut rest = *self;
        if rest < 10 {
            return out.push(b'0' + rest as u8);
        }
        let mut digits = [0; 20];
        let mut at = digits.len();
        while rest >= 10 {
            at -= 2;
            digits[at..at + 2].copy_from_slice(&PAIRS[(rest % 100) as usize]);
            rest /= 100;
        }
        if rest > 0 {
            at -= 1;
            digits[at] = b'0' + rest as u8;
        }
        out.extend_from_slice(&digits[at..]);
    }
}

impl Put for i64 {
    #[inline]
    fn put(&self, out: &mut Vec<u8>) {
        if *self < 0 {
            out.push(b'-');
        }
        self.unsigned_abs().put(out);
    }
}

macro_rules! put_as {
    ($($small:ty => $wide:ty),*) => {$(
        impl Put for $small {
            #[inline]
            fn put(&self, out: &mut Vec<u8>) {
                <$wide>::from(*self).put(out);
            }
        }
    )*};
}

put_as!(u8 => u64, u16 => u64, u32 => u64, i32 => i64);

impl Put for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if *self { b"true" } else { b"false" });
    }
}

impl Put for str {
    fn put(&self, out: &mut Vec<u8>) {
        json(self, out);
    }
}

impl Put for String {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_str().put(out);
    }
}

impl<T: Put + ?Sized> Put for &T {
    #[inline]
    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }
}

impl<T: Put, const N: usize> Put for [T; N] {
    fn put(&self, out: &mut Vec<u8>) {
        list(self, out);
    }
}

impl<A: Put, B: Put> Put for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        self.0.put(out);
        out.push(b',');
        self.1.put(out);
        out.push(b']');
    }
}

/// Values between brackets.
pub fn list<T: Put>(values: impl IntoIterator<Item = T>, out: &mut Vec<u8>) {
    out.push(b'[');
    for (i, value) in values.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        value.put(out);
    }
    out.push(b']');
}

/// A member that is not the first of its object. The key needs no escape.
#[inline]
pub fn member(key: &str, value: impl Put, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
    value.put(out);
}

/// Whatever else can be JSON. Writing to memory does not fail, and nothing here refuses.
pub fn json(value: &(impl Serialize + ?Sized), out: &mut Vec<u8>) {
    let start = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(start);
        out.extend_from_slice(b"null");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_others_write_them() {
        let mut cases = vec![0, 9, 10, 99, 100, 12_345, u64::MAX];
        cases.extend((0..64).flat_map(|bit| [1u64 << bit, (1 << bit) - 1]));
        for n in cases {
            for n in [n.cast_signed(), n.wrapping_neg().cast_signed()] {
                let mut out = Vec::new();
                n.put(&mut out);
                out.push(b' ');
                n.cast_unsigned().put(&mut out);
                assert_eq!(out, format!("{n} {}", n.cast_unsigned()).into_bytes());
            }
        }
    }
}
