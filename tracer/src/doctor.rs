//! `bytehop doctor`: what this kernel lets us measure, why not more, and how to get more.

use bytehop_core::catalogue::probes::Group;
use bytehop_core::event::{Device, Engine};
use bytehop_core::i18n::{Lang, Say};
use bytehop_core::report::layout::{Align, Flow, Page, Paint, Span, pad, span, width};
use bytehop_core::report::{Detail, Style};
use serde_json::{Value, json};

use crate::caps::{Facts, Level, Obstacle, Plan, Tried, Why};

mod words;

/// Cells of the left column.
const LABEL: usize = 10;

/// Exit status: 0 if anything can be traced, else 3.
pub fn exit_code(plan: &Plan) -> u8 {
    if plan.level.is_some() { 0 } else { 3 }
}

/// The guided labs that are about what a disk moves, and what they have here.
#[derive(Debug)]
pub struct Labs {
    /// Those labs, by name.
    pub about_dma: Vec<String>,
    /// Where their files are.
    pub folder: String,
    /// What that is on; none if it is in memory.
    pub disk: Option<Device>,
}

/// The report for people.
pub fn text(facts: &Facts, plan: &Plan, labs: Option<&Labs>, style: &Style) -> String {
    let lang = style.lang;
    let mut page = Page::new(style);
    page.line(&[], title(facts, lang), 2);

    page.blank();
    levels(&mut page, facts, plan);
    page.blank();
    hooks(&mut page, facts);
    if !facts.devices.is_empty() {
        page.blank();
        devices(&mut page, &facts.devices);
    }
    if let Some(labs) = labs {
        page.blank();
        let label = words::label_labs(lang);
        row(&mut page, label, Paint::Strong, plain(real_dma(labs, lang)));
    }
    page.blank();
    row(
        &mut page,
        words::label_rights(lang),
        Paint::Strong,
        rights(facts, lang),
    );
    if let Some(path) = &facts.open_to_all {
        let text = words::open_to_all(lang, path.display());
        row(&mut page, "", Paint::Plain, Flow::words(&text, Paint::Warn));
    }
    if let Some(text) = here(facts, lang) {
        let label = words::label_here(lang);
        row(&mut page, label, Paint::Strong, plain(text));
    }
    row(
        &mut page,
        words::label_settings(lang),
        Paint::Strong,
        settings(facts, lang),
    );
    page.finish()
}

/// A label of the left column, and what stands beside it.
fn row(page: &mut Page, label: &str, paint: Paint, flow: Flow) {
    let label = pad(label, LABEL, Align::Left, page.style.ascii);
    page.line(&[span(label, paint)], flow, LABEL);
}

fn plain(text: impl AsRef<str>) -> Flow {
    Flow::words(text.as_ref(), Paint::Plain)
}

fn title(facts: &Facts, lang: Lang) -> Flow {
    let mut parts = vec![
        Flow::words(
            concat!("bytehop ", env!("CARGO_PKG_VERSION")),
            Paint::Strong,
        ),
        plain(format!("Linux {}", facts.kernel)),
        plain(&facts.arch),
    ];
    if facts.wsl {
        parts.push(plain(words::wsl(lang)));
    } else if facts.virtual_machine {
        parts.push(plain(words::virtual_machine(lang)));
    }
    if facts.container {
        parts.push(plain(words::container(lang)));
    }
    Flow::join(parts, " ·")
}

/// What there is to know of the kind of machine that this is, and the next step.
fn here(facts: &Facts, lang: Lang) -> Option<&'static str> {
    match facts {
        Facts {
            container: true,
            privileges,
            ..
        } if privileges.confined => Some(words::here_confined(lang)),
        Facts {
            container: true, ..
        } => Some(words::here_container(lang)),
        Facts { wsl: true, .. } => Some(words::here_wsl(lang)),
        Facts {
            virtual_machine: true,
            ..
        } => Some(words::here_vm(lang)),
        _ => None,
    }
}

fn levels(page: &mut Page, facts: &Facts, plan: &Plan) {
    let lang = page.style.lang;
    match plan.level {
        Some(level) => row(
            page,
            &words::level(lang, level.as_str()),
            Paint::Good,
            plain(match level {
                Level::T => words::level_t(lang),
                Level::F => words::in_force_f(lang),
                Level::B => words::in_force_b(lang),
            }),
        ),
        None => {
            row(
                page,
                words::no_level(lang),
                Paint::Warn,
                plain(words::nothing_traced(lang)),
            );
            for obstacle in &plan.obstacles {
                row(
                    page,
                    "",
                    Paint::Plain,
                    plain(explain(obstacle, facts, lang)),
                );
            }
        }
    }
    for (level, tried) in &plan.above {
        if plan.level >= Some(*level) {
            continue;
        }
        let what = match level {
            Level::B => words::level_b(lang),
            _ => words::level_f(lang),
        };
        let mut flow = plain(verdict(tried, lang));
        if let Some(advice) = advice(*level, tried, facts, lang) {
            flow = flow.then(plain(advice));
        }
        flow = flow.then(Flow::words(what, Paint::Quiet));
        row(page, &format!("  {}", level.as_str()), Paint::Quiet, flow);
    }
    row(
        page,
        "",
        Paint::Plain,
        Flow::words(words::built(lang), Paint::Quiet),
    );
}

/// Why nothing can be traced, and how to change it.
fn explain(obstacle: &Obstacle, facts: &Facts, lang: Lang) -> String {
    match obstacle {
        // The one line that every command gives.
        Obstacle::Rights => match facts.privileges.require() {
            Err(missing) => missing.say(lang),
            Ok(()) => String::new(),
        },
        Obstacle::NoBtf([en, zh]) => lang.of(&[en, zh]).to_owned(),
        Obstacle::Arch(arch) => words::unknown_arch(lang, arch),
        Obstacle::Hook(label) => words::hook_absent(lang, label),
        Obstacle::Refused(errno) => {
            let refused = words::programs_refused(lang, format!("{errno:?}"));
            match locked(facts) {
                Some(mode) => format!("{refused} {}", words::locked_down(lang, mode)),
                None => refused,
            }
        }
    }
}

/// "yes", "no" or "not tried", with the reason.
fn verdict(tried: &Tried, lang: Lang) -> String {
    match tried {
        Tried::Yes => words::works(lang).into(),
        Tried::No(why) => words::works_not(lang, reason(why, lang)),
        Tried::Untried(why) => words::untried(lang, reason(why, lang)),
    }
}

/// Why a level is not there.
pub fn reason(why: &Why, lang: Lang) -> String {
    match why {
        Why::Rights => words::why_rights(lang).into(),
        Why::NoBtf => words::why_no_btf(lang).into(),
        Why::Absent(what) => words::why_absent(lang, what),
        Why::Refused(errno) => words::why_refused(lang, format!("{errno:?}")),
        Why::HiddenAddresses => words::why_hidden(lang).into(),
        Why::Arch => words::why_arch(lang).into(),
    }
}

/// The lockdown mode, if one is in force.
fn locked(facts: &Facts) -> Option<&str> {
    facts.lockdown.as_deref().filter(|mode| *mode != "none")
}

/// How to get a level that is not there.
fn advice(level: Level, tried: &Tried, facts: &Facts, lang: Lang) -> Option<String> {
    let why = match tried {
        Tried::Yes => return None,
        Tried::No(why) | Tried::Untried(why) => why,
    };
    match (why, level, locked(facts)) {
        (Why::Refused(_), Level::B, _) if !facts.kprobes => Some(words::needs_kprobes(lang).into()),
        (Why::Refused(_), _, Some(mode)) => Some(words::locked_down(lang, mode)),
        (Why::Refused(_) | Why::Absent(_), ..) => Some(words::stock_kernels(lang).into()),
        (Why::Rights, ..) => Some(words::try_as_root(lang).into()),
        (Why::HiddenAddresses, ..) => Some(words::show_addresses(lang).into()),
        (Why::NoBtf | Why::Arch, ..) => None,
    }
}

fn hooks(page: &mut Page, facts: &Facts) {
    let Style { lang, detail, .. } = *page.style;
    if facts.no_btf.is_some() {
        row(
            page,
            words::label_hooks(lang),
            Paint::Strong,
            plain(words::hooks_unknown(lang)),
        );
        return;
    }
    let (all, present) = (
        facts.hooks.len(),
        facts.hooks.iter().filter(|(_, at)| at.is_some()).count(),
    );
    row(
        page,
        words::label_hooks(lang),
        Paint::Strong,
        plain(words::hooks_present(lang, present, all)),
    );
    let longest = facts
        .hooks
        .iter()
        .map(|(hook, _)| width(hook.program))
        .max()
        .unwrap_or(0);
    for group in Group::ALL {
        let mut label = words::group(group, lang);
        let rows = facts.hooks.iter().filter(|(hook, _)| hook.group == group);
        for (hook, tracepoint) in rows {
            if detail == Detail::Quiet && tracepoint.is_some() {
                continue;
            }
            hook_row(
                page,
                label,
                longest,
                hook.program,
                hook.measures(lang),
                *tracepoint,
            );
            label = "";
        }
    }
    functions(page, facts);
    breakpoints(page, facts);
    for field in &facts.absent_fields {
        row(
            page,
            "",
            Paint::Plain,
            plain(words::field_absent(lang, field)),
        );
    }
}

/// The functions of level F, where the kernel allows programs on them.
fn functions(page: &mut Page, facts: &Facts) {
    let lang = page.style.lang;
    if facts.functions != Tried::Yes {
        return;
    }
    let known = |program| {
        let mut rows = facts.function_names.iter();
        rows.any(|(row, at)| row.program == program && at.is_some())
    };
    let rows = facts.function_names.iter();
    // One that another stands in for is not missing.
    let rows = rows.filter(|(row, at)| at.is_some() || !row.or.is_some_and(known));
    let rows = rows.map(|(row, at)| (row.program, row.measures(lang), *at));
    listed(page, words::label_functions(lang), rows.collect());
}

/// The copy primitives of level B, where the kernel allows breakpoints on them.
fn breakpoints(page: &mut Page, facts: &Facts) {
    let lang = page.style.lang;
    if facts.breakpoints != Tried::Yes {
        return;
    }
    let rows = facts.primitives.iter();
    let rows = rows.map(|(row, at)| {
        (
            at.unwrap_or(row.names[0].function()),
            row.measures(lang),
            *at,
        )
    });
    listed(page, words::label_primitives(lang), rows.collect());
}

/// How many of these the kernel has, then each: name, what it tells, the kernel's name for it.
fn listed(page: &mut Page, label: &str, rows: Vec<(&str, &str, Option<&str>)>) {
    let Style { lang, detail, .. } = *page.style;
    let present = rows.iter().filter(|(.., at)| at.is_some()).count();
    row(
        page,
        label,
        Paint::Strong,
        plain(words::hooks_present(lang, present, rows.len())),
    );
    let longest = rows.iter().map(|(name, ..)| width(name)).max().unwrap_or(0);
    for (name, measures, at) in rows {
        if detail == Detail::Quiet && at.is_some() {
            continue;
        }
        hook_row(page, "", longest, name, measures, at);
    }
}

fn hook_row(
    page: &mut Page,
    group: &str,
    column: usize,
    name: &str,
    measures: &str,
    at: Option<&str>,
) {
    let Style { lang, ascii, .. } = *page.style;
    let (mark, paint) = match (at.is_some(), ascii) {
        (true, false) => ("✓ ", Paint::Good),
        (true, true) => ("+ ", Paint::Good),
        (false, false) => ("✗ ", Paint::Warn),
        (false, true) => ("- ", Paint::Warn),
    };
    let start: [Span; 3] = [
        span(
            pad(&format!("  {group}"), LABEL + 4, Align::Left, ascii),
            Paint::Quiet,
        ),
        span(mark, paint),
        span(
            pad(at.unwrap_or(name), column + 2, Align::Left, ascii),
            Paint::Plain,
        ),
    ];
    let hang = LABEL + 4 + 2 + column + 2;
    let mut flow = Flow::words(measures, Paint::Quiet);
    if at.is_none() {
        flow = flow.then(Flow::words(words::absent_here(lang), Paint::Warn));
    }
    page.line(&start, flow, hang);
}

fn devices(page: &mut Page, devices: &[Device]) {
    let lang = page.style.lang;
    let mut label = words::label_devices(lang);
    for engine in [
        Engine::Hardware,
        Engine::Paravirtual,
        Engine::Software,
        Engine::Unknown,
    ] {
        let names: Vec<_> = devices
            .iter()
            .filter(|device| device.engine == engine)
            .map(|device| match engine {
                // Where the driver tells no more than the name.
                Engine::Software => Flow::solid(&device.name, Paint::Plain),
                _ => Flow::solid(named(device, lang), Paint::Plain),
            })
            .collect();
        if names.is_empty() {
            continue;
        }
        let what = Flow::words(words::engine(engine, lang), Paint::Quiet);
        row(
            page,
            label,
            Paint::Strong,
            what.then(Flow::join(names, words::comma(lang))),
        );
        label = "";
    }
}

/// Which labs show real DMA here, and why the others do not.
fn real_dma(labs: &Labs, lang: Lang) -> String {
    let (names, folder) = (labs.about_dma.join(lang.list()), &labs.folder);
    let those = match &labs.disk {
        None => words::labs_memory(lang, folder, names),
        Some(disk) => {
            let name = named(disk, lang);
            match disk.engine {
                Engine::Hardware => words::labs_hardware(lang, name, names),
                Engine::Paravirtual => words::labs_paravirtual(lang, names, name),
                Engine::Software => words::labs_software(lang, names, name),
                Engine::Unknown => words::labs_unknown(lang, names, folder),
            }
        }
    };
    those + words::labs_others(lang)
}

/// A device and its driver.
fn named(device: &Device, lang: Lang) -> String {
    match device.driver.as_str() {
        "" => device.name.clone(),
        driver => words::with_driver(lang, &device.name, driver),
    }
}

fn rights(facts: &Facts, lang: Lang) -> Flow {
    match facts.privileges.missing() {
        missing if missing.is_empty() => plain(match facts.lent {
            true => words::rights_lent(lang),
            false => words::rights_held(lang),
        }),
        missing => Flow::words(
            &words::rights_lacking(lang, missing.join(", ")),
            Paint::Warn,
        ),
    }
}

fn settings(facts: &Facts, lang: Lang) -> Flow {
    let number = |name: &str, value: Option<i64>| Some(plain(format!("{name} {}", value?)));
    let lockdown = facts
        .lockdown
        .as_ref()
        .map(|mode| plain(format!("lockdown {mode}")));
    let uring = plain(match facts.io_uring {
        Tried::Yes => words::uring_yes(lang),
        _ => words::uring_no(lang),
    });
    let parts = [
        lockdown,
        number("unprivileged_bpf_disabled", facts.unprivileged_bpf_disabled),
        number("perf_event_paranoid", facts.perf_event_paranoid),
        Some(plain(if facts.kprobes {
            words::kprobes_yes(lang)
        } else {
            words::kprobes_no(lang)
        })),
        Some(uring),
    ];
    Flow::join(parts.into_iter().flatten().collect(), " ·")
}

/// The same for programs; sentences are English.
pub fn json(facts: &Facts, plan: &Plan, labs: Option<&Labs>) -> Value {
    let lang = Lang::En;
    let tried = |tried: &Tried| match tried {
        Tried::Yes => json!({ "works": true }),
        Tried::No(why) => json!({ "works": false, "why": reason(why, lang) }),
        Tried::Untried(why) => json!({ "works": null, "why": reason(why, lang) }),
    };
    let hooks = facts.hooks.iter().map(|(hook, tracepoint)| {
        json!({
            "hook": hook.label,
            "tracepoint": tracepoint,
            "measures": hook.measures(lang),
            "required": hook.required,
            "available": tracepoint.is_some(),
        })
    });
    let functions = facts.function_names.iter().map(|(row, name)| {
        json!({
            "hook": row.label,
            "function": name,
            "measures": row.measures(lang),
            "core": row.core,
            "available": name.is_some(),
        })
    });
    let functions: Vec<_> = functions.collect();
    let primitives = facts.primitives.iter().map(|(row, at)| {
        let names: Vec<_> = row.names.iter().map(|name| name.function()).collect();
        json!({ "functions": names, "function": at, "measures": row.measures(lang) })
    });
    let primitives: Vec<_> = primitives.collect();
    let [level_f, level_b] = &plan.above;
    json!({
        "schema": 1,
        "bytehop": env!("CARGO_PKG_VERSION"),
        "kernel": facts.kernel,
        "arch": facts.arch,
        "level": plan.level.map(Level::as_str),
        "built_level": Level::BUILT.as_str(),
        "obstacles": plan.obstacles.iter().map(|o| explain(o, facts, lang)).collect::<Vec<_>>(),
        "allowed": {
            "T": tried(&facts.tracepoints),
            "F": tried(&level_f.1),
            "B": tried(&level_b.1),
            "io_uring": tried(&facts.io_uring),
        },
        "hooks": hooks.collect::<Vec<_>>(),
        "functions": functions,
        "primitives": primitives,
        "absent_fields": facts.absent_fields,
        "devices": facts.devices,
        "missing_capabilities": facts.privileges.missing(),
        "btf": facts.no_btf.is_none(),
        "kprobes": facts.kprobes,
        "lockdown": facts.lockdown,
        "unprivileged_bpf_disabled": facts.unprivileged_bpf_disabled,
        "perf_event_paranoid": facts.perf_event_paranoid,
        "virtual_machine": facts.virtual_machine,
        "container": facts.container,
        "wsl": facts.wsl,
        "rights_lent": facts.lent,
        "open_to_all": facts.open_to_all,
        "here": here(facts, lang),
        "labs": labs.map(|labs| json!({
            "about_dma": labs.about_dma,
            "folder": labs.folder,
            "disk": labs.disk,
            "real_dma": labs.disk.as_ref().is_some_and(|disk| disk.engine == Engine::Hardware),
        })),
    })
}

#[cfg(test)]
mod tests;
