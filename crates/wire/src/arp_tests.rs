use std::string::ToString;
use std::vec::Vec;

use super::*;

const OURS: MacAddr = MacAddr([2, 0, 0, 0, 0, 1]);
const THEIRS: MacAddr = MacAddr([2, 0, 0, 0, 0, 2]);
const OUR_IP: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
const THEIR_IP: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);

#[test]
fn a_request_and_its_reply_come_back_as_they_were_emitted() {
    let request = Arp::request(OURS, OUR_IP, THEIR_IP);
    for packet in [request, request.reply(THEIRS)] {
        let mut bytes = Vec::new();
        packet.emit(&mut bytes);
        assert_eq!(bytes.len(), Arp::LEN);
        assert_eq!(ArpView::parse(&bytes).unwrap().to_repr(), packet);
    }
}

#[test]
fn a_reply_goes_back_to_who_asked() {
    let reply = Arp::request(OURS, OUR_IP, THEIR_IP).reply(THEIRS);
    assert_eq!(reply.operation, Operation::REPLY);
    assert_eq!((reply.sender_mac, reply.sender_ip), (THEIRS, THEIR_IP));
    assert_eq!((reply.target_mac, reply.target_ip), (OURS, OUR_IP));
}

#[test]
fn another_protocol_than_ipv4_is_refused() {
    let mut bytes = Vec::new();
    Arp::request(OURS, OUR_IP, THEIR_IP).emit(&mut bytes);
    bytes[5] = 16;
    let error = ArpView::parse(&bytes).unwrap_err();
    assert_eq!(error.to_string(), "ARP at byte 5: protocol address length is 16, not 4");
}
