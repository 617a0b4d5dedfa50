use std::time::Duration;

use handclasp_tcp::State;

use super::table::{Limits, Table, merge};
use super::{Flow, Seen};
use crate::capture::dissect::Segment;
use crate::scene::{CLIENT, SERVER, Scene};

/// A scene whose segments go into a table.
pub(crate) struct Tabled {
    pub(crate) scene: Scene,
    pub(crate) table: Table,
}

impl Tabled {
    fn new() -> Self {
        Self { scene: Scene::default(), table: Table::new(Limits::default()) }
    }

    fn open() -> Self {
        let mut tabled = Self::new();
        for segment in tabled.scene.handshake() {
            tabled.table.see(&segment);
        }
        tabled
    }

    fn client(&mut self, letters: &str, seq: u32, ack: u32, len: u32) -> Seen {
        let segment = self.scene.segment(CLIENT, letters, seq, ack, len);
        self.table.see(&segment)
    }

    fn server(&mut self, letters: &str, seq: u32, ack: u32, len: u32) -> Seen {
        let segment = self.scene.segment(SERVER, letters, seq, ack, len);
        self.table.see(&segment)
    }

    fn only(self) -> Flow {
        let mut flows = self.table.finish();
        assert_eq!(flows.len(), 1);
        *flows.remove(0)
    }
}

use State::{
    CloseWait, Closed, Established, FinWait1, FinWait2, LastAck, SynReceived, SynSent, TimeWait,
};

#[test]
fn states_follow_a_connection_from_open_to_close() {
    let mut tabled = Tabled::new();
    let mut states = Vec::new();
    for segment in tabled.scene.handshake() {
        states.push(tabled.table.see(&segment).states);
    }
    states.push(tabled.client("F.", 1, 1, 0).states);
    states.push(tabled.server(".", 1, 2, 0).states);
    states.push(tabled.server("F.", 1, 2, 0).states);
    states.push(tabled.client(".", 2, 2, 0).states);
    let expected = [
        (Some(SynSent), None),
        (Some(Established), Some(SynReceived)),
        (Some(Established), Some(Established)),
        (Some(FinWait1), Some(CloseWait)),
        (Some(FinWait2), Some(CloseWait)),
        (Some(TimeWait), Some(LastAck)),
        (Some(TimeWait), Some(Closed)),
    ];
    assert_eq!(states, expected.map(|(client, server)| [client, server]));
}

#[test]
fn a_refused_connection_is_closed_and_not_opening() {
    let mut tabled = Tabled::new();
    tabled.client("S", 0, 0, 0);
    assert_eq!(tabled.server("R.", 0, 1, 0).states, [Some(Closed); 2]);
    let flow = tabled.only();
    assert_eq!((flow.zeek.conn_state(), flow.zeek.history()), ("REJ", "Sr"));
}

#[test]
fn zeeks_words_tell_a_whole_connection() {
    let mut tabled = Tabled::open();
    tabled.client("P.", 1, 1, 10);
    tabled.server("P.", 1, 11, 10);
    tabled.client("F.", 11, 11, 0);
    tabled.server("F.", 11, 12, 0);
    tabled.client(".", 12, 12, 0);
    let flow = tabled.only();
    assert_eq!((flow.zeek.conn_state(), flow.zeek.history()), ("SF", "ShADdFf"));
}

#[test]
fn a_syn_with_another_number_is_another_connection() {
    let mut tabled = Tabled::open();
    tabled.scene.isn[CLIENT] += 1_000_000;
    assert_eq!(tabled.client("S", 0, 0, 0).stream, 1);
    assert_eq!(tabled.table.take_over().len(), 1);
}

#[test]
fn the_same_syn_again_is_the_same_connection() {
    let mut tabled = Tabled::new();
    tabled.client("S", 0, 0, 0);
    tabled.scene.wait(1000);
    assert_eq!(tabled.client("S", 0, 0, 0).stream, 0);
    let waits: Vec<Duration> = tabled.only().handshake.syns.waits().collect();
    assert_eq!(waits, [Duration::from_millis(1001)]);
}

#[test]
fn another_vlan_is_another_connection_unless_told_otherwise() {
    for (networks, streams) in [(true, 2), (false, 1)] {
        let mut scene = Scene::default();
        let mut table = Table::new(Limits { networks, ..Limits::default() });
        for mut segment in scene.handshake() {
            table.see(&segment);
            segment.network.vlans[0] = 7;
            table.see(&segment);
        }
        assert_eq!(table.finish().len(), streams);
    }
}

#[test]
fn bytes_are_counted_new_and_again() {
    let mut tabled = Tabled::open();
    tabled.client("P.", 1, 1, 100);
    tabled.scene.wait(300);
    tabled.client("P.", 1, 1, 150);
    tabled.server(".", 1, 151, 0);
    let flow = tabled.only();
    let counts = flow.ends[CLIENT].counts;
    assert_eq!((counts.data_bytes, counts.unique_bytes, counts.resent_bytes), (250, 150, 100));
    assert_eq!((counts.packets, counts.pure_acks, counts.syns), (4, 1, 1));
    assert_eq!(flow.handshake.round_trip(), Some(Duration::from_millis(1)));
    // The SYN's round trip; the data's is ambiguous.
    assert_eq!(flow.ends[CLIENT].round_trips.samples, 1);
    assert_eq!(flow.unacknowledged(CLIENT), 0);
}

fn opened_by(port: u16, scene: &mut Scene) -> Segment<'static> {
    scene.sockets[CLIENT].set_port(port);
    scene.segment(CLIENT, "S", 0, 0, 0)
}

#[test]
fn what_is_over_is_handed_out_and_forgotten() {
    let mut scene = Scene::default();
    let mut table = Table::new(Limits::default());
    let (mut handed, mut most) = (0, 0);
    for n in 0..60_000u32 {
        let segment = opened_by((n % 60_000) as u16, &mut scene);
        scene.wait(99);
        table.see(&segment);
        handed += table.take_over().len();
        most = most.max(table.len());
    }
    assert!(most <= 8192, "{most} SYNs that nobody answers were remembered");
    assert_eq!(handed + table.finish().len(), 60_000);
}

#[test]
fn no_more_connections_than_allowed_are_remembered() {
    let mut scene = Scene::default();
    let mut table = Table::new(Limits { connections: 5000, ..Limits::endless() });
    for port in 0..20_000 {
        table.see(&opened_by(port, &mut scene));
        assert!(table.len() <= 5001);
    }
}

#[test]
fn shards_together_are_what_one_table_is() {
    let mut scene = Scene::default();
    let mut shards = [Table::new(Limits::default()), Table::new(Limits::default())];
    let mut one = Table::new(Limits::default());
    for port in 1000..1100 {
        let segment = opened_by(port, &mut scene);
        let (key, _) = super::key::Key::of(&segment);
        shards[key.shard(2)].see(&segment);
        one.see(&segment);
    }
    assert!(shards.iter().all(|shard| shard.len() > 20));
    let merged = merge(shards.map(Table::finish));
    let told = |flows: super::table::Flows| -> Vec<_> {
        flows.into_iter().map(|flow| (flow.stream, flow.key, flow.first)).collect()
    };
    assert_eq!(told(merged), told(one.finish()));
}

#[test]
fn a_connection_without_trouble_fits_into_two_kilobytes() {
    let size = size_of::<Flow>() + size_of::<super::key::Key>();
    assert!(size <= 2048, "{size}");
}
