/** What may lie over the picture: keyboard help, the end, and troubles in words with a way on. */
import { Link } from "@tanstack/react-router";
import { useCallback, useEffect, useState } from "react";
import { Problem } from "@/api/http";
import type { Id, Title } from "@/api/types";
import { Dialog } from "@/components/dialog";
import { Icon } from "@/components/icons";
import { Opinion } from "@/pages/title/opinion";
import { strings } from "@/strings";
import { playerEn as words } from "@/strings/player-en";
import type { Trouble } from "./engine";
import { Switch } from "./panel";
import { preferences, usePreferences } from "./preferences";

export function KeyboardHelp({ onClose }: { onClose: () => void }) {
  const { singleKeys } = usePreferences();
  return (
    <Dialog title={words.helpTitle} onClose={onClose}>
      <Switch label={words.helpSingle} on={singleKeys} onChange={(on) => preferences.change({ singleKeys: on })} />
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

interface EndedProps {
  title: Title;
  /** What follows, where the viewer chose to stay. */
  nextId: Id | null | undefined;
  onAgain: () => void;
}

export function Ended({ title, nextId, onAgain }: EndedProps) {
  return (
    <div className="player__ended">
      <h2>{words.endedTitle}</h2>
      <p>{words.endedLead}</p>
      <Opinion title={title} />
      <div className="state__actions">
        {nextId && (
          <Link to="/watch/$id" params={{ id: nextId }} replace className="button button--primary">
            <Icon name="next" />
            {words.nextEpisode}
          </Link>
        )}
        <Link
          to="/title/$id"
          params={{ id: title.id }}
          replace
          className={nextId ? "button" : "button button--primary"}
        >
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
  tooMany: [words.errors.tooMany, words.errors.tooManyLead],
  locked: [words.errors.locked, words.errors.lockedLead],
  unsupported: [words.errors.unsupported, words.errors.unsupportedLead],
  unknown: [words.errors.unknown, words.errors.unknownLead],
};

/** The words for a playback that could not even begin. */
function refusalOf(error: unknown): [string, string] {
  if (!(error instanceof Problem)) return TROUBLES.unknown;
  if (error.offline) return TROUBLES.network;
  if (error.code === "too_many_streams") return TROUBLES.tooMany;
  if (error.status === 429 || error.status === 503) return [words.errors.busy, words.errors.busyLead];
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
