//! The catalogue: what bytehop knows by name. Everything else holds ids, so that a name stands once and a
//! missing cell does not compile.
//!
//! [`rules`] are what conclude; [`probes`] (tracepoints, level T), [`functions`] (level F) and
//! [`primitives`] (level B) are what measures; [`subjects`] are what rules and measurements may disagree on.
//! Names of other versions come in from recordings only: they stay text ([`ProbeId::of_label`] is `None`).

pub mod functions;
pub mod primitives;
pub mod probes;
pub mod rules;
pub mod subjects;

use std::fmt;

pub use functions::FunctionId;
pub use primitives::PrimitiveId;
pub use probes::Tracepoint;
pub use rules::{Certainty, RuleId};
pub use subjects::Subject;

use crate::i18n::Lang;

/// Who measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProbeId {
    Tracepoint(Tracepoint),
    /// By fentry or fexit.
    Function(FunctionId),
    /// By a kprobe that stands in for it.
    Kprobe(FunctionId),
    Primitive(PrimitiveId),
}

impl ProbeId {
    /// As reports and JSON name it: `tp:block_rq_complete`, `fexit:filemap_read`, `bp:_copy_to_iter`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Tracepoint(tracepoint) => tracepoint.label(),
            Self::Function(function) => function.row().label,
            Self::Kprobe(function) => function.row().kprobe_label,
            Self::Primitive(primitive) => primitive.label(),
        }
    }

    /// The probe of this label; `None` if this version has none such.
    pub fn of_label(label: &str) -> Option<Self> {
        let tracepoints = probes::TABLE.iter().map(|row| Self::Tracepoint(row.id));
        let functions = functions::TABLE
            .iter()
            .flat_map(|row| [Self::Function(row.id), Self::Kprobe(row.id)]);
        let primitives = primitives::TABLE
            .iter()
            .flat_map(|row| row.names)
            .map(|name| Self::Primitive(*name));
        tracepoints
            .chain(functions)
            .chain(primitives)
            .find(|probe| probe.label() == label)
    }

    /// What it tells.
    pub fn measures(self, lang: Lang) -> &'static str {
        match self {
            Self::Tracepoint(tracepoint) => tracepoint.row().measures(lang),
            Self::Function(function) | Self::Kprobe(function) => function.row().measures(lang),
            Self::Primitive(name) => {
                let row = primitives::TABLE
                    .iter()
                    .find(|row| row.names.contains(&name));
                row.map_or("", |row| row.measures(lang))
            }
        }
    }

    /// The kernel functions in which it fires, innermost first; `None` for tracepoints that stand in many.
    pub fn function(self) -> Option<&'static str> {
        match self {
            Self::Tracepoint(Tracepoint::mm_page_alloc) => {
                Some("clear_user_highpage / post_alloc_hook")
            }
            Self::Tracepoint(Tracepoint::block_rq_complete) => Some("blk_update_request"),
            Self::Tracepoint(Tracepoint::net_dev_start_xmit) => {
                Some("xmit_one < dev_hard_start_xmit")
            }
            Self::Tracepoint(Tracepoint::skb_copy_datagram_iovec) => Some("skb_copy_datagram_iter"),
            Self::Tracepoint(_) => None,
            Self::Function(function) | Self::Kprobe(function) => {
                function.row().names.first().copied()
            }
            Self::Primitive(name) => Some(name.function()),
        }
    }
}

impl fmt::Display for ProbeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

/// What a number that was not measured for every event rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// Samples of the CPU clock of the traced threads.
    CpuClock,
}

impl Method {
    pub const fn name(self) -> &'static str {
        match self {
            Self::CpuClock => "perf:cpu-clock",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_lead_back_to_their_probes() {
        let functions = functions::TABLE.iter().map(|row| row.id);
        let all = functions
            .flat_map(|id| [ProbeId::Function(id), ProbeId::Kprobe(id)])
            .chain(probes::TABLE.iter().map(|row| ProbeId::Tracepoint(row.id)));
        for probe in all {
            assert_eq!(ProbeId::of_label(probe.label()), Some(probe));
            assert!(!probe.measures(Lang::Zh).is_empty());
        }
        assert_eq!(ProbeId::of_label("tp:of_tomorrow"), None);
    }
}
