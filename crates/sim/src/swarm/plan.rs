//! What chance makes of a seed.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use handclasp_impair::config::{Bursts, Config as LinkConfig};
use handclasp_stack::Cidr;
use handclasp_stack::listen::{Backlog, CookieMode};
use handclasp_tcp::Config;
use handclasp_tcp::config::KeepAlive;
use handclasp_wire::frame::Medium;
use handclasp_wire::time::Instant;

use super::{Call, HostPlan, Plan};
use crate::apps::talker::{Leave, Manners};
use crate::dice::Dice;
use crate::network::HostId;
use crate::node::Settings;

/// For all hosts of a network: cookies excuse some failures, and half of all networks are to
/// have no such excuse.
const COOKIES: [CookieMode; 4] =
    [CookieMode::Off, CookieMode::Off, CookieMode::Auto, CookieMode::Always];

impl Plan {
    pub(super) fn new(seed: u64) -> Self {
        let dice = &mut Dice::new(seed);
        let medium = dice.pick(&[Medium::Ip, Medium::Ip, Medium::Ethernet]);
        let ipv6 = dice.percent(40);
        let count = dice.pick(&[2, 2, 2, 3, 4]);
        let link = link(dice, medium);
        let narrow = dice.percent(10).then(|| dice.within(if ipv6 { 1280 } else { 600 }..=1400));
        let outage = dice.percent(10).then(|| {
            let begin = Instant::ZERO + dice.micros(1..=10_000_000);
            (begin, begin + dice.micros(1..=10_000_000))
        });
        let cookies = dice.pick(&COOKIES);
        let mut hosts: Vec<_> =
            (1..=count).map(|number| host(dice, number, medium, ipv6)).collect();
        hosts.iter_mut().for_each(|host| host.backlog.cookies = cookies);
        let calls = dice.scaled(1..=8);
        let calls = (0..calls).map(|number| call(dice, &hosts, number as u16)).collect();
        let narrow = narrow.map(|mtu| mtu as u16);
        Self { seed, hosts, link, narrow, outage, calls }
    }
}

/// What harms packets: half of the networks are in good order but for one thing or two.
fn link(dice: &mut Dice, medium: Medium) -> LinkConfig {
    let often = dice.pick(&[15, 60]);
    let does = |dice: &mut Dice| dice.percent(often);
    LinkConfig::with(|link| {
        link.delay = dice.micros(1..=150_000);
        if does(dice) {
            link.jitter = dice.micros(1..=50_000);
        }
        if does(dice) {
            link.loss = dice.scaled(1..=15) as f64 / 100.0;
        }
        if does(dice) {
            link.bursts = Some(Bursts {
                enter: dice.scaled(1..=5) as f64 / 100.0,
                leave: dice.within(30..=80) as f64 / 100.0,
                loss_in_good: 0.0,
                loss_in_bad: dice.within(30..=80) as f64 / 100.0,
            });
        }
        if does(dice) {
            link.reorder = dice.scaled(1..=30) as f64 / 100.0;
            link.reorder_delay = dice.micros(1..=300_000);
        }
        if does(dice) {
            link.duplicate = dice.scaled(1..=20) as f64 / 100.0;
        }
        // On Ethernet a damaged frame would not be seen at all, and ARP relies on that.
        if does(dice) && medium == Medium::Ip {
            link.corrupt = dice.scaled(1..=5) as f64 / 100.0;
        }
        if does(dice) {
            link.rate = NonZeroU64::new(dice.scaled(200_000..=1_000_000_000));
            link.queue.packets = dice.scaled(4..=200) as usize;
        }
    })
}

fn host(dice: &mut Dice, number: u16, medium: Medium, ipv6: bool) -> HostPlan {
    let (address, prefix) = if ipv6 {
        (IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, number)), 64)
    } else {
        (IpAddr::V4(Ipv4Addr::new(10, 0, 0, number as u8)), 24)
    };
    let mut settings = Settings::ip(Cidr::new(address, prefix));
    settings.medium = medium;
    settings.mtu = dice.pick(&[1500, 1500, 1280, 9000]);
    settings.burst = dice.pick(&[0, 0, 4000, 60_000]);
    settings.join = dice.percent(30);
    if dice.percent(15) {
        settings.memory = dice.scaled(20_000..=500_000) as usize;
    }
    let backlog = Backlog {
        accept: dice.scaled(1..=64) as usize,
        syn: dice.scaled(1..=64) as usize,
        cookies: CookieMode::Off,
        ..Backlog::default()
    };
    let pause = if dice.percent(20) { dice.micros(1..=2_000_000) } else { Duration::ZERO };
    let (tcp, manners) = (Arc::new(tcp(dice)), manners(dice));
    HostPlan { settings, address, tcp, backlog, pause, manners }
}

fn tcp(dice: &mut Dice) -> Config {
    let mut config = Config::default();
    config.sack = dice.percent(70);
    config.timestamps = dice.percent(70);
    config.window_scaling = dice.percent(70);
    config.nodelay = dice.percent(50);
    if dice.percent(20) {
        config.max_segment_size = Some(dice.scaled(100..=1460) as u16);
    }
    if dice.percent(30) {
        config.receive_buffer_max = dice.scaled(1000..=100_000) as usize;
    }
    if dice.percent(30) {
        config.send_buffer_max = dice.scaled(1000..=100_000) as usize;
    }
    if dice.percent(20) {
        config.reassembly_ranges = dice.scaled(1..=16) as usize;
    }
    config.quick_acks = dice.pick(&[0, 2, 16]);
    config.initial_window = dice.pick(&[1, 4, 10]);
    config.msl = Duration::from_secs(dice.pick(&[1, 30]));
    config.syn_linear_timeouts = dice.pick(&[0, 4]);
    // A silent peer must be noticed even where a cookie's last ACK is lost.
    config.keep_alive = Some(KeepAlive {
        idle: Duration::from_secs(dice.within(5..=60)),
        interval: Duration::from_secs(dice.within(1..=10)),
        count: 20,
    });
    // Some of these networks lose more than the usual patience stands.
    config.syn_retries = 12;
    config.syn_ack_retries = 12;
    config.orphan_retries = 15;
    config
}

fn manners(dice: &mut Dice) -> Manners {
    let some = |dice: &mut Dice| dice.scaled(0..=40_000);
    let leave = match dice.below(10) {
        0 => Leave::ByClose(some(dice)),
        1 => Leave::ByAbort(some(dice)),
        _ => Leave::AtTheEnd,
    };
    Manners {
        to_write: if dice.percent(4) { dice.scaled(1..=400_000) } else { some(dice) },
        chunk: dice.scaled(64..=32_768),
        pauses: dice.pick(&[0, 0, 2, 20]),
        pause: dice.micros(10..=3_000_000),
        leave,
    }
}

fn call(dice: &mut Dice, hosts: &[HostPlan], number: u16) -> Call {
    let from = dice.below(hosts.len() as u64) as usize;
    let to = (from + 1 + dice.below(hosts.len() as u64 - 1) as usize) % hosts.len();
    Call {
        at: Instant::ZERO + dice.micros(1..=5_000_000),
        from: HostId(from),
        to: HostId(to),
        crossing: dice.percent(10).then_some((100 + number, 200 + number)),
        manners: manners(dice),
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?}", self.link)?;
        writeln!(f, "narrow {:?} outage {:?}", self.narrow, self.outage)?;
        for host in &self.hosts {
            let Settings { medium, mtu, burst, join, memory, .. } = &host.settings;
            writeln!(f, "{} {medium:?} mtu {mtu} burst {burst} join {join}", host.address)?;
            writeln!(f, "  memory {memory} {:?} pause {:?}", host.backlog, host.pause)?;
            writeln!(f, "  {:?}", host.manners)?;
            writeln!(f, "  {:?}", host.tcp)?;
        }
        self.calls.iter().try_for_each(|call| writeln!(f, "{call:?}"))
    }
}
