use std::os::unix::fs::MetadataExt;

use super::*;

fn env(pairs: &[(&str, &str)]) -> Environment {
    pairs.iter().map(|(n, v)| (n.into(), v.into())).collect()
}

fn user(name: &str, uid: u32) -> unistd::User {
    unistd::User {
        name: name.into(),
        passwd: CString::default(),
        uid: Uid::from_raw(uid),
        gid: Gid::from_raw(uid),
        gecos: CString::default(),
        dir: format!("/home/{name}").into(),
        shell: "/bin/zsh".into(),
    }
}

#[test]
fn sudo_user_is_believed_only_when_valid() {
    let of = |uid, gid| SudoUser::from(&env(&[("SUDO_UID", uid), ("SUDO_GID", gid)]));
    assert!(of("1000", "1001").is_some_and(|u| u.uid.as_raw() == 1000 && u.gid.as_raw() == 1001));
    for (uid, gid) in [
        ("0", "0"),
        ("", "1"),
        ("-1", "1"),
        ("4294967295", "1"),
        ("1000", "4294967295"),
        ("1000", "x"),
        ("99999999999", "1"),
    ] {
        assert_eq!(of(uid, gid), None, "{uid} {gid}");
    }
    assert_eq!(SudoUser::from(&env(&[("SUDO_UID", "1000")])), None);
}

#[test]
fn the_users_environment_comes_from_sudo_itself() {
    let ours = env(&[
        ("HOME", "/root"),
        ("SUDO_UID", "1000"),
        ("A", "1"),
        ("B", "2"),
        ("PATH", "/sbin"),
    ]);
    let environ = b"HOME=/home/u\0PATH=/home/u/bin\0EMPTY=\0X=a=b\0";
    // A arrived; C did not (it is no assignment, say the argument of an option); B=2 is ours.
    let cmdline = b"sudo\0-u\0root\0A=1\0C=3\0bytehop\0run\0B=2\0";
    let found = user_environment(environ, cmdline, 3, &ours);
    let expected = env(&[
        ("HOME", "/home/u"),
        ("PATH", "/home/u/bin"),
        ("EMPTY", ""),
        ("X", "a=b"),
        ("A", "1"),
    ]);
    assert_eq!(found, Some(expected));
}

#[test]
fn an_unreadable_environment_is_none_and_short_arguments_are_no_harm() {
    assert_eq!(user_environment(b"", b"sudo\0", 1, &env(&[])), None);
    assert_eq!(
        user_environment(b"A=1", b"", 9, &env(&[])),
        Some(env(&[("A", "1")]))
    );
}

#[test]
fn roots_environment_is_made_the_users() {
    let root = env(&[
        ("HOME", "/root"),
        ("MAIL", "/var/mail/root"),
        ("SUDO_COMMAND", "x"),
        ("SUDO_EDITOR", "vi"),
        ("SUDO_UID", "1000"),
        ("TERM", "xterm"),
        ("USER", "root"),
    ]);
    let expected = env(&[
        ("HOME", "/home/u"),
        ("MAIL", "/var/mail/u"),
        ("SUDO_EDITOR", "vi"),
        ("TERM", "xterm"),
        ("USER", "u"),
        ("SHELL", "/bin/zsh"),
        ("LOGNAME", "u"),
    ]);
    assert_eq!(as_user(root, Some(&user("u", 1000))), expected);
}

#[test]
fn an_unknown_user_is_an_error() {
    assert!(matches!(
        Identity::of("no-such-user"),
        Err(IdentityError::NoSuchUser(_))
    ));
}

#[test]
#[ignore = "root"]
fn a_file_is_created_with_the_users_rights_only() {
    assert!(unistd::geteuid().is_root(), "this test needs root");
    let nobody = Identity::of("nobody").unwrap();
    let uid = nobody.credentials.as_ref().unwrap().uid;
    let dir = std::env::temp_dir().join(format!("bytehop-rights-{}", std::process::id()));
    fs::create_dir(&dir).unwrap();
    let path = dir.join("out");

    let refused = nobody.create_file(&path).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
    std::os::unix::fs::chown(&dir, Some(uid.as_raw()), None).unwrap();
    let file = nobody.create_file(&path).unwrap();
    assert_eq!(file.metadata().unwrap().uid(), uid.as_raw());

    // And we are root again, for files too.
    let ours = File::create(dir.join("ours")).unwrap();
    assert_eq!(ours.metadata().unwrap().uid(), 0);
    fs::remove_dir_all(&dir).unwrap();
}
