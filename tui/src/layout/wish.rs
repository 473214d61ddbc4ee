//! What a layout is made for, and the boxes that it has.

use bytehop_core::event::Engine;
use bytehop_core::i18n::Lang;
use bytehop_core::model::{DeviceRow, Place};
use ratatui::layout::Rect;

use crate::arrows::Arrow;
use crate::look::Look;
use crate::store::Amount;

/// What a layout was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    pub width: u16,
    pub height: u16,
    pub lang: Lang,
    pub ascii: bool,
    pub arrows: Vec<Arrow>,
    /// Of each arrow in the whole run: the widest that its label gets.
    pub amounts: Vec<Amount>,
    /// Software devices that bytes passed, but no arrow touches.
    pub software: Vec<String>,
}

impl Wish {
    /// For these arrows in this area. Of `devices` the software ones that bytes passed are named, if
    /// no arrow touches them.
    pub fn new(
        look: &Look,
        area: Rect,
        arrows: Vec<Arrow>,
        amounts: Vec<Amount>,
        devices: &[DeviceRow],
    ) -> Self {
        let is = |place: &Place, name: &str| matches!(place, Place::Device(n) | Place::Nic(n) if n == name);
        let drawn = |name: &str| arrows.iter().any(|a| is(&a.from, name) || is(&a.to, name));
        let software = devices.iter().filter(|device| {
            let moved = device.read_bytes > 0 || device.write_bytes > 0;
            device.engine == Engine::Software && moved && !drawn(&device.name)
        });
        Self {
            width: area.width,
            height: area.height,
            lang: look.lang,
            ascii: look.ascii,
            amounts,
            software: software.map(|device| device.name.clone()).collect(),
            arrows,
        }
    }
}

/// A box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceBox {
    pub place: Place,
    pub text: String,
    pub left: i32,
    pub top: i32,
    pub width: i32,
    pub height: i32,
}

impl PlaceBox {
    pub fn right(&self) -> i32 {
        self.left + self.width - 1
    }

    pub fn bottom(&self) -> i32 {
        self.top + self.height - 1
    }
}
