/** Controls leave after three seconds without a hand on anything; what stands above them knows how high they are. */
import { type RefObject, useCallback, useEffect, useRef, useState } from "react";

const IDLE_MS = 3000;

export function useIdle(frame: RefObject<HTMLElement | null>, allowed: boolean) {
  const [idle, setIdle] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  const wake = useCallback(() => {
    setIdle(false);
    clearTimeout(timer.current);
    if (allowed) timer.current = setTimeout(() => setIdle(true), IDLE_MS);
  }, [allowed]);

  useEffect(() => {
    wake();
    return () => clearTimeout(timer.current);
  }, [wake]);

  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    // A finger on the picture is answered by `toggle`; waking on it too would show and hide at once.
    const onMove = (event: PointerEvent) => event.pointerType === "mouse" && wake();
    element.addEventListener("pointermove", onMove);
    document.addEventListener("keydown", wake);
    element.addEventListener("focusin", wake);
    return () => {
      element.removeEventListener("pointermove", onMove);
      document.removeEventListener("keydown", wake);
      element.removeEventListener("focusin", wake);
    };
  }, [frame, wake]);

  const toggle = useCallback(() => {
    setIdle((old) => {
      clearTimeout(timer.current);
      if (old && allowed) timer.current = setTimeout(() => setIdle(true), IDLE_MS);
      return !old && allowed;
    });
  }, [allowed]);

  return { idle: idle && allowed, toggle };
}

/** Keeps `--controls` on the frame: the height of the bar. */
export function useBarHeight(frame: RefObject<HTMLElement | null>, bar: RefObject<HTMLElement | null>) {
  useEffect(() => {
    const [outer, inner] = [frame.current, bar.current];
    if (!outer || !inner) return;
    const measure = () => outer.style.setProperty("--controls", `${inner.offsetHeight}px`);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(inner);
    return () => observer.disconnect();
  }, [frame, bar]);
}
