/** What may lie over the picture: keyboard help, the next title, the end, and troubles in words with a way on. */
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useCallback, useEffect, useState } from "react";
import { Problem } from "@/api/http";
import { titleQuery } from "@/api/queries";
import type { Id, Title } from "@/api/types";
import { Artwork } from "@/components/artwork";
import { Dialog } from "@/components/dialog";
import { Icon } from "@/components/icons";
import { Opinion } from "@/pages/title/opinion";
import { strings } from "@/strings";
import type { Trouble } from "./engine";

const words = strings.player;

export function KeyboardHelp({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={words.helpTitle} onClose={onClose}>
      <dl className="keys">
        {words.helpKeys.map(([keys, what]) => (
          <div key={keys} style={{ display: "contents" }}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

interface NextCardProps {
  id: Id;
  /** Seconds until it starts by itself; undefined waits for a press. */
  startsIn: number | undefined;
  onCancel: () => void;
}

export function NextCard({ id, startsIn, onCancel }: NextCardProps) {
  const { data } = useQuery(titleQuery(id));
  const navigate = useNavigate();
  const due = startsIn !== undefined && startsIn <= 0;
  useEffect(() => {
    if (due) void navigate({ to: "/watch/$id", params: { id }, replace: true });
  }, [due, id, navigate]);
  if (!data) return null;
  return (
    <section className="player__card" aria-label={words.nextTitle}>
      <Artwork src={data.backdrop_url} wide />
      <div>
        <p className="muted small">{words.nextTitle}</p>
        <h2>{data.name}</h2>
        {startsIn !== undefined && (
          <p className="muted small" role="timer">
            {words.nextIn(Math.max(0, Math.ceil(startsIn)))}
          </p>
        )}
        <span className="dialog__actions">
          <Link to="/watch/$id" params={{ id }} replace className="button button--primary">
            <Icon name="play" />
            {words.nextPlay}
          </Link>
          <button type="button" className="button" onClick={onCancel}>
            {words.nextCancel}
          </button>
        </span>
      </div>
    </section>
  );
}

export function Ended({ title, onAgain }: { title: Title; onAgain: () => void }) {
  return (
    <div className="player__ended">
      <h2>{words.endedTitle}</h2>
      <p>{words.endedLead}</p>
      <Opinion title={title} />
      <div className="state__actions">
        <Link to="/title/$id" params={{ id: title.id }} replace className="button button--primary">
          {words.toTitle}
        </Link>
        <button type="button" className="button" onClick={onAgain}>
          <Icon name="retry" />
          {words.again}
        </button>
      </div>
    </div>
  );
}

const TROUBLES: Record<Trouble, [string, string]> = {
  network: [words.errors.network, words.errors.networkLead],
  media: [words.errors.media, words.errors.mediaLead],
  expired: [words.errors.expired, words.errors.expiredLead],
  unsupported: [words.errors.unsupported, words.errors.unsupportedLead],
  unknown: [words.errors.unknown, words.errors.unknownLead],
};

/** The words for a playback that could not even begin. */
function refusalOf(error: unknown): [string, string] {
  if (!(error instanceof Problem)) return TROUBLES.unknown;
  if (error.offline) return TROUBLES.network;
  if (error.status === 403) return [words.errors.forbidden, words.errors.forbiddenLead];
  if (error.status === 404) return [strings.title.missing, strings.title.missingLead];
  if (error.status === 409 || error.status === 412 || error.status === 422)
    return [words.errors.unplayable, words.errors.unplayableLead];
  return [words.errors.unknown, error.message || words.errors.unknownLead];
}

interface TroubleProps {
  trouble?: Trouble;
  error?: unknown;
  titleId: Id;
  onRetry: () => void;
}

export function TroubleView({ trouble, error, titleId, onRetry }: TroubleProps) {
  const [title, lead] = trouble ? TROUBLES[trouble] : refusalOf(error);
  const reference = error instanceof Problem ? error.correlationId : undefined;
  return (
    <div className="player__trouble" role="alert">
      <h2>{title}</h2>
      <p>{lead}</p>
      {reference && (
        <p className="state__reference">
          {strings.states.reference}: {reference}
        </p>
      )}
      <div className="state__actions">
        <button type="button" className="button button--primary" onClick={onRetry}>
          <Icon name="retry" />
          {words.retry}
        </button>
        <Link to="/title/$id" params={{ id: titleId }} replace className="button">
          {words.toTitle}
        </Link>
      </div>
    </div>
  );
}

/** A short word in the middle of the picture that leaves by itself. */
export function useFlash(): [string | undefined, (text: string) => void] {
  const [flash, setFlash] = useState<{ text: string }>();
  useEffect(() => {
    if (!flash) return;
    const timer = setTimeout(() => setFlash(undefined), 900);
    return () => clearTimeout(timer);
  }, [flash]);
  const show = useCallback((text: string) => setFlash({ text }), []);
  return [flash?.text, show];
}
