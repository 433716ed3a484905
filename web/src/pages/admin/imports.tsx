/** Import: the files of a data set are sent, then read as a job that is followed to its end. */
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { startImport } from "@/api/admin-endpoints";
import { useJobs } from "@/api/job-feed";
import { begunBefore } from "@/api/transfers";
import { fingerprint, upload, uploadId } from "@/api/tus";
import type { Job } from "@/api/types";
import { FormError } from "@/components/field";
import { Icon } from "@/components/icons";
import { bytes } from "@/lib/format";
import { flatPages } from "@/lib/paging";
import { adminEn } from "@/strings/admin-en";
import { JobCard } from "./jobs";

const words = adminEn.imports;
const DATASETS = ["movielens", "movietweetings"] as const;
type Dataset = (typeof DATASETS)[number];

export function Section() {
  const [started, setStarted] = useState<Job>();
  return (
    <section aria-labelledby="import" className="section">
      <h2 id="import">{words.title}</h2>
      <p className="muted">{words.lead}</p>
      {started ? (
        <Followed job={started} onAgain={() => setStarted(undefined)} />
      ) : (
        <ImportForm onStarted={setStarted} />
      )}
    </section>
  );
}

function ImportForm({ onStarted }: { onStarted: (job: Job) => void }) {
  const [dataset, setDataset] = useState<Dataset>("movielens");
  const [files, setFiles] = useState<File[]>([]);
  const [missing, setMissing] = useState(false);
  const [sending, setSending] = useState<Sending>();
  const start = useMutation({
    mutationFn: async () => startImport({ dataset, upload_ids: await sendAll(files, setSending) }),
    onSuccess: onStarted,
    onSettled: () => setSending(undefined),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setMissing(files.length === 0);
    if (files.length > 0) start.mutate();
  };
  return (
    <form className="form form--wide" onSubmit={submit} noValidate>
      <fieldset className="field">
        <legend className="field__label">{words.dataset}</legend>
        <div className="choices">
          {DATASETS.map((name) => (
            <label key={name} className="choice">
              <input type="radio" name="dataset" checked={dataset === name} onChange={() => setDataset(name)} />
              <strong>{words.datasets[name]}</strong>
              <small>{words.datasetHints[name]}</small>
            </label>
          ))}
        </div>
      </fieldset>
      <FilePicker label={words.files} hint={words.filesHint} files={files} onFiles={setFiles} multiple />
      {sending && <SendingBar sending={sending} />}
      <FormError>{missing ? words.needFiles : start.error?.message}</FormError>
      <div>
        <button type="submit" className="button button--primary" disabled={start.isPending}>
          {words.start}
        </button>
      </div>
    </form>
  );
}

interface Sending {
  file: number;
  of: number;
  fraction: number;
}

async function sendAll(files: File[], report: (sending: Sending) => void): Promise<string[]> {
  const ids: string[] = [];
  for (const [index, file] of files.entries()) {
    const print = await fingerprint(file);
    const address = await upload({
      file,
      place: await begunBefore(print),
      metadata: { filename: file.name, purpose: "dataset", fingerprint: print },
      onProgress: (sent, total) => report({ file: index + 1, of: files.length, fraction: total ? sent / total : 1 }),
    });
    ids.push(uploadId(address));
  }
  return ids;
}

function SendingBar({ sending }: { sending: Sending }) {
  const label = words.uploading(sending.file, sending.of);
  return (
    <div className="sending">
      <p className="muted small">{label}</p>
      <div
        className="bar"
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(sending.fraction * 100)}
      >
        <span style={{ inlineSize: `${sending.fraction * 100}%` }} />
      </div>
    </div>
  );
}

interface PickerProps {
  label: string;
  hint: string;
  accept?: string;
  multiple?: boolean;
  files: File[];
  onFiles: (files: File[]) => void;
}

export function FilePicker({ label, hint, accept, multiple, files, onFiles }: PickerProps) {
  const [over, setOver] = useState(false);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only lights up while a file hovers; the input inside takes it.
    <div
      className="drop"
      data-over={over}
      onDragEnter={() => setOver(true)}
      onDragLeave={() => setOver(false)}
      onDrop={() => setOver(false)}
    >
      <Icon name="upload" />
      <strong>{label}</strong>
      <span className="muted small">
        {files.length === 0 ? hint : files.map((file) => `${file.name} (${bytes(file.size)})`).join(", ")}
      </span>
      <input
        type="file"
        aria-label={label}
        accept={accept}
        multiple={multiple}
        onChange={(event) => onFiles([...(event.target.files ?? [])])}
      />
    </div>
  );
}

function Followed({ job, onAgain }: { job: Job; onAgain: () => void }) {
  const { list } = useJobs();
  const current = flatPages(list.data, (entry) => entry.id).find((entry) => entry.id === job.id) ?? job;
  const over = current.state !== "queued" && current.state !== "running";
  return (
    <div className="form form--wide">
      <div aria-live="polite" className="form form--wide">
        <JobCard job={current} />
        {current.state === "failed" && <p className="muted">{words.failed}</p>}
      </div>
      {over && (
        <div>
          <button type="button" className="button" onClick={onAgain}>
            {words.another}
          </button>
        </div>
      )}
    </div>
  );
}
