//! What keeps a private network from being made.

use std::io;

/// What keeps a private network from being made or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system does not let this user have namespaces of its own.
    #[error("a private network is not allowed here: {reason}; {remedy}")]
    NotPermitted {
        /// Which permission is missing.
        reason: String,
        /// What to type to have it.
        remedy: String,
    },
    /// The process did not first enter a namespace of its own.
    #[error("this process is in the machine's own network; a lab is only made in a private one")]
    NotPrivate,
    /// The operating system refused something that it should not have.
    #[error("cannot {doing}: {source}")]
    Os {
        /// What was being done.
        doing: String,
        /// Why it failed.
        source: io::Error,
    },
}

impl Error {
    /// For `map_err`: an error of the operating system while `doing` something.
    #[cfg(target_os = "linux")]
    pub(crate) fn os<E: Into<io::Error>>(doing: impl Into<String>) -> impl FnOnce(E) -> Self {
        let doing = doing.into();
        move |source| Self::Os { doing, source: source.into() }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::NotPermitted { .. } => io::ErrorKind::PermissionDenied,
            Error::NotPrivate => io::ErrorKind::Other,
            Error::Os { source, .. } => source.kind(),
        };
        Self::new(kind, error)
    }
}

/// What this crate's functions return.
pub type Result<T> = std::result::Result<T, Error>;
