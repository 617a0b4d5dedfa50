//! `TCP_INFO`, as far as this stack can tell.

use std::collections::BTreeMap;
use std::time::Duration;

use handclasp_tcp::connection::Repair;
use handclasp_tcp::ecn::Agreed;
use handclasp_tcp::{Connection, State as Tcp};

use super::Sockets;
use super::descriptor::State;
use crate::linux::{
    TCP_CLOSE, TCP_CLOSE_WAIT, TCP_CLOSING, TCP_ESTABLISHED, TCP_FIN_WAIT1, TCP_FIN_WAIT2,
    TCP_LAST_ACK, TCP_LISTEN, TCP_SYN_RECV, TCP_SYN_SENT, TCP_TIME_WAIT, TCPI_OPT_ECN,
    TCPI_OPT_SACK, TCPI_OPT_TIMESTAMPS, TCPI_OPT_WSCALE,
};

/// What Linux tells for no threshold yet.
const INFINITE_THRESHOLD: i64 = 0x7fff_ffff;

impl Sockets {
    /// The fields of `tcp_info` that this stack knows, by their names; `None` if the
    /// descriptor is no socket.
    #[must_use]
    pub fn tcp_info(&self, fd: i32) -> Option<BTreeMap<&'static str, i64>> {
        let socket = self.socket_at(fd).ok()?;
        let mut fields = BTreeMap::new();
        let Some(connection) = self.connection(fd) else {
            let listening = matches!(socket.state, State::Listening(_));
            fields.insert("tcpi_state", if listening { TCP_LISTEN } else { TCP_CLOSE });
            return Some(fields);
        };
        let info = connection.info();
        let (mss, totals) = (u32::from(info.mss).max(1), info.statistics);
        let agreed = info.negotiated;
        let options = [
            (agreed.timestamps, TCPI_OPT_TIMESTAMPS),
            (agreed.sack, TCPI_OPT_SACK),
            (agreed.scaling, TCPI_OPT_WSCALE),
            (info.ecn != Agreed::None, TCPI_OPT_ECN),
        ];
        let threshold = match info.ssthresh {
            u32::MAX => INFINITE_THRESHOLD,
            bytes => i64::from(bytes / mss),
        };
        let options = options.iter().filter(|(on, _)| *on).map(|(_, bit)| bit).sum();
        fields.extend([
            ("tcpi_state", number(info.state)),
            ("tcpi_options", options),
            ("tcpi_snd_wscale", i64::from(agreed.snd_scale)),
            ("tcpi_rcv_wscale", i64::from(agreed.rcv_scale)),
            ("tcpi_rto", micros(Some(info.rto))),
            ("tcpi_snd_mss", i64::from(mss)),
            ("tcpi_ca_state", repair(info.repair)),
            ("tcpi_sacked", i64::from(info.sacked.div_ceil(mss))),
            // Linux counts what was sent again among the lost until it is acknowledged.
            ("tcpi_lost", i64::from((info.lost + connection.resent_outstanding()).div_ceil(mss))),
            ("tcpi_dsack_dups", info.recovery.dsacks_received as i64),
            ("tcpi_reord_seen", info.recovery.reorderings as i64),
            ("tcpi_unacked", i64::from(info.in_flight.div_ceil(mss))),
            ("tcpi_pmtu", i64::from(info.path_mtu)),
            ("tcpi_rtt", micros(info.rtt)),
            ("tcpi_rttvar", micros(info.rtt_variation)),
            ("tcpi_min_rtt", micros(info.rtt_min)),
            ("tcpi_snd_ssthresh", threshold),
            ("tcpi_snd_cwnd", i64::from(info.cwnd / mss)),
            ("tcpi_total_retrans", totals.segments_resent as i64),
            ("tcpi_bytes_acked", totals.bytes_acked as i64),
            ("tcpi_bytes_received", totals.bytes_in as i64),
            ("tcpi_bytes_sent", totals.bytes_out as i64),
            ("tcpi_bytes_retrans", totals.bytes_resent as i64),
            ("tcpi_segs_in", totals.segments_in as i64),
            ("tcpi_segs_out", totals.segments_out as i64),
            ("tcpi_data_segs_in", totals.data_segments_in as i64),
            ("tcpi_retrans", i64::from(connection.resent_outstanding().div_ceil(mss))),
            // Linux's name for three duplicates; RACK counts time.
            ("tcpi_reordering", 3),
            ("tcpi_snd_wnd", i64::from(info.snd_wnd)),
            ("tcpi_rcv_wnd", i64::from(info.rcv_wnd)),
            ("tcpi_total_rto", totals.timeouts as i64),
            ("tcpi_rcv_ooopack", totals.segments_out_of_order as i64),
            ("tcpi_notsent_bytes", i64::from(info.unsent)),
        ]);
        fields.extend(self.times(connection));
        Some(fields)
    }

    /// What the connection did lately, and what held it back.
    fn times(&self, connection: &Connection) -> [(&'static str, i64); 7] {
        let activity = connection.activity(self.now);
        [
            ("tcpi_advmss", i64::from(connection.announced_mss())),
            ("tcpi_last_data_recv", activity.since_data_in.as_millis() as i64),
            ("tcpi_last_data_sent", activity.since_data_out.as_millis() as i64),
            ("tcpi_last_ack_recv", activity.since_heard.as_millis() as i64),
            ("tcpi_busy_time", micros(Some(activity.busy))),
            ("tcpi_rwnd_limited", micros(Some(activity.window_limited))),
            ("tcpi_sndbuf_limited", micros(Some(activity.buffer_limited))),
        ]
    }
}

/// Linux's number of a state of loss recovery, `tcpi_ca_state`.
const fn repair(repair: Repair) -> i64 {
    match repair {
        Repair::Disorder => 1,
        Repair::Fast => 3,
        Repair::Timeout => 4,
        _ => 0,
    }
}

fn micros(time: Option<Duration>) -> i64 {
    time.map_or(0, |time| i64::try_from(time.as_micros()).unwrap_or(i64::MAX))
}

/// Linux's number of a state.
const fn number(state: Tcp) -> i64 {
    match state {
        Tcp::Closed => TCP_CLOSE,
        Tcp::Listen => TCP_LISTEN,
        Tcp::SynSent => TCP_SYN_SENT,
        Tcp::SynReceived => TCP_SYN_RECV,
        Tcp::Established => TCP_ESTABLISHED,
        Tcp::FinWait1 => TCP_FIN_WAIT1,
        Tcp::FinWait2 => TCP_FIN_WAIT2,
        Tcp::CloseWait => TCP_CLOSE_WAIT,
        Tcp::Closing => TCP_CLOSING,
        Tcp::LastAck => TCP_LAST_ACK,
        Tcp::TimeWait => TCP_TIME_WAIT,
    }
}
