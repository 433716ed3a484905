/** Background work, live: what runs, how far, what went wrong and what to do about it. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { cancelJob, retryJob } from "@/api/admin-endpoints";
import { applyJob, useJobs } from "@/api/job-feed";
import type { Job } from "@/api/types";
import { More } from "@/components/card-grid";
import { Select } from "@/components/field";
import { ListSkeleton } from "@/components/skeletons";
import { EmptyState, ErrorState } from "@/components/states";
import { showToast } from "@/components/toast";
import { duration, percent, relative } from "@/lib/format";
import { flatPages } from "@/lib/paging";
import { strings } from "@/strings";
import { adminEn } from "@/strings/admin-en";

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
  return (
    <article className="job">
      <div>
        <div className="job__head">
          <strong>{subject}</strong>
          <span className={`pill pill--${job.state}`}>{words.states[job.state] ?? job.state}</span>
        </div>
        <p className="muted small">{jobFacts(job)}</p>
      </div>
      <div>
        {open && (
          <button
            type="button"
            className="button button--small"
            aria-label={words.cancelOf(subject)}
            disabled={change.isPending}
            onClick={() => change.mutate(cancelJob)}
          >
            {words.cancel}
          </button>
        )}
        {repeatable && (
          <button
            type="button"
            className="button button--small"
            aria-label={words.retryOf(subject)}
            disabled={change.isPending}
            onClick={() => change.mutate(retryJob)}
          >
            {words.retry}
          </button>
        )}
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
