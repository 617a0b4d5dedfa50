//! `handclasp listen`.

use crate::Outcome;
use crate::args::ListenArgs;
use crate::error::Error;

pub(crate) fn run(_args: ListenArgs) -> Result<Outcome, Error> {
    Ok(Outcome::Done)
}
