/** Keeps the screen lit while something plays, where the browser can. */
import { useEffect } from "react";

export function useWakeLock(playing: boolean) {
  useEffect(() => {
    if (!playing || !navigator.wakeLock) return;
    let over = false;
    let lock: WakeLockSentinel | undefined;
    const take = async () => {
      if (over || document.visibilityState !== "visible" || (lock && !lock.released)) return;
      // Refused where the battery is low: the film plays all the same.
      const taken = await navigator.wakeLock.request("screen").catch(() => undefined);
      if (over) void taken?.release();
      else lock = taken;
    };
    const look = () => void take();
    look();
    // The browser lets go of it whenever the page is hidden.
    document.addEventListener("visibilitychange", look);
    return () => {
      over = true;
      document.removeEventListener("visibilitychange", look);
      void lock?.release();
    };
  }, [playing]);
}
