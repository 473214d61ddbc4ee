//! How fast and how large the UI is. Prints figures; decides nothing.
//!
//! - `measure FILE…`: opens recordings, scrolls and steps through them
//! - `measure live RATE SECONDS`: a trace of so many calls a second
//!
//! Screens of 200×50 are drawn into memory. Build it with `--release`.

use std::time::{Duration, Instant};

use bytehop_core::decode::encode_meta;
use bytehop_core::event::{Meta, Start};
use bytehop_core::record::log;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use tui::action::{Action, Dir};
use tui::app::{App, Source, Target};
use tui::look::Look;
use tui::run::{FEEDING, READING, TICK};
use tui::store::Feed;
use tui::update::{fed, update};
use tui::view::draw;

type Fail = Box<dyn std::error::Error>;

fn main() -> Result<(), Fail> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["live", rate, seconds] => live(rate.parse()?, seconds.parse()?),
        [] => Err("recordings, or live RATE SECONDS".into()),
        ref files => files.iter().try_for_each(|file| open(file)),
    }
}

struct Screen(Terminal<TestBackend>);

impl Screen {
    fn new() -> Result<Self, Fail> {
        Ok(Self(Terminal::new(TestBackend::new(200, 50))?))
    }

    fn draw(&mut self, app: &App) -> Result<(), Fail> {
        self.0.draw(|frame| draw(app, frame.buffer_mut()))?;
        Ok(())
    }
}

/// The slowest of some actions, each with its frame.
fn slowest(
    app: &mut App,
    screen: &mut Screen,
    actions: impl IntoIterator<Item = Action>,
) -> Result<Duration, Fail> {
    let mut worst = Duration::ZERO;
    for action in actions {
        let begin = Instant::now();
        update(app, action);
        screen.draw(app)?;
        worst = worst.max(begin.elapsed());
    }
    Ok(worst)
}

fn open(file: &str) -> Result<(), Fail> {
    let before = resident();
    let mut screen = Screen::new()?;
    let begin = Instant::now();
    let (mut feed, mut store) = Feed::of_file(file.as_ref())?;
    feed.pull(&mut store, Some(Instant::now() + TICK));
    let mut app = App::new(store, Look::default(), (200, 50));
    screen.draw(&app)?;
    println!("{file}");
    println!("  first frame after     {:>10.1?}", begin.elapsed());
    let mut longest = Duration::ZERO;
    while !feed.is_over() {
        let frame = Instant::now();
        feed.pull(&mut app.store, Some(frame + READING));
        fed(
            &mut app,
            Source::File(feed.percent().unwrap_or(100)),
            feed.behind(),
        );
        screen.draw(&app)?;
        longest = longest.max(frame.elapsed());
    }
    println!("  whole after           {:>10.1?}", begin.elapsed());
    println!("  longest frame         {longest:>10.1?}");
    println!("  calls                 {:>10}", app.store.len());
    let mib = resident().saturating_sub(before) as f64 / f64::from(1 << 20);
    println!("  memory                {mib:>6.1} MiB");

    let calls = [Action::NextPane, Action::Last, Action::Move(Dir::Right)];
    let end = slowest(&mut app, &mut screen, calls)?;
    let up = slowest(&mut app, &mut screen, vec![Action::Page(-1); 300])?;
    println!("  to the end            {end:>10.1?}");
    println!("  slowest page up       {up:>10.1?}");
    let steps = [Action::NextHop, Action::PrevCall].repeat(300);
    println!(
        "  slowest step          {:>10.1?}",
        slowest(&mut app, &mut screen, steps)?
    );
    let drags = (0..200).map(|x| Action::Click(x % 118 + 1, 47));
    println!(
        "  slowest drag          {:>10.1?}",
        slowest(&mut app, &mut screen, drags)?
    );
    let mib = resident().saturating_sub(before) as f64 / f64::from(1 << 20);
    println!("  memory then           {mib:>6.1} MiB");
    let filter = [
        Action::Filter,
        Action::Type('p'),
        Action::Type('r'),
        Action::Accept,
    ];
    println!(
        "  filter                {:>10.1?}",
        slowest(&mut app, &mut screen, filter)?
    );
    Ok(())
}

/// One thread writes calls as tracing would, the other shows them as the UI does.
fn live(rate: u64, seconds: u64) -> Result<(), Fail> {
    let (mut writer, log) = log(|_| u64::MAX)?;
    let records = std::thread::spawn(move || -> Result<u64, bytehop_core::record::RecordError> {
        let mut start = Vec::new();
        encode_meta(&Meta::Start(Start::default()), &mut start);
        writer.record(&start)?;
        let begin = Instant::now();
        let mut made = 0;
        while begin.elapsed() < Duration::from_secs(seconds) {
            let due = (begin.elapsed().as_micros() * u128::from(rate) / 1_000_000) as u64;
            while made < due {
                made += 1;
                writer.record(&call(made))?;
            }
            writer.tick(Instant::now())?;
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(made)
    });
    let (mut feed, store) = Feed::live(log);
    let mut app = App::new(store, Look::default(), (200, 50)).live(Target::Command, true);
    let mut screen = Screen::new()?;
    let (mut frames, mut longest, mut most, mut busy) = (0u32, Duration::ZERO, 0, Duration::ZERO);
    let begin = Instant::now();
    let mut due = begin;
    while !feed.is_over() {
        let frame = Instant::now();
        if feed.pull(&mut app.store, Some(frame + FEEDING)) {
            fed(&mut app, Source::Live(Target::Command), feed.behind());
        }
        update(&mut app, Action::Tick);
        screen.draw(&app)?;
        most = most.max(feed.behind());
        let took = frame.elapsed();
        (frames, longest, busy) = (frames + 1, longest.max(took), busy + took);
        due = (due + TICK).max(Instant::now());
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    let wall = begin.elapsed();
    let made = records.join().map_err(|_| "the writer broke off")??;
    println!("{made} calls in {wall:.1?}: {} counted", app.store.len());
    println!(
        "  frames a second       {:>8.1}",
        f64::from(frames) / wall.as_secs_f64()
    );
    println!("  longest frame         {longest:>10.1?}");
    println!(
        "  busy                  {:>7.1} %",
        100.0 * busy.as_secs_f64() / wall.as_secs_f64()
    );
    println!("  most records behind   {most:>8}");
    Ok(())
}

/// A record of a `pread64`, now and then of another call.
fn call(number: u64) -> Vec<u8> {
    let mut bytes = vec![0; 120];
    bytes[0] = tracer_kind::SYSCALL_FILE;
    let nr: u16 = if number.is_multiple_of(7) { 0 } else { 17 };
    bytes[2..4].copy_from_slice(&nr.to_le_bytes());
    bytes[4..8].copy_from_slice(&(1 + number as u32 % 3).to_le_bytes());
    bytes[8..12].copy_from_slice(&1u32.to_le_bytes());
    bytes[12..16].copy_from_slice(&(number as u32).to_le_bytes());
    bytes[16..24].copy_from_slice(&(number * 1000).to_le_bytes());
    bytes[24..32].copy_from_slice(&700u64.to_le_bytes());
    // Its result, and a regular file.
    bytes[32..40].copy_from_slice(&(number % 50 * 512).to_le_bytes());
    bytes[112..114].copy_from_slice(&0o100644u16.to_le_bytes());
    bytes
}

mod tracer_kind {
    pub const SYSCALL_FILE: u8 = 2;
}

/// Memory that we hold, bytes.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text
        .split_whitespace()
        .nth(1)
        .and_then(|n| n.parse::<u64>().ok());
    pages.unwrap_or(0) * rustix::param::page_size() as u64
}
