//! Plans from made-up facts; and the facts of the machine that the tests run on.

use bytehop_core::i18n::is_english;

use super::*;
use crate::doctor::reason;

/// A stock kernel, run as root.
pub(crate) fn stock() -> Facts {
    let all = CapSet::of(&[cap::BPF, cap::PERFMON, cap::SYS_ADMIN]);
    Facts {
        kernel: "6.12.95+deb12-amd64".into(),
        arch: "x86_64".into(),
        known_arch: Some(Arch::X86_64),
        no_btf: None,
        hooks: probes::TABLE
            .iter()
            .map(|probe| (probe, Some(probe.program)))
            .collect(),
        function_names: functions::TABLE
            .iter()
            .map(|row| (row, Some(row.program)))
            .collect(),
        primitives: primitives::TABLE
            .iter()
            .map(|row| (row, row.name(|_| true)))
            .collect(),
        absent_fields: Vec::new(),
        privileges: Privileges {
            effective: all,
            confined: false,
        },
        tracepoints: Tried::Yes,
        functions: Tried::Yes,
        breakpoints: Tried::Yes,
        kprobes: true,
        io_uring: Tried::Yes,
        unprivileged_bpf_disabled: Some(2),
        perf_event_paranoid: Some(3),
        lockdown: Some("none".into()),
        virtual_machine: false,
        container: false,
        wsl: false,
        lent: false,
        open_to_all: None,
        devices: Vec::new(),
    }
}

/// A kernel without a hook.
pub(crate) fn without(mut facts: Facts, program: &str) -> Facts {
    for (probe, tracepoint) in &mut facts.hooks {
        if probe.program == program {
            *tracepoint = None;
        }
    }
    facts
}

#[test]
fn levels_follow_from_facts() {
    let rights = |effective, confined| Privileges {
        effective,
        confined,
    };
    let old_root = CapSet::of(&[cap::SYS_ADMIN]);
    let only_bpf = CapSet::of(&[cap::BPF]);
    let no_btf = || Some(["no type information", "没有类型信息"].map(str::to_owned));
    let eperm = Tried::No(Why::Refused(Errno::EPERM));
    let unable = Tried::Untried(Why::Rights);

    let cases: Vec<(&str, Facts, Vec<Obstacle>)> = vec![
        ("stock", stock(), vec![]),
        (
            "no functions",
            Facts {
                functions: eperm.clone(),
                ..stock()
            },
            vec![],
        ),
        (
            "no breakpoints",
            Facts {
                breakpoints: eperm.clone(),
                ..stock()
            },
            vec![],
        ),
        (
            "an optional hook",
            without(stock(), "page_fault_user"),
            vec![],
        ),
        (
            "CAP_SYS_ADMIN alone",
            Facts {
                privileges: rights(old_root, false),
                ..stock()
            },
            vec![],
        ),
        (
            "a required hook",
            without(stock(), "sys_enter"),
            vec![Obstacle::Hook("tp:sys_enter")],
        ),
        (
            "an ordinary user",
            Facts {
                privileges: rights(CapSet::EMPTY, false),
                tracepoints: unable.clone(),
                ..stock()
            },
            vec![Obstacle::Rights],
        ),
        (
            "half of the rights",
            Facts {
                privileges: rights(only_bpf, false),
                tracepoints: unable.clone(),
                ..stock()
            },
            vec![Obstacle::Rights],
        ),
        (
            "root of a user namespace",
            Facts {
                privileges: rights(old_root, true),
                tracepoints: unable,
                ..stock()
            },
            vec![Obstacle::Rights],
        ),
        (
            "no BTF: hooks cannot be known",
            without(
                Facts {
                    no_btf: no_btf(),
                    tracepoints: Tried::Untried(Why::NoBtf),
                    ..stock()
                },
                "sys_enter",
            ),
            vec![Obstacle::NoBtf(
                ["no type information", "没有类型信息"].map(str::to_owned),
            )],
        ),
        (
            "programs refused",
            Facts {
                tracepoints: eperm,
                ..stock()
            },
            vec![Obstacle::Refused(Errno::EPERM)],
        ),
        (
            "another architecture",
            Facts {
                known_arch: None,
                arch: "riscv64".into(),
                ..stock()
            },
            vec![Obstacle::Arch("riscv64".into())],
        ),
    ];
    for (what, facts, obstacles) in cases {
        let plan = plan(&facts);
        assert_eq!(plan.obstacles, obstacles, "{what}");
        let highest = match (&facts.functions, &facts.breakpoints) {
            (Tried::Yes, Tried::Yes) => Level::B,
            (Tried::Yes, _) => Level::F,
            _ => Level::T,
        };
        let level = obstacles.is_empty().then_some(highest);
        assert_eq!(plan.level, level, "{what}");
        assert_eq!(plan.above[0], (Level::F, facts.functions), "{what}");
        assert_eq!(plan.above[1], (Level::B, facts.breakpoints), "{what}");
    }
}

/// Every reason: a new one does not compile until it is listed.
fn reasons() -> Vec<Why> {
    let after = |why: &Why| match why {
        Why::Rights => Some(Why::NoBtf),
        Why::NoBtf => Some(Why::Absent("io_uring")),
        Why::Absent(_) => Some(Why::Refused(Errno::EPERM)),
        Why::Refused(_) => Some(Why::HiddenAddresses),
        Why::HiddenAddresses => Some(Why::Arch),
        Why::Arch => None,
    };
    std::iter::successors(Some(Why::Rights), after).collect()
}

#[test]
fn every_reason_speaks_the_readers_language() {
    let mut all = HashSet::new();
    for why in reasons() {
        let [en, zh] = [Lang::En, Lang::Zh].map(|lang| reason(&why, lang));
        assert!(is_english(&en), "{en}");
        assert!(!is_english(&zh), "{zh}");
        assert!(zh.contains(|c: char| c > '\u{2fff}'), "{zh}");
        assert!(all.insert(en) && all.insert(zh), "{why:?}: as another");
    }
}

#[test]
fn facts_of_this_machine_hold_together() {
    let facts = facts();
    assert!(!facts.kernel.is_empty() && !facts.arch.is_empty());
    assert_eq!(facts.hooks.len(), probes::TABLE.len());
    let plan = plan(&facts);
    assert_eq!(plan.level.is_some(), plan.obstacles.is_empty());
    if !facts.privileges.missing().is_empty() {
        assert_eq!(
            facts.functions,
            Tried::Untried(Why::Rights),
            "never claim what was not tried"
        );
    }
}
