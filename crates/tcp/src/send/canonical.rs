//! The canonical form of the sending half.

use core::time::Duration;

use super::Sender;
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
            wishes,
            fin,
            flight,
            recovery,
            controller,
            rtt,
            rate,
            pacer,
            paced,
            grows_freely,
            abe,
            usage,
            validation,
            initial_segments,
            smss,
            small_end,
            last_sent_at,
            waiting_since,
            unanswered,
            limit,
            buffers,
            // A statistic.
            limits: _,
        } = self;
        for seq in [iss, una, nxt, small_end] {
            form.own(*seq);
        }
        for amount in [wnd, max_wnd] {
            form.word(*amount);
        }
        form.peer(*wl1);
        form.option(*up, Form::own);
        form.option(*fin, Form::own);
        queue.canonical(form);
        form.text(&(syn_acked, starved, closed, paced, grows_freely, abe, initial_segments));
        form.text(&(wishes, buffers));
        // Repair and congestion control are taken as they describe themselves, absolute numbers
        // and all: that only tells more states apart.
        form.text(&(flight, recovery, controller, rtt));
        form.text(&(rate, pacer, usage, validation));
        let longest = config.rto_max * 2;
        form.age(*last_sent_at, longest);
        let patience = config.user_timeout.unwrap_or(Duration::ZERO);
        form.option(*waiting_since, |form, at| form.age(at, patience));
        form.word(*smss);
        form.word(*unanswered);
        form.count(*limit);
    }
}
