//! `bytehop top` for other systems: what Prometheus scrapes, and what a collector of OTLP decodes, is the payload.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::fixture::fixture;
use crate::harness::{
    BYTEHOP, LIMIT, Scratch, code, command, eventually, not_run, output, serial, wait,
};
use crate::leftovers::Objects;

const N: u64 = 4 << 20;
/// `comm` holds so much of it.
const FIXTURE: &str = "bytehop-fixture";

/// A process that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A `top` that tells others.
struct Exporter {
    child: Running,
    stderr: BufReader<File>,
}

impl Exporter {
    fn start(scratch: &Scratch, options: &[&str]) -> Self {
        let err = scratch.path("top.err");
        let mut line = vec![BYTEHOP, "top", "-d", "0.2"];
        line.extend(options);
        let mut command = command(&line);
        command.stderr(File::create(&err).expect("a file"));
        let child = Running(command.spawn().expect("bytehop"));
        let stderr = BufReader::new(File::open(err).expect("its messages"));
        Self { child, stderr }
    }

    /// The next thing that it says.
    fn says(&mut self) -> String {
        let mut said = String::new();
        eventually("a message", || {
            self.stderr.read_line(&mut said).expect("its messages");
            said.ends_with('\n')
        });
        said
    }

    /// Where it is scraped.
    fn address(&mut self) -> String {
        let said = self.says();
        let url = said.trim_end().rsplit("http://").next();
        let address = url.and_then(|url| url.strip_suffix("/metrics"));
        address
            .unwrap_or_else(|| panic!("no address: {said}"))
            .to_owned()
    }

    /// Ends it as systemd does.
    fn finish(mut self) {
        let objects = Objects::of(self.child.0.id());
        kill(Pid::from_raw(self.child.0.id() as i32), Signal::SIGTERM).expect("kill");
        assert_eq!(code(wait(&mut self.child.0)), 143);
        objects.assert_gone("top has ended");
    }
}

fn run(words: &[&str]) {
    output(command(&fixture(words))).expect(0);
}

/// Head and body of an answer of HTTP; `None`: nobody answers.
fn ask(address: &str, target: &str) -> Option<(String, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(LIMIT)).expect("a limit");
    let request = format!("GET {target} HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.to_owned(), body.to_owned()))
}

/// The body of an answer.
fn get(address: &str, target: &str) -> String {
    let (head, body) = ask(address, target).expect("an answer");
    assert!(head.contains(" 200 "), "{target}: {head}");
    body
}

/// Samples of a page, by name with labels.
fn samples(page: &str) -> BTreeMap<String, f64> {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ').expect("a sample");
        (name.to_owned(), value.parse().expect("a number"))
    };
    lines.map(sample).collect()
}

fn copied() -> String {
    format!(
        "bytehop_copied_bytes_total{{what=\"process\",name=\"{FIXTURE}\",evidence=\"inferred\"}}"
    )
}

/// What `of` grows by when the fixture reads [`N`] bytes, above what it grows by when it does nothing.
fn growth(scratch: &Scratch, mut of: impl FnMut(&str, u64) -> u64) -> u64 {
    let file = scratch.file("file", N as usize);
    run(&["noop"]);
    let before = of("the first run", 1);
    run(&["noop"]);
    let nothing = of("the second run", before + 1);
    run(&["pread", "64", "64K", &file]);
    let all = of("the payload", nothing + N);
    (all - nothing) - (nothing - before)
}

/// Prometheus itself scrapes it, and has the payload; what lies between is neither stopped nor filled by clients
/// that say nothing.
#[test]
#[ignore = "root"]
fn prometheus_scrapes_the_payload() {
    let _serial = serial();
    let scratch = Scratch::new();
    if command(&["prometheus", "--version"]).output().is_err() {
        return not_run(
            "prometheus_scrapes_the_payload",
            "no prometheus (Debian: prometheus)",
        );
    }
    let mut top = Exporter::start(&scratch, &["--openmetrics", "0"]);
    let address = top.address();
    let silent: Vec<_> = (0..100)
        .map(|_| TcpStream::connect(&address).expect("connect"))
        .collect();

    let free = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
    let api = free.expect("a port").to_string();
    let config = scratch.path("prometheus.yml");
    let jobs = format!(
        "global: {{scrape_interval: 500ms, scrape_timeout: 500ms}}\nscrape_configs:\n\
         - job_name: bytehop\n  static_configs: [{{targets: ['{address}']}}]\n"
    );
    std::fs::write(&config, jobs).expect("written");
    let mut prometheus = command(&[
        "prometheus",
        &format!("--config.file={config}"),
        &format!("--storage.tsdb.path={}", scratch.path("tsdb")),
        &format!("--web.listen-address={api}"),
        "--log.level=error",
    ]);
    let _prometheus = Running(
        prometheus
            .stdout(Stdio::null())
            .spawn()
            .expect("prometheus"),
    );
    eventually("prometheus", || {
        ask(&api, "/-/ready").is_some_and(|(head, _)| head.contains(" 200 "))
    });
    let query = |expression: &str| -> Option<f64> {
        let escaped: String = expression.bytes().map(|b| format!("%{b:02x}")).collect();
        let answer = get(&api, &format!("/api/v1/query?query={escaped}"));
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!(answer["status"], "success", "{answer}");
        answer["data"]["result"][0]["value"][1]
            .as_str()?
            .parse()
            .ok()
    };
    let grown = growth(&scratch, |what, least| {
        let mut value = 0;
        eventually(what, || {
            value = query(&copied()).unwrap_or(0.0) as u64;
            value >= least
        });
        // A reading may have ended in the middle of the run: what follows is waited for.
        let round = query("bytehop_last_reading_timestamp_seconds").expect("a time");
        eventually("another reading", || {
            query("bytehop_last_reading_timestamp_seconds") > Some(round + 0.5)
        });
        query(&copied()).expect("a value") as u64
    });
    assert_eq!(grown, N);
    assert_eq!(query("up{job=\"bytehop\"}"), Some(1.0));
    assert_eq!(query("count(bytehop_build_info)"), Some(1.0));
    assert_eq!(
        query("sum(resets(bytehop_copied_bytes_total[1h]))"),
        Some(0.0)
    );
    let whole = query(
        "sum(bytehop_crossings_total) - 2 * sum(bytehop_syscalls_total) - 2 * sum(bytehop_page_faults_total)",
    );
    assert_eq!(whole, Some(0.0));
    drop(silent);

    // Its own checker reads the older format, and finds nothing to mend.
    let page = get(&address, "/metrics");
    let mut promtool = command(&["promtool", "check", "metrics"]);
    promtool
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .stdout(Stdio::piped());
    let mut promtool = promtool.spawn().expect("promtool");
    promtool
        .stdin
        .take()
        .expect("stdin")
        .write_all(page.as_bytes())
        .expect("the page");
    let said = promtool.wait_with_output().expect("promtool");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&said.stdout),
        String::from_utf8_lossy(&said.stderr)
    );
    assert_eq!(said, "", "promtool check metrics");
    top.finish();
}

/// Python with OpenTelemetry's protocol buffers.
fn python() -> Option<String> {
    let python = std::env::var("BYTEHOP_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let import = "import opentelemetry.proto.collector.metrics.v1.metrics_service_pb2";
    let has = Command::new(&python).args(["-c", import]).output();
    has.is_ok_and(|out| out.status.success()).then_some(python)
}

/// A collector decodes the payload by a library that is not ours; one that is away for a while misses nothing.
#[test]
#[ignore = "root"]
fn a_collector_decodes_the_payload() {
    let _serial = serial();
    let scratch = Scratch::new();
    let Some(python) = python() else {
        let why = "python3 lacks opentelemetry.proto (`cargo xtask setup`)";
        return not_run("a_collector_decodes_the_payload", why);
    };
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/oracle/fleet/collector.py"
    );
    let out = scratch.path("otlp.jsonl");
    File::create(&out).expect("a file");
    let mut collector = command(&[python.as_str(), script, &out]);
    let mut collector = Running(collector.stdout(Stdio::piped()).spawn().expect("python"));
    let mut port = String::new();
    let stdout = collector.0.stdout.take().expect("stdout");
    BufReader::new(stdout)
        .read_line(&mut port)
        .expect("its port");
    let url = format!("http://127.0.0.1:{}", port.trim());
    let requests = || -> Vec<Value> {
        let text = std::fs::read_to_string(&out).expect("what it got");
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    };
    let mut top = Exporter::start(&scratch, &["--otlp", &url, "--openmetrics", "0"]);
    // From here on it counts.
    top.address();
    let value = |request: &Value| -> u64 {
        let points = request["points"].as_array().expect("points").iter();
        let ours = points.filter(|point| {
            point["metric"] == "bytehop.copied"
                && point["name"] == FIXTURE
                && point["evidence"] == "inferred"
        });
        ours.map(|point| point["value"].as_u64().expect("a number"))
            .sum()
    };
    let grown = growth(&scratch, |what, least| {
        eventually(what, || {
            requests().last().is_some_and(|last| value(last) >= least)
        });
        let so_far = requests().len();
        eventually("two more readings", || requests().len() >= so_far + 2);
        value(requests().last().expect("a request"))
    });
    assert_eq!(grown, N);
    top.finish();

    let all = requests();
    let mut before: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for request in &all {
        assert_eq!(request["path"], "/v1/metrics");
        assert_eq!(request["resource"]["service.name"], "bytehop");
        for point in request["points"].as_array().expect("points") {
            if point["kind"] != "sum" {
                continue;
            }
            let keys = ["metric", "what", "name", "evidence", "kind"];
            let series = keys.map(|key| point[key].to_string()).join(" ");
            let number = |key: &str| point[key].as_u64().expect("a number");
            let (since, value) = (number("since"), number("value"));
            assert!(since > 0 && since <= number("at"), "{point}");
            if let Some(was) = before.insert(series, (since, value)) {
                assert!(was.0 == since && was.1 <= value, "{was:?} {point}");
            }
        }
    }
    let copied = |point: &Value| point["metric"] == "bytehop.copied" && point["unit"] == "By";
    // The first reading may be of a machine where nothing was copied yet.
    let last = all.last().expect("a request");
    assert!(
        last["points"]
            .as_array()
            .expect("points")
            .iter()
            .any(copied)
    );
}

/// By cgroup, with two rows at most; a collector that takes requests and never answers holds up nothing, not even
/// the end.
#[test]
#[ignore = "root"]
fn rows_are_bounded_and_a_deaf_collector_holds_up_nothing() {
    let _serial = serial();
    let scratch = Scratch::new();
    let deaf = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", deaf.local_addr().expect("its address"));
    let options = [
        "--openmetrics",
        "127.0.0.1:0",
        "--otlp",
        &url,
        "--by",
        "cgroup",
        "--rows",
        "1",
    ];
    let mut top = Exporter::start(&scratch, &options);
    let address = top.address();
    let file = scratch.file("file", N as usize);
    for _ in 0..3 {
        run(&["pread", "64", "64K", &file]);
    }
    let crossings = |page: &str| -> BTreeMap<String, f64> {
        let all = samples(page).into_iter();
        all.filter(|(name, _)| name.starts_with("bytehop_crossings_total"))
            .collect()
    };
    let mut before = BTreeMap::new();
    for _ in 0..5 {
        let rows = crossings(&get(&address, "/metrics"));
        let theirs = rows
            .keys()
            .filter(|name| name.contains("cgroup=\""))
            .count();
        assert!(theirs <= 1, "{rows:?}");
        for (name, was) in &before {
            assert!(rows[name] >= *was, "{name}");
        }
        before = rows;
        std::thread::sleep(Duration::from_millis(250));
    }
    let one = before
        .keys()
        .find(|name| name.contains("cgroup=\""))
        .expect("a row");
    assert!(one.contains("cgroup=\"/"), "{one}");
    top.finish();
}

#[test]
#[ignore = "root"]
fn an_address_that_is_taken_is_told_in_one_line() {
    let _serial = serial();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    for (lang, has) in [("en", "cannot listen on"), ("zh", "上监听")] {
        let words = [BYTEHOP, "top", "--openmetrics", &address, "--lang", lang];
        let said = output(command(&words)).expect(2).stderr;
        assert!(said.contains(has) && said.lines().count() == 1, "{said}");
    }
}
