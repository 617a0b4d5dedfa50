//! Where what commands say goes.

use std::io::{self, BufWriter, IsTerminal, LineWriter, Write};

/// Standard output, line by line where somebody watches it; escape codes go to terminals only.
pub(crate) fn stdout() -> Box<dyn Write> {
    let out = anstream::stdout().lock();
    match io::stdout().is_terminal() {
        true => Box::new(LineWriter::new(out)),
        false => Box::new(BufWriter::new(out)),
    }
}

/// Standard output for what has no escape codes, or for those who leave them out where this says
/// so: taking them away again takes as long as everything else.
pub(crate) fn plain_stdout() -> (Box<dyn Write>, bool) {
    let out = io::stdout();
    let coloured = anstream::AutoStream::choice(&out) != anstream::ColorChoice::Never;
    match coloured {
        true => (stdout(), true),
        false if out.is_terminal() => (Box::new(LineWriter::new(out.lock())), false),
        false => (Box::new(BufWriter::with_capacity(1 << 16, out.lock())), false),
    }
}

/// Writes an object as a line.
pub(crate) fn object(out: &mut impl Write, object: &impl serde::Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, object)?;
    out.write_all(b"\n")
}
