//! The calls and hops of a trace, kept small.
//!
//! A call takes 40 bytes ([`Call`]); what many calls have in common (thread, name, files, hops) is
//! kept once and named by number. What is only looked at now and then, the arguments and the result,
//! is not kept at all: [`Details`] reads it again from the recording, by the number of its record.
//! Of the calls themselves only those in sight and the last ones are in memory ([`Paged`]).
//!
//! A store grows while it is looked at: live, and while a large recording is read ([`Feed`]). What is
//! in it does not change any more.
//!
//! Hops that ran later than their call (write-back, readahead, packets) stand as calls of their own
//! ([`What::Later`]) at the place in the order where they became known, so stepping meets them late.

mod build;
mod call;
mod detail;
mod feed;
mod intern;
mod lines;
mod paged;
mod sums;
mod threads;
mod trace;

pub use call::{Call, FileId, Hop, HopKey, NONE, Sig, What};
pub use detail::{Detail, Details};
pub use feed::Feed;
pub use lines::Lines;
pub use paged::{Fields, Fixed, Paged};
pub use sums::{Amount, Sums};
pub use trace::Store;
