//! The sending half when sequence numbers have gone round.

use handclasp_wire::seq::SeqNumber;
use handclasp_wire::time::Instant;

use super::*;

fn reading(now: Instant) -> Reading {
    Reading { now, min_rtt: Duration::ZERO, echoed_before: Instant::FAR_FUTURE, smss: 1000 }
}

#[test]
fn an_acknowledgment_of_the_isss_number_after_4_gib_is_one_like_any_other() {
    let config = Config::default();
    let now = Instant::from_millis(1);
    let iss = SeqNumber(77);
    let mut snd = Sender::new(&config, iss, now);
    snd.sent(now, 1);
    let reading = reading(now);
    snd.acknowledged(iss + 1, &reading);
    snd.start(&config, now, 1000, 0);
    // All but the last 100 of 2³² numbers were used.
    snd.una = iss - 100;
    snd.nxt = snd.una;
    snd.queue.push_slice(&[1; 300]);
    snd.sent(now, 200);
    assert_eq!((snd.data_base(), snd.unsent()), (iss - 100, 100));
    snd.acknowledged(iss, &reading);
    assert_eq!((snd.data_base(), snd.unsent(), snd.queue.len()), (iss, 100, 200));
    snd.acknowledged(iss + 100, &reading);
    assert_eq!((snd.data_base(), snd.unsent(), snd.queue.len()), (iss + 100, 100, 100));
    assert!(snd.small_end.ge(snd.una), "Nagle's mark does not lag behind");
}
