/** What comes next: a card in the credits that counts down, and goes on by itself unless somebody says otherwise. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type CSSProperties, useEffect, useState } from "react";
import { titleQuery } from "@/api/queries";
import type { Id, Playback } from "@/api/types";
import { Artwork } from "@/components/artwork";
import { Icon } from "@/components/icons";
import { strings } from "@/strings";
import { playerEn as words } from "@/strings/player-en";
import type { VideoState } from "./use-video";

/** Where nobody said when the credits begin: the last tenth, at most this long. */
const CREDITS_S = 25;
const COUNTED_S = 15;
/** Whoever jumps to the end has this long to say no. */
const COUNTED_MIN_S = 5;
const TICK_MS = 250;

export function inCredits(playback: Pick<Playback, "credits_at_s">, { time, duration, ended }: VideoState): boolean {
  const credits = playback.credits_at_s ?? duration - Math.min(CREDITS_S, duration * 0.1);
  return duration > 0 && (time >= credits || ended);
}

/** Seconds that are left of the count; undefined while there is none. It stands still while `running` is false. */
export function useCountdown(counting: boolean, running: boolean, left: number): number | undefined {
  const [remaining, setRemaining] = useState<number>();
  if (counting && remaining === undefined) setRemaining(Math.max(COUNTED_MIN_S, Math.min(COUNTED_S, left)));
  if (!counting && remaining !== undefined) setRemaining(undefined);
  const active = counting && running;
  useEffect(() => {
    if (!active) return;
    let before = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      const passed = (now - before) / 1000;
      before = now;
      setRemaining((seconds) => seconds && Math.max(0, seconds - passed));
    }, TICK_MS);
    return () => clearInterval(timer);
  }, [active]);
  return counting ? remaining : undefined;
}

interface NextCardProps {
  id: Id;
  /** Seconds until it starts by itself; undefined waits for a press. */
  startsIn: number | undefined;
  onStart: () => void;
  onCancel: () => void;
}

export function NextCard({ id, startsIn, onStart, onCancel }: NextCardProps) {
  const { data } = useQuery(titleQuery(id));
  const due = startsIn !== undefined && startsIn <= 0;
  useEffect(() => {
    if (due) onStart();
  }, [due, onStart]);
  if (!data) return null;
  const counted = startsIn === undefined ? undefined : Math.ceil(startsIn);
  return (
    <section className="next" aria-label={words.nextTitle}>
      <Artwork src={data.backdrop_url} wide />
      <div className="next__words">
        <p className="muted small">
          {data.place ? strings.title.episode(data.place.season, data.place.episode) : words.nextTitle}
        </p>
        <h2>{data.name}</h2>
        {counted !== undefined && (
          <p className="muted small" role="timer">
            {words.nextIn(counted)}
          </p>
        )}
        <div className="next__actions">
          <Link to="/watch/$id" params={{ id }} replace className="button button--primary">
            <Icon name="play" />
            {words.nextPlay}
          </Link>
          <button type="button" className="button" onClick={onCancel}>
            {words.nextCancel}
          </button>
        </div>
      </div>
      {startsIn !== undefined && (
        <span className="next__left" aria-hidden="true" style={{ "--left": startsIn / COUNTED_S } as CSSProperties} />
      )}
      <p className="visually-hidden" role="status">
        {`${words.nextTitle}: ${data.name}`}
      </p>
    </section>
  );
}
