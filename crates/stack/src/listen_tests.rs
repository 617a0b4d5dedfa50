use super::*;
use crate::secret::Secret;

fn listeners() -> Listeners {
    Listeners::new(Secret::new([1; 32]).table_hash())
}

fn open(listeners: &mut Listeners, local: &str) -> Result<ListenerId, ListenError> {
    listeners.open(local.parse().unwrap(), Backlog::default(), Arc::default())
}

fn at(listeners: &Listeners, local: &str) -> Option<ListenerId> {
    listeners.at(local.parse().unwrap())
}

/// Requirement: RFC9293-MUST-43
#[test]
fn a_listener_for_the_address_comes_before_one_for_all() {
    let mut listeners = listeners();
    let one = open(&mut listeners, "10.0.0.1:80").unwrap();
    let other = open(&mut listeners, "10.0.0.2:80").unwrap();
    let all = open(&mut listeners, "0.0.0.0:81").unwrap();
    assert_eq!(at(&listeners, "10.0.0.1:80"), Some(one));
    assert_eq!(at(&listeners, "10.0.0.2:80"), Some(other));
    assert_eq!(at(&listeners, "10.0.0.3:80"), None);
    assert_eq!(at(&listeners, "10.0.0.3:81"), Some(all));
}

#[test]
fn a_port_is_in_use_where_two_listeners_would_answer_for_one_address() {
    let mut listeners = listeners();
    open(&mut listeners, "10.0.0.1:80").unwrap();
    open(&mut listeners, "0.0.0.0:81").unwrap();
    for clash in ["10.0.0.1:80", "0.0.0.0:80", "10.0.0.1:81", "0.0.0.0:81"] {
        assert_eq!(open(&mut listeners, clash), Err(ListenError::InUse), "{clash}");
    }
    for free in ["10.0.0.2:80", "[::]:80", "[fd00::1]:81"] {
        assert!(open(&mut listeners, free).is_ok(), "{free}");
    }
}

#[test]
fn a_closed_listener_s_port_is_free_again() {
    let mut listeners = listeners();
    let first = open(&mut listeners, "0.0.0.0:80").unwrap();
    assert!(listeners.close(first).is_some());
    let second = open(&mut listeners, "0.0.0.0:80").unwrap();
    assert_ne!(first, second);
    assert!(listeners.get(first).is_none());
    assert!(listeners.close(first).is_none());
    assert!(listeners.has_port(80));
}

#[test]
fn the_two_families_listen_apart() {
    let mut listeners = listeners();
    open(&mut listeners, "[::]:80").unwrap();
    assert_eq!(at(&listeners, "10.0.0.1:80"), None);
    assert!(at(&listeners, "[fd00::1]:80").is_some());
}

/// Requirement: RFC4987-P07
#[test]
fn cookies_are_for_a_full_queue_only() {
    let mut queue = SynQueue::new(1, CookieMode::Auto);
    assert_eq!(queue.admit(Instant::ZERO), Admission::Remember);
    queue.entered();
    assert!(!queue.awaits_cookies(Instant::ZERO));
    assert_eq!(queue.admit(Instant::ZERO), Admission::Cookie);
    assert!(queue.awaits_cookies(Instant::ZERO));
    queue.left();
    assert_eq!(queue.admit(Instant::ZERO), Admission::Remember);
    assert!(!queue.awaits_cookies(Instant::ZERO + cookie::LIFETIME));
}

#[test]
fn cookies_can_be_for_every_syn_or_for_none() {
    assert_eq!(SynQueue::new(9, CookieMode::Always).admit(Instant::ZERO), Admission::Cookie);
    assert_eq!(SynQueue::new(0, CookieMode::Off).admit(Instant::ZERO), Admission::Drop);
}
