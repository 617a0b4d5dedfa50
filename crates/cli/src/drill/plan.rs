//! What is to be run, and how.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use handclasp_drill::script::Setting;
use handclasp_drill::{Family, Setup};

use super::args::{Against, DrillArgs, IpVersion, Personality};
use crate::error::Error;

/// What is to be run, and how.
pub(crate) struct Plan {
    pub(crate) scripts: Vec<PathBuf>,
    pub(crate) against: Against,
    /// What every script starts from.
    pub(crate) setup: Setup,
    pub(crate) defines: Vec<(String, String)>,
    pub(crate) dry_run: bool,
    pub(crate) jobs: usize,
    pub(crate) output: Output,
    pub(crate) junit: Option<PathBuf>,
}

/// What is written for each script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Lines for people; where `ladders` says so, with the ladder of scripts that pass.
    Text { ladders: bool },
    /// An object for each script.
    Json,
    /// A table.
    Markdown,
}

impl Plan {
    /// # Errors
    ///
    /// A path cannot be read, or an option cannot be.
    pub(crate) fn new(args: &DrillArgs) -> Result<Self, Error> {
        let setup = setup(args)?;
        let mut scripts = Vec::new();
        for path in &args.scripts {
            find(path, true, &mut scripts)?;
        }
        if scripts.is_empty() {
            return Err(Error::Drill("no file here is named *.pkt".to_owned()));
        }
        let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Ok(Self {
            scripts,
            against: args.against,
            setup,
            defines: args.defines.clone(),
            dry_run: args.dry_run,
            jobs: args.jobs.map_or(processors, NonZeroUsize::get),
            output: match (args.json, args.markdown) {
                (true, _) => Output::Json,
                (_, true) => Output::Markdown,
                _ => Output::Text { ladders: args.verbose },
            },
            junit: args.junit.clone(),
        })
    }
}

/// Adds the script at `path`, or those in the folder there.
fn find(path: &Path, named: bool, into: &mut Vec<PathBuf>) -> Result<(), Error> {
    let trouble = |cause| Error::Read(path.to_owned(), cause);
    if std::fs::metadata(path).map_err(trouble)?.is_dir() {
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(path).map_err(trouble)? {
            inside.push(entry.map_err(trouble)?.path());
        }
        inside.sort();
        return inside.iter().try_for_each(|path| find(path, false, into));
    }
    if named || path.extension().is_some_and(|extension| extension == "pkt") {
        into.push(path.to_owned());
    }
    Ok(())
}

fn setup(args: &DrillArgs) -> Result<Setup, Error> {
    let mut setup = Setup::new(Family::V4);
    if args.personality == Personality::Standard {
        setup.config = handclasp::tcp::Config::standard();
    }
    let mut options = args.options.clone();
    options.extend(args.ip_version.map(|version| {
        format!(
            "ip_version={}",
            match version {
                IpVersion::Ipv4 => "ipv4",
                IpVersion::Ipv6 => "ipv6",
                IpVersion::Mapped => "ipv4-mapped-ipv6",
            }
        )
    }));
    setup.overrides = options.iter().map(|option| setting(option)).collect();
    setup.applied().map_err(|message| Error::Drill(format!("--option: {message}")))?;
    Ok(setup)
}

/// An option as packetdrill has it, with or without the dashes.
fn setting(text: &str) -> Setting {
    let text = text.trim_start_matches('-');
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, None),
    };
    Setting { line: 0, name: name.replace('-', "_"), value }
}
