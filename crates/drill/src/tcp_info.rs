//! `struct tcp_info` as Linux lays it out: the place of each field, by its name.

use std::collections::BTreeMap;

/// Bytes of the structure as Linux 6.18 has it.
pub const LEN: usize = 280;

/// Where a field stands: its first byte, its width in bytes; and for parts of a byte, the first
/// bit and their number.
type Place = (&'static str, usize, usize, u32, u32);

const fn whole(name: &'static str, at: usize, width: usize) -> Place {
    (name, at, width, 0, 8 * width as u32)
}

/// The fields, in the order of the structure.
const FIELDS: [Place; 70] = [
    whole("tcpi_state", 0, 1),
    whole("tcpi_ca_state", 1, 1),
    whole("tcpi_retransmits", 2, 1),
    whole("tcpi_probes", 3, 1),
    whole("tcpi_backoff", 4, 1),
    whole("tcpi_options", 5, 1),
    ("tcpi_snd_wscale", 6, 1, 0, 4),
    ("tcpi_rcv_wscale", 6, 1, 4, 4),
    ("tcpi_delivery_rate_app_limited", 7, 1, 0, 1),
    ("tcpi_fastopen_client_fail", 7, 1, 1, 2),
    whole("tcpi_rto", 8, 4),
    whole("tcpi_ato", 12, 4),
    whole("tcpi_snd_mss", 16, 4),
    whole("tcpi_rcv_mss", 20, 4),
    whole("tcpi_unacked", 24, 4),
    whole("tcpi_sacked", 28, 4),
    whole("tcpi_lost", 32, 4),
    whole("tcpi_retrans", 36, 4),
    whole("tcpi_fackets", 40, 4),
    whole("tcpi_last_data_sent", 44, 4),
    whole("tcpi_last_ack_sent", 48, 4),
    whole("tcpi_last_data_recv", 52, 4),
    whole("tcpi_last_ack_recv", 56, 4),
    whole("tcpi_pmtu", 60, 4),
    whole("tcpi_rcv_ssthresh", 64, 4),
    whole("tcpi_rtt", 68, 4),
    whole("tcpi_rttvar", 72, 4),
    whole("tcpi_snd_ssthresh", 76, 4),
    whole("tcpi_snd_cwnd", 80, 4),
    whole("tcpi_advmss", 84, 4),
    whole("tcpi_reordering", 88, 4),
    whole("tcpi_rcv_rtt", 92, 4),
    whole("tcpi_rcv_space", 96, 4),
    whole("tcpi_total_retrans", 100, 4),
    whole("tcpi_pacing_rate", 104, 8),
    whole("tcpi_max_pacing_rate", 112, 8),
    whole("tcpi_bytes_acked", 120, 8),
    whole("tcpi_bytes_received", 128, 8),
    whole("tcpi_segs_out", 136, 4),
    whole("tcpi_segs_in", 140, 4),
    whole("tcpi_notsent_bytes", 144, 4),
    whole("tcpi_min_rtt", 148, 4),
    whole("tcpi_data_segs_in", 152, 4),
    whole("tcpi_data_segs_out", 156, 4),
    whole("tcpi_delivery_rate", 160, 8),
    whole("tcpi_busy_time", 168, 8),
    whole("tcpi_rwnd_limited", 176, 8),
    whole("tcpi_sndbuf_limited", 184, 8),
    whole("tcpi_delivered", 192, 4),
    whole("tcpi_delivered_ce", 196, 4),
    whole("tcpi_bytes_sent", 200, 8),
    whole("tcpi_bytes_retrans", 208, 8),
    whole("tcpi_dsack_dups", 216, 4),
    whole("tcpi_reord_seen", 220, 4),
    whole("tcpi_rcv_ooopack", 224, 4),
    whole("tcpi_snd_wnd", 228, 4),
    whole("tcpi_rcv_wnd", 232, 4),
    whole("tcpi_rehash", 236, 4),
    whole("tcpi_total_rto", 240, 2),
    whole("tcpi_total_rto_recoveries", 242, 2),
    whole("tcpi_total_rto_time", 244, 4),
    whole("tcpi_received_ce", 248, 4),
    whole("tcpi_delivered_e1_bytes", 252, 4),
    whole("tcpi_delivered_e0_bytes", 256, 4),
    whole("tcpi_delivered_ce_bytes", 260, 4),
    whole("tcpi_received_e1_bytes", 264, 4),
    whole("tcpi_received_e0_bytes", 268, 4),
    whole("tcpi_received_ce_bytes", 272, 4),
    ("tcpi_accecn_fail_mode", 276, 2, 0, 16),
    ("tcpi_accecn_opt_seen", 278, 2, 0, 16),
];

/// The fields that `bytes` hold.
#[must_use]
pub fn decode(bytes: &[u8]) -> BTreeMap<&'static str, i64> {
    let fields = FIELDS.iter().filter_map(|(name, at, width, bit, bits)| {
        let bytes = bytes.get(*at..at + width)?;
        let mut number = [0; 8];
        number[..*width].copy_from_slice(bytes);
        let number = u64::from_le_bytes(number) >> bit;
        let mask = u64::MAX.checked_shl(*bits).map_or(u64::MAX, |rest| !rest);
        Some((*name, (number & mask).cast_signed()))
    });
    fields.collect()
}

/// The structure with these fields; others are zero.
#[must_use]
pub fn encode(fields: &BTreeMap<&'static str, i64>) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    for (name, at, width, bit, bits) in FIELDS {
        let Some(value) = fields.get(name) else { continue };
        let mask = u64::MAX.checked_shl(bits).map_or(u64::MAX, |rest| !rest);
        let value = (value.cast_unsigned() & mask) << bit;
        for (byte, more) in bytes[at..at + width].iter_mut().zip(value.to_le_bytes()) {
            *byte |= more;
        }
    }
    bytes
}

#[cfg(test)]
#[path = "tcp_info_tests.rs"]
mod tests;
