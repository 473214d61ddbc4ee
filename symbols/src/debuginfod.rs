//! Servers of debug information (debuginfod), where the environment names some; never else.
//!
//! The variables, the cache's place and its form are those of elfutils, so what gdb has fetched is there already, and
//! the other way round.

use std::collections::HashMap;
use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use bytehop_core::modules::{Looked, Why};

use crate::curl;
use crate::http::{self, Answer, Limits, No};

/// Without the variables of the same purpose.
const TIME: Duration = Duration::from_secs(90);
const BYTES: u64 = 2 << 30;
/// For so long a server that did not have a file is not asked again.
const MISS: Duration = Duration::from_secs(600);
const FILE: &str = "debuginfo";

/// Servers, and what was fetched from them.
#[derive(Debug)]
pub struct Debuginfod {
    urls: Vec<String>,
    cache: PathBuf,
    time: Duration,
    bytes: u64,
    /// Servers that did not answer, and how: not asked again.
    silent: HashMap<String, No>,
}

impl Debuginfod {
    /// By `DEBUGINFOD_URLS`; `None` if that is not set.
    pub fn from_env() -> Option<Self> {
        let number = |name| env::var(name).ok()?.trim().parse::<u64>().ok();
        let urls = env::var("DEBUGINFOD_URLS").ok()?;
        let mut client = Self::new(&urls, cache()?)?;
        if let Some(seconds) = number("DEBUGINFOD_TIMEOUT").filter(|n| *n > 0) {
            client.time = Duration::from_secs(seconds.min(24 * 3600));
        }
        if let Some(bytes) = number("DEBUGINFOD_MAXSIZE").filter(|n| *n > 0) {
            client.bytes = bytes;
        }
        Some(client)
    }

    fn new(urls: &str, cache: PathBuf) -> Option<Self> {
        let plain =
            |url: &&str| url.bytes().all(|b| b.is_ascii_graphic()) && !url.starts_with("ima:");
        let urls = urls.split_ascii_whitespace().filter(plain);
        let urls: Vec<String> = urls
            .map(|url| url.trim_end_matches('/').to_owned())
            .collect();
        (!urls.is_empty()).then_some(Self {
            urls,
            cache,
            time: TIME,
            bytes: BYTES,
            silent: HashMap::new(),
        })
    }

    /// The file with the debug information of a build.
    ///
    /// # Errors
    /// With what each server said.
    pub fn debug(&mut self, build_id: &str) -> Result<PathBuf, Vec<Looked>> {
        let dir = self.cache.join(build_id);
        let kept = dir.join(FILE);
        let mut looked = Vec::new();
        let mut missed = false;
        if let Ok(meta) = fs::metadata(&kept) {
            if meta.len() > 0 {
                return Ok(kept);
            }
            let age = meta
                .modified()
                .ok()
                .and_then(|at| SystemTime::now().duration_since(at).ok());
            missed = age.is_some_and(|age| age < MISS);
        }
        let mut nobody = true;
        for url in self.urls.clone() {
            let place = format!("{url}/buildid/{build_id}/{FILE}");
            let came = match self.silent.get(&url) {
                Some(no) => Err(no.clone()),
                None if missed => Err((Why::NotServed, String::new())),
                None => self.fetch(&place, &dir, &kept),
            };
            match came {
                Ok(()) => return Ok(kept),
                Err((why, detail)) => {
                    nobody &= why == Why::NotServed;
                    if matches!(why, Why::Late | Why::Failed) {
                        self.silent.insert(url, (why, detail.clone()));
                    }
                    looked.push(Looked { place, why, detail });
                }
            }
        }
        // An empty file says that nobody had it.
        if nobody && !missed && !looked.is_empty() && fs::create_dir_all(&dir).is_ok() {
            let _ = fs::remove_file(&kept);
            let _ = File::create(&kept);
        }
        Err(looked)
    }

    fn fetch(&self, url: &str, dir: &Path, to: &Path) -> Result<(), No> {
        let unwritable = |e: io::Error| (Why::Failed, format!("{}: {e}", dir.display()));
        fs::create_dir_all(dir).map_err(unwritable)?;
        let part = dir.join(format!("{FILE}.{}", std::process::id()));
        let limits = Limits {
            until: Instant::now() + self.time,
            bytes: self.bytes,
        };
        let came = || {
            let mut file = File::create(&part).map_err(unwritable)?;
            match http::fetch(url, limits, &mut file)? {
                Answer::Done => Ok(()),
                Answer::Elsewhere(url) => curl::fetch(&url, limits, &part),
            }
        };
        let came = came().and_then(|()| fs::rename(&part, to).map_err(unwritable));
        if came.is_err() {
            let _ = fs::remove_file(&part);
        }
        came
    }
}

/// Where elfutils keeps what it fetches.
fn cache() -> Option<PathBuf> {
    let path = |name| {
        env::var_os(name)
            .filter(|path| !path.is_empty())
            .map(PathBuf::from)
    };
    if let Some(path) = path("DEBUGINFOD_CACHE_PATH") {
        return Some(path);
    }
    let old = path("HOME").map(|home| home.join(".debuginfod_client_cache"));
    if let Some(old) = old.filter(|old| old.is_dir()) {
        return Some(old);
    }
    let cache = path("XDG_CACHE_HOME").or_else(|| Some(path("HOME")?.join(".cache")));
    Some(cache?.join("debuginfod_client"))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// A server that answers so many requests; it tells their first lines.
    fn served(answers: &'static [&'static str]) -> (String, thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let server = thread::spawn(move || {
            let mut asked = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().expect("a client");
                let mut lines = BufReader::new(stream.try_clone().expect("twice")).lines();
                asked.push(lines.next().expect("a line").expect("text"));
                for line in lines {
                    if line.expect("text").is_empty() {
                        break;
                    }
                }
                stream.write_all(answer.as_bytes()).expect("sent");
            }
            asked
        });
        (url, server)
    }

    #[test]
    fn fetched_once_and_kept_as_others_keep_it() {
        let dir = tempfile::tempdir().expect("a folder");
        let (url, server) = served(&["HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nELF"]);
        let mut client = Debuginfod::new(&url, dir.path().to_owned()).expect("a server");
        for _ in 0..2 {
            let file = client.debug("abcd").expect("found");
            assert_eq!(file, dir.path().join("abcd/debuginfo"));
            assert_eq!(fs::read(file).expect("read"), b"ELF");
        }
        assert_eq!(
            server.join().expect("ended"),
            ["GET /buildid/abcd/debuginfo HTTP/1.1"]
        );
    }

    #[test]
    fn what_is_not_served_is_not_asked_for_again() {
        let dir = tempfile::tempdir().expect("a folder");
        let (url, server) = served(&["HTTP/1.1 404 Not Found\r\n\r\n"]);
        let mut client = Debuginfod::new(&url, dir.path().to_owned()).expect("a server");
        for _ in 0..2 {
            let looked = client.debug("abcd").expect_err("none");
            assert_eq!(looked.len(), 1);
            assert_eq!(looked[0].why, Why::NotServed);
            assert!(
                looked[0].place.ends_with("/buildid/abcd/debuginfo"),
                "{looked:?}"
            );
        }
        assert_eq!(server.join().expect("ended").len(), 1);
        let kept: Vec<_> = fs::read_dir(dir.path().join("abcd"))
            .expect("listed")
            .collect();
        assert_eq!(kept.len(), 1, "{kept:?}");
    }

    #[test]
    fn a_server_that_fails_is_given_up() {
        let dir = tempfile::tempdir().expect("a folder");
        let (url, server) = served(&["HTTP/1.1 500 x\r\n\r\n"]);
        let mut client = Debuginfod::new(&url, dir.path().to_owned()).expect("a server");
        for build in ["abcd", "ef01"] {
            let looked = client.debug(build).expect_err("none");
            let said = (looked[0].why, looked[0].detail.as_str());
            assert_eq!(said, (Why::Failed, "HTTP 500"), "{build}");
        }
        assert_eq!(server.join().expect("ended").len(), 1);
    }
}
