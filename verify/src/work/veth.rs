//! Two network namespaces, joined by a pair of `veth`: what containers send through.
//!
//! No device moves anything: `veth_xmit` hands the packet itself to the other end, references and all
//! (`__dev_forward_skb`), and who receives it copies.

use std::fs::{self, File};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::process::{self, Command, Stdio};

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::{Uid, getuid};

use super::sockets;
use crate::scene::{Done, Scene, not_offered, offered};

/// The ends' addresses, which only they know of.
const HERE: &str = "10.98.104.1";
const THERE: &str = "10.98.104.2";

pub fn read_write(scene: &mut Scene) -> Result<Done> {
    let (out, receiver) = pair()?;
    sockets::read_write(scene, out, receiver)
}

pub fn sendfile(scene: &mut Scene) -> Result<Done> {
    let (out, receiver) = pair()?;
    sockets::send_file(scene, out, receiver)
}

/// Two ends of a TCP connection, in namespaces of their own, which end with the process.
fn pair() -> Result<(TcpStream, TcpStream)> {
    let there = new_namespace()?;
    let _here = new_namespace()?;
    let far = format!("/proc/{}/fd/{}", process::id(), there.as_raw_fd());
    ip(&format!(
        "link add vethhere type veth peer name veththere\n\
         link set veththere netns {far}\n\
         address add {HERE}/30 dev vethhere\n\
         link set vethhere up\n"
    ))?;
    let listener = TcpListener::bind((HERE, 0))?;
    setns(&there, CloneFlags::CLONE_NEWNET)?;
    ip(&format!(
        "address add {THERE}/30 dev veththere\n\
         link set veththere up\n"
    ))?;
    let out = TcpStream::connect(listener.local_addr()?)?;
    let (receiver, _) = listener.accept()?;
    Ok((out, receiver))
}

/// Enters a network namespace that is new; without the right to, in a user namespace of our own.
fn new_namespace() -> Result<File> {
    let user = getuid();
    let made = match unshare(CloneFlags::CLONE_NEWNET) {
        Err(Errno::EPERM) => {
            let both = CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET;
            unshare(both).and_then(|()| become_root(user))
        }
        made => made,
    };
    offered("network namespaces", made)?;
    Ok(File::open("/proc/self/ns/net")?)
}

/// In a new user namespace: a program that is run keeps its rights only as root.
fn become_root(user: Uid) -> Result<(), Errno> {
    fs::write("/proc/self/uid_map", format!("0 {user} 1")).map_err(crate::scene::errno)
}

/// Commands of `ip -batch`.
fn ip(commands: &str) -> Result<()> {
    let start = |program: &str| {
        let mut ip = Command::new(program);
        ip.args(["-batch", "-"]).stdin(Stdio::piped());
        ip.stdout(Stdio::null()).stderr(Stdio::piped());
        ip.spawn().ok()
    };
    // A user's PATH may not have what is for administrators.
    let Some(mut child) = ["ip", "/usr/sbin/ip", "/sbin/ip"]
        .into_iter()
        .find_map(start)
    else {
        return not_offered("no command `ip` (iproute2) to make a veth pair");
    };
    let mut input = child.stdin.take().context("a pipe")?;
    input.write_all(commands.as_bytes())?;
    drop(input);
    let output = child.wait_with_output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let why = said.lines().next().unwrap_or_default();
        return not_offered(format!("veth: {why}"));
    }
    Ok(())
}
