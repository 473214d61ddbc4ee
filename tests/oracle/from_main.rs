//! `--from-main`: what a program did before its `main` is left out, live and of a recording, to the same numbers.

use std::fs;

use crate::harness::{BYTEHOP, Scratch, command, compiled_with, not_run, output, serial};
use crate::summary::Summary;

/// As the program reads them: so many blocks of 4 KiB, and the end of the file.
const BLOCKS: usize = 11;

/// Without the C library's buffers, so that each call is one of the source.
const SOURCE: &str = r"
#include <fcntl.h>
#include <unistd.h>
static char block[4096];
__attribute__((constructor)) static void before(void) { (void)!access(block, F_OK); }
int main(int argc, char **argv) {
    int in = open(argv[argc - 1], O_RDONLY);
    while (read(in, block, sizeof block) > 0) {}
    return close(in);
}
";

fn calls(words: &[&str]) -> Vec<(String, u64)> {
    let mut line = vec![BYTEHOP];
    line.extend(words);
    let summary = Summary::parse(&output(command(&line)).expect(0).stdout);
    let rows = summary.list("/syscalls").iter();
    let row = |row: &serde_json::Value| {
        let name = row["name"].as_str().unwrap_or_default();
        (name.to_owned(), row["calls"].as_u64().unwrap_or_default())
    };
    let mut calls: Vec<_> = rows.map(row).collect();
    calls.sort();
    calls
}

#[test]
#[ignore = "root"]
fn what_came_before_main_is_left_out() {
    let _serial = serial();
    let scratch = Scratch::in_memory();
    let data = scratch.path("data");
    fs::write(&data, vec![1; BLOCKS * 4096]).expect("written");
    let of = |name: &str, n: usize| (name.to_owned(), n as u64);
    let mut expected = vec![of("close", 1), of("openat", 1), of("read", BLOCKS + 1)];
    expected.sort();
    for (name, flag) in [("plain", "-O2"), ("lines", "-g"), ("stripped", "-s")] {
        let Some(program) = compiled_with(&scratch, name, SOURCE, &[flag]) else {
            return not_run("what_came_before_main_is_left_out", "no C compiler");
        };
        let [whole, live, part] = ["whole", "live", "part"].map(|file| scratch.path(file));
        let traced = ["--", &program, &data];
        let record = |options: &[&str]| {
            let line = [&[BYTEHOP, "record", "-q"], options, &traced].concat();
            output(command(&line)).expect(0);
        };
        record(&["--stacks", "-o", &whole]);
        record(&["--from-main", "-o", &live]);
        let after = calls(&["report", "--json", "--from-main", &whole]);
        let without: Vec<_> = after
            .iter()
            .filter(|(call, _)| call != "access")
            .cloned()
            .collect();
        assert_eq!(without, expected, "{name}");
        // The constructor is the program's own code, and only a name tells it from `main`.
        assert_eq!(
            after.len() > without.len(),
            name == "stripped",
            "{name}: {after:?}"
        );
        assert_eq!(calls(&["report", "--json", &live]), after, "{name}: live");
        output(command(&[
            BYTEHOP,
            "cut",
            &whole,
            "--from-main",
            "-o",
            &part,
        ]))
        .expect(0);
        assert_eq!(calls(&["report", "--json", &part]), after, "{name}: cut");
        let summary = scratch.path("summary");
        let run = [
            BYTEHOP,
            "run",
            "--no-tui",
            "--from-main",
            "--json",
            "--summary",
            &summary,
        ];
        output(command(&[&run[..], &traced].concat())).expect(0);
        let run = Summary::parse(&fs::read_to_string(&summary).expect("a summary"));
        let sum: u64 = after.iter().map(|(_, n)| n).sum();
        assert_eq!(run.calls(), sum, "{name}: run");
        let all: u64 = calls(&["report", "--json", &whole])
            .iter()
            .map(|(_, n)| n)
            .sum();
        assert!(all > sum + 10, "{name}: {all} calls in all");
    }
}
