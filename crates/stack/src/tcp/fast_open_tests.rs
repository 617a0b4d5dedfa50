use super::*;

const CLIENT: IpAddr = IpAddr::V4(core::net::Ipv4Addr::new(10, 0, 0, 2));
const OTHER: IpAddr = IpAddr::V4(core::net::Ipv4Addr::new(10, 0, 0, 3));
const HOUR: u64 = 3_600_000;

fn cookies() -> Cookies {
    Cookies::new(&Secret::new([3; 32]))
}

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn servers() -> Servers {
    Servers::new(Secret::new([3; 32]).table_hash())
}

fn known(byte: u8) -> Known {
    Known { cookie: FastOpen::new(&[byte; 8], false).unwrap(), mss: 1460 }
}

fn remember(byte: u8) -> Lesson {
    Lesson::Remember { known: known(byte), taken: true }
}

#[test]
fn a_cookie_is_good_for_its_client_alone() {
    let cookie = cookies().cookie(CLIENT, false, at(5));
    assert_eq!(cookie.as_slice().len(), 8);
    assert_eq!(cookies().check(CLIENT, &cookie, at(6)), Worth::Good);
    assert_eq!(cookies().check(OTHER, &cookie, at(6)), Worth::Nothing);
}

#[test]
fn a_cookie_of_the_epoch_before_is_renewed_and_an_older_one_is_nothing() {
    let cookie = cookies().cookie(CLIENT, false, at(11 * HOUR));
    let Worth::Old(newer) = cookies().check(CLIENT, &cookie, at(13 * HOUR)) else {
        panic!("it is of the epoch before");
    };
    assert_eq!(cookies().check(CLIENT, &newer, at(13 * HOUR)), Worth::Good);
    assert_eq!(cookies().check(CLIENT, &cookie, at(25 * HOUR)), Worth::Nothing);
}

#[test]
fn whoever_asks_with_the_experimental_option_is_answered_with_it() {
    let cookie = cookies().cookie(CLIENT, true, at(5));
    assert!(cookie.experimental);
    assert_eq!(cookies().check(CLIENT, &cookie, at(5)), Worth::Good);
}

#[test]
fn a_server_is_remembered_for_the_address_of_ours_that_it_saw() {
    let mut servers = servers();
    servers.learn(OTHER, CLIENT, remember(1), at(0));
    assert_eq!(servers.known(OTHER, CLIENT, at(1)), Some(known(1)));
    assert_eq!(servers.known(CLIENT, CLIENT, at(1)), Some(UNKNOWN));
}

#[test]
fn a_server_that_refused_is_left_alone_for_an_hour() {
    let mut servers = servers();
    servers.learn(OTHER, CLIENT, remember(1), at(0));
    servers.learn(OTHER, CLIENT, Lesson::Refused, at(0));
    assert_eq!(servers.known(OTHER, CLIENT, at(HOUR - 1)), None);
    assert_eq!(servers.known(OTHER, CLIENT, at(HOUR)), Some(UNKNOWN));
}

#[test]
fn a_path_on_which_syns_time_out_is_left_alone_for_longer_each_time() {
    let mut servers = servers();
    servers.learn(OTHER, CLIENT, remember(1), at(0));
    servers.learn(OTHER, CLIENT, Lesson::TimedOut, at(0));
    assert_eq!(servers.known(OTHER, CLIENT, at(59_999)), None);
    assert_eq!(servers.known(OTHER, CLIENT, at(60_000)), Some(known(1)));
    servers.learn(OTHER, CLIENT, Lesson::TimedOut, at(60_000));
    assert_eq!(servers.known(OTHER, CLIENT, at(179_999)), None);
    servers.learn(OTHER, CLIENT, remember(1), at(180_000));
    servers.learn(OTHER, CLIENT, Lesson::TimedOut, at(180_000));
    assert_eq!(servers.known(OTHER, CLIENT, at(240_000)), Some(known(1)));
}

#[test]
fn no_more_servers_are_remembered_than_there_is_room_for() {
    let mut servers = servers();
    let server = |n: usize| IpAddr::from([10, 1, (n >> 8) as u8, n as u8]);
    (0..=SERVERS_MAX).for_each(|n| servers.learn(OTHER, server(n), remember(1), at(0)));
    assert_eq!(servers.by_pair.len(), SERVERS_MAX);
    assert_eq!(servers.known(OTHER, server(0), at(1)), Some(UNKNOWN));
    assert_eq!(servers.known(OTHER, server(1), at(1)), Some(known(1)));
}
