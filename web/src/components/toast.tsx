/** Short messages at the foot of the page, with an optional way back; announced politely. */
import { useEffect, useRef, useState, useSyncExternalStore } from "react";

export interface Toast {
  id: number;
  text: string;
  action?: { label: string; run: () => void };
}

const SHOWN_MS = 7000;
/** The button is the last on the page: somebody must get there by keyboard first. */
const SHOWN_WITH_ACTION_MS = 20_000;
const SHOWN_MAX = 3;
let toasts: Toast[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

function change(next: Toast[]) {
  toasts = next;
  for (const listener of listeners) listener();
}

export function showToast(text: string, action?: Toast["action"]) {
  change([...toasts, { id: nextId++, text, action }].slice(-SHOWN_MAX));
}

export function dismissToast(id: number) {
  change(toasts.filter((toast) => toast.id !== id));
}

/** Another viewer sits down: what was said to the last one is gone. */
export function clearToasts() {
  change([]);
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function Toasts() {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map((toast) => (
        <ToastView key={toast.id} toast={toast} />
      ))}
    </div>
  );
}

/** Its time runs only while nobody points at it or has the focus in it (WCAG 2.2.1). */
function ToastView({ toast }: { toast: Toast }) {
  const [pointed, setPointed] = useState(false);
  const [focused, setFocused] = useState(false);
  const before = useRef<Element | null>(null);
  const held = pointed || focused;
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => dismissToast(toast.id), toast.action ? SHOWN_WITH_ACTION_MS : SHOWN_MS);
    return () => clearTimeout(timer);
  }, [toast, held]);
  const act = () => {
    toast.action?.run();
    dismissToast(toast.id);
    // The button goes with the message: the keyboard goes on where it came from.
    if (before.current instanceof HTMLElement) before.current.focus();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: nothing can be done to it; it only waits while it is looked at.
    <div
      className="toast"
      onPointerEnter={() => setPointed(true)}
      onPointerLeave={() => setPointed(false)}
      onFocus={(event) => {
        if (!focused) before.current = event.relatedTarget;
        setFocused(true);
      }}
      onBlur={() => setFocused(false)}
    >
      <span>{toast.text}</span>
      {toast.action && (
        <button type="button" onClick={act}>
          {toast.action.label}
        </button>
      )}
    </div>
  );
}
