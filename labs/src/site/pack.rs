//! A lab as one piece of bytes, for its pages: the files that a learner may have, and the titles of the other
//! labs, which its texts name. Each text and file has its length before it, 32 bits, little endian.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::lab::Lab;
use crate::spec::Text;

/// Titles of labs, by id.
pub type Titles = BTreeMap<String, Text>;

/// What of a lab's folder its pages have: no cheats, nothing that an author left there.
const KEPT: [&str; 6] = [
    "lab.toml",
    "comments.",
    "guide.",
    "programs/",
    "solution/",
    "recordings/",
];

pub fn pack(lab: &Lab, titles: &Titles) -> Vec<u8> {
    let mut out = Vec::new();
    let mut put = |bytes: &[u8]| {
        out.extend((bytes.len() as u32).to_le_bytes());
        out.extend(bytes);
    };
    put(lab.id.as_bytes());
    put(&(titles.len() as u32).to_le_bytes());
    for (id, title) in titles {
        for text in [id, &title.en, &title.zh] {
            put(text.as_bytes());
        }
    }
    for (path, bytes) in lab.files() {
        if KEPT.iter().any(|kept| path.starts_with(kept)) {
            put(path.as_bytes());
            put(bytes);
        }
    }
    out
}

/// The lab again.
///
/// # Errors
/// In one line, if it is none.
pub fn unpack(bytes: &[u8]) -> Result<(Lab, Titles), String> {
    let cut = || "the lab's file is cut off".to_owned();
    let mut rest = Pieces(bytes);
    let text = |rest: &mut Pieces<'_>| -> Result<String, String> {
        let bytes = rest.next().ok_or_else(cut)?;
        String::from_utf8(bytes.to_vec()).map_err(|e| e.to_string())
    };
    let id = text(&mut rest)?;
    let count = rest.next().and_then(|bytes| bytes.try_into().ok());
    let mut titles = Titles::new();
    for _ in 0..u32::from_le_bytes(count.ok_or_else(cut)?) {
        let id = text(&mut rest)?;
        let (en, zh) = (text(&mut rest)?, text(&mut rest)?);
        titles.insert(id, Text { en, zh });
    }
    let mut files = BTreeMap::new();
    while !rest.0.is_empty() {
        let path = text(&mut rest)?;
        let content = rest.next().ok_or_else(cut)?;
        files.insert(path, Cow::Owned(content.to_vec()));
    }
    let lab = Lab::new(&id, files).map_err(|e| e.to_string())?;
    Ok((lab, titles))
}

struct Pieces<'a>(&'a [u8]);

impl<'a> Pieces<'a> {
    fn next(&mut self) -> Option<&'a [u8]> {
        let (len, rest) = self.0.split_first_chunk()?;
        let (piece, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
        self.0 = rest;
        Some(piece)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::bundled;

    #[test]
    fn a_lab_comes_back() {
        let (labs, _) = bundled();
        let titles: Titles = labs
            .iter()
            .map(|lab| (lab.id.clone(), lab.spec.title.clone()))
            .collect();
        for lab in &labs {
            let bytes = pack(lab, &titles);
            let (back, again) = unpack(&bytes).unwrap();
            assert_eq!((&back.id, &again), (&lab.id, &titles));
            let kept = lab.files().filter(|(path, _)| !path.starts_with("cheat/"));
            assert!(kept.eq(back.files()), "{}", lab.id);
            for end in [0, 3, 4, 9, bytes.len() / 2, bytes.len() - 1] {
                assert!(unpack(&bytes[..end]).is_err(), "{} at {end}", lab.id);
            }
        }
        assert!(unpack(&[0xff; 64]).is_err());
    }
}
