//! Where in a run one can see what an expression reads.

use tracer::model::{HopKind, Place};

use super::{Expr, Measure, Node};

/// What to look for among a run's calls and hops.
#[derive(Clone, Debug, PartialEq)]
pub struct Sight {
    /// The program whose run it is, if the expression says so.
    pub program: Option<String>,
    what: What,
}

#[derive(Clone, Debug, PartialEq)]
enum What {
    /// [`Measure::Hops`].
    Hop(Measure),
    /// A system call of that name, or any.
    Call(Option<String>),
    Fault,
}

impl Expr {
    /// What its first measure counts; `None` if that is nothing that has a place in a run.
    pub fn sight(&self) -> Option<Sight> {
        first(&self.node, None)
    }
}

fn first(node: &Node, program: Option<&str>) -> Option<Sight> {
    match node {
        Node::At(inner, name) => first(inner, Some(name)),
        Node::Not(inner) | Node::Negative(inner) => first(inner, program),
        Node::Binary(_, a, b) => first(a, program).or_else(|| first(b, program)),
        Node::Call(_, args) => args.iter().find_map(|arg| first(arg, program)),
        Node::Number(..) | Node::Name(_) => None,
        Node::Measure(measure) => Some(Sight {
            program: program.map(str::to_owned),
            what: what(measure)?,
        }),
    }
}

fn what(measure: &Measure) -> Option<What> {
    match measure {
        Measure::Hops { .. } => Some(What::Hop(measure.clone())),
        Measure::Syscall(name, _) => Some(What::Call(Some(name.clone()))),
        Measure::Scalar(name) if name.starts_with("crossings.page") => Some(What::Fault),
        Measure::Scalar(name) if name.starts_with("faults") => Some(What::Fault),
        Measure::Scalar("crossings" | "crossings.syscall" | "syscalls") => Some(What::Call(None)),
        Measure::Scalar(_) | Measure::Process(..) => None,
    }
}

impl Sight {
    /// Whether a hop is among what is counted.
    pub fn has_hop(&self, kind: HopKind, from: &Place, to: &Place, deferred: bool) -> bool {
        match &self.what {
            What::Hop(measure) => measure.has_hop(kind, from, to, deferred),
            What::Call(_) | What::Fault => false,
        }
    }

    /// Whether a system call is among what is counted.
    pub fn has_call(&self, name: &str) -> bool {
        match &self.what {
            What::Call(wanted) => wanted.as_deref().is_none_or(|wanted| wanted == name),
            What::Hop(_) | What::Fault => false,
        }
    }

    /// Whether page faults are.
    pub fn has_faults(&self) -> bool {
        self.what == What::Fault
    }
}

#[cfg(test)]
mod tests {
    use tracer::model::{HopKind, Place};

    use super::super::Expr;

    fn expr(text: &str) -> Expr {
        text.parse().expect("an expression")
    }

    #[test]
    fn the_first_measure_is_shown() {
        let sight = expr("2 * copy page_cache->user @sendfile - copy").sight();
        let sight = sight.expect("a hop");
        assert_eq!(sight.program.as_deref(), Some("sendfile"));
        let (user, cache) = (Place::User, Place::PageCache);
        assert!(sight.has_hop(HopKind::Copy, &cache, &user, false));
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
