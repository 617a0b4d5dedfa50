//! Namespaces, the kernel's servers and what it says of its sockets.
#![cfg(target_os = "linux")]

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use handclasp_lab::error::Error;
use handclasp_lab::isolated::{Isolated, Need, in_namespace};
use handclasp_lab::lab::{Lab, LabConfig, OUR_INTERFACE, PEER_INTERFACE, PEER_IPV4, PEER_IPV6};
use handclasp_lab::namespace::Namespace;
use handclasp_lab::pattern::Pattern;
use handclasp_lab::serve;
use handclasp_lab::server::{ListenOptions, Server, listen};
use handclasp_lab::sock_diag::{SockDiag, State};

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn connect(namespace: &Namespace, address: SocketAddr) -> TcpStream {
    let stream = namespace.run(|| TcpStream::connect(address)).expect("entered");
    let stream = stream.expect("connected");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    stream
}

/// Starts a server on the loopback interface of a new namespace.
fn serve(handler: impl Fn(TcpStream) + Send + Sync + 'static) -> (Namespace, Server, SocketAddr) {
    let namespace = Namespace::new().expect("a namespace");
    let options = ListenOptions::default();
    let server = Server::start(&namespace, loopback(0), &options, handler).expect("a server");
    let address = server.address().expect("an address");
    (namespace, server, address)
}

fn exchange(namespace: &Namespace, address: SocketAddr, request: &str) -> String {
    let mut stream = connect(namespace, address);
    stream.write_all(request.as_bytes()).expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("read");
    answer
}

#[test]
fn a_lab_is_not_made_in_the_machines_own_network() {
    assert!(matches!(Lab::veth(&LabConfig::default()), Err(Error::NotPrivate)));
    assert!(matches!(Namespace::new(), Err(Error::NotPrivate)));
}

#[test]
fn a_test_has_a_network_to_itself_and_nothing_of_it_stays() {
    in_namespace(|| {
        let lab = Lab::veth(&LabConfig::default()).expect("a lab");
        let own = Namespace::current().expect("a namespace").links().expect("links");
        assert!(own.exists(OUR_INTERFACE) && !own.exists(PEER_INTERFACE));
        assert!(lab.peer().links().expect("links").exists(PEER_INTERFACE));
        drop(lab);
        let start = Instant::now();
        // The kernel takes a namespace down behind our back, and the pair of interfaces with it.
        while own.exists(OUR_INTERFACE) {
            assert!(start.elapsed() < Duration::from_secs(10), "it is still there");
            std::thread::sleep(Duration::from_millis(10));
        }
    });
}

#[test]
fn the_kernel_owns_its_addresses_and_can_use_them_at_once() {
    in_namespace(|| {
        let lab = Lab::veth(&LabConfig::default()).expect("a lab");
        let mut addresses: Vec<SocketAddr> = vec![(PEER_IPV4, 80).into()];
        if lab.has_ipv6() {
            addresses.push((PEER_IPV6, 80).into());
        }
        for address in addresses {
            let listener = listen(lab.peer(), address, &ListenOptions::default());
            listener.unwrap_or_else(|e| panic!("{e}"));
        }
    });
}

#[test]
fn two_labs_in_two_namespaces_do_not_meet() {
    in_namespace(|| {
        let lab = Lab::veth(&LabConfig::default()).expect("a lab");
        let again = Lab::veth(&LabConfig::default()).expect_err("the interface is there");
        assert!(again.to_string().contains(OUR_INTERFACE), "{again}");
        let other = Namespace::new().expect("a namespace");
        let twin = other.run(|| Lab::veth(&LabConfig::default())).expect("entered");
        let address = (PEER_IPV4, 80).into();
        let both = [lab.peer(), twin.expect("a lab").peer()]
            .map(|peer| listen(peer, address, &ListenOptions::default()).is_ok());
        assert_eq!(both, [true, true]);
    });
}

#[test]
fn a_kernel_parameter_is_set_for_one_namespace_alone() {
    in_namespace(|| {
        let one = Namespace::new().expect("a namespace");
        let other = Namespace::new().expect("a namespace");
        one.set_sysctl("net.ipv4.tcp_syn_retries", "1").expect("set");
        assert_eq!(one.sysctl("net/ipv4/tcp_syn_retries").expect("read"), "1");
        assert_ne!(other.sysctl("net.ipv4.tcp_syn_retries").expect("read"), "1");
        let congestion = one.sysctl("net.ipv4.tcp_congestion_control").expect("read");
        assert!(["cubic", "reno"].contains(&&*congestion), "{congestion}");
        let wrong = one.set_sysctl("net.ipv4.no_such_thing", "1").expect_err("none");
        assert!(wrong.to_string().contains("net.ipv4.no_such_thing"), "{wrong}");
    });
}

#[test]
fn the_web_server_answers_get_and_head_and_closes() {
    in_namespace(|| {
        let (namespace, _server, address) = serve(serve::http("hello\n"));
        let got = exchange(&namespace, address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(got.starts_with("HTTP/1.1 200 OK\r\n"), "{got}");
        assert!(got.ends_with("\r\n\r\nhello\n"), "{got}");
        let head = exchange(&namespace, address, "HEAD / HTTP/1.1\r\n\r\n");
        assert!(head.contains("Content-Length: 6\r\n") && head.ends_with("\r\n\r\n"), "{head}");
        let other = exchange(&namespace, address, "GET /other HTTP/1.1\r\n\r\n");
        assert!(other.starts_with("HTTP/1.1 404"), "{other}");
        let post = exchange(&namespace, address, "POST / HTTP/1.1\r\n\r\n");
        assert!(post.starts_with("HTTP/1.1 405"), "{post}");
    });
}

#[test]
fn the_web_server_serves_as_many_bytes_as_are_asked_for() {
    in_namespace(|| {
        let (namespace, _server, address) = serve(serve::http(""));
        let mut stream = connect(&namespace, address);
        stream.write_all(b"GET /bytes/1000000 HTTP/1.1\r\n\r\n").expect("written");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("read");
        let body = answer.windows(4).position(|w| w == b"\r\n\r\n").expect("a head") + 4;
        assert_eq!(answer.len() - body, 1_000_000);
        assert_eq!(Pattern::new(serve::HTTP_SEED).check(0, &answer[body..]), Ok(()));
    });
}

#[test]
fn curl_fetches_from_the_web_server_inside_the_namespace() {
    Isolated::new().needs(Need::Program("curl")).run(|| {
        let lab = Lab::veth(&LabConfig::default()).expect("a lab");
        let address = (PEER_IPV4, 80).into();
        let options = ListenOptions::default();
        let _server = Server::start(lab.peer(), address, &options, serve::http("hello\n"));
        let curl = lab.command("curl").expect("a command");
        let output = { curl }.args(["-sS", "-m", "10", "http://10.77.0.2/"]).output();
        let output = output.expect("curl runs");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "hello\n", "{output:?}");
    });
}

#[test]
fn echo_gives_back_what_it_got_and_half_closes_after_it() {
    in_namespace(|| {
        let (namespace, _server, address) = serve(serve::echo);
        let mut stream = connect(&namespace, address);
        stream.write_all(b"back and forth").expect("written");
        stream.shutdown(Shutdown::Write).expect("half closed");
        let mut back = String::new();
        stream.read_to_string(&mut back).expect("read");
        assert_eq!(back, "back and forth");
    });
}

#[test]
fn a_sink_compares_what_it_gets_and_says_where_it_differs() {
    in_namespace(|| {
        let (sender, reports) = mpsc::channel();
        let pattern = Pattern::new(3);
        let (namespace, _server, address) = serve(serve::sink(pattern, sender));
        let mut bytes = vec![0; 500_000];
        pattern.fill(0, &mut bytes);
        for difference in [None, Some(400_000)] {
            if let Some(at) = difference {
                bytes[at] ^= 0xff;
            }
            connect(&namespace, address).write_all(&bytes).expect("written");
            let report = reports.recv_timeout(Duration::from_secs(10)).expect("a report");
            assert_eq!(report.len, 500_000);
            assert_eq!(report.difference, difference.map(|at| at as u64));
            assert!(report.error.is_none(), "{report:?}");
        }
    });
}

#[test]
fn a_source_sends_its_pattern_and_closes() {
    in_namespace(|| {
        let pattern = Pattern::new(5);
        let (namespace, _server, address) = serve(serve::source(pattern, 300_000));
        let mut bytes = Vec::new();
        connect(&namespace, address).read_to_end(&mut bytes).expect("read");
        assert_eq!(bytes.len(), 300_000);
        assert_eq!(pattern.check(0, &bytes), Ok(()));
    });
}

#[test]
fn a_mute_server_lets_the_window_close() {
    in_namespace(|| {
        let (namespace, _server, address) = serve(serve::mute());
        let mut stream = connect(&namespace, address);
        stream.set_write_timeout(Some(Duration::from_millis(300))).expect("a timeout");
        let stuck = stream.write_all(&vec![0; 64 << 20]).expect_err("nobody reads");
        assert_eq!(stuck.kind(), ErrorKind::WouldBlock);
    });
}

#[test]
fn a_server_that_is_dropped_refuses() {
    in_namespace(|| {
        let (namespace, server, address) = serve(serve::echo);
        drop(server);
        let refused = namespace.run(|| TcpStream::connect(address)).expect("entered");
        assert_eq!(refused.expect_err("closed").kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn the_kernel_tells_the_states_of_a_connection_from_listen_to_time_wait() {
    in_namespace(|| {
        let namespace = Namespace::new().expect("a namespace");
        let listener =
            listen(&namespace, loopback(0), &ListenOptions::default()).expect("a listener");
        let server = listener.local_addr().expect("an address");
        let mut diag = namespace.run(SockDiag::open).expect("entered").expect("sock_diag");
        assert_eq!(diag.state(server, loopback(1)).expect("asked"), State::Listen);
        let closed = loopback(server.port() ^ 1);
        assert_eq!(diag.state(closed, loopback(1)).expect("asked"), State::Closed);

        let stream = connect(&namespace, server);
        let client = stream.local_addr().expect("an address");
        let (accepted, _) = listener.accept().expect("accepted");
        // An acknowledgement may be delayed, so a state may come a little later.
        let mut both_become = |states: [State; 2]| {
            let start = Instant::now();
            loop {
                let now = [(server, client), (client, server)]
                    .map(|(local, remote)| diag.state(local, remote).expect("asked"));
                if now == states {
                    return;
                }
                assert!(start.elapsed() < Duration::from_secs(10), "{now:?}, not {states:?}");
            }
        };
        both_become([State::Established, State::Established]);
        accepted.shutdown(Shutdown::Write).expect("half closed");
        both_become([State::FinWait2, State::CloseWait]);
        drop(stream);
        both_become([State::TimeWait, State::Closed]);
    });
}

#[test]
fn the_kernel_tells_what_it_measured() {
    in_namespace(|| {
        let (namespace, _server, address) = serve(serve::echo);
        let mut stream = connect(&namespace, address);
        stream.write_all(b"x").expect("written");
        stream.read_exact(&mut [0]).expect("read");
        let client = stream.local_addr().expect("an address");
        let mut diag = namespace.run(SockDiag::open).expect("entered").expect("sock_diag");
        let socket = diag.socket(client, address).expect("asked").expect("a socket");
        let measured = socket.measured.expect("measured");
        assert!(measured.rtt > Duration::ZERO && measured.rtt < Duration::from_secs(1));
        assert!(measured.congestion_window > 0);
        assert_eq!((measured.retransmitted, measured.lost), (0, 0));
        let all = diag.sockets().expect("asked");
        assert_eq!(all.iter().filter(|s| s.state == State::Established).count(), 2, "{all:?}");
        assert_eq!(all.iter().filter(|s| s.state == State::Listen).count(), 1, "{all:?}");
    });
}

#[test]
fn a_question_about_a_socket_takes_well_under_a_millisecond() {
    in_namespace(|| {
        let (namespace, _server, address) = serve(serve::echo);
        let mut diag = namespace.run(SockDiag::open).expect("entered").expect("sock_diag");
        let best = (0..100).map(|_| {
            let start = Instant::now();
            diag.state(address, loopback(1)).expect("asked");
            start.elapsed()
        });
        let best = best.min().expect("a hundred");
        assert!(best < Duration::from_micros(200), "{best:?}");
    });
}

#[test]
fn a_backlog_is_as_short_as_was_asked_for() {
    in_namespace(|| {
        let namespace = Namespace::new().expect("a namespace");
        let mut options = ListenOptions::default();
        options.backlog = Some(3);
        let listener = listen(&namespace, loopback(0), &options).expect("a listener");
        let address = listener.local_addr().expect("an address");
        let mut diag = namespace.run(SockDiag::open).expect("entered").expect("sock_diag");
        let socket = diag.socket(address, loopback(1)).expect("asked").expect("a listener");
        assert_eq!(socket.send_queue, 3);
    });
}

#[test]
#[should_panic(expected = "took longer than")]
fn a_test_that_hangs_is_ended() {
    Isolated::new().timeout(Duration::from_millis(300)).run(|| {
        std::thread::sleep(Duration::from_secs(3600));
    });
}

#[test]
#[should_panic(expected = "failed in its namespace")]
fn a_test_that_fails_in_its_namespace_fails() {
    // Not by a panic, which the inner harness would take for the one that is expected.
    in_namespace(|| std::process::exit(7));
}

/// Something of the last network may still live in it, as a connection in TIME-WAIT or a thread.
#[test]
fn a_network_can_be_made_right_behind_another() {
    in_namespace(|| {
        let mut sockets = Vec::new();
        for _ in 0..10 {
            Lab::clear().unwrap();
            let lab = Lab::veth(&LabConfig::default()).unwrap();
            let socket = lab.peer().run(|| TcpListener::bind("0.0.0.0:80")).unwrap().unwrap();
            sockets.push(socket);
        }
    });
}
