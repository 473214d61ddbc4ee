//! A hand-in: all that a student has to show, in one file. It is a tar archive (POSIX ustar) of the folder with the
//! results, so that a teacher can look into it with any tool.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

/// End of a hand-in's name.
pub const SUFFIX: &str = ".hand-in.tar";

const BLOCK: usize = 512;
/// Where the fields of a header are, and how long: name, mode, size, checksum, kind, magic.
const NAME: std::ops::Range<usize> = 0..100;
const MODE: std::ops::Range<usize> = 100..108;
const LENGTH: std::ops::Range<usize> = 124..136;
const SUM: std::ops::Range<usize> = 148..156;
const KIND: usize = 156;
const MAGIC: std::ops::Range<usize> = 257..265;

/// A hand-in's name: the student's, as far as files can have it.
pub fn name_of(student: &str) -> String {
    let plain = |c: char| match c {
        c if c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@') => c,
        _ => '_',
    };
    let name: String = student.chars().take(40).map(plain).collect();
    format!("{}{SUFFIX}", name.trim_start_matches(['.', '-']))
}

/// Writes the ordinary files of a folder.
///
/// # Errors
/// If one cannot be read or written, or has a name that is none.
pub fn write(mut to: impl Write, dir: &Path) -> io::Result<usize> {
    let mut paths: Vec<_> = fs::read_dir(dir)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<_>>()?;
    paths.retain(|path| path.symlink_metadata().is_ok_and(|data| data.is_file()));
    paths.sort();
    for path in &paths {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.filter(|name| name.len() < NAME.len());
        let name = name.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))?;
        let bytes = fs::read(path)?;
        to.write_all(&header(name, bytes.len()))?;
        to.write_all(&bytes)?;
        to.write_all(&vec![0; padding(bytes.len() as u64) as usize])?;
    }
    to.write_all(&[0; 2 * BLOCK])?;
    to.flush()?;
    Ok(paths.len())
}

fn header(name: &str, len: usize) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |field: std::ops::Range<usize>, text: &[u8]| {
        block[field.start..field.start + text.len()].copy_from_slice(text);
    };
    put(NAME, name.as_bytes());
    put(MODE, b"0000644\0");
    put(LENGTH, format!("{len:011o}\0").as_bytes());
    put(MAGIC, b"ustar\x0000");
    // Counted as blanks.
    put(SUM, &[b' '; 8]);
    put(KIND..KIND + 1, b"0");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[SUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

fn padding(len: u64) -> u64 {
    len.next_multiple_of(BLOCK as u64) - len
}

/// An ordinary file of a hand-in.
pub struct Entry {
    /// Without folders.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Reads the ordinary files that `wanted` takes by name and size, one after the other. Whatever the file holds,
/// nothing is written and nothing outside of it is read.
///
/// # Errors
/// If it ends early, or what should be a header is none.
pub fn read(
    mut from: impl Read,
    mut wanted: impl FnMut(&str, u64) -> bool,
) -> io::Result<Vec<Entry>> {
    let damaged = || io::Error::from(io::ErrorKind::InvalidData);
    let mut entries = Vec::new();
    loop {
        let mut block = [0; BLOCK];
        from.read_exact(&mut block)?;
        if block == [0; BLOCK] {
            return Ok(entries);
        }
        let text = |field: std::ops::Range<usize>| {
            let end = block[field.clone()].iter().position(|byte| *byte == 0);
            let end = end.map_or(field.end, |len| field.start + len);
            String::from_utf8_lossy(&block[field.start..end]).into_owned()
        };
        let octal = |field| u64::from_str_radix(text(field).trim(), 8).map_err(|_| damaged());
        let sum: u64 = (0..BLOCK)
            .map(|i| u64::from(if SUM.contains(&i) { b' ' } else { block[i] }))
            .sum();
        if octal(SUM)? != sum {
            return Err(damaged());
        }
        let len = octal(LENGTH)?;
        let name = text(NAME);
        let name = name.rsplit('/').next().unwrap_or_default().to_owned();
        let ordinary = matches!(block[KIND], 0 | b'0') && !name.is_empty();
        let mut bytes = Vec::new();
        let mut taken = 0;
        if ordinary && wanted(&name, len) {
            taken = (&mut from).take(len).read_to_end(&mut bytes)? as u64;
            if taken < len {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
            }
            entries.push(Entry { name, bytes });
        }
        let rest = len - taken + padding(len);
        if io::copy(&mut (&mut from).take(rest), &mut io::sink())? < rest {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> io::Result<Vec<Entry>> {
        read(bytes, |_, _| true)
    }

    fn packed() -> Vec<u8> {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        fs::write(dir.join("a"), [7; 513]).unwrap();
        fs::write(dir.join("b.toml"), "").unwrap();
        fs::create_dir(dir.join("folder")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", dir.join("link")).unwrap();
        let mut bytes = Vec::new();
        assert_eq!(write(&mut bytes, dir).unwrap(), 2);
        bytes
    }

    #[test]
    fn what_goes_in_comes_out() {
        let entries = all(&packed()).unwrap();
        let told: Vec<_> = entries
            .iter()
            .map(|e| (e.name.as_str(), e.bytes.len()))
            .collect();
        assert_eq!(told, [("a", 513), ("b.toml", 0)]);
        assert!(entries[0].bytes.iter().all(|byte| *byte == 7));
    }

    /// The system's tar is the oracle, both ways.
    #[test]
    fn tar_understands_it_and_we_understand_tar() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.tar");
        fs::write(&file, packed()).unwrap();
        let tar = |args: &[&str]| {
            let output = std::process::Command::new("tar")
                .args(args)
                .current_dir(dir.path())
                .output()
                .unwrap();
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        assert_eq!(tar(&["tf", "x.tar"]), "a\nb.toml\n");
        tar(&["xf", "x.tar"]);
        assert_eq!(fs::read(dir.path().join("a")).unwrap(), [7; 513]);
        tar(&["--format=ustar", "-cf", "y.tar", "./a", "b.toml"]);
        let entries = all(&fs::read(dir.path().join("y.tar")).unwrap()).unwrap();
        assert_eq!((entries.len(), entries[0].bytes.len()), (2, 513));
    }

    #[test]
    fn anything_at_all() {
        let whole = packed();
        for len in 0..whole.len() - 2 * BLOCK {
            assert!(all(&whole[..len]).is_err(), "{len}");
        }
        for at in (0..whole.len()).step_by(7) {
            let mut changed = whole.clone();
            changed[at] ^= 0xff;
            // A damaged header is found; nothing panics.
            let _ = all(&changed);
        }
        let mut huge = whole.clone();
        huge[LENGTH].copy_from_slice(b"77777777777\0");
        assert!(all(&huge).is_err());
    }
}
