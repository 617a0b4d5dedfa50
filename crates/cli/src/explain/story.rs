//! One connection, packet by packet.

use std::io::Write;

use handclasp_explain::catalogue::{Cast, Hint, Message, Reading};
use handclasp_explain::finding::Severity;
use handclasp_explain::json;
use handclasp_explain::ladder::{Ladder, View};
use handclasp_explain::track::row::Row;
use handclasp_explain::track::tale::Tale;
use handclasp_explain::track::{Fate, Side};

use super::Drawn;
use super::args::ExplainArgs;
use crate::error::Error;
use crate::input::{Again, Bar};
use crate::language::language;
use crate::output;
use crate::watch::tell::screen_width;

/// After so many rows, runs of data are not shown packet by packet.
const FOLD_AFTER: u64 = 60;

/// Reads the capture again, and hands over the rows of one connection.
fn rows(
    again: &Again,
    drawn: &Drawn,
    mut each: impl FnMut(Row) -> std::io::Result<()>,
) -> Result<(), Error> {
    let mut input = again.open(Bar::UnlessStdoutIsTerminal)?;
    let mut tale = Tale::default();
    while let Some(step) = input.next() {
        let number = step.frame.number;
        if let Some(packet) = step.packet()
            && packet.seen.stream == drawn.stream
        {
            each(tale.row(packet.segment, Fate::Arrived, packet.seen))?;
        }
        if number >= drawn.last_frame {
            break;
        }
        drop(input.trace().take_over());
    }
    input.stop();
    Ok(())
}

/// Draws it as a ladder.
pub(super) fn draw(
    again: &Again,
    drawn: &Drawn,
    args: &ExplainArgs,
    out: &mut impl Write,
) -> Result<(), Error> {
    let [client, server] = drawn.sockets;
    let view = View {
        left: Side::Client,
        names: [client.to_string(), server.to_string()],
        marked: [false; 2],
        absolute: args.absolute,
        width: screen_width(),
        fold_after: (!args.packets).then_some(FOLD_AFTER),
        cast: Cast::default(),
        numbered: true,
    };
    let mut ladder = Ladder::new(out, language(), view);
    let begins = ladder.say(&Message::ConnectionBegins { client, server });
    ladder.title(&[format!("#{} {begins}", drawn.stream)])?;
    ladder.headings()?;
    rows(again, drawn, |row| if ladder.folds(&row) { Ok(()) } else { ladder.row(&row) })?;
    ladder.outcome(drawn.severity != Some(Severity::Error), &drawn.totals)?;
    Ok(())
}

/// Writes its packets as objects.
pub(super) fn lines(again: &Again, drawn: &Drawn, out: &mut impl Write) -> Result<(), Error> {
    let (stream, cast) = (drawn.stream, Cast::default());
    rows(again, drawn, |row| {
        output::object(out, &json::Packet::new(stream, &row, language(), &cast))
    })
}

/// How much was not drawn, and a command that shows more.
pub(super) fn next(
    args: &ExplainArgs,
    drawn: &[Drawn],
    connections: u64,
    out: &mut impl Write,
) -> Result<(), Error> {
    let say = |message: &Message<'_>| language().say(&Cast::default(), message);
    let (file, shown) = (args.file().display(), drawn.len() as u64);
    let Some(one) = drawn.first() else { return Ok(()) };
    if shown < connections {
        writeln!(out, "{}", say(&Message::Reading(Reading::Shown { shown, of: connections })))?;
    }
    let stream = one.stream;
    let (command, hint) = match (drawn.len(), args.packets) {
        (2.., _) => (format!("handclasp flows {file}"), Hint::AllFlows),
        (_, false) => {
            (format!("handclasp explain {file} --flow {stream} --packets"), Hint::EveryPacket)
        }
        (_, true) => (format!("handclasp follow {file} --flow {stream}"), Hint::Contents),
    };
    writeln!(out, "{}  {command}   {}", say(&Message::Next), say(&Message::Hint(hint)))?;
    Ok(())
}
