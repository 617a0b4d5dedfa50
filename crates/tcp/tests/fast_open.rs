//! Fast Open (RFC 7413): data in the first two packets of the handshake.

mod common;

use std::sync::Arc;

use bytes::Bytes;
use common::*;
use handclasp_tcp::connection::{Connection, Error, Readiness};
use handclasp_tcp::fast_open::{Known, Lesson};
use handclasp_tcp::{Config, State};
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::options::FastOpen;
use handclasp_wire::tcp::{Flags, Header, Options};

const REQUEST: &[u8] = b"GET / HTTP/1.0\r\n\r\n";

fn cookie(bytes: &[u8]) -> FastOpen {
    FastOpen::new(bytes, false).unwrap()
}

fn known(bytes: &[u8], mss: u16) -> Known {
    Known { cookie: cookie(bytes), mss }
}

/// A client in SYN-SENT with this to say, and its SYN.
fn client(known: Known, text: &[u8]) -> (Bench, handclasp_tcp::Transmit) {
    let mut b = Bench::connecting(plain());
    let config = Arc::new(plain());
    b.conn = b.with(|_, cx| Connection::connect_fast(config, tuple(), opening(), known, cx));
    b.write(text);
    let syn = b.one();
    assert_eq!(flags(&syn), "S");
    (b, syn)
}

/// The server's SYN-ACK.
fn answer(b: &mut Bench, ack: u32, fast_open: Option<FastOpen>) {
    let header = Header {
        seq: SeqNumber(IRS),
        ack: SeqNumber(ack),
        flags: Flags::SYN | Flags::ACK,
        options: Options { fast_open, ..mss(1000) },
        ..b.blank()
    };
    b.peer_nxt = IRS + 1;
    b.arrive(header, &[]);
}

fn lesson(b: &mut Bench) -> Option<Lesson> {
    b.conn.take_lesson()
}

/// Requirement: RFC7413-R09, RFC7413-R10, RFC7413-R19
#[test]
fn without_a_cookie_the_first_syn_asks_for_one_and_carries_no_data() {
    let (mut b, syn) = client(known(&[], 536), REQUEST);
    assert_eq!(syn.header.options.fast_open, Some(cookie(&[])));
    assert_eq!(syn.payload_len(), 0);
    answer(&mut b, ISS + 1, Some(cookie(b"12345678")));
    let remember = Lesson::Remember { known: known(b"12345678", 1000), taken: false };
    assert_eq!(lesson(&mut b), Some(remember));
    assert_eq!(text(&b.one()), REQUEST, "the data goes with the ACK");
}

#[test]
fn with_a_cookie_the_syn_carries_the_data() {
    let (mut b, syn) = client(known(b"12345678", 1000), REQUEST);
    assert_eq!(syn.header.options.fast_open, Some(cookie(b"12345678")));
    assert_eq!(text(&syn), REQUEST);
    answer(&mut b, ISS + 1 + REQUEST.len() as u32, None);
    assert!(matches!(lesson(&mut b), Some(Lesson::Remember { taken: true, .. })));
    assert_eq!(lesson(&mut b), None, "it is told once");
    let ack = b.one();
    assert_eq!((ack.header.seq.0, ack.payload_len()), (ISS + 1 + REQUEST.len() as u32, 0));
    assert!(b.ready(Readiness::FLUSHED));
    assert_eq!(b.budget.used(), 0);
}

/// Requirement: RFC7413-P12
#[test]
fn the_data_of_the_syn_fits_the_cached_mss_beside_the_options() {
    let (mut b, syn) = client(known(b"12345678", 536), &[7; 2000]);
    let options = syn.header.emitted_len() - 20;
    assert_eq!(syn.payload_len(), 536 - options);
    assert_eq!(b.snd_nxt(), ISS + 1 + syn.payload_len() as u32);
    let all = b.snd_nxt();
    answer(&mut b, all, None);
    let sent: usize = b.drain().iter().map(|t| t.payload_len()).sum();
    assert_eq!(sent, 2000 - syn.payload_len());
}

/// Requirement: RFC7413-P13, RFC7413-R17
#[test]
fn data_that_the_server_did_not_take_leaves_again_with_the_ack() {
    let (mut b, _) = client(known(b"12345678", 1000), REQUEST);
    answer(&mut b, ISS + 1, Some(cookie(b"abcdefgh")));
    let again = b.one();
    assert_eq!((again.header.seq.0, &*flags(&again)), (ISS + 1, "P."));
    assert_eq!(text(&again), REQUEST);
    let remember = Lesson::Remember { known: known(b"abcdefgh", 1000), taken: false };
    assert_eq!(lesson(&mut b), Some(remember), "the newer cookie is for the next time");
    b.ack(b.snd_nxt());
    assert!(b.ready(Readiness::FLUSHED));
}

#[test]
fn data_that_the_server_took_in_part_goes_on_from_there() {
    let (mut b, _) = client(known(b"12345678", 1000), REQUEST);
    answer(&mut b, ISS + 1 + 5, None);
    assert_eq!(text(&b.one()), &REQUEST[5..]);
}

/// Requirement: RFC7413-R05
#[test]
fn a_server_that_neither_takes_data_nor_gives_a_cookie_refuses() {
    let (mut b, _) = client(known(b"12345678", 1000), REQUEST);
    answer(&mut b, ISS + 1, None);
    assert_eq!(lesson(&mut b), Some(Lesson::Refused));
    let (mut b, _) = client(known(&[], 536), b"");
    answer(&mut b, ISS + 1, None);
    assert_eq!(lesson(&mut b), Some(Lesson::Refused));
}

/// Requirement: RFC7413-R11
#[test]
fn a_syn_that_timed_out_is_sent_again_without_data_and_option() {
    let (mut b, _) = client(known(b"12345678", 1000), REQUEST);
    b.until_deadline();
    let again = b.one();
    assert_eq!((&*flags(&again), again.payload_len()), ("S", 0));
    assert_eq!(again.header.options.fast_open, None);
    assert_eq!(lesson(&mut b), Some(Lesson::TimedOut));
    answer(&mut b, ISS + 1, None);
    assert_eq!(text(&b.one()), REQUEST);
}

#[test]
fn a_refusal_of_a_syn_with_data_ends_the_attempt() {
    let (mut b, _) = client(known(b"12345678", 1000), REQUEST);
    let ack = ISS + 1 + REQUEST.len() as u32;
    let flags = Flags::RST | Flags::ACK;
    let reset = Header { seq: SeqNumber(0), ack: SeqNumber(ack), flags, ..b.blank() };
    b.arrive(reset, &[]);
    assert_eq!(b.conn.error(), Some(Error::Refused));
    assert_eq!(b.budget.used(), 0);
}

/// A server that has taken the data of a SYN; its SYN-ACK is not sent yet.
fn server(text: &'static [u8], renewed: Option<FastOpen>) -> Bench {
    let mut b = Bench::connecting(plain());
    let config = Arc::new(plain());
    let half = half_open(&config, mss(1000), b.now);
    b.peer_nxt = IRS + 1 + text.len() as u32;
    let bytes = Bytes::from_static(text);
    b.conn = b.with(|_, cx| half.open_fast(config, tuple(), &syn(mss(1000)), bytes, renewed, cx));
    b
}

/// Requirement: RFC7413-P13
#[test]
fn the_data_of_a_syn_is_delivered_and_acknowledged_by_the_syn_ack() {
    let mut b = server(REQUEST, None);
    assert_eq!(b.state(), State::SynReceived);
    assert_eq!(b.read(100), REQUEST, "before the handshake is over");
    let syn_ack = b.one();
    assert_eq!(flags(&syn_ack), "S.");
    assert_eq!(syn_ack.header.ack.0, IRS + 1 + REQUEST.len() as u32);
    b.ack(ISS + 1);
    assert_eq!(b.state(), State::Established);
    b.silent();
    assert_eq!(b.budget.used(), 0);
}

/// Requirement: RFC7413-R14, RFC7413-R15
#[test]
fn a_server_may_answer_right_after_its_syn_ack_within_the_initial_window() {
    let mut b = server(REQUEST, None);
    b.write(&[1; 30_000]);
    let sent = b.drain();
    assert_eq!(flags(&sent[0]), "S.");
    let bytes: usize = sent[1..].iter().map(|t| t.payload_len()).sum();
    // Ten segments of 1,000, and the SYN takes its place in the window too.
    assert_eq!(bytes, 9_000);
    assert_eq!(sent[1].header.seq.0, ISS + 1);
    b.ack(ISS + 1 + 9_000);
    assert_eq!(b.state(), State::Established);
    assert!(!b.drain().is_empty(), "the window grew");
}

#[test]
fn an_early_answer_that_was_lost_is_sent_again_after_the_handshake() {
    let mut b = server(REQUEST, None);
    b.write(b"200 OK");
    assert_eq!(b.drain().len(), 2);
    b.ack(ISS + 1);
    assert_eq!(b.state(), State::Established);
    b.silent();
    b.until_deadline();
    let again = b.one();
    assert_eq!((again.header.seq.0, text(&again)), (ISS + 1, b"200 OK".to_vec()));
}

/// Requirement: RFC7413-R16
#[test]
fn a_syn_ack_that_timed_out_is_sent_again_without_data_and_option() {
    let mut b = server(REQUEST, Some(cookie(b"renewed!")));
    b.write(b"200 OK");
    let sent = b.drain();
    assert_eq!(sent[0].header.options.fast_open, Some(cookie(b"renewed!")));
    b.until_deadline();
    let again = b.one();
    assert_eq!((&*flags(&again), again.payload_len()), ("S.", 0));
    assert_eq!(again.header.options.fast_open, None);
    assert_eq!(again.header.ack.0, IRS + 1 + REQUEST.len() as u32);
}

#[test]
fn the_clients_syn_again_gets_the_syn_ack_again() {
    let mut b = server(REQUEST, None);
    b.drain();
    b.arrive(syn(mss(1000)), &[]);
    let again = b.one();
    assert_eq!((&*flags(&again), again.header.seq.0), ("S.", ISS));
    assert_eq!(b.read(100), REQUEST, "the data is delivered once");
}

#[test]
fn a_reset_of_a_connection_that_was_handed_over_is_a_reset() {
    let mut b = server(REQUEST, None);
    b.drain();
    b.rst(IRS + 1 + REQUEST.len() as u32);
    assert_eq!(b.conn.error(), Some(Error::Reset));
}

#[test]
fn a_handshake_that_never_ends_is_given_up() {
    let mut b = server(REQUEST, None);
    let sent = b.watch(100 * SECOND);
    assert_eq!(sent.len(), 1 + usize::from(Config::default().syn_ack_retries) + 1, "and a RST");
    assert_eq!(b.conn.error(), Some(Error::HandshakeTimedOut));
}
