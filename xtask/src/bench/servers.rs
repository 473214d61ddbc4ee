//! What tracing costs a server of Debian's packages: requests a second that its own load generator counts.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::Bench;
use super::tables::Tool;
use crate::command::{find, output};

/// A server and who asks it. In the words `PORT` and `FOLDER` are replaced.
pub struct Server {
    pub name: &'static str,
    pub title: &'static str,
    /// Debian's packages that it takes.
    packages: &'static str,
    start: &'static [&'static str],
    load: &'static [&'static str],
    stop: &'static [&'static str],
    /// What stands before the number in what the load generator says, and what the number counts.
    says: &'static str,
}

pub const SERVERS: &[Server] = &[
    Server {
        name: "nginx",
        title: "nginx, a file of 4 KiB, wrk with 8 connections",
        packages: "nginx-light wrk",
        start: &["nginx", "-p", "FOLDER", "-c", "FOLDER/nginx.conf"],
        load: &["wrk", "-t1", "-c8", "-d2s", "http://127.0.0.1:PORT/page"],
        stop: &["sh", "-c", "kill $(cat FOLDER/pid)"],
        says: "Requests/sec:",
    },
    Server {
        name: "redis",
        title: "redis, GET, redis-benchmark with 20 connections",
        packages: "redis-server redis-tools",
        start: &[
            "redis-server",
            "--port",
            "PORT",
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            "FOLDER",
        ],
        load: &[
            "redis-benchmark",
            "-p",
            "PORT",
            "-c",
            "20",
            "-n",
            "60000",
            "-t",
            "get",
            "--csv",
        ],
        stop: &["redis-cli", "-p", "PORT", "shutdown", "nosave"],
        says: "\"GET\",\"",
    },
];

/// How long a server may take until it answers, and until it has ended.
const PATIENCE: Duration = Duration::from_secs(30);

impl Server {
    /// Requests a second under one tool.
    ///
    /// # Errors
    /// If a package is not installed, or the server or its load generator fails.
    pub fn once(&self, bench: &Bench, tool: &Tool) -> Result<f64> {
        for program in [self.start[0], self.load[0]] {
            if find(program).is_none() {
                bail!(
                    "{program} is not installed: apt-get install {}",
                    self.packages
                );
            }
        }
        if tool.quoted {
            bail!("it counts the fixture's calls alone");
        }
        let folder = bench.scratch.join(self.name);
        fs::create_dir_all(&folder)?;
        let port = free_port()?;
        write_files(&folder, port)?;
        let words = |words: &[&str]| -> Vec<String> {
            let folder = folder.display().to_string();
            let fill = |word: &&str| {
                word.replace("PORT", &port.to_string())
                    .replace("FOLDER", &folder)
            };
            words.iter().map(fill).collect()
        };
        let mut line = bench.tool_words(tool)?;
        line.extend(words(self.start));
        let mut child = Command::new(&line[0])
            .args(&line[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", line[0]))?;
        let asked = answers(&mut child, port).and_then(|()| said(&words(self.load)));
        let stopped = said(&words(self.stop));
        ended(&mut child)?;
        stopped?;
        let said = asked?;
        bench.nothing_lost(tool)?;
        let number = said.split_once(self.says).map(|(_, rest)| {
            let rest = rest.trim_start();
            &rest[..rest
                .find(|c: char| !c.is_ascii_digit() && c != '.')
                .unwrap_or(rest.len())]
        });
        let number = number.and_then(|number| number.parse().ok());
        number.with_context(|| format!("{} said {said}", self.load[0]))
    }
}

fn said(words: &[String]) -> Result<String> {
    output(Command::new(&words[0]).args(&words[1..]))
}

/// A port that nobody listens at.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

/// nginx's settings and its page; the master and one worker, as Debian's run.
fn write_files(folder: &Path, port: u16) -> Result<()> {
    fs::write(folder.join("page"), vec![b'x'; 4096])?;
    let at = folder.display();
    let settings = format!(
        "daemon off; worker_processes 1; pid {at}/pid; error_log {at}/errors;\n\
         events {{ }}\n\
         http {{ access_log off; sendfile on; keepalive_requests 1000000000;\n\
         server {{ listen 127.0.0.1:{port}; root {at}; }} }}\n"
    );
    fs::write(folder.join("nginx.conf"), settings)?;
    Ok(())
}

/// Asks again and again; false if it took too long.
fn soon(mut there: impl FnMut() -> Result<bool>) -> Result<bool> {
    let since = Instant::now();
    while since.elapsed() < PATIENCE {
        if there()? {
            return Ok(true);
        }
        sleep(Duration::from_millis(20));
    }
    Ok(false)
}

/// Waits until the server takes a connection.
fn answers(child: &mut Child, port: u16) -> Result<()> {
    let answered = soon(|| {
        if let Some(status) = child.try_wait()? {
            bail!("it ended ({status}) before it answered");
        }
        Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok())
    })?;
    ensure!(answered, "it did not answer");
    Ok(())
}

/// Waits until the server and its tool have ended; one that does not is killed.
fn ended(child: &mut Child) -> Result<()> {
    if soon(|| Ok(child.try_wait()?.is_some()))? {
        return Ok(());
    }
    child.kill()?;
    child.wait()?;
    bail!("it did not end")
}
