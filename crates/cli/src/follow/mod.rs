//! `handclasp follow`: the bytes that a connection carried.

pub(crate) mod args;
mod sink;

use handclasp::wire::seq::SeqNumber;
use handclasp::wire::tcp::Flags;
use handclasp_explain::filter::Packet;
use handclasp_explain::stream::{Piece, Stream};
use handclasp_explain::track::{Both, Side};

use crate::Outcome;
use crate::error::Error;
use crate::input::{Bar, Input};

use args::FollowArgs;
use sink::Sink;

/// Runs the command.
///
/// # Errors
///
/// When the capture cannot be read, there is no such connection, or the output cannot be
/// written.
pub(crate) fn run(args: &FollowArgs) -> Result<Outcome, Error> {
    let mut input = Input::open(&args.file, Bar::UnlessStdoutIsTerminal)?;
    let mut following = Following::new(args);
    let mut is_there = false;
    while let Some(step) = input.next() {
        if let Some(packet) = step.packet()
            && packet.seen.stream == args.flow
        {
            is_there = true;
            following.see(&packet);
        }
        following.sink.check()?;
        drop(input.trace().take_over());
    }
    let (_, whole) = input.finish();
    if !is_there {
        return whole.and(Err(Error::NoFlow(args.flow)));
    }
    let outcome = following.finish()?;
    whole.map(|()| outcome)
}

struct Following {
    streams: Both<Stream>,
    fins: Both<Option<SeqNumber>>,
    shown: Both<bool>,
    sink: Sink,
}

impl Following {
    fn new(args: &FollowArgs) -> Self {
        let shown = Both { client: !args.server, server: !args.client };
        let sink = Sink::new(args);
        Self { streams: Both::default(), fins: Both::default(), shown, sink }
    }

    fn see(&mut self, packet: &Packet<'_>) {
        let (segment, from) = (packet.segment, packet.seen.side());
        let (flags, to) = (segment.header.flags, from.other());
        if self.shown[from] {
            if flags.contains(Flags::FIN) {
                self.fins[from].get_or_insert(segment.header.seq + segment.len);
            }
            let sink = &mut self.sink;
            self.streams[from].sent(segment, |piece| sink.piece(from, segment.number, piece));
        }
        if self.shown[to] && flags.contains(Flags::ACK) {
            let sink = &mut self.sink;
            let each = |piece: Piece<'_>| sink.piece(to, segment.number, piece);
            self.streams[to].acknowledged(segment.header.ack, segment.at, each);
        }
    }

    fn finish(mut self) -> Result<Outcome, Error> {
        let Both { client, server } = self.streams;
        let sink = &mut self.sink;
        for (from, stream) in [(Side::Client, client), (Side::Server, server)] {
            if self.shown[from] {
                stream.finish(self.fins[from], |piece| sink.piece(from, 0, piece));
            }
        }
        Ok(self.sink.finish(self.shown)?)
    }
}
