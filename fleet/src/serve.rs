//! Answers who asks for the counters: one thread, a bounded number of connections, each for a bounded time.
//!
//! Whoever asks gets the last reading, so asking often costs the traced system nothing.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::http::{self, Answer, HEAD_MOST, Page};

/// Connections at a time; one more, and the oldest is closed.
pub const MOST: usize = 32;
/// From the first byte to the last.
pub const TIME: Duration = Duration::from_secs(10);
/// After the answer, for the peer to close.
const LINGER: Duration = Duration::from_secs(1);
/// After a failed `accept` (no descriptors are left, say).
const PAUSE: Duration = Duration::from_millis(200);

/// A thread that answers; it ends with this.
pub struct Server {
    page: Arc<Mutex<Arc<Page>>>,
    address: SocketAddr,
    /// Closed, it ends the thread.
    end: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Takes the address; nobody is answered yet.
    ///
    /// # Errors
    /// If it cannot be had.
    pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    }

    /// Begins to answer, with `page`.
    ///
    /// # Errors
    /// If there is no thread to be had.
    pub fn start(listener: TcpListener, page: Page) -> io::Result<Self> {
        let (end, ended) = UnixStream::pair()?;
        let address = listener.local_addr()?;
        let page = Arc::new(Mutex::new(Arc::new(page)));
        let mut work = Work {
            listener,
            ended,
            page: Arc::clone(&page),
            loopback: is_loopback(address.ip()),
            connections: Vec::new(),
            paused: None,
        };
        let thread = std::thread::Builder::new()
            .name("bytehop-http".to_owned())
            .spawn(move || work.run())?;
        Ok(Self {
            page,
            address,
            end: Some(end),
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What is answered from now on.
    pub fn set(&self, page: Page) {
        *self.page.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(page);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            // It waits for nobody; what it panicked of has been told.
            let _ = thread.join();
        }
    }
}

/// Whether only this machine can reach an address.
pub fn is_loopback(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback(),
        IpAddr::V6(ip) => {
            ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback())
        }
    }
}

struct Work {
    listener: TcpListener,
    ended: UnixStream,
    page: Arc<Mutex<Arc<Page>>>,
    loopback: bool,
    /// The oldest first.
    connections: Vec<Connection>,
    /// No new ones are taken until then.
    paused: Option<Instant>,
}

impl Work {
    fn run(&mut self) {
        loop {
            let now = Instant::now();
            self.connections.retain(|connection| now < connection.until);
            self.paused = self.paused.filter(|until| now < *until);
            let Some((asked, ready)) = self.wait() else {
                return;
            };
            let page = {
                let page = self.page.lock().unwrap_or_else(PoisonError::into_inner);
                Arc::clone(&page)
            };
            let loopback = self.loopback;
            let mut ready = ready.into_iter();
            self.connections.retain_mut(|connection| {
                !ready.next().unwrap_or(false) || connection.advance(&page, loopback)
            });
            if asked {
                self.take();
            }
        }
    }

    /// Waits until something can go on: whether somebody new is there, and which connections are ready; `None`: we
    /// are to end.
    fn wait(&self) -> Option<(bool, Vec<bool>)> {
        let next = self.connections.iter().map(|connection| connection.until);
        let next = next.chain(self.paused).min();
        let mut fds = vec![PollFd::new(self.ended.as_fd(), PollFlags::POLLIN)];
        let listens = match self.paused {
            Some(_) => PollFlags::empty(),
            None => PollFlags::POLLIN,
        };
        fds.push(PollFd::new(self.listener.as_fd(), listens));
        for connection in &self.connections {
            fds.push(PollFd::new(
                connection.stream.as_fd(),
                connection.waits_for(),
            ));
        }
        let timeout = next.map_or(PollTimeout::NONE, |next| {
            let left = next.saturating_duration_since(Instant::now());
            PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
        });
        match poll(&mut fds, timeout) {
            Ok(_) => {}
            Err(Errno::EINTR) => return Some((false, Vec::new())),
            // Without memory to wait with, we wait without.
            Err(_) => std::thread::sleep(PAUSE),
        }
        let mut ready = fds.iter().map(|fd| fd.any().unwrap_or(false));
        let (ended, asked) = (ready.next()?, ready.next()?);
        (!ended).then(|| (asked, ready.collect()))
    }

    /// Takes who waits, at most as many as there is room for.
    fn take(&mut self) {
        for _ in 0..MOST {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    if stream.set_nonblocking(true).is_err() {
                        continue;
                    }
                    if self.connections.len() == MOST {
                        self.connections.remove(0);
                    }
                    self.connections.push(Connection {
                        stream,
                        until: Instant::now() + TIME,
                        state: State::Reading(Vec::new()),
                    });
                }
                Err(e) if is_nothing(&e) => return,
                // They left before they were let in.
                Err(e) if e.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(_) => {
                    self.paused = Some(Instant::now() + PAUSE);
                    return;
                }
            }
        }
    }
}

struct Connection {
    stream: TcpStream,
    /// It is closed then, whatever has come of it.
    until: Instant,
    state: State,
}

enum State {
    Reading(Vec<u8>),
    /// An answer, and how much of it is gone.
    Writing(Answer, usize),
    /// Closed for writing; what still comes is thrown away, for a reset would take the answer with it.
    Lingering,
}

impl Connection {
    fn waits_for(&self) -> PollFlags {
        match self.state {
            State::Reading(_) | State::Lingering => PollFlags::POLLIN,
            State::Writing(..) => PollFlags::POLLOUT,
        }
    }

    /// Goes on as far as it can at once; `false`: it is over.
    fn advance(&mut self, page: &Arc<Page>, loopback: bool) -> bool {
        match self.go_on(page, loopback) {
            Ok(goes_on) => goes_on,
            Err(e) => is_nothing(&e),
        }
    }

    fn go_on(&mut self, page: &Arc<Page>, loopback: bool) -> io::Result<bool> {
        let mut part = [0; 4096];
        if let State::Reading(head) = &mut self.state {
            let n = self.stream.read(&mut part)?;
            if n == 0 {
                return Ok(false);
            }
            head.extend_from_slice(&part[..n]);
            let answer = match () {
                () if head.len() > HEAD_MOST => http::too_long(),
                () if http::is_whole(head) => http::answer(head, page, loopback),
                () => return Ok(true),
            };
            self.state = State::Writing(answer, 0);
        }
        if let State::Writing(answer, gone) = &mut self.state {
            loop {
                let body = answer.body.bytes();
                let left = match *gone < answer.head.len() {
                    true => &answer.head[*gone..],
                    false => &body[*gone - answer.head.len()..],
                };
                if left.is_empty() {
                    break;
                }
                match self.stream.write(left)? {
                    0 => return Ok(false),
                    n => *gone += n,
                }
            }
            self.stream.shutdown(std::net::Shutdown::Write)?;
            self.until = self.until.min(Instant::now() + LINGER);
            self.state = State::Lingering;
            return Ok(true);
        }
        // A part at a time: the others have their turn in between.
        Ok(self.stream.read(&mut part)? > 0)
    }
}

/// Nothing can be done at once; that is no failure.
fn is_nothing(e: &io::Error) -> bool {
    matches!(
        e.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests;
