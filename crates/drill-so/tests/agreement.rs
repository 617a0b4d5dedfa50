//! The unmodified packetdrill over this library, and our own reading of scripts, must come to
//! the same verdicts. Needs a `packetdrill` on the path, and root.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use handclasp_drill::{Script, Setup, run};
use handclasp_lab::isolated::{Isolated, Need};

/// What a script's head says that packetdrill cannot do over a library.
const NOT_THERE: &str = "// Not for packetdrill over a library: ";

/// Where cargo puts the library for the tests beside it.
fn library() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().join("libhandclasp_drill_so.so")
}

/// The scripts that a folder holds, at any depth.
fn scripts(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            scripts(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "pkt") {
            into.push(path);
        }
    }
}

/// Whether packetdrill passes a script over the library, and what it says if not.
fn packetdrill(path: &Path) -> Result<(), String> {
    let library = library();
    let output = Command::new("packetdrill")
        .arg(format!("--so_filename={}", library.display()))
        .arg("--ip_version=ipv4")
        .arg(path.file_name().unwrap())
        .current_dir(path.parent().unwrap())
        .env("LD_PRELOAD", &library)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if output.status.success() { Ok(()) } else { Err(said) }
}

#[test]
fn packetdrill_over_the_library_and_our_own_run_agree() {
    Isolated::new().needs(Need::Program("packetdrill")).timeout(Duration::from_secs(300)).run(
        || {
            // The library takes over what the kernel is set to, and a machine may be set to pace.
            std::fs::write("/proc/sys/net/ipv4/tcp_congestion_control", "reno").unwrap();
            let mut paths = Vec::new();
            scripts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../drill/scripts"), &mut paths);
            let mut differ = Vec::new();
            for path in &paths {
                let source = std::fs::read_to_string(path).unwrap();
                // Packetdrill takes addresses of the other family from its command line only.
                if source.contains("--ip_version") || source.contains(NOT_THERE) {
                    continue;
                }
                let mut setup = Setup::default();
                setup.folder = path.parent().map(Path::to_owned);
                let ours = run(&Script::parse(&source).unwrap(), &setup);
                let theirs = packetdrill(path);
                if ours.failure.is_none() != theirs.is_ok() {
                    differ.push(format!("{}: ours {ours}\ntheirs {theirs:?}", path.display()));
                }
            }
            assert!(differ.is_empty(), "{}", differ.join("\n\n"));
        },
    );
}
