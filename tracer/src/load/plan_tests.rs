use bytehop_core::arch::Arch;

use super::*;

/// A kernel that has everything but what is named.
#[derive(Default)]
struct Fake {
    without: &'static [&'static str],
    preemptible: bool,
    hidden: bool,
    no_fentry: bool,
    modules: &'static [&'static str],
    arch: Option<Arch>,
}

impl Kernel for Fake {
    fn has_tracepoint(&self, name: &str) -> bool {
        !self.without.contains(&name)
    }
    fn has_type(&self, function: &str) -> bool {
        !self.without.contains(&function) && !self.modules.contains(&function)
    }
    fn address(&self, function: &str) -> Address {
        match (self.without.contains(&function), self.hidden) {
            (true, _) => Address::Absent,
            (_, true) => Address::Hidden,
            _ => Address::At(0xffff_ffff_8100_0000),
        }
    }
    fn preemptible(&self) -> bool {
        self.preemptible
    }
    fn fentry(&self) -> bool {
        !self.no_fentry
    }
    fn elsewhere(&self, hook: Tracepoint) -> Option<Elsewhere> {
        self.arch?.elsewhere(hook)
    }
}

fn planned(verb: Verb, kernel: &Fake) -> Plan {
    let wanted = Wanted {
        verb,
        sampling: true,
        stacks: true,
        ..Wanted::default()
    };
    plan(wanted, kernel).expect("nothing required is absent")
}

fn programs(plan: &Plan) -> Vec<&'static str> {
    plan.tracepoints.hooks.iter().map(|p| p.program).collect()
}

fn missing(plan: &Plan) -> Vec<(&'static str, Why)> {
    let mut all = plan.tracepoints.missing.clone();
    all.extend(plan.functions.missing.clone());
    all.extend(plan.breakpoints.missing.clone());
    all
}

#[test]
fn a_record_takes_all_that_there_is() {
    let plan = planned(Verb::Record, &Fake::default());
    let programs = programs(&plan);
    assert!(
        probes::TABLE
            .iter()
            .all(|row| programs.contains(&row.program))
    );
    assert_eq!(programs.len(), probes::TABLE.len() + probes::STACKS.len());
    assert_eq!(plan.functions.hooks.len(), functions::TABLE.len());
    assert_eq!(plan.breakpoints.hooks.len(), primitives::TABLE.len());
    assert!(plan.sampling && missing(&plan).is_empty());
}

#[test]
fn faults_are_met_where_the_architecture_tells_of_them() {
    let kernel = |arch| Fake {
        without: &["page_fault_user", "page_fault_kernel", "local_timer_entry"],
        arch: Some(arch),
        ..Fake::default()
    };
    let planned = |verb, stacks, arch| {
        let wanted = Wanted {
            verb,
            stacks,
            ..Wanted::default()
        };
        plan(wanted, &kernel(arch)).expect("nothing required is absent")
    };
    for (verb, stacks, program) in [
        (Verb::Record, false, "page_fault"),
        (Verb::Record, true, "page_fault_and_stack"),
        (Verb::Stat, true, "page_fault"),
        (Verb::Top, false, "page_fault"),
    ] {
        let plan = planned(verb, stacks, Arch::Aarch64);
        assert_eq!(plan.page_faults, Some(program));
        assert!(missing(&plan).is_empty());
        let programs = programs(&plan);
        for elsewhere in ["page_fault_user", "stack_of_fault", "local_timer_entry"] {
            assert!(!programs.contains(&elsewhere), "{elsewhere}");
        }
    }
    let x86 = planned(Verb::Record, false, Arch::X86_64);
    assert_eq!(x86.page_faults, None);
    assert_eq!(missing(&x86).len(), 3);
    assert_eq!(planned(Verb::Null, false, Arch::Aarch64).page_faults, None);
}

#[test]
fn what_only_counts_takes_what_counts() {
    let plan = planned(Verb::Stat, &Fake::default());
    let programs = programs(&plan);
    for row in probes::TABLE {
        assert_eq!(
            programs.contains(&row.program),
            !row.only_record,
            "{}",
            row.program
        );
    }
    assert!(plan.functions.hooks.is_empty() && plan.breakpoints.hooks.is_empty() && !plan.sampling);
    assert!(!programs.contains(&"stack_of_call"));
}

#[test]
fn top_takes_its_own_and_no_entry_of_calls() {
    let kernel = Fake {
        preemptible: true,
        ..Fake::default()
    };
    let plan = planned(Verb::Top, &kernel);
    let programs = programs(&plan);
    assert_eq!(
        programs.len(),
        probes::TABLE.iter().filter(|row| row.top).count() + 1
    );
    assert_eq!(programs[0], probes::CALL_OF_ANYONE.program);
    assert!(!programs.contains(&"sys_enter"));
    assert!(plan.functions.hooks.is_empty() && !plan.sampling);
}

#[test]
fn the_benchmark_takes_two_programs_that_do_nothing() {
    let plan = planned(Verb::Null, &Fake::default());
    assert_eq!(programs(&plan), ["null_enter", "null_exit"]);
    assert!(missing(&plan).is_empty() && plan.functions.hooks.is_empty());
}

#[test]
fn calls_are_told_twice_where_programs_are_skipped() {
    for (preemptible, count) in [(false, 0), (true, probes::AGAIN.len())] {
        let kernel = Fake {
            preemptible,
            ..Fake::default()
        };
        let plan = planned(Verb::Stat, &kernel);
        let again = plan
            .tracepoints
            .hooks
            .iter()
            .filter(|p| p.need == Need::Again);
        assert_eq!(again.count(), count);
    }
}

#[test]
fn an_older_name_an_absent_hook_and_a_required_one() {
    let kernel = Fake {
        without: &["io_uring_submit_req", "swiotlb_bounced"],
        ..Fake::default()
    };
    let plan = planned(Verb::Record, &kernel);
    let submit = plan
        .tracepoints
        .hooks
        .iter()
        .find(|p| p.program == "io_uring_submit_req");
    assert_eq!(submit.map(|p| p.tracepoint), Some("io_uring_submit_sqe"));
    assert_eq!(missing(&plan), [("tp:swiotlb_bounced", Why::Absent)]);
    let kernel = Fake {
        without: &["sys_enter"],
        ..Fake::default()
    };
    let wanted = Wanted::default();
    assert_eq!(plan_of(wanted, &kernel).err(), Some(Absent("tp:sys_enter")));
}

fn plan_of(wanted: Wanted, kernel: &Fake) -> Result<Plan, Absent> {
    plan(wanted, kernel)
}

#[test]
fn the_level_bounds_what_is_tried() {
    for (level, functions, breakpoints) in [
        (Level::T, false, false),
        (Level::F, true, false),
        (Level::B, true, true),
    ] {
        let wanted = Wanted {
            level: Some(level),
            ..Wanted::default()
        };
        let plan = plan(wanted, &Fake::default()).expect("all there");
        assert_eq!(!plan.functions.hooks.is_empty(), functions);
        assert_eq!(!plan.breakpoints.hooks.is_empty(), breakpoints);
    }
}

#[test]
fn functions_by_fentry_where_they_have_types() {
    let kernel = Fake {
        modules: &["btrfs_buffered_write"],
        ..Fake::default()
    };
    let plan = planned(Verb::Record, &kernel);
    for f in &plan.functions.hooks {
        assert_eq!(f.fentry, f.name != "btrfs_buffered_write", "{}", f.name);
    }
    let none = Fake {
        no_fentry: true,
        ..Fake::default()
    };
    let plan = planned(Verb::Record, &none);
    assert!(!plan.functions.hooks.is_empty());
    assert!(plan.functions.hooks.iter().all(|f| !f.fentry));
}

#[test]
fn without_addresses_there_is_no_breakpoint() {
    let kernel = Fake {
        hidden: true,
        ..Fake::default()
    };
    let plan = planned(Verb::Record, &kernel);
    assert!(plan.breakpoints.hooks.is_empty());
    assert_eq!(missing(&plan), [(BREAKPOINTS, Why::HiddenAddresses)]);
}

#[test]
fn a_function_that_another_stands_in_for_is_not_missed() {
    // Linux 6.12 has the one, 6.1 the other.
    for absent in [&["set_pte_range"], &["do_set_pte"]] {
        let kernel = Fake {
            without: absent,
            ..Fake::default()
        };
        assert!(missing(&planned(Verb::Record, &kernel)).is_empty());
    }
    let neither = Fake {
        without: &["set_pte_range", "do_set_pte"],
        ..Fake::default()
    };
    assert_eq!(missing(&planned(Verb::Record, &neither)).len(), 2);
}
