//! As much of HTTP as it takes to fetch a file.

use std::io::{self, BufRead, BufReader, Read, Take, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use bytehop_core::modules::Why;

/// As much of a head is read.
const HEAD: u64 = 64 << 10;
const REDIRECTS: usize = 5;

/// Why there is no file.
pub type No = (Why, String);

/// What may be spent on a file.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub until: Instant,
    pub bytes: u64,
}

impl Limits {
    pub fn left(&self) -> Result<Duration, No> {
        let left = self.until.saturating_duration_since(Instant::now());
        match left.is_zero() {
            true => Err((Why::Late, String::new())),
            false => Ok(left),
        }
    }
}

/// Where a request leads.
pub enum Answer {
    /// The file is written.
    Done,
    /// To be asked for by other means.
    Elsewhere(String),
}

/// Writes what is at an address of plain HTTP.
pub fn fetch(url: &str, limits: Limits, out: &mut impl Write) -> Result<Answer, No> {
    let mut url = url.to_owned();
    for _ in 0..REDIRECTS {
        let Some(rest) = url.strip_prefix("http://") else {
            return Ok(Answer::Elsewhere(url));
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let mut stream = Timed::connect(authority, limits)?;
        let request = format!(
            "GET /{path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: bytehop/{}\r\nConnection: close\r\n\r\n",
            env!("CARGO_PKG_VERSION")
        );
        stream.inner.write_all(request.as_bytes()).map_err(failed)?;
        let mut reader = BufReader::new(stream);
        let head = Head::read(&mut reader)?;
        match (head.status, &head.location) {
            (200, _) => {
                body(&mut reader, &head, limits, out)?;
                return Ok(Answer::Done);
            }
            (301 | 302 | 303 | 307 | 308, Some(to)) if to.contains("://") => url.clone_from(to),
            (301 | 302 | 303 | 307 | 308, Some(to)) => url = format!("http://{authority}{to}"),
            (404, _) => return Err((Why::NotServed, String::new())),
            (status, _) => return Err((Why::Failed, format!("HTTP {status}"))),
        }
    }
    Err((Why::Failed, "HTTP redirects".to_owned()))
}

/// A connection whose reads end when the time is over.
struct Timed {
    inner: TcpStream,
    limits: Limits,
}

impl Timed {
    fn connect(authority: &str, limits: Limits) -> Result<Self, No> {
        // A name with its port; an IPv6 address has colons of its own.
        let has_port = authority.rsplit_once(':').is_some_and(|(host, port)| {
            port.parse::<u16>().is_ok() && (!host.contains(':') || host.ends_with(']'))
        });
        let named = match has_port {
            true => authority.to_owned(),
            false => format!("{authority}:80"),
        };
        let mut last = (Why::Failed, String::new());
        for address in named.to_socket_addrs().map_err(failed)? {
            match TcpStream::connect_timeout(&address, limits.left()?) {
                Ok(inner) => {
                    inner
                        .set_write_timeout(Some(limits.left()?))
                        .map_err(failed)?;
                    return Ok(Self { inner, limits });
                }
                Err(e) => last = failed(e),
            }
        }
        Err(last)
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.limits.left().map_err(|_| io::ErrorKind::TimedOut)?;
        self.inner.set_read_timeout(Some(left))?;
        self.inner.read(buffer)
    }
}

fn failed(e: io::Error) -> No {
    match e.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => (Why::Late, String::new()),
        _ => (Why::Failed, e.to_string()),
    }
}

fn no_http() -> No {
    (Why::Failed, "no HTTP".to_owned())
}

/// What is known of an answer.
#[derive(Debug, Default, PartialEq, Eq)]
struct Head {
    status: u16,
    length: Option<u64>,
    chunked: bool,
    location: Option<String>,
}

impl Head {
    fn read(reader: &mut impl BufRead) -> Result<Self, No> {
        let mut reader = reader.take(HEAD);
        let first = line(&mut reader)?;
        let status = first
            .strip_prefix("HTTP/1.")
            .and_then(|rest| rest.split(' ').nth(1));
        let mut head = Self {
            status: status
                .and_then(|status| status.parse().ok())
                .ok_or_else(no_http)?,
            ..Self::default()
        };
        loop {
            let line = line(&mut reader)?;
            if line.is_empty() {
                return Ok(head);
            }
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => head.length = value.parse().ok(),
                "transfer-encoding" => head.chunked = value.eq_ignore_ascii_case("chunked"),
                "location" if value.bytes().all(|b| b.is_ascii_graphic()) => {
                    head.location = Some(value.to_owned())
                }
                _ => {}
            }
        }
    }
}

/// A line without its end; an error where the connection ends before.
fn line(reader: &mut Take<impl BufRead>) -> Result<String, No> {
    let mut bytes = Vec::new();
    reader.read_until(b'\n', &mut bytes).map_err(failed)?;
    match bytes.pop() {
        Some(b'\n') => Ok(String::from_utf8_lossy(&bytes)
            .trim_end_matches('\r')
            .to_owned()),
        _ => Err(no_http()),
    }
}

fn body(
    reader: &mut impl BufRead,
    head: &Head,
    limits: Limits,
    out: &mut impl Write,
) -> Result<(), No> {
    let cut_off = || (Why::Failed, "HTTP: cut off".to_owned());
    let mut left = limits.bytes;
    let mut some = |reader: &mut dyn BufRead, bytes: u64, out: &mut dyn Write| {
        left = left
            .checked_sub(bytes)
            .ok_or((Why::TooLarge, String::new()))?;
        let copied = io::copy(&mut reader.take(bytes), out).map_err(failed)?;
        match copied == bytes {
            true => Ok(()),
            false => Err(cut_off()),
        }
    };
    if !head.chunked {
        return match head.length {
            Some(length) => some(reader, length, out),
            None => {
                let copied = io::copy(&mut reader.take(limits.bytes + 1), out).map_err(failed)?;
                match copied > limits.bytes {
                    true => Err((Why::TooLarge, String::new())),
                    false => Ok(()),
                }
            }
        };
    }
    loop {
        let size = line(&mut (&mut *reader).take(HEAD))?;
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(|_| no_http())?;
        if size == 0 {
            return Ok(());
        }
        some(reader, size, out)?;
        line(&mut (&mut *reader).take(HEAD))?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(bytes: u64) -> Limits {
        Limits {
            until: Instant::now() + Duration::from_secs(60),
            bytes,
        }
    }

    fn read(answer: &str, bytes: u64) -> Result<String, Why> {
        let mut reader = answer.as_bytes();
        let head = Head::read(&mut reader).map_err(|no| no.0)?;
        let mut out = Vec::new();
        body(&mut reader, &head, limits(bytes), &mut out).map_err(|no| no.0)?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    #[test]
    fn answers() {
        let whole = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n";
        let open = "HTTP/1.0 200 OK\r\n\r\nhello";
        for answer in [whole, chunked, open] {
            assert_eq!(read(answer, 5).as_deref(), Ok("hello"), "{answer}");
            assert_eq!(read(answer, 4), Err(Why::TooLarge), "{answer}");
        }
        for end in [whole.len() - 1, 20, 3, 0] {
            assert_eq!(read(&whole[..end], 5), Err(Why::Failed), "{end}");
        }
        assert_eq!(read(&chunked[..chunked.len() - 8], 5), Err(Why::Failed));
        assert_eq!(read("SSH-2.0-x\r\n\r\n", 5), Err(Why::Failed));
    }
}
