//! What a manual page has beside the definitions of the command line.

/// What there is to tell of one page.
pub struct Told {
    /// `bytehop-run`
    pub page: &'static str,
    /// Paragraphs of the description.
    pub more: &'static [&'static str],
    /// A command line, and what it does.
    pub examples: &'static [(&'static str, &'static str)],
    pub ends: Ends,
    pub files: &'static [(&'static str, &'static str)],
    pub environment: &'static [(&'static str, &'static str)],
}

/// Which exit statuses there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Those of the command that is traced, and all of ours.
    AsTheCommand,
    /// It needs rights.
    Traces,
    /// It reads recordings.
    Reads,
    /// Neither.
    Plain,
}

impl Told {
    pub fn ends_with(&self, status: &str) -> bool {
        let ours: &[&str] = match self.ends {
            Ends::AsTheCommand => &["any other", "2", "3", "4", "125", "126, 127", "128 + N"],
            Ends::Traces => &["0", "1", "2", "3", "4", "125", "128 + N"],
            Ends::Reads => &["0", "2", "4", "125"],
            Ends::Plain => &["0", "2", "125"],
        };
        ours.contains(&status)
    }
}

/// All exit statuses, in order.
pub const STATUS: [(&str, &str); 9] = [
    ("0", "Done."),
    ("1", "Done, and something that was checked does not hold."),
    ("any other", "The exit status of the traced command."),
    (
        "2",
        "Wrong usage, or a file that cannot be opened or created.",
    ),
    (
        "3",
        "The kernel or our rights do not allow it. One line says what is missing and how to get it.",
    ),
    (
        "4",
        "A recording is damaged, or of another kind. It is shown up to the damage.",
    ),
    (
        "125",
        "The command could not be started, or tracing broke off.",
    ),
    (
        "126, 127",
        "The command cannot be executed, or is not there: as a shell has it.",
    ),
    ("128 + N", "Signal N ended it."),
];

/// What every page has.
pub const FILES: &[(&str, &str)] = &[(
    "$XDG_CONFIG_HOME/bytehop/config.toml, ~/.config/bytehop/config.toml",
    "The language (lang), and for screens the theme, [colors], [keys] and [columns]: docs/config.md. Flags win over the environment, and that over it. What is wrong in it is said in one line, and stops nothing.",
)];
pub const ENVIRONMENT: &[(&str, &str)] = &[
    (
        "BYTEHOP_LANG",
        "The language, where --lang is not given: en or zh.",
    ),
    (
        "LC_ALL, LC_MESSAGES, LANG",
        "The language, where neither of these nor the configuration file says: Simplified Chinese if it begins with zh, else English.",
    ),
    (
        "COLUMNS",
        "How many cells a line of text has; else as many as the terminal, 120 at most.",
    ),
    ("NO_COLOR", "If set and not empty, text has no colours."),
];

/// Of what has a screen.
const SCREEN: &[(&str, &str)] = &[
    (
        "TERM, COLORTERM",
        "What the terminal can do; with TERM=dumb there is no terminal UI.",
    ),
    (
        "BYTEHOP_THEME",
        "The colours, where --theme is not given: dark, light, contrast or plain.",
    ),
    (
        "BYTEHOP_NO_ANIMATION",
        "If set and not empty, nothing moves by itself.",
    ),
    (
        "VISUAL, EDITOR",
        "What the key e opens source lines in: the first of them that is set.",
    ),
];

const BTF: (&str, &str) = (
    "/sys/kernel/btf/vmlinux",
    "The kernel's types. Without it nothing can be traced.",
);

const RECORDING: (&str, &str) = (
    "bytehop.bhop",
    "The recording, where no other name is given. Only its owner can read it (mode 0600): it holds names, sizes and times, and never what the bytes were.",
);

/// The page of that name.
pub fn of(page: &str) -> Option<&'static Told> {
    PAGES.iter().find(|told| told.page == page)
}

const NONE: Told = Told {
    page: "",
    more: &[],
    examples: &[],
    ends: Ends::Plain,
    files: &[],
    environment: &[],
};

pub const PAGES: &[Told] = &[
    Told {
        page: "bytehop",
        more: &[
            "Without a verb, on a terminal, it opens the menu of the guided labs.",
            "Each number says how it is known: measured (and by which probe), inferred (and by which rule), or estimated. What was not seen is said.",
            "To trace takes Linux 6.1 or later and root, or CAP_BPF and CAP_PERFMON; bytehop doctor says what this machine gives. Recordings are read without any rights.",
        ],
        examples: &[
            (
                "bytehop demo",
                "A first look, also where nothing can be traced:",
            ),
            (
                "sudo bytehop run -- cat big.bin",
                "Trace a command; it runs as you, not as root:",
            ),
            ("bytehop lab", "Learn what the words mean:"),
        ],
        ends: Ends::AsTheCommand,
        files: &[BTF],
        environment: SCREEN,
    },
    Told {
        page: "bytehop-run",
        more: &["The command keeps its user, groups, environment, limits and exit status."],
        examples: &[
            (
                "sudo bytehop run -- cp big.bin copy.bin",
                "Watch a copy, live:",
            ),
            (
                "sudo bytehop run --json --summary s.json -- ./program",
                "The summary as data:",
            ),
            (
                "sudo bytehop run -o t.bhop --stacks -- ./program",
                "Keep a recording, with source lines:",
            ),
        ],
        ends: Ends::AsTheCommand,
        files: &[BTF],
        environment: SCREEN,
    },
    Told {
        page: "bytehop-attach",
        more: &[
            "The process and those that it has made are traced until it ends, the time is over, or a signal asks us to stop. It is not stopped or slowed by more than its probes, and goes on afterwards.",
        ],
        examples: &[
            (
                "sudo bytehop attach -p 4711 -d 10",
                "Ten seconds of a server:",
            ),
            (
                "sudo bytehop attach --comm nginx -d 10 --no-tui",
                "As text:",
            ),
        ],
        ends: Ends::Traces,
        files: &[BTF],
        environment: SCREEN,
    },
    Told {
        page: "bytehop-stat",
        examples: &[
            (
                "sudo bytehop stat -- make",
                "Totals of a build, at the lowest cost:",
            ),
            ("sudo bytehop stat --json -- ./program", "The same as data:"),
        ],
        ends: Ends::AsTheCommand,
        files: &[BTF],
        ..NONE
    },
    Told {
        page: "bytehop-top",
        examples: &[
            ("sudo bytehop top --sort dma", "Who keeps the disk busy:"),
            ("sudo bytehop top -n 3 --json", "Three tables as data:"),
            (
                "sudo bytehop top --openmetrics",
                "For Prometheus, at http://127.0.0.1:9814/metrics:",
            ),
        ],
        ends: Ends::Traces,
        files: &[BTF],
        environment: SCREEN,
        ..NONE
    },
    Told {
        page: "bytehop-record",
        examples: &[
            (
                "sudo bytehop record -o t.bhop -- ./program",
                "Record a command:",
            ),
            (
                "sudo bytehop record -o t.bhop -p 4711 -d 5",
                "Record a process for five seconds:",
            ),
        ],
        ends: Ends::AsTheCommand,
        files: &[RECORDING, BTF],
        ..NONE
    },
    Told {
        page: "bytehop-view",
        examples: &[("bytehop view t.bhop", "Step through it; ? shows the keys:")],
        ends: Ends::Reads,
        environment: SCREEN,
        ..NONE
    },
    Told {
        page: "bytehop-cut",
        more: &[
            "What is written is a recording of its own that says which part it is; its numbers are those that bytehop report gives of the same part. What a kernel worker writes back later stays with the call that made the pages dirty.",
        ],
        examples: &[
            (
                "bytehop cut t.bhop -o part.bhop --from 1.5s --to 2s",
                "Half a second of it:",
            ),
            (
                "bytehop cut t.bhop -o load.bhop --region load",
                "What the program did in its region load:",
            ),
        ],
        ends: Ends::Reads,
        ..NONE
    },
    Told {
        page: "bytehop-report",
        examples: &[
            ("bytehop report t.bhop", "The summary:"),
            (
                "bytehop report t.bhop --format html -o t.html",
                "A page for any browser:",
            ),
            (
                "bytehop report t.bhop --format jsonl",
                "Every event as data:",
            ),
            (
                "bytehop report t.bhop --format flamegraph --weight time -o t.svg",
                "A flame graph of the time in calls:",
            ),
        ],
        ends: Ends::Reads,
        ..NONE
    },
    Told {
        page: "bytehop-annotate",
        examples: &[
            ("bytehop annotate t.bhop", "Lines that did something:"),
            ("bytehop annotate t.bhop src/main.c", "All lines of a file:"),
        ],
        ends: Ends::Reads,
        ..NONE
    },
    Told {
        page: "bytehop-advise",
        examples: &[("bytehop advise t.bhop", "What could be spared:")],
        ends: Ends::Reads,
        ..NONE
    },
    Told {
        page: "bytehop-diff",
        examples: &[("bytehop diff before.bhop after.bhop", "What a change did:")],
        ends: Ends::Reads,
        environment: SCREEN,
        ..NONE
    },
    Told {
        page: "bytehop-doctor",
        examples: &[
            ("bytehop doctor", "What this machine lets us measure:"),
            ("sudo bytehop doctor --verify", "Prove it, path by path:"),
        ],
        ends: Ends::Traces,
        files: &[BTF],
        ..NONE
    },
    Told {
        page: "bytehop-lab",
        examples: &[
            ("bytehop lab", "The menu:"),
            (
                "bytehop lab first-hops --replay",
                "One lab, by its recording, without any rights:",
            ),
            (
                "bytehop lab first-hops --check",
                "Is the change exercise done?",
            ),
        ],
        ends: Ends::Traces,
        files: &[(
            "./bytehop-labs, ~/bytehop-labs",
            "Your copies of the programs, your answers, and your result files (folders of mode 0700).",
        )],
        environment: &[
            SCREEN[0],
            SCREEN[1],
            (
                "BYTEHOP_LABS_DISK",
                "Folder on a disk for the files that labs read (/var/tmp).",
            ),
        ],
        ..NONE
    },
    Told {
        page: "bytehop-lab-list",
        examples: &[("bytehop lab list", "All labs, and how far you are:")],
        ..NONE
    },
    Told {
        page: "bytehop-lab-reset",
        examples: &[("bytehop lab reset first-hops", "Begin a lab anew:")],
        ..NONE
    },
    Told {
        page: "bytehop-lab-lint",
        examples: &[("bytehop lab lint my-labs", "Check labs of your own:")],
        ends: Ends::Traces,
        ..NONE
    },
    Told {
        page: "bytehop-lab-record",
        examples: &[(
            "sudo bytehop lab record --to my-labs memfd",
            "Record the programs of a lab of your own:",
        )],
        ends: Ends::Traces,
        ..NONE
    },
    Told {
        page: "bytehop-lab-export",
        examples: &[(
            "bytehop lab export first-hops -o handouts",
            "A handout for print:",
        )],
        ..NONE
    },
    Told {
        page: "bytehop-lab-grade",
        examples: &[(
            "bytehop lab grade --roster class.csv handed-in/*",
            "A table of a class:",
        )],
        ends: Ends::Traces,
        ..NONE
    },
    Told {
        page: "bytehop-lab-hand-in",
        examples: &[(
            "bytehop lab hand-in -o ada.hand-in.tar",
            "All results in one file:",
        )],
        ends: Ends::Traces,
        ..NONE
    },
    Told {
        page: "bytehop-setup",
        more: &[
            "The program becomes root's and the group's (mode 0750), with the file capabilities CAP_BPF and CAP_PERFMON. What it then does for a member, it does with rights that the member lacks, and lends them only for what the kernel shows the member anyway: commands that they start, and processes that they could trace with strace -p. Before each, a process of the member's own rights asks the kernel, which decides with user and group ids, dumpable, user namespaces, Yama, and whatever else it has.",
            "A program with setuid, setgid or capabilities of its own runs without these while it is traced (no_new_privs). A running process that becomes another program by execve is shown up to there. top has one row for what is not the member's.",
        ],
        examples: &[
            (
                "sudo bytehop setup --group students",
                "For the members of a course:",
            ),
            ("sudo bytehop setup --undo", "Take it away again:"),
        ],
        ends: Ends::Traces,
        ..NONE
    },
    Told {
        page: "bytehop-completions",
        examples: &[
            (
                "bytehop completions bash > ~/.local/share/bash-completion/completions/bytehop",
                "bash:",
            ),
            (
                "bytehop completions zsh > ~/.zfunc/_bytehop",
                "zsh (with ~/.zfunc in fpath):",
            ),
            (
                "bytehop completions fish > ~/.config/fish/completions/bytehop.fish",
                "fish:",
            ),
        ],
        ..NONE
    },
    Told {
        page: "bytehop-demo",
        examples: &[("bytehop demo --replay", "The bundled recording:")],
        ends: Ends::Traces,
        ..NONE
    },
];
