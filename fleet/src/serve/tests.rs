//! Slow, hostile and many clients on the loopback interface. What counts is that a good one is answered meanwhile.

use super::*;

const PAGE: usize = 300_000;

fn server() -> Server {
    let listener = Server::listen(([127, 0, 0, 1], 0).into()).expect("an address");
    let page = Page {
        openmetrics: b"# EOF\n".to_vec(),
        plain: vec![b'x'; PAGE],
    };
    Server::start(listener, page).expect("a thread")
}

/// Sends `request` and reads to the end, or to a reset.
fn ask(server: &Server, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(server.address()).expect("connect");
    // A limit for a test that fails, no measure.
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .expect("a limit");
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

#[track_caller]
fn is_answered(server: &Server) {
    let answer = ask(server, b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    let body = answer.iter().rev().take_while(|b| **b == b'x').count();
    assert_eq!(body, PAGE, "the whole page");
}

#[test]
fn a_page_is_answered_whole_and_anew() {
    let server = server();
    is_answered(&server);
    server.set(Page {
        openmetrics: Vec::new(),
        plain: b"new".to_vec(),
    });
    let answer = ask(&server, b"GET /metrics HTTP/1.1\r\n\r\n");
    assert!(answer.ends_with(b"\r\n\r\nnew"));
}

#[test]
fn clients_that_say_nothing_or_read_nothing_keep_nobody_out() {
    let server = server();
    let connect = || TcpStream::connect(server.address()).expect("connect");
    // More than there is room for: some say nothing, some stop within the head, some never read.
    let mut held = Vec::new();
    for i in 0..3 * MOST {
        let mut stream = connect();
        let part: &[u8] = match i % 3 {
            0 => b"",
            1 => b"GET /metrics HT",
            _ => b"GET /metrics HTTP/1.1\r\n\r\n",
        };
        // The oldest may have been closed by now.
        let _ = stream.write_all(part);
        held.push(stream);
        if i % 16 == 0 {
            is_answered(&server);
        }
    }
    is_answered(&server);
    let connections = descriptors(&server);
    assert!(
        connections <= MOST + 1,
        "{connections} connections are held"
    );
}

/// How many connections to the server this process holds at the server's end.
fn descriptors(server: &Server) -> usize {
    let port = format!(":{:04X}", server.address().port());
    let table = std::fs::read_to_string("/proc/net/tcp").expect("the kernel's table");
    let established = table.lines().filter(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        // Local address, state: established.
        fields.get(1).is_some_and(|local| local.ends_with(&port)) && fields.get(3) == Some(&"01")
    });
    established.count()
}

#[test]
fn too_much_is_refused() {
    let server = server();
    let mut long = b"GET /metrics HTTP/1.1\r\nX: ".to_vec();
    long.resize(HEAD_MOST + 100, b'a');
    assert!(ask(&server, &long).starts_with(b"HTTP/1.1 431 "));
    // A body that never ends is not read.
    let mut stream = TcpStream::connect(server.address()).expect("connect");
    stream
        .write_all(b"POST /metrics HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n")
        .expect("sent");
    let megabyte = vec![b'b'; 1 << 20];
    // Taken for a second, then closed: at most some hundred megabytes on the fastest machine.
    let closed = (0..100_000).any(|_| stream.write_all(&megabyte).is_err());
    assert!(closed, "it is not read for ever");
    for nonsense in [
        &b"\0\xff\xfe\r\n\r\n"[..],
        b"\r\n\r\n",
        b"\x16\x03\x01\x02\0\x01\n\n",
    ] {
        assert!(
            ask(&server, nonsense).starts_with(b"HTTP/1.1 400 "),
            "{nonsense:?}"
        );
    }
    is_answered(&server);
}

#[test]
fn it_ends_whoever_is_there() {
    let server = server();
    let address = server.address();
    let mut held: Vec<_> = (0..5)
        .map(|_| TcpStream::connect(address).expect("connect"))
        .collect();
    drop(server);
    for stream in &mut held {
        let mut rest = [0; 1];
        assert!(
            matches!(stream.read(&mut rest), Ok(0) | Err(_)),
            "it is closed"
        );
    }
    assert!(TcpStream::connect(address).is_err(), "nobody listens");
}
