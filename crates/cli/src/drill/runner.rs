//! Scripts run beside each other, and told in their order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use handclasp_drill::{Outcome, Script, ScriptError};

use super::args::Against;
use super::plan::Plan;
use crate::error::Error;

/// A script that was read, and run unless it was only to be read.
pub(crate) struct Done {
    pub(crate) path: PathBuf,
    pub(crate) result: Result<Ran, Unread>,
    /// Real time.
    pub(crate) took: Duration,
}

/// What came of a script.
pub(crate) enum Ran {
    /// It was read, and not run.
    Dry,
    Run(Outcome),
}

/// Why a script was not run.
pub(crate) enum Unread {
    Script(ScriptError),
    File(std::io::Error),
}

impl std::fmt::Display for Unread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Script(error) => error.fmt(f),
            Self::File(error) => error.fmt(f),
        }
    }
}

/// Makes ready what the kernel needs, while there is one thread.
///
/// # Errors
///
/// A network of one's own is not allowed here.
pub(crate) fn enter(plan: &Plan) -> Result<(), Error> {
    if plan.against == Against::Stack || plan.dry_run {
        return Ok(());
    }
    #[cfg(target_os = "linux")]
    handclasp_lab::enter::enter()?;
    #[cfg(not(target_os = "linux"))]
    return Err(Error::Drill("the kernel needs Linux: leave out --against kernel".to_owned()));
    #[cfg(target_os = "linux")]
    Ok(())
}

/// Runs all scripts, and hands them to `tell` in their order.
///
/// # Errors
///
/// What `tell` says, and what keeps the kernel from being asked.
pub(crate) fn run(
    plan: &Plan,
    mut tell: impl FnMut(Done) -> Result<(), Error>,
) -> Result<(), Error> {
    let next = AtomicUsize::new(0);
    let (results, arrived) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..plan.jobs.min(plan.scripts.len()) {
            let (results, next) = (results.clone(), &next);
            scope.spawn(move || {
                while let at = next.fetch_add(1, Ordering::Relaxed)
                    && let Some(path) = plan.scripts.get(at)
                    && results.send((at, run_one(plan, path))).is_ok()
                {}
            });
        }
        drop(results);
        let (mut early, mut due) = (BTreeMap::new(), 0);
        let told = arrived.iter().try_for_each(|(at, done)| {
            early.insert(at, done?);
            while let Some(done) = early.remove(&due) {
                due += 1;
                tell(done)?;
            }
            Ok(())
        });
        // Who is not heard any more begins nothing new.
        next.fetch_max(plan.scripts.len(), Ordering::Relaxed);
        told
    })
}

fn run_one(plan: &Plan, path: &Path) -> Result<Done, Error> {
    let begun = Instant::now();
    let result = match std::fs::read(path) {
        Err(error) => Err(Unread::File(error)),
        Ok(bytes) => {
            let source = String::from_utf8_lossy(&bytes);
            match Script::parse_with(&source, &plan.defines) {
                Err(error) => Err(Unread::Script(error)),
                Ok(_) if plan.dry_run => Ok(Ran::Dry),
                Ok(script) => Ok(Ran::Run(perform(plan, path, &script)?)),
            }
        }
    };
    Ok(Done { path: path.to_owned(), result, took: begun.elapsed() })
}

fn perform(plan: &Plan, path: &Path, script: &Script) -> Result<Outcome, Error> {
    let mut setup = plan.setup.clone();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    setup.folder = Some(folder.unwrap_or(Path::new(".")).to_owned());
    match plan.against {
        Against::Stack => Ok(handclasp_drill::run(script, &setup)),
        #[cfg(target_os = "linux")]
        Against::Kernel => Ok(handclasp_drill::kernel::run(script, &setup)?),
        #[cfg(not(target_os = "linux"))]
        Against::Kernel => Err(Error::NeedsLinux),
    }
}
