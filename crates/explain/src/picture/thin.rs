//! Long series made shorter, so that pictures of them stay what they are.

/// A point of a series that may have to stand for its neighbour too.
pub(super) trait Merge: Sized {
    /// Takes the next point in, if the two can be one. Says whether it did.
    fn merge(&mut self, next: &Self, coarse: bool) -> bool;
}

/// A series of up to about `limit` points.
#[derive(Clone, Debug)]
pub(super) struct Series<T> {
    pub(super) points: Vec<T>,
    limit: usize,
    /// Points that were merged into others.
    pub(super) merged: u64,
}

impl<T: Merge> Series<T> {
    pub(super) fn new(limit: usize) -> Self {
        Self { points: Vec::new(), limit: limit.max(8), merged: 0 }
    }

    pub(super) fn push(&mut self, point: T) {
        self.points.push(point);
        // Twice as many wait before a pass, so that a point is looked at a few times only.
        if self.points.len() >= 2 * self.limit {
            self.shorten();
        }
    }

    fn shorten(&mut self) {
        self.pass(false);
        while self.points.len() > self.limit {
            let before = self.points.len();
            self.pass(true);
            if self.points.len() == before {
                // Nothing goes together: every other one stays.
                let mut keep = false;
                self.points.retain(|_| {
                    keep = !keep;
                    keep
                });
            }
            self.merged += (before - self.points.len()) as u64;
        }
    }

    /// Merges pairs of neighbours.
    fn pass(&mut self, coarse: bool) {
        let mut shorter: Vec<T> = Vec::with_capacity(self.points.len());
        let mut open = false;
        for point in self.points.drain(..) {
            if open && shorter.last_mut().is_some_and(|last| last.merge(&point, coarse)) {
                open = false;
            } else {
                shorter.push(point);
                open = true;
            }
        }
        self.points = shorter;
    }
}

#[cfg(test)]
mod tests {
    use super::{Merge, Series};

    #[derive(Clone, Debug)]
    struct Sum(u64, bool);

    impl Merge for Sum {
        fn merge(&mut self, next: &Self, coarse: bool) -> bool {
            let may = coarse && self.1 && next.1;
            self.0 += if may { next.0 } else { 0 };
            may
        }
    }

    #[test]
    fn a_series_stays_short_and_loses_nothing_that_can_be_merged() {
        let mut series = Series::new(100);
        for _ in 0..100_000 {
            series.push(Sum(1, true));
        }
        assert!(series.points.len() < 200);
        assert_eq!(series.points.iter().map(|sum| sum.0).sum::<u64>(), 100_000);
    }

    #[test]
    fn what_cannot_be_merged_is_thinned_out() {
        let mut series = Series::new(100);
        for _ in 0..100_000 {
            series.push(Sum(1, false));
        }
        assert!(series.points.len() < 200 && series.merged > 99_000);
    }
}
