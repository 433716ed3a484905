/** The videos on their way: how far, how fast, how long still; paused, gone on with, given up. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { removeUpload } from "@/api/admin-endpoints";
import { Problem } from "@/api/http";
import {
  cancel,
  dismiss,
  pause,
  placeOf,
  resume,
  sendVideo,
  type Transfer,
  unfinishedQuery,
  useTransfers,
} from "@/api/transfers";
import { fingerprint } from "@/api/tus";
import type { UnfinishedUpload } from "@/api/types";
import { FormError } from "@/components/field";
import { bytes, dateTime, duration } from "@/lib/format";
import { VIDEO_ACCEPT } from "@/lib/video-names";
import { adminEn } from "@/strings/admin-en";

const words = adminEn.upload;

/** Everything on its way, with what an earlier visit left unfinished. */
export function Transfers() {
  const transfers = useTransfers();
  const unfinished = useUnfinished(transfers);
  if (transfers.length === 0 && unfinished.length === 0) return null;
  return (
    <section aria-labelledby="transfers" className="transfers">
      <h2 id="transfers">{words.onTheirWay}</h2>
      <ul>
        {transfers.map((transfer) => (
          <li key={transfer.key}>
            <TransferRow transfer={transfer} />
          </li>
        ))}
        {unfinished.map((one) => (
          <li key={one.id}>
            <Unfinished upload={one} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Of an earlier visit: what the server has and nothing here sends. */
function useUnfinished(transfers: readonly Transfer[]): UnfinishedUpload[] {
  const client = useQueryClient();
  const { data } = useQuery(unfinishedQuery);
  const ended = transfers.filter(({ phase }) => phase === "done").length;
  const count = transfers.length;
  useEffect(() => {
    if (ended + count > 0) void client.invalidateQueries({ queryKey: unfinishedQuery.queryKey });
  }, [ended, count, client]);
  const here = new Set(transfers.map(({ place }) => place));
  return (data?.items ?? []).filter((one) => one.title_id && !here.has(placeOf(one)));
}

export function TransferRow({ transfer }: { transfer: Transfer }) {
  const { key, file, title, phase, sent } = transfer;
  if (phase === "done") {
    return (
      <div role="status" className="sending">
        <p>
          <strong>{title.name || file.name}</strong>
        </p>
        <p>{words.done}</p>
        <div className="dialog__actions">
          <button type="button" className="button" onClick={() => dismiss(key)}>
            {words.dismiss}
          </button>
          <Link to="/admin/jobs" className="button button--primary">
            {words.toJobs}
          </Link>
        </div>
      </div>
    );
  }
  const share = (100 * sent) / (file.size || 1);
  return (
    <div className="sending" aria-live="off">
      <p>
        <strong>{title.name}</strong> <span className="muted small">{file.name}</span>
      </p>
      <div
        className="bar"
        role="progressbar"
        aria-label={words.progressOf(file.name)}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share)}
      >
        <span style={{ inlineSize: `${share}%` }} />
      </div>
      <p className="muted small">{figures(transfer)}</p>
      <FormError>{phase === "failed" && transfer.error ? refusal(transfer.error) : undefined}</FormError>
      <Buttons transfer={transfer} />
    </div>
  );
}

function Buttons({ transfer: { key, phase, file } }: { transfer: Transfer }) {
  const goesOn = phase === "sending" || phase === "waiting";
  return (
    <div className="dialog__actions">
      <GiveUp filename={file.name} giveUp={() => cancel(key)} />
      <button
        type="button"
        className={goesOn ? "button" : "button button--primary"}
        onClick={() => (goesOn ? pause(key) : resume(key))}
      >
        {goesOn ? words.pause : words.resume}
      </button>
    </div>
  );
}

/** Also forgets what the server has of it. */
function GiveUp({ filename, giveUp }: { filename: string; giveUp: () => Promise<unknown> }) {
  const client = useQueryClient();
  const { mutate, isPending } = useMutation({
    mutationFn: giveUp,
    onSettled: () => client.invalidateQueries({ queryKey: unfinishedQuery.queryKey }),
  });
  return (
    <button
      type="button"
      className="button"
      aria-label={words.cancelOf(filename)}
      disabled={isPending}
      onClick={() => mutate()}
    >
      {words.cancel}
    </button>
  );
}

function figures({ phase, sent, file, bytesPerSecond, secondsLeft }: Transfer): string {
  const parts = [words.sending(bytes(sent), bytes(file.size))];
  if (phase === "waiting") parts.push(words.waiting);
  if (phase === "paused") parts.push(words.paused);
  if (phase === "sending" && bytesPerSecond !== undefined) parts.push(words.speed(bytes(bytesPerSecond)));
  if (phase === "sending" && secondsLeft !== undefined) parts.push(words.timeLeft(duration(secondsLeft)));
  return parts.join(", ");
}

/** Why it stopped, and what to do, in words. */
export function refusal(error: Error): string {
  const said = error instanceof Problem ? words.refusals[error.code] : undefined;
  if (said) return said;
  return error.message ? `${words.failed}: ${error.message}` : words.failed;
}

function Unfinished({ upload }: { upload: UnfinishedUpload }) {
  const [isOther, setIsOther] = useState(false);
  const choose = async (file: File | undefined) => {
    if (!file || !upload.title_id) return;
    const isIt = upload.fingerprint ? (await fingerprint(file)) === upload.fingerprint : file.size === upload.bytes;
    setIsOther(!isIt);
    if (isIt) sendVideo(file, { id: upload.title_id, name: upload.filename }, placeOf(upload));
  };
  return (
    <div className="sending">
      <p>
        <strong>{upload.filename}</strong>
      </p>
      <p className="muted small">
        {words.unfinished(bytes(upload.offset), bytes(upload.bytes ?? 0), dateTime(upload.expires_at))}
      </p>
      <FormError>{isOther ? words.otherFile : undefined}</FormError>
      <div className="dialog__actions">
        <GiveUp filename={upload.filename} giveUp={() => removeUpload(upload.id)} />
        <label className="button button--primary file-button">
          {words.goOn}
          <input
            type="file"
            accept={VIDEO_ACCEPT}
            aria-label={words.goOnWith(upload.filename)}
            onChange={(event) => void choose(event.target.files?.[0])}
          />
        </label>
      </div>
    </div>
  );
}
