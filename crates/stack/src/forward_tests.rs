use handclasp_wire::tcp::Flags;

use super::*;

fn forward(pending: usize) -> Forward {
    let mut forward = Forward::new();
    forward.start(ForwardConfig { pending, ..ForwardConfig::default() }, None);
    forward
}

fn tuple(port: u16) -> Tuple {
    Tuple::new(([93, 184, 216, 34], 443).into(), ([10, 0, 0, 2], port).into())
}

fn ask(forward: &mut Forward, port: u16, seconds: u64) -> Option<PendingId> {
    let syn = Header { flags: Flags::SYN, ..Header::default() };
    forward.ask(tuple(port), syn, None, at(seconds))
}

fn at(seconds: u64) -> Instant {
    Instant::from_millis(seconds * 1000)
}

#[test]
fn the_application_is_told_once_of_each_and_in_order() {
    let mut forward = forward(8);
    let ids = [ask(&mut forward, 1, 0).unwrap(), ask(&mut forward, 2, 1).unwrap()];
    let first = forward.next_pending().unwrap();
    assert_eq!((first.id, first.since), (ids[0], at(0)));
    assert_eq!((first.source, first.destination), (tuple(1).remote(), tuple(1).local()));
    assert_eq!(forward.next_pending().map(|pending| pending.id), Some(ids[1]));
    assert_eq!(forward.next_pending(), None);
}

#[test]
fn of_what_was_withdrawn_the_application_is_not_told() {
    let mut forward = forward(8);
    let id = ask(&mut forward, 1, 0).unwrap();
    assert!(forward.take(id).is_some());
    assert_eq!(forward.next_pending(), None);
    assert!(forward.take(id).is_none());
}

#[test]
fn no_more_wait_than_are_allowed() {
    let mut forward = forward(2);
    assert!(ask(&mut forward, 1, 0).is_some());
    forward.syn_queue.entered();
    assert!(ask(&mut forward, 2, 0).is_none(), "the half-open one counts");
    forward.syn_queue.left();
    assert!(ask(&mut forward, 2, 0).is_some());
    assert!(ask(&mut forward, 3, 0).is_none());
}

#[test]
fn an_undecided_one_is_forgotten_after_its_time() {
    let mut forward = forward(8);
    ask(&mut forward, 1, 0).unwrap();
    assert_eq!(forward.next_deadline(), Some(at(75)));
    assert!(forward.pop_expired(at(74)).is_none());
    assert_eq!(forward.pop_expired(at(75)).unwrap().tuple, tuple(1));
    assert_eq!(forward.next_deadline(), None);
}

#[test]
fn a_silenced_one_is_remembered_for_its_own_time() {
    let mut forward = forward(8);
    let id = ask(&mut forward, 1, 0).unwrap();
    forward.silence(id, at(70));
    assert!(forward.pop_expired(at(75)).is_none());
    assert_eq!(forward.next_deadline(), Some(at(145)));
    assert!(forward.pop_expired(at(145)).is_some());
}

#[test]
fn an_application_that_never_looks_lets_nothing_pile_up() {
    let mut forward = forward(8);
    for round in 0..100 {
        while ask(&mut forward, 1, round * 100).is_some() {}
        while forward.pop_expired(at(round * 100 + 75)).is_some() {}
    }
    assert!(forward.untold.len() <= 8, "{}", forward.untold.len());
}
