//! From tests to conditions on a packet's bytes: where things stand is settled here.

use std::net::IpAddr;
use std::ops::{Range, RangeInclusive};

use handclasp_wire::bpf::{self, Instruction};
use handclasp_wire::ethernet::MacAddr;

use super::{Cause, Family, PcapFilterError, Primitive, Protocol, Relation, Result, Target};
use super::{Test, Value, Way};
use crate::capture::link::LinkType;

/// A condition whose tests each load what they compare.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    Always,
    Never,
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// After these instructions, a jump of this code and constant is taken.
    Jump(Vec<Instruction>, u16, u32),
}

use Condition as C;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const ARP: u16 = 0x0806;
const RARP: u16 = 0x8035;
const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
const TCP: u8 = 6;
const UDP: u8 = 17;
const SCTP: u8 = 132;
const ICMP: u8 = 1;
const ICMP6: u8 = 58;
const FRAGMENT: u8 = 44;

/// Where headers stand. VLAN tags that were asked for move what comes behind them.
pub(super) struct Scope {
    ethernet: bool,
    live: bool,
    known: bool,
    /// Bytes of tags within the frame.
    tags: u32,
    /// Whether the tag that the kernel takes out was asked for.
    taken: bool,
}

fn load(size: u16, at: u32) -> Vec<Instruction> {
    vec![Instruction::new(bpf::LD | bpf::ABS | size, at)]
}

fn equal(size: u16, at: u32, value: u32) -> C {
    C::Jump(load(size, at), bpf::JEQ, value)
}

fn not(condition: C) -> C {
    C::Not(Box::new(condition))
}

impl Scope {
    pub(super) fn new(target: &Target) -> Self {
        let ip = [LinkType::RAW, LinkType::IPV4, LinkType::IPV6, LinkType(12), LinkType(14)];
        let ethernet = target.link == LinkType::ETHERNET;
        let known = ethernet || ip.contains(&target.link);
        Self { ethernet, live: target.live, known, tags: 0, taken: false }
    }

    pub(super) fn test(&mut self, test: &Test) -> Result<C> {
        Ok(match test {
            Test::And(a, b) => C::All(vec![self.test(a)?, self.test(b)?]),
            Test::Or(a, b) => C::Any(vec![self.test(a)?, self.test(b)?]),
            Test::Not(test) => not(self.test(test)?),
            Test::Is(primitive, span) => self.primitive(primitive, span)?,
        })
    }

    fn primitive(&mut self, primitive: &Primitive, span: &Range<usize>) -> Result<C> {
        let wrong = |cause| Err(PcapFilterError { span: span.clone(), cause });
        if !self.known {
            return wrong(Cause::NotOnThisLink);
        }
        Ok(match primitive {
            Primitive::Protocol(protocol) => self.protocol(*protocol),
            Primitive::Number(family, number) => self.number(*family, *number),
            Primitive::EtherType(kind) => self.ethertype(*kind),
            Primitive::Net(protocol, way, address, bits) => {
                self.net(*protocol, *way, *address, *bits)
            }
            Primitive::Port(protocol, way, ports) => self.port(*protocol, *way, ports),
            Primitive::Multicast(Some(Family::V4)) => C::All(vec![
                self.ethertype(IPV4),
                C::Jump(load(bpf::B, self.net_at() + 16), bpf::JGE, 224),
            ]),
            Primitive::Multicast(Some(Family::V6)) => {
                C::All(vec![self.ethertype(IPV6), equal(bpf::B, self.net_at() + 24, 0xff)])
            }
            Primitive::Compare(left, relation, right) => self.compare(left, *relation, right),
            Primitive::Outgoing(_) if !self.live => return wrong(Cause::OnlyLive("direction")),
            Primitive::Outgoing(out) => {
                let outgoing = equal(bpf::B, bpf::PACKET_TYPE, 4);
                if *out { outgoing } else { not(outgoing) }
            }
            _ if !self.ethernet => return wrong(Cause::NotOnThisLink),
            Primitive::EtherHost(way, mac) => ends(*way, |src| hardware(src, *mac)),
            Primitive::Broadcast => hardware(false, MacAddr([0xff; 6])),
            Primitive::Multicast(None) => C::Jump(load(bpf::B, 0), bpf::JSET, 1),
            Primitive::Vlan(id) => self.vlan(*id),
        })
    }

    /// Where IP's header begins.
    fn net_at(&self) -> u32 {
        if self.ethernet { 14 + self.tags } else { 0 }
    }

    fn ethertype(&self, kind: u16) -> C {
        if self.ethernet {
            let at = 12 + self.tags;
            // Below that it is a length (IEEE 802.3), behind which LLC tells the protocol.
            return match kind {
                0x0600.. => equal(bpf::H, at, kind.into()),
                _ => C::All(vec![
                    not(C::Jump(load(bpf::H, at), bpf::JGT, 1500)),
                    equal(bpf::B, at + 2, kind.into()),
                ]),
            };
        }
        let version = |number: u32| {
            let mut steps = load(bpf::B, 0);
            steps.push(Instruction::new(bpf::ALU | bpf::AND, 0xf0));
            C::Jump(steps, bpf::JEQ, number << 4)
        };
        match kind {
            IPV4 => version(4),
            IPV6 => version(6),
            _ => C::Never,
        }
    }

    fn protocol(&self, protocol: Protocol) -> C {
        match protocol {
            Protocol::Ether => C::Always,
            Protocol::Ip => self.ethertype(IPV4),
            Protocol::Ip6 => self.ethertype(IPV6),
            Protocol::Arp => self.ethertype(ARP),
            Protocol::Rarp => self.ethertype(RARP),
            Protocol::Tcp => self.number(None, TCP),
            Protocol::Udp => self.number(None, UDP),
            Protocol::Sctp => self.number(None, SCTP),
            Protocol::Icmp => self.number(Some(Family::V4), ICMP),
            Protocol::Icmp6 => self.number(Some(Family::V6), ICMP6),
        }
    }

    fn number(&self, family: Option<Family>, number: u8) -> C {
        let at = self.net_at();
        let v4 = C::All(vec![self.ethertype(IPV4), equal(bpf::B, at + 9, number.into())]);
        let fragment =
            vec![equal(bpf::B, at + 6, FRAGMENT.into()), equal(bpf::B, at + 40, number.into())];
        let next = C::Any(vec![equal(bpf::B, at + 6, number.into()), C::All(fragment)]);
        let v6 = C::All(vec![self.ethertype(IPV6), next]);
        match family {
            Some(Family::V4) => v4,
            Some(Family::V6) => v6,
            None => C::Any(vec![v4, v6]),
        }
    }

    fn net(&self, protocol: Option<Protocol>, way: Way, address: IpAddr, bits: u8) -> C {
        let at = self.net_at();
        let v4 = |kind: u16, src: u32, dst: u32, ip: u32| {
            let field = |is_src| masked(at + if is_src { src } else { dst }, ip, bits.min(32));
            C::All(vec![self.ethertype(kind), ends(way, field)])
        };
        match (address, protocol) {
            (IpAddr::V4(ip), Some(Protocol::Ip)) => v4(IPV4, 12, 16, ip.to_bits()),
            (IpAddr::V4(ip), Some(Protocol::Arp)) => v4(ARP, 14, 24, ip.to_bits()),
            (IpAddr::V4(ip), Some(Protocol::Rarp)) => v4(RARP, 14, 24, ip.to_bits()),
            (IpAddr::V4(ip), _) => {
                let ip = ip.to_bits();
                C::Any(vec![v4(IPV4, 12, 16, ip), v4(ARP, 14, 24, ip), v4(RARP, 14, 24, ip)])
            }
            (IpAddr::V6(ip), _) => {
                let field = |src| {
                    let start = at + if src { 8 } else { 24 };
                    let word = |index: u32| {
                        let part = (ip.to_bits() >> (96 - 32 * index)) as u32;
                        masked(
                            start + 4 * index,
                            part,
                            bits.saturating_sub(32 * index as u8).min(32),
                        )
                    };
                    C::All((0..4).map(word).collect())
                };
                C::All(vec![self.ethertype(IPV6), ends(way, field)])
            }
        }
    }

    fn port(&self, protocol: Option<Protocol>, way: Way, ports: &RangeInclusive<u16>) -> C {
        let at = self.net_at();
        let protocols: &[u8] = match protocol {
            Some(Protocol::Tcp) => &[TCP],
            Some(Protocol::Udp) => &[UDP],
            Some(Protocol::Sctp) => &[SCTP],
            _ => &[TCP, UDP, SCTP],
        };
        let one_of =
            |field| C::Any(protocols.iter().map(|&p| equal(bpf::B, field, p.into())).collect());
        let within = |steps: Vec<Instruction>| match ports.start() == ports.end() {
            true => C::Jump(steps, bpf::JEQ, (*ports.start()).into()),
            false => C::All(vec![
                C::Jump(steps.clone(), bpf::JGE, (*ports.start()).into()),
                not(C::Jump(steps, bpf::JGT, (*ports.end()).into())),
            ]),
        };
        let v4 = |src| {
            let mut steps = vec![Instruction::new(bpf::LDX | bpf::MSH | bpf::B, at)];
            let offset = at + if src { 0 } else { 2 };
            steps.push(Instruction::new(bpf::LD | bpf::IND | bpf::H, offset));
            within(steps)
        };
        let v6 = |src| within(load(bpf::H, at + 40 + if src { 0 } else { 2 }));
        let first = not(C::Jump(load(bpf::H, at + 6), bpf::JSET, 0x1fff));
        C::Any(vec![
            C::All(vec![self.ethertype(IPV6), one_of(at + 6), ends(way, v6)]),
            C::All(vec![self.ethertype(IPV4), one_of(at + 9), first, ends(way, v4)]),
        ])
    }

    /// From here on, what is asked is asked of the packet behind the tag.
    fn vlan(&mut self, id: Option<u16>) -> C {
        let number = |mut steps: Vec<Instruction>| {
            steps.push(Instruction::new(bpf::ALU | bpf::AND, 0x0fff));
            C::Jump(steps, bpf::JEQ, id.unwrap_or(0).into())
        };
        let (present, field) = if self.live && !self.taken {
            self.taken = true;
            (C::Jump(load(bpf::B, bpf::VLAN_TAG_PRESENT), bpf::JEQ, 1), load(bpf::H, bpf::VLAN_TAG))
        } else {
            let at = 12 + self.tags;
            self.tags += 4;
            let present = TAGS.iter().map(|&tag| equal(bpf::H, at, tag.into())).collect();
            (C::Any(present), load(bpf::H, at + 2))
        };
        match id {
            Some(_) => C::All(vec![present, number(field)]),
            None => present,
        }
    }

    fn compare(&self, left: &Value, relation: Relation, right: &Value) -> C {
        let mut needs = Needs::default();
        needs.add(left);
        needs.add(right);
        let families: &[Option<Family>] = match () {
            () if needs.contradict() => return C::Never,
            () if needs.v4 => &[Some(Family::V4)],
            () if needs.v6 => &[Some(Family::V6)],
            () if needs.transport.is_some() => &[Some(Family::V4), Some(Family::V6)],
            () => &[None],
        };
        C::Any(
            families
                .iter()
                .map(|&family| self.compare_in(&needs, family, left, relation, right))
                .collect(),
        )
    }

    fn compare_in(
        &self,
        needs: &Needs,
        family: Option<Family>,
        left: &Value,
        relation: Relation,
        right: &Value,
    ) -> C {
        let at = self.net_at();
        let mut all = Vec::new();
        match family {
            Some(Family::V4) => all.push(self.ethertype(IPV4)),
            Some(Family::V6) => all.push(self.ethertype(IPV6)),
            None => {}
        }
        if needs.arp {
            all.push(self.ethertype(ARP));
        }
        if needs.rarp {
            all.push(self.ethertype(RARP));
        }
        if let Some(number) = needs.transport {
            if family == Some(Family::V4) {
                all.push(equal(bpf::B, at + 9, number.into()));
                all.push(not(C::Jump(load(bpf::H, at + 6), bpf::JSET, 0x1fff)));
            } else {
                all.push(equal(bpf::B, at + 6, number.into()));
            }
        }
        let mut code = Calculation { steps: Vec::new(), depth: 0, net: at, family };
        code.load(left);
        let (jump, negated) = match relation {
            Relation::Equal => (bpf::JEQ, false),
            Relation::NotEqual => (bpf::JEQ, true),
            Relation::Greater => (bpf::JGT, false),
            Relation::LessOrEqual => (bpf::JGT, true),
            Relation::GreaterOrEqual => (bpf::JGE, false),
            Relation::Less => (bpf::JGE, true),
        };
        let test = match right {
            Value::Constant(k) => C::Jump(code.steps, jump, *k),
            _ => {
                code.with(right);
                C::Jump(code.steps, jump | bpf::X, 0)
            }
        };
        all.push(if negated { not(test) } else { test });
        C::All(all)
    }
}

/// What must be in a packet for values to be in it.
#[derive(Default)]
struct Needs {
    v4: bool,
    v6: bool,
    arp: bool,
    rarp: bool,
    transport: Option<u8>,
    clash: bool,
}

impl Needs {
    fn add(&mut self, value: &Value) {
        match value {
            Value::Constant(_) | Value::Length => {}
            Value::Both(left, _, right) => {
                self.add(left);
                self.add(right);
            }
            Value::Bytes(protocol, index, _) => {
                self.add(index);
                self.v4 |= matches!(protocol, Protocol::Ip | Protocol::Icmp);
                self.v6 |= matches!(protocol, Protocol::Ip6 | Protocol::Icmp6);
                self.arp |= *protocol == Protocol::Arp;
                self.rarp |= *protocol == Protocol::Rarp;
                let number = match protocol {
                    Protocol::Tcp => TCP,
                    Protocol::Udp => UDP,
                    Protocol::Sctp => SCTP,
                    Protocol::Icmp => ICMP,
                    Protocol::Icmp6 => ICMP6,
                    _ => return,
                };
                self.clash |= self.transport.replace(number).is_some_and(|other| other != number);
            }
        }
    }

    /// No packet has all of it.
    fn contradict(&self) -> bool {
        let ip = self.v4 || self.v6 || self.transport.is_some();
        let families = [self.v4, self.v6, self.arp, self.rarp].into_iter().filter(|&is| is).count();
        self.clash || families > 1 || (ip && (self.arp || self.rarp))
    }
}

/// Instructions that leave a value in the accumulator.
struct Calculation {
    steps: Vec<Instruction>,
    /// Words of scratch memory in use.
    depth: u32,
    net: u32,
    family: Option<Family>,
}

impl Calculation {
    fn push(&mut self, code: u16, k: u32) {
        self.steps.push(Instruction::new(code, k));
    }

    fn load(&mut self, value: &Value) {
        match value {
            Value::Constant(k) => self.push(bpf::LD | bpf::IMM, *k),
            Value::Length => self.push(bpf::LD | bpf::LEN, 0),
            Value::Bytes(protocol, index, size) => self.bytes(*protocol, index, *size),
            Value::Both(left, operation, right) => {
                self.load(left);
                if let Value::Constant(k) = **right {
                    self.push(bpf::ALU | operation, k);
                } else {
                    self.with(right);
                    self.push(bpf::ALU | operation | bpf::X, 0);
                }
            }
        }
    }

    /// Has another value in the index register, and the accumulator as it was.
    fn with(&mut self, value: &Value) {
        let place = self.depth;
        self.depth += 1;
        self.push(bpf::ST, place);
        self.load(value);
        self.push(bpf::MISC | bpf::TAX, 0);
        self.push(bpf::LD | bpf::MEM, place);
        self.depth -= 1;
    }

    fn bytes(&mut self, protocol: Protocol, index: &Value, size: u8) {
        let size = match size {
            1 => bpf::B,
            2 => bpf::H,
            _ => bpf::W,
        };
        let (base, behind_v4) = match (protocol, self.family) {
            (Protocol::Ether, _) => (0, false),
            (Protocol::Ip | Protocol::Ip6 | Protocol::Arp | Protocol::Rarp, _) => (self.net, false),
            (_, Some(Family::V6)) => (self.net + 40, false),
            _ => (self.net, true),
        };
        match (index, behind_v4) {
            (Value::Constant(k), false) => {
                self.push(bpf::LD | bpf::ABS | size, base.wrapping_add(*k));
            }
            (Value::Constant(k), true) => {
                self.push(bpf::LDX | bpf::MSH | bpf::B, base);
                self.push(bpf::LD | bpf::IND | size, base.wrapping_add(*k));
            }
            (index, false) => {
                self.load(index);
                self.push(bpf::MISC | bpf::TAX, 0);
                self.push(bpf::LD | bpf::IND | size, base);
            }
            (index, true) => {
                self.load(index);
                self.push(bpf::LDX | bpf::MSH | bpf::B, base);
                self.push(bpf::ALU | bpf::ADD | bpf::X, 0);
                self.push(bpf::MISC | bpf::TAX, 0);
                self.push(bpf::LD | bpf::IND | size, base);
            }
        }
    }
}

/// The condition on the ends that are meant; `field` is given whether it is the source.
fn ends(way: Way, field: impl Fn(bool) -> C) -> C {
    match way {
        Way::Src => field(true),
        Way::Dst => field(false),
        Way::Either => C::Any(vec![field(true), field(false)]),
        Way::Both => C::All(vec![field(true), field(false)]),
    }
}

/// The first `bits` of the word at `at` are those of `value`.
fn masked(at: u32, value: u32, bits: u8) -> C {
    match bits {
        0 => C::Always,
        32.. => equal(bpf::W, at, value),
        _ => {
            let mask = u32::MAX << (32 - bits);
            let mut steps = load(bpf::W, at);
            steps.push(Instruction::new(bpf::ALU | bpf::AND, mask));
            C::Jump(steps, bpf::JEQ, value & mask)
        }
    }
}

fn hardware(src: bool, MacAddr([a, b, c, d, e, f]): MacAddr) -> C {
    let at = if src { 6 } else { 0 };
    C::All(vec![
        equal(bpf::W, at + 2, u32::from_be_bytes([c, d, e, f])),
        equal(bpf::H, at, u16::from_be_bytes([a, b]).into()),
    ])
}
