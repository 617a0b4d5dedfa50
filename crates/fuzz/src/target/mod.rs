//! The targets.

mod connection;
mod host;
mod oracle;
mod parsers;

/// Something that takes any bytes.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, and that of its corpus.
    pub name: &'static str,
    /// Panics if something is wrong.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 11] = [
    Target { name: "packet", run: parsers::packet },
    Target { name: "options", run: parsers::options },
    Target { name: "notation", run: parsers::notation },
    Target { name: "capture", run: parsers::capture },
    Target { name: "filter", run: parsers::filter },
    Target { name: "script", run: parsers::script },
    Target { name: "craft", run: parsers::craft },
    Target { name: "hex", run: parsers::hex },
    Target { name: "oracle", run: oracle::run },
    Target { name: "connection", run: connection::run },
    Target { name: "host", run: host::run },
];

/// The target of this name.
#[must_use]
pub fn named(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}
