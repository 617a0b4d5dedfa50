//! `handclasp connect`.

use crate::Outcome;
use crate::args::ConnectArgs;
use crate::error::Error;

pub(crate) fn run(_args: ConnectArgs) -> Result<Outcome, Error> {
    Ok(Outcome::Done)
}
