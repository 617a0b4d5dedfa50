use handclasp_wire::icmpv4::unreachable;
use handclasp_wire::ip::protocol;
use handclasp_wire::ipv4::Ipv4;
use rand_pcg::Pcg32;

use super::*;
use crate::template::Template;

fn built(line: &str) -> Vec<u8> {
    line.parse::<Template>().unwrap().build(&mut Pcg32::new(1, 1))
}

/// What a line of the peer's is to one of ours.
fn of(ours: &str, theirs: &str) -> Relation {
    let sent = built(&format!("10.0.0.1:5 > 10.0.0.2:80 {ours}"));
    relation(&sent, &built(&format!("10.0.0.2:80 > 10.0.0.1:5 {theirs}")))
}

#[test]
fn a_syn_is_answered_by_whatever_comes() {
    for theirs in ["[S.] seq 1 ack 8", "[R.] seq 0 ack 8", "[.] seq 9 ack 99"] {
        assert_eq!(of("[S] seq 7", theirs), Relation::Answer, "{theirs}");
    }
}

#[test]
fn data_is_answered_by_what_acknowledges_all_of_it() {
    let data = "[P.] seq 7 ack 1 data \"hello\"";
    assert_eq!(of(data, "[P.] seq 1 ack 12 data \"x\""), Relation::Answer);
    assert_eq!(of(data, "[.] seq 1 ack 12"), Relation::Answer);
    // What could not be accepted draws an acknowledgment of something else.
    assert_eq!(of(data, "[.] seq 1 ack 3"), Relation::Answer);
    assert_eq!(of(data, "[R] seq 1"), Relation::Answer);
    assert_eq!(of(data, "[P.] seq 1 ack 7 data \"banner\""), Relation::Related);
    assert_eq!(of(data, "[S.] seq 0 ack 7"), Relation::Related);
}

#[test]
fn another_connection_answers_nothing() {
    let sent = built("10.0.0.1:5 > 10.0.0.2:80 [S] seq 7");
    for theirs in ["10.0.0.2:80 > 10.0.0.1:6 [S.] ack 8", "10.0.0.3:80 > 10.0.0.1:5 [S.] ack 8"] {
        assert_eq!(relation(&sent, &built(theirs)), Relation::Foreign, "{theirs}");
    }
    assert_eq!(relation(&sent, &sent), Relation::Foreign);
    assert_eq!(relation(b"x", &sent), Relation::Foreign);
}

#[test]
fn an_error_about_a_packet_is_an_answer_to_it() {
    let sent = built("10.0.0.1:5 > 10.0.0.2:80 [S] seq 7");
    let error =
        Icmpv4::Unreachable { code: unreachable::PORT, next_hop_mtu: 0, quoted: &sent[..28] };
    let mut body = Vec::new();
    error.emit(&mut body);
    let mut packet = Vec::new();
    let ip = Ipv4::new([10, 0, 0, 9].into(), [10, 0, 0, 1].into(), protocol::ICMPV4);
    ip.emit(body.len(), &mut packet);
    packet.extend(body);
    assert_eq!(relation(&sent, &packet), Relation::Answer);
    let other = built("10.0.0.1:6 > 10.0.0.2:80 [S] seq 7");
    assert_eq!(relation(&other, &packet), Relation::Foreign);
}

#[test]
fn only_what_uses_up_sequence_numbers_wants_an_answer() {
    for (line, wants) in
        [("[S]", true), ("[F.]", true), ("[.] data \"x\"", true), ("[.]", false), ("[R]", false)]
    {
        assert_eq!(wants_answer(&built(line)), wants, "{line}");
    }
}
