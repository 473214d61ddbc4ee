//! The terms of a path, in both languages: places, kinds of hops, evidence. One table, for every report and screen.

use crate::i18n::Lang;
use crate::model::{HopKind, Known, Place};

/// How much room a term has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A cell of a table.
    Short,
    /// A box or an arrow of a picture, where it stands alone.
    Whole,
}

crate::messages! {
    user: "user" | "用户态内存";
    user_whole: "user memory" | "用户态内存";
    page_cache: "page cache" | "页缓存";
    shmem: "shmem" | "共享内存";
    pipe: "pipe" | "管道";
    socket: "socket" | "套接字";
    kernel: "kernel" | "内核缓冲区";
    kernel_whole: "kernel buffer" | "内核缓冲区";
    zero: "zeros" | "零";

    copy: "copy" | "拷贝";
    copy_whole: "copy" | "CPU 拷贝";
    dma: "dma" | "DMA";
    dma_whole: "dma" | "DMA 传输";
    /// What stands in the place of `dma` where the device is only software.
    no_dma: "no dma" | "非 DMA";
    share: "share" | "传引用";
    map: "map" | "映射";
    fill: "fill" | "清零";
    fill_whole: "fill" | "清零填充";

    measured: "measured" | "实测";
    inferred: "inferred" | "推断";
    estimated: "estimated" | "估计";
    /// Deferred.
    later: "later" | "延后";
}

/// A place, or the name of a device.
pub fn place(place: &Place, lang: Lang, form: Form) -> &str {
    match (place, form) {
        (Place::User, Form::Short) => user(lang),
        (Place::User, Form::Whole) => user_whole(lang),
        (Place::PageCache, _) => page_cache(lang),
        (Place::Shmem, _) => shmem(lang),
        (Place::Pipe, _) => pipe(lang),
        (Place::Socket, _) => socket(lang),
        (Place::Kernel, Form::Short) => kernel(lang),
        (Place::Kernel, Form::Whole) => kernel_whole(lang),
        (Place::Zero, _) => zero(lang),
        (Place::Device(name) | Place::Nic(name), _) => name,
    }
}

/// A kind of hop.
pub fn kind(kind: HopKind, lang: Lang, form: Form) -> &'static str {
    match (kind, form) {
        (HopKind::Copy, Form::Short) => copy(lang),
        (HopKind::Copy, Form::Whole) => copy_whole(lang),
        (HopKind::Dma, Form::Short) => dma(lang),
        (HopKind::Dma, Form::Whole) => dma_whole(lang),
        (HopKind::Share, _) => share(lang),
        (HopKind::Map, _) => map(lang),
        (HopKind::Fill, Form::Short) => fill(lang),
        (HopKind::Fill, Form::Whole) => fill_whole(lang),
    }
}

/// How a number is known.
pub fn evidence(known: Known, lang: Lang) -> &'static str {
    match known {
        Known::Measured => measured(lang),
        Known::Inferred => inferred(lang),
        Known::Estimated => estimated(lang),
    }
}

#[cfg(test)]
#[test]
fn every_term_is_whole() {
    assert_eq!(crate::i18n::problems(TABLE), [""; 0]);
}
