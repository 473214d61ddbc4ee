//! Failures of our own: one line, and the exit status of the command line's contract.

use bytehop_core::record::RecordError;
#[cfg(feature = "capture")]
use tracer::btf::BtfError;
#[cfg(feature = "capture")]
use tracer::capture::CaptureError;
#[cfg(feature = "capture")]
use tracer::elevate::ElevateError;
#[cfg(feature = "capture")]
use tracer::launch::LaunchError;
#[cfg(feature = "capture")]
use tracer::limits::Limit;
#[cfg(feature = "capture")]
use tracer::load::LoadError;
#[cfg(feature = "capture")]
use tracer::privileges::{DropError, Missing};
#[cfg(feature = "capture")]
use tracer::user::IdentityError;

/// Wrong usage, or a file that cannot be opened or created.
pub const USAGE: u8 = 2;
/// The kernel or our privileges don't allow it.
pub const NOT_ALLOWED: u8 = 3;
/// The command could not be started, or tracing broke off.
pub const FAILED: u8 = 125;

/// The status of what the signal of this number ended, as a shell says it.
pub fn signalled(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(FAILED)
}

/// A failure that ends bytehop.
#[derive(Debug)]
pub struct Fail {
    pub code: u8,
    /// One line that says what to do; empty if all has been said.
    pub message: String,
}

impl Fail {
    pub fn new(code: u8, message: impl ToString) -> Self {
        Self {
            code,
            message: message.to_string(),
        }
    }
}

/// What a build without the capture side says of all that traces.
#[cfg(not(feature = "capture"))]
pub fn cannot_trace() -> Fail {
    Fail::new(
        NOT_ALLOWED,
        "this build shows recordings and cannot trace: use a build for Linux with the capture side",
    )
}

macro_rules! fails_with {
    ($($error:ty => $code:expr;)*) => {
        $(impl From<$error> for Fail {
            fn from(e: $error) -> Self {
                let code: fn(&$error) -> u8 = $code;
                Self { code: code(&e), message: e.to_string() }
            }
        })*
    };
}

fails_with! {
    RecordError => |e| e.exit_code().unwrap_or(FAILED);
    labs::lab::LabError => |_| USAGE;
    labs::runs::WorkError => |_| FAILED;
    labs::runs::RunError => |e| match e {
        labs::runs::RunError::NoRecording(_) => NOT_ALLOWED,
        labs::runs::RunError::Stopped(signal) => signalled(*signal),
        labs::runs::RunError::Work(labs::runs::WorkError::Stopped(signal)) => signalled(*signal),
        labs::runs::RunError::Record(e) => e.exit_code().unwrap_or(FAILED),
        _ => FAILED,
    };
    tui::ViewError => |e| match e {
        tui::ViewError::Recording(e) => e.exit_code().unwrap_or(FAILED),
        tui::ViewError::NotATerminal => USAGE,
        tui::ViewError::Ended(signal) => signalled(*signal),
        tui::ViewError::Source(_) | tui::ViewError::Terminal(_) => FAILED,
    };
}

#[cfg(feature = "capture")]
fails_with! {
    Missing => |_| NOT_ALLOWED;
    ElevateError => |_| NOT_ALLOWED;
    BtfError => |_| NOT_ALLOWED;
    LoadError => |_| NOT_ALLOWED;
    Limit => |_| NOT_ALLOWED;
    DropError => |_| FAILED;
    IdentityError => |_| FAILED;
    LaunchError => |e| e.exit_code() as u8;
    CaptureError => |e| match e {
        CaptureError::NoProcess(_) => USAGE,
        CaptureError::Namespace => NOT_ALLOWED,
        CaptureError::Load(_) | CaptureError::Wait(_) => FAILED,
    };
}
