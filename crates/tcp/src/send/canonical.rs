//! The canonical form of the sending half.

use core::time::Duration;

use super::Sender;
use super::flight::Sent;
use crate::canonical::Form;
use crate::config::Config;

impl Sender {
    pub(crate) fn canonical(&self, config: &Config, form: &mut Form) {
        let Self {
            iss,
            syn_acked,
            una,
            nxt,
            wnd,
            wl1,
            max_wnd,
            up,
            queue,
            starved,
            closed,
            fin,
            flight,
            recovery,
            controller,
            rtt,
            delivered,
            delivered_at,
            smss,
            small_end,
            last_sent_at,
            waiting_since,
            unanswered,
            cwnd_used,
            cwnd_round,
            limit,
        } = self;
        for seq in [iss, una, nxt, small_end, cwnd_round] {
            form.own(*seq);
        }
        for amount in [wnd, max_wnd, cwnd_used] {
            form.word(*amount);
        }
        form.peer(*wl1);
        form.option(*up, Form::own);
        form.option(*fin, Form::own);
        queue.canonical(form);
        form.text(&(syn_acked, starved, closed, recovery, controller, rtt, delivered));
        let longest = config.rto_max * 2;
        form.age(*delivered_at, longest);
        form.age(*last_sent_at, longest);
        let patience = config.user_timeout.unwrap_or(Duration::ZERO);
        form.option(*waiting_since, |form, at| form.age(at, patience));
        form.word(*smss);
        form.word(*unanswered);
        form.count(*limit);
        for Sent { seq, len, sent_at, delivered, delivered_at, fate } in flight.ranges() {
            form.own(*seq);
            form.word(*len);
            form.age(*sent_at, Duration::MAX);
            form.word(*delivered);
            form.age(*delivered_at, longest);
            form.word(fate.bits());
        }
    }
}
