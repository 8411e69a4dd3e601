//! The nearest valid spelling of a mistyped name.

/// More changed characters than this is another word, not a typing error.
const EDITS_MAX: usize = 3;

/// `; did you mean ...?` for the nearest of `names`, or nothing when none is near.
pub fn hint(typed: &str, names: &[&str]) -> String {
    nearest(typed, names).map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

fn nearest<'a>(typed: &str, names: &[&'a str]) -> Option<&'a str> {
    // Longer than every name by more than the bound: no name can be near, whatever it holds.
    let length_max = names.iter().map(|name| name.len()).max()? + EDITS_MAX;
    if typed.len() > length_max {
        return None;
    }
    let typed = typed.to_lowercase();
    // With more than half of its letters changed, that is no spelling of anything.
    let edits_max = EDITS_MAX.min(typed.chars().count() / 2);
    names
        .iter()
        .map(|name| (strsim::osa_distance(&typed, &name.to_lowercase()), *name))
        .min()
        .filter(|(edits, _)| *edits <= edits_max)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_near_when_half_of_its_letters_are_right() {
        let names = ["GB", "shop", "keda"];
        assert_eq!(hint("shpo", &names), "; did you mean `shop`?");
        assert_eq!(hint("KDEA", &names), "; did you mean `keda`?");
        for typed in ["", "x", "nope", "something else"] {
            assert_eq!(hint(typed, &names), "", "{typed}");
        }
    }
}
