//! Addresses, tolerances and what else a run starts from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use handclasp_stack::Cidr;
use handclasp_tcp::Config;

use super::outcome::Failure;
use crate::script::{Script, Setting};

/// Which IP sockets and packets are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Family {
    /// IPv4.
    #[default]
    V4,
    /// IPv4 packets, sockets of IPv6.
    Mapped,
    /// IPv6.
    V6,
}

/// Whom the host talks with over IPv6.
const REMOTE_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

/// What packetdrill calls sockets of IPv6 that talk IPv4.
const MAPPED: &str = "ipv4-mapped-ipv6";

/// Options that mean something to packetdrill and nothing here: they concern the kernel's
/// devices, the wire between machines, or what packetdrill prints.
const ELSEWHERE: [&str; 14] = [
    "ip_version",
    "define",
    "speed",
    "tcp_ts_tick_usecs",
    "send_omit_free",
    "is_anyip",
    "dry_run",
    "verbose",
    "debug",
    "so_filename",
    "so_flags",
    "code_command",
    "code_format",
    "code_sockopt",
];

impl Family {
    /// The family that packetdrill's `--ip_version` calls so.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "ipv4" => Some(Self::V4),
            MAPPED => Some(Self::Mapped),
            "ipv6" => Some(Self::V6),
            _ => None,
        }
    }
}

/// What a run starts from. A script's own options come on top.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Setup {
    /// Which IP.
    pub family: Family,
    /// The host under test.
    pub local: IpAddr,
    /// Whom it talks with.
    pub remote: IpAddr,
    /// Bits of the host's address that its neighbours share.
    pub prefix: u8,
    /// The router to whom the host talks with, where there are interfaces.
    pub gateway: IpAddr,
    /// The port that it listens at.
    pub bind_port: u16,
    /// The port that it connects to.
    pub connect_port: u16,
    /// The link's MTU.
    pub mtu: u16,
    /// How far from its time an event may always be.
    pub tolerance: Duration,
    /// The same in percent of the time since the event before.
    pub tolerance_percent: f64,
    /// Whether an expected segment must come whole.
    pub strict_segments: bool,
    /// Whether a timestamp that was never sent may be echoed.
    pub any_echo: bool,
    /// Where scripts that commands name are looked for; without it none are.
    pub folder: Option<PathBuf>,
    /// What connections start with: Linux's settings.
    pub config: Config,
    /// Scripts of commands that run first.
    pub init_scripts: Vec<String>,
    /// Whether a packet that differs is noted only.
    pub packets_may_differ: bool,
    /// Whether a call that returns something else is noted only.
    pub calls_may_differ: bool,
    /// Options that go over those of the script.
    pub overrides: Vec<Setting>,
}

impl Default for Setup {
    fn default() -> Self {
        Self::new(Family::V4)
    }
}

impl Setup {
    /// The usual addresses of a family, and Linux's settings.
    #[must_use]
    pub fn new(family: Family) -> Self {
        let v4 = family != Family::V6;
        Self {
            family,
            local: if v4 { Ipv4Addr::new(192, 168, 0, 1).into() } else { v6(1) },
            remote: if v4 { Ipv4Addr::new(192, 0, 2, 1).into() } else { REMOTE_V6.into() },
            prefix: if v4 { 16 } else { 64 },
            gateway: if v4 { Ipv4Addr::new(192, 168, 0, 2).into() } else { v6(2) },
            bind_port: 8080,
            connect_port: 8080,
            mtu: if v4 { 1500 } else { 1520 },
            tolerance: Duration::from_micros(4000),
            tolerance_percent: 12.5,
            strict_segments: false,
            any_echo: false,
            folder: None,
            config: Config::linux(),
            init_scripts: Vec::new(),
            packets_may_differ: false,
            calls_may_differ: false,
            overrides: Vec::new(),
        }
    }

    /// What sockets bind to.
    pub(super) const fn bound(&self) -> SocketAddr {
        SocketAddr::new(self.local, self.bind_port)
    }

    /// What sockets connect to.
    pub(super) const fn peer(&self) -> SocketAddr {
        SocketAddr::new(self.remote, self.connect_port)
    }

    pub(crate) fn local_addresses(&self) -> Vec<Cidr> {
        Cidr::new(self.local, self.prefix).into_iter().collect()
    }

    /// This setup with the options of a script, over which those of `overrides` go.
    ///
    /// # Errors
    /// An option's value cannot be.
    pub fn of(&self, script: &Script) -> Result<Self, Failure> {
        let mut setup = self.clone();
        let overrides = self.overrides.clone();
        setup.take(&[&script.settings[..], &overrides[..]].concat())?;
        Ok(setup)
    }

    /// This setup with the options that go over those of scripts.
    ///
    /// # Errors
    /// Which one cannot be, and why.
    pub fn applied(&self) -> Result<Self, String> {
        let mut setup = self.clone();
        setup.take(&self.overrides).map_err(|failure| failure.message)?;
        Ok(setup)
    }

    /// Takes the options of a script.
    fn take(&mut self, settings: &[Setting]) -> Result<(), Failure> {
        if let Some(family) = settings.iter().rfind(|setting| setting.name == "ip_version") {
            let (folder, config) = (self.folder.take(), self.config.clone());
            let (line, name) = (family.line, family.value.as_deref().unwrap_or_default());
            let Some(family) = Family::named(name) else {
                let message = format!("{name} is no IP version: type ipv4, ipv6 or {MAPPED}");
                return Err(Failure { line, message });
            };
            *self = Self { folder, config, ..Self::new(family) };
        }
        settings.iter().try_for_each(|setting| {
            self.take_one(setting).map_err(|message| Failure { line: setting.line, message })
        })
    }

    fn take_one(&mut self, setting: &Setting) -> Result<(), String> {
        let value = setting.value.as_deref().unwrap_or_default();
        let number = || value.parse::<u64>().map_err(|_| format!("{value} is no number"));
        let address = || value.parse::<IpAddr>().map_err(|_| format!("{value} is no address"));
        let port = || value.parse::<u16>().map_err(|_| format!("{value} is no port"));
        match setting.name.as_str() {
            "tolerance_usecs" => self.tolerance = Duration::from_micros(number()?),
            "tolerance_percent" => {
                let percent = value.parse().ok().filter(|percent| (0.0..=1e6).contains(percent));
                self.tolerance_percent = percent.ok_or(format!("{value} is no percentage"))?;
            }
            "mtu" => {
                self.mtu = value.parse().map_err(|_| format!("{value} is no MTU"))?;
            }
            "mss" => {
                let mss = value.parse().map_err(|_| format!("{value} is no MSS"))?;
                self.config.max_segment_size = Some(mss);
            }
            "local_ip" => self.local = address()?,
            "remote_ip" => self.remote = address()?,
            "bind_port" => self.bind_port = port()?,
            "connect_port" => self.connect_port = port()?,
            "strict_segments" => self.strict_segments = true,
            "tcp_ts_ecr_scaled" => self.any_echo = true,
            "gateway_ip" => self.gateway = address()?,
            "netmask_ip" => self.prefix = prefix(value)?,
            "init_scripts" => self.init_scripts = value.split(',').map(str::to_owned).collect(),
            "non_fatal" => {
                let classes = || value.split([',', ':']);
                self.packets_may_differ = classes().any(|class| class == "packet");
                self.calls_may_differ = classes().any(|class| class == "syscall");
            }
            name if ELSEWHERE.contains(&name) || name.starts_with("wire_") => {}
            name => return Err(format!("there is no option {name}")),
        }
        Ok(())
    }
}

/// An address of the host's own network.
const fn v6(host: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(0xfd3d, 0xfa7b, 0xd17d, 0, 0, 0, 0, host))
}

/// The bits that a netmask such as 255.255.0.0 sets.
fn prefix(mask: &str) -> Result<u8, String> {
    let bits = mask.parse::<Ipv4Addr>().ok().map(Ipv4Addr::to_bits);
    let bits = bits.filter(|bits| bits.leading_ones() == bits.count_ones());
    bits.map(|bits| bits.count_ones() as u8).ok_or_else(|| format!("{mask} is no netmask"))
}
