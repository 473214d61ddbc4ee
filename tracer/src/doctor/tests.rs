use bytehop_core::event::DeviceClass;
use nix::errno::Errno;

use super::*;
use crate::caps::plan;
use crate::caps::tests::{stock, without};
use crate::capset::{CapSet, cap};
use crate::privileges::Privileges;

fn device(name: &str, engine: Engine, driver: &str) -> Device {
    let (class, bus) = (DeviceClass::Block, String::new());
    Device {
        class,
        name: name.into(),
        id: 0,
        engine,
        driver: driver.into(),
        bus,
    }
}

/// A locked-down cloud kernel.
fn cloud() -> Facts {
    Facts {
        functions: Tried::No(Why::Refused(Errno::EPERM)),
        breakpoints: Tried::No(Why::Refused(Errno::EINVAL)),
        kprobes: false,
        virtual_machine: true,
        devices: vec![
            device("vda", Engine::Paravirtual, "virtio_blk"),
            device("loop0", Engine::Software, "loop"),
        ],
        ..without(stock(), "rss_stat")
    }
}

fn user() -> Facts {
    let unable = || Tried::Untried(Why::Rights);
    Facts {
        privileges: Privileges {
            effective: CapSet::of(&[cap::BPF]),
            confined: false,
        },
        tracepoints: unable(),
        functions: unable(),
        breakpoints: unable(),
        ..stock()
    }
}

fn english(facts: &Facts, width: usize) -> String {
    let style = Style {
        width,
        ..Style::default()
    };
    text(facts, &plan(facts), None, &style)
}

fn labs(engine: Option<Engine>) -> Labs {
    Labs {
        about_dma: vec!["first-hops".into(), "page-cache".into()],
        folder: "/var/tmp".into(),
        disk: engine.map(|engine| device("sda", engine, "ahci")),
    }
}

/// Which labs show real DMA, and if none does, why not.
#[test]
fn labs_have_real_dma_where_a_device_is_real() {
    for (engine, expected) in [
        (
            Some(Engine::Hardware),
            "Real DMA, by sda (ahci): first-hops, page-cache.",
        ),
        (
            Some(Engine::Paravirtual),
            "sda (ahci), a device of the hypervisor",
        ),
        (Some(Engine::Software), "a CPU moves the bytes"),
        (Some(Engine::Unknown), "is not known"),
        (None, "/var/tmp is in memory"),
    ] {
        let (facts, labs) = (stock(), labs(engine));
        let style = Style {
            width: 1000,
            ..Style::default()
        };
        let page = text(&facts, &plan(&facts), Some(&labs), &style);
        assert!(page.contains(expected), "{page}");
        assert!(page.contains("first-hops, page-cache"), "{page}");
        let real = engine == Some(Engine::Hardware);
        assert_eq!(page.contains("Real DMA"), real, "{page}");
        let value = json(&facts, &plan(&facts), Some(&labs));
        assert_eq!(value["labs"]["real_dma"], real);
    }
}

#[test]
fn it_says_what_works_and_why_not_more() {
    let page = english(&cloud(), 400);
    for part in [
        "Linux 6.12.95+deb12-amd64 · x86_64 · virtual machine",
        "level T",
        "Not here: the kernel refuses (EPERM). Stock kernels",
        "Not here: the kernel refuses (EINVAL). It needs a kernel with kprobes",
        "38 of 39 are in this kernel",
        "✗ rss_stat",
        "✓ sys_enter",
        "may copy): vda (virtio_blk)",
        "a CPU does the work): loop0",
        "CAP_BPF and CAP_PERFMON are held",
    ] {
        assert!(page.contains(part), "no '{part}' in:\n{page}");
    }
    assert_eq!(exit_code(&plan(&cloud())), 0);
}

#[test]
fn without_rights_it_claims_nothing() {
    let page = english(&user(), 400);
    for part in [
        "no level",
        "tracing needs CAP_PERFMON",
        "bytehop setup --group",
        "Not tried: bytehop lacks the rights",
    ] {
        assert!(page.contains(part), "no '{part}' in:\n{page}");
    }
    assert!(!page.contains("Allowed by"), "{page}");
    assert_eq!(exit_code(&plan(&user())), 3);
}

#[test]
fn each_kind_of_machine_has_its_next_step() {
    let page = english(&stock(), 400);
    assert!(!page.contains("here "), "{page}");
    let confined = Privileges {
        confined: true,
        ..stock().privileges
    };
    let boxed = Facts {
        container: true,
        ..stock()
    };
    let wsl = Facts {
        wsl: true,
        virtual_machine: true,
        ..stock()
    };
    for (facts, step) in [
        (cloud(), "A virtual machine"),
        (wsl, "wsl --update"),
        (boxed.clone(), "--cap-add BPF --cap-add PERFMON"),
        (
            Facts {
                privileges: confined,
                ..boxed
            },
            "run bytehop on the host",
        ),
    ] {
        let page = english(&facts, 400);
        assert!(page.contains(step), "no '{step}' in:\n{page}");
    }
}

#[test]
fn rights_that_everyone_has_are_told_of() {
    let facts = Facts {
        lent: true,
        open_to_all: Some("/usr/bin/bytehop".into()),
        ..stock()
    };
    let page = english(&facts, 400);
    assert!(page.contains("are lent to you"), "{page}");
    assert!(
        page.contains("everyone on this machine can start it"),
        "{page}"
    );
    assert_eq!(
        json(&facts, &plan(&facts), None)["open_to_all"],
        "/usr/bin/bytehop"
    );
}

#[test]
fn chinese_and_narrow_pages_keep_to_their_width() {
    let no_btf = Facts {
        no_btf: Some(["no BTF", "没有 BTF"].map(str::to_owned)),
        ..stock()
    };
    for facts in [stock(), cloud(), user(), no_btf] {
        for lang in [Lang::En, Lang::Zh] {
            for ascii in [false, true] {
                let style = Style {
                    width: 60,
                    lang,
                    ascii,
                    ..Style::default()
                };
                let page = text(
                    &facts,
                    &plan(&facts),
                    Some(&labs(Some(Engine::Paravirtual))),
                    &style,
                );
                assert!(page.lines().all(|line| width(line) <= 60), "{page}");
                assert!(lang == Lang::Zh || !ascii || page.is_ascii(), "{page}");
            }
        }
    }
}

#[test]
fn quiet_lists_only_what_is_absent() {
    let style = Style {
        detail: Detail::Quiet,
        ..Style::default()
    };
    let page = text(&cloud(), &plan(&cloud()), None, &style);
    assert!(
        page.contains("✗ rss_stat") && !page.contains("✓ sys_enter"),
        "{page}"
    );
}

#[test]
fn json_tells_the_same() {
    let value = json(&cloud(), &plan(&cloud()), Some(&labs(None)));
    assert_eq!(value["level"], "T");
    assert_eq!(value["allowed"]["F"]["works"], false);
    assert_eq!(
        value["hooks"].as_array().map(Vec::len),
        Some(bytehop_core::catalogue::probes::TABLE.len())
    );
    assert_eq!(value["devices"][0]["engine"], "paravirtual");

    let value = json(&user(), &plan(&user()), None);
    assert_eq!(value["level"], Value::Null);
    assert_eq!(value["allowed"]["F"]["works"], Value::Null);
    assert_eq!(value["missing_capabilities"][0], "CAP_PERFMON");
}

#[path = "../../../core/tests/common/python.rs"]
mod python;
#[path = "../../../core/tests/common/schema.rs"]
mod schema;

#[test]
fn json_follows_its_schema() {
    let dir = tempfile::tempdir().unwrap();
    let lent = Facts {
        lent: true,
        open_to_all: Some("/usr/bin/bytehop".into()),
        container: true,
        ..stock()
    };
    for (i, facts) in [stock(), cloud(), user(), lent].iter().enumerate() {
        let text = json(
            facts,
            &plan(facts),
            Some(&labs(facts.virtual_machine.then_some(Engine::Paravirtual))),
        )
        .to_string();
        std::fs::write(dir.path().join(format!("doctor.{i}.json")), text).unwrap();
    }
    schema::follows(dir.path());
}
