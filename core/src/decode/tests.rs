use proptest::prelude::*;

use super::*;
use crate::event::{Device, DeviceClass, End, Engine, Lost, Start};

/// Name, offset and type of a field, and what it is if a record was made before it was appended.
pub(super) type Field = (&'static str, usize, &'static str, Option<&'static str>);

/// Kinds with a fixed size, and that size.
const FIXED: [(u8, usize); 14] = [
    (kind::SYSCALL, 88),
    (kind::SYSCALL_FILE, 120),
    (kind::EXTRA, 104),
    (kind::FAULT, 104),
    (kind::BLOCK, 104),
    (kind::XMIT, 64),
    (kind::URING, 120),
    (kind::SWITCH, 40),
    (kind::FORK, 48),
    (kind::EXEC, 40),
    (kind::EXIT, 72),
    (kind::DIRTY, 48),
    (kind::COPY, 40),
    (kind::ARRIVAL, 64),
];

fn encoded(event: &Event) -> Vec<u8> {
    let mut out = Vec::new();
    encode(event, &mut out);
    out
}

fn metas() -> Vec<Meta> {
    let device = Device {
        class: DeviceClass::Block,
        name: "vda".into(),
        id: 254 << 20,
        engine: Engine::Paravirtual,
        driver: "virtio_blk".into(),
        bus: "virtio".into(),
    };
    vec![
        Meta::Start(Start {
            command: vec!["cat".into(), "\"\n\u{1f980}".into()],
            pid: 7,
            ..Start::default()
        }),
        Meta::Device(device),
        Meta::Lost(Lost {
            by_kind: vec![0, 3],
            calls: vec![(17, 3)],
        }),
        Meta::End(End {
            exit_status: Some(137),
            reason: "exit".into(),
            ..End::default()
        }),
    ]
}

#[test]
fn every_kind_is_covered() {
    let known = (0..=255u8).filter(|k| !matches!(decode(&[*k]), Err(DecodeError::UnknownKind(_))));
    assert_eq!(
        known.collect::<Vec<_>>(),
        (1..kind::COUNT as u8)
            // Never given to a record.
            .filter(|k| *k != 15)
            .chain([META])
            .collect::<Vec<_>>()
    );
}

#[test]
fn fields_are_read_at_the_declared_offsets() {
    let mut bytes = vec![0; 120];
    bytes[..4].copy_from_slice(&[kind::SYSCALL_FILE, 3, 17, 1]);
    bytes[16..24].copy_from_slice(&[8, 7, 6, 5, 4, 3, 2, 1]);
    bytes[32..40].copy_from_slice(&(-9i64).to_le_bytes());
    bytes[80..88].copy_from_slice(&6u64.to_le_bytes());
    bytes[88..96].copy_from_slice(&1234u64.to_le_bytes());
    bytes[118..120].copy_from_slice(&[6, 0]);
    let Ok(Event::Syscall {
        call,
        file: Some(file),
    }) = decode(&bytes)
    else {
        panic!()
    };
    assert_eq!(
        (call.head.flags, call.head.nr, call.head.ts),
        (3, 273, 0x0102_0304_0506_0708)
    );
    assert_eq!((call.ret, call.args), (-9, [0, 0, 0, 0, 0, 6]));
    assert_eq!((file.ino, file.protocol), (1234, 6));
}

/// The size of a record of this kind before fields were appended to it.
fn first(kind: u8, size: usize) -> usize {
    match kind {
        kind::BLOCK | kind::URING => 88,
        _ => size,
    }
}

#[test]
fn records_that_are_too_short_are_refused_and_longer_ones_are_read() {
    for (kind, size) in FIXED {
        let mut bytes = vec![0x5a; size + 9];
        bytes[0] = kind;
        let event = decode(&bytes[..size]).unwrap();
        assert_eq!(decode(&bytes).unwrap(), event);
        let needs = first(kind, size);
        for len in 1..needs {
            let error = decode(&bytes[..len]).unwrap_err();
            assert!(
                matches!(error, DecodeError::Short { need, .. } if need == needs),
                "{error}"
            );
        }
        for len in needs..size {
            decode(&bytes[..len]).unwrap();
        }
    }
    assert!(matches!(decode(&[]), Err(DecodeError::Empty)));
}

/// A record that grew twice.
#[repr(C)]
#[derive(Debug, PartialEq)]
struct Grown {
    head: Head,
    first: u32,
    second: u16,
    third: u16,
}

wire_struct!(Grown { head, first } + { second = 7, third = u16::MAX });

#[test]
fn what_an_older_record_did_not_have_has_its_default() {
    let mut bytes = [0; 34];
    bytes[24..32].copy_from_slice(&[1, 0, 0, 0, 2, 0, 3, 0]);
    let head = Head::default();
    let tail = |len: usize| {
        let grown = get::<Grown>(&bytes[..len]).ok()?;
        assert_eq!((grown.head, grown.first), (head, 1));
        Some((grown.second, grown.third))
    };
    assert_eq!(tail(27), None);
    assert_eq!(tail(28), Some((7, u16::MAX)));
    assert_eq!(tail(30), Some((2, u16::MAX)));
    // A field that is there by half is not there.
    assert_eq!(tail(29), Some((7, u16::MAX)));
    assert_eq!((tail(32), tail(34)), (Some((2, 3)), Some((2, 3))));
    assert!(matches!(
        get::<Grown>(&bytes[..27]),
        Err(DecodeError::Short { need: 28, .. })
    ));
    let mut out = Vec::new();
    let grown = get::<Grown>(&bytes).unwrap();
    put(0, &grown, &mut out);
    assert_eq!(out, bytes[..32]);
}

#[test]
fn a_name_holds_its_path() {
    let name = |path: &str| {
        Event::Name(Name {
            head: Head::default(),
            ino: 1,
            dev: 2,
            fd: -3,
            what: 0,
            path: path.into(),
        })
    };
    let mut bytes = encoded(&name("/tmp/ä"));
    assert_eq!(bytes.len(), NAME_FIXED + 7);
    let Event::Name(read) = decode(&bytes).unwrap() else {
        panic!()
    };
    assert_eq!((read.path.as_str(), read.fd), ("/tmp/ä", -3));

    bytes[NAME_FIXED + 6] = b'x';
    let Event::Name(read) = decode(&bytes).unwrap() else {
        panic!()
    };
    assert_eq!(read.path, "/tmp/\u{fffd}x");

    bytes.pop();
    assert!(matches!(
        decode(&bytes),
        Err(DecodeError::Short { need: 55, .. })
    ));
    bytes[40..44].copy_from_slice(&257u32.to_le_bytes());
    assert!(matches!(decode(&bytes), Err(DecodeError::Path(257))));

    let Event::Name(read) = decode(&encoded(&name(&"ä".repeat(200)))).unwrap() else {
        panic!()
    };
    assert_eq!(read.path, "ä".repeat(127));
}

#[test]
fn metadata_round_trips_and_later_variants_are_tolerated() {
    for meta in metas() {
        let event = Event::Meta(meta);
        assert_eq!(decode(&encoded(&event)).unwrap(), event);
    }
    let later = |json: &str| decode(&[&[META], json.as_bytes()].concat());
    assert_eq!(
        later(r#"{"meta":"thermal","celsius":40}"#).unwrap(),
        Event::Meta(Meta::Unknown)
    );
    assert_eq!(
        later(r#"{"meta":"lost","new":1}"#).unwrap(),
        Event::Meta(Meta::Lost(Lost::default()))
    );
    assert!(matches!(later("{"), Err(DecodeError::Meta(_))));
}

proptest! {
    /// Every byte of a record is some field's, so bytes → event → bytes is the identity.
    #[test]
    fn records_round_trip(which in 0..FIXED.len(), bytes in prop::array::uniform32(any::<[u8; 4]>())) {
        let (kind, size) = FIXED[which];
        let mut bytes = bytes.concat();
        bytes.truncate(size);
        bytes[0] = kind;
        prop_assert_eq!(encoded(&decode(&bytes).unwrap()), bytes);
    }

    #[test]
    fn names_round_trip(path in "\\PC{0,60}", ino: u64, seq: u32, fd: i32) {
        let head = Head { kind: kind::NAME, seq, ..Head::default() };
        let event = Event::Name(Name { head, ino, dev: 9, fd, what: 3, path });
        prop_assert_eq!(decode(&encoded(&event)).unwrap(), event);
    }

    #[test]
    fn any_bytes_are_safe(kind in prop_oneof![0..16u8, Just(META), any::<u8>()], mut bytes: Vec<u8>) {
        let _ = decode(&bytes);
        bytes.insert(0, kind);
        let _ = decode(&bytes);
    }
}

/// The tables in the documentation are made from the code: run with `BYTEHOP_BLESS=1` to renew them.
#[test]
fn documented_layouts_are_these() {
    const BEGIN: &str = "<!-- layouts: from core/src/decode.rs, BYTEHOP_BLESS=1 cargo test documented_layouts -->\n";
    const END: &str = "<!-- /layouts -->";
    let mut tables = String::from(BEGIN);
    for (name, size, fields) in layouts() {
        let title = if name == "NameFixed" { "Name" } else { name };
        let path = if name == "NameFixed" { " + path" } else { "" };
        tables += &format!("\n`{title}`, {size}{path}:");
        for (i, (field, offset, ty, default)) in fields.into_iter().enumerate() {
            let ty = ty.rsplit("::").next().unwrap_or(ty);
            tables += &format!("{} {offset} `{field}` {ty}", if i == 0 { "" } else { "," });
            if let Some(default) = default {
                tables += &format!(" (+ = {default})");
            }
        }
        tables.push_str(".\n");
    }
    tables.push('\n');
    tables.push_str(END);
    for doc in ["recording.md", "zh/recording.md"] {
        let path = format!("{}/../docs/{doc}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = text.split_once(BEGIN).unwrap();
        let (_, after) = rest.split_once(END).unwrap();
        let wanted = format!("{before}{tables}{after}");
        if std::env::var_os("BYTEHOP_BLESS").is_some() {
            std::fs::write(&path, wanted).unwrap();
        } else {
            assert_eq!(text, wanted, "{path} is out of date");
        }
    }
}
