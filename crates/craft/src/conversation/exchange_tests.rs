use rand_pcg::Pcg32;

use super::*;

/// What is printed of the packets that these lines build, one behind the other.
fn exchange(lines: &[&str]) -> Vec<String> {
    let (mut exchange, mut rng) = (Exchange::default(), Pcg32::new(1, 1));
    let build = |line: &&str| {
        let packet = exchange.build(line.parse().unwrap(), Instant::ZERO, &mut rng);
        crate::format::tcpdump(&packet, Start::Ip)
    };
    lines.iter().map(build).collect()
}

#[test]
fn both_ends_numbers_carry_on() {
    let packets = exchange(&[
        "10.0.0.1:5 > 10.0.0.2:80 [S] seq 7 win 10",
        "10.0.0.2:80 > 10.0.0.1:5 [S.] seq 100 win 10",
        "10.0.0.1:5 > 10.0.0.2:80 win 10",
        "data \"hello\" win 10",
        "10.0.0.2:80 > 10.0.0.1:5 win 10",
    ]);
    assert_eq!(
        packets,
        [
            "IP 10.0.0.1.5 > 10.0.0.2.80: Flags [S], seq 7, win 10, length 0",
            "IP 10.0.0.2.80 > 10.0.0.1.5: Flags [S.], seq 100, ack 8, win 10, length 0",
            "IP 10.0.0.1.5 > 10.0.0.2.80: Flags [.], ack 101, win 10, length 0",
            "IP 10.0.0.1.5 > 10.0.0.2.80: Flags [P.], seq 8:13, ack 101, win 10, length 5",
            "IP 10.0.0.2.80 > 10.0.0.1.5: Flags [.], ack 13, win 10, length 0",
        ]
    );
}

#[test]
fn an_end_that_names_another_port_is_another_connection() {
    let packets = exchange(&[
        "10.0.0.1:5 > 10.0.0.2:80 [S] seq 7 win 10",
        "10.0.0.1:6 > 10.0.0.2:80 [S] seq 9 win 10",
        "10.0.0.1:5 > 10.0.0.2:80 [R] win 10",
    ]);
    assert!(packets[2].contains("10.0.0.1.5") && packets[2].contains("seq 8,"), "{packets:?}");
}

#[test]
fn what_is_given_is_obeyed() {
    let packets = exchange(&[
        "10.0.0.1:5 > 10.0.0.2:80 [S] seq 7 win 10",
        "[.] seq 500 ack 9 win 10 data \"x\"",
    ]);
    assert!(packets[1].contains("seq 500:501, ack 9"), "{packets:?}");
}

#[test]
fn an_answer_that_came_is_acknowledged() {
    let (mut exchange, mut rng) = (Exchange::default(), Pcg32::new(1, 1));
    let mut build = |exchange: &mut Exchange, line: &str| {
        exchange.build(line.parse().unwrap(), Instant::ZERO, &mut rng)
    };
    build(&mut exchange, "10.0.0.1:5 > 10.0.0.2:80 [S] seq 7");
    let answer: Template = "10.0.0.2:80 > 10.0.0.1:5 [S.] seq 4000 ack 8".parse().unwrap();
    assert!(exchange.received(&answer.build(&mut Pcg32::new(2, 2))));
    let stranger: Template = "10.0.0.3:80 > 10.0.0.1:5 [S.] ack 8".parse().unwrap();
    assert!(!exchange.received(&stranger.build(&mut Pcg32::new(2, 2))));
    let third = build(&mut exchange, "win 1");
    assert!(crate::format::tcpdump(&third, Start::Ip).contains("[.], ack 4001"));
}

#[test]
fn memory_does_not_grow_with_the_connections() {
    let (mut exchange, mut rng) = (Exchange::default(), Pcg32::new(1, 1));
    for port in 1..1000 {
        let line = format!("10.0.0.1:{port} > 10.0.0.2:80 [S]");
        exchange.build(line.parse().unwrap(), Instant::ZERO, &mut rng);
    }
    assert_eq!(exchange.ends.len(), MOST);
}

#[test]
fn what_the_peer_opened_is_reset_in_the_end() {
    let (mut exchange, mut rng) = (Exchange::default(), Pcg32::new(1, 1));
    let ours = |ip: IpAddr| ip == IpAddr::from([10, 0, 0, 1]);
    let answer = |line: &str| line.parse::<Template>().unwrap().build(&mut Pcg32::new(2, 2));
    for port in [5, 6, 7] {
        let syn = format!("10.0.0.1:{port} > 10.0.0.2:80 [S] seq 7");
        exchange.build(syn.parse().unwrap(), Instant::ZERO, &mut rng);
    }
    exchange.received(&answer("10.0.0.2:80 > 10.0.0.1:5 [S.] seq 4000 ack 8"));
    exchange.received(&answer("10.0.0.2:80 > 10.0.0.1:6 [R.] seq 0 ack 8"));
    let resets: Vec<_> = exchange.resets(ours).iter().map(Template::to_string).collect();
    // Port 6 was refused, and nobody answered port 7.
    assert_eq!(resets, ["10.0.0.1:5 > 10.0.0.2:80 [R.] seq 8 ack 4001 <>"]);
}
