//! `kinora serve`: opens everything, listens, works until it is told to end, and ends without losing anything.

use anyhow::Context as _;
use platform::telemetry::{Metrics, init_logs};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{backup, folder::watch};
use crate::{
    cli::Serve,
    config::Config,
    node::Node,
    roles::{Role, Roles},
};

/// Requests that are being answered get this long; then they are cut off.
const DRAIN_S: u64 = 20;
/// Open files that are not connections': databases, the index, jobs.
const DESCRIPTORS_KEPT: u64 = 512;

pub async fn run(args: Serve) -> anyhow::Result<()> {
    let mut config = Config::read(&args.place)?;
    config.listen = args.listen.unwrap_or(config.listen);
    config.roles = args.roles.unwrap_or(config.roles);
    let roles: Roles = config.roles.parse()?;
    let filter = (!config.log_filter.is_empty()).then_some(config.log_filter.as_str());
    init_logs(config.log_format, filter)?;
    let metrics = Metrics::install()?;
    let stop = CancellationToken::new();
    tokio::spawn(end_on_signal(stop.clone())?);

    if config.data_dir.exists()
        && let Err(error) = backup::clear_leftovers(&config.data_dir)
    {
        // It takes room, and nothing else.
        tracing::warn!(
            error = format!("{error:#}"),
            "what a killed backup left could not be cleared away"
        );
    }
    let node = Node::serving(config, &roles, metrics.clone()).await?;
    node.check_bucket().await?;
    let rooms = node.rooms().await?;
    rooms.subscribe(&node).await?;
    let tasks = TaskTracker::new();
    rooms.start(&node, &tasks, &roles, &stop);
    let listening = CancellationToken::new();
    if roles.has(Role::Importer) {
        let (config, inputs) = (node.config.library.clone(), node.inputs.clone());
        tasks.spawn(watch::run(
            config,
            rooms.library(),
            inputs,
            listening.clone(),
            stop.clone(),
        ));
    }
    if roles.has(Role::Gateway) {
        let edge = gateway::open(rooms.doors(&node), node.config.gateway.clone()).await?;
        serve_metrics(&node, metrics, &tasks, &stop).await?;
        announce_set_up(&rooms).await?;
        listen(&node.config, edge, &listening, &stop).await?;
    } else {
        listening.cancel();
        println!("working as {}", node.config.roles);
        stop.cancelled().await;
    }
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    // What was answered while requests were drained came after the last of the regular times.
    rooms.activity.flush().await.context("writing the last positions")?;
    node.close().await;
    tracing::info!("ended");
    Ok(())
}

/// SIGTERM and SIGINT ask for an orderly end.
fn end_on_signal(stop: CancellationToken) -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("ending: finishing what is being answered");
        stop.cancel();
    })
}

async fn listen(
    config: &Config,
    edge: gateway::Edge,
    listening: &CancellationToken,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let address = &config.listen;
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("listening on {address}; is another server running there? choose another address with --listen")
    })?;
    println!("listening on http://{}", listener.local_addr()?);
    listening.cancel();
    let drained = gateway::serve(listener, edge, connections_max(config), stop.clone());
    let cut_off = async {
        stop.cancelled().await;
        tokio::time::sleep(std::time::Duration::from_secs(DRAIN_S)).await;
    };
    tokio::select! {
        () = drained => {}
        () = cut_off => tracing::warn!("some requests were still being answered after {DRAIN_S} s and were cut off"),
    }
    Ok(())
}

/// As many connections as are wanted, or as this process may hold open: each has a socket and perhaps a file.
fn connections_max(config: &Config) -> u32 {
    let wanted = config.gateway.connections_max;
    let possible = open_files_max().map_or(wanted, |most| {
        u32::try_from(most.saturating_sub(DESCRIPTORS_KEPT) / 2).unwrap_or(u32::MAX)
    });
    if possible < wanted {
        tracing::info!(
            possible,
            wanted,
            "fewer connections than gateway.connections_max: the system allows this process no more open files"
        );
    }
    possible.clamp(1, wanted)
}

/// Asks for all that the system would give; many start a process with a few that suit programs of long ago. `None`: no limit.
fn open_files_max() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    }
}

async fn serve_metrics(
    node: &Node,
    metrics: Metrics,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let address = &node.config.metrics_listen;
    if address.is_empty() {
        return Ok(());
    }
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("metrics_listen: listening on {address:?}"))?;
    let served =
        axum::serve(listener, gateway::metrics_router(metrics)).with_graceful_shutdown(stop.clone().cancelled_owned());
    tasks.spawn(async move {
        if let Err(error) = served.await {
            tracing::error!(%error, "the metrics listener ended");
        }
    });
    Ok(())
}

/// While nobody is an admin, whoever reads this terminal may become one.
async fn announce_set_up(rooms: &crate::node::Rooms) -> anyhow::Result<()> {
    if let Some(token) = rooms.accounts.issue_set_up_token().await? {
        println!("no admin exists yet: open /setup in the browser with this one-time token: {token}");
        println!("or: printf %s \"$PASSWORD\" | kinora user add EMAIL --role admin --password-stdin --data-dir …");
    }
    Ok(())
}
