//! Round figures along an axis.

use super::Unit;

/// From zero to a round figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    pub(super) end: f64,
    step: f64,
    unit: Unit,
}

impl Axis {
    /// An axis on which `most` fits, with about so many steps.
    pub(super) fn new(most: f64, unit: Unit, steps: u32) -> Self {
        let most = if most > 0.0 { most } else { 1.0 };
        let rough = most / f64::from(steps);
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0].map(|n| n * power);
        let step = step.into_iter().find(|step| *step >= rough * 0.999).unwrap_or(10.0 * power);
        let end = match unit {
            // Time ends where it ends.
            Unit::Seconds if steps > 4 => most,
            _ => (most / step).ceil() * step,
        };
        Self { end, step, unit }
    }

    /// Where figures stand, and which.
    pub(super) fn ticks(&self) -> impl Iterator<Item = (f64, String)> + '_ {
        let count = (self.end / self.step + 0.001).floor() as u32;
        (0..=count).map(|n| {
            let value = f64::from(n) * self.step;
            (value, self.label(value))
        })
    }

    fn label(&self, value: f64) -> String {
        let units: &[(f64, &str)] = match self.unit {
            Unit::Bytes => &[(1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")],
            Unit::BitsPerSecond => {
                &[(1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s"), (1.0, "bit/s")]
            }
            Unit::Seconds => &[(3600.0, "h"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs")],
        };
        // One unit for all figures of the axis: that of the last.
        let fits = |(scale, _): &&(f64, &str)| self.end >= *scale;
        let (scale, name) = units.iter().find(fits).copied().unwrap_or(units[units.len() - 1]);
        let digits = format!("{:.2}", value / scale);
        let digits = digits.trim_end_matches('0').trim_end_matches('.');
        if value == 0.0 { "0".to_owned() } else { format!("{digits} {name}") }
    }
}
