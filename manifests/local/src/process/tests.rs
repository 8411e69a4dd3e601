use super::*;

fn sleeper(seconds: &str) -> Server {
    Server {
        name: "sleeper".into(),
        command: vec!["sleep".into(), seconds.into()],
        ..Server::default()
    }
}

#[tokio::test]
async fn a_server_is_started_once_and_ended_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths::at(folder.path().to_owned());
    assert!(ensure_running(&paths, &sleeper("600")).await.unwrap());
    assert!(!ensure_running(&paths, &sleeper("600")).await.unwrap());
    let (_, identity) = running(&paths).pop().unwrap();
    end(&paths, "sleeper").await.unwrap();
    assert!(!identity.is_alive());
    assert!(recorded(&paths).is_empty());
}

#[tokio::test]
async fn a_changed_command_replaces_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths::at(folder.path().to_owned());
    ensure_running(&paths, &sleeper("600")).await.unwrap();
    let (_, before) = running(&paths).pop().unwrap();
    assert!(ensure_running(&paths, &sleeper("601")).await.unwrap());
    assert!(!before.is_alive());
    end(&paths, "sleeper").await.unwrap();
}

#[tokio::test]
async fn a_server_that_ends_early_is_reported_with_its_last_word() {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths::at(folder.path().to_owned());
    let server = Server {
        name: "brief".into(),
        command: ["sh", "-c", "echo no such thing; exit 1"]
            .map(str::to_owned)
            .to_vec(),
        ..Server::default()
    };
    let waited = async {
        ensure_running(&paths, &server).await?;
        wait_ready(&paths, "brief", Duration::from_secs(10), || async { false }).await
    };
    let error = waited.await.unwrap_err().to_string();
    assert_eq!(error, "brief ended at once: no such thing");
}

#[tokio::test]
async fn what_a_build_started_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths::at(folder.path().to_owned());
    let server = Server {
        name: "build".into(),
        command: ["sh", "-c", "sleep 600 & echo $!; wait"]
            .map(str::to_owned)
            .to_vec(),
        stop_signal: StopSignal::TerminateGroup,
        ..Server::default()
    };
    ensure_running(&paths, &server).await.unwrap();
    let started = || {
        let pid = last_line_of_file(&paths.log("build"))?.parse().ok()?;
        Identity::of(pid)
    };
    wait::until("its start", Duration::from_secs(10), || async {
        started().is_some()
    })
    .await
    .unwrap();
    let started = started().unwrap();
    end(&paths, "build").await.unwrap();
    wait::until("its end", Duration::from_secs(10), || async {
        !started.is_alive()
    })
    .await
    .unwrap();
}
