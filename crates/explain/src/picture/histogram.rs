//! What happened when, counted in columns that become wider as time goes on.

use std::time::Duration;

use serde::Serialize;

/// The most columns.
const COLUMNS: usize = 256;

/// Counts of `N` kinds over time. However long that is, there are no more than 256 columns.
#[derive(Clone, Debug, Serialize)]
pub struct Histogram<const N: usize> {
    /// Nanoseconds that a column stands for.
    width: u64,
    columns: Vec<Vec<u64>>,
}

impl<const N: usize> Histogram<N> {
    /// An empty one, whose columns are a millisecond wide at first.
    #[must_use]
    pub fn new() -> Self {
        Self { width: 1_000_000, columns: Vec::new() }
    }

    /// Counts `amount` of a kind at this time after the beginning.
    pub fn add(&mut self, at: Duration, kind: usize, amount: u64) {
        let at = crate::nanos::count(at);
        while at / self.width >= COLUMNS as u64 {
            self.widen();
        }
        let column = (at / self.width) as usize;
        if self.columns.len() <= column {
            self.columns.resize(column + 1, vec![0; N]);
        }
        if let Some(count) = self.columns[column].get_mut(kind) {
            *count += amount;
        }
    }

    fn widen(&mut self) {
        self.width *= 2;
        let pair = |pair: &[Vec<u64>]| {
            let sum = |kind| pair.iter().map(|column| column[kind]).sum();
            (0..N).map(sum).collect()
        };
        self.columns = self.columns.chunks(2).map(pair).collect();
    }

    /// How much time a column stands for.
    #[must_use]
    pub const fn width(&self) -> Duration {
        Duration::from_nanos(self.width)
    }

    /// The columns from the beginning on, each with the counts of all kinds.
    #[must_use]
    pub fn columns(&self) -> &[Vec<u64>] {
        &self.columns
    }
}

impl<const N: usize> Default for Histogram<N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_become_wider_and_counts_stay() {
        let mut histogram = Histogram::<2>::new();
        for second in 0..3600 {
            histogram.add(Duration::from_secs(second), (second % 2) as usize, 3);
        }
        assert!(histogram.columns().len() <= COLUMNS);
        let sum = |kind| histogram.columns().iter().map(|column| column[kind]).sum::<u64>();
        assert_eq!((sum(0), sum(1)), (5400, 5400));
    }

    #[test]
    fn the_end_of_time_has_a_column_too() {
        let mut histogram = Histogram::<1>::new();
        histogram.add(Duration::MAX, 0, 1);
        histogram.add(Duration::ZERO, 0, 1);
        assert_eq!(histogram.columns()[0], [1]);
    }
}
