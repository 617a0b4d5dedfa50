//! What the options of two SYNs settle (RFC 9293 §3.7.1, RFC 7323, RFC 2018).

use handclasp_wire::tcp::Options;
use handclasp_wire::tcp::options::Timestamps;
use handclasp_wire::time::Instant;

use crate::config::Config;
use crate::opening::Opening;

/// The greatest window scale (RFC 7323 §2.3); more is taken as this.
const WINDOW_SCALE_MAX: u8 = 14;

/// What both sides agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// The MSS the peer announced, or the default of its address family.
    pub peer_mss: u16,
    /// How far the peer's windows are shifted left; 0 without scaling.
    pub snd_scale: u8,
    /// How far ours are.
    pub rcv_scale: u8,
    /// Whether both SYNs carried a window scale, be it 0.
    pub scaling: bool,
    /// Whether both permit SACK.
    pub sack: bool,
    /// Whether both send timestamps.
    pub timestamps: bool,
}

impl Negotiated {
    /// What follows from our settings and the options of the peer's SYN.
    #[must_use]
    pub fn new(config: &Config, peer: &Options, ipv4: bool) -> Self {
        let scaling = config.window_scaling && peer.window_scale.is_some();
        Self {
            peer_mss: peer.mss.unwrap_or(if ipv4 { 536 } else { 1220 }),
            snd_scale: peer.window_scale.filter(|_| scaling).unwrap_or(0).min(WINDOW_SCALE_MAX),
            rcv_scale: if scaling { config.window_scale() } else { 0 },
            scaling,
            sack: config.sack && peer.sack_permitted,
            timestamps: config.timestamps && peer.timestamps.is_some(),
        }
    }
}

/// The MSS we announce: what our link takes, less fixed headers (RFC 9293 §3.7.1; options
/// are not subtracted).
#[must_use]
pub fn announced_mss(config: &Config, opening: &Opening, ip_header_len: u16) -> u16 {
    let link = opening.link_mtu.saturating_sub(ip_header_len + 20).max(1);
    config.max_segment_size.map_or(link, |max| max.min(link))
}

/// TSval: milliseconds since the host's origin, moved by the connection's own offset.
#[must_use]
pub fn timestamp(now: Instant, offset: u32) -> u32 {
    (now.as_millis() as u32).wrapping_add(offset)
}

/// The options of our first SYN.
#[must_use]
pub fn syn_options(config: &Config, opening: &Opening, ip_len: u16, now: Instant) -> Options {
    Options {
        mss: Some(announced_mss(config, opening, ip_len)),
        window_scale: config.window_scaling.then(|| config.window_scale()),
        sack_permitted: config.sack,
        timestamps: config
            .timestamps
            .then(|| Timestamps { value: timestamp(now, opening.timestamp_offset), echo: 0 }),
        ..Options::default()
    }
}

/// The window of a SYN or SYN-ACK, never scaled: the most whole segments that 16 bits and the
/// buffer hold.
#[must_use]
pub fn syn_window(config: &Config, mss: u16, timestamps: bool) -> u16 {
    let segment = u32::from(mss.saturating_sub(if timestamps { 12 } else { 0 }).max(1));
    let room = (config.receive_buffer_start.min(config.receive_buffer_max) as u32).min(65_535);
    (if room < segment { room } else { room / segment * segment }) as u16
}
