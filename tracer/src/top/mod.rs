//! Reads the counters of every process, now and then, for [`bytehop_core::top`].

pub mod maps;
pub mod sampler;
#[cfg(test)]
mod tests;

pub use sampler::Sampler;
