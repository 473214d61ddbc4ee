//! `top` for other systems: readings in place of tables.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use bytehop_core::event::Start;
use bytehop_core::i18n::{Lang, Say};
use fleet::push::Told;
use fleet::serve::is_loopback;
use fleet::{About, Key, Pusher, Rows, Server};
use tracer::signals::Signals;

use super::{Source, wait};
use crate::cli::{By, Top};
use crate::fail::{FAILED, Fail, Trouble, USAGE, complain};

/// A row that did nothing for so long may be given to another name.
const IDLE: Duration = Duration::from_secs(3600);

mod words {
    bytehop_core::messages! {
        serving(address): "the counters are at http://{address}/metrics" | "计数器在 http://{address}/metrics";
        serving_all: "whoever reaches this address reads the names of processes here" | "能访问这个地址的人都能读到本机的进程名";
        sending(url): "each reading goes to {url}" | "每次读数都发往 {url}";
        not_sent(url, why): "cannot send to {url}: {why}; the next reading holds what this one does" | "无法发往 {url}：{why}；下一次读数会包含这一次的内容";
        sent_again(url): "readings go to {url} again" | "读数又能发往 {url} 了";
    }

    #[test]
    fn every_message_is_whole() {
        assert_eq!(bytehop_core::i18n::problems(TABLE), [""; 0]);
    }
}

/// Who is told what `top` counts.
pub struct Exporter {
    listener: Option<TcpListener>,
}

impl Exporter {
    /// Takes the address, before anything is loaded; `None`: nobody is told.
    pub fn listen(args: &Top) -> Result<Option<Self>, Fail> {
        let listener = match &args.fleet.openmetrics {
            Some(address) => Some(
                Server::listen(address.0)
                    .map_err(|e| Fail::new(USAGE, Trouble::Listen(address.0, e)))?,
            ),
            None if args.fleet.otlp.is_none() => return Ok(None),
            None => None,
        };
        Ok(Some(Self { listener }))
    }

    /// Readings, until someone has had enough.
    pub fn run(
        self,
        args: &Top,
        mut source: Source,
        start: &Start,
        mut signals: Signals,
    ) -> Result<i32, Fail> {
        let lang = crate::config::lang(args.style.lang);
        let about = about(start, lang);
        let key = match args.fleet.by {
            By::Name => Key::Name,
            By::Cgroup => Key::Cgroup,
        };
        let idle = (IDLE.as_nanos() / args.delay.as_nanos().max(1)).max(1) as u64;
        let mut rows = Rows::new(key, args.fleet.rows.into(), idle, start.realtime_ns);
        let thread = |e| Fail::new(FAILED, Trouble::Thread(e));

        // From the first answer on there are numbers.
        source.add_to(&mut rows)?;
        let server = match self.listener {
            Some(listener) => {
                Some(Server::start(listener, fleet::page(&rows, &about)).map_err(thread)?)
            }
            None => None,
        };
        let pusher = match &args.fleet.otlp {
            Some(url) => Some(Pusher::start(url.clone()).map_err(thread)?),
            None => None,
        };
        if let Some(server) = &server {
            complain(&words::serving(lang, server.address()));
            if !is_loopback(server.address().ip()) {
                complain(words::serving_all(lang));
            }
        }
        if let Some(url) = &args.fleet.otlp {
            complain(&words::sending(lang, url));
        }
        let mut due = Instant::now();
        let mut round = 1;
        let status = loop {
            if let Some(server) = &server {
                server.set(fleet::page(&rows, &about));
            }
            if let Some(pusher) = &pusher {
                pusher.set(fleet::request(&rows, &about));
                tell(args, lang, pusher.told());
            }
            if args.rounds.is_some_and(|rounds| round >= rounds) {
                break 0;
            }
            due += args.delay;
            let asked = wait(due, &mut signals, None)?;
            source.add_to(&mut rows)?;
            if let Some(status) = asked {
                break status;
            }
            round += 1;
            // After a pause (we were stopped) the clock starts anew.
            due = due.max(Instant::now().checked_sub(args.delay).unwrap_or(due));
        };
        if let Some(pusher) = pusher {
            if status != 0 {
                pusher.set(fleet::request(&rows, &about));
            }
            tell(args, lang, pusher.finish());
        }
        Ok(status)
    }
}

impl Source {
    fn add_to(&mut self, rows: &mut Rows) -> Result<(), Fail> {
        self.sampler.read(&mut self.probes)?;
        rows.add(&self.sampler.frame(false));
        Ok(())
    }
}

/// Says when a collector stops answering, and when it answers again: not at each reading.
fn tell(args: &Top, lang: Lang, told: impl Iterator<Item = Told>) {
    let Some(url) = &args.fleet.otlp else {
        return;
    };
    for told in told {
        complain(&match told {
            Told::Well => words::sent_again(lang, url),
            Told::Failed(e) => words::not_sent(lang, url, e.say(lang)),
        });
    }
}

fn about(start: &Start, lang: Lang) -> About {
    let host = nix::unistd::gethostname().unwrap_or_default();
    About {
        bytehop: start.bytehop.clone(),
        kernel: start.kernel.clone(),
        arch: start.arch.clone(),
        level: start.level.clone(),
        host: host.to_string_lossy().into_owned(),
        missing: start.missing.clone(),
        lang,
    }
}
