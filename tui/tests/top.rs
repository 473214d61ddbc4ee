//! The screen of `bytehop top`: snapshots, keys, any size.

use std::time::Duration;

use bytehop_core::catalogue::{ProbeId, RuleId};
use bytehop_core::event::Engine;
use bytehop_core::histogram::Histogram;
use bytehop_core::i18n::Lang;
use bytehop_core::model::{Evidence, HopKind, HopRow, IoTotals, Place};
use bytehop_core::report::top::{Column, View};
use bytehop_core::top::{Amount, CallRow, Frame, Lost, More, Proc, Row, Unknown, What, Who};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use terminput::{Event, KeyCode, KeyEvent};

use tui::look::Look;
use tui::theme::Theme;
use tui::top::keys::{BINDINGS, action};
use tui::top::model::Effect;
use tui::top::{Top, view};

const PLAIN: Look = Look {
    lang: Lang::En,
    theme: Theme::Plain,
    ascii: false,
    own: None,
};
const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (200, 50);

fn process(pid: u32, name: &str, command: &str) -> Row {
    Row {
        who: Who::Process(Proc {
            tgid: pid,
            start: 100,
        }),
        name: name.to_owned(),
        command: command.to_owned(),
        cgroup: String::new(),
        ended: false,
        calls: 0,
        errors: 0,
        faults: Some(0),
        copied: Amount::default(),
        dma: Amount::default(),
        shared: Amount::default(),
        filled: Amount::default(),
        hops: Vec::new(),
        syscalls: Vec::new(),
        unknown: Vec::new(),
        ledger: Default::default(),
        at_least: Vec::new(),
        metadata_io: IoTotals::default(),
    }
}

fn hop(kind: HopKind, from: Place, to: Place, bytes: u64, by: &str) -> HopRow {
    let probe = ProbeId::of_label(by).map(Evidence::Measured);
    let rule = RuleId::of_name(by).map(Evidence::Inferred);
    HopRow {
        kind,
        from,
        to,
        count: 16,
        bytes,
        evidence: probe.or(rule).expect("a probe or a rule"),
        deferred: false,
        engine: (kind == HopKind::Dma).then_some(Engine::Paravirtual),
        cpu_ns: None,
        sizes: Histogram::default(),
        times: Histogram::default(),
    }
}

/// A database that reads and sends, a program that has ended, one that sleeps, the kernel.
fn frame() -> Frame {
    const MIB: u64 = 1 << 20;
    let call = |name: &str, calls, errors, bytes| CallRow {
        name: name.to_owned(),
        calls,
        errors,
        bytes,
        ..CallRow::default()
    };
    let database = Row {
        calls: 2_400_000,
        errors: 300,
        faults: Some(1234),
        copied: Amount {
            bytes: 24 * MIB,
            inferred: 20 * MIB,
            more: More::UpTo(8192),
        },
        dma: Amount {
            bytes: 9 * MIB,
            ..Amount::default()
        },
        shared: Amount {
            bytes: 3 * MIB / 2,
            inferred: 3 * MIB / 2,
            more: More::Nothing,
        },
        hops: vec![
            hop(
                HopKind::Copy,
                Place::PageCache,
                Place::User,
                20 * MIB,
                "read-returns-copied",
            ),
            hop(
                HopKind::Dma,
                Place::Device("vda".into()),
                Place::PageCache,
                9 * MIB,
                "tp:block_rq_complete",
            ),
            hop(
                HopKind::Copy,
                Place::Socket,
                Place::User,
                4 * MIB,
                "tp:skb_copy_datagram_iovec",
            ),
            hop(
                HopKind::Share,
                Place::PageCache,
                Place::Socket,
                3 * MIB / 2,
                "sendfile-shared",
            ),
        ],
        syscalls: vec![
            call("pread64", 1_200_000, 0, 20 * MIB),
            call("recvfrom", 1_199_000, 300, 4 * MIB),
            call("sendfile", 1000, 0, 3 * MIB / 2),
        ],
        unknown: vec![Unknown {
            what: What::FreshPages,
            count: 2,
            up_to: Some(8192),
        }],
        ..process(
            4711,
            "postgres",
            "postgres: checkpointer -D /var/lib/postgresql/17/main",
        )
    };
    let ended = Row {
        ended: true,
        calls: 123,
        faults: Some(400),
        filled: Amount {
            bytes: 2 * MIB,
            ..Amount::default()
        },
        ..process(4999, "cc1", "")
    };
    let unsure = Row {
        calls: 40,
        copied: Amount {
            more: More::Unbounded,
            ..Amount::default()
        },
        unknown: vec![Unknown {
            what: What::Messages,
            count: 12,
            up_to: None,
        }],
        ..process(812, "dnsmasq", "/usr/sbin/dnsmasq -x /run/dnsmasq.pid")
    };
    let kernel = Row {
        who: Who::Kernel,
        dma: Amount {
            bytes: 40 << 10,
            ..Amount::default()
        },
        metadata_io: IoTotals {
            write_requests: 3,
            write_bytes: 12 << 10,
            ..IoTotals::default()
        },
        ..process(0, "", "")
    };
    Frame {
        round: 3,
        realtime_ns: 0,
        interval: Duration::from_secs(2),
        total: false,
        rows: vec![
            process(1, "systemd", "/sbin/init splash"),
            unsure,
            ended,
            database,
            kernel,
            process(2233, "名字很长的程序", "python3 中文.py"),
        ],
        lost: Lost::default(),
    }
}

fn top(look: Look, size: (u16, u16)) -> Top {
    let mut top = Top::new(View::default(), false, look, size);
    top.frame = frame();
    top
}

/// Presses the keys of a word; `<Enter>` and the like are one key.
fn press(top: &mut Top, mut keys: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    while let Some(c) = keys.chars().next() {
        let named = [
            ("<Enter>", KeyCode::Enter),
            ("<Esc>", KeyCode::Esc),
            ("<Down>", KeyCode::Down),
            ("<Left>", KeyCode::Left),
            ("<Right>", KeyCode::Right),
            ("<BS>", KeyCode::Backspace),
        ];
        let name = named.iter().find(|(name, _)| keys.starts_with(name));
        let (code, len) = match name {
            Some((name, code)) => (*code, name.len()),
            None => (KeyCode::Char(c), c.len_utf8()),
        };
        keys = &keys[len..];
        let event = Event::Key(KeyEvent::new(code));
        if let Some(action) = action(&event, top.input.is_some()) {
            effects.extend(top.update(action));
        }
    }
    effects
}

fn shot(top: &Top) -> String {
    let (width, height) = top.size;
    let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
    view::draw(top, &mut buf);
    tui::draw::text(&buf)
}

#[test]
fn screens() {
    let cases = [
        ("table", ""),
        ("detail", "<Enter>"),
        ("help", "?"),
        ("filtered", "/post<Enter>c"),
        ("typing", "/nothing"),
    ];
    for (name, keys) in cases {
        for size in [SMALL, LARGE] {
            for (lang, code) in [(Lang::En, "en"), (Lang::Zh, "zh")] {
                let mut top = top(Look { lang, ..PLAIN }, size);
                press(&mut top, keys);
                let name = format!("{name}-{}x{}-{code}", size.0, size.1);
                insta::assert_snapshot!(name, shot(&top));
            }
        }
    }
    let mut lossy = top(
        Look {
            ascii: true,
            ..PLAIN
        },
        SMALL,
    );
    lossy.frame.lost.calls = 12;
    lossy.frame.total = true;
    lossy.paused = true;
    insta::assert_snapshot!("ascii", shot(&lossy));
    assert!(
        shot(&lossy)
            .chars()
            .filter(|c| !"名字很长的程序".contains(*c))
            .all(|c| c.is_ascii())
    );
    insta::assert_snapshot!("narrow", shot(&top(PLAIN, (50, 10))));
    insta::assert_snapshot!("too-small", shot(&top(PLAIN, (30, 5))));
}

#[test]
fn keys_do_what_the_help_says() {
    let mut top = top(PLAIN, SMALL);
    let first = |top: &Top| top.rows()[0].name.clone();
    assert_eq!(first(&top), "postgres");
    press(&mut top, "z");
    assert_eq!(first(&top), "cc1");
    press(&mut top, "p");
    assert_eq!(
        (top.view.sort, first(&top)),
        (Column::Pid, "cc1".to_owned())
    );
    // The same key turns the order round; what does nothing stays below.
    press(&mut top, "p");
    assert_eq!(first(&top), "");
    assert_eq!(top.rows().last().expect("a row").name, "名字很长的程序");
    press(&mut top, "<Right><Right>");
    assert_eq!(top.view.sort, Column::Faults);
    press(&mut top, "<Left><Left><Left><Left>");
    assert_eq!(top.view.sort, Column::Pid);
    press(&mut top, "i");
    assert_eq!(top.rows().len(), 4);
    press(&mut top, "/postx<BS>");
    assert_eq!(top.rows().len(), 1);
    press(&mut top, "<Esc>");
    assert_eq!(top.rows().len(), 4);
    press(&mut top, "/4711<Enter>");
    assert_eq!(top.rows().len(), 1);
    press(&mut top, "<Esc>");
    assert_eq!(top.rows().len(), 4);
    assert_eq!(
        press(&mut top, "t+-q"),
        [
            Effect::Again,
            Effect::Interval(1),
            Effect::Interval(-1),
            Effect::Quit
        ]
    );
}

/// The chosen process stays chosen while others come and go above it.
#[test]
fn the_choice_stays() {
    let mut top = top(PLAIN, SMALL);
    press(&mut top, "<Down><Down>");
    let chosen = top.rows()[2].who;
    top.frame
        .rows
        .retain(|row| row.who == chosen || row.name != "postgres");
    let rows = top.rows();
    assert_eq!(rows[top.position(&rows)].who, chosen);
    assert_eq!(top.position(&rows), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Any keys at any size: nothing panics.
    #[test]
    fn anything(keys in prop::collection::vec(0..KEYS, 0..60), width in 1u16..220, height in 1u16..60, ascii: bool) {
        let mut top = top(Look { ascii, ..PLAIN }, (width, height));
        let all = ['j', 'k', 'g', 'G', 'x', 'f', 'c', 'd', 's', 'z', 'p', 'n', '<', '>', 'r', 't', 'i', '/', ' ', '?', 'L', 'T', '\n', '\x1b'];
        for key in keys {
            let word = match all[key] {
                '\n' => "<Enter>".to_owned(),
                '\x1b' => "<Esc>".to_owned(),
                c => c.to_string(),
            };
            press(&mut top, &word);
            shot(&top);
        }
    }
}
const KEYS: usize = 24;

#[test]
fn every_key_is_in_the_help() {
    assert!(
        BINDINGS
            .iter()
            .all(|binding| !(binding.text)(Lang::Zh).is_empty())
    );
}
