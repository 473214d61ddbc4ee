//! As much of Thrift's compact protocol as the metadata of Parquet needs.

/// A structure being written: fields come in the order of their numbers.
#[derive(Default)]
pub struct Struct {
    out: Vec<u8>,
    last: u8,
}

const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

impl Struct {
    pub fn i32(mut self, field: u8, value: i32) -> Self {
        self.head(field, I32);
        zigzag(value.into(), &mut self.out);
        self
    }

    pub fn i64(mut self, field: u8, value: usize) -> Self {
        self.head(field, I64);
        zigzag(value as i64, &mut self.out);
        self
    }

    pub fn text(mut self, field: u8, text: &str) -> Self {
        self.head(field, BINARY);
        bytes(text, &mut self.out);
        self
    }

    pub fn structure(mut self, field: u8, value: Self) -> Self {
        self.head(field, STRUCT);
        self.out.extend(value.finish());
        self
    }

    pub fn structures(mut self, field: u8, values: Vec<Self>) -> Self {
        self.list(field, STRUCT, values.len());
        for value in values {
            self.out.extend(value.finish());
        }
        self
    }

    pub fn texts(mut self, field: u8, texts: &[&str]) -> Self {
        self.list(field, BINARY, texts.len());
        for text in texts {
            bytes(text, &mut self.out);
        }
        self
    }

    pub fn i32s(mut self, field: u8, values: &[i32]) -> Self {
        self.list(field, I32, values.len());
        for value in values {
            zigzag((*value).into(), &mut self.out);
        }
        self
    }

    pub fn finish(mut self) -> Vec<u8> {
        self.out.push(0);
        self.out
    }

    /// The difference to the field before, and the type.
    fn head(&mut self, field: u8, kind: u8) {
        self.out.push((field - self.last) << 4 | kind);
        self.last = field;
    }

    fn list(&mut self, field: u8, kind: u8, len: usize) {
        self.head(field, LIST);
        match u8::try_from(len) {
            Ok(len @ 0..15) => self.out.push(len << 4 | kind),
            _ => {
                self.out.push(0xf0 | kind);
                varint(len as u64, &mut self.out);
            }
        }
    }
}

fn bytes(text: &str, out: &mut Vec<u8>) {
    varint(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

fn zigzag(value: i64, out: &mut Vec<u8>) {
    varint((value << 1 ^ value >> 63).cast_unsigned(), out);
}

pub fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
