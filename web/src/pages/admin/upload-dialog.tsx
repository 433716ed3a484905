/** Sends a video to a title, in pieces that survive a broken line. */
import { Link } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { upload } from "@/api/tus";
import type { Card } from "@/api/types";
import { Dialog } from "@/components/dialog";
import { FormError } from "@/components/field";
import { bytes, duration } from "@/lib/format";
import { adminEn } from "@/strings/admin-en";
import { FilePicker } from "./imports";

const words = adminEn.upload;

interface Sent {
  bytes: number;
  total: number;
  /** Seconds that remain at the speed so far. */
  left: number | undefined;
}

type Phase = "choose" | "sending" | "paused" | "done";

export function UploadDialog({ title, onClose }: { title: Pick<Card, "id" | "name">; onClose: () => void }) {
  const [file, setFile] = useState<File>();
  const sending = useUpload(title.id);
  const close = () => {
    sending.pause();
    onClose();
  };
  const choose = ([first]: File[]) => {
    if (!first) return;
    setFile(first);
    void sending.start(first);
  };
  return (
    <Dialog title={words.title(title.name)} onClose={close}>
      {sending.phase === "choose" && (
        <FilePicker
          label={words.choose}
          hint={words.hint}
          accept="video/*,.mkv,.mov,.mp4,.webm,.avi,.ts,.m2ts"
          files={file ? [file] : []}
          onFiles={choose}
        />
      )}
      {sending.phase !== "choose" && sending.phase !== "done" && sending.sent && (
        <Sending file={file} sent={sending.sent} moving={sending.phase === "sending"} />
      )}
      <FormError>{sending.error}</FormError>
      <div className="dialog__actions">
        {sending.phase === "sending" && (
          <button type="button" className="button" onClick={sending.pause}>
            {words.pause}
          </button>
        )}
        {sending.phase === "paused" && file && (
          <button type="button" className="button button--primary" onClick={() => sending.start(file)}>
            {words.resume}
          </button>
        )}
      </div>
      {sending.phase === "done" && (
        <div role="status" className="sending">
          <p>{words.done}</p>
          <div className="dialog__actions">
            <Link to="/admin/jobs" className="button button--primary">
              {words.toJobs}
            </Link>
          </div>
        </div>
      )}
    </Dialog>
  );
}

function Sending({ file, sent, moving }: { file: File | undefined; sent: Sent; moving: boolean }) {
  return (
    <div className="sending" aria-live="off">
      <p>
        <strong>{file?.name}</strong>
      </p>
      <div
        className="bar"
        role="progressbar"
        aria-label={file?.name}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round((100 * sent.bytes) / (sent.total || 1))}
      >
        <span style={{ inlineSize: `${(100 * sent.bytes) / (sent.total || 1)}%` }} />
      </div>
      <p className="muted small">
        {words.sending(bytes(sent.bytes), bytes(sent.total))}
        {moving && sent.left !== undefined && `, ${words.timeLeft(duration(sent.left))}`}
      </p>
    </div>
  );
}

function useUpload(titleId: string) {
  const [phase, setPhase] = useState<Phase>("choose");
  const [sent, setSent] = useState<Sent>();
  const [error, setError] = useState<string>();
  const stop = useRef<AbortController | undefined>(undefined);
  const start = async (file: File) => {
    stop.current = new AbortController();
    const { signal } = stop.current;
    const began = { at: performance.now(), bytes: -1 };
    setError(undefined);
    setPhase("sending");
    const report = (done: number, total: number) => {
      if (began.bytes < 0) began.bytes = done;
      const speed = (done - began.bytes) / Math.max(1, performance.now() - began.at);
      setSent({ bytes: done, total, left: speed > 0 ? (total - done) / speed / 1000 : undefined });
    };
    try {
      await upload({
        file,
        metadata: { title_id: titleId, filename: file.name, purpose: "video" },
        onProgress: report,
        signal,
      });
      setPhase("done");
    } catch (cause) {
      setPhase("paused");
      if (!signal.aborted) setError(cause instanceof Error ? `${words.failed}: ${cause.message}` : words.failed);
    }
  };
  const pause = () => stop.current?.abort();
  return { phase, sent, error, start, pause };
}
