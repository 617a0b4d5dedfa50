//! Rows told to people, as a ladder, or to programs, as JSON Lines.

use std::io::{self, Write};
use std::net::SocketAddr;

use handclasp_explain::catalogue::{Cast, Message};
use handclasp_explain::json;
use handclasp_explain::ladder::{Ladder, View};
use handclasp_explain::track::row::{Known, Row};
use handclasp_explain::track::{Both, Side};
use indicatif::ProgressBar;

use crate::language::language;

/// A connection that rows are told of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About {
    /// Its number, from 0.
    pub(crate) number: usize,
    pub(crate) sockets: Both<SocketAddr>,
    /// Which end is ours.
    pub(crate) ours: Side,
}

/// Tells rows.
pub(crate) trait Teller: Send {
    /// A connection begins, with both ends in these states.
    fn begin(&mut self, about: &About, states: &Both<Known>) -> io::Result<()>;

    /// One more packet of it.
    fn row(&mut self, about: &About, row: &Row) -> io::Result<()>;
}

/// Nobody tells anything where nobody wants to hear it.
impl<T: Teller> Teller for Option<T> {
    fn begin(&mut self, about: &About, states: &Both<Known>) -> io::Result<()> {
        self.as_mut().map_or(Ok(()), |teller| teller.begin(about, states))
    }

    fn row(&mut self, about: &About, row: &Row) -> io::Result<()> {
        self.as_mut().map_or(Ok(()), |teller| teller.row(about, row))
    }
}

/// Draws a ladder; with several connections, says which one the next rows are of.
pub(crate) struct Drawing<W> {
    ladder: Ladder<'static, W>,
    current: Option<usize>,
    /// A bar on the same screen, which makes room for rows.
    bar: ProgressBar,
}

impl<W: Write + Send> Drawing<W> {
    pub(crate) fn new(out: W, view: View, bar: ProgressBar) -> Self {
        Self { ladder: Ladder::new(out, language(), view), current: None, bar }
    }

    pub(crate) fn bar(&self) -> ProgressBar {
        self.bar.clone()
    }

    pub(crate) fn ladder(&mut self) -> &mut Ladder<'static, W> {
        &mut self.ladder
    }

    fn turn_to(&mut self, about: &About) -> io::Result<()> {
        if self.current == Some(about.number) {
            return Ok(());
        }
        let first = self.current.is_none() && about.number == 0;
        self.current = Some(about.number);
        if first {
            return Ok(());
        }
        let Both { client, server } = about.sockets;
        let line = self.ladder.say(&Message::ConnectionBegins { client, server });
        self.ladder.title(&[line])
    }
}

impl<W: Write + Send> Teller for Drawing<W> {
    fn begin(&mut self, about: &About, states: &Both<Known>) -> io::Result<()> {
        self.turn_to(about)?;
        if states.client.state.is_some() && states.server.state.is_some() {
            self.ladder.start(states)?;
        }
        self.ladder.flush()
    }

    fn row(&mut self, about: &About, row: &Row) -> io::Result<()> {
        if self.ladder.folds(row) {
            return Ok(());
        }
        self.bar.clone().suspend(|| {
            self.turn_to(about)?;
            self.ladder.row(row)?;
            self.ladder.flush()
        })
    }
}

/// Writes a line for each packet.
pub(crate) struct Lines<W> {
    out: W,
}

impl<W: Write + Send> Lines<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out }
    }

    /// Writes one object.
    pub(crate) fn object(&mut self, object: &impl serde::Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, object)?;
        self.out.write_all(b"\n")?;
        self.out.flush()
    }
}

impl<W: Write + Send> Teller for Lines<W> {
    fn begin(&mut self, _about: &About, _states: &Both<Known>) -> io::Result<()> {
        Ok(())
    }

    fn row(&mut self, about: &About, row: &Row) -> io::Result<()> {
        let cast = Cast { ours: Some(about.ours) };
        self.object(&json::Packet::new(about.number as u64, row, language(), &cast))
    }
}

/// Cells of a line on the screen; where there is no screen, as many as rows take in full.
pub(crate) fn screen_width() -> usize {
    const ENOUGH: usize = 100;
    terminal_size::terminal_size().map_or(ENOUGH, |(width, _)| width.0.into())
}
