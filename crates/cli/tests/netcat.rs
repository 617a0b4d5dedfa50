//! `connect` and `listen` as a user runs them.

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::{Run, command, handclasp, handclasp_fed};
use handclasp_lab::isolated::{Isolated, Need, in_namespace};
use handclasp_lab::lab::{Lab, LabConfig, PEER_INTERFACE};
use handclasp_lab::serve;
use handclasp_lab::server::{ListenOptions, Server};

const REQUEST: &str = "GET / HTTP/1.0\r\n\r\n";

#[test]
fn a_page_is_fetched_by_hand() {
    let Some(run) = handclasp_fed(&["connect", "-v", "10.77.0.2", "80"], REQUEST) else { return };
    assert_eq!(run.code, 0, "{run}");
    assert!(run.stdout.starts_with("HTTP/1.1 200 OK"), "{run}");
    assert!(run.stderr.contains("TIME-WAIT") && run.stderr.contains("✔"), "{run}");
}

#[test]
fn the_end_of_the_input_closes_our_direction_only() {
    let text = "one line\nand another\n".repeat(10_000);
    let Some(run) = handclasp_fed(&["connect", "10.77.0.2", "7"], &text) else { return };
    assert_eq!((run.code, &*run.stderr), (0, ""));
    assert!(run.stdout == text, "the echo differs");
}

#[test]
fn a_refusal_is_a_failure_in_one_line() {
    let Some(run) = handclasp(&["connect", "10.77.0.2", "81"]) else { return };
    assert_eq!((run.code, &*run.stdout), (1, ""), "{run}");
    assert!(run.stderr.contains("refused") && run.stderr.lines().count() == 1, "{run}");
}

#[test]
fn a_caller_that_closes_its_direction_still_gets_an_answer() {
    let Some(run) = handclasp_fed(&["listen", "-v", "8080"], "an answer\n") else { return };
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(run.stdout, "hello from the other end\n");
    // Who closes first, or both at once, is for the scheduler to say.
    let ends = ["LAST-ACK", "CLOSING", "TIME-WAIT"];
    assert!(ends.iter().any(|state| run.stderr.contains(state)), "{run}");
}

/// Starts a command whose standard input is this text.
fn fed(command: &mut Command, input: &str) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command starts");
    let mut stdin = child.stdin.take().expect("it was asked for");
    stdin.write_all(input.as_bytes()).expect("the command reads");
    child
}

fn ended(child: Child) -> Run {
    Run::from(child.wait_with_output().expect("the command ends"))
}

fn serve_pages(lab: &Lab) -> Server {
    let any = SocketAddr::from(([0, 0, 0, 0], 80));
    Server::start(lab.peer(), any, &ListenOptions::default(), serve::http("a page\n")).unwrap()
}

/// Asks again and again until it is there.
fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let patience = Instant::now() + Duration::from_secs(30);
    loop {
        match ask() {
            Some(answer) => return answer,
            None => assert!(Instant::now() < patience, "{what} never came"),
        }
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_page_is_fetched_over_an_ethernet_interface() {
    in_namespace(|| {
        let lab = Lab::veth(&LabConfig::default()).unwrap();
        let _server = serve_pages(&lab);
        let words = "connect -v --link packet:hc0 --address 10.77.0.1/24 10.77.0.2 80";
        let run = ended(fed(command().args(words.split(' ')), REQUEST));
        assert_eq!(run.code, 0, "{run}");
        assert!(run.stdout.ends_with("\r\n\r\na page\n"), "{run}");
        assert!(run.stderr.contains("ESTABLISHED") && run.stderr.contains("✔"), "{run}");
    });
}

#[test]
fn a_page_is_fetched_over_a_tun_interface() {
    Isolated::new().needs(Need::Tun).run(|| {
        let lab = Lab::tun(&LabConfig::default()).unwrap();
        let _server = serve_pages(&lab);
        let link = format!("tun:{PEER_INTERFACE}");
        let mut command = lab.command(env!("CARGO_BIN_EXE_handclasp")).unwrap();
        command.args(["connect", "--link", &link, "--address", "10.77.0.1/24", "10.77.0.2", "80"]);
        let child = fed(&mut command, REQUEST);
        let links = lab.peer().links().unwrap();
        wait_for("the interface", || links.exists(PEER_INTERFACE).then_some(()));
        lab.configure_tun().unwrap();
        let run = ended(child);
        assert_eq!((run.code, &*run.stderr), (0, ""), "{run}");
        assert!(run.stdout.ends_with("\r\n\r\na page\n"), "{run}");
    });
}

#[test]
fn a_call_is_taken_over_an_ethernet_interface() {
    in_namespace(|| {
        let lab = Lab::veth(&LabConfig::default()).unwrap();
        let words = "listen -v --link packet:hc0 --address 10.77.0.1/24 8080";
        let child = fed(command().args(words.split(' ')), "an answer\n");
        let server = SocketAddr::new(lab.our_address(false), 8080);
        let call = || TcpStream::connect_timeout(&server, Duration::from_secs(5)).ok();
        let answer = lab.peer().run(|| {
            let mut stream = wait_for("the listener", call);
            stream.write_all(b"a question\n").unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        });
        let run = ended(child);
        assert_eq!((run.code, &*run.stdout), (0, "a question\n"), "{run}");
        assert_eq!(answer.unwrap(), "an answer\n");
    });
}
