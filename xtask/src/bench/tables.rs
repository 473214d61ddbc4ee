//! What is measured, and under which tools.

/// One kind of work: a title, what an operation is, the fixture's words.
pub struct Workload {
    pub name: &'static str,
    pub title: &'static str,
    /// `OPS` is replaced by the number of operations, `BYTES` by that times [`PIECE`], `FILE` by a
    /// file in the page cache.
    pub words: &'static [&'static str],
    /// Operations in one run, and under a slow tool.
    pub ops: u64,
    pub slow_ops: u64,
}

/// Bytes in one operation over loopback.
pub const PIECE: u64 = 16 << 10;
/// Size of `FILE`: what the workloads over loopback send at most.
pub const FILE_SIZE: usize = 256 << 20;

pub const WORKLOADS: &[Workload] = &[
    Workload {
        name: "null",
        title: "null system call",
        words: &["spin-getppid", "OPS"],
        ops: 1_000_000,
        slow_ops: 5_000,
    },
    Workload {
        name: "pread1",
        title: "pread, 1 byte, cached",
        words: &["pread", "OPS", "1", "FILE"],
        ops: 1_000_000,
        slow_ops: 5_000,
    },
    Workload {
        name: "pread4k",
        title: "pread, 4 KiB, cached",
        words: &["pread", "OPS", "4096", "FILE"],
        ops: 1_000_000,
        slow_ops: 5_000,
    },
    Workload {
        name: "pread64k",
        title: "pread, 64 KiB, cached",
        words: &["pread", "OPS", "65536", "FILE"],
        ops: 60_000,
        slow_ops: 5_000,
    },
    Workload {
        name: "rw",
        title: "read + write, 16 KiB, loopback",
        words: &["rw-loopback", "BYTES", "16384", "FILE"],
        ops: 16_384,
        slow_ops: 2_048,
    },
    Workload {
        name: "sendfile",
        title: "sendfile, 16 KiB, loopback",
        words: &["sendfile-loopback", "BYTES", "16384", "FILE"],
        ops: 16_384,
        slow_ops: 2_048,
    },
    Workload {
        name: "uring",
        title: "io_uring, one nop of a batch of 32",
        words: &["uring-nop", "OPS"],
        ops: 1_600_000,
        slow_ops: 64_000,
    },
    Workload {
        name: "open",
        title: "open + close",
        words: &["open-close", "OPS", "FILE"],
        ops: 300_000,
        slow_ops: 5_000,
    },
    Workload {
        name: "ping",
        title: "a byte to and fro through two pipes",
        words: &["ping-pong", "OPS"],
        ops: 60_000,
        slow_ops: 2_000,
    },
    Workload {
        name: "faults",
        title: "page-fault storm, 4 KiB each",
        words: &["anon-touch", "10000", "ROUNDS"],
        ops: 300_000,
        slow_ops: 300_000,
    },
];

/// How long it takes until the program begins, under each verb; the program tells what time it is.
pub const START: &str = "start";
pub const BEGINNINGS: &[(&str, &[&str])] = &[
    ("nothing", &[]),
    ("bytehop stat", &["BYTEHOP", "stat", "-q", "--"]),
    (
        "bytehop record",
        &["BYTEHOP", "record", "-q", "-o", "SCRATCH/recording", "--"],
    ),
    (
        "record --stacks",
        &[
            "BYTEHOP",
            "record",
            "--stacks",
            "-q",
            "-o",
            "SCRATCH/stacks",
            "--",
        ],
    ),
    ("strace -f -o", &["strace", "-f", "-o", "/dev/null", "--"]),
];

/// One way to watch a program.
pub struct Tool {
    pub name: &'static str,
    /// The words before the watched command. `BYTEHOP` and `SCRATCH` are replaced.
    pub words: &'static [&'static str],
    /// It takes the command as one word.
    pub quoted: bool,
    /// It costs so much at every call that fewer have to do.
    pub slow: bool,
}

const fn tool(name: &'static str, words: &'static [&'static str]) -> Tool {
    Tool {
        name,
        words,
        quoted: false,
        slow: false,
    }
}

/// Counts calls by number, in the fixture and its children; `comm` is 15 bytes, as is the name.
const BPFTRACE: &str =
    r#"tracepoint:raw_syscalls:sys_enter /comm == "bytehop-fixture"/ { @[args->id] = count(); }"#;

/// The first is the yardstick, the second the least that eBPF on both hooks can cost.
pub const TOOLS: &[Tool] = &[
    tool("nothing", &[]),
    tool(
        "do-nothing eBPF",
        &["BYTEHOP", "stat", "-q", "--null-probes", "--"],
    ),
    tool("bytehop stat", &["BYTEHOP", "stat", "-q", "--"]),
    tool(
        "bytehop record",
        &[
            "BYTEHOP",
            "record",
            "-q",
            "-o",
            "SCRATCH/recording",
            "--summary",
            "SCRATCH/summary",
            "--json",
            "--",
        ],
    ),
    tool(
        "record --stacks",
        &[
            "BYTEHOP",
            "record",
            "--stacks",
            "-q",
            "-o",
            "SCRATCH/stacks",
            "--summary",
            "SCRATCH/summary",
            "--json",
            "--",
        ],
    ),
    Tool {
        quoted: true,
        ..tool("bpftrace", &["bpftrace", "-e", BPFTRACE, "-c"])
    },
    Tool {
        slow: true,
        ..tool(
            "perf trace -s",
            &["perf", "trace", "-s", "-o", "SCRATCH/perf", "--"],
        )
    },
    Tool {
        slow: true,
        ..tool(
            "strace -c -f",
            &["strace", "-c", "-f", "-o", "SCRATCH/strace", "--"],
        )
    },
    Tool {
        slow: true,
        ..tool("strace -f -o", &["strace", "-f", "-o", "/dev/null", "--"])
    },
];
pub const NOTHING: usize = 0;
pub const FLOOR: usize = 1;
