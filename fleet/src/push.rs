//! Sends the counters to a collector: a thread that has at most one request under way and one that waits.
//!
//! The counters are cumulative, so what could not be sent is in what is sent next: nothing is kept for a collector
//! that does not answer.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytehop_core::address::Url;

/// For one request, from the look-up of the name to the answer.
const TIME: Duration = Duration::from_secs(10);
/// For what is under way when we end, and the last counters.
const LAST: Duration = Duration::from_secs(3);
/// As much of an answer is read.
const ANSWER_MOST: usize = 16 << 10;

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// It goes through again.
    Well,
    Failed(PushError),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushError {
    NoAddress,
    Io(String),
    Late,
    Refused(u16),
    NotHttp,
}

bytehop_core::says! { PushError, lang:
    Self::NoAddress => "its name has no address" | "它的名字没有地址";
    Self::Io(e) => "{e}" | "{e}";
    Self::Late => "no answer in time" | "没有及时答复";
    Self::Refused(status) => "it answered with status {status}" | "它以状态 {status} 答复";
    Self::NotHttp => "it does not speak HTTP" | "它说的不是 HTTP";
}

#[derive(Default)]
struct Slot {
    next: Option<Vec<u8>>,
    ended: bool,
}

/// A thread that sends; it ends with this, in a bounded time.
pub struct Pusher {
    slot: Arc<(Mutex<Slot>, Condvar)>,
    over: Receiver<()>,
    told: Receiver<Told>,
}

impl Pusher {
    /// # Errors
    /// If there is no thread to be had.
    pub fn start(url: Url) -> io::Result<Self> {
        let slot = Arc::new((Mutex::new(Slot::default()), Condvar::new()));
        let (tell, told) = channel();
        let (done, over) = channel();
        let theirs = Arc::clone(&slot);
        std::thread::Builder::new()
            .name("bytehop-otlp".to_owned())
            .spawn(move || {
                // Told at its end, however that comes.
                let _done = done;
                let mut before = Told::Well;
                while let Some(body) = next(&theirs) {
                    let now = match send(&url, &body) {
                        Ok(()) => Told::Well,
                        Err(e) => Told::Failed(e),
                    };
                    if now != before {
                        let _ = tell.send(now.clone());
                        before = now;
                    }
                }
            })?;
        Ok(Self { slot, over, told })
    }

    /// Sends these counters next, in place of any that still wait.
    pub fn set(&self, body: Vec<u8>) {
        let (slot, changed) = &*self.slot;
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        slot.next = Some(body);
        changed.notify_one();
    }

    /// What has changed since this was asked last.
    pub fn told(&self) -> impl Iterator<Item = Told> {
        self.told.try_iter()
    }

    /// Lets it send what waits, but not for long; whatever else was to be told.
    pub fn finish(&self) -> impl Iterator<Item = Told> {
        {
            let (slot, changed) = &*self.slot;
            let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
            slot.ended = true;
            changed.notify_one();
        }
        // A look-up of a name cannot be broken off: the end of our process ends that.
        let _: Result<(), RecvTimeoutError> = self.over.recv_timeout(LAST);
        self.told.try_iter()
    }
}

/// Waits for the next body; `None`: there is none to come.
fn next((slot, changed): &(Mutex<Slot>, Condvar)) -> Option<Vec<u8>> {
    let slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    let mut slot = changed
        .wait_while(slot, |slot| slot.next.is_none() && !slot.ended)
        .unwrap_or_else(PoisonError::into_inner);
    slot.next.take()
}

fn send(url: &Url, body: &[u8]) -> Result<(), PushError> {
    let until = Instant::now() + TIME;
    let left = || {
        let left = until.saturating_duration_since(Instant::now());
        match left.is_zero() {
            true => Err(PushError::Late),
            false => Ok(left),
        }
    };
    let mut stream = connect(url, left)?;
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: bytehop/{}\r\nContent-Type: application/x-protobuf\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        url.path,
        url.authority,
        env!("CARGO_PKG_VERSION"),
        body.len()
    );
    for mut part in [head.as_bytes(), body] {
        while !part.is_empty() {
            stream.set_write_timeout(Some(left()?)).map_err(failed)?;
            match stream.write(part).map_err(failed)? {
                0 => return Err(PushError::NotHttp),
                n => part = &part[n..],
            }
        }
    }
    let mut answer = Vec::new();
    loop {
        if let Some(status) = status(&answer) {
            return match status? {
                200..300 => Ok(()),
                other => Err(PushError::Refused(other)),
            };
        }
        stream.set_read_timeout(Some(left()?)).map_err(failed)?;
        let mut part = [0; 4096];
        let n = stream.read(&mut part).map_err(failed)?;
        if n == 0 || answer.len() > ANSWER_MOST {
            return Err(PushError::NotHttp);
        }
        answer.extend_from_slice(&part[..n]);
    }
}

fn connect(
    url: &Url,
    left: impl Fn() -> Result<Duration, PushError>,
) -> Result<TcpStream, PushError> {
    let addresses = (url.host.as_str(), url.port).to_socket_addrs();
    let mut why = PushError::NoAddress;
    for address in addresses.map_err(|e| PushError::Io(e.to_string()))? {
        match TcpStream::connect_timeout(&address, left()?) {
            Ok(stream) => return Ok(stream),
            Err(e) => why = failed(e),
        }
    }
    Err(why)
}

fn failed(e: io::Error) -> PushError {
    match e.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => PushError::Late,
        _ => PushError::Io(e.to_string()),
    }
}

/// The status of an answer, as soon as its first line is there.
fn status(answer: &[u8]) -> Option<Result<u16, PushError>> {
    let end = answer.iter().position(|b| *b == b'\n')?;
    let line = String::from_utf8_lossy(&answer[..end]);
    let mut words = line.split_whitespace();
    let is_http = words
        .next()
        .is_some_and(|version| version.starts_with("HTTP/1."));
    let status = words.next().and_then(|status| status.parse().ok());
    Some(status.filter(|_| is_http).ok_or(PushError::NotHttp))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_decides() {
        assert_eq!(status(b"HTTP/1.1 200"), None);
        assert_eq!(status(b"HTTP/1.1 200 OK\r\n"), Some(Ok(200)));
        assert_eq!(status(b"HTTP/1.0 503\n"), Some(Ok(503)));
        assert_eq!(status(b"SSH-2.0-x\r\n"), Some(Err(PushError::NotHttp)));
        assert_eq!(bytehop_core::i18n::problems(PushError::TEXTS), [""; 0]);
    }
}
