//! The support matrix: printed, and put into `docs/kernels.md` in both languages.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::kernels::Cpu;
use super::matrix;
use super::oracle::{Column, Outcome};
use super::row;

const END: &str = "<!-- end -->";

/// The documents, each with its headings: `[what, test, on]`, then the rows of the first table.
const DOCUMENTS: &[(&str, &Words)] = &[("docs/kernels.md", &EN), ("docs/zh/kernels.md", &ZH)];

struct Words {
    kernel: &'static str,
    level: &'static str,
    test: &'static str,
    /// Instead of a level: whatever the kernel gives.
    best: &'static str,
    disk: &'static str,
    hook: &'static str,
    nothing: &'static str,
    matrix: matrix::Words,
}

const EN: Words = Words {
    kernel: "kernel",
    level: "level",
    test: "test",
    best: "best",
    disk: "disk",
    hook: "hooks and fields that it lacks",
    nothing: "none",
    matrix: matrix::Words {
        path: "path",
        disk: "disk: paths that are exact",
        language: "en",
        wrong: "Not exact (found / payload):",
        none_wrong: "Every number is exact to the byte.",
        disagreements: "Where a rule and a measurement differ (rule / measured):",
        skipped: |probes| format!(" (the kernel skipped {probes})"),
    },
};

const ZH: Words = Words {
    kernel: "内核",
    level: "级别",
    test: "测试",
    best: "最高",
    disk: "磁盘",
    hook: "缺少的挂载点和字段",
    nothing: "无",
    matrix: matrix::Words {
        path: "路径",
        disk: "磁盘：准确的路径数",
        language: "zh",
        wrong: "不准确的（看到的 / 载荷）：",
        none_wrong: "每个数字都逐字节准确。",
        disagreements: "规则与实测不一致之处（规则 / 实测）：",
        skipped: |probes| format!("（内核跳过了 {probes}）"),
    },
};

/// The table as text.
pub fn text(columns: &[Column]) -> String {
    render(columns, &EN)
}

/// Puts the tables into the documents.
///
/// # Errors
/// If a document or its marks are not there.
pub fn document(workspace: &Path, cpu: Cpu, columns: &[Column]) -> Result<()> {
    // What stands before the tables of this processor.
    let begin = match cpu {
        Cpu::X86_64 => "<!-- made by: cargo xtask vm --doc -->\n",
        Cpu::Aarch64 => "<!-- made by: cargo xtask vm --arch aarch64 --doc -->\n",
    };
    for (name, words) in DOCUMENTS {
        let path = workspace.join(name);
        let old = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let Some((before, rest)) = old.split_once(begin) else {
            bail!("{name}: no line {begin}");
        };
        let Some((_, after)) = rest.split_once(END) else {
            bail!("{name}: no line {END}");
        };
        let table = render(columns, words);
        fs::write(&path, format!("{before}{begin}\n{table}\n{END}{after}"))?;
    }
    Ok(())
}

fn render(columns: &[Column], words: &Words) -> String {
    let mut text = String::new();
    row(
        &mut text,
        [words.kernel, words.level, words.hook].map(str::to_owned),
    );
    row(&mut text, ["---"; 3].map(str::to_owned));
    for column in columns {
        let lacks = lacks(&column.doctor);
        let lacks = if lacks.is_empty() {
            words.nothing.to_owned()
        } else {
            lacks.join(", ")
        };
        row(
            &mut text,
            [column.release.clone(), levels(&column.doctor), lacks],
        );
    }
    text.push('\n');
    let kernels: Vec<_> = columns
        .iter()
        .map(|column| (column.release.as_str(), &column.paths))
        .collect();
    text.push_str(&matrix::render(&kernels, &words.matrix));
    text.push('\n');

    let rows: BTreeSet<_> = columns
        .iter()
        .flat_map(|column| column.outcomes.keys())
        .collect();
    if rows.is_empty() {
        return text;
    }
    let releases = columns.iter().map(|column| column.release.clone());
    row(
        &mut text,
        [words.test, words.disk, words.level]
            .map(str::to_owned)
            .into_iter()
            .chain(releases),
    );
    row(&mut text, vec!["---".to_owned(); columns.len() + 3]);
    for key in rows {
        let signs = columns.iter().map(|column| {
            let outcome = column.outcomes.get(key).copied();
            outcome.unwrap_or(Outcome::NotRun).sign().to_owned()
        });
        let [test, disk, level] = key.clone();
        let level = match level.is_empty() {
            true => words.best.to_owned(),
            false => level,
        };
        row(
            &mut text,
            [format!("`{test}`"), disk, level].into_iter().chain(signs),
        );
    }
    text
}

/// The levels that are used, then in brackets what the kernel would allow beyond them.
fn levels(doctor: &Value) -> String {
    let used = doctor["level"].as_str().unwrap_or("?");
    let at = matrix::LEVELS.iter().position(|level| *level == used);
    let (used, above) = match at {
        Some(at) => (matrix::LEVELS[..=at].join(", "), &matrix::LEVELS[at + 1..]),
        None => (used.to_owned(), &matrix::LEVELS[..0]),
    };
    let works = |level: &&&str| doctor["allowed"][**level]["works"] == true;
    let more: Vec<&str> = above.iter().filter(works).copied().collect();
    if more.is_empty() {
        used
    } else {
        format!("{used} ({})", more.join(", "))
    }
}

fn lacks(doctor: &Value) -> Vec<String> {
    let list = |name: &str| doctor[name].as_array().cloned().unwrap_or_default();
    let hooks = list("hooks")
        .into_iter()
        .filter(|hook| hook["available"] == false);
    let hooks = hooks.filter_map(|hook| Some(format!("`{}`", hook["hook"].as_str()?)));
    let fields = list("absent_fields").into_iter();
    hooks
        .chain(fields.filter_map(|field| Some(format!("`{}`", field.as_str()?))))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::{Column, Outcome, matrix, text};

    #[test]
    fn a_column_for_each_kernel() {
        let column = |release: &str, outcomes: &[(&str, Outcome)]| Column {
            release: release.to_owned(),
            doctor: json!({
                "level": "T",
                "allowed": {"F": {"works": true}, "B": {"works": false}},
                "hooks": [{"hook": "tp:x", "available": false}],
            }),
            outcomes: BTreeMap::from_iter(
                outcomes
                    .iter()
                    .map(|(test, o)| ([*test, "d", ""].map(str::to_owned), *o)),
            ),
            paths: matrix::Paths::default(),
        };
        let old = column("6.1", &[("a", Outcome::Passed)]);
        let new = column("7.2", &[("a", Outcome::Failed), ("b", Outcome::NotOffered)]);
        let table = text(&[old, new]);
        assert!(table.contains("| 6.1 | T (F) | `tp:x` |"), "{table}");
        assert!(table.contains("| `a` | d | best | ✓ | ✗ |"), "{table}");
        assert!(table.contains("| `b` | d | best | ? | – |"), "{table}");
    }
}
