//! A packet as it is wanted: what to build, and what to match packets against.
//!
//! A field that is not set is worked out when the packet is built and may be anything when one
//! is matched. Whatever is set is obeyed, right or wrong.
//!
//! ```
//! use handclasp_craft::field::Field;
//! use handclasp_craft::dissect::Start;
//! use handclasp_craft::template::Template;
//!
//! let wanted: Template = "10.0.0.2:80 > 10.0.0.1:443 [S.] ack 8".parse()?;
//! let sent: Template = "10.0.0.2:80 > 10.0.0.1:443 [S.] seq 1 ack 7 <mss 1460>".parse()?;
//! let packet = sent.build(&mut rand_pcg::Pcg32::new(1, 1));
//! let mismatch = wanted.matches(&packet, Start::Ip).unwrap_err();
//! assert_eq!(mismatch.to_string(), "ack is 7, not 8");
//! # Ok::<(), handclasp_craft::text::SpecError>(())
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use handclasp_wire::ethernet::MacAddr;
use handclasp_wire::seq::SeqNumber;
use handclasp_wire::tcp::Flags;

use crate::dissect::{Layout, Start, address_value, dissect};
use crate::field::{Family, Field, Layer};

mod build;
mod matches;

pub use matches::Mismatch;

/// What is wanted of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Setting {
    /// This value, of which as many low bits count as the field has.
    Given(u128),
    /// Bits as in `value` where `care` has ones; the others may be anything when matched.
    Bits {
        /// What is built, and what the bits that count must be.
        value: u128,
        /// The bits that count.
        care: u128,
    },
    /// Drawn at random when built, anything when matched.
    Random,
    /// What the rest of the packet makes right, or what carries on from the packets before,
    /// and so much more or less, on purpose.
    Auto(i64),
}

impl Setting {
    /// The value to build, if one is given.
    #[must_use]
    pub const fn value(self) -> Option<u128> {
        match self {
            Self::Given(value) | Self::Bits { value, .. } => Some(value),
            Self::Random | Self::Auto(_) => None,
        }
    }
}

macro_rules! given {
    ($($number:ty)*) => {
        $(impl From<$number> for Setting {
            fn from(value: $number) -> Self {
                Self::Given(value.into())
            }
        })*
    };
}

given!(bool u8 u16 u32 u64 u128);

impl From<MacAddr> for Setting {
    fn from(MacAddr([a, b, c, d, e, f]): MacAddr) -> Self {
        u64::from_be_bytes([0, 0, a, b, c, d, e, f]).into()
    }
}

impl From<SeqNumber> for Setting {
    fn from(number: SeqNumber) -> Self {
        number.0.into()
    }
}

impl From<Flags> for Setting {
    fn from(flags: Flags) -> Self {
        flags.bits().into()
    }
}

/// What a packet carries.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Payload {
    /// These bytes.
    Bytes(Vec<u8>),
    /// So many bytes: zeros when built, anything when matched.
    Len(usize),
}

/// A packet as it is wanted; see the [module](self).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The headers that it has.
    pub layers: BTreeSet<Layer>,
    /// The version of IP; `None` builds IPv4 and matches either.
    pub family: Option<Family>,
    /// The fields that are set.
    pub fields: BTreeMap<Field, Setting>,
    /// What stands between IP's fixed header and the next: IPv4's options, which are padded
    /// with zeros to a multiple of four bytes, or IPv6's extension headers.
    pub ip_options: Option<Vec<u8>>,
    /// TCP's options, padded likewise.
    pub options: Option<Vec<u8>>,
    /// What stands behind the headers.
    pub payload: Option<Payload>,
    /// What stands behind the end of the IP packet, as Ethernet's padding does.
    pub trailer: Option<Vec<u8>>,
}

impl Default for Template {
    /// Any TCP packet: built, a SYN.
    fn default() -> Self {
        Self {
            layers: BTreeSet::from([Layer::Ip, Layer::Tcp]),
            family: None,
            fields: BTreeMap::new(),
            ip_options: None,
            options: None,
            payload: None,
            trailer: None,
        }
    }
}

impl Template {
    /// Any TCP packet from `src` to `dst`, which are of one family.
    #[must_use]
    pub fn between(src: SocketAddr, dst: SocketAddr) -> Self {
        let family = Some(Family::of(src.ip()));
        Self { family, ..Self::default() }
            .with(Field::Src, address_value(src.ip()))
            .with(Field::Dst, address_value(dst.ip()))
            .with(Field::SrcPort, src.port())
            .with(Field::DstPort, dst.port())
    }

    /// The same with this field set; see [`Template::set`].
    #[must_use]
    pub fn with(mut self, field: Field, setting: impl Into<Setting>) -> Self {
        self.set(field, setting);
        self
    }

    /// Sets a field, and adds the header that it belongs to and those in front that it needs.
    pub fn set(&mut self, field: Field, setting: impl Into<Setting>) {
        self.layers.extend(field.layer().with_outer());
        self.family = self.family.or(field.family());
        // Without a family, an address may be of the larger one.
        let family = self.family.unwrap_or(Family::V6);
        let maximum = field.place(family).map_or(u128::MAX, |place| place.maximum());
        let setting = match setting.into() {
            Setting::Given(value) => Setting::Given(value & maximum),
            Setting::Bits { value, care } if care & maximum == maximum => {
                Setting::Given(value & maximum)
            }
            Setting::Bits { value, care } => {
                Setting::Bits { value: value & maximum, care: care & maximum }
            }
            other => other,
        };
        self.fields.insert(field, setting);
    }

    /// The same with these options of TCP, one behind the other.
    #[must_use]
    pub fn with_options(mut self, options: &[handclasp_wire::tcp::TcpOption<'_>]) -> Self {
        let mut bytes = Vec::new();
        for option in options {
            option.emit(&mut bytes);
        }
        self.options = Some(bytes);
        self
    }

    /// The same with this payload.
    #[must_use]
    pub fn with_payload(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.payload = Some(Payload::Bytes(bytes.into()));
        self
    }

    /// What a field is given, if it is given a value.
    #[must_use]
    pub fn given(&self, field: Field) -> Option<u128> {
        self.fields.get(&field)?.value()
    }

    /// What the packets of this template start with.
    #[must_use]
    pub fn start(&self) -> Start {
        match self.layers.first() {
            Some(Layer::Ethernet | Layer::Vlan | Layer::InnerVlan) => Start::Ethernet,
            Some(Layer::Ip) | None => Start::Ip,
            Some(Layer::Tcp) => Start::Tcp,
        }
    }

    /// This template, and what `base` says where this one says nothing.
    #[must_use]
    pub fn or(mut self, base: &Self) -> Self {
        self.layers.extend(&base.layers);
        self.family = self.family.or(base.family);
        for (field, setting) in &base.fields {
            self.fields.entry(*field).or_insert(*setting);
        }
        self.ip_options = self.ip_options.or_else(|| base.ip_options.clone());
        self.options = self.options.or_else(|| base.options.clone());
        self.payload = self.payload.or_else(|| base.payload.clone());
        self.trailer = self.trailer.or_else(|| base.trailer.clone());
        self
    }

    /// Gives a field what carries on from the packets before, unless it is overridden.
    pub(crate) fn carry(&mut self, field: Field, value: u128) {
        let setting = self.fields.entry(field).or_insert(Setting::Auto(0));
        if let Setting::Auto(more) = *setting {
            *setting = Setting::Given(value.wrapping_add_signed(more.into()));
        }
    }

    /// The template of exactly these bytes: built, it gives them back whatever they are.
    #[must_use]
    pub fn of(bytes: &[u8], start: Start) -> Self {
        let (layout, _) = dissect(bytes, start);
        Self::of_layout(bytes, &layout)
    }

    fn of_layout(bytes: &[u8], layout: &Layout) -> Self {
        let mut template = Self { layers: BTreeSet::new(), ..Self::default() };
        let mut payload = layout.payload.clone();
        for (layer, header) in &layout.headers {
            if !layout.has(*layer) {
                payload.start = header.start;
                continue;
            }
            template.layers.insert(*layer);
            let options = header.start + layer.fixed_len(layout.family)..header.end;
            let options = bytes.get(options).map(<[u8]>::to_vec);
            match layer {
                Layer::Ip => {
                    (template.ip_options, template.family) = (options, Some(layout.family))
                }
                Layer::Tcp => template.options = options,
                Layer::Ethernet | Layer::Vlan | Layer::InnerVlan => {}
            }
        }
        for field in Field::all().filter(|field| layout.has(field.layer())) {
            if let Some(value) = layout.get(bytes, field) {
                template.fields.insert(field, Setting::Given(value));
            }
        }
        template.trailer = bytes.get(payload.end..).map(<[u8]>::to_vec);
        template.payload = bytes.get(payload).map(|bytes| Payload::Bytes(bytes.to_vec()));
        template
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
