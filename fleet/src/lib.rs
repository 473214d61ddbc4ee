//! What `bytehop top` counts, for other systems: OpenMetrics over HTTP, OTLP to a collector.
//!
//! [`rows`] adds up the tables of `top`, [`metrics`] says what of it is told, [`openmetrics`] and [`otlp`] write it
//! down: pure. [`serve`] answers who asks (what is said over HTTP is [`http`]'s), [`push`] sends, each in a thread of
//! its own that neither a slow nor a hostile peer can hold up or fill.
#![forbid(unsafe_code)]

mod http;
pub mod metrics;
mod openmetrics;
mod otlp;
pub mod push;
pub mod rows;
pub mod serve;

pub use http::Page;
pub use metrics::About;
pub use openmetrics::Dialect;
pub use push::Pusher;
pub use rows::{Key, Rows};
pub use serve::Server;

/// The counters as a page of text.
pub fn page(rows: &Rows, about: &About) -> Page {
    Page {
        openmetrics: openmetrics::text(rows, about, Dialect::OpenMetrics).into_bytes(),
        plain: openmetrics::text(rows, about, Dialect::Prometheus).into_bytes(),
    }
}

/// The counters as a request of OTLP (`ExportMetricsServiceRequest`, protocol buffers).
pub fn request(rows: &Rows, about: &About) -> Vec<u8> {
    otlp::request(rows, about)
}
