//! How long a program ran, against its own clock.

use std::process::{Child, Stdio};

use crate::harness::{Scratch, VERBS, command, compiled, not_run, serial, trace};

const SPIN: &str = r"
#include <time.h>
static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}
int main(void) {
    long long begin = now();
    while (now() - begin < 3000000)
        ;
}
";

/// Processes that leave no processor idle.
struct Loops(Vec<Child>);

impl Loops {
    fn start(n: usize) -> Self {
        let start = |_| {
            let mut line = command(&["sh", "-c", "while :; do :; done"]);
            line.stdout(Stdio::null()).spawn().expect("sh")
        };
        Self((0..n).map(start).collect())
    }
}

impl Drop for Loops {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// No shorter than the program's own clock says, on a machine that has no time for us. Alone, a program that
/// does nothing takes no second.
#[test]
#[ignore = "root"]
fn beside_busy_loops() {
    let _serial = serial();
    let scratch = Scratch::new();
    let Some(spin) = compiled(&scratch, "spin", SPIN) else {
        return not_run("clock::beside_busy_loops", "no gcc here");
    };
    for loops in [0, 4] {
        let _loops = Loops::start(loops);
        for verb in VERBS {
            for _ in 0..4 {
                let took = trace(verb, &[&spin]).number("/duration_ns");
                assert!(took >= 3_000_000, "{verb:?} beside {loops}: {took} ns");
                let nothing = trace(verb, &["true"]).number("/duration_ns");
                let most = if loops == 0 {
                    100_000_000
                } else {
                    1_000_000_000
                };
                assert!(
                    (100_000..most).contains(&nothing),
                    "{verb:?} beside {loops}: {nothing} ns"
                );
            }
        }
    }
}
