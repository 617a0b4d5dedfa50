//! A capture that can be read twice, also where it comes from a pipe.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// A capture file, or a copy of standard input that goes when this does.
pub(crate) struct Spool {
    path: PathBuf,
    copied: bool,
}

impl Spool {
    /// The capture at `path`, or on standard input where that is `-`.
    ///
    /// # Errors
    ///
    /// When the copy cannot be made.
    pub(crate) fn new(path: &Path) -> Result<Self, Error> {
        if path.as_os_str() != "-" {
            return Ok(Self { path: path.to_owned(), copied: false });
        }
        let name = format!("handclasp-{}-{}", std::process::id(), crate::lab::seed());
        let path = std::env::temp_dir().join(name);
        let failed = |cause| Error::Write(path.clone(), cause);
        let mut file = private(&path).map_err(failed)?;
        let spool = Self { path: path.clone(), copied: true };
        io::copy(&mut io::stdin().lock(), &mut file).map_err(failed)?;
        Ok(spool)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What to call it.
    pub(crate) fn name(&self) -> String {
        if self.copied {
            return "standard input".to_owned();
        }
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// A new file that nobody else may read.
fn private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

impl Drop for Spool {
    fn drop(&mut self) {
        if self.copied {
            // A copy that is gone already is what was wanted.
            let _ = fs::remove_file(&self.path);
        }
    }
}
