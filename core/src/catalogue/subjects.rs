//! What rules and measurements, or two measurements, may disagree on.

use std::fmt;

use crate::i18n::Lang;

macro_rules! subjects {
    ($($id:ident $en:literal | $zh:literal;)*) => {
        /// What a disagreement is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Subject {
            $(#[doc = $en] $id,)*
        }

        impl Subject {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$id,)*];

            /// In words; the English ones are its name in JSON.
            pub const fn words(self, lang: Lang) -> &'static str {
                match (self, lang) { $(
                    (Self::$id, Lang::En) => $en,
                    (Self::$id, Lang::Zh) => $zh,
                )* }
            }
        }
    };
}

subjects! {
    Read "bytes read from files" | "从文件读出的字节";
    Written "bytes written to files" | "写入文件的字节";
    Pipes "bytes through pipes" | "经过管道的字节";
    Sent "bytes sent" | "发送的字节";
    Mapped "bytes of file pages mapped" | "映射的文件页字节";
    Received "bytes received" | "接收的字节";
    ReceivedFromSockets "bytes received from sockets" | "从套接字接收的字节";
    ReceivedByReference "bytes received by reference" | "以引用方式接收的字节";
    ByReference "bytes passed by reference" | "以引用方式传递的字节";
    FilesShared "bytes of files shared" | "文件间共享的字节";
    BetweenProcesses "bytes between processes" | "进程之间拷贝的字节";
    LateCopies "bytes sent by reference and copied late" | "以引用方式发送、随后又被拷贝的字节";
    Bounced "bytes through bounce buffers" | "经过反弹缓冲区的字节";
    CopiedOnWrite "bytes copied on write" | "写时拷贝的字节";
    ToProgram "bytes copied to the program" | "拷贝给程序的字节";
    FromProgram "bytes copied from the program" | "从程序拷贝的字节";
    MinorFaults "minor faults of threads" | "线程的次缺页";
    MajorFaults "major faults of threads" | "线程的主缺页";
    InsideKernel "bytes copied inside the kernel" | "内核内部拷贝的字节";
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words(Lang::En))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_has_words_of_its_own() {
        for lang in [Lang::En, Lang::Zh] {
            let words: HashSet<_> = Subject::ALL.iter().map(|s| s.words(lang)).collect();
            assert_eq!(words.len(), Subject::ALL.len());
        }
    }
}
