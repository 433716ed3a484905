/** The engine of the showing that is on the page, and what it says; addresses are renewed as they run out. */
import { type RefObject, useCallback, useEffect, useEffectEvent, useRef, useState, useSyncExternalStore } from "react";
import { startPlayback } from "@/api/endpoints";
import type { Playback } from "@/api/types";
import { rememberedVolume } from "./actions";
import { Engine, NOTHING_YET, type Trouble } from "./engine";
import { chooseAudio } from "./languages";
import { preferences } from "./preferences";
import { hearsAround } from "./sound";

interface Told {
  switched: () => void;
  failed: (trouble: Trouble) => void;
}

const silent = () => () => undefined;

export function useEngine(element: RefObject<HTMLVideoElement | null>, playback: Playback, told: Told) {
  const [engine, setEngine] = useState<Engine>();
  // Another one once the first is not good any more: positions go to the one that plays.
  const [current, setCurrent] = useState(playback);
  // The film and its subtitles may ask at once: for one showing.
  const asked = useRef<Promise<string>>(undefined);
  const renew = useCallback(() => {
    asked.current ??= startPlayback(playback.title_id)
      .then((renewed) => {
        setCurrent(renewed);
        return renewed.hls_url;
      })
      .finally(() => {
        asked.current = undefined;
      });
    return asked.current;
  }, [playback.title_id]);
  const tellSwitched = useEffectEvent(() => told.switched());
  const tellFailed = useEffectEvent((trouble: Trouble) => told.failed(trouble));
  useEffect(() => {
    const video = element.current;
    if (!video) return;
    const created = new Engine(video, {
      renew,
      audio: (tracks) => {
        const { audio, surround } = preferences.get();
        return chooseAudio(tracks, audio, () => surround ?? hearsAround());
      },
      switched: () => tellSwitched(),
      failed: (trouble) => tellFailed(trouble),
    });
    setEngine(created);
    video.volume = rememberedVolume();
    void created.open(playback.hls_url, playback.resume_at_s).then(() => video.play().catch(() => undefined));
    return () => created.destroy();
  }, [element, playback, renew]);
  const state = useSyncExternalStore(engine?.subscribe ?? silent, engine?.snapshot ?? (() => NOTHING_YET));
  return { engine, state, current, renew };
}
