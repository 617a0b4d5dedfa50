//! What the stack starts with: packetdrill's options in the flags, and the kernel's settings.

use handclasp_drill::Setup;
use handclasp_drill::script::Setting;
use handclasp_drill::sockets::Sockets;

/// The kernel's settings that go for this stack too.
const SHARED: [&str; 19] = [
    "tcp_rmem",
    "tcp_wmem",
    "tcp_timestamps",
    "tcp_sack",
    "tcp_window_scaling",
    "tcp_syn_retries",
    "tcp_syn_linear_timeouts",
    "tcp_synack_retries",
    "tcp_retries1",
    "tcp_retries2",
    "tcp_orphan_retries",
    "tcp_fin_timeout",
    "tcp_rto_min_us",
    "tcp_rto_max_ms",
    "tcp_notsent_lowat",
    "tcp_min_tso_segs",
    "tcp_congestion_control",
    "tcp_ecn",
    "tcp_slow_start_after_idle",
];

/// The setup that flags such as `mtu=1400,local_ip=10.0.0.1` ask for.
///
/// # Errors
/// An option that there is not, or a value that it cannot have.
pub(crate) fn setup(flags: &str) -> Result<Setup, String> {
    let mut setup = Setup::default();
    setup.overrides = flags
        .split(',')
        .filter(|flag| !flag.is_empty())
        .map(|flag| {
            let (name, value) = match flag.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (flag, None),
            };
            Setting { line: 0, name: name.to_owned(), value }
        })
        .collect();
    setup.applied()
}

/// Takes over what the kernel of this network namespace is set to.
pub(crate) fn take_over(sockets: &mut Sockets) {
    for name in SHARED {
        if let Ok(value) = std::fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")) {
            sockets.command(&format!("sysctl \"net.ipv4.{name}={}\"", value.trim()), None);
        }
    }
}
