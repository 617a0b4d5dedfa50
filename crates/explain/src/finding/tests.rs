use std::time::Duration;

use super::says::Refuser;
use super::{Finding, Says, find};
use crate::capture::dissect::{About, Complaint, Segment};
use crate::catalogue::English;
use crate::catalogue::findings::Findings as _;
use crate::flow::Flow;
use crate::flow::table::{Limits, Table};
use crate::scene::{CLIENT, SERVER, Scene};
use crate::track::Side;

/// A connection whose segments are collected.
#[derive(Default)]
struct Tale {
    scene: Scene,
    segments: Vec<Segment<'static>>,
}

impl Tale {
    fn open() -> Self {
        let mut tale = Self::default();
        tale.segments.extend(tale.scene.handshake());
        tale
    }

    fn client(&mut self, letters: &str, seq: u32, ack: u32, len: u32) -> &mut Self {
        self.segments.push(self.scene.segment(CLIENT, letters, seq, ack, len));
        self
    }

    fn server(&mut self, letters: &str, seq: u32, ack: u32, len: u32) -> &mut Self {
        self.segments.push(self.scene.segment(SERVER, letters, seq, ack, len));
        self
    }

    fn wait(&mut self, millis: u64) -> &mut Self {
        self.scene.wait(millis);
        self
    }

    fn last(&mut self) -> &mut Segment<'static> {
        self.segments.last_mut().unwrap()
    }

    fn findings(&self) -> Vec<Finding> {
        find([&Scene::flow(&self.segments)])
    }

    /// What is found, which must be one thing.
    #[track_caller]
    fn finds(&self) -> (Says, Vec<u64>) {
        let mut findings = self.findings();
        assert_eq!(findings.len(), 1, "{findings:?}");
        let finding = findings.remove(0);
        for text in [English.finding(&finding.says), English.advice(&finding.says)] {
            assert!(text.len() > 10 && !text.ends_with('.'), "{text:?}");
        }
        (finding.says, finding.evidence)
    }
}

fn millis(time: u64) -> Duration {
    Duration::from_millis(time)
}

#[test]
fn a_connection_that_goes_well_is_not_talked_about() {
    let mut tale = Tale::open();
    tale.client("P.", 1, 1, 100).server("P.", 1, 101, 1000).client(".", 101, 1001, 0);
    tale.client("F.", 101, 1001, 0).server("F.", 1001, 102, 0).client(".", 102, 1002, 0);
    assert_eq!(tale.findings(), []);
}

#[test]
fn a_rst_to_a_syn_is_a_refusal() {
    let mut tale = Tale::default();
    tale.client("S", 0, 0, 0).server("R.", 0, 1, 0);
    let says = Says::Refused { by: Refuser::Port, after: millis(1), syns: 1 };
    assert_eq!(tale.finds(), (says, vec![1, 2]));
}

#[test]
fn a_refusal_with_another_ttl_than_the_hosts_comes_from_the_path() {
    let mut tale = Tale::open();
    tale.client("F.", 1, 1, 0).server("F.", 1, 2, 0).client(".", 2, 2, 0);
    let good = Scene::flow(&tale.segments);
    let mut tale = Tale::default();
    tale.scene.ttl[SERVER] = 250;
    tale.client("S", 0, 0, 0).server("R.", 0, 1, 0);
    let says = find([&good, &Scene::flow(&tale.segments)]).remove(0).says;
    let by = Refuser::Path { ttl: 250, usual: 57 };
    assert_eq!(says, Says::Refused { by, after: millis(1), syns: 1 });
}

#[test]
fn an_icmp_error_is_a_refusal_too() {
    let mut tale = Tale::default();
    let syn = tale.client("S", 0, 0, 0).segments[0].clone();
    let mut table = Table::new(Limits::endless());
    table.see(&syn);
    table.complain(&Complaint {
        number: 2,
        at: syn.at + millis(5),
        network: syn.network,
        from: [10, 9, 9, 9].into(),
        src: syn.src,
        dst: syn.dst,
        seq: syn.header.seq,
        about: About::Prohibited,
    });
    let findings = find(&table.finish());
    let by = Refuser::Icmp { from: [10, 9, 9, 9].into(), about: About::Prohibited };
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].says, Says::Refused { by, after: millis(5), syns: 1 });
}

#[test]
fn syns_without_an_answer_tell_when_they_were_sent_again() {
    let mut tale = Tale::default();
    tale.client("S", 0, 0, 0).wait(999).client("S", 0, 0, 0).wait(1999).client("S", 0, 0, 0);
    let says = Says::Unanswered { syns: 3, waits: vec![millis(1000), millis(2000)] };
    let text = English.finding(&says);
    assert_eq!(text, "nothing answered 3 SYNs, sent again after 1 s, 2 s");
    assert_eq!(tale.finds(), (says, vec![1, 2, 3]));
}

#[test]
fn a_bare_rst_right_behind_the_syn_ack_is_our_own_kernels() {
    let mut tale = Tale::default();
    tale.client("S", 0, 0, 0).server("S.", 0, 1, 0).client("R", 1, 0, 0);
    assert_eq!(tale.finds().0, Says::KernelReset { after: millis(1) });
    tale.segments.pop();
    tale.wait(50).client("R", 1, 0, 0);
    let late = tale.finds().0;
    assert_eq!(late, Says::Reset { by: Side::Client, unread: 0, closed: false });
}

#[test]
fn a_syn_ack_again_behind_the_third_tells_that_the_third_was_lost() {
    let mut tale = Tale::open();
    tale.wait(1000).server("S.", 0, 1, 0).client(".", 1, 1, 0);
    let says = Says::LastAckLost { syn_acks: 2, opened: false };
    assert_eq!(tale.finds(), (says, vec![2, 3, 4]));
}

#[test]
fn a_syn_ack_that_is_never_answered_leaves_it_half_open() {
    let mut tale = Tale::default();
    tale.client("S", 0, 0, 0).server("S.", 0, 1, 0).wait(1000).server("S.", 0, 1, 0);
    assert_eq!(tale.finds().0, Says::HalfOpen { syn_acks: 2 });
}

#[test]
fn a_port_that_opens_and_resets_at_once_is_closed() {
    let mut tale = Tale::open();
    tale.server("R", 1, 0, 0);
    assert_eq!(tale.finds(), (Says::ShowsClosed { after: millis(2) }, vec![2, 4]));
}

#[test]
fn a_reset_tells_what_was_left_unread() {
    let mut tale = Tale::open();
    tale.server("P.", 1, 1, 10).client("P.", 1, 11, 500).wait(90).server("R.", 11, 1, 0);
    let says = Says::Reset { by: Side::Server, unread: 500, closed: false };
    assert_eq!(tale.finds(), (says, vec![6]));
}

#[test]
fn a_reset_with_another_ttl_is_forged() {
    let mut tale = Tale::open();
    tale.server("P.", 1, 1, 10).client(".", 1, 11, 0).wait(90);
    tale.scene.ttl[SERVER] = 44;
    tale.server("R.", 11, 1, 0);
    let says = Says::ForgedReset { named: Side::Server, ttl: 44, usual: 57 };
    assert_eq!(tale.finds().0, says);
}

#[test]
fn a_window_that_closes_is_told_with_its_time() {
    let mut tale = Tale::open();
    tale.client("P.", 1, 1, 100);
    tale.scene.window[SERVER] = 0;
    tale.server(".", 1, 101, 0).wait(2999);
    tale.scene.window[SERVER] = 400;
    tale.server(".", 1, 101, 0);
    let (by, longest) = (Side::Server, millis(3000));
    let says = Says::ZeroWindow { by, times: 1, longest, still: false };
    assert_eq!(tale.finds(), (says, vec![5]));
}

#[test]
fn a_window_filled_again_and_again_limits_the_speed() {
    let mut tale = Tale::open();
    tale.scene.window[SERVER] = 1;
    tale.server(".", 1, 1, 0);
    for n in 0..3 {
        tale.client("P.", 1 + 128 * n, 1, 128).server(".", 1, 129 + 128 * n, 0);
    }
    let (Says::WindowLimited { by: Side::Server, times: 3, .. }, _) = tale.finds() else {
        panic!("{:?}", tale.findings())
    };
}

#[test]
fn loss_is_told_with_how_it_was_noticed() {
    let mut tale = Tale::open();
    tale.client("P.", 1, 1, 100).wait(299).client("P.", 1, 1, 100).server(".", 1, 101, 0);
    let longest = millis(300);
    let says = Says::Loss { from: Side::Client, resent: 1, of: 2, fast: 0, longest };
    assert_eq!(tale.finds(), (says, vec![5]));
}

#[test]
fn a_retransmission_that_was_not_needed_is_spurious() {
    let mut tale = Tale::open();
    tale.client("P.", 1, 1, 100).server(".", 1, 101, 0).wait(300).client("P.", 1, 1, 100);
    let says = Says::Spurious { from: Side::Client, count: 1, of: 1 };
    assert_eq!(tale.finds(), (says, vec![6]));
}

#[test]
fn a_packet_captured_twice_is_no_retransmission() {
    let mut tale = Tale::open();
    tale.client("P.", 1, 1, 100).last().ip.id = Some(77);
    tale.client("P.", 1, 1, 100).last().ip.id = Some(77);
    tale.server(".", 1, 101, 0);
    assert_eq!(tale.finds().0, Says::Copies { of: Side::Client, count: 1 });
}

#[test]
fn large_segments_that_never_arrive_fall_into_a_black_hole() {
    let mut tale = Tale::open();
    tale.client("P.", 1, 1, 100).server(".", 1, 101, 0).client(".", 101, 1, 1460);
    for n in 0..4 {
        tale.wait(300 << n).client(".", 101, 1, 1460);
    }
    let is_hole = |finding: &Finding| matches!(finding.says, Says::BlackHole { size: 1460, .. });
    assert!(tale.findings().iter().any(is_hole));
    tale.server(".", 1, 1561, 0);
    assert!(!tale.findings().iter().any(is_hole), "it arrived in the end");
}

#[test]
fn half_closed_for_long_is_told() {
    let mut tale = Tale::open();
    tale.client("F.", 1, 1, 0).server(".", 1, 2, 0).wait(59_998).server("F.", 1, 2, 0);
    let says = Says::HalfClosed { by: Side::Client, time: millis(60_000), ended: true };
    assert_eq!(tale.finds().0, says);
}

#[test]
fn nothing_but_keep_alives_is_told() {
    let mut tale = Tale::open();
    for _ in 0..3 {
        tale.wait(30_000).client(".", 0, 1, 0).server(".", 1, 1, 0);
    }
    assert!(matches!(tale.finds().0, Says::KeepAliveOnly { count: 3, .. }));
}

#[test]
fn what_is_never_acknowledged_is_told() {
    let mut tale = Tale::open();
    tale.client("P.", 1, 1, 100);
    for n in 0..3 {
        tale.wait(300 << n).client("P.", 1, 1, 100);
    }
    let told = tale.findings().into_iter().map(|finding| finding.says);
    let (from, bytes) = (Side::Client, 100);
    let says = Says::Unacknowledged { from, bytes, fin: false, times: 3 };
    assert!(told.into_iter().any(|found| found == says));
}

#[test]
fn one_direction_alone_is_asymmetric() {
    let mut tale = Tale::open();
    tale.client("P.", 1, 1, 100).server("P.", 1, 101, 100).client(".", 101, 101, 0);
    tale.segments.retain(|segment| segment.dst.port() == 80);
    assert_eq!(tale.finds().0, Says::Asymmetric { seen: Side::Client });
}

#[test]
fn checksums_that_are_all_wrong_are_offloaded_and_one_is_damage() {
    let mut tale = Tale::open();
    tale.client("P.", 1, 1, 100).server(".", 1, 101, 0);
    tale.segments[3].checksum_ok = Some(false);
    assert_eq!(tale.finds().0, Says::Damaged { of: Side::Client, packets: 1 });
    for n in [0, 2] {
        tale.segments[n].checksum_ok = Some(false);
    }
    assert_eq!(tale.finds().0, Says::Offloaded { of: Side::Client, packets: 3 });
}

#[test]
fn options_that_do_not_come_back_are_missed() {
    let mut tale = Tale::open();
    tale.segments[1].header.options.window_scale = None;
    let says =
        Says::OptionsMissing { mss: false, window_scale: true, sack: false, timestamps: false };
    assert_eq!(tale.finds(), (says, vec![1, 2]));
}

/// Connections that only begin, as `change` makes the nth of them.
fn syns(count: u16, change: impl Fn(&mut Scene, u16)) -> crate::flow::table::Flows {
    let mut table = Table::new(Limits::endless());
    let mut scene = Scene::default();
    for n in 0..count {
        change(&mut scene, n);
        table.see(&scene.segment(CLIENT, "S", 0, 0, 0));
    }
    table.finish()
}

fn over_all(flows: &[impl std::borrow::Borrow<Flow>]) -> Vec<Says> {
    let all = find(flows).into_iter();
    all.filter(|finding| finding.about.is_none()).map(|finding| finding.says).collect()
}

#[test]
fn many_syns_to_one_port_are_a_flood() {
    let from = |scene: &mut Scene, n: u16| {
        scene.sockets[CLIENT] = ([10, 1, (n >> 8) as u8, n as u8], 5000).into();
        scene.isn[CLIENT] = u32::from(n).wrapping_mul(0x9e37_79b9);
    };
    let target = Scene::default().sockets[SERVER];
    let says = Says::Flood { target, syns: 60, sources: 60 };
    assert_eq!(over_all(&syns(60, from)), [says]);
    assert_eq!(over_all(&syns(40, from)), []);
}

#[test]
fn many_ports_tried_by_one_host_are_a_scan() {
    let to = |scene: &mut Scene, n: u16| {
        scene.sockets[SERVER].set_port(20 + n);
        scene.isn[CLIENT] = u32::from(n * n).wrapping_mul(0x9e37_79b9);
    };
    let source = Scene::default().sockets[CLIENT].ip();
    let says = Says::Scan { source, hosts: 1, ports: 30, open: 0 };
    assert_eq!(over_all(&syns(30, to)), [says]);
    assert_eq!(over_all(&syns(10, to)), []);
}

#[test]
fn isns_in_steps_can_be_guessed() {
    let stepping = |step: u32| {
        move |scene: &mut Scene, n: u16| {
            scene.sockets[CLIENT].set_port(5000 + n);
            scene.isn[CLIENT] = u32::from(n) * step;
        }
    };
    let host = Scene::default().sockets[CLIENT].ip();
    let says = Says::PredictableIsns { host, samples: 6, step: 64_000 };
    assert_eq!(over_all(&syns(6, stepping(64_000))), [says]);
    assert_eq!(over_all(&syns(3, stepping(64_000))), []);
}
