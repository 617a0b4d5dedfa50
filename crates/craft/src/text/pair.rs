//! One thing said of a packet: a name and a value, as flags of a command have them.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use handclasp_wire::notation::{Base, read_options};

use super::payload::read_hex;
use super::{Problem, SpecError, from_notation, unescape, value};
use crate::dissect::address_value;
use crate::field::{Family, Field, Layer};
use crate::template::{Payload, Setting, Template};

/// One thing said of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pair {
    /// What is wanted of a field, and which family it is of if the value tells.
    Field(Field, Setting, Option<Family>),
    /// Both bits of one octet: `tos`, or `traffic-class`.
    TrafficClass(u8),
    /// `src` or `dst` with a port.
    Socket([Field; 2], SocketAddr),
    /// `options`, by name.
    Options(Vec<u8>),
    /// `ip-options`: IPv4's options or IPv6's extension headers, in hex.
    IpOptions(Vec<u8>),
    /// `data`, `data-hex` or `len`.
    Payload(Payload),
    /// `trailer`, in hex.
    Trailer(Vec<u8>),
    /// `layers`: exactly these headers.
    Layers(BTreeSet<Layer>),
    /// The version of IP.
    Family(Family),
}

/// Names of pairs that are no field's.
const OTHER_NAMES: [&str; 11] = [
    "tos",
    "traffic-class",
    "options",
    "ip-options",
    "data",
    "data-hex",
    "len",
    "length",
    "trailer",
    "layers",
    "family",
];

impl Pair {
    /// Reads the value that `name` has:
    ///
    /// - a [`Field`]'s name: its value in its own form or as a number, `random`, `auto`,
    ///   `auto+n`;
    /// - `src`, `dst`: an address, or an address with its port;
    /// - `tos`: DSCP and ECN in one octet;
    /// - `options`: by name, as `mss 1460, nop, wscale 8, TS val 1 ecr 0`;
    /// - `data`: text with escapes; `data-hex`; `len`: so many bytes;
    /// - `ip-options`, `trailer`: hex; `layers`: as `eth+vlan+ip+tcp`; `family`: 4 or 6.
    ///
    /// # Errors
    /// If there is no such name, or the value is not one of its own. Spans count in the text
    /// `name value`.
    pub fn read(name: &str, value: &str) -> Result<Self, SpecError> {
        Self::read_value(name, value).map_err(|e| match e.problem {
            Problem::Unknown("field") => e,
            _ => e.behind(name.len() + 1),
        })
    }

    fn read_value(name: &str, text: &str) -> Result<Self, SpecError> {
        let socket = |fields| read_socket(text).map(|socket| Self::Socket(fields, socket));
        let number = |maximum| value::number_up_to(maximum, text, "a number");
        match name {
            "src" if is_socket(text) => socket([Field::Src, Field::SrcPort]),
            "dst" if is_socket(text) => socket([Field::Dst, Field::DstPort]),
            "tos" | "traffic-class" => Ok(Self::TrafficClass(number(0xff)? as u8)),
            "options" => read_options(text, Base::ABSOLUTE)
                .map(|options| Self::Options(options.to_vec()))
                .map_err(|e| from_notation(e, text)),
            "ip-options" => read_hex(text).map(Self::IpOptions),
            "trailer" => read_hex(text).map(Self::Trailer),
            "data" => unescape(text).map(|bytes| Self::Payload(Payload::Bytes(bytes))),
            "data-hex" => read_hex(text).map(|bytes| Self::Payload(Payload::Bytes(bytes))),
            "len" | "length" => Ok(Self::Payload(Payload::Len(number(0xffff)? as usize))),
            "layers" => read_layers(text).map(Self::Layers),
            "family" => match text {
                "4" => Ok(Self::Family(Family::V4)),
                "6" => Ok(Self::Family(Family::V6)),
                _ => Err(SpecError::new(0..text.len(), Problem::Expected("4 or 6"))),
            },
            _ => match Field::named(name) {
                Some(field) => {
                    let (setting, family) = value::read(field, text)?;
                    Ok(Self::Field(field, setting, family))
                }
                None => {
                    let known = Field::all().flat_map(|field| field.names());
                    let known = known.copied().chain(OTHER_NAMES);
                    Err(SpecError::unknown(0..name.len(), "field", name, known))
                }
            },
        }
    }

    /// Says this of a template.
    ///
    /// # Errors
    /// If it cannot be so together with what the template has already.
    pub fn apply(self, template: &mut Template) -> Result<(), Problem> {
        match self {
            Self::Field(field, setting, family) => {
                agree(template, family.or(field.family()))?;
                template.set(field, setting);
            }
            Self::TrafficClass(octet) => {
                template.set(Field::Dscp, octet >> 2);
                template.set(Field::Ecn, octet & 3);
            }
            Self::Socket([address, port], socket) => {
                agree(template, Some(Family::of(socket.ip())))?;
                template.set(address, address_value(socket.ip()));
                template.set(port, socket.port());
            }
            Self::Options(options) => template.options = Some(options),
            Self::IpOptions(options) => template.ip_options = Some(options),
            Self::Payload(payload) => match (&template.payload, payload) {
                (Some(Payload::Bytes(bytes)), Payload::Len(len)) if bytes.len() != len => {
                    return Err(Problem::Contradicts("the payload's own length"));
                }
                (Some(Payload::Bytes(_)), Payload::Len(_)) => {}
                (_, payload) => template.payload = Some(payload),
            },
            Self::Trailer(trailer) => template.trailer = Some(trailer),
            Self::Layers(layers) => template.layers = layers,
            Self::Family(family) => agree(template, Some(family))?,
        }
        Ok(())
    }
}

/// Settles the version of IP.
fn agree(template: &mut Template, family: Option<Family>) -> Result<(), Problem> {
    match (template.family, family) {
        (Some(Family::V4), Some(Family::V6)) => Err(Problem::Contradicts("that it is IPv4")),
        (Some(Family::V6), Some(Family::V4)) => Err(Problem::Contradicts("that it is IPv6")),
        (settled, family) => {
            template.family = settled.or(family);
            Ok(())
        }
    }
}

/// Whether a port seems to stand behind an address.
fn is_socket(text: &str) -> bool {
    let [colons, dots] = [':', '.'].map(|sign| text.matches(sign).count());
    let masked = text.contains('/');
    !masked && (text.starts_with('[') || colons == 1 || dots == 4 || colons > 1 && dots == 1)
}

/// Reads an address and a port: `10.0.0.1:80`, `[fd00::1]:80`, or tcpdump's `10.0.0.1.80`.
pub(super) fn read_socket(text: &str) -> Result<SocketAddr, SpecError> {
    if let Ok(socket) = text.parse() {
        return Ok(socket);
    }
    let error = |span, what| SpecError::new(span, Problem::Expected(what));
    // tcpdump sets a point in front of the port, also behind IPv6's colons.
    let colon = text.starts_with('[') || text.matches(':').count() == 1;
    let separator = if colon { ':' } else { '.' };
    let whole = 0..text.len();
    let (address, port) =
        text.rsplit_once(separator).ok_or(error(whole, "an address and a port"))?;
    let bare = address.trim_start_matches('[').trim_end_matches(']');
    let ip: IpAddr = bare.parse().map_err(|_| error(0..address.len(), "an IP address"))?;
    let at = address.len() + 1;
    match port.parse() {
        Ok(port) => Ok(SocketAddr::new(ip, port)),
        Err(_) => Err(error(at..text.len(), "a port's number, 0 to 65535")),
    }
}

fn read_layers(text: &str) -> Result<BTreeSet<Layer>, SpecError> {
    let mut layers = BTreeSet::new();
    let mut at = 0;
    for name in text.split('+').filter(|_| text != "none") {
        let named = Layer::ALL.into_iter().find(|layer| layer.name() == name);
        let known = Layer::ALL.into_iter().map(Layer::name);
        let span = at..at + name.len();
        layers.insert(named.ok_or_else(|| SpecError::unknown(span, "header", name, known))?);
        at += name.len() + 1;
    }
    Ok(layers)
}
