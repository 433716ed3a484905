/** What the house is told of a showing: where the viewer is, and how it goes. Afterwards the home page is asked for anew. */
import { useQueryClient } from "@tanstack/react-query";
import { type RefObject, useEffect, useEffectEvent, useLayoutEffect, useState } from "react";
import { tasteChanged } from "@/api/opinions";
import { PositionReporter } from "./positions";
import { EVERY_MS, QualityMeter, QualityReporter } from "./quality";

type Element = RefObject<HTMLVideoElement | null>;

/** Positions to the server, and a home page that is asked for anew afterwards. */
export function usePositions(element: Element, session: string, titleId: string) {
  const client = useQueryClient();
  // A layout effect ends before the others: the engine takes the film from the element, and with it the place.
  useLayoutEffect(() => {
    const video = element.current;
    if (!video) return;
    const reporter = new PositionReporter(session);
    let seen = Number.NaN;
    const see = () => {
      if (video.readyState >= 1) seen = video.currentTime;
      return seen;
    };
    const playing = () => {
      see();
      if (!video.paused && !video.seeking && video.readyState >= 2) reporter.playing(video.currentTime);
    };
    const paused = () => !video.ended && video.readyState >= 1 && reporter.paused(video.currentTime);
    const ended = () => reporter.ended(video.currentTime);
    const stop = listen(video, { timeupdate: playing, seeking: see, pause: paused, ended });
    window.addEventListener("pagehide", paused);
    return () => {
      stop();
      window.removeEventListener("pagehide", paused);
      // An element that another film is being put into stands at its beginning.
      reporter.leave(see());
    };
  }, [element, session]);
  useEffect(
    () => () => {
      tasteChanged(client, titleId);
      void client.invalidateQueries({ queryKey: ["title"] });
      void client.invalidateQueries({ queryKey: ["history"] });
    },
    [titleId, client],
  );
}

/** Counts what happens to the video, and sends it at intervals and at the end. `pressedAt`: when Play was pressed. */
export function useQuality(element: Element, session: string, pressedAt: number): QualityMeter {
  const [meter] = useState(() => new QualityMeter(pressedAt));
  const currentSession = useEffectEvent(() => session);
  useEffect(() => {
    const video = element.current;
    if (!video) return;
    const reporter = new QualityReporter(meter, () => currentSession());
    const stop = watch(video, meter);
    const timer = setInterval(() => reporter.report(), EVERY_MS);
    // A page that is hidden may never be seen again, and may not be told.
    const hidden = () => document.visibilityState === "hidden" && reporter.report();
    const gone = (event: PageTransitionEvent) => (event.persisted ? reporter.report() : reporter.end());
    document.addEventListener("visibilitychange", hidden);
    window.addEventListener("pagehide", gone);
    return () => {
      stop();
      clearInterval(timer);
      document.removeEventListener("visibilitychange", hidden);
      window.removeEventListener("pagehide", gone);
      reporter.end();
    };
  }, [element, meter]);
  return meter;
}

/** A stall is a wait that nobody asked for: not the first picture, not a jump, not after the end. */
function watch(video: HTMLVideoElement, meter: QualityMeter): () => void {
  const now = () => performance.now();
  let jumping = false;
  const first = () => meter.firstPicture(now());
  // When it is there to be seen, where the browser says so.
  const frame = video.requestVideoFrameCallback?.(first);
  const stop = listen(video, {
    ...(frame === undefined ? { loadeddata: first } : {}),
    waiting: () => !jumping && !video.seeking && !video.ended && meter.stalled(now()),
    playing: () => {
      jumping = false;
      meter.moves(now());
    },
    pause: () => meter.moves(now()),
    seeking: () => {
      jumping = true;
      meter.moves(now());
      meter.at(undefined);
    },
    timeupdate: () => {
      if (video.paused || video.seeking) return;
      jumping = false;
      meter.at(video.currentTime);
    },
  });
  return () => {
    if (frame !== undefined) video.cancelVideoFrameCallback(frame);
    stop();
  };
}

function listen(video: HTMLVideoElement, handlers: Record<string, () => void>): () => void {
  for (const [name, handler] of Object.entries(handlers)) video.addEventListener(name, handler);
  return () => {
    for (const [name, handler] of Object.entries(handlers)) video.removeEventListener(name, handler);
  };
}
