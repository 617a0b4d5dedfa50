use super::{Connection, Packet};
use crate::catalogue::{Cast, English};
use crate::talk::Talk;

#[test]
fn a_packet_has_wiresharks_names() {
    let mut talk = Talk::open();
    talk.client("P.", 1, 1, "hello").client("P.", 1, 1, "hello");
    let packet = Packet::new(0, talk.last(), &English, &Cast::default());
    insta::assert_snapshot!(serde_json::to_string_pretty(&packet).unwrap());
}

#[test]
fn a_connection_is_summed_up() {
    let mut talk = Talk::open();
    talk.client("F.", 1, 1, "").server("F.", 1, 2, "").client(".", 2, 2, "");
    let connection = Connection::new(0, talk.flow.sockets(), talk.flow.summary());
    insta::assert_snapshot!(serde_json::to_string_pretty(&connection).unwrap());
}
