//! Page faults as hops: zero fill, copy on write, mapping.

use crate::fixture::fixture;
use crate::harness::{Scratch, Verb, disk_of, evict, not_run, serial, trace, trace_warm};
use crate::summary::Summary;

const PAGE: u64 = 4096;
/// Pages of the program's start that are counted too: loader, stack, heap.
const START: u64 = 256;

#[test]
#[ignore = "root"]
fn first_touch_is_a_fill() {
    let _serial = serial();
    let summary = trace(Verb::Run, &fixture(&["anon-touch", "2000"]));
    summary.assert_within("fill", "zero", "user", 2000 * PAGE..=(2000 + START) * PAGE);
}

/// Calls copied what they do without the file, and page faults what the loader's do: its number of private
/// pages differs a little from run to run.
#[track_caller]
fn assert_no_copy_of_file(summary: &Summary, base: &Summary) {
    summary.assert_read(base.read_bytes());
    let copied = |summary: &Summary| summary.bytes("copy", "page_cache", "user");
    let (with, without) = (copied(summary), copied(base));
    assert!(
        with <= without + 16 * PAGE,
        "{with} copied, {without} without the file: {:#}",
        summary.0["hops"]
    );
}

#[test]
#[ignore = "root"]
fn mapped_file_has_no_copy() {
    let _serial = serial();
    let scratch = Scratch::new();
    let file = scratch.file("file", 4 << 20);
    let base = trace(Verb::Run, &fixture(&["noop"]));
    let summary = trace_warm(Verb::Run, &[], &fixture(&["mmap-read", &file]));
    assert_no_copy_of_file(&summary, &base);
    summary.assert_none("dma", "*", "*");
    // Fault-around: many pages a fault.
    let faults = summary.number("/page_faults/user") - base.number("/page_faults/user");
    assert!(
        (1..=1024).contains(&faults),
        "{faults} faults for 1024 pages"
    );
    if summary.text("/level") == "T" && summary.lacks("tp:mm_filemap_map_pages") {
        let why = "this kernel's level T does not tell which pages are mapped";
        return not_run("mapped_file_has_no_copy", why);
    }
    let mapped = summary.bytes("map", "page_cache", "user");
    assert!(
        mapped > base.bytes("map", "page_cache", "user"),
        "{:#}",
        summary.0["hops"]
    );
}

#[test]
#[ignore = "root"]
fn mapped_file_not_in_the_cache() {
    let _serial = serial();
    let scratch = Scratch::new();
    let file = scratch.file("file", 4 << 20);
    let device = format!("device:{}", disk_of(&file));
    let base = trace(Verb::Run, &fixture(&["noop"]));
    evict(&file);
    let summary = trace(Verb::Run, &fixture(&["mmap-read", &file]));
    assert_no_copy_of_file(&summary, &base);
    summary.assert_within(
        "dma",
        &device,
        "page_cache",
        4 << 20..=(4 << 20) + (256 << 10),
    );
    assert!(summary.number("/page_faults/major") >= 1);
}

#[test]
#[ignore = "root"]
fn private_write_copies_each_page() {
    let _serial = serial();
    let scratch = Scratch::new();
    let file = scratch.file("file", 1 << 20);
    // The loader writes to private pages, too, and 6.1 does not tell at level T whose these were before.
    let copied = |summary: &Summary| {
        summary.bytes("copy", "page_cache", "user") + summary.bytes("copy", "user", "user")
    };
    let base = copied(&trace(Verb::Run, &fixture(&["noop"])));
    let summary = trace(Verb::Run, &fixture(&["mmap-private-write", &file]));
    let all = summary.bytes("copy", "page_cache", "user");
    let more = copied(&summary) - base;
    assert!(
        all >= 1 << 20 && more.abs_diff(1 << 20) <= 16 * PAGE,
        "{more}: {:#}",
        summary.0["hops"]
    );
}

#[test]
#[ignore = "root"]
fn copy_on_write_after_fork() {
    let _serial = serial();
    let summary = trace(Verb::Run, &fixture(&["cow-fork", "1000"]));
    summary.assert_within("copy", "user", "user", 1000 * PAGE..=(1000 + START) * PAGE);
}
