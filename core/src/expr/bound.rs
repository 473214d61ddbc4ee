//! Whether a verdict still stands if the run did more than its trace tells.
//!
//! Lost events make numbers too small, never too large. A value that is made from them can then be too small,
//! too large (`10 - syscalls`), or either.

use super::{Expr, Func, Node, Op};
use crate::model::Summary;

/// Which way the true value may lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Slack {
    above: bool,
    below: bool,
}

const NONE: Slack = Slack {
    above: false,
    below: false,
};

impl Slack {
    fn or(self, other: Self) -> Self {
        Self {
            above: self.above || other.above,
            below: self.below || other.below,
        }
    }

    fn turned(self) -> Self {
        Self {
            above: self.below,
            below: self.above,
        }
    }
}

impl Expr {
    /// Whether this truth could be the other one if measured numbers were larger.
    pub fn may_turn(&self, is_true: bool) -> bool {
        let slack = slack(&self.node);
        if is_true { slack.below } else { slack.above }
    }

    /// The hook of a number that was not measured in this run, though the expression needs it.
    pub fn unmeasured(&self, summary: &Summary) -> Option<String> {
        let mut missing = None;
        Self::walk(&self.node, &mut |node| {
            if let Node::Measure(measure) = node {
                missing = missing.take().or_else(|| measure.missing(summary));
            }
        });
        missing
    }
}

fn slack(node: &Node) -> Slack {
    match node {
        Node::Number(..) | Node::Name(_) | Node::Size(_) => NONE,
        Node::Measure(_) => Slack {
            above: true,
            below: false,
        },
        Node::At(inner, _) => slack(inner),
        Node::Not(inner) | Node::Negative(inner) => slack(inner).turned(),
        Node::Binary(op, a, b) => {
            let (a, b) = (slack(a), slack(b));
            match op {
                // Numbers of a run are not negative, so factors keep the direction.
                Op::Add | Op::Mul | Op::And | Op::Or => a.or(b),
                Op::Less | Op::LessEq => b.or(a.turned()),
                Op::Greater | Op::GreaterEq | Op::Sub | Op::Div => a.or(b.turned()),
                Op::Equal | Op::NotEqual => either(a.or(b)),
            }
        }
        Node::Call(Func::Near, args) => either(all(args)),
        Node::Call(_, args) => all(args),
    }
}

fn all(args: &[Node]) -> Slack {
    args.iter().fold(NONE, |sum, arg| sum.or(slack(arg)))
}

fn either(slack: Slack) -> Slack {
    slack.or(slack.turned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_that_more_events_could_turn() {
        for (text, if_true, if_false) in [
            ("crossings < 500", true, false),
            ("crossings >= 500", false, true),
            ("crossings == 500", true, true),
            ("near(copy, 5 MiB, 0.1)", true, true),
            ("2 * copy + dma <= size(f)", true, false),
            ("10 - syscalls > 3", true, false),
            ("copy / dma < 3", true, true),
            ("not crossings > 3", true, false),
            ("-crossings > -3", true, false),
            ("copy < 3 and dma > 1", true, true),
            ("1 < 2", false, false),
        ] {
            let expr: Expr = text.parse().expect(text);
            assert_eq!(
                (expr.may_turn(true), expr.may_turn(false)),
                (if_true, if_false),
                "{text}"
            );
        }
    }
}
