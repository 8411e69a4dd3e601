//! One reason, three places: the planner's reasons are reasons of the API. Pure.

use floodgate_api::Reason;
use floodgate_planner::Reason as Why;

/// The reason of the API that carries the same string; a test holds that there is one.
pub fn named(why: Why) -> Reason {
    let mut all = Reason::ALL.iter().copied();
    all.find(|reason| reason.as_str() == why.as_str())
        .unwrap_or(Reason::Held)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_of_the_planner_is_a_reason_of_the_api() {
        for why in Why::ALL {
            assert_eq!(named(*why).as_str(), why.as_str());
        }
    }
}
