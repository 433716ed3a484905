//! Pressing play, and where the player is.

use std::sync::Arc;

use axum::{Json, extract::State};
use contract::{
    PlaybackId, TitleId,
    activity::{self, TitleState},
    catalog::{self, ForTitle, TitleKind},
    streaming::{self, ForPlayback, StreamingError},
};
use http::StatusCode;
use utoipa_axum::routes;

use super::Answer;
use crate::{
    compose,
    dto::{
        Time, milliseconds,
        playback::{Playback, ReportProgress, StartPlayback},
        seconds,
    },
    extract::{Json as Body, Path},
    policy::Policy,
    problem::Problem,
    routes::{Route, route},
    session::{Caller, Viewing},
    state::Gateway,
};

pub fn routes() -> Vec<Route> {
    vec![
        route(Policy::Viewer, routes!(start_playback)),
        route(Policy::SignedIn, routes!(report_progress)),
    ]
}

/// Press play: signed addresses, and where to go on.
#[utoipa::path(post, path = "/api/v1/playback", tag = "playback", request_body = StartPlayback,
    responses((status = 200, body = Playback)))]
async fn start_playback(
    State(gateway): State<Gateway>,
    viewing: Viewing,
    Body(body): Body<StartPlayback>,
) -> Answer<Playback> {
    let card = compose::visible_card(&gateway, &viewing, body.title_id).await?;
    let title = match card.kind {
        TitleKind::Series => episode_to_play(&gateway, &viewing, card.id)
            .await?
            .ok_or(StreamingError::NotPlayable)?,
        TitleKind::Film | TitleKind::Episode => card.id,
    };
    let (account, profile) = (viewing.caller.account, viewing.profile.id);
    let asked = streaming::StartPlayback {
        account,
        profile,
        title,
        session: Some(viewing.caller.session),
    };
    let (playback, state, next) = tokio::try_join!(
        async { Ok::<_, Problem>(gateway.doors.streaming.start_playback(asked).await?) },
        compose::state(&gateway, &viewing, title),
        next_episode(&gateway, &viewing, title),
    )?;
    gateway.playbacks.insert(playback.id, remembered(&playback));
    Ok(Json(Playback {
        session_id: playback.id,
        title_id: title,
        hls_url: playback.hls_path,
        dash_url: playback.dash_path,
        resume_at_s: resume_at(&state, playback.duration_ms),
        duration_s: seconds(playback.duration_ms),
        credits_at_s: playback.credits_ms.map(seconds),
        storyboard_url: playback.storyboard_path,
        intro: playback.intro_ms.map(Into::into),
        chapters: playback.chapters.into_iter().map(Into::into).collect(),
        subtitles: playback.subtitles.into_iter().map(Into::into).collect(),
        next_title_id: next,
        expires_at: Time(playback.expires_at),
    }))
}

/// The player's position, every few seconds.
#[utoipa::path(post, path = "/api/v1/playback/{session_id}/progress", tag = "playback",
    params(("session_id" = String, Path)), request_body = ReportProgress, responses((status = 204)))]
async fn report_progress(
    State(gateway): State<Gateway>,
    caller: Caller,
    Path(session): Path<PlaybackId>,
    Body(body): Body<ReportProgress>,
) -> Result<StatusCode, Problem> {
    let playback = playback(&gateway, caller, session).await?;
    // Deleted while it played: what it did is gone, and must not come back.
    gateway.profiles.choose(caller.account, Some(playback.profile)).await?;
    let now = gateway.doors.inputs.now_ms();
    let report = activity::ReportProgress {
        profile: playback.profile,
        title: playback.title,
        position_ms: milliseconds(body.position_s),
        duration_ms: playback.duration_ms,
        credits_ms: playback.credits_ms,
        state: body.state.into(),
        // A player whose clock is ahead must not win over the future.
        at: body.at.map_or(now, |at| at.0.min(now)),
    };
    gateway.doors.activity.report_progress(report).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The caller's playback; another account's is as unknown as none.
async fn playback(gateway: &Gateway, caller: Caller, id: PlaybackId) -> Result<Arc<streaming::Playback>, Problem> {
    if let Some(known) = gateway
        .playbacks
        .get(&id)
        .filter(|known| known.account == caller.account)
    {
        return Ok(known);
    }
    let asked = ForPlayback {
        account: caller.account,
        playback: id,
    };
    let playback = remembered(&gateway.doors.streaming.playback(asked).await?);
    gateway.playbacks.insert(id, playback.clone());
    Ok(playback)
}

/// What reports of a player need: without what a viewer chooses from, which may be tens of kilobytes.
fn remembered(playback: &streaming::Playback) -> Arc<streaming::Playback> {
    Arc::new(streaming::Playback {
        chapters: Vec::new(),
        subtitles: Vec::new(),
        ..playback.clone()
    })
}

fn resume_at(state: &TitleState, duration_ms: u64) -> f64 {
    match &state.progress {
        Some(progress) if !progress.finished && progress.position_ms < duration_ms => seconds(progress.position_ms),
        _ => 0.0,
    }
}

/// The episode to go on with: the one last watched if it is not finished, else the one after it; else the first.
async fn episode_to_play(gateway: &Gateway, viewing: &Viewing, series: TitleId) -> Result<Option<TitleId>, Problem> {
    let episodes = playable_episodes(gateway, viewing, series).await?;
    let states = compose::states(gateway, viewing, episodes.clone()).await?;
    let watched = episodes.iter().enumerate().filter_map(|(place, title)| {
        let progress = states.get(title)?.progress.as_ref()?;
        Some((progress.at, place, progress.finished))
    });
    let place = match watched.max() {
        Some((_, place, true)) if place + 1 < episodes.len() => place + 1,
        Some((_, place, false)) => place,
        _ => 0,
    };
    Ok(episodes.get(place).copied())
}

/// Of an episode: the one that comes after it.
async fn next_episode(gateway: &Gateway, viewing: &Viewing, title: TitleId) -> Result<Option<TitleId>, Problem> {
    let Some(place) = gateway.doors.catalog.title(ForTitle { title }).await?.place else {
        return Ok(None);
    };
    let episodes = playable_episodes(gateway, viewing, place.series).await?;
    let here = episodes.iter().position(|&episode| episode == title);
    Ok(here.and_then(|here| episodes.get(here + 1).copied()))
}

/// In order of seasons and numbers.
async fn playable_episodes(gateway: &Gateway, viewing: &Viewing, series: TitleId) -> Result<Vec<TitleId>, Problem> {
    let seasons = match gateway.doors.catalog.seasons(ForTitle { title: series }).await {
        Ok(seasons) => seasons,
        Err(catalog::CatalogError::TitleNotFound) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let episodes = seasons
        .into_iter()
        .flat_map(|season| season.episodes)
        .map(|episode| episode.card);
    Ok(episodes
        .filter(|card| card.playable && compose::visible(card, viewing))
        .map(|card| card.id)
        .collect())
}
