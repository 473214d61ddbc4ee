//! Page faults against `getrusage`, bytes against `/proc/PID/io`, DMA against `/proc/diskstats`.

use std::fs;

use crate::fixture::{Report, fixture};
use crate::harness::{Scratch, VERBS, Verb, disk_of, evict, serial, trace};
use crate::summary::Summary;

const MIB: u64 = 1 << 20;

/// Traces a fixture that reports on itself.
fn reported(verb: Verb, words: &[&str], scratch: &Scratch) -> (Summary, Report) {
    let path = scratch.path("report.json");
    let mut words = words.to_vec();
    words.extend(["--report", &path]);
    let summary = trace(verb, &fixture(&words));
    (summary, Report::read(path))
}

/// Between two runs that differ only in the pages they touch, bytehop and `getrusage` see the same
/// difference; and a run's number fits into what `getrusage` says of it.
#[test]
#[ignore = "root"]
fn page_faults() {
    let _serial = serial();
    let scratch = Scratch::new();
    for verb in VERBS {
        let run = |pages: &str| {
            let (summary, report) = reported(verb, &["anon-touch", pages], &scratch);
            let minor = summary.number("/page_faults/minor");
            // getrusage also counts what the process did before execve, and lacks what it did
            // after the report (its writing, and the exit).
            assert!(minor >= report.delta("min_flt"), "{verb:?}: {minor}");
            assert!(
                minor <= report.end("min_flt") + 64,
                "{verb:?}: {minor} of {}",
                report.end("min_flt")
            );
            (
                minor,
                report.end("min_flt"),
                summary.number("/page_faults/user"),
            )
        };
        let (few, many) = (run("100"), run("10100"));
        let (found, expected, user) = (many.0 - few.0, many.1 - few.1, many.2 - few.2);
        assert!(expected.abs_diff(10_000) <= 64, "getrusage {expected} more");
        // A handful: ASLR decides how many pages the loader's relocations and the stack take.
        assert!(
            found.abs_diff(expected) <= 16,
            "{verb:?}: {found} more, getrusage {expected} more"
        );
        assert!(
            user.abs_diff(10_000) <= 16,
            "{verb:?}: {user} more in user mode"
        );
    }
}

/// Faults that the kernel takes inside a copy are counted as `getrusage` does, but are no crossings.
#[test]
#[ignore = "root"]
fn page_faults_in_the_kernel() {
    let _serial = serial();
    let scratch = Scratch::new();
    let file = scratch.file("file", 4 << 20);
    // dd reads 4 MiB at once into memory that it has not touched.
    let block = format!("if={file}");
    let one = trace(
        Verb::Run,
        &[
            "dd",
            &block,
            "of=/dev/null",
            "bs=4M",
            "count=1",
            "status=none",
        ],
    );
    let minor = one.number("/page_faults/minor");
    let user = one.number("/page_faults/user");
    let huge =
        fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").unwrap_or_default();
    let expected = if huge.contains("[always]") { 1 } else { 1000 };
    assert!(
        minor >= user + expected,
        "{minor} minor faults, {user} of them in user mode"
    );
}

#[test]
#[ignore = "root"]
fn bytes_read() {
    let _serial = serial();
    let scratch = Scratch::new();
    let file = scratch.file("file", 8 << 20);
    for verb in VERBS {
        let (summary, report) = reported(verb, &["pread", "1000", "8000", &file], &scratch);
        let read = summary.bytes_of("read") + summary.bytes_of("pread64");
        // The last report is read after the kernel has added it up.
        let accounted = report.end("rchar") + report.end("io_len");
        // Before execve the process may have read a little, and execve itself reads the headers.
        assert!(
            read <= accounted,
            "{verb:?}: {read} read, {accounted} accounted"
        );
        assert!(
            accounted - read <= 16 << 10,
            "{verb:?}: {read} read, {accounted} accounted"
        );
        assert!(read >= 8_000_000);
    }
}

#[test]
#[ignore = "root"]
fn bytes_written() {
    let _serial = serial();
    let scratch = Scratch::new();
    let new = scratch.path("new");
    for verb in VERBS {
        let (summary, report) =
            reported(verb, &["write", "8M", "10000", &new, "--fsync"], &scratch);
        let text = fs::metadata(scratch.path("report.json"))
            .expect("report")
            .len();
        assert_eq!(
            summary.bytes_of("write"),
            report.end("wchar") - report.start("wchar") + text,
            "{verb:?}"
        );
        if verb != Verb::Stat {
            let written = report.delta("write_bytes");
            summary.assert_within(
                "dma",
                "page_cache",
                "device:*",
                8 * MIB..=written.max(8 * MIB) + MIB,
            );
        }
    }
}

/// What the kernel charges to the process as read from disk is what bytehop calls DMA.
#[test]
#[ignore = "root"]
fn bytes_from_disk() {
    let _serial = serial();
    let scratch = Scratch::new();
    let file = scratch.file("file", 16 << 20);
    for verb in [Verb::Run, Verb::Record] {
        evict(&file);
        let (summary, report) = reported(verb, &["read-loop", "64K", &file], &scratch);
        let dma = summary.bytes("dma", "device:*", "*") + summary.number("/metadata_io/read_bytes");
        assert!(dma >= 16 * MIB);
        assert!(
            dma >= report.delta("read_bytes"),
            "{verb:?}: {dma} of {}",
            report.delta("read_bytes")
        );
        // What was read before the report began (the fixture itself, if it was not cached).
        assert!(
            dma <= report.end("read_bytes") + MIB,
            "{verb:?}: {dma} of {}",
            report.end("read_bytes")
        );
    }
}

/// Bytes (read, written) that a disk has transferred.
fn diskstats(disk: &str) -> (u64, u64) {
    let text = fs::read_to_string("/proc/diskstats").expect("/proc/diskstats");
    let line = text
        .lines()
        .find(|line| line.split_whitespace().nth(2) == Some(disk));
    let columns: Vec<&str> = line
        .expect("the disk is listed")
        .split_whitespace()
        .collect();
    let sectors = |i: usize| columns[i].parse::<u64>().expect("sectors") * 512;
    (sectors(5), sectors(9))
}

/// The disk moved what bytehop says, plus what others had it move meanwhile. Others only add, so
/// one quiet attempt of several is enough; none may show less than bytehop does. What the kernel charges
/// to the reading process is exact at every attempt.
#[test]
#[ignore = "root"]
fn dma_is_what_the_disk_counted() {
    let _serial = serial();
    let scratch = Scratch::new();
    let file = scratch.file("file", 32 << 20);
    let new = scratch.path("new");
    let disk = disk_of(&file);
    let device = format!("device:{disk}");
    let mut quiet = (false, false);
    for _ in 0..12 {
        evict(&file);
        let before = diskstats(&disk).0;
        let (summary, report) = reported(Verb::Run, &["read-loop", "64K", &file], &scratch);
        let counted = diskstats(&disk).0 - before;
        let dma = summary.bytes("dma", &device, "page_cache");
        let all = dma + summary.number("/metadata_io/read_bytes");
        assert!(
            dma <= counted && all >= report.delta("read_bytes"),
            "{dma} read by DMA, the disk counted {counted}, the process {}",
            report.delta("read_bytes")
        );
        quiet.0 |= counted - dma <= 256 << 10;

        nix::unistd::sync();
        let before = diskstats(&disk).1;
        let summary = trace(
            Verb::Run,
            &fixture(&["write", "32M", "64K", &new, "--fsync"]),
        );
        let counted = diskstats(&disk).1 - before;
        let dma = summary.bytes("dma", "page_cache", &device);
        assert!(
            dma >= 32 * MIB && dma <= counted,
            "{dma} written by DMA, the disk counted {counted}"
        );
        quiet.1 |= counted - dma <= MIB;
        if quiet == (true, true) {
            return;
        }
    }
    panic!(
        "twelve times the disk counted more than bytehop (read, write): {quiet:?} was explained"
    );
}

/// More programs at once than processors: a kernel that runs probes preemptibly (7.2) skips some for a
/// program that comes to run in the middle of another's. Each call is told, counted as lost, or within
/// what the kernel says that it skipped; and none takes the result of another.
#[test]
#[ignore = "root"]
fn more_programs_than_processors() {
    const CALLS: u64 = 3000;
    const SIZE: u64 = 10;
    let _serial = serial();
    let processors = std::thread::available_parallelism().expect("processors");
    let programs = 3 * processors.get() as u64;
    let dd = format!("dd if=/dev/zero of=/dev/null bs={SIZE} count={CALLS} status=none &");
    let all = dd.repeat(programs as usize) + " wait";
    for verb in VERBS {
        let summary = trace(verb, &["sh", "-c", &all]);
        let (told, bytes) = (summary.calls_of("write"), summary.bytes_of("write"));
        let (lost, skipped) = (summary.lost("write"), summary.skipped("sys_exit"));
        let expected = programs * CALLS;
        assert!(
            told + lost <= expected && told + lost + skipped >= expected,
            "{verb:?}: {told} of {expected} told, {lost} lost, at most {skipped} more skipped"
        );
        assert_eq!(bytes, told * SIZE, "{verb:?}");
    }
}
