use std::fs;
use std::path::PathBuf;

use rustix::io::Errno;

use super::not_permitted;

/// A `/proc/sys` with one setting in it.
fn sysctls(test: &str, setting: Option<(&str, &str)>) -> PathBuf {
    let root = std::env::temp_dir().join(format!("handclasp-{test}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(&root).expect("a directory");
    if let Some((name, value)) = setting {
        let file = root.join(name);
        fs::create_dir_all(file.parent().expect("a parent")).expect("a directory");
        fs::write(file, format!("{value}\n")).expect("a file");
    }
    root
}

fn text(test: &str, errno: Errno, setting: Option<(&str, &str)>) -> String {
    let root = sysctls(test, setting);
    let text = not_permitted(errno, &root).to_string();
    fs::remove_dir_all(root).expect("removed");
    text
}

#[test]
fn the_setting_that_forbids_user_namespaces_is_named_with_its_remedy() {
    for (setting, value, remedy) in [
        ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        ("user/max_user_namespaces", "0", "user.max_user_namespaces=15000"),
    ] {
        let text = text("forbidden", Errno::PERM, Some((setting, value)));
        assert!(text.contains("unprivileged user namespaces are off"), "{text}");
        assert!(text.contains("run it with sudo"), "{text}");
        assert!(text.contains(&format!("sysctl -w {remedy}")), "{text}");
    }
}

#[test]
fn a_setting_that_allows_them_is_not_blamed() {
    let allowed = Some(("kernel/unprivileged_userns_clone", "1"));
    let text = text("allowed", Errno::PERM, allowed);
    assert!(!text.contains("sysctl"), "{text}");
    assert!(text.contains("run it with sudo"), "{text}");
}

#[test]
fn too_many_threads_are_called_that() {
    let text = text("threads", Errno::INVAL, None);
    assert!(text.contains("several threads"), "{text}");
}
