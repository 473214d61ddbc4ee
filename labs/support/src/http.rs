//! As much of HTTP as the labs' servers and the load that drives them need.

use std::fs::File;
use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use crate::checksum::Checksum;
use crate::process::in_child;

/// Serves these files over one connection, to a child that gets all of them so many times, and then
/// prints a checksum of what it got. `answer` sends the body of an answer, the whole file.
pub fn serve(
    files: &[String],
    times: usize,
    mut answer: impl FnMut(&mut TcpStream, File) -> Result<()>,
) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let load = in_child(|| get_all(address, files, times))?;

    let (mut client, _) = listener.accept()?;
    client.set_nodelay(true)?;
    while let Some(path) = request(&mut client)? {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        client
            .write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n").as_bytes())?;
        answer(&mut client, file)?;
    }
    load.wait()
}

/// The path in a request; `None` when the client has gone.
fn request(client: &mut TcpStream) -> Result<Option<String>> {
    // A request of ours comes in one piece, and nothing follows it before the answer.
    let mut buffer = [0; 1024];
    let n = client.read(&mut buffer)?;
    let text = String::from_utf8_lossy(&buffer[..n]);
    Ok(text.split(' ').nth(1).map(str::to_owned))
}

fn get_all(address: SocketAddr, files: &[String], times: usize) -> Result<()> {
    let server = TcpStream::connect(address)?;
    server.set_nodelay(true)?;
    let mut answers = BufReader::with_capacity(64 * 1024, server.try_clone()?);
    let (mut bytes, mut checksum) = (0, Checksum::new());
    for _ in 0..times {
        for path in files {
            let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
            (&server).write_all(request.as_bytes())?;
            let mut left = length(&mut answers)?;
            bytes += left;
            while left > 0 {
                let piece = answers.fill_buf()?;
                let n = piece.len().min(left);
                if n == 0 {
                    return Err(Error::from(ErrorKind::UnexpectedEof));
                }
                checksum.add(&piece[..n]);
                answers.consume(n);
                left -= n;
            }
        }
    }
    println!("received {bytes} bytes, checksum {checksum}");
    Ok(())
}

/// Reads an answer's head: the length of its body.
fn length(answers: &mut impl BufRead) -> Result<usize> {
    let mut length = None;
    loop {
        let mut line = String::new();
        answers.read_line(&mut line)?;
        if let Some(text) = line.strip_prefix("Content-Length: ") {
            length = text.trim().parse().ok();
        }
        if line.trim().is_empty() {
            return length.ok_or_else(|| Error::from(ErrorKind::InvalidData));
        }
    }
}
