//! Asking the kernel again where its answer passes: with a bound, after which the answer stands.

use std::error::Error;
use std::thread;
use std::time::Duration;

use nix::errno::Errno;

use super::refusal::errno;

/// Why an answer may be another one a moment later, and how often that is tried.
struct Passing {
    errnos: &'static [Errno],
    tries: u32,
    /// Doubled each time.
    pause: Duration,
}

const PASSING: [Passing; 2] = [
    // The verifier gives up when a signal is pending (do_check in kernel/bpf/verifier.c), perf_event_open
    // when it waits for a lock (kernel/events/core.c). Once we are asked again, the signal is handled.
    Passing {
        errnos: &[Errno::EAGAIN, Errno::EINTR],
        tries: 200,
        pause: Duration::ZERO,
    },
    // A trampoline that another tracer is changing; memory that the kernel is about to reclaim.
    Passing {
        errnos: &[Errno::EBUSY, Errno::ENOMEM],
        tries: 4,
        pause: Duration::from_millis(5),
    },
];

/// The answer, once it does not pass.
pub(super) fn persistently<T, E: Error + 'static>(
    mut attempt: impl FnMut() -> Result<T, E>,
) -> Result<T, E> {
    let mut tried = [0; PASSING.len()];
    loop {
        let answer = attempt();
        let number = answer.as_ref().err().and_then(|e| errno(e));
        let passing = number.and_then(|number| {
            let mut kinds = PASSING.iter().zip(&mut tried);
            kinds.find(|(passing, _)| passing.errnos.contains(&number))
        });
        match passing {
            Some((passing, tried)) if *tried < passing.tries => {
                thread::sleep(passing.pause * (1 << *tried.min(&mut 10)));
                *tried += 1;
            }
            _ => return answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn what_passes_is_asked_again_and_not_for_ever() {
        for (errno, asked) in [
            (Errno::EAGAIN, 201),
            (Errno::EINTR, 201),
            (Errno::EBUSY, 5),
            (Errno::EINVAL, 1),
            (Errno::EPERM, 1),
        ] {
            let mut n = 0;
            let answer: Result<(), io::Error> = persistently(|| {
                n += 1;
                Err(errno.into())
            });
            let answer = answer.expect_err("it never succeeds");
            assert_eq!(answer.raw_os_error(), Some(errno as i32));
            assert_eq!(n, asked, "{errno:?}");
        }
    }

    #[test]
    fn the_first_success_counts() {
        let mut answers = [Err(Errno::EAGAIN), Err(Errno::EBUSY), Ok(7)].into_iter();
        let answer = persistently(|| {
            let answer = answers.next().expect("asked too often");
            answer.map_err(io::Error::from)
        });
        assert_eq!(answer.expect("the third"), 7);
    }
}
