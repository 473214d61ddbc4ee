//! The executable files that calls came through: what each is, and where its source lines come from or why there
//! are none.

use serde::{Deserialize, Serialize};

/// An executable file or library. A [`crate::event::Frame`] names it by its number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Module {
    /// From 1 on, in one recording.
    pub id: u32,
    /// As the program's system calls named it.
    pub path: String,
    /// What that leads to, if it is a link.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub real: String,
    /// In hexadecimal; empty if the file has none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub build_id: String,
    /// The file that the lines are from; empty if there are none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub lines: String,
    /// Where they were looked for in vain before, in this order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub looked: Vec<Looked>,
    /// What would bring them.
    #[serde(skip_serializing_if = "Remedy::is_unknown")]
    pub remedy: Remedy,
}

impl Module {
    /// The file itself.
    pub fn real(&self) -> &str {
        match self.real.as_str() {
            "" => &self.path,
            real => real,
        }
    }

    /// Whether it is a library of the system, or its loader: what calls come through, never where they come from.
    pub fn is_of_the_system(&self) -> bool {
        is_of_the_system(&self.path)
    }

    /// Whether it is what a runtime wrote of the functions that it made.
    pub fn is_of_a_runtime(&self) -> bool {
        self.path.ends_with(".map") && self.path.contains("/perf-")
    }
}

/// Whether a file is where the system's libraries are.
pub fn is_of_the_system(path: &str) -> bool {
    let dirs = ["/lib", "/usr/lib"];
    dirs.iter().any(|dir| path.starts_with(dir))
}

/// A place where debug information was looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Looked {
    /// A file, or a URL.
    pub place: String,
    pub why: Why,
    /// What the system or the server said.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// Why a place has no debug information for us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// There is no such file.
    NotThere,
    /// It is there, without lines.
    NoLines,
    /// It has another build id.
    OtherBuild,
    /// It has another checksum than the program says.
    OtherChecksum,
    /// Another file has the name now.
    Replaced,
    /// It could not be opened, or is none that we read.
    Unreadable,
    TooLarge,
    Late,
    /// A server does not have it.
    NotServed,
    /// A server could not be reached, or answered in no way that helps.
    Failed,
    /// What a later version writes.
    #[default]
    #[serde(other)]
    Unknown,
}

crate::says! { Why, lang:
    Self::NotThere => "not there" | "不存在";
    Self::NoLines => "has no line numbers" | "没有行号信息";
    Self::OtherBuild => "is of another build (its build id differs)" | "属于另一次构建（build id 不同）";
    Self::OtherChecksum => "is of another build (its checksum differs)" | "属于另一次构建（校验和不同）";
    Self::Replaced => "was replaced since by another file" | "已被另一个文件替换";
    Self::Unreadable => "cannot be read" | "无法读取";
    Self::TooLarge => "is too large" | "过大";
    Self::Late => "no answer in time" | "没有及时答复";
    Self::NotServed => "the server does not have it" | "服务器上没有";
    Self::Failed => "failed" | "失败";
    Self::Unknown => "no" | "无";
}

/// What would bring a module's lines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", content = "name", rename_all = "snake_case")]
pub enum Remedy {
    /// A package of the distribution has them.
    Package(String),
    /// To be built again, with what the compiler of this language calls debug information.
    Build(Language),
    /// To be kept: the symbol table was taken out, too, so `strip` or the linker did it.
    Strip(Language),
    #[default]
    #[serde(other)]
    Unknown,
}

impl Remedy {
    fn is_unknown(&self) -> bool {
        *self == Self::Unknown
    }
}

/// What runs programs that are in no executable file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Runtime {
    Node,
    Java,
    Python,
    /// One that has no way to name its functions to others.
    OldPython,
}

impl Runtime {
    /// By an executable file or library of it.
    pub fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next()?;
        let python = name
            .strip_prefix("lib")
            .unwrap_or(name)
            .strip_prefix("python3.");
        if let Some(rest) = python {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let minor = rest.get(..digits)?.parse::<u32>().ok()?;
            return Some(match minor {
                12.. => Self::Python,
                _ => Self::OldPython,
            });
        }
        match name {
            "node" | "nodejs" => Some(Self::Node),
            "python3" | "python" => Some(Self::Python),
            "java" | "libjvm.so" | "libjava.so" | "libnio.so" | "libnet.so" | "libjli.so" => {
                Some(Self::Java)
            }
            _ => None,
        }
    }
}

crate::says! { Runtime, lang:
    Self::Node => "Node.js does not tell where its functions are: start it with node --perf-basic-prof --interpreted-frames-native-stack" | "Node.js 没有给出其函数的位置：请用 node --perf-basic-prof --interpreted-frames-native-stack 启动";
    Self::Java => "Java's methods are not told: what is kept of its threads' stacks ends before them" | "无法给出 Java 的方法：保留下来的线程调用栈到不了那里";
    Self::Python => "Python's functions are not told: what is kept of its stacks ends inside the interpreter" | "无法给出 Python 的函数：保留下来的调用栈到解释器内部就结束了";
    Self::OldPython => "Python's functions are not told: before 3.12 it has no way to tell them" | "无法给出 Python 的函数：3.12 之前的版本没有办法给出";
}

/// What a program was written in, as its file tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    C,
    Rust,
    Go,
    #[default]
    #[serde(other)]
    Unknown,
}

impl Language {
    /// What to build it with.
    pub fn flag(self) -> &'static str {
        match self {
            Self::C | Self::Unknown => "-g",
            Self::Rust => "debug = \"line-tables-only\" (Cargo.toml, [profile.release])",
            Self::Go => "go build, -ldflags without -s -w",
        }
    }
}

crate::says! { Remedy, lang:
    Self::Package(name) => "install the package {name}" | "请安装软件包 {name}";
    Self::Build(language) => "build it with {flag}" | "构建时请使用 {flag}", flag = language.flag();
    Self::Strip(language) => "it is stripped: build it with {flag}, and without -s or strip" | "它被 strip 过：构建时请使用 {flag}，并且不要用 -s 或 strip", flag = language.flag();
    Self::Unknown => "what would bring them is not known" | "不清楚怎样才能得到行号";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n;

    #[test]
    fn every_message_is_whole() {
        for texts in [Why::TEXTS, Remedy::TEXTS, Runtime::TEXTS] {
            assert_eq!(i18n::problems(texts), [""; 0]);
        }
    }

    #[test]
    fn runtimes_by_their_files() {
        let cases = [
            ("/usr/bin/python3.11", Some(Runtime::OldPython)),
            (
                "/usr/lib/x86_64-linux-gnu/libpython3.13.so.1.0",
                Some(Runtime::Python),
            ),
            ("/usr/bin/node", Some(Runtime::Node)),
            (
                "/usr/lib/jvm/java-17-openjdk-amd64/lib/libnio.so",
                Some(Runtime::Java),
            ),
            ("/usr/bin/nodejs-tool", None),
            ("", None),
        ];
        for (path, expected) in cases {
            assert_eq!(Runtime::of(path), expected, "{path}");
        }
    }

    #[test]
    fn what_a_later_version_writes_is_read() {
        let text = r#"{"id":1,"path":"/x","looked":[{"place":"p","why":"moon"}],"remedy":{"do":"pray"},"more":1}"#;
        let module: Module = serde_json::from_str(text).expect("read");
        assert_eq!(module.looked[0].why, Why::Unknown);
        assert_eq!(module.remedy, Remedy::Unknown);
        let module = Module {
            remedy: Remedy::Build(Language::Rust),
            ..module
        };
        let text = serde_json::to_string(&module).expect("written");
        assert_eq!(serde_json::from_str::<Module>(&text).ok(), Some(module));
    }
}
