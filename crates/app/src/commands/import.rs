//! `kinora import`: a data set, or a folder of video, with progress and counts. Works beside a running server.

use anyhow::Context as _;
use contract::{
    ProfileId,
    accounts::{Accounts, FindAccount},
    imports::{DatasetKind, Imports as _, StartImport},
    jobs::JobState,
};
use tokio_util::sync::CancellationToken;

use super::{
    folder,
    media::{report, wait_for},
    progress::Progress,
};
use crate::{
    cli::{Claim, Import},
    config::Config,
    node::{Node, Rooms},
};

pub async fn run(args: Import) -> anyhow::Result<()> {
    let node = Node::quiet(Config::read(&args.place)?).await?;
    let result = import(&node, &args).await;
    node.close().await;
    result
}

async fn import(node: &Node, args: &Import) -> anyhow::Result<()> {
    let rooms = node.rooms().await?;
    match args.kind.kind() {
        Some(kind) => import_dataset(&rooms, args, kind).await?,
        None => import_folder(node, &rooms, args).await?,
    }
    rooms.settle(node).await
}

async fn import_dataset(rooms: &Rooms, args: &Import, kind: DatasetKind) -> anyhow::Result<()> {
    let path = args
        .path
        .canonicalize()
        .with_context(|| format!("reading {}", args.path.display()))?;
    let path = path
        .to_str()
        .context("the path is not UTF-8; rename the folder")?
        .to_owned();
    let claims = claims(&*rooms.accounts, &args.claim).await?;
    let request = StartImport {
        kind,
        paths: vec![path],
        claims,
        uploads: Vec::new(),
    };
    let job = rooms.imports.start(request).await?;
    let stop = CancellationToken::new();
    let worker = tokio::spawn(rooms.imports.clone().run_worker(stop.clone()));
    let ended = wait_for(&*rooms.imports, job).await;
    stop.cancel();
    worker.await?;
    let ended = ended?;
    if args.json && ended.state == JobState::Done {
        let counts = rooms.imports.counts(ended.id).await?;
        println!("{}", serde_json::to_string_pretty(&counts)?);
        return Ok(());
    }
    report(&ended)
}

async fn import_folder(node: &Node, rooms: &Rooms, args: &Import) -> anyhow::Result<()> {
    let progress = Progress::new();
    let shown = |share: f32, stage: &str| progress.at(share, stage);
    // Whoever asks for it says that nobody writes there.
    let moment = (node.inputs.now_ms(), &mut folder::Rest::default());
    let counts = folder::import(&args.path, &rooms.library(), moment, shown).await?;
    progress.end();
    anyhow::ensure!(
        counts.files > 0,
        "there is no video file in {} (looked for {})",
        args.path.display(),
        folder::EXTENSIONS.join(", ")
    );
    if args.json {
        println!("{}", serde_json::to_string_pretty(&counts)?);
    } else {
        for file in &counts.left_out {
            println!("left out {file}");
        }
        println!(
            "{} files, {} unchanged: {} new titles, {} videos queued, {} files of subtitles",
            counts.files, counts.unchanged, counts.titles_created, counts.queued, counts.subtitles
        );
        println!("a running server packages them");
        if counts.waiting > 0 {
            println!(
                "{} more must be copied and wait for room, or for those before them: repeat this then",
                counts.waiting
            );
        }
    }
    Ok(())
}

/// The profile behind each claim's address.
async fn claims(accounts: &dyn Accounts, claims: &[Claim]) -> anyhow::Result<Vec<(String, ProfileId)>> {
    let mut found = Vec::with_capacity(claims.len());
    for claim in claims {
        let me = accounts
            .find(FindAccount {
                email: claim.email.clone(),
            })
            .await
            .with_context(|| format!("--claim {}={}", claim.viewer, claim.email))?;
        let profile = match claim.profile {
            Some(id) => me.profiles.iter().find(|profile| profile.id == id),
            None => me.profiles.first(),
        };
        let profile = profile.with_context(|| format!("{} has no such profile", claim.email))?;
        found.push((claim.viewer.clone(), profile.id));
    }
    Ok(found)
}
