//! Opening hours: times of the week, or of the day, at which nothing has ever come.
//!
//! A regression through hours of nothing bends at both ends of them, so they are taken out of what
//! it sees, and the path is idle there. They are believed only where they hold without exception.

/// Below this share of the mean a block is idle.
const IDLE_SHARE: f64 = 1e-3;
/// Times a slot was seen before it is believed to be closed.
const TIMES_MIN: usize = 3;
/// Idle stretches have to be a habit: the slots that are idle every time but one are at most this
/// share of those that are idle every time.
const EXCEPTIONS_MAX: f64 = 0.01;
/// Closed hours below this share of the time are not worth a rule of their own.
const CLOSED_MIN: f64 = 0.05;

/// Which slots of a day or a week are closed; none when there are no such hours.
pub(crate) struct Hours {
    closed: Vec<bool>,
    /// The most that came while closed, requests/s.
    most_rps: f64,
}

impl Hours {
    /// Learns from block means, NaN where a block was not observed; slots of a week where enough
    /// weeks were seen, else slots of a day.
    pub(crate) fn learn(means: &[f64], day: usize) -> Self {
        let week = 7 * day;
        let period = if means.len() >= TIMES_MIN * week {
            week
        } else {
            day
        };
        let seen = || means.iter().copied().filter(|value| !value.is_nan());
        let mean = seen().sum::<f64>() / seen().count().max(1) as f64;
        let idle = |value: f64| value < IDLE_SHARE * mean;
        let (mut times, mut busy) = (vec![0_usize; period], vec![0_usize; period]);
        for (index, value) in means.iter().enumerate().filter(|(_, it)| !it.is_nan()) {
            times[index % period] += 1;
            busy[index % period] += usize::from(!idle(*value));
        }
        let enough = |slot: usize| times[slot] >= TIMES_MIN;
        let closed: Vec<bool> = (0..period)
            .map(|slot| enough(slot) && busy[slot] == 0)
            .collect();
        let always = closed.iter().filter(|closed| **closed).count();
        let almost = (0..period).filter(|slot| enough(*slot) && busy[*slot] == 1);
        let exceptions = almost.count() as f64;
        let hold = always as f64 >= CLOSED_MIN * period as f64
            && exceptions <= EXCEPTIONS_MAX * (always * TIMES_MIN) as f64;
        if !hold {
            return Self {
                closed: Vec::new(),
                most_rps: 0.0,
            };
        }
        let while_closed = means.iter().enumerate();
        let while_closed = while_closed.filter(|(index, _)| closed[index % period]);
        let most_rps = while_closed.map(|(_, value)| *value).fold(0.0, f64::max);
        Self { closed, most_rps }
    }

    /// Whether the block at an index, which may lie ahead, is in closed hours.
    pub(crate) fn is_closed(&self, index: usize) -> bool {
        let slot = index.checked_rem(self.closed.len());
        slot.is_some_and(|slot| self.closed[slot])
    }

    /// The most that came in closed hours, requests/s.
    pub(crate) const fn most_rps(&self) -> f64 {
        self.most_rps
    }

    /// The means with the last value before each closed stretch held through it.
    pub(crate) fn held(&self, means: &[f64]) -> Vec<f64> {
        let mut last = f64::NAN;
        let held = means.iter().enumerate().map(|(index, value)| {
            if self.is_closed(index) {
                return last;
            }
            last = if value.is_nan() { last } else { *value };
            *value
        });
        held.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Hours;

    /// Days of eight blocks, three of them closed.
    fn days(count: usize) -> Vec<f64> {
        let day = [0.0, 0.0, 5.0, 6.0, 9.0, 7.0, 4.0, 0.0];
        (0..count * 8).map(|index| day[index % 8]).collect()
    }

    #[test]
    fn hours_in_which_nothing_ever_came_are_closed_ahead_too() {
        let hours = Hours::learn(&days(5), 8);
        let closed: Vec<bool> = (40..48).map(|index| hours.is_closed(index)).collect();
        assert_eq!(
            closed,
            [true, true, false, false, false, false, false, true]
        );
        assert_eq!(hours.held(&days(5))[7..11], [4.0, 4.0, 4.0, 5.0]);
    }

    #[test]
    fn an_exception_opens_them_again() {
        let mut means = days(5);
        means[15] = 3.0;
        let hours = Hours::learn(&means, 8);
        assert!(!(0..48).any(|index| hours.is_closed(index)));
    }

    #[test]
    fn two_days_are_too_few_to_believe() {
        let hours = Hours::learn(&days(2), 8);
        assert!(!hours.is_closed(0));
    }

    #[test]
    fn a_weekday_off_is_known_after_three_weeks() {
        let mut means = days(28);
        for week in 0..4 {
            means[week * 56 + 48..week * 56 + 56].fill(0.0);
        }
        let hours = Hours::learn(&means, 8);
        assert!(hours.is_closed(224 + 52));
        assert!(!hours.is_closed(224 + 44));
    }
}
