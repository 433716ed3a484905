/** Keys, wherever the focus is in the player. */
import { type RefObject, useEffect, useEffectEvent } from "react";
import { type Actions, runCommand } from "./actions";
import { commandOf, type Focused } from "./keyboard";
import { preferences } from "./preferences";

interface KeyTargets {
  help: () => void;
  leave: () => void;
  subtitles: () => void;
  /** Something modal has the keys. */
  busy: boolean;
}

export function useKeys(actions: Actions, element: RefObject<HTMLVideoElement | null>, targets: KeyTargets) {
  // The player renders several times a second; the page listens once, so that no key falls between two listeners.
  const handle = useEffectEvent((event: KeyboardEvent) => {
    if (targets.busy || event.defaultPrevented) return;
    const command = commandOf(event, focusedKind(event.target), preferences.get().singleKeys);
    if (!command) return;
    event.preventDefault();
    if (command.do === "help") targets.help();
    else if (command.do === "subtitles") targets.subtitles();
    else if (command.do === "leave") document.fullscreenElement ? void document.exitFullscreen() : targets.leave();
    else runCommand(command, actions, element.current);
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => handle(event);
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  }, []);
}

function focusedKind(target: EventTarget | null): Focused {
  if (target instanceof HTMLInputElement && target.type === "text") return "text";
  if (target instanceof HTMLInputElement) return target.type === "checkbox" ? "button" : "slider";
  if (target instanceof HTMLButtonElement || target instanceof HTMLAnchorElement) return "button";
  return "none";
}
