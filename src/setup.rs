//! `bytehop setup`: who may trace on a shared server.

use bytehop_core::i18n::Lang;
use tracer::share::{self, Shared};

use crate::cli;
use crate::fail::{FAILED, Fail, Trouble};
use crate::output::print;

bytehop_core::messages! {
    given(path, group): "{path} now belongs to root and group {group} (mode 0750), and has CAP_BPF and CAP_PERFMON." | "{path} 现归 root 与用户组 {group} 所有（权限 0750），并带有 CAP_BPF 与 CAP_PERFMON。";
    given_before(path, group): "{path} belonged to root and group {group} (mode 0750) before, and has CAP_BPF and CAP_PERFMON." | "{path} 此前已归 root 与用户组 {group} 所有（权限 0750），并带有 CAP_BPF 与 CAP_PERFMON。";
    to_whom(users): "To: {users}; and whoever becomes a member (after logging in again). Nobody else can start it." | "受权用户：{users}；以及以后加入该组的人（重新登录后生效）。其他人不能启动它。";
    to_nobody(group): "To nobody yet: group {group} has no members (`gpasswd -a USER {group}`, then log in again)." | "目前没有受权用户：用户组 {group} 没有成员（执行 `gpasswd -a 用户 {group}`，再重新登录）。";
    what_for: "For what: they trace commands that they start, and running processes that the kernel lets them trace (ptrace's rule). Programs with setuid, setgid or capabilities run without these while traced. `top` has one row for everything else." | "范围：他们可以跟踪自己启动的命令，以及内核允许他们跟踪的运行中进程（即 ptrace 的规则）。带 setuid、setgid 或文件能力的程序在被跟踪时不带这些权限运行。`top` 把其余一切合为一行。";
    after_upgrade: "An upgrade of the package takes it away: run this again then. `bytehop setup --undo` takes it away now." | "升级软件包会撤销以上设置，届时请再执行一次。`bytehop setup --undo` 可立即撤销。";
    taken(path): "{path} now belongs to root, has no capabilities, and can be started by everyone (mode 0755): it shows recordings, and traces for root." | "{path} 现归 root 所有，不带文件能力，人人可以启动（权限 0755）：可查看记录，跟踪则需 root。";
    taken_before(path): "{path} had no capabilities and was open to everyone (mode 0755) before." | "{path} 此前就不带文件能力，人人可以启动（权限 0755）。";
    comma: ", " | "、";
}

pub fn setup(args: &cli::Setup) -> Result<i32, Fail> {
    let lang = crate::config::lang(args.lang);
    let program = match &args.program {
        Some(path) => path.clone(),
        None => std::env::current_exe().map_err(|e| Fail::new(FAILED, Trouble::Own(e)))?,
    };
    let text = match &args.group {
        Some(group) => shared(lang, &share::share(&program, group)?, group),
        None => {
            let Shared { path, changed, .. } = share::unshare(&program)?;
            match changed {
                true => taken(lang, path.display()),
                false => taken_before(lang, path.display()),
            }
        }
    };
    print(&(text + "\n"))?;
    Ok(0)
}

fn shared(lang: Lang, shared: &Shared, group: &str) -> String {
    let path = shared.path.display();
    let what = match shared.changed {
        true => given(lang, path, group),
        false => given_before(lang, path, group),
    };
    let whom = match shared.users.as_slice() {
        [] => to_nobody(lang, group),
        users => to_whom(lang, users.join(comma(lang))),
    };
    [
        what,
        whom,
        what_for(lang).into(),
        after_upgrade(lang).into(),
    ]
    .join("\n")
}

#[cfg(test)]
mod tests {
    use bytehop_core::i18n::problems;

    use super::TABLE;

    #[test]
    fn every_message_is_whole() {
        assert_eq!(problems(TABLE), [""; 0]);
    }
}
