//! From a template to bytes.

use rand_core::Rng;

use handclasp_wire::tcp::Flags;

use super::{Payload, Setting, Template};
use crate::dissect::Layout;
use crate::field::{Family, Field, Layer};

impl Template {
    /// The packet. What is not set is worked out, or what a sane sender would have there:
    /// a random identification, sequence number and source port (49152 and up), TTL 64,
    /// window 64,240, the flag SYN, destination port 80, addresses kept for documentation.
    #[must_use]
    pub fn build(&self, rng: &mut (impl Rng + ?Sized)) -> Vec<u8> {
        let (mut bytes, layout) = self.lay_out();
        // Checksums cover all other fields.
        let (sums, others): (Vec<_>, Vec<_>) = Field::all()
            .filter(|field| self.layers.contains(&field.layer()))
            .partition(|field| matches!(field, Field::IpChecksum | Field::Checksum));
        for field in others.into_iter().chain(sums) {
            let Some(place) = field.place(layout.family) else { continue };
            let auto = |rng: &mut _| {
                layout.fit(&bytes, field).unwrap_or_else(|| self.default_for(field, rng))
            };
            let value = match self.fields.get(&field) {
                Some(Setting::Given(value) | Setting::Bits { value, .. }) => *value,
                Some(Setting::Random) => random(rng),
                Some(Setting::Auto(more)) => auto(rng).wrapping_add_signed((*more).into()),
                None => auto(rng),
            };
            let header = layout.header(place.layer).and_then(|range| bytes.get_mut(range));
            place.set(header.unwrap_or_default(), value);
        }
        bytes
    }

    /// Headers full of zeros, with their options, payload and trailer.
    fn lay_out(&self) -> (Vec<u8>, Layout) {
        let mut layout = Layout { family: self.family.unwrap_or_default(), ..Layout::default() };
        let mut bytes = Vec::new();
        for layer in &self.layers {
            let start = bytes.len();
            bytes.resize(start + layer.fixed_len(layout.family), 0);
            let mut options = match layer {
                Layer::Ip => self.ip_options.clone().unwrap_or_default(),
                Layer::Tcp => self.options.clone().unwrap_or_default(),
                Layer::Ethernet | Layer::Vlan | Layer::InnerVlan => Vec::new(),
            };
            if (*layer, layout.family) != (Layer::Ip, Family::V6) {
                options.resize(options.len().next_multiple_of(4), 0);
            }
            bytes.extend(options);
            layout.headers.push((*layer, start..bytes.len()));
        }
        layout.payload.start = bytes.len();
        match &self.payload {
            Some(Payload::Bytes(payload)) => bytes.extend(payload),
            Some(Payload::Len(len)) => bytes.resize(bytes.len() + len, 0),
            None => {}
        }
        layout.payload.end = bytes.len();
        bytes.extend(self.trailer.iter().flatten());
        (bytes, layout)
    }

    fn default_for(&self, field: Field, rng: &mut (impl Rng + ?Sized)) -> u128 {
        let v6 = self.family == Some(Family::V6);
        match field {
            Field::EthSrc => 0x0200_0000_0001,
            Field::EthDst => 0x0200_0000_0002,
            Field::VlanId | Field::InnerVlanId => 1,
            Field::Identification | Field::Seq => random(rng),
            Field::SrcPort => 0xc000 | random(rng) & 0x3fff,
            Field::DstPort => 80,
            Field::Ttl => 64,
            Field::Window => 64_240,
            Field::Flags => Flags::SYN.bits().into(),
            // 192.0.2.0/24 (RFC 5737), 2001:db8::/32 (RFC 3849).
            Field::Src if v6 => 0x2001_0db8 << 96 | 1,
            Field::Dst if v6 => 0x2001_0db8 << 96 | 2,
            Field::Src => 0xc000_0201,
            Field::Dst => 0xc000_0202,
            _ => 0,
        }
    }
}

fn random(rng: &mut (impl Rng + ?Sized)) -> u128 {
    u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64())
}
