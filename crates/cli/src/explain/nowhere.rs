//! Where interfaces cannot be watched.

use handclasp_explain::filter::Filter;

use super::args::ExplainArgs;
use crate::Outcome;
use crate::error::Error;

/// Says what `--live` needs.
///
/// # Errors
///
/// Always.
pub(super) fn run(
    _args: &ExplainArgs,
    _interface: &str,
    _filter: Option<Filter>,
) -> Result<Outcome, Error> {
    Err(Error::NeedsLinux("handclasp explain FILE"))
}
