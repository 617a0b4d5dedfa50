use super::{ANSWER, State, parse};

#[test]
fn the_kernels_numbers_are_the_rfcs_states() {
    let names: Vec<_> = (1..=13).map(|number| State::from_kernel(number).name()).collect();
    assert_eq!(
        names,
        [
            "ESTABLISHED",
            "SYN-SENT",
            "SYN-RECEIVED",
            "FIN-WAIT-1",
            "FIN-WAIT-2",
            "TIME-WAIT",
            "CLOSED",
            "CLOSE-WAIT",
            "LAST-ACK",
            "LISTEN",
            "CLOSING",
            "SYN-RECEIVED",
            "CLOSED"
        ]
    );
}

#[test]
fn an_answer_is_read_field_by_field() {
    let mut body = [0; ANSWER];
    body[..2].copy_from_slice(&[2, 1]);
    body[4..8].copy_from_slice(&[0, 80, 0x9c, 0x40]);
    body[8..12].copy_from_slice(&[10, 77, 0, 2]);
    body[24..28].copy_from_slice(&[10, 77, 0, 1]);
    body[56..60].copy_from_slice(&7u32.to_ne_bytes());
    body[60..64].copy_from_slice(&9u32.to_ne_bytes());
    let socket = parse(&body).expect("an answer");
    assert_eq!(socket.state, State::Established);
    assert_eq!(socket.local, "10.77.0.2:80".parse().expect("an address"));
    assert_eq!(socket.remote, "10.77.0.1:40000".parse().expect("an address"));
    assert_eq!((socket.receive_queue, socket.send_queue), (7, 9));
    assert_eq!(socket.measured, None);
}

#[test]
fn a_short_answer_is_none() {
    assert_eq!(parse(&[0; ANSWER - 1]), None);
}
