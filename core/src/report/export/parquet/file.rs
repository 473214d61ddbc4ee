//! A table as a Parquet file: one row group, each column one page, plain and not compressed. No value is repeated,
//! each may be absent.

use super::thrift::{Struct, varint};

const MAGIC: &[u8] = b"PAR1";

/// Numbers of `parquet.thrift`.
const UTF8: i32 = 0;
const UINT_64: i32 = 14;
const OPTIONAL: i32 = 1;
const PLAIN: i32 = 0;
const RLE: i32 = 3;
const UNCOMPRESSED: i32 = 0;
const DATA_PAGE: i32 = 0;

/// The cells of a column, from the first row to the last.
pub enum Cells {
    Texts(Vec<Option<String>>),
    Numbers(Vec<Option<u64>>),
    Flags(Vec<Option<bool>>),
}

impl Cells {
    /// `BOOLEAN`, `INT64`, `BYTE_ARRAY`.
    fn kind(&self) -> i32 {
        match self {
            Self::Flags(_) => 0,
            Self::Numbers(_) => 2,
            Self::Texts(_) => 6,
        }
    }

    /// What of each row is there, and the values of those that are.
    fn encoded(&self) -> (Vec<bool>, Vec<u8>) {
        let mut out = Vec::new();
        match self {
            Self::Texts(cells) => {
                for text in cells.iter().flatten() {
                    out.extend_from_slice(&(text.len() as u32).to_le_bytes());
                    out.extend_from_slice(text.as_bytes());
                }
                (cells.iter().map(Option::is_some).collect(), out)
            }
            Self::Numbers(cells) => {
                for number in cells.iter().flatten() {
                    out.extend_from_slice(&number.to_le_bytes());
                }
                (cells.iter().map(Option::is_some).collect(), out)
            }
            Self::Flags(cells) => {
                for (i, flag) in cells.iter().flatten().enumerate() {
                    if i % 8 == 0 {
                        out.push(0);
                    }
                    if let Some(byte) = out.last_mut() {
                        *byte |= u8::from(*flag) << (i % 8);
                    }
                }
                (cells.iter().map(Option::is_some).collect(), out)
            }
        }
    }
}

/// Writes a table; all columns have `rows` cells.
pub fn write(columns: &[(&'static str, Cells)], rows: usize) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    let mut schema = vec![
        Struct::default()
            .text(4, "bytehop")
            .i32(5, columns.len() as i32),
    ];
    let mut chunks = Vec::new();
    for (name, cells) in columns {
        let begin = out.len();
        page(cells, rows, &mut out);
        let size = out.len() - begin;
        let element = Struct::default()
            .i32(1, cells.kind())
            .i32(3, OPTIONAL)
            .text(4, name);
        schema.push(match cells {
            Cells::Texts(_) => element.i32(6, UTF8),
            Cells::Numbers(_) => element.i32(6, UINT_64),
            Cells::Flags(_) => element,
        });
        let metadata = Struct::default()
            .i32(1, cells.kind())
            .i32s(2, &[PLAIN, RLE])
            .texts(3, &[name])
            .i32(4, UNCOMPRESSED)
            .i64(5, rows)
            .i64(6, size)
            .i64(7, size)
            .i64(9, begin);
        chunks.push(Struct::default().i64(2, begin).structure(3, metadata));
    }
    let group = Struct::default()
        .structures(1, chunks)
        .i64(2, out.len() - MAGIC.len())
        .i64(3, rows);
    let footer = Struct::default()
        .i32(1, 1)
        .structures(2, schema)
        .i64(3, rows)
        .structures(4, vec![group])
        .text(6, concat!("bytehop version ", env!("CARGO_PKG_VERSION")))
        .finish();
    out.extend_from_slice(&footer);
    out.extend_from_slice(&(footer.len() as u32).to_le_bytes());
    out.extend_from_slice(MAGIC);
    out
}

fn page(cells: &Cells, rows: usize, out: &mut Vec<u8>) {
    let (present, values) = cells.encoded();
    let mut levels = Vec::new();
    for run in present.chunk_by(|a, b| a == b) {
        varint((run.len() as u64) << 1, &mut levels);
        levels.push(u8::from(run[0]));
    }
    let mut data = (levels.len() as u32).to_le_bytes().to_vec();
    data.extend(levels);
    data.extend(values);
    let head = Struct::default()
        .i32(1, rows as i32)
        .i32(2, PLAIN)
        .i32(3, RLE)
        .i32(4, RLE);
    let page = Struct::default()
        .i32(1, DATA_PAGE)
        .i32(2, data.len() as i32)
        .i32(3, data.len() as i32)
        .structure(5, head);
    out.extend(page.finish());
    out.extend(data);
}
