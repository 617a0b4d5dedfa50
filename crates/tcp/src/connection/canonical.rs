//! The canonical form of a connection, and the numbers it is relative to.

use core::time::Duration;

use handclasp_wire::seq::SeqNumber;

use super::arrive::TIMESTAMP_LIFETIME;
use super::{Connection, Life};
use crate::canonical::Form;
use crate::queue::ByteQueue;
use crate::receive::Receiver;
use crate::state::State;

impl Connection {
    /// Our initial sequence number.
    #[must_use]
    pub const fn iss(&self) -> SeqNumber {
        self.snd.iss
    }

    /// The peer's initial sequence number; zero before its SYN came.
    #[must_use]
    pub const fn irs(&self) -> SeqNumber {
        self.rcv.irs
    }

    /// Writes the connection down. Its settings are left out: they are the same for all
    /// states that are compared.
    pub fn canonical(&self, form: &mut Form) {
        let Self {
            tuple: _,
            state,
            config: _,
            opening,
            negotiated,
            snd,
            rcv,
            timers,
            pending,
            life,
            stats: _,
            path_mtu,
            fast,
            ecn,
        } = self;
        form.word(*state as u8);
        form.own(opening.iss);
        form.word(opening.path_mtu);
        form.word(opening.link_mtu);
        form.negotiated(negotiated);
        snd.canonical(&self.config, form);
        receiver(rcv, *state, form);
        timers.deadlines().for_each(|at| form.deadline(at));
        form.text(pending);
        self.life(life, form);
        form.word(*path_mtu);
        form.text(&(fast, ecn));
    }

    fn life(&self, life: &Life, form: &mut Form) {
        let Life {
            error,
            soft_error,
            orphaned,
            was_open,
            doubtful,
            last_heard_at,
            keep_alive_probes,
            time_wait_until,
            challenges,
            challenges_since,
        } = life;
        form.text(&(error, soft_error, orphaned, was_open, doubtful, keep_alive_probes));
        let idle = self.config.keep_alive.map_or(Duration::ZERO, |k| k.idle + k.interval);
        form.age(*last_heard_at, idle);
        form.deadline(*time_wait_until);
        // An interval that is over has no count any more.
        let interval = self.config.challenge_interval;
        form.age(*challenges_since, interval);
        let fresh = form.origin().now.saturating_since(*challenges_since) < interval;
        form.word(if fresh { *challenges } else { 0 });
    }
}

fn receiver(rcv: &Receiver, state: State, form: &mut Form) {
    let Receiver {
        irs,
        nxt,
        edge,
        scale,
        queue,
        reassembly,
        fin,
        up,
        owed,
        ts_recent,
        ts_recent_at,
        last_ack_sent,
        segment,
        tuning,
        charged: _,
        // A statistic.
        data_at: _,
    } = rcv;
    if state == State::SynSent {
        // No SYN came yet: all of it is as it was made.
        return;
    }
    for seq in [irs, nxt, edge, last_ack_sent] {
        form.peer(*seq);
    }
    form.word(*scale);
    contents(queue, form);
    form.text(reassembly);
    form.option(*fin, Form::peer);
    form.option(*up, Form::peer);
    form.text(owed);
    form.stamp(*ts_recent);
    let old = form.origin().now.saturating_since(*ts_recent_at) >= TIMESTAMP_LIFETIME;
    form.word(old);
    form.word(*segment);
    tuning.canonical(form);
}

/// Bytes in order: how they are cut into chunks does not count.
fn contents(queue: &ByteQueue, form: &mut Form) {
    let mut bytes = alloc::vec![0; queue.len()];
    queue.peek(&mut bytes);
    form.bytes(&bytes);
}

impl ByteQueue {
    /// Writes the bytes down.
    pub(crate) fn canonical(&self, form: &mut Form) {
        contents(self, form);
    }
}
