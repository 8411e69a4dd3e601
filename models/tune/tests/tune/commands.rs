//! The commands, run as a person runs them.

use crate::{folder, hourly, rows, run, write};

const EVAL: [&str; 7] = [
    "eval",
    "--traces",
    ".",
    "--folds",
    "folds.csv",
    "--out",
    "out.csv",
];

#[test]
fn eval_writes_a_day_of_every_method_after_every_origin() {
    let folder = folder();
    let arguments = [&EVAL[..], &["--events", "events.csv", "--json"]].concat();
    let output = run(&folder, &arguments);
    assert!(output.status.success(), "{output:?}");
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&summary["folds"], &summary["rows"]),
        (&2.into(), &144.into())
    );
    let text = std::fs::read_to_string(folder.path().join("out.csv")).unwrap();
    assert!(text.starts_with("series,method,origin,timestamp,p50,p95\n"));
    for method in ["floodgate", "SeasonalNaive", "floodgate-events"] {
        let head = format!("web_1h,{method},2026-06-20T05:00:00Z,2026-06-20T06:00:00Z,");
        assert!(text.contains(&head), "{method}");
        let rows = text
            .lines()
            .filter(|row| row.split(',').nth(1) == Some(method));
        assert_eq!(rows.count(), 48, "{method}");
    }
}

#[test]
fn eval_is_the_same_bit_for_bit_however_folds_are_shared_out() {
    let folder = folder();
    let outputs = [0, 1].map(|_| {
        assert!(run(&folder, &EVAL).status.success());
        std::fs::read(folder.path().join("out.csv")).unwrap()
    });
    assert_eq!(outputs[0], outputs[1]);
}

#[test]
fn bad_input_is_named_and_ends_with_code_2() {
    let cases = [
        (
            "folds.csv",
            "series,origin\n",
            "the header must be series,resolution_s",
        ),
        (
            "folds.csv",
            "series,resolution_s,season_steps,train_end,origin\n../etc,1,1,x,2026-06-20T05:00:00Z\n",
            "folds.csv`: line 2: series \"../etc\" must be the name of a trace",
        ),
        (
            "folds.csv",
            "series,resolution_s,season_steps,train_end,origin\nweb_1h,1,1,x,noon\n",
            "line 2: origin: timestamp `noon` must be RFC 3339 with a zone",
        ),
        (
            "folds.csv",
            "series,resolution_s,season_steps,train_end,origin\nnone,1,1,x,2026-06-20T05:00:00Z\n",
            "cannot read `./none.csv`",
        ),
        (
            "folds.csv",
            "series,resolution_s,season_steps,train_end,origin\nweb_1h,1,1,x,2020-06-20T05:00:00Z\n",
            "web_1h at 2020-06-20T05:00:00Z: a series must have at least one plausible sample",
        ),
        (
            "web_1h.csv",
            "timestamp,value\n2026-06-20T05:00:00Z,many\n",
            "web_1h.csv`: line 2",
        ),
    ];
    for (name, text, said) in cases {
        let folder = folder();
        write(&folder, name, text);
        let output = run(&folder, &EVAL);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn show_draws_a_page_that_needs_nothing_else() {
    let folder = folder();
    let arguments = [
        "show",
        "--trace",
        "web_1h.csv",
        "--at",
        "2026-06-20T05:00:00Z",
        "--html",
        "page.html",
        "--json",
    ];
    let output = run(&folder, &arguments);
    assert!(output.status.success(), "{output:?}");
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(summary["wape"].as_f64().unwrap() < 0.1, "{summary}");
    let page = std::fs::read_to_string(folder.path().join("page.html")).unwrap();
    for part in [
        "</i>median",
        "</i>p95",
        "</i>what happened",
        "prefers-color-scheme: dark",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("http"), "the page must load nothing");
}

#[test]
fn an_origin_outside_of_the_trace_is_refused_with_what_it_holds() {
    let folder = folder();
    for at in ["2026-07-01T00:00:00Z", "2026-05-31T00:00:00Z"] {
        let show = [
            "show",
            "--trace",
            "web_1h.csv",
            "--at",
            at,
            "--html",
            "page.html",
        ];
        let train = [
            "train",
            "--trace",
            "web_1h.csv",
            "--at",
            at,
            "--out",
            "model.json",
        ];
        for arguments in [&show[..], &train[..]] {
            let output = run(&folder, arguments);
            assert_eq!(output.status.code(), Some(2), "{output:?}");
            let error = String::from_utf8_lossy(&output.stderr);
            let said = format!(
                "`--at` is {at}; must be between 2026-06-01T00:00:00Z and 2026-06-24T23:00:00Z"
            );
            assert!(error.contains(&said), "{error}");
        }
    }
    assert!(!folder.path().join("page.html").exists());
    let noon = [
        "show",
        "--trace",
        "web_1h.csv",
        "--at",
        "noon",
        "--html",
        "x",
    ];
    let output = run(&folder, &noon);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    let accepted =
        "timestamp `noon` must be RFC 3339 with a zone, such as `2026-11-11T00:00:00+08:00`";
    assert!(error.contains(accepted), "{error}");
}

#[test]
fn train_refuses_what_no_model_can_be_learned_from() {
    let folder = folder();
    let text = "timestamp,value\n2026-06-01T00:00:00Z,60\n2026-06-01T01:00:00Z,61\n";
    write(&folder, "two.csv", text);
    let arguments = ["train", "--trace", "two.csv", "--out", "model.json"];
    let output = run(&folder, &arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("two.csv has 2 values over 1 h;"), "{error}");
    assert!(!folder.path().join("model.json").exists());
}

#[test]
fn train_says_how_the_values_were_read() {
    let folder = folder();
    for (unit, said) in [
        (&[][..], "requests per step of 3600 s"),
        (&["--unit", "rps"], "requests/s"),
    ] {
        let arguments = ["train", "--trace", "web_1h.csv", "--out", "model.json"];
        let output = run(&folder, &[&arguments[..], unit].concat());
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(
            told.contains(said) && told.contains("576 points over 575 h"),
            "{told}"
        );
    }
}

#[test]
fn train_writes_a_model_small_enough_for_a_config_map() {
    let folder = folder();
    let arguments = [
        "train",
        "--trace",
        "web_1h.csv",
        "--out",
        "model.json",
        "--json",
    ];
    let output = run(&folder, &arguments);
    assert!(output.status.success(), "{output:?}");
    let text = std::fs::read_to_string(folder.path().join("model.json")).unwrap();
    assert!(text.len() < 65_536, "{} bytes", text.len());
    let model: floodgate_forecast::Model = serde_json::from_str(&text).unwrap();
    assert_eq!(model.basis().as_str(), "ridge-direct-weekly");
}

#[test]
fn masked_windows_and_resets_are_left_out_and_counted() {
    let folder = folder();
    let train = |more: &[&str]| {
        let base = [
            "train",
            "--trace",
            "web_1h.csv",
            "--out",
            "model.json",
            "--json",
        ];
        let output = run(&folder, &[&base[..], more].concat());
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice::<serde_json::Value>(&output.stdout).unwrap()
    };
    assert_eq!(train(&[])["masked"], 0);
    let windows = [
        "--mask",
        "2026-06-10T00:00:00Z/2026-06-10T02:00:00Z",
        "--mask",
        "2026-06-12T00:00:00+02:00/2026-06-12T01:00:00+02:00",
    ];
    let masked = train(&windows);
    assert_eq!(
        (&masked["masked"], &masked["missing"]),
        (&5.into(), &0.into())
    );
    // The daily wave falls every night: read as a counter, each fall is a reset.
    let counted = train(&["--counter"]);
    assert!(counted["resets"].as_u64().unwrap() > 100, "{counted}");
}

#[test]
fn b26_a_window_that_is_none_is_named_with_what_is_accepted() {
    let folder = folder();
    for (window, what) in [
        (
            "yesterday",
            "must be FROM/TO, two RFC 3339 instants such as",
        ),
        (
            "2026-06-10T02:00:00Z/2026-06-10T00:00:00Z",
            "must end after it begins",
        ),
        (
            "2026-06-01T00:00:00Z/2026-06-30T00:00:00Z",
            "lies in a window of --mask",
        ),
    ] {
        let base = [
            "train",
            "--trace",
            "web_1h.csv",
            "--out",
            "model.json",
            "--mask",
        ];
        let output = run(&folder, &[&base[..], &[window]].concat());
        assert_eq!(output.status.code(), Some(2), "{window}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(what), "{window}: {said}");
    }
}

#[test]
fn prior_learns_the_files_of_models_from_a_folder_of_traces() {
    let folder = folder();
    write(&folder, "shop_1h.csv", &hourly(20));
    let events =
        "timestamp,label\n2026-06-05T12:00:00Z,a\n2026-06-09T12:00:00Z,b\n2026-06-15T12:00:00Z,c\n";
    write(&folder, "events.csv", events);
    let arguments = [
        "prior",
        "--traces",
        ".",
        "--events",
        "events.csv",
        "--out-dir",
        ".",
        "--json",
    ];
    let output = run(&folder, &arguments);
    assert!(output.status.success(), "{output:?}");
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["series"], serde_json::json!(["shop_1h", "web_1h"]));
    assert_eq!(
        (
            &summary["events"],
            summary["scores"].as_array().unwrap().len()
        ),
        (&3.into(), 10)
    );
    for (file, key) in [("prior-day.json", "shape"), ("prior-event.json", "steps")] {
        let text = std::fs::read_to_string(folder.path().join(file)).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert!(!value[key].as_array().unwrap().is_empty(), "{file}");
    }
    std::fs::remove_file(folder.path().join("shop_1h.csv")).unwrap();
    let output = run(&folder, &arguments);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("must hold at least two traces"), "{said}");
}

#[test]
fn b26_a_counter_read_as_a_load_is_refused_and_read_with_its_flag() {
    let folder = folder();
    let counter = rows(10, |hour| f64::from(hour) * 3_600.0);
    write(&folder, "counted.csv", &counter);
    let train = ["train", "--trace", "counted.csv", "--out", "model.json"];
    let show = [
        "show",
        "--trace",
        "counted.csv",
        "--html",
        "page.html",
        "--at",
        "2026-06-09T00:00:00Z",
    ];
    for arguments in [&train[..], &show] {
        let output = run(&folder, arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(
            error.contains("its values never fall except to start again"),
            "{error}"
        );
        assert!(error.contains("--counter"), "{error}");
        let output = run(&folder, &[arguments, &["--counter"]].concat());
        assert!(output.status.success(), "{output:?}");
    }
}

#[test]
fn b26_a_window_outside_of_the_trace_is_refused_with_what_it_holds() {
    let folder = folder();
    let masked = |mask: &str| {
        let train = [
            "train",
            "--trace",
            "web_1h.csv",
            "--out",
            "model.json",
            "--mask",
            mask,
        ];
        run(&folder, &train)
    };
    let outside = masked("2025-06-07T03:00:00Z/2025-06-07T09:00:00Z");
    let complaint = "`--mask` is 2025-06-07T03:00:00Z/2025-06-07T09:00:00Z; must touch 2026-06-01T00:00:00Z .. 2026-06-24T23:00:00Z";
    let error = String::from_utf8_lossy(&outside.stderr);
    assert!(error.contains(complaint), "{error}");
    assert_eq!(outside.status.code(), Some(2));
    let across = masked("2026-05-31T03:00:00Z/2026-06-01T02:00:00Z");
    let line = String::from_utf8_lossy(&across.stdout);
    assert!(line.contains("3 masked, 0 resets"), "{line}");
}

#[test]
fn a_file_that_cannot_be_written_exits_2_from_every_command() {
    let folder = folder();
    let out = "/nonexistent/out";
    let at = "2026-06-20T05:00:00Z";
    for arguments in [
        &["train", "--trace", "web_1h.csv", "--out", out][..],
        &["show", "--trace", "web_1h.csv", "--at", at, "--html", out],
        &[
            "eval",
            "--traces",
            ".",
            "--folds",
            "folds.csv",
            "--out",
            out,
        ],
    ] {
        let output = run(&folder, arguments);
        let error = String::from_utf8_lossy(&output.stderr);
        let complaint = "error: cannot write `/nonexistent/out`: No such file or directory";
        assert!(error.starts_with(complaint), "{error}");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    }
}
