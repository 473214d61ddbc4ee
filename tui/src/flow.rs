//! What has moved a moment ago, live: the bytes on the arrows, and the crossings.

use crate::arrows::Arrow;
use crate::store::Sums;

/// Ticks for which something is shown moving after it has come in.
const FLOWING: u32 = 12;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Ticks left, for each arrow.
    pub arrows: Vec<u32>,
    /// Ticks left, for the border of user mode.
    pub crossing: u32,
    /// Ticks since the beginning.
    pub clock: u32,
    /// The last call for which a device moved bytes, and ticks left.
    device: Option<(usize, u32)>,
}

impl Flow {
    /// Takes what has come in: the arrows and the sums before and now.
    pub fn grew(&mut self, before: (&[Arrow], &Sums), now: (&[Arrow], &Sums)) {
        if now.1.calls > before.1.calls {
            self.crossing = FLOWING;
        }
        let was = std::mem::take(&mut self.arrows);
        let left = |arrow: &Arrow| {
            if arrow.amount(before.1) != arrow.amount(now.1) {
                return FLOWING;
            }
            let old = before.0.iter().position(|old| old.is_way_of(arrow));
            old.and_then(|old| was.get(old)).copied().unwrap_or(0)
        };
        self.arrows = now.0.iter().map(left).collect();
    }

    /// A device has moved bytes for this call.
    pub fn device_moved(&mut self, call: usize) {
        self.device = Some((call, FLOWING));
    }

    /// The call for which a device moved bytes a moment ago.
    pub fn device(&self) -> Option<usize> {
        self.device.map(|(call, _)| call)
    }

    /// A tick has passed.
    pub fn tick(&mut self) {
        self.clock = self.clock.wrapping_add(1);
        let device = self.device.take();
        self.device = device
            .filter(|(_, left)| *left > 1)
            .map(|(call, left)| (call, left - 1));
        let left = self.arrows.iter_mut().chain([&mut self.crossing]);
        left.for_each(|left| *left = left.saturating_sub(1));
    }

    pub fn is_moving(&self) -> bool {
        self.crossing > 0 || self.device.is_some() || self.arrows.iter().any(|left| *left > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_told_for_a_moment() {
        let mut flow = Flow::default();
        flow.device_moved(7);
        for _ in 0..FLOWING {
            assert_eq!((flow.device(), flow.is_moving()), (Some(7), true));
            flow.tick();
        }
        assert_eq!((flow.device(), flow.is_moving()), (None, false));
    }
}
