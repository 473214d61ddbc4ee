//! Where in a run one can see what an expression reads.

use crate::model::{HopKind, Place};

use super::{Expr, Measure, Node, Op};

/// What to look for among a run's calls and hops.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sight {
    /// The program whose run it is, if the expression says so.
    pub program: Option<String>,
    /// Each of which is counted.
    hops: Vec<Measure>,
    /// System calls of that name, or any.
    calls: Vec<Option<String>>,
    faults: bool,
    /// The programs whose runs are subtracted.
    pub less: Vec<String>,
}

impl Expr {
    /// What its measures count; `None` if that is nothing that has a place in a run. What is
    /// subtracted is not looked for, and of several programs only the first.
    pub fn sight(&self) -> Option<Sight> {
        let mut sight = None;
        look(&self.node, None, &mut sight);
        if let Some(sight) = &mut sight {
            subtracted(&self.node, &mut sight.less);
        }
        sight
    }
}

fn look(node: &Node, program: Option<&str>, sight: &mut Option<Sight>) {
    match node {
        Node::At(inner, name) => look(inner, Some(name), sight),
        Node::Not(inner) | Node::Negative(inner) => look(inner, program, sight),
        Node::Binary(op, a, b) => {
            look(a, program, sight);
            if *op != Op::Sub {
                look(b, program, sight);
            }
        }
        Node::Call(_, args) => args.iter().for_each(|arg| look(arg, program, sight)),
        Node::Number(..) | Node::Name(_) | Node::Size(_) => {}
        Node::Measure(measure) => add(measure, program, sight),
    }
}

fn subtracted(node: &Node, programs: &mut Vec<String>) {
    match node {
        Node::At(inner, _) | Node::Not(inner) | Node::Negative(inner) => {
            subtracted(inner, programs)
        }
        Node::Binary(op, a, b) => {
            subtracted(a, programs);
            match (op, &**b) {
                (Op::Sub, Node::At(_, name)) => programs.push(name.clone()),
                _ => subtracted(b, programs),
            }
        }
        Node::Call(_, args) => args.iter().for_each(|arg| subtracted(arg, programs)),
        Node::Number(..) | Node::Name(_) | Node::Measure(_) | Node::Size(_) => {}
    }
}

fn add(measure: &Measure, program: Option<&str>, sight: &mut Option<Sight>) {
    let mut found = sight.clone().unwrap_or_else(|| Sight {
        program: program.map(str::to_owned),
        ..Sight::default()
    });
    if found.program.as_deref() != program {
        return;
    }
    match measure {
        Measure::Hops { .. } => found.hops.push(measure.clone()),
        Measure::Syscall(name, _) => found.calls.push(Some(name.clone())),
        Measure::Scalar("crossings" | "crossings.syscall" | "syscalls") => found.calls.push(None),
        Measure::Scalar(name) if name.contains("fault") => found.faults = true,
        Measure::Scalar(_) | Measure::Process(..) => return,
    }
    *sight = Some(found);
}

impl Sight {
    /// Whether a hop is among what is counted.
    pub fn has_hop(&self, kind: HopKind, from: &Place, to: &Place, deferred: bool) -> bool {
        let mut hops = self.hops.iter();
        hops.any(|measure| measure.has_hop(kind, from, to, deferred))
    }

    /// Whether a system call is among what is counted.
    pub fn has_call(&self, name: &str) -> bool {
        let mut calls = self.calls.iter();
        calls.any(|wanted| wanted.as_deref().is_none_or(|wanted| wanted == name))
    }

    /// Whether page faults are.
    pub fn has_faults(&self) -> bool {
        self.faults
    }
}

#[cfg(test)]
mod tests {
    use crate::model::{HopKind, Place};

    use super::super::Expr;

    fn expr(text: &str) -> Expr {
        text.parse().expect("an expression")
    }

    #[test]
    fn what_is_added_up_is_shown() {
        let sight = expr("2 * (copy page_cache->user + dma) @sendfile - copy").sight();
        let sight = sight.expect("a hop");
        assert_eq!(sight.program.as_deref(), Some("sendfile"));
        let (user, cache) = (Place::User, Place::PageCache);
        assert!(sight.has_hop(HopKind::Copy, &cache, &user, false));
        assert!(sight.has_hop(HopKind::Dma, &user, &cache, false));
        assert!(!sight.has_hop(HopKind::Copy, &user, &cache, false));
        assert!(!sight.has_call("read") && !sight.has_faults());
    }

    #[test]
    fn calls_and_faults_are_shown() {
        let read = expr("syscall(read).calls").sight().expect("a call");
        assert!(read.has_call("read") && !read.has_call("write"));
        let any = expr("crossings > 3").sight().expect("a call");
        assert!(any.has_call("write"));
        let fault = expr("faults.minor").sight().expect("a fault");
        assert!(fault.has_faults());
        assert_eq!(expr("duration / 2").sight(), None);
    }
}
