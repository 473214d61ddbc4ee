//! A file system over another: before a file of the lower one is changed, it is copied to the upper one.

use std::ffi::CString;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use anyhow::Result;
use nix::errno::Errno;
use nix::libc;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::getuid;

use crate::scene::{Done, PAYLOAD, Scene, not_offered, offered};

fn mount(kind: &str, on: &str, flags: libc::c_ulong, data: &str) -> Result<()> {
    let [kind, on, data] = [kind, on, data].map(CString::new);
    let (kind, on, data) = (kind?, on?, data?);
    // SAFETY: strings that end with NUL and live until the call is over.
    let done = unsafe {
        libc::mount(
            kind.as_ptr(),
            on.as_ptr(),
            kind.as_ptr(),
            flags,
            data.as_ptr().cast(),
        )
    };
    offered("mount", Errno::result(done).map(drop))
}

/// `chmod`, in a mount namespace that ends with the process.
pub fn copy_up(scene: &mut Scene) -> Result<Done> {
    if !getuid().is_root() {
        return not_offered("an overlay needs root");
    }
    offered("mount namespaces", unshare(CloneFlags::CLONE_NEWNS))?;
    mount("none", "/", libc::MS_REC | libc::MS_PRIVATE, "")?;
    for folder in ["lower", "upper", "work", "merged"] {
        fs::create_dir_all(scene.path(folder))?;
    }
    scene.file("lower/file", PAYLOAD)?;
    let [lower, upper, work, merged] =
        ["lower", "upper", "work", "merged"].map(|name| scene.path(name).display().to_string());
    let layers = format!("lowerdir={lower},upperdir={upper},workdir={work}");
    mount("overlay", &merged, 0, &layers)?;
    let file = scene.path("merged/file");
    scene.shot(|| {
        fs::set_permissions(&file, Permissions::from_mode(0o600))?;
        Ok(PAYLOAD)
    })
}
