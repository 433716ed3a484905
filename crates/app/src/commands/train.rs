//! `kinora train`: trains, compares with the model in use, publishes if it is not worse, and says what was decided.

use contract::{
    jobs::{JobState, Jobs},
    recommend::{ListModels, ModelState, Recommend, StartTraining},
};
use tokio_util::sync::CancellationToken;

use super::media::{report, wait_for};
use crate::{cli::Place, config::Config, node::Node};

pub async fn run(place: &Place) -> anyhow::Result<()> {
    let node = Node::quiet(Config::read(place)?).await?;
    let result = train(&node).await;
    node.close().await;
    result
}

async fn train(node: &Node) -> anyhow::Result<()> {
    let rooms = node.rooms().await?;
    let job = rooms.recommend.train(StartTraining {}).await?;
    let stop = CancellationToken::new();
    let worker = tokio::spawn(rooms.recommend.clone().run_worker(stop.clone()));
    let jobs: &dyn Jobs = &*rooms.recommend;
    let ended = wait_for(jobs, job).await;
    stop.cancel();
    worker.await?;
    let ended = ended?;
    report(&ended)?;
    if ended.state == JobState::Done {
        show_newest(&*rooms.recommend).await?;
    }
    Ok(())
}

async fn show_newest(recommend: &dyn Recommend) -> anyhow::Result<()> {
    let Some(model) = recommend
        .models(ListModels { before: None, limit: 1 })
        .await?
        .into_iter()
        .next()
    else {
        return Ok(());
    };
    let state = match model.state {
        ModelState::Active => "published",
        ModelState::Ready => "kept",
        ModelState::Refused => "refused",
    };
    println!(
        "model {} {state}: {} interactions of {} viewers with {} titles, trained in {:.1} s",
        model.id, model.interactions, model.viewers, model.titles, model.train_s
    );
    println!("  {}", model.decision);
    for (name, value) in &model.metrics {
        let before = model.baseline.iter().find(|(other, _)| other == name);
        match before {
            Some((_, before)) => println!("  {name:<12} {value:.4}  (before {before:.4})"),
            None => println!("  {name:<12} {value:.4}"),
        }
    }
    Ok(())
}
