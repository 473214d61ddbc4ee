//! The path of the bytes of files: page cache, disk, tmpfs, what a descriptor really is.

use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::process::Stdio;

use crate::fixture::fixture;
use crate::harness::{
    BYTEHOP, Scratch, VERBS, Verb, command, disk_of, eventually, evict, not_run, output, serial,
    trace, trace_warm, wait,
};
use crate::summary::Summary;

const N: u64 = 4 << 20;

/// Bytes that the loader reads of the fixture's libraries: the same in every run.
fn loader() -> u64 {
    trace(Verb::Run, &fixture(&["noop"])).read_bytes()
}

#[test]
#[ignore = "root"]
fn warm_read_is_one_copy() {
    let _serial = serial();
    let scratch = Scratch::new();
    let file = scratch.file("file", N as usize);
    for verb in VERBS {
        let base = trace(verb, &fixture(&["noop"])).read_bytes();
        let summary = trace_warm(verb, &[], &fixture(&["pread", "64", "64K", &file]));
        summary.assert_read(N + base);
        summary.assert_none("dma", "*", "*");
    }
}

#[test]
#[ignore = "root"]
fn cold_read_is_dma_and_a_copy() {
    let _serial = serial();
    let scratch = Scratch::new();
    let file = scratch.file("file", N as usize);
    let device = format!("device:{}", disk_of(&file));
    let base = loader();
    for (verb, words) in [
        (Verb::Run, vec!["pread", "64", "64K", &file]),
        (Verb::Record, vec!["pread", "64", "64K", &file]),
        (Verb::Run, vec!["pread", "64", "64K", &file, "--cold"]),
    ] {
        evict(&file);
        let summary = trace(verb, &fixture(&words));
        summary.assert_read(N + base);
        // Readahead may bring more than was asked for, but not beyond the end of the file.
        summary.assert_within("dma", &device, "page_cache", N..=N + (256 << 10));
        let hop = summary.hops("dma", &device, "page_cache")[0];
        // Where no probe saw the request end, it is known that it did (docs/kernels.md).
        assert!(
            hop["evidence"] == "measured" || hop["rule"] == "issued-request-done",
            "{hop}"
        );
        if device.starts_with("device:vd") {
            assert_eq!(hop["engine"], "paravirtual");
        }
    }
}

/// What a file has no blocks for, the CPU fills with zeros when it is read: the file system says how many it has.
#[test]
#[ignore = "root"]
fn a_hole_that_is_read_is_filled_with_zeros() {
    let _serial = serial();
    let scratch = Scratch::new();
    let words = ["stat", "-fc", "%T", &scratch.path("")];
    let kind = output(command(&words)).expect(0).stdout;
    if !["ext2/ext3", "xfs"].contains(&kind.trim()) {
        let reason = format!("{} may keep files in other ways", kind.trim());
        return not_run("a_hole_that_is_read_is_filled_with_zeros", &reason);
    }
    for (written, whole) in [(N, N), (N / 4, N), (0, N)] {
        let file = scratch.file("file", written as usize);
        let longer = std::fs::File::options().write(true).open(&file);
        longer
            .and_then(|file| file.set_len(whole))
            .expect("made longer");
        evict(&file);
        let blocks = std::fs::metadata(&file).expect("metadata").blocks() * 512;
        // Each trace takes an emulated machine ten seconds and more.
        for (verb, words) in [
            (Verb::Run, fixture(&["pread", "64", "64K", &file])),
            (Verb::Record, fixture(&["mmap-read", &file])),
        ] {
            evict(&file);
            let summary = trace(verb, &words);
            assert_eq!(
                summary.bytes("fill", "zero", "page_cache"),
                whole.saturating_sub(blocks),
                "{words:?}: {blocks} of {whole} bytes have blocks"
            );
        }
    }
}

/// Bytes that the NFS client has got from the server of what is mounted there, by its own account.
fn received_by_nfs(mount: &str) -> u64 {
    let stats = std::fs::read_to_string("/proc/self/mountstats").expect("mountstats");
    let on = format!(" mounted on {mount} with fstype nfs");
    let of = stats
        .split("\ndevice ")
        .find(|device| device.contains(&on))
        .expect("the mount");
    let bytes = of
        .lines()
        .find_map(|line| line.trim().strip_prefix("bytes:"))
        .expect("its bytes");
    let numbers: Vec<_> = bytes.split_whitespace().collect();
    numbers[4].parse().expect("a number")
}

/// The client copies out of packets into the page cache, and no disk is the program's.
#[test]
#[ignore = "root"]
fn a_network_file_system_has_no_disk() {
    const MOUNT: &str = "/vm/nfs";
    /// Of the machines of `cargo xtask vm`.
    const SERVE: &str = "/vm/job/nfs.sh";
    let _serial = serial();
    if !std::path::Path::new(SERVE).exists() {
        let test = "files::a_network_file_system_has_no_disk";
        return not_run(test, "no NFS here (cargo xtask vm has it)");
    }
    output(command(&["sh", SERVE])).expect(0);
    let path = format!("{MOUNT}/bytehop-oracle");
    std::fs::write(&path, vec![7; N as usize]).expect("a file on NFS");
    let base = loader();
    evict(&path);
    let before = received_by_nfs(MOUNT);
    let summary = trace(Verb::Record, &fixture(&["pread", "64", "64K", &path]));
    let received = received_by_nfs(MOUNT) - before;
    summary.assert_read(N + base);
    summary.assert_bytes("copy", "socket", "page_cache", received);
    assert_eq!(received, N);
    summary.assert_none("dma", "*", "*");
    let hop = summary.hops("copy", "socket", "page_cache")[0];
    assert_eq!(hop["rule"], "network-file-copied", "{hop}");
    assert_eq!(hop["deferred"], true, "{hop}");
    assert_eq!(summary.0["disagreements"], serde_json::json!([]));
    // Cached now: nothing comes over the network.
    let summary = trace(Verb::Record, &fixture(&["pread", "64", "64K", &path]));
    summary.assert_read(N + base);
    summary.assert_none("copy", "socket", "page_cache");
    std::fs::remove_file(&path).expect("remove the file");
}

fn deferred_writes(summary: &Summary, device: &str) -> u64 {
    let hops = summary.hops("dma", "page_cache", device);
    assert!(hops.iter().all(|hop| hop["deferred"] == true), "{hops:#?}");
    hops.iter()
        .map(|hop| hop["bytes"].as_u64().expect("bytes"))
        .sum()
}

#[test]
#[ignore = "root"]
fn write_and_fsync() {
    let _serial = serial();
    let scratch = Scratch::new();
    let new = scratch.file("new", 0);
    let device = format!("device:{}", disk_of(&new));
    for verb in [Verb::Run, Verb::Record] {
        for sync in ["--fsync", "--osync"] {
            let summary = trace(verb, &fixture(&["write", "4M", "256K", &new, sync]));
            summary.assert_bytes("copy", "user", "page_cache", N);
            let written = deferred_writes(&summary, &device);
            assert!(
                (N..=N + (256 << 10)).contains(&written),
                "{sync}: {written} written"
            );
            assert_eq!(summary.number("/dirty_bytes"), 0);
            assert_eq!(summary.number("/unattributed/write_bytes"), 0);
        }
    }
}

/// A kernel worker writes the pages back while the program sleeps: the DMA is still the program's.
#[test]
#[ignore = "root"]
fn writeback_by_a_worker() {
    let _serial = serial();
    let scratch = Scratch::new();
    let (new, done, json) = (
        scratch.path("new"),
        scratch.path("done"),
        scratch.path("summary"),
    );
    let device = format!("device:{}", disk_of(&scratch.path("")));
    let write = fixture(&["write", "4M", "256K", &new]).join(" ");
    let script = format!("{write}; : > '{done}'; while [ -e '{done}' ]; do sleep 0.02; done");
    let line = [
        BYTEHOP,
        "run",
        "--no-tui",
        "--json",
        "--summary",
        &json,
        "--",
        "sh",
        "-c",
        &script,
    ];
    let mut child = command(&line)
        .stderr(Stdio::piped())
        .spawn()
        .expect("bytehop");
    eventually("the program has written", || {
        std::fs::exists(&done).expect("exists")
    });
    // Not our doing: syncfs has the flusher thread write the file's pages.
    let file = std::fs::File::open(&new).expect("open");
    nix::unistd::syncfs(file.as_fd()).expect("syncfs");
    std::fs::remove_file(&done).expect("remove");
    assert!(wait(&mut child).success());
    let summary = Summary::parse(&std::fs::read_to_string(json).expect("summary"));
    summary.assert_bytes("copy", "user", "page_cache", N);
    let written = deferred_writes(&summary, &device);
    assert!(
        (N..=N + (256 << 10)).contains(&written),
        "{written} written: {:#}",
        summary.0
    );
    assert_eq!(summary.number("/dirty_bytes"), 0);
}

#[test]
#[ignore = "root"]
fn what_was_not_written_back_is_dirty() {
    let _serial = serial();
    let scratch = Scratch::new();
    let summary = trace(
        Verb::Run,
        &fixture(&["write", "4M", "256K", &scratch.path("new")]),
    );
    summary.assert_bytes("copy", "user", "page_cache", N);
    assert_eq!(
        summary.number("/dirty_bytes") + summary.bytes("dma", "page_cache", "device:*"),
        N
    );
}

#[test]
#[ignore = "root"]
fn direct_read_has_no_copy() {
    let _serial = serial();
    let scratch = Scratch::new();
    let file = scratch.file("file", N as usize);
    let device = format!("device:{}", disk_of(&file));
    let base = loader();
    evict(&file);
    for verb in [Verb::Run, Verb::Record] {
        let summary = trace_warm(verb, &[], &fixture(&["direct-read", "4M", "256K", &file]));
        summary.assert_bytes("dma", &device, "user", N);
        summary.assert_read(base);
        summary.assert_none("dma", &device, "page_cache");
    }
}

#[test]
#[ignore = "root"]
fn tmpfs_has_no_dma() {
    let _serial = serial();
    let scratch = Scratch::in_memory();
    let (file, new) = (scratch.file("file", N as usize), scratch.path("new"));
    for verb in VERBS {
        let summary = trace_warm(verb, &[], &fixture(&["pread", "64", "64K", &file]));
        summary.assert_bytes("copy", "shmem", "user", N);
        summary.assert_none("dma", "*", "*");
        let summary = trace_warm(
            verb,
            &[],
            &fixture(&["write", "4M", "64K", &new, "--fsync"]),
        );
        summary.assert_bytes("copy", "user", "shmem", N);
        summary.assert_none("dma", "*", "*");
        summary.assert_none("copy", "user", "page_cache");
    }
}

/// One descriptor number is a file, `/dev/zero`, a pipe and the file again.
#[test]
#[ignore = "root"]
fn reused_descriptors() {
    let _serial = serial();
    let scratch = Scratch::new();
    let file = scratch.file("file", 8192);
    for verb in VERBS {
        let base = trace(verb, &fixture(&["noop"])).read_bytes();
        let summary = trace(verb, &fixture(&["close-reuse", &file]));
        summary.assert_read(base + 4096 + 100 + 50);
        let zeros = summary.bytes("fill", "zero", "user") + summary.bytes("copy", "zero", "user");
        assert!(zeros >= 8192, "{verb:?}: {zeros}");
        summary.assert_bytes("copy", "pipe", "user", 1000);
        summary.assert_bytes("copy", "user", "pipe", 1000);
    }
}

#[test]
#[ignore = "root"]
fn copies_inside_the_kernel() {
    let _serial = serial();
    let scratch = Scratch::new();
    let (from, to) = (scratch.file("from", N as usize), scratch.path("to"));
    let base = loader();
    for workload in ["copy-file-range", "sendfile-file"] {
        let summary = trace(Verb::Run, &fixture(&[workload, "4M", &from, &to]));
        // A file system that can share extents does so in copy_file_range.
        let shared = summary.bytes("share", "page_cache", "page_cache");
        summary.assert_bytes("copy", "page_cache", "page_cache", N - shared);
        assert!(shared == 0 || workload == "copy-file-range");
        summary.assert_read(base);
        summary.assert_none("copy", "user", "page_cache");
    }
}

#[test]
#[ignore = "root"]
fn read_and_write_are_two_copies() {
    let _serial = serial();
    let scratch = Scratch::new();
    let (from, to) = (scratch.file("from", N as usize), scratch.path("to"));
    for verb in VERBS {
        let base = trace(verb, &fixture(&["noop"])).read_bytes();
        let summary = trace(verb, &fixture(&["copy", "64K", &from, &to]));
        summary.assert_read(N + base);
        summary.assert_bytes("copy", "user", "page_cache", N);
    }
}

#[test]
#[ignore = "root"]
fn io_uring_reads() {
    let _serial = serial();
    let scratch = Scratch::new();
    let file = scratch.file("file", N as usize);
    let words = fixture(&["uring-read", "4M", "64K", &file]);
    // The fixture's own answer, without bytehop: 77 is "the kernel refuses io_uring".
    if output(command(&words)).code() == 77 {
        return not_run("io_uring_reads", "this kernel refuses io_uring");
    }
    let base = loader();
    let summary = trace(Verb::Run, &words);
    summary.assert_read(N + base);
    assert_eq!(summary.calls_of("io_uring_enter"), 64);
    evict(&file);
    let summary = trace(Verb::Run, &words);
    summary.assert_read(N + base);
    summary.assert_within("dma", "device:*", "page_cache", N..=N + (256 << 10));
}
