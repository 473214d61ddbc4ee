//! Paths that are traced once more: those that are wrong in a trace whose probes the kernel skipped, or that
//! lost events.
//!
//! A kernel runs no program of ours while the same one is under way on that processor, and counts that. On
//! Linux 7.2 a task in the middle of one may be preempted by another (docs/kernels.md).

use bytehop_core::notice::Notice;

use crate::report::Run;

impl Run {
    /// The kernel skipped probes, or events were lost: numbers may be too small.
    pub(crate) fn doubt(&self) -> bool {
        let skipped = self
            .warnings
            .iter()
            .any(|notice| matches!(notice, Notice::Skipped { .. }));
        skipped || self.lost > 0
    }

    /// Names of the paths whose numbers may be too small for that reason.
    pub fn doubtful(&self) -> Vec<String> {
        let doubt = self.doubt();
        let wrong = self.results.iter().filter(|o| doubt && o.wrong());
        let mut names: Vec<String> = wrong.map(|o| o.done.path.clone()).collect();
        names.dedup();
        names
    }

    /// Takes the results of tracing [`Self::doubtful`] paths again, and says which were.
    pub fn settle(&mut self, again: Run) {
        let mut settled = Vec::new();
        for new in again.results {
            let same = |old: &&mut crate::report::Outcome| {
                old.done.path == new.done.path && old.done.dir == new.done.dir && old.wrong()
            };
            if let Some(old) = self.results.iter_mut().find(same) {
                settled.push(format!("{} ({})", new.done.path, new.done.dir));
                *old = new;
            }
        }
        self.lost += again.lost;
        self.warnings.push(Notice::Again(settled.join(", ")));
    }
}

#[cfg(test)]
mod tests {
    use bytehop_core::notice::Notice;

    use crate::judge::Judge;
    use crate::report::Run;
    use crate::scene::Done;

    fn run(warnings: &[Notice], done: &[Done]) -> Run {
        let mut run = Run::refused("F", String::new());
        run.warnings = warnings.to_vec();
        run.add(done.to_vec(), &Judge::default());
        run
    }

    #[test]
    fn only_where_the_kernel_skipped() {
        let done = |payload| Done {
            path: "pipe".to_owned(),
            payload,
            ..Done::default()
        };
        // Nothing was seen of it: right only if nothing moved.
        let (wrong, right) = (done(100), done(0));
        let skipped = Notice::skipped(&("sys_exit".to_owned(), 3));
        assert!(run(&[], std::slice::from_ref(&wrong)).doubtful().is_empty());
        assert!(
            run(std::slice::from_ref(&skipped), std::slice::from_ref(&right))
                .doubtful()
                .is_empty()
        );
        let mut first = run(std::slice::from_ref(&skipped), &[wrong]);
        assert_eq!(first.doubtful(), ["pipe"]);
        assert!(first.wrong());
        first.settle(run(&[], &[right]));
        assert!(!first.wrong());
        assert_eq!(first.warnings[1], Notice::Again("pipe ()".to_owned()));
    }
}
