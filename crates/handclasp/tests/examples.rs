//! The examples, run as their users run them.
//!
//! `cargo test` builds them; where only this test was built, they are missing and it says so.
#![cfg(target_os = "linux")]

mod common;

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use common::programs::Running;
use common::socks::{self, Asked};
use common::{PATIENCE, isolated, ours, peer};
use handclasp_lab::isolated::{Isolated, Need, skip};
use handclasp_lab::lab::{Lab, LabConfig, OUR_INTERFACE, PEER_INTERFACE};
use handclasp_lab::link::Links;
use handclasp_lab::serve;
use handclasp_lab::server::{ListenOptions, Server};

/// Somewhere that is not on the lab's link.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 9);
const ELSEWHERE_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 9);

const OURS: &str = "10.77.0.1/24";
const OURS_V6: &str = "fd77::1/64";

/// An example's program, if it was built.
fn example(name: &str) -> Option<PathBuf> {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().unwrap().parent().unwrap().join("examples").join(name);
    let built = path.exists();
    if !built {
        skip(name, "the example is not built (cargo build --examples)");
    }
    built.then_some(path)
}

fn on_tun() -> Isolated {
    isolated().needs(Need::Tun)
}

/// Starts an example and waits until it says something.
fn start(command: &mut Command) -> Running {
    let mut running = Running::start(command.stdout(Stdio::piped()));
    let mut said = BufReader::new(running.0.stdout.take().unwrap());
    said.read_line(&mut String::new()).unwrap();
    // Somebody has to take what else it says.
    thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
    running
}

/// Waits for the interface that an example makes, and switches it on.
fn configure(lab: &Lab) {
    let links = lab.peer().links().unwrap();
    while !links.exists(PEER_INTERFACE) {
        thread::sleep(Duration::from_millis(10));
    }
    drop(links);
    lab.configure_tun().unwrap();
}

/// Runs `curl` at the kernel's end: its status and what it fetched.
fn curl(lab: &Lab, url: &str) -> (Option<i32>, Vec<u8>) {
    let mut command = lab.command("curl").unwrap();
    command.args(["--silent", "--noproxy", "*", "--max-time", "100", url]);
    let output = command.output().unwrap();
    (output.status.code(), output.stdout)
}

fn echo_answers(lab: &Lab, to: SocketAddr) {
    let heard = lab.peer().run(|| {
        let mut stream = TcpStream::connect(to).unwrap();
        stream.write_all(b"is there an echo?").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut heard = String::new();
        stream.read_to_string(&mut heard).unwrap();
        heard
    });
    assert_eq!(heard.unwrap(), "is there an echo?");
}

#[test]
fn echo_answers_on_tun() {
    on_tun().run(|| {
        let Some(echo) = example("echo") else { return };
        let lab = Lab::tun(&LabConfig::default()).unwrap();
        let mut command = lab.command(echo).unwrap();
        let _server = start(command.arg(format!("tun:{PEER_INTERFACE}")).arg(OURS));
        configure(&lab);
        echo_answers(&lab, ours(false, 7));
    });
}

#[test]
fn echo_answers_on_a_packet_socket_over_ipv6() {
    isolated().run(|| {
        let Some(echo) = example("echo") else { return };
        let lab = Lab::veth(&LabConfig::default()).unwrap();
        let mut command = Command::new(echo);
        let _server = start(command.arg(format!("packet:{OUR_INTERFACE}")).arg(OURS_V6));
        echo_answers(&lab, ours(true, 7));
    });
}

/// Has `get` fetch a page of the kernel's.
fn fetch(lab: &Lab, mut get: Command, address: &str, v6: bool) {
    let options = ListenOptions::default();
    let page = serve::http("a page");
    let _server = Server::start(lab.peer(), peer(v6, 8000), &options, page).unwrap();
    let url = format!("http://{}/", peer(v6, 8000));
    let output = get.args([address, &url]).output().unwrap();
    let answer = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("a page"), "{answer}");
}

#[test]
fn get_fetches_over_a_packet_socket() {
    isolated().run(|| {
        let Some(get) = example("get") else { return };
        let lab = Lab::veth(&LabConfig::default()).unwrap();
        let mut get = Command::new(get);
        get.arg(format!("packet:{OUR_INTERFACE}"));
        fetch(&lab, get, OURS, false);
    });
}

#[test]
fn get_fetches_over_tun_and_ipv6_from_an_interface_that_is_still_down() {
    on_tun().run(|| {
        let Some(get) = example("get") else { return };
        let lab = Lab::tun(&LabConfig::default()).unwrap();
        let mut get = lab.command(get).unwrap();
        get.arg(format!("tun:{PEER_INTERFACE}"));
        // The server's address comes with the interface, which `get` makes.
        lab.set_sysctl("net.ipv6.ip_nonlocal_bind", "1").unwrap();
        thread::scope(|scope| {
            scope.spawn(|| fetch(&lab, get, OURS_V6, true));
            configure(&lab);
        });
    });
}

#[test]
fn sans_io_tells_what_it_should() {
    let Some(sans_io) = example("sans_io") else { return };
    let output = Command::new(sans_io).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("host 1 heard \"hello, host 1\""), "{told}");
    assert!(told.contains("1 connection in TIME-WAIT\na minute later it has 0\n"), "{told}");
}

/// `forward` on the cable, and this namespace as the world behind it.
fn forwarding(program: PathBuf) -> (Lab, Running) {
    let lab = Lab::veth(&LabConfig::default()).unwrap();
    lab.route_everything_to_us().unwrap();
    let mut links = Links::open().unwrap();
    links.add_address("lo", ELSEWHERE.into(), 32).unwrap();
    links.add_address("lo", ELSEWHERE_V6.into(), 128).unwrap();
    let mut command = Command::new(program);
    command.args([&format!("packet:{OUR_INTERFACE}"), OURS, OURS_V6]);
    let running = start(&mut command);
    (lab, running)
}

/// Serves what a connection to `listener` wants, for ever.
fn serve_pages(listener: TcpListener) {
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || serve::http("from elsewhere")(stream.unwrap()));
        }
    });
}

#[test]
fn forward_leads_curl_elsewhere() {
    isolated().needs(Need::Program("curl")).run(|| {
        let Some(forward) = example("forward") else { return };
        let (lab, _forward) = forwarding(forward);
        serve_pages(TcpListener::bind((ELSEWHERE, 80)).unwrap());
        serve_pages(TcpListener::bind((ELSEWHERE_V6, 80)).unwrap());
        let page = (Some(0), b"from elsewhere".to_vec());
        assert_eq!(curl(&lab, &format!("http://{ELSEWHERE}/")), page);
        assert_eq!(curl(&lab, &format!("http://[{ELSEWHERE_V6}]/")), page);
        let (_, bytes) = curl(&lab, &format!("http://{ELSEWHERE}/bytes/2000000"));
        let sent = handclasp_lab::pattern::Pattern::new(serve::HTTP_SEED);
        assert_eq!((bytes.len(), sent.check(0, &bytes)), (2_000_000, Ok(())));
    });
}

#[test]
fn forward_refuses_what_is_refused_there() {
    isolated().run(|| {
        let Some(forward) = example("forward") else { return };
        let (lab, _forward) = forwarding(forward);
        let connect = |to: SocketAddr| lab.peer().run(|| TcpStream::connect(to)).unwrap();
        let error = connect((ELSEWHERE, 81).into()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        // The forwarder's own namespace has no way to this one.
        let nowhere = Ipv4Addr::new(203, 0, 113, 1);
        let error = connect((nowhere, 80).into()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NetworkUnreachable);
    });
}

#[test]
fn forward_carries_datagrams() {
    isolated().run(|| {
        let Some(forward) = example("forward") else { return };
        let (lab, _forward) = forwarding(forward);
        let server = UdpSocket::bind((ELSEWHERE, 9)).unwrap();
        thread::spawn(move || {
            let mut datagram = [0; 2048];
            loop {
                let (len, from) = server.recv_from(&mut datagram).unwrap();
                server.send_to(&datagram[..len], from).unwrap();
            }
        });
        for payload in [&b"a datagram"[..], &[7; 1400]] {
            assert_eq!(ask(&lab, (ELSEWHERE, 9).into(), payload), payload);
        }
    });
}

#[test]
fn forward_carries_iperf3_both_ways() {
    isolated().needs(Need::Program("iperf3")).run(|| {
        let Some(forward) = example("forward") else { return };
        let (lab, _forward) = forwarding(forward);
        let elsewhere = ELSEWHERE.to_string();
        let mut server = Command::new("iperf3");
        let _server = start(server.args(["--forceflush", "-s", "-B", &elsewhere]));
        for direction in [&[][..], &["--reverse"], &["--bidir"]] {
            let mut client = lab.command("iperf3").unwrap();
            client.args(["-c", &elsewhere, "-n", "50M"]).args(direction);
            let output = client.output().unwrap();
            let told = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{direction:?}: {told}");
        }
    });
}

/// Sends a datagram from the kernel's end, and again until there is an answer.
fn ask(lab: &Lab, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let asked = lab.peer().run(|| {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
        socket.connect(to).unwrap();
        let mut answer = vec![0; 2048];
        for _ in 0..PATIENCE.as_secs() / 2 {
            socket.send(payload).unwrap();
            if let Ok(len) = socket.recv(&mut answer) {
                answer.truncate(len);
                return answer;
            }
        }
        panic!("no answer");
    });
    asked.unwrap()
}

/// `tun2socks` in the kernel's namespace, a proxy beside it, and what that was asked for.
fn behind_a_proxy(program: PathBuf) -> (Lab, Running, mpsc::Receiver<Asked>) {
    let lab = Lab::tun(&LabConfig::default()).unwrap();
    let listeners = || [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    let [proxy, web] = lab.peer().run(listeners).unwrap();
    let (proxy_address, world) = (proxy.local_addr().unwrap(), web.local_addr().unwrap());
    serve_pages(web);
    let (tell, asked) = mpsc::channel();
    lab.peer().spawn(move || socks::serve(&proxy, world, &tell, resolve)).unwrap();
    let mut command = lab.command(program).unwrap();
    let running = start(command.args([PEER_INTERFACE, &proxy_address.to_string()]));
    configure(&lab);
    lab.route_everything_to_us().unwrap();
    (lab, running, asked)
}

/// A DNS server that knows one address for every name (RFC 1035 §4).
fn resolve(query: &[u8]) -> Vec<u8> {
    let mut answer = query.to_vec();
    // An answer, with one record beside the question.
    answer[2] |= 0x80;
    answer[7] = 1;
    // The question's name, A, IN, for a minute, four bytes.
    answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
    answer.extend(ELSEWHERE.octets());
    answer
}

#[test]
fn tun2socks_leads_curl_through_the_proxy() {
    on_tun().needs(Need::Program("curl")).run(|| {
        let Some(tun2socks) = example("tun2socks") else { return };
        let (lab, _tun2socks, asked) = behind_a_proxy(tun2socks);
        let page = (Some(0), b"from elsewhere".to_vec());
        assert_eq!(curl(&lab, &format!("http://{ELSEWHERE}/")), page);
        assert_eq!(asked.recv(), Ok(Asked::Connect((ELSEWHERE, 80).into())));
        assert_eq!(curl(&lab, &format!("http://[{ELSEWHERE_V6}]:8080/")), page);
        assert_eq!(asked.recv(), Ok(Asked::Connect((ELSEWHERE_V6, 8080).into())));
        let (_, bytes) = curl(&lab, &format!("http://{ELSEWHERE}/bytes/2000000"));
        let sent = handclasp_lab::pattern::Pattern::new(serve::HTTP_SEED);
        assert_eq!((bytes.len(), sent.check(0, &bytes)), (2_000_000, Ok(())));
    });
}

#[test]
fn tun2socks_refuses_what_the_proxy_refuses() {
    on_tun().run(|| {
        let Some(tun2socks) = example("tun2socks") else { return };
        let (lab, _tun2socks, _asked) = behind_a_proxy(tun2socks);
        let connect = lab.peer().run(|| TcpStream::connect((ELSEWHERE, 81))).unwrap();
        assert_eq!(connect.unwrap_err().kind(), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn tun2socks_resolves_a_name_through_the_proxy() {
    on_tun().run(|| {
        let Some(tun2socks) = example("tun2socks") else { return };
        let (lab, _tun2socks, asked) = behind_a_proxy(tun2socks);
        // Asks for the address of example.org, recursively.
        let mut query = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        query.extend(b"\x07example\x03org\x00\x00\x01\x00\x01");
        let answer = ask(&lab, (ELSEWHERE, 53).into(), &query);
        assert_eq!(answer, resolve(&query));
        assert_eq!(asked.recv(), Ok(Asked::Datagram((ELSEWHERE, 53).into())));
    });
}
