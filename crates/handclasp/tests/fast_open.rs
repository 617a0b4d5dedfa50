//! Fast Open (RFC 7413) with the Linux kernel at the other end.
#![cfg(target_os = "linux")]

mod common;

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use common::{Link, blocking, isolated, network, ours, peer, run};
use handclasp::Backlog;
use handclasp_lab::isolated::{Isolated, Need};
use handclasp_lab::lab::Lab;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A kernel's server that opens fast and answers in capitals, so many times.
const SERVER: &str = "
import socket, sys
server = socket.socket(getattr(socket, sys.argv[1]))
server.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
server.bind(('', 80))
server.listen()
print('ready', flush=True)
for _ in range(int(sys.argv[2])):
    client, _ = server.accept()
    client.sendall(client.recv(100).upper())
    client.close()
";

/// A kernel's client that opens fast, so many times, and prints the answers.
const CLIENT: &str = "
import socket, sys
for _ in range(int(sys.argv[3])):
    client = socket.socket(getattr(socket, sys.argv[1]))
    client.sendto(b'question', socket.MSG_FASTOPEN, (sys.argv[2], 80))
    print(client.recv(100).decode(), flush=True)
    client.close()
";

fn with_python() -> Isolated {
    isolated().needs(Need::Program("python3"))
}

const fn family(v6: bool) -> &'static str {
    if v6 { "AF_INET6" } else { "AF_INET" }
}

/// Linux's server gives a cookie, and takes the data of the next SYN.
async fn we_open_fast(v6: bool) {
    let (lab, stack) = network(Link::Packet);
    lab.set_sysctl("net/ipv4/tcp_fastopen", "3").unwrap();
    let mut python = lab.command("python3").unwrap();
    let mut python =
        python.args(["-c", SERVER, family(v6), "3"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(python.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    for taken in 0..3 {
        let mut stream = stack.socket().connect_with(peer(v6, 80), "question").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "QUESTION");
        let counters = stack.counters();
        assert_eq!(counters.tcp_ext_fast_open_active, taken, "all but the first");
        assert_eq!(counters.tcp_ext_fast_open_active_fail, 0);
    }
    blocking(move || python.wait()).await.unwrap();
}

/// Requirement: RFC7413-R04, RFC7413-R09, RFC7413-R10
#[test]
fn the_kernel_takes_the_data_of_our_syn_once_it_has_given_a_cookie() {
    with_python().run(|| run(we_open_fast(false)));
}

#[test]
fn the_kernel_takes_the_data_of_our_syn_over_ipv6() {
    with_python().run(|| run(we_open_fast(true)));
}

/// Requirement: RFC7413-R05, RFC7413-R06
#[test]
fn a_kernel_that_does_not_open_fast_is_asked_once_and_then_left_alone() {
    with_python().run(|| run(refused()));
}

async fn refused() {
    let (lab, stack) = network(Link::Packet);
    lab.set_sysctl("net/ipv4/tcp_fastopen", "0").unwrap();
    let mut python = lab.command("python3").unwrap();
    let mut python =
        python.args(["-c", SERVER, "AF_INET", "2"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(python.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    for _ in 0..2 {
        let mut stream = stack.socket().connect_with(peer(false, 80), "question").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "QUESTION");
        assert_eq!(stack.counters().tcp_ext_fast_open_active_fail, 1);
    }
    blocking(move || python.wait()).await.unwrap();
}

/// The answers that a kernel's client got.
async fn ask(lab: &Lab, v6: bool, times: usize) -> String {
    let mut python = lab.command("python3").unwrap();
    let server = ours(v6, 80).ip().to_string();
    python.args(["-c", CLIENT, family(v6), &server, &times.to_string()]);
    let output = blocking(move || python.output()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

async fn the_kernel_opens_fast(v6: bool, fast_open: usize) -> u64 {
    let (lab, stack) = network(Link::Packet);
    lab.set_sysctl("net/ipv4/tcp_fastopen", "1").unwrap();
    let backlog = Backlog { fast_open, ..Backlog::default() };
    let listener = stack.socket().bind(ours(v6, 80)).listen(backlog).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut question = [0; 8];
            stream.read_exact(&mut question).await.unwrap();
            stream.write_all(&question.to_ascii_uppercase()).await.unwrap();
        }
    });
    assert_eq!(ask(&lab, v6, 3).await, "QUESTION\nQUESTION\nQUESTION\n");
    let counters = stack.counters();
    assert_eq!(counters.tcp_passive_opens, 3);
    counters.tcp_ext_fast_open_passive
}

/// Requirement: RFC7413-R03, RFC7413-P13
#[test]
fn we_take_the_data_of_the_kernels_syn_once_we_have_given_a_cookie() {
    with_python().run(|| run(async { assert_eq!(the_kernel_opens_fast(false, 8).await, 2) }));
}

#[test]
fn we_take_the_data_of_the_kernels_syn_over_ipv6() {
    with_python().run(|| run(async { assert_eq!(the_kernel_opens_fast(true, 8).await, 2) }));
}

/// Requirement: RFC7413-R01, RFC7413-R07
#[test]
fn a_listener_opens_fast_only_where_it_was_told_to() {
    with_python().run(|| run(async { assert_eq!(the_kernel_opens_fast(false, 0).await, 0) }));
}
