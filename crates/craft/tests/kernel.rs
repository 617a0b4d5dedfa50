//! Conversations with the Linux kernel, over a TUN interface whose address the kernel does not
//! own: nothing of its own answers in our place, and when a conversation is over, the kernel
//! has no socket left that would send again.
#![cfg(target_os = "linux")]

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use handclasp_craft::conversation::{Conversation, End, Ending, Manner, Outcome, Step};
use handclasp_device::device::Device;
use handclasp_device::tun::Tun;
use handclasp_lab::isolated::{Isolated, Need};
use handclasp_lab::lab::{Lab, LabConfig, OUR_IPV4, PEER_INTERFACE, PEER_IPV4};
use handclasp_lab::serve;
use handclasp_lab::server::{ListenOptions, Server};
use handclasp_lab::sock_diag::State;
use handclasp_wire::frame::{Inbound, Outbound};
use handclasp_wire::time::Instant;
use rand_pcg::Pcg32;

const PORT: u16 = 80;

/// A web server of the kernel's, and a link to it.
struct Peer {
    lab: Lab,
    link: Tun,
    _server: Server,
}

impl Peer {
    fn new() -> Self {
        let lab = Lab::tun(&LabConfig::default()).expect("a lab");
        // What runs in the peer's namespace is a thread of its own.
        let runtime = tokio::runtime::Handle::current();
        let open = || {
            let _entered = runtime.enter();
            Tun::builder().name(PEER_INTERFACE).vnet_header(false).open()
        };
        let link = lab.peer().run(open).expect("entered").expect("a TUN interface");
        lab.configure_tun().expect("configured");
        let options = ListenOptions::default();
        let server =
            Server::start(lab.peer(), (PEER_IPV4, PORT).into(), &options, serve::http("page"));
        Self { lab, link, _server: server.expect("a server") }
    }

    /// Runs a conversation to its end.
    async fn talk(&mut self, ports: (u16, u16), steps: &[&str], ending: Ending) -> Conversation {
        let base = format!("{OUR_IPV4}:{} > {PEER_IPV4}:{}", ports.0, ports.1);
        let steps = steps.iter().map(|step| step.parse::<Step>().expect("a step")).collect();
        let mut talk =
            Conversation::new(base.parse().expect("a template"), steps).with_ending(ending);
        let began = tokio::time::Instant::now();
        let mut rng = Pcg32::new(7, 7);
        loop {
            let now = Instant::ZERO + began.elapsed();
            let mut batch = VecDeque::new();
            while let Some(packet) = talk.next_send(now, &mut rng) {
                batch.push_back(Outbound { header: packet.into(), ..Outbound::default() });
            }
            poll_fn(|cx| self.link.poll_transmit(cx, &mut batch)).await.expect("sent");
            if talk.is_over() {
                return talk;
            }
            let wait = talk.deadline().map_or(Duration::ZERO, |due| due - now);
            let mut came: Vec<Inbound> = Vec::new();
            let receive = poll_fn(|cx| match self.link.poll_receive(cx, &mut came, 16) {
                Poll::Ready(received) => Poll::Ready(received.expect("received")),
                Poll::Pending => Poll::Pending,
            });
            let _ = tokio::time::timeout(wait, receive).await;
            for packet in came {
                talk.arrived(&packet.data, Instant::ZERO + began.elapsed());
            }
        }
    }

    /// The kernel's sockets that still have something to send, or wait for us.
    fn left(&self) -> Vec<State> {
        let sockets = self.lab.sock_diag().expect("asked").sockets().expect("told");
        let quiet = |state: &State| matches!(state, State::Listen | State::TimeWait);
        sockets.into_iter().map(|socket| socket.state).filter(|state| !quiet(state)).collect()
    }
}

fn reset() -> Ending {
    Ending { manner: Manner::Reset, ..Ending::default() }
}

/// Runs each list of steps on a connection of its own; all must succeed and leave nothing.
fn each(cases: &[(&[&str], Ending, End)]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut peer = Peer::new();
        for (port, (steps, ending, end)) in (5000..).zip(cases) {
            let talk = peer.talk((port, PORT), steps, *ending).await;
            for (step, outcome) in steps.iter().zip(talk.outcomes()) {
                let as_wanted =
                    matches!(outcome, Outcome::Sent { .. } | Outcome::Met { .. } | Outcome::Silent);
                assert!(as_wanted, "{step}: {outcome:?}");
            }
            assert_eq!((talk.end(), peer.left()), (Some(*end), vec![]), "{steps:?}");
        }
    });
}

const GET: &str = r#"send [P.] data "GET / HTTP/1.0\r\n\r\n""#;

#[test]
fn a_handshake_made_by_hand_is_a_connection() {
    Isolated::new().needs(Need::Tun).run(|| {
        let handshake = &["send [S]", "expect [S.] ack auto", "send [.]"][..];
        let answered = "expect [.?P] seq auto ack auto";
        let whole = [handshake, &[GET, answered]].concat();
        let timestamps = [
            &["send [S] <mss 1460, sackOK, TS val 7 ecr 0>", "expect [S.] ack auto"],
            &[GET, "expect [.?PF] ack auto"][..],
        ];
        each(&[
            (handshake, Ending::default(), End::Closed),
            (handshake, reset(), End::Reset),
            (&whole, Ending::default(), End::Closed),
            (&timestamps.concat(), Ending::default(), End::Closed),
        ]);
    });
}

#[test]
fn data_may_take_the_place_of_the_third_packet() {
    Isolated::new().needs(Need::Tun).run(|| {
        let data = ["send [S]", "expect [S.] ack auto", GET, "expect [.?P] ack auto"];
        // The bare acknowledgment that comes late is a duplicate, and draws one.
        let late = "send [.] seq auto-18";
        let late = [&data[..], &[late, "expect [.?PF] ack auto"]].concat();
        each(&[(&data, reset(), End::Reset), (&late, reset(), End::Reset)]);
    });
}

#[test]
fn what_was_half_open_is_gone_at_the_end() {
    Isolated::new().needs(Need::Tun).run(|| {
        each(&[(&["send [S]", "expect [S.] ack auto"], reset(), End::Reset)]);
    });
}

#[test]
fn an_old_duplicate_syn_is_put_right() {
    Isolated::new().needs(Need::Tun).run(|| {
        let old = ["send [S] seq 90", "expect [S.] ack 91", "send [R] seq 91"];
        let real = ["send [S] seq 100", "expect [S.] ack 101", "send [.]"];
        each(&[(&[old, real].concat(), Ending::default(), End::Closed)]);
    });
}

#[test]
fn a_closed_port_answers_with_a_reset() {
    Isolated::new().needs(Need::Tun).run(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut peer = Peer::new();
            let steps = ["send [S]", "expect [R.] seq 0 ack auto"];
            let talk = peer.talk((5000, 81), &steps, Ending::default()).await;
            assert!(talk.succeeded());
            assert_eq!(talk.end(), Some(End::NothingOpen));
        });
    });
}

#[test]
fn a_syn_ack_that_nobody_asked_for_is_answered_with_a_reset() {
    Isolated::new().needs(Need::Tun).run(|| {
        let steps = ["send [S.] seq 7 ack 49510", "expect [R] seq 49510"];
        each(&[(&steps, Ending::default(), End::NothingOpen)]);
    });
}
