use super::*;

fn run_line() -> Line {
    Line::Run(RunLine {
        key_prefix: "load-1-".to_owned(),
        currency: "CNY".to_owned(),
        at: Timestamp::UNIX_EPOCH,
    })
}

fn create(n: u64) -> Line {
    let (user, merchant) = ("u-000001".to_owned(), "m-0001".to_owned());
    Line::Create(CreateLine {
        n,
        user,
        merchant,
        amount_minor: 5,
    })
}

fn outcome(n: u64, effect: Effect) -> Line {
    Line::Outcome(OutcomeLine {
        n,
        effect,
        id: None,
    })
}

fn text(lines: &[Line]) -> Vec<u8> {
    let mut text = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut text, line).unwrap();
        text.push(b'\n');
    }
    text
}

#[tokio::test]
async fn what_was_appended_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let writer = JournalWriter::create(&path).unwrap();
    for line in [
        run_line(),
        create(0),
        outcome(0, Effect::Recorded),
        create(1),
    ] {
        writer.append(&line);
    }
    writer.append(&Line::End {
        at: Timestamp::UNIX_EPOCH,
    });
    writer.close().await.unwrap();
    let journal = Journal::read(&path).unwrap();
    assert!(journal.complete);
    let effects: Vec<Effect> = journal
        .creates
        .values()
        .map(|intent| intent.effect)
        .collect();
    assert_eq!(effects, [Effect::Recorded, Effect::Unknown]);
}

#[tokio::test]
async fn a_mark_is_reached_only_when_the_line_is_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let writer = JournalWriter::create(&path).unwrap();
    writer.append(&run_line());
    let mark = writer.append(&create(0));
    writer.wait_for(mark).await.unwrap();
    // Nothing was closed: this is what a kill would leave.
    let journal = Journal::read(&path).unwrap();
    assert!(journal.creates.contains_key(&0));
    assert!(!journal.complete);
}

#[tokio::test]
async fn a_journal_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    std::fs::write(&path, "evidence").unwrap();
    assert!(JournalWriter::create(&path).is_err());
    assert_eq!(std::fs::read(&path).unwrap(), b"evidence");
}

#[test]
fn a_line_cut_by_a_kill_is_ignored() {
    let mut bytes = text(&[run_line(), create(0), outcome(0, Effect::Recorded)]);
    let whole = bytes.len();
    bytes.extend(text(&[create(1)]));
    for end in whole..bytes.len() {
        assert_eq!(Journal::parse(&bytes[..end]).unwrap().creates.len(), 1);
    }
    assert_eq!(Journal::parse(&bytes).unwrap().creates.len(), 2);
}

#[test]
fn what_is_no_journal_is_refused_by_line() {
    let cases = [
        (Vec::new(), "line 1: the journal is empty"),
        (text(&[create(0)]), "line 1: must be the `run` line"),
        (
            text(&[run_line(), run_line()]),
            "line 2: a journal must hold one run",
        ),
        (
            text(&[run_line(), create(0), create(0)]),
            "line 3: intent 0 was there before",
        ),
        (
            text(&[run_line(), outcome(4, Effect::Absent)]),
            "line 2: intent 4 is not known",
        ),
    ];
    for (bytes, problem) in cases {
        let line = Journal::parse(&bytes).unwrap_err().to_string();
        assert_eq!(line, format!("journal {problem}"));
    }
    let mut bytes = text(&[run_line()]);
    bytes.extend_from_slice(b"{}\n");
    assert!(
        Journal::parse(&bytes)
            .unwrap_err()
            .to_string()
            .starts_with("journal line 2: ")
    );
}

#[test]
fn a_later_outcome_takes_the_place_of_an_earlier_one() {
    let lines = [
        run_line(),
        create(0),
        outcome(0, Effect::Unknown),
        outcome(0, Effect::Recorded),
    ];
    let journal = Journal::parse(&text(&lines)).unwrap();
    assert_eq!(journal.creates[&0].effect, Effect::Recorded);
}
