use maud::html;

use super::{Page, Verdict, figures, section, table};

/// A page whose every text is hostile.
fn page() -> String {
    let hostile = "<script>alert('a' & \"b\")</script>";
    let body = html! {
        (table(&[hostile], &html! { tr { td { (Verdict::Short(hostile)) } } }))
        (figures([hostile, "n"], &[[hostile, "1"].map(str::to_owned)]))
    };
    let page = Page {
        kind: hostile,
        verdict: Some(Verdict::Good(hostile)),
        title: hostile,
        origin: hostile,
        body: section(hostile, hostile, &body),
    };
    page.render()
}

#[test]
fn a_page_is_whole_needs_no_network_and_follows_the_readers_setting() {
    let page = page();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"));
    for outside in ["http:", "https:", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("prefers-color-scheme: dark"));
}

#[test]
fn text_never_becomes_markup() {
    let page = page();
    assert!(!page.contains("<script"));
    assert_eq!(page.matches("&lt;script&gt;").count(), 12);
}

#[test]
fn a_table_without_rows_says_so() {
    let empty = table(&["At", "Why"], &html! {}).into_string();
    assert!(
        empty.contains("<td colspan=\"2\">none recorded</td>"),
        "{empty}"
    );
}
