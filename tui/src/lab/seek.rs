//! Where a number comes from, in the path view.

use std::collections::BTreeMap;

use bytehop_core::expr::Sight;

use crate::app::App;
use crate::store::What;

/// What a run has before it does what is asked about: its loader's calls, as a rule.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    pub calls: BTreeMap<String, u64>,
    pub faults: u64,
}

impl Baseline {
    /// Whether a call of that name is one of these, and one less is left then.
    fn takes(left: Option<&mut u64>) -> bool {
        left.is_some_and(|left| {
            let takes = *left > 0;
            *left = left.saturating_sub(1);
            takes
        })
    }
}

/// Puts the cursor on the largest hop of the sort that makes up most of what is counted, or on the call
/// that moved most; `false` if there is none.
pub fn seek(app: &mut App, sight: &Sight, baseline: &Baseline) -> bool {
    let mut baseline = baseline.clone();
    let store = &app.store;
    let all = store.sums();
    let mut best: Option<([u64; 2], usize, Option<usize>)> = None;
    let mut candidate = |bytes: [u64; 2], call: usize, hop: Option<usize>| {
        if best.is_none_or(|(most, ..)| bytes > most) {
            best = Some((bytes, call, hop));
        }
    };
    for index in 0..store.len() {
        let hops = store.hops(index);
        for (i, hop) in hops.iter().enumerate() {
            let fits = store
                .key(hop)
                .is_some_and(|key| sight.has_hop(key.kind, &key.from, &key.to, key.deferred));
            if fits {
                let sort = all.of(usize::from(hop.key)).bytes;
                candidate([sort, hop.bytes], index, Some(i));
            }
        }
        let call = store.call(index);
        let counts = match call.as_ref().and_then(|call| store.sig(call)) {
            Some(sig) => match &sig.what {
                What::Syscall { name, .. } => {
                    sight.has_call(name) && !Baseline::takes(baseline.calls.get_mut(&**name))
                }
                What::Fault { .. } => {
                    sight.has_faults() && !Baseline::takes(Some(&mut baseline.faults))
                }
                What::Later => false,
            },
            None => false,
        };
        if counts {
            candidate([0, hops.iter().map(|hop| hop.bytes).sum()], index, None);
        }
    }
    if let Some((_, call, hop)) = best {
        app.go(app.list.position(call), hop);
        app.fetch();
    }
    best.is_some()
}
