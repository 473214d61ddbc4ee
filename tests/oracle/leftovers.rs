//! Nothing stays behind: no BPF program, map or link, no process, no terminal mode.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Child, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::fixture::fixture;
use crate::harness::{BYTEHOP, Scratch, command, eventually, output, serial, wait};

/// BPF objects by the kernel's ids.
#[derive(Debug, Default)]
pub struct Objects {
    programs: BTreeSet<u32>,
    maps: BTreeSet<u32>,
}

impl Objects {
    /// What a process holds, from its descriptors (the kernel says what each refers to).
    pub fn of(pid: u32) -> Self {
        let mut objects = Self::default();
        let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fdinfo")) else {
            return objects;
        };
        for entry in entries.flatten() {
            // A descriptor may be closed at any moment.
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            for line in text.lines() {
                let Some((key, id)) = line.split_once(':') else {
                    continue;
                };
                let set = match key {
                    "prog_id" => &mut objects.programs,
                    "map_id" => &mut objects.maps,
                    _ => continue,
                };
                set.insert(id.trim().parse().expect("an id"));
            }
        }
        objects
    }

    /// Nothing is loaded yet.
    pub fn is_empty(&self) -> bool {
        self.programs.is_empty()
    }

    /// Of these, the ones that the kernel still lists.
    fn still_loaded(&self) -> Vec<u32> {
        let programs = aya::programs::loaded_programs()
            .flatten()
            .map(|program| program.id());
        let maps = aya::maps::loaded_maps().flatten().map(|map| map.id());
        let programs = programs.filter(|id| self.programs.contains(id));
        programs
            .chain(maps.filter(|id| self.maps.contains(id)))
            .collect()
    }

    pub fn assert_gone(&self, when: &str) {
        assert!(
            !self.programs.is_empty() && !self.maps.is_empty(),
            "{when}: nothing was loaded: {self:?}"
        );
        // The kernel frees after a grace period.
        eventually(&format!("{when}: programs and maps are gone"), || {
            self.still_loaded().is_empty()
        });
    }
}

/// State letter of a process in `/proc`, `None` if it is gone.
fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(") ").next()?.chars().next()
}

/// A trace of a program that has got as far as writing its own pid.
struct Running {
    child: Child,
    program: u32,
    objects: Objects,
}

fn start(verb: &[&str], scratch: &Scratch) -> Running {
    let pid_file = scratch.path("pid");
    // Left over from the turn before, if there was one.
    let _ = fs::remove_file(&pid_file);
    let sleep = fixture(&["sleep", "60000"]).join(" ");
    let script = format!("echo $$ > '{pid_file}'; exec {sleep}");
    let mut line = vec![BYTEHOP];
    line.extend(verb);
    line.extend(["--", "sh", "-c", &script]);
    let child = command(&line)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("bytehop");
    let mut program = None;
    eventually("the program runs", || {
        program = fs::read_to_string(&pid_file)
            .unwrap_or_default()
            .trim()
            .parse()
            .ok();
        program.is_some()
    });
    let objects = Objects::of(child.id());
    Running {
        child,
        program: program.expect("a pid"),
        objects,
    }
}

#[test]
#[ignore = "root"]
fn after_every_end() {
    let _serial = serial();
    let scratch = Scratch::new();
    let recording = scratch.path("recording");
    for verb in [
        &["run", "--no-tui"][..],
        &["stat"],
        &["record", "-o", &recording],
    ] {
        // The last two: bytehop itself dies, as by the kernel's or a bug's hand.
        for signal in [
            Signal::SIGINT,
            Signal::SIGTERM,
            Signal::SIGHUP,
            Signal::SIGKILL,
            Signal::SIGABRT,
        ] {
            let mut running = start(verb, &scratch);
            kill(Pid::from_raw(running.child.id() as i32), signal).expect("kill");
            wait(&mut running.child);
            let when = format!("{verb:?} after {signal}");
            running.objects.assert_gone(&when);
            if matches!(signal, Signal::SIGKILL | Signal::SIGABRT) {
                // The program goes on untraced, or went with its tracer; it is not left stopped,
                // nor a zombie (init reaps it).
                eventually(&format!("{when}: the program runs or is gone"), || {
                    !matches!(state(running.program), Some('Z' | 'T' | 't' | 'X'))
                });
                // Gone already, perhaps.
                let _ = kill(Pid::from_raw(running.program as i32), Signal::SIGKILL);
            }
            eventually(&format!("{when}: the program is gone"), || {
                matches!(state(running.program), None | Some('Z'))
            });
        }
    }
}

#[test]
#[ignore = "root"]
fn after_a_normal_end() {
    let _serial = serial();
    let scratch = Scratch::new();
    for verb in ["run", "stat"] {
        let mut running = start(&[verb], &scratch);
        kill(Pid::from_raw(running.program as i32), Signal::SIGTERM).expect("kill");
        wait(&mut running.child);
        running.objects.assert_gone(verb);
        assert_eq!(state(running.program), None, "{verb}");
    }
}

/// Killed while it loads, holds or releases the command: no process of either stays.
#[test]
#[ignore = "root"]
fn killed_while_starting() {
    let _serial = serial();
    for i in 0..16 {
        let marker = format!("60{i:03}.5");
        let line = [BYTEHOP, "run", "--no-tui", "--", "sleep", &marker];
        let mut child = command(&line)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("bytehop");
        std::thread::sleep(Duration::from_millis(i * 25));
        let objects = Objects::of(child.id());
        child.kill().expect("kill");
        child.wait().expect("wait");
        // A command that was never released must not wait for ever.
        eventually("the held command is gone or was released", || {
            held(child.id()).is_empty()
        });
        eventually("programs and maps are gone", || {
            objects.still_loaded().is_empty()
        });
        for pid in processes(|words| words == ["sleep", marker.as_str()]) {
            kill(Pid::from_raw(pid as i32), Signal::SIGKILL).expect("kill");
        }
    }
}

/// Processes that still are bytehop's own image with the command line of the one that was killed.
fn held(killed: u32) -> Vec<u32> {
    let mine = processes(|words| words.first().is_some_and(|word| word == BYTEHOP));
    mine.into_iter()
        .filter(|pid| *pid != killed && state(*pid) != Some('Z'))
        .collect()
}

fn processes(wanted: impl Fn(&[String]) -> bool) -> Vec<u32> {
    let pids = fs::read_dir("/proc").expect("/proc").flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words: Vec<String> = line.split_terminator('\0').map(str::to_owned).collect();
        wanted(&words)
    })
    .collect()
}

#[test]
#[ignore = "root"]
fn the_terminal_is_as_it_was() {
    let _serial = serial();
    let script = format!("stty -a; '{BYTEHOP}' run -- true 2>/dev/null; stty -a");
    let mut script = command(&["script", "-qec", &script, "/dev/null"]);
    script.env("TERM", "xterm").env("SHELL", "/bin/sh");
    let text = output(script).expect(0).stdout.replace('\r', "");
    let settings: Vec<&str> = text.split("speed ").skip(1).collect();
    assert_eq!(settings.len(), 2, "{text}");
    assert_eq!(settings[0].trim_end(), settings[1].trim_end());
}
