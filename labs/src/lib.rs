//! The guided labs: predict, observe, explain, change, check.
#![forbid(unsafe_code)]
