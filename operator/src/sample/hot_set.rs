//! Which keys a new pod loads: what the fleet asks for most, and what a sale names. Pure.

use std::collections::HashMap;

use floodgate_contract::{HotKey, WarmKey};

/// Weight of the newest round against what was known: half of a shift shows after two rounds.
const NEWEST_SHARE: f64 = 0.3;
/// Share of all known accesses the set covers; the long tail is not worth the seconds it takes.
const COVERED_SHARE: f64 = 0.9;
/// Keys kept in mind, at most; ten times what a pod may load would only be noise.
const KNOWN_MAX: usize = 20_000;

/// Moving averages of how often keys are asked for.
#[derive(Debug, Default)]
pub struct HotSet {
    weights: HashMap<String, f64>,
}

impl HotSet {
    /// Folds in one round: the hottest keys of every pod that answered. A round in which nobody
    /// answered changes nothing.
    pub fn fold<'a>(&mut self, pods: impl IntoIterator<Item = &'a [HotKey]>) {
        let mut round: HashMap<&str, f64> = HashMap::new();
        let mut heard = false;
        for keys in pods {
            heard = true;
            for hot in keys {
                *round.entry(hot.key.as_str()).or_default() += hot.count as f64;
            }
        }
        if !heard {
            return;
        }
        for weight in self.weights.values_mut() {
            *weight *= 1.0 - NEWEST_SHARE;
        }
        for (key, count) in round {
            *self.weights.entry(key.to_owned()).or_default() += NEWEST_SHARE * count;
        }
        self.weights.retain(|_, weight| *weight > 0.01);
        if self.weights.len() > KNOWN_MAX {
            let heaviest = self.ordered();
            let kept = heaviest.into_iter().take(KNOWN_MAX);
            self.weights = kept.map(|(key, weight)| (key.to_owned(), weight)).collect();
        }
    }

    /// The smallest set that covers nine tenths of the known accesses, after the keys sales name;
    /// at most `keys_max`, heaviest first.
    pub fn choose(&self, sale_keys: &[String], keys_max: usize) -> Vec<WarmKey> {
        let ordered = self.ordered();
        let heaviest = ordered.first().map_or(1.0, |(_, weight)| *weight);
        // A key of a sale is not hot yet; it weighs as much as the hottest one so far.
        let named = sale_keys.iter().map(|key| (key.as_str(), heaviest));
        let total: f64 = ordered.iter().map(|(_, weight)| weight).sum();
        let mut covered = 0.0;
        let covering = ordered.iter().copied().take_while(|(_, weight)| {
            let needed = covered < COVERED_SHARE * total;
            covered += weight;
            needed
        });
        let not_named = covering.filter(|(key, _)| !sale_keys.iter().any(|named| named == key));
        named
            .chain(not_named)
            .take(keys_max)
            .map(|(key, weight)| WarmKey {
                key: key.to_owned(),
                weight: weight.max(1.0) as u64,
            })
            .collect()
    }

    /// Keys by falling weight; equal ones by name, so that equal rounds choose equal sets.
    fn ordered(&self) -> Vec<(&str, f64)> {
        let mut ordered: Vec<_> = self
            .weights
            .iter()
            .map(|(key, weight)| (key.as_str(), *weight))
            .collect();
        ordered.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        ordered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hot(key: &str, count: u64) -> HotKey {
        HotKey {
            key: key.to_owned(),
            count,
        }
    }

    fn keys(chosen: &[WarmKey]) -> Vec<&str> {
        chosen.iter().map(|one| one.key.as_str()).collect()
    }

    #[test]
    fn the_smallest_set_that_covers_nine_tenths_is_chosen() {
        let mut set = HotSet::default();
        let first = [hot("merchant:m-1", 60), hot("merchant:m-2", 25)];
        let second = [
            hot("merchant:m-2", 10),
            hot("account:u-1", 4),
            hot("account:u-2", 1),
        ];
        set.fold([first.as_slice(), second.as_slice()]);
        assert_eq!(
            keys(&set.choose(&[], 100)),
            ["merchant:m-1", "merchant:m-2"]
        );
    }

    #[test]
    fn keys_of_a_sale_come_first_and_once() {
        let mut set = HotSet::default();
        set.fold([[hot("merchant:m-1", 9), hot("merchant:m-2", 8)].as_slice()]);
        let sale = ["merchant:m-2".to_owned(), "merchant:m-9".to_owned()];
        let chosen = set.choose(&sale, 100);
        assert_eq!(
            keys(&chosen),
            ["merchant:m-2", "merchant:m-9", "merchant:m-1"]
        );
        assert_eq!(set.choose(&sale, 2).len(), 2, "never more than asked for");
    }

    #[test]
    fn a_round_without_answers_forgets_nothing() {
        let mut set = HotSet::default();
        set.fold([[hot("merchant:m-1", 9)].as_slice()]);
        let before = set.choose(&[], 10);
        set.fold([]);
        assert_eq!(set.choose(&[], 10), before);
    }
}
