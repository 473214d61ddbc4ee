//! As much of HTTP/1.1 as a scrape needs: the head of a request in, an answer out. Pure.

use std::net::IpAddr;
use std::sync::Arc;

/// The counters as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub openmetrics: Vec<u8>,
    pub plain: Vec<u8>,
}

/// A head longer than this is refused.
pub const HEAD_MOST: usize = 8 << 10;

/// An answer on its way.
#[derive(Clone, Debug)]
pub struct Answer {
    pub head: Vec<u8>,
    pub body: Body,
}

#[derive(Clone, Debug)]
pub enum Body {
    None,
    Text(&'static str),
    OpenMetrics(Arc<Page>),
    Plain(Arc<Page>),
}

impl Body {
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::None => &[],
            Self::Text(text) => text.as_bytes(),
            Self::OpenMetrics(page) => &page.openmetrics,
            Self::Plain(page) => &page.plain,
        }
    }
}

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN: &str = "text/plain; version=0.0.4; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// Whether the head of a request is whole.
pub fn is_whole(head: &[u8]) -> bool {
    head.windows(4).any(|end| end == b"\r\n\r\n") || head.windows(2).any(|end| end == b"\n\n")
}

/// The head did not end where it has to.
pub fn too_long() -> Answer {
    refused(
        "431 Request Header Fields Too Large",
        "the request's head is too long\n",
        "",
    )
}

/// The answer to a request with this head. `loopback`: only this machine can reach us, so a name in `Host` is
/// one that somebody else's page pointed here.
pub fn answer(head: &[u8], page: &Arc<Page>, loopback: bool) -> Answer {
    let Some(request) = Request::of(head) else {
        return refused("400 Bad Request", "not a request of HTTP\n", "");
    };
    if loopback && request.host.is_some_and(|host| !is_here(host)) {
        let why = "this address is asked for by IP address or as localhost\n";
        return refused("421 Misdirected Request", why, "");
    }
    if !matches!(request.method, "GET" | "HEAD") {
        let allow = "Allow: GET, HEAD\r\n";
        return refused("405 Method Not Allowed", "GET or HEAD\n", allow);
    }
    let path = request.target.split(['?', '#']).next().unwrap_or_default();
    let answer = match path {
        "/metrics" if request.wants_openmetrics => {
            found(OPENMETRICS, Body::OpenMetrics(Arc::clone(page)))
        }
        "/metrics" => found(PLAIN, Body::Plain(Arc::clone(page))),
        "/" => found(TEXT, Body::Text("bytehop: the counters are at /metrics\n")),
        _ => refused("404 Not Found", "the counters are at /metrics\n", ""),
    };
    match request.method {
        // Its length stands in the head, as for GET.
        "HEAD" => Answer {
            body: Body::None,
            ..answer
        },
        _ => answer,
    }
}

fn found(kind: &str, body: Body) -> Answer {
    with_head("200 OK", kind, "", body)
}

fn refused(status: &str, why: &'static str, more: &str) -> Answer {
    with_head(status, TEXT, more, Body::Text(why))
}

fn with_head(status: &str, kind: &str, more: &str, body: Body) -> Answer {
    let length = body.bytes().len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{more}\
         X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    );
    Answer {
        head: head.into_bytes(),
        body,
    }
}

struct Request<'a> {
    method: &'a str,
    target: &'a str,
    host: Option<&'a str>,
    wants_openmetrics: bool,
}

impl<'a> Request<'a> {
    fn of(head: &'a [u8]) -> Option<Self> {
        let head = std::str::from_utf8(head).ok()?;
        let mut lines = head.lines();
        let mut words = lines.next()?.split(' ');
        let (method, target, version) = (words.next()?, words.next()?, words.next()?);
        let is_token = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        if words.next().is_some()
            || !is_token(method)
            || !is_token(target)
            || !version.starts_with("HTTP/1.")
        {
            return None;
        }
        let mut request = Self {
            method,
            target,
            host: None,
            wants_openmetrics: false,
        };
        for line in lines.take_while(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':')?;
            if name.eq_ignore_ascii_case("host") {
                request.host = Some(value.trim());
            }
            if name.eq_ignore_ascii_case("accept") {
                request.wants_openmetrics |= value.contains("application/openmetrics-text");
            }
        }
        Some(request)
    }
}

/// Whether a `Host` is an address, or this machine's own name for itself.
fn is_here(host: &str) -> bool {
    let without_port = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => host.split(':').next(),
    };
    without_port.is_some_and(|name| {
        name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Arc<Page> {
        Arc::new(Page {
            openmetrics: b"open".to_vec(),
            plain: b"plain!".to_vec(),
        })
    }

    fn ask(head: &str) -> (String, String) {
        let answer = answer(head.as_bytes(), &page(), true);
        let head = String::from_utf8(answer.head).expect("UTF-8");
        let body = String::from_utf8_lossy(answer.body.bytes()).into_owned();
        (head, body)
    }

    #[test]
    fn requests_and_their_answers() {
        for (request, status, body) in [
            (
                "GET /metrics HTTP/1.1\r\nHost: localhost:1\r\n\r\n",
                "200",
                "plain!",
            ),
            ("GET /metrics?x HTTP/1.0\r\n\r\n", "200", "plain!"),
            (
                "GET /metrics HTTP/1.1\r\nhost: [::1]:9\r\naccept: application/openmetrics-text;version=1.0.0,*/*\r\n\r\n",
                "200",
                "open",
            ),
            (
                "HEAD /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
                "200",
                "",
            ),
            (
                "GET / HTTP/1.1\n\n",
                "200",
                "bytehop: the counters are at /metrics\n",
            ),
            (
                "GET /../etc/passwd HTTP/1.1\r\n\r\n",
                "404",
                "the counters are at /metrics\n",
            ),
            ("POST /metrics HTTP/1.1\r\n\r\n", "405", "GET or HEAD\n"),
            (
                "GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n",
                "421",
                "this address is asked for by IP address or as localhost\n",
            ),
            ("GET /metrics\r\n\r\n", "400", "not a request of HTTP\n"),
            (
                "GET  /metrics HTTP/1.1\r\n\r\n",
                "400",
                "not a request of HTTP\n",
            ),
            (
                "GET /metrics HTTP/2\r\n\r\n",
                "400",
                "not a request of HTTP\n",
            ),
            (
                "GET /metrics HTTP/1.1\r\nnonsense\r\n\r\n",
                "400",
                "not a request of HTTP\n",
            ),
            ("\r\n\r\n", "400", "not a request of HTTP\n"),
        ] {
            let (head, found) = ask(request);
            assert!(
                head.starts_with(&format!("HTTP/1.1 {status} ")),
                "{request}: {head}"
            );
            assert_eq!(found, body, "{request}");
        }
        let (head, _) = ask("HEAD /metrics HTTP/1.1\r\n\r\n");
        assert!(head.contains("Content-Length: 6\r\n"), "{head}");
        let not_text = answer(b"GET /\xff HTTP/1.1\r\n\r\n", &page(), true);
        assert!(not_text.head.starts_with(b"HTTP/1.1 400 "));
        // Whoever listens for others is asked for by any name.
        let named = answer(
            b"GET /metrics HTTP/1.1\r\nHost: node7\r\n\r\n",
            &page(),
            false,
        );
        assert!(named.head.starts_with(b"HTTP/1.1 200 "));
    }

    #[test]
    fn a_head_ends_with_an_empty_line() {
        assert!(is_whole(b"GET / HTTP/1.1\r\n\r\n") && is_whole(b"GET / HTTP/1.1\n\n"));
        assert!(!is_whole(b"GET / HTTP/1.1\r\n") && !is_whole(b""));
    }
}
