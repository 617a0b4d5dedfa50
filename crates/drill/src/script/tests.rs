use super::*;

fn parse(text: &str) -> Script {
    Script::parse(text).unwrap_or_else(|error| panic!("{error}"))
}

fn error(text: &str) -> String {
    Script::parse(text).unwrap_err().to_string()
}

fn segment(text: &str) -> Segment {
    let script = parse(&format!("0 {text}"));
    match &script.events[0].action {
        Action::Packet(Packet { body: Body::Tcp(segment), .. }) => segment.clone(),
        other => panic!("{other:?}"),
    }
}

fn call(text: &str) -> Call {
    match &parse(&format!("0 {text}")).events[0].action {
        Action::Call(call) => call.clone(),
        other => panic!("{other:?}"),
    }
}

const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

#[test]
fn options_commands_events_and_comments_are_read() {
    let script = parse(
        "// first\n--tolerance_usecs=9000 --define=PORT=8080\n`setup`\n\
         0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3 /* and\n more */\n+0 `now`\n`cleanup`\n",
    );
    assert_eq!(script.settings[0].name, "tolerance_usecs");
    assert_eq!(script.settings[0].value.as_deref(), Some("9000"));
    assert_eq!(script.init, Some(Command { line: 3, text: "setup".into() }));
    assert_eq!(script.cleanup.unwrap().text, "cleanup");
    assert_eq!(script.events.len(), 2);
    assert_eq!(script.events[1].line, 6);
}

#[test]
fn a_symbol_stands_for_its_value() {
    let source = "--define=N=3\n0 close(N) = ZERO";
    let script = Script::parse_with(source, &[("ZERO".into(), "0".into())]).unwrap();
    let Action::Call(call) = &script.events[0].action else { panic!() };
    assert_eq!((&call.arguments[0], &call.result), (&Expr::Int(3), &Expr::Int(0)));
}

#[test]
fn every_form_of_time_is_read() {
    let script =
        parse("0 > . 1:1(0)\n+.1 > . 1:1(0)\n* > . 1:1(0)\n1~2.5 > . 1:1(0)\n+1~+1.5 > . 1:1(0)");
    let when: Vec<When> = script.events.iter().map(|event| event.when).collect();
    let expected = [
        When::At(millis(0)),
        When::After(millis(100)),
        When::Any,
        When::Between(millis(1000), millis(2500)),
        When::AfterBetween(millis(1000), millis(1500)),
    ];
    assert_eq!(when, expected);
}

#[test]
fn a_call_that_blocks_tells_when_it_ends() {
    let call = call("...0.200 read(4, ..., 2000) = -1 EAGAIN (Resource temporarily unavailable)");
    assert_eq!(call.ends, Some(millis(200)));
    assert_eq!(call.errno.as_deref(), Some("EAGAIN"));
    assert_eq!(call.result, Expr::Int(-1));
}

#[test]
fn expressions_keep_their_shape() {
    let call =
        call("sendmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 9}], msg_flags=0}, A|B|0x10) = 0");
    assert_eq!(
        call.arguments[1].to_string(),
        "{msg_name(...)=..., msg_iov(1)=[{..., 9}], msg_flags=0}"
    );
    assert_eq!(call.arguments[2].to_string(), "A|B|16");
}

#[test]
fn strings_behind_each_other_are_one_with_their_escapes() {
    let call = call(r#"open("a\x41\n" "b\101", O_RDWR) = 3"#);
    assert_eq!(call.arguments[0], Expr::Text(b"aA\nbA".to_vec()));
}

#[test]
fn the_fields_of_a_segment_are_read() {
    let read = segment("< 5000 > 80 FPU. 1001:2001(1000) ack 5 win 257 urg 7");
    assert_eq!(read.ports, Some((5000, 80)));
    assert_eq!(read.flags, Flags::FIN | Flags::PSH | Flags::URG | Flags::ACK);
    assert_eq!((read.seq, read.len, read.ack), (1001, 1000, Some(5)));
    assert_eq!((read.window, read.urgent), (Some(257), 7));
    assert_eq!(read.options, Some(vec![]));
}

#[test]
fn ecn_is_told_by_letters_or_by_a_digit() {
    assert_eq!(segment("> SEWA 0:0(0)").flags, Flags::SYN | Flags::ECE | Flags::CWR | Flags::AE);
    let ace = segment("> P.5 1:2(1) ack 1");
    assert_eq!((ace.flags, ace.ace), (Flags::PSH | Flags::ACK, Some(5)));
    assert_eq!(segment("> - 1:2(1)").flags, Flags::empty());
}

#[test]
fn every_option_has_its_bytes() {
    let bytes = |text: &str| segment(&format!("> S 0:0(0) <{text}>")).options.unwrap();
    assert_eq!(bytes("mss 1460"), [2, 4, 5, 0xb4]);
    assert_eq!(bytes("nop,wscale 8"), [1, 3, 3, 8]);
    assert_eq!(bytes("nop,nop,sackOK"), [1, 1, 4, 2]);
    assert_eq!(bytes("nop, nop, TS val 1 ecr 2"), [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]);
    assert_eq!(bytes("nop,nop,sack 1:2 3:4").len(), 20);
    assert_eq!(bytes("FO 0123456789abcdef,nop,nop")[..4], [34, 10, 1, 0x23]);
    assert_eq!(bytes("FOEXP"), [254, 4, 0xf9, 0x89]);
    assert_eq!(bytes("ECN e0b 1 ceb 2 e1b 3,nop").len(), 12);
    assert_eq!(bytes("md5 00112233445566778899aabbccddeeff,nop,nop").len(), 20);
    assert_eq!(bytes("eol,eol,eol,eol"), [0; 4]);
}

#[test]
fn options_may_be_left_open_where_a_packet_is_expected() {
    assert_eq!(segment("> S 0:0(0) <...>").options, None);
    assert!(error("0 < S 0:0(0) win 1 <...>").contains("column 20: <...> says what may come"));
}

#[test]
fn the_ip_header_is_told_in_brackets() {
    let script = parse("0 > [ect01] . 1:1(0)\n+0 < (tos 0x2, flowlabel 0x3) . 1:1(0) win 5");
    let info = |n: usize| match &script.events[n].action {
        Action::Packet(packet) => packet.ip,
        other => panic!("{other:?}"),
    };
    assert_eq!(info(0).class, Class::Ect01);
    assert_eq!((info(1).class, info(1).flow_label), (Class::Whole(2), Some(3)));
}

#[test]
fn icmp_and_udp_are_read() {
    let script = parse("0 < icmp unreachable frag_needed mtu 1200 [1:1461(1460)]\n+0 > udp (9)");
    let body = |n: usize| match &script.events[n].action {
        Action::Packet(packet) => packet.body.clone(),
        other => panic!("{other:?}"),
    };
    let Body::Icmp(icmp) = body(0) else { panic!() };
    assert_eq!((icmp.mtu, icmp.about), (Some(1200), About::Tcp(1, 1460)));
    assert_eq!(body(1), Body::Udp { ports: None, len: 9 });
}

#[test]
fn a_fault_is_pointed_at() {
    let text = error("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 < S 0:0(0) wim 9");
    assert_eq!(
        text,
        "line 2, column 15: expected `win`, which a packet that is injected needs\n  \
         +0 < S 0:0(0) wim 9\n                ^"
    );
}

#[test]
fn faults_name_what_is_wrong() {
    let cases = [
        ("1 close(3) = 0", "the first event must be at time 0"),
        ("0 < . 1:3(1) win 1", "1 and 1 bytes do not make 3"),
        ("0 > S 0:0(0) <mss 1460,wscale 8>", "options of 7 bytes: no multiple of four"),
        ("0 > X 0:0(0)", "`X` is no flag"),
        ("0 > . 1:1(0) <foo 3>", "expected a TCP option"),
        ("* close(3) = 0", "only a packet that is sent may have a free time"),
        ("0 close(3) = 0\n+2~+1 > . 1:1(0)", "this range of times goes backwards"),
        ("0 close(3", "expected `,`, but the script ends here"),
        ("0 %{ assert 1", "this snippet has no end"),
        ("0 < [ecn] . 1:1(0) win 3", "expected ECN bits"),
        ("`a`\n`b`\n0 close(3) = 0", "only a last command has no time"),
        ("", "expected an event"),
    ];
    for (source, expected) in cases {
        assert!(error(source).contains(expected), "{source:?}: {}", error(source));
    }
}

#[test]
fn a_number_that_is_too_large_is_no_number() {
    for number in ["99999999999999999999", "0xfffffffffffffffff"] {
        let told = error(&format!("0 < S 0:0(0) win {number} \u{fffd}"));
        assert!(told.starts_with("line 1, column 18: this number is too large"), "{told}");
    }
}
