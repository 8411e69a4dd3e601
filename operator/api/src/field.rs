//! A field that holds what is not allowed there, as operator and plugin both say it.

use floodgate_words::Reason;

/// Characters of a bad value that are repeated in a message; the longest instant has 35.
const ECHO_CHARS: usize = 64;

/// What a field holds and what it must be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` is {value}; must {must}")]
pub struct FieldError {
    /// Path of the field, for example `spec.phases[0].t0`.
    field: String,
    /// What it holds, or `not set`, or `empty`.
    value: String,
    /// What is accepted, in words that follow `must`.
    must: String,
}

impl FieldError {
    /// The field holds `text`, which is repeated as far as a line has room for it.
    pub fn text(field: impl Into<String>, text: &str, must: impl Into<String>) -> Self {
        let shown = text.chars().take(ECHO_CHARS);
        let shown: String = shown
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        Self {
            field: field.into(),
            value: format!("`{shown}`"),
            must: must.into(),
        }
    }

    /// The field holds nothing.
    pub fn unset(field: impl Into<String>, must: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            value: "not set".to_owned(),
            must: must.into(),
        }
    }

    /// The field holds a list or an object with nothing in it.
    pub fn empty(field: impl Into<String>, must: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            value: "empty".to_owned(),
            must: must.into(),
        }
    }

    /// Reason of the condition `Accepted` of the object that has the field.
    pub fn reason(&self) -> Reason {
        match self.field.as_str() {
            "spec.timeZone" => Reason::InvalidTimeZone,
            _ => Reason::InvalidSpec,
        }
    }

    /// `value` as an unsigned number if it lies between `min` and `max`, none of them negative.
    pub fn within(field: impl Into<String>, value: i32, min: i32, max: i32) -> Result<u32, Self> {
        let inside = (min..=max).contains(&value);
        u32::try_from(value)
            .ok()
            .filter(|_| inside)
            .ok_or_else(|| Self {
                field: field.into(),
                value: value.to_string(),
                must: format!("be between {min} and {max}"),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_field_value_and_what_is_accepted() {
        let far = FieldError::within("spec.scaling.max", 0, 1, 10_000).unwrap_err();
        assert_eq!(
            far.to_string(),
            "`spec.scaling.max` is 0; must be between 1 and 10000"
        );
        assert_eq!(FieldError::within("spec.scaling.max", 7, 1, 10_000), Ok(7));
        let unset = FieldError::unset("spec.upliftPercent", "be set");
        assert_eq!(
            unset.to_string(),
            "`spec.upliftPercent` is not set; must be set"
        );
    }

    #[test]
    fn a_value_cannot_forge_a_line_nor_fill_the_screen() {
        let long = format!("a\nb{}", "x".repeat(500));
        let told = FieldError::text("spec.start", &long, "be an instant").to_string();
        assert!(told.starts_with("`spec.start` is `a bxxx"), "{told}");
        assert!(told.len() < 120, "{told}");
    }
}
