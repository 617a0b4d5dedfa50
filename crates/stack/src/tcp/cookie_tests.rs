use handclasp_tcp::Budget;
use handclasp_wire::tcp::Options;
use handclasp_wire::tcp::options::Timestamps;

use super::*;

fn cookies() -> Cookies {
    Cookies::new(&Secret::new([3; 32]))
}

fn tuple() -> Tuple {
    Tuple::new(([10, 0, 0, 1], 80).into(), ([10, 0, 0, 2], 4711).into())
}

fn opening() -> Opening {
    Opening { iss: SeqNumber(0), timestamp_offset: 0xdead_beef, path_mtu: 1500, link_mtu: 1500 }
}

fn at(seconds: u64) -> Instant {
    Instant::from_millis(seconds * 1000)
}

fn syn(options: Options) -> Header {
    Header { seq: SeqNumber(1_000_000), flags: Flags::SYN, options, ..Header::default() }
}

fn full_options() -> Options {
    Options {
        mss: Some(1460),
        window_scale: Some(7),
        sack_permitted: true,
        timestamps: Some(Timestamps { value: 500, echo: 0 }),
        ..Options::default()
    }
}

fn answer(syn: &Header, now: Instant) -> Header {
    let budget = Budget::default();
    let cx = Context::new(now, &budget);
    cookies().syn_ack(&Config::default(), &tuple(), syn, opening(), &cx)
}

/// The peer's ACK of `syn_ack`.
fn ack(syn: &Header, syn_ack: &Header) -> Header {
    let timestamps = syn_ack.options.timestamps.map(|t| Timestamps { value: 501, echo: t.value });
    Header {
        seq: syn.seq + 1,
        ack: syn_ack.seq + 1,
        flags: Flags::ACK,
        options: Options { timestamps, ..Options::default() },
        ..Header::default()
    }
}

fn open(ack: &Header, now: Instant) -> Option<HalfOpen> {
    cookies().open(&Config::default(), &tuple(), ack, opening(), now)
}

/// Requirement: RFC4987-P06
#[test]
fn with_timestamps_every_option_comes_back() {
    let syn = syn(full_options());
    let syn_ack = answer(&syn, at(1000));
    assert_eq!(syn_ack.options.window_scale, Some(Config::default().window_scale()));
    assert!(syn_ack.options.sack_permitted);
    let half = open(&ack(&syn, &syn_ack), at(1001)).unwrap();
    let negotiated = half.negotiated();
    assert_eq!((negotiated.peer_mss, negotiated.snd_scale), (1460, 7));
    assert!(negotiated.scaling && negotiated.sack && negotiated.timestamps);
    assert_eq!(half.irs(), syn.seq);
    assert_eq!(half.iss(), syn_ack.seq);
}

#[test]
fn what_the_peer_did_not_offer_does_not_come_back() {
    let timestamps = Some(Timestamps { value: 500, echo: 0 });
    let syn = syn(Options { timestamps, ..Options::default() });
    let half = open(&ack(&syn, &answer(&syn, at(1000))), at(1001)).unwrap();
    let negotiated = half.negotiated();
    assert!(!negotiated.scaling && !negotiated.sack && negotiated.timestamps);
    assert_eq!(negotiated.peer_mss, 536);
}

/// Requirement: RFC4987-P06
#[test]
fn without_timestamps_the_syn_ack_offers_no_more_than_the_cookie_holds() {
    let syn = syn(Options { timestamps: None, ..full_options() });
    let syn_ack = answer(&syn, at(1000));
    assert_eq!(syn_ack.options.window_scale, None);
    assert!(!syn_ack.options.sack_permitted);
    assert_eq!(syn_ack.options.mss, Some(1460));
    let half = open(&ack(&syn, &syn_ack), at(1001)).unwrap();
    assert!(!half.negotiated().scaling && !half.negotiated().sack);
}

#[test]
fn the_peer_s_mss_is_rounded_down() {
    for (announced, kept) in [(1459, 1440), (1400, 1400), (9001, 8900), (600, 536), (1, 64)] {
        let syn = syn(Options { mss: Some(announced), ..full_options() });
        let half = open(&ack(&syn, &answer(&syn, at(1000))), at(1001)).unwrap();
        assert_eq!(half.negotiated().peer_mss, kept);
    }
}

/// Requirement: RFC4987-P05
#[test]
fn a_cookie_is_good_for_two_minutes_at_most() {
    let syn = syn(full_options());
    for sent in 1000..1064 {
        let ack = ack(&syn, &answer(&syn, at(sent)));
        assert!(open(&ack, at(sent + 63)).is_some(), "sent at {sent}");
        assert!(open(&ack, at(sent + 129)).is_none(), "sent at {sent}");
        assert!(open(&ack, at(sent + 32 * 64)).is_none(), "the count comes round");
    }
}

/// Requirement: RFC4987-P05
#[test]
fn a_guess_another_tuple_or_another_syn_does_not_pass() {
    let syn = syn(full_options());
    let good = ack(&syn, &answer(&syn, at(1000)));
    for off in [1, 0x100, 0x0100_0000, 0x0800_0000, u32::MAX] {
        let forged = Header { ack: good.ack + off, ..good.clone() };
        assert!(open(&forged, at(1000)).is_none(), "{off}");
    }
    assert!(open(&Header { seq: good.seq + 1, ..good.clone() }, at(1000)).is_none());
    let other = Tuple { remote_port: 4712, ..tuple() };
    let taken = cookies().open(&Config::default(), &other, &good, opening(), at(1000));
    assert!(taken.is_none());
    let stranger = Cookies::new(&Secret::new([4; 32]));
    assert!(stranger.open(&Config::default(), &tuple(), &good, opening(), at(1000)).is_none());
}

#[test]
fn only_an_ack_opens() {
    let syn = syn(full_options());
    let good = ack(&syn, &answer(&syn, at(1000)));
    for flags in [Flags::empty(), Flags::ACK | Flags::RST, Flags::ACK | Flags::SYN] {
        assert!(open(&Header { flags, ..good.clone() }, at(1000)).is_none());
    }
    let data = Header { flags: Flags::ACK | Flags::PSH, ..good };
    assert!(open(&data, at(1000)).is_some());
}

#[test]
fn the_timestamp_holds_options_and_never_runs_ahead_of_the_clock() {
    let syn = syn(full_options());
    for millis in 0..200 {
        let now = Instant::from_millis(1_000_000 + millis);
        let sent = answer(&syn, now).options.timestamps.unwrap().value;
        let clock = timestamp(now, opening().timestamp_offset);
        let behind = clock.wrapping_sub(sent);
        assert!(behind < 1 << OPTION_BITS, "{behind} ms behind");
    }
}

#[test]
fn no_two_syns_of_a_tuple_share_a_cookie() {
    let first = syn(full_options());
    let second = Header { seq: first.seq + 1, ..first.clone() };
    assert_ne!(answer(&first, at(1)).seq, answer(&second, at(1)).seq);
}
