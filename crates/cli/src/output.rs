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

/// Writes an object as a line.
pub(crate) fn object(out: &mut impl Write, object: &impl serde::Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, object)?;
    out.write_all(b"\n")
}
