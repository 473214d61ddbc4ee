//! `--from-main`: a trace is recorded whole, and what came before `main` is cut off at its end.
//!
//! Only the stacks of calls tell where `main` begins, and the lines that they lead to are known later than the calls.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use bytehop_core::event::Only;
use bytehop_core::model::Summary;
use bytehop_core::reconstruct::Sink;
use bytehop_core::record::{Look, Writer};
use tracer::opened::opens;
use tracer::user::Identity;

use crate::cli::Tracing;
use crate::fail::{FAILED, Fail, Trouble, USAGE};
use crate::open::{reader, wanted};
use crate::show;

/// A recording of which a part will be kept.
pub struct Whole {
    path: PathBuf,
    /// It is only ours: a file without a name, so that nothing of it is left.
    unnamed: Option<File>,
}

impl Whole {
    /// The recording that the user wants, or one of our own; `None` if all of a trace is kept.
    pub fn wanted(
        tracing: &Tracing,
        file: Option<&Path>,
        identity: &Identity,
    ) -> Result<Option<Self>, Fail> {
        if !tracing.from_main {
            return Ok(None);
        }
        Ok(Some(match file {
            Some(file) => Self {
                path: file.to_owned(),
                unnamed: None,
            },
            None => Self::unnamed(identity.with_file_rights(tempfile::tempfile))?,
        }))
    }

    fn unnamed(file: io::Result<File>) -> Result<Self, Fail> {
        let file = file.map_err(|e| Fail::new(FAILED, Trouble::Create(std::env::temp_dir(), e)))?;
        Ok(Self {
            path: opens(&file),
            unnamed: Some(file),
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What to write the trace to, if that is a file of our own.
    pub fn writer(&self) -> Result<Option<Writer<File>>, Fail> {
        let Some(file) = &self.unnamed else {
            return Ok(None);
        };
        let failed = |e| Fail::new(FAILED, Trouble::Create(self.path.clone(), e));
        Ok(Some(Writer::new(
            file.try_clone().map_err(failed)?,
            &self.path,
        )?))
    }

    /// Sums up what is wanted, once the recording is whole; leaves no more than that in the user's own.
    pub fn sum_up(&self, sink: &mut impl Sink) -> Result<Summary, Fail> {
        let only = Only {
            from_main: true,
            ..Only::default()
        };
        if self.unnamed.is_some() {
            return show::summed_up(&self.path, &only, sink);
        }
        let wanted = wanted(&self.path, &only)?;
        let look = Look::at(&mut reader(&self.path, &wanted)?, &only);
        let part = Self::unnamed(tempfile::tempfile())?;
        if let Some(writer) = part.writer()? {
            look.write(&mut reader(&self.path, &wanted)?, writer)?;
        }
        let copied = std::fs::copy(&part.path, &self.path);
        copied.map_err(|e| Fail::new(USAGE, Trouble::Write(self.path.clone(), e)))?;
        show::summed_up(&self.path, &Only::default(), sink)
    }
}
