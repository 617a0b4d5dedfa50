//! The state diagram, printed.

use std::io::Write;

use handclasp_prove::diagram;
use serde_json::json;

use super::args::{DiagramArgs, Form};
use crate::Outcome;
use crate::error::Error;

pub(super) fn run(args: &DiagramArgs) -> Result<Outcome, Error> {
    let mut out = anstream::stdout().lock();
    match args.form {
        Form::Text => out.write_all(diagram::text().as_bytes())?,
        Form::Svg => out.write_all(diagram::svg().as_bytes())?,
        Form::Mermaid => out.write_all(diagram::mermaid().as_bytes())?,
        Form::Json => {
            for edge in diagram::edges() {
                for cause in edge.causes {
                    let row = json!({
                        "from": edge.from.name(),
                        "to": edge.to.name(),
                        "cause": diagram::label(edge.from, cause),
                    });
                    writeln!(out, "{row}")?;
                }
            }
        }
    }
    Ok(Outcome::Done)
}
