//! Background work of every room in one list.

use axum::{Json, extract::State};
use contract::{
    JobId,
    jobs::{self, AskOutlook, ForJob, JobError, JobKind, Jobs, ListJobs},
};
use utoipa_axum::routes;

use crate::{
    api::Answer,
    cursor::Listing,
    dto::{
        LIMIT_DEFAULT, List,
        admin::{Job, JobsQuery, Outlook},
    },
    extract::{Path, Query},
    policy::Policy,
    problem::Problem,
    routes::{Route, route},
    state::Gateway,
};

pub fn routes() -> Vec<Route> {
    vec![
        route(Policy::Curator, routes!(list_jobs)),
        route(Policy::Curator, routes!(films_outlook)),
        route(Policy::Curator, routes!(get_job)),
        route(Policy::Curator, routes!(cancel_job)),
        route(Policy::Curator, routes!(retry_job)),
        route(Policy::Curator, routes!(put_job_first)),
    ]
}

/// Newest first.
#[utoipa::path(get, path = "/api/v1/admin/jobs", tag = "admin", params(JobsQuery),
    responses((status = 200, body = List<Job>)))]
async fn list_jobs(State(gateway): State<Gateway>, Query(query): Query<JobsQuery>) -> Answer<List<Job>> {
    let listing = Listing::new("jobs", query.state)?;
    let before: Option<JobId> = listing.read(query.cursor.as_deref())?;
    let limit = query.limit.unwrap_or(LIMIT_DEFAULT);
    let state = query.state.map(Into::into);
    let jobs = newest(&gateway, ListJobs { before, limit, state }).await?;
    let next = (jobs.len() == limit as usize)
        .then(|| jobs.last().map(|job| job.id))
        .flatten();
    Ok(Json(List {
        items: jobs.into_iter().map(Job::from).collect(),
        next_cursor: listing.write(next)?,
    }))
}

/// Of all rooms together, the newest first.
pub async fn newest(gateway: &Gateway, asked: ListJobs) -> Result<Vec<jobs::Job>, Problem> {
    let limit = asked.limit as usize;
    let lists = futures::future::try_join_all(gateway.doors.jobs.iter().map(|door| door.list(asked.clone()))).await?;
    let mut jobs: Vec<jobs::Job> = lists.into_iter().flatten().collect();
    jobs.sort_unstable_by_key(|job| std::cmp::Reverse(job.id));
    jobs.truncate(limit);
    Ok(jobs)
}

/// How far all films are that are being made or wait for it.
#[utoipa::path(get, path = "/api/v1/admin/jobs/outlook", tag = "admin", responses((status = 200, body = Outlook)))]
async fn films_outlook(State(gateway): State<Gateway>) -> Answer<Outlook> {
    let asked = AskOutlook {
        kind: JobKind::Transcode,
    };
    let all = futures::future::try_join_all(gateway.doors.jobs.iter().map(|door| door.outlook(asked))).await?;
    // One room makes films; the others have none.
    let films = all.into_iter().max_by_key(|outlook| outlook.queued + outlook.running);
    Ok(Json(films.ok_or(JobError::NotFound)?.into()))
}

#[utoipa::path(get, path = "/api/v1/admin/jobs/{id}", tag = "admin", params(("id" = String, Path)),
    responses((status = 200, body = Job)))]
async fn get_job(State(gateway): State<Gateway>, Path(job): Path<JobId>) -> Answer<Job> {
    Ok(Json(owner(&gateway, job).await?.1.into()))
}

#[utoipa::path(post, path = "/api/v1/admin/jobs/{id}/cancel", tag = "admin", params(("id" = String, Path)),
    responses((status = 200, body = Job)))]
async fn cancel_job(State(gateway): State<Gateway>, Path(job): Path<JobId>) -> Answer<Job> {
    let (door, _) = owner(&gateway, job).await?;
    Ok(Json(door.cancel(ForJob { job }).await?.into()))
}

/// Once more, for one that failed or was cancelled.
#[utoipa::path(post, path = "/api/v1/admin/jobs/{id}/retry", tag = "admin", params(("id" = String, Path)),
    responses((status = 200, body = Job)))]
async fn retry_job(State(gateway): State<Gateway>, Path(job): Path<JobId>) -> Answer<Job> {
    let (door, _) = owner(&gateway, job).await?;
    Ok(Json(door.retry(ForJob { job }).await?.into()))
}

/// Before everything else that waits; what is being worked on comes to its end first.
#[utoipa::path(post, path = "/api/v1/admin/jobs/{id}/first", tag = "admin", params(("id" = String, Path)),
    responses((status = 200, body = Job)))]
async fn put_job_first(State(gateway): State<Gateway>, Path(job): Path<JobId>) -> Answer<Job> {
    let (door, _) = owner(&gateway, job).await?;
    Ok(Json(door.first(ForJob { job }).await?.into()))
}

/// The room whose job it is.
async fn owner(gateway: &Gateway, job: JobId) -> Result<(&dyn Jobs, jobs::Job), Problem> {
    for door in &gateway.doors.jobs {
        match door.get(ForJob { job }).await {
            Ok(found) => return Ok((door.as_ref(), found)),
            Err(JobError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(JobError::NotFound.into())
}
