use std::io;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use handclasp::tcp::State;
use handclasp::tcp::event::LossSign;
use handclasp::tcp::state::Cause;
use handclasp::wire::seq::SeqNumber;
use handclasp_explain::track::note::{Note, Resent};
use handclasp_explain::track::row::{Known, Row};
use handclasp_explain::track::{Both, Fate};

use super::{Narrator, peer_state};
use crate::watch::pairing::Pairing;
use crate::watch::sights::{ACK, FIN, SYN, SYN_ACK, far, near, packet, step};
use crate::watch::tell::{About, Teller};
use crate::watch::{Sight, Step};

/// Keeps what it is told.
#[derive(Default)]
struct Notebook(Vec<Row>);

impl Teller for Notebook {
    fn begin(&mut self, _about: &About, _states: &Both<Known>) -> io::Result<()> {
        Ok(())
    }

    fn row(&mut self, _about: &About, row: &Row) -> io::Result<()> {
        self.0.push(row.clone());
        Ok(())
    }
}

fn told(sights: impl IntoIterator<Item = Sight>) -> Vec<Row> {
    let before = Both { client: Some(State::Closed), server: Some(State::Listen) };
    let (send, heard) = sync_channel(100);
    sights.into_iter().for_each(|sight| send.send(sight).unwrap());
    send.send(Sight::End).unwrap();
    let narrator = Narrator::new(Notebook::default(), Pairing::two_sided(Duration::ZERO), before);
    narrator.run(&heard).unwrap().0.0
}

fn ours(row: &Row) -> Known {
    row.states.client
}

fn moves(to: State, cause: Cause) -> Sight {
    step(Step::State { to, cause })
}

fn received(seq: u32, seg_len: u32) -> Sight {
    step(Step::Received { seq: SeqNumber(seq), seg_len })
}

fn sent(seq: u32, seg_len: u32) -> Sight {
    step(Step::Sent { seq: SeqNumber(seq), seg_len, why: None })
}

/// Our SYN and the SYN-ACK, with what the stack says of them.
fn opening() -> Vec<Sight> {
    let (syn, syn_ack) = (packet(true, SYN, 0, 0, 0), packet(false, SYN_ACK, 100, 1, 0));
    vec![
        moves(State::SynSent, Cause::ActiveOpen),
        sent(0, 1),
        far(syn.clone().answered(State::SynReceived)),
        near(syn),
        far(syn_ack.clone().answered(State::SynReceived)),
        near(syn_ack),
        received(100, 1),
        moves(State::Established, Cause::SynAckArrived),
    ]
}

const fn read(state: State) -> Known {
    Known { state: Some(state), read: true }
}

const fn inferred(state: State) -> Known {
    Known { state: Some(state), read: false }
}

#[test]
fn rows_tell_the_states_that_both_ends_told() {
    let rows = told(opening());
    assert_eq!((ours(&rows[0]), ours(&rows[1])), (read(State::SynSent), read(State::Established)));
    assert!(rows.iter().all(|row| row.states.server == read(State::SynReceived)));
}

#[test]
fn a_segment_that_the_stack_does_not_act_on_leaves_its_state() {
    let mut sights = opening();
    sights.pop();
    assert_eq!(ours(&told(sights)[1]), read(State::SynSent));
}

#[test]
fn a_packet_that_the_stack_never_takes_is_told_all_the_same() {
    let mut sights = opening();
    sights.truncate(6);
    let rows = told(sights);
    assert_eq!(rows.len(), 2);
    assert_eq!(ours(&rows[1]), read(State::SynSent));
}

#[test]
fn where_the_stack_tells_nothing_its_state_is_inferred() {
    let rows = told(opening().into_iter().filter(|sight| !matches!(sight, Sight::Step(..))));
    assert_eq!(ours(&rows[1]), inferred(State::Established));
}

#[test]
fn two_packets_that_leave_together_each_tell_their_own_state() {
    let (ack, fin) = (packet(true, ACK, 1, 102, 0), packet(true, FIN, 1, 102, 0));
    let server_fin = packet(false, FIN, 101, 1, 0);
    let rows = told(opening().into_iter().chain([
        far(server_fin.clone()),
        near(server_fin),
        received(101, 1),
        moves(State::CloseWait, Cause::FinArrived),
        sent(1, 0),
        moves(State::LastAck, Cause::Close),
        sent(1, 1),
        far(ack.clone()),
        near(ack),
        far(fin.clone()),
        near(fin),
    ]));
    let states: Vec<_> = rows[2..].iter().map(ours).collect();
    let expected = [State::CloseWait, State::CloseWait, State::LastAck].map(read);
    assert_eq!(states, expected);
}

#[test]
fn the_pieces_of_a_coalesced_segment_are_rows_of_their_own() {
    let pieces = [packet(false, ACK, 101, 1, 1000), packet(false, ACK, 1101, 1, 500)];
    let seen = pieces.iter().flat_map(|piece| [far(piece.clone()), near(piece.clone())]);
    let rows = told(opening().into_iter().chain(seen).chain([received(101, 1500)]));
    assert_eq!(rows[2..].iter().map(|row| row.segment.len).collect::<Vec<_>>(), [1000, 500]);
    assert!(rows[2..].iter().all(|row| ours(row).read));
}

#[test]
fn a_copy_is_taken_on_its_own() {
    let fin = packet(false, FIN, 101, 1, 0);
    let rows = told(opening().into_iter().chain([
        far(fin.clone()),
        near(fin.clone()),
        near(fin),
        received(101, 1),
        moves(State::CloseWait, Cause::FinArrived),
        received(101, 1),
    ]));
    assert_eq!((rows[2].fate, ours(&rows[2])), (Fate::Arrived, read(State::CloseWait)));
    assert_eq!((rows[3].fate, ours(&rows[3])), (Fate::Copied, read(State::CloseWait)));
}

#[test]
fn an_answer_that_came_too_late_does_not_count() {
    let late = peer_state(Some(State::Established), State::FinWait1);
    assert_eq!(late, inferred(State::Established));
}

#[test]
fn an_answer_that_nothing_explains_counts() {
    let other = peer_state(Some(State::SynReceived), State::Listen);
    assert_eq!(other, read(State::Listen));
}

#[test]
fn a_listener_that_answers_for_a_connection_that_is_over_means_closed() {
    assert_eq!(peer_state(Some(State::Closed), State::Listen), read(State::Closed));
    assert_eq!(peer_state(Some(State::LastAck), State::Listen), inferred(State::LastAck));
}

#[test]
fn a_peer_that_cannot_be_asked_is_inferred() {
    let (syn, syn_ack) = (packet(true, SYN, 0, 0, 0), packet(false, SYN_ACK, 100, 1, 0));
    let rows = told([far(syn.clone()), near(syn), far(syn_ack.clone()), near(syn_ack)]);
    assert!(rows.iter().all(|row| row.states.server == inferred(State::SynReceived)));
}

#[test]
fn an_answer_from_before_our_packet_arrived_takes_nothing_back() {
    let third = packet(true, ACK, 1, 101, 0);
    let again = packet(false, SYN_ACK, 100, 1, 0).answered(State::SynReceived);
    let data = packet(true, ACK, 1, 101, 5);
    let rows = told(opening().into_iter().chain([
        near(third.clone()),
        far(again.clone().at(10)),
        far(third.at(20).answered(State::Established)),
        near(again),
        far(data.clone().at(30)),
        near(data),
    ]));
    let server = |row: &Row| row.states.server;
    assert_eq!(server(&rows[2]), read(State::Established));
    assert_eq!(server(&rows[3]), read(State::SynReceived));
    assert_eq!(server(&rows[4]), inferred(State::Established));
}

#[test]
fn data_that_goes_again_is_told_with_the_stacks_own_reason() {
    let data = packet(true, ACK, 1, 101, 100);
    let why = Some(LossSign::Rack);
    let rows = told(opening().into_iter().chain([
        sent(1, 100),
        near(data.clone()),
        far(data.clone()),
        step(Step::Sent { seq: SeqNumber(1), seg_len: 100, why }),
        near(data.clone()),
        far(data),
    ]));
    let notes = &rows.last().unwrap().notes;
    let what = Resent::Told { why: LossSign::Rack };
    assert!(matches!(notes[..], [Note::Again { what: told, .. }] if told == what), "{notes:?}");
}
