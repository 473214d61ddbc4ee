//! Where to listen, and where to send.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// Where nobody else's exporter listens by custom.
pub const PORT: u16 = 9814;

/// An address to listen on: `IP:PORT`, `IP`, or `PORT` of the loopback interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address(pub SocketAddr);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressError {
    Address,
    Url,
    Tls,
}

crate::says! { AddressError, lang:
    Self::Address => "not an address: PORT, IP or IP:PORT, such as 9814 or 127.0.0.1:9814" | "不是地址：写 PORT、IP 或 IP:PORT，例如 9814 或 127.0.0.1:9814";
    Self::Url => "not a URL: http://HOST[:PORT][/PATH], such as http://127.0.0.1:4318" | "不是 URL：写 http://HOST[:PORT][/PATH]，例如 http://127.0.0.1:4318";
    Self::Tls => "https is not spoken: send to a collector on this machine, which sends on by TLS (http://127.0.0.1:4318)" | "不支持 https：请发给本机的采集器，由它用 TLS 转发（http://127.0.0.1:4318）";
}

impl std::error::Error for AddressError {}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let local = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        let port = |text: &str| match text.bytes().all(|b| b.is_ascii_digit()) {
            true => text.parse::<u16>().ok(),
            false => None,
        };
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        let found = if let Some(port) = port(text.strip_prefix(':').unwrap_or(text)) {
            Some(local(port))
        } else if let Some(rest) = text.strip_prefix("localhost") {
            match rest.strip_prefix(':') {
                None if rest.is_empty() => Some(local(PORT)),
                None => None,
                Some(rest) => port(rest).map(local),
            }
        } else {
            let whole = text.parse::<SocketAddr>().ok();
            whole.or_else(|| Some(SocketAddr::new(bare.parse().ok()?, PORT)))
        };
        found.map(Self).ok_or(AddressError::Address)
    }
}

/// Where a collector takes OTLP over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// As `Host:` has it.
    pub authority: String,
    pub host: String,
    pub port: u16,
    pub path: String,
}

impl Url {
    /// Without a path it is the one of the specification.
    const PATH: &'static str = "/v1/metrics";
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "http://{}{}", self.authority, self.path)
    }
}

impl FromStr for Url {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.starts_with("https://") {
            return Err(AddressError::Tls);
        }
        let rest = text.strip_prefix("http://").ok_or(AddressError::Url)?;
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        // It becomes a line of a request.
        let is_plain = |text: &str| text.bytes().all(|b| b.is_ascii_graphic());
        let is_wrong = authority.is_empty()
            || authority.contains(['@', '?', '#'])
            || path.contains('#')
            || !is_plain(rest);
        if is_wrong {
            return Err(AddressError::Url);
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']').ok_or(AddressError::Url)?;
                (host, rest)
            }
            None => match authority.find(':') {
                Some(at) => authority.split_at(at),
                None => (authority, ""),
            },
        };
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => 80,
            None => return Err(AddressError::Url),
            Some(port) => port.parse().map_err(|_| AddressError::Url)?,
        };
        let path = match path {
            "" | "/" => Self::PATH,
            path => path,
        };
        match host.is_empty() {
            true => Err(AddressError::Url),
            false => Ok(Self {
                authority: authority.to_owned(),
                host: host.to_owned(),
                port,
                path: path.to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_to_listen() {
        for (text, expected) in [
            ("9814", "127.0.0.1:9814"),
            (":80", "127.0.0.1:80"),
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("0.0.0.0", "0.0.0.0:9814"),
            ("localhost", "127.0.0.1:9814"),
            ("localhost:1", "127.0.0.1:1"),
            ("::1", "[::1]:9814"),
            ("[::1]", "[::1]:9814"),
            ("[::]:9000", "[::]:9000"),
        ] {
            let address = text.parse::<Address>().expect(text);
            assert_eq!(address.0.to_string(), expected, "{text}");
        }
        for wrong in [
            "",
            ":",
            "x",
            "70000",
            "-1",
            "+80",
            "127.0.0.1:",
            "localhostx",
            "a.example:80",
            "1.2.3",
        ] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn where_to_send() {
        for (text, host, port, path) in [
            ("http://127.0.0.1:4318", "127.0.0.1", 4318, "/v1/metrics"),
            ("http://collector:4318/", "collector", 4318, "/v1/metrics"),
            ("http://[::1]:4318/x/y", "::1", 4318, "/x/y"),
            ("http://collector/a?b=c", "collector", 80, "/a?b=c"),
        ] {
            let url = text.parse::<Url>().expect(text);
            assert_eq!(
                (url.host.as_str(), url.port, url.path.as_str()),
                (host, port, path)
            );
        }
        for wrong in [
            "",
            "http://",
            "http:///x",
            "127.0.0.1:4318",
            "http://a:b",
            "http://a:99999",
            "http://u:p@a",
            "http://a/b c",
            "http://a/\r\nX: y",
            "http://[::1",
            "http://[::1]x",
            "ftp://a",
            "http://a/é",
        ] {
            assert_eq!(wrong.parse::<Url>(), Err(AddressError::Url), "{wrong}");
        }
        assert_eq!("https://a".parse::<Url>(), Err(AddressError::Tls));
    }

    #[test]
    fn errors_speak_the_readers_language() {
        assert_eq!(crate::i18n::problems(AddressError::TEXTS), [""; 0]);
    }
}
