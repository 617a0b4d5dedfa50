use super::{ACK, CREATE, Message, attributes, error, messages};

#[test]
fn attributes_are_padded_to_four_bytes_but_not_their_length() {
    let mut message = Message::new(16, ACK | CREATE);
    message.put(&[0; 4]).text(3, "hc0").attribute(4, &[1, 2, 3, 4, 5]);
    let bytes = message.finish(9);
    assert_eq!(bytes.len() % 4, 0);
    let (kind, sequence, body) = messages(&bytes).next().expect("a message");
    assert_eq!((kind, sequence), (16, 9));
    let found: Vec<_> = attributes(&body[4..]).collect();
    assert_eq!(found, [(3, &b"hc0\0"[..]), (4, &[1, 2, 3, 4, 5])]);
}

#[test]
fn an_attribute_may_hold_attributes() {
    let mut message = Message::new(16, 0);
    message.nest(18, |info| {
        info.text(1, "veth").attribute(2, &7u32.to_ne_bytes());
    });
    let bytes = message.finish(1);
    let (_, _, body) = messages(&bytes).next().expect("a message");
    let (kind, inside) = attributes(body).next().expect("an attribute");
    assert_eq!(kind, 18);
    assert_eq!(attributes(inside).count(), 2);
}

#[test]
fn several_messages_in_one_answer_are_told_apart() {
    let mut bytes = Message::new(1, 0).finish(1);
    let mut second = Message::new(2, 0);
    second.put(&[9]);
    bytes.extend(second.finish(2));
    let kinds: Vec<_> = messages(&bytes).map(|(kind, sequence, _)| (kind, sequence)).collect();
    assert_eq!(kinds, [(1, 1), (2, 2)]);
}

#[test]
fn a_cut_off_answer_ends_where_it_is_cut() {
    let mut message = Message::new(1, 0);
    message.put(&[0; 8]);
    let bytes = message.finish(1);
    for len in 0..bytes.len() {
        assert_eq!(messages(&bytes[..len]).count(), 0);
    }
    assert_eq!(attributes(&[8, 0, 1, 0, 1]).count(), 0);
    assert_eq!(attributes(&[0, 0, 1, 0]).count(), 0);
}

#[test]
fn an_acknowledgement_is_an_error_of_zero() {
    assert!(error(&[0; 4]).is_ok());
    let refused = error(&(-17i32).to_ne_bytes()).expect_err("an error");
    assert_eq!(refused.raw_os_error(), Some(17));
}
