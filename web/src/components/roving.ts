/** Cards as one tab stop: arrows move between them, down opens the actions of the one in hand. For rows and grids alike. */
import { type KeyboardEvent, useRef, useState } from "react";
import { moveInRow } from "@/lib/row-keys";

/** `count` cards, of which `start` holds the tab stop first. */
export function useRoving(count: number, start: () => number = () => 0) {
  const [wanted, setActive] = useState(start);
  const links = useRef<(HTMLAnchorElement | null)[]>([]);
  const active = Math.max(0, Math.min(wanted, count - 1));

  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    // Where the focus is now: the last render may not know yet of a key just before.
    const at = links.current.indexOf(event.target as HTMLAnchorElement);
    if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const list = event.currentTarget;
    // As many as stand side by side: a page of a row, a line of a grid.
    const perPage = Math.max(1, Math.floor(list.clientWidth / (links.current[at]?.offsetWidth || 1)));
    const move = moveInRow(event.key, at, count, perPage, isRightToLeft(list));
    if (move === undefined) return;
    event.preventDefault();
    if (move === "actions") {
      const card = links.current[at]?.closest(".card");
      focusWhenShown(card?.querySelector<HTMLElement>(".card__actions a, .card__actions button"));
      return;
    }
    links.current[move.index]?.focus({ preventScroll: true });
    links.current[move.index]?.scrollIntoView({ block: "nearest", inline: "nearest", behavior: motion() });
  };

  return {
    active,
    setActive,
    onKeyDown,
    register(index: number, element: HTMLAnchorElement | null) {
      links.current[index] = element;
    },
    focus: (index: number) => links.current[index]?.focus({ preventScroll: true }),
  };
}

/** What is not shown yet cannot take the focus: on a busy machine a quick key comes before the frame that shows it. */
function focusWhenShown(element: HTMLElement | null | undefined, framesLeft = 30) {
  const hadFocus = document.activeElement;
  element?.focus();
  if (!element || document.activeElement === element || framesLeft === 0) return;
  requestAnimationFrame(() => {
    if (document.activeElement === hadFocus) focusWhenShown(element, framesLeft - 1);
  });
}

/** The card to take the focus when this title leaves the page: beside it, else in a row near by, else the page itself. */
export function heirOf(link: HTMLElement, titleId: string): HTMLElement | null {
  const links = [...document.querySelectorAll<HTMLElement>(".card__link")];
  const at = links.indexOf(link);
  const others = (some: HTMLElement[]) => some.filter((one) => one.dataset.title !== titleId);
  const after = others(links.slice(at + 1));
  const before = others(links.slice(0, Math.max(0, at))).reverse();
  const list = link.closest("ul");
  const beside = (one: HTMLElement) => one.closest("ul") === list;
  return after.find(beside) ?? before.find(beside) ?? after[0] ?? before[0] ?? document.getElementById("content");
}

export const isRightToLeft = (element: Element) => getComputedStyle(element).direction === "rtl";

export const motion = (): ScrollBehavior =>
  window.matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
