/** Background work, live: what runs, how far, what went wrong and what to do about it. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { cancelJob, putJobFirst, retryJob } from "@/api/admin-endpoints";
import { applyJob, outlookQuery, useJobs } from "@/api/job-feed";
import type { Job, Outlook } from "@/api/types";
import { More } from "@/components/card-grid";
import { Select } from "@/components/field";
import { ListSkeleton } from "@/components/skeletons";
import { EmptyState, ErrorState } from "@/components/states";
import { showToast } from "@/components/toast";
import { duration, percent, relative } from "@/lib/format";
import { flatPages } from "@/lib/paging";
import { strings } from "@/strings";
import { adminEn } from "@/strings/admin-en";
import "@/styles/jobs.css";

const words = adminEn.jobs;

export function Section() {
  const { list, live } = useJobs();
  const [state, setState] = useState("");
  const jobs = flatPages(list.data, (job) => job.id).filter((job) => state === "" || job.state === state);
  return (
    <section aria-label={words.title}>
      <div className="toolbar">
        <Select
          label={words.filter}
          value={state}
          onChange={setState}
          options={[
            { value: "", label: words.all },
            ...Object.entries(words.states).map(([value, label]) => ({ value, label })),
          ]}
        />
        <span className={live ? "live live--on" : "live"}>{live ? words.live : words.polling}</span>
      </div>
      <Films />
      {list.isPending && <ListSkeleton />}
      {list.isError && !list.data && <ErrorState error={list.error} retry={() => list.refetch()} />}
      {list.data && jobs.length === 0 && <EmptyState title={words.empty} lead={words.emptyLead} />}
      <ul className="jobs">
        {jobs.map((job) => (
          <li key={job.id}>
            <JobCard job={job} />
          </li>
        ))}
      </ul>
      <More hasMore={list.hasNextPage} loading={list.isFetchingNextPage} onMore={list.fetchNextPage}>
        {words.more}
      </More>
    </section>
  );
}

/** How far all films are together; nothing, while none is being made. */
function Films() {
  const { data: outlook } = useQuery(outlookQuery);
  if (!outlook || outlook.queued + outlook.running === 0) return null;
  return (
    <div className="films">
      <p className="muted small">{filmsFacts(outlook)}</p>
      <div
        className="bar"
        role="progressbar"
        aria-label={words.progressOfAll}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(outlook.progress * 100)}
      >
        <span style={{ inlineSize: `${outlook.progress * 100}%` }} />
      </div>
    </div>
  );
}

export function filmsFacts(outlook: Outlook): string {
  const facts = [words.films(outlook.queued + outlook.running)];
  if (outlook.queued > 0) facts.push(words.waiting(outlook.queued));
  facts.push(percent(outlook.progress));
  if (outlook.remaining_s != null) facts.push(words.remaining(duration(outlook.remaining_s)));
  return facts.join(" · ");
}

export function JobCard({ job }: { job: Job }) {
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: (act: (id: string) => Promise<Job>) => act(job.id),
    onSuccess: (changed) => changed && applyJob(client, changed),
    onError: () => showToast(strings.card.failed),
  });
  const subject = job.subject ?? words.kinds[job.kind] ?? job.kind;
  const open = job.state === "queued" || job.state === "running";
  const repeatable = job.state === "failed" || job.state === "cancelled";
  const waits = job.state === "queued" && job.kind === "transcode";
  const act = (text: string, label: string, action: (id: string) => Promise<Job>, told?: string) => (
    <button
      type="button"
      className="button button--small"
      aria-label={label}
      disabled={change.isPending}
      onClick={() => change.mutate(action, { onSuccess: () => told && showToast(told) })}
    >
      {text}
    </button>
  );
  return (
    <article className="job">
      <div>
        <div className="job__head">
          <strong>{subject}</strong>
          <span className={`pill pill--${job.state}`}>{words.states[job.state] ?? job.state}</span>
        </div>
        <p className="muted small">{jobFacts(job)}</p>
      </div>
      <div className="job__acts">
        {waits && act(words.first, words.firstOf(subject), putJobFirst, words.isFirst(subject))}
        {open && act(words.cancel, words.cancelOf(subject), cancelJob)}
        {repeatable && act(words.retry, words.retryOf(subject), retryJob)}
      </div>
      {open && (
        <div
          className="bar"
          role="progressbar"
          aria-label={words.progressOf(subject)}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round(job.progress * 100)}
        >
          <span style={{ inlineSize: `${job.progress * 100}%` }} />
        </div>
      )}
      {job.error && <p className="job__error">{job.error}</p>}
      {job.outcome && job.state === "done" && <p className="job__note">{job.outcome}</p>}
    </article>
  );
}

function jobFacts(job: Job): string {
  const facts = [words.kinds[job.kind] ?? job.kind, relative(job.created_at)];
  if (job.state === "running") facts.push(...[job.stage ?? "", percent(job.progress)].filter(Boolean));
  if (job.state === "running" && job.remaining_s != null) facts.push(words.remaining(duration(job.remaining_s)));
  if (job.started_at && job.finished_at)
    facts.push(words.took(duration((Date.parse(job.finished_at) - Date.parse(job.started_at)) / 1000)));
  if (job.attempts > 1) facts.push(words.attempts(job.attempts));
  return facts.join(" · ");
}
